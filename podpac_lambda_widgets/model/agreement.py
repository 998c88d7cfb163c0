"""What values have to agree upon that are each right by itself: places in the bucket, and tags of one resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from podpac_lambda_widgets import limits
from podpac_lambda_widgets.model.base import TAGS, InvalidTraitError, find_keys_alike

if TYPE_CHECKING:
    from podpac_lambda_widgets.model.deployment import Deployment

#: The tags of one kind of resource, besides those for everything.
SPECIAL_TAGS = ("function_s3_tags", "function_role_tags", "function_api_tags")


def check_dependencies_key(function_s3_input: str, function_s3_output: str, function_s3_dependencies_key: str) -> None:
    """Make sure that the dependencies archive lies neither where it would call the function nor among the results.

    Raises
    ------
    InvalidValueError
        It is in one of the two folders.
    """
    why = {
        function_s3_input: "What is put there calls the function.",
        function_s3_output: "AWS deletes what lies there when it is old, and the function may write there.",
    }
    for folder, reason in why.items():
        if function_s3_dependencies_key.startswith(f"{folder}/"):
            raise InvalidTraitError(
                f"The dependencies archive may not lie in {folder!r}",
                field="function_s3_dependencies_key",
                why=reason,
                next_step="Choose another key, or leave it empty: it is then chosen by the archive's content.",
            )


def check_tags(deployment: Deployment, **proposed: Mapping[str, str]) -> None:
    """Make sure that each resource gets tags that AWS takes together: its own and those for everything.

    Parameters
    ----------
    deployment : Deployment
    **proposed : mapping of str to str
        Tags by the name of the trait that is to have them; the others are the deployment's.

    Raises
    ------
    InvalidValueError
        Too many for one resource, or keys that differ only in case.
    """
    everywhere = proposed.get("function_tags", deployment.function_tags)
    for name in SPECIAL_TAGS:
        special = proposed.get(name, getattr(deployment, name))
        together = {**everywhere, **special}
        label = deployment.traits()[name].metadata["label"]
        alike = find_keys_alike(together)
        if alike:
            raise InvalidTraitError(
                f"{label}: the key {alike[1]!r} and {alike[0]!r} of the tags for everything differ only in case",
                field=name,
                why="AWS takes them for one.",
                next_step="Write both alike: the special one then takes the other's place.",
            )
        if len(together) > TAGS:
            raise InvalidTraitError(
                f"{label}: {len(together)} tags together with those for everything",
                field=name,
                why=f"AWS takes {limits.TAGS} on one resource, of which {limits.TAGS - TAGS} mark what is ours.",
                next_step="Take some out.",
            )
