"""Where the two archives come from."""

from __future__ import annotations

from typing import Any

from podpac_lambda_widgets.model.aws_traits import BucketName
from podpac_lambda_widgets.model.base import FilePath, InvalidTraitError, StrictHasTraits, Text

_KEY_RULE = "1 to 1,000 characters, not beginning with / and with no '..'."
_KEY = r"(?!/)(?!.*\.\.)[^\x00-\x1f]{1,1000}"


class ObjectKey(Text):
    """A key of an object in a bucket."""

    def __init__(self, default_value: str = "", **kwargs: Any) -> None:
        super().__init__(default_value, pattern=_KEY, rule=_KEY_RULE, **kwargs)


class Source(StrictHasTraits):
    """The two archives: files on this machine, or objects in a bucket. PODPAC's own names."""

    function_source_dist_zip = FilePath("", help="podpac_dist.zip on this machine: the function's code.").tag(
        label="Distribution archive"
    )
    function_source_dependencies_zip = FilePath(
        "", help="podpac_deps.zip on this machine: what only some pipelines need."
    ).tag(label="Dependencies archive")
    function_source_bucket = BucketName(help="A bucket, in the function's region, that has the archives.").tag(
        label="Source bucket"
    )
    function_source_dist_key = ObjectKey(
        "", help="The object that is podpac_dist.zip, such as directory/podpac_dist.zip."
    ).tag(label="Distribution key")
    function_source_dependencies_key = ObjectKey("", help="The object that is podpac_deps.zip.").tag(
        label="Dependencies key"
    )

    @property
    def is_bucket(self) -> bool:
        """Whether the archives are objects in a bucket."""
        return bool(self.function_source_bucket)

    def check(self) -> None:
        """Make sure that exactly one place is named, and wholly.

        Raises
        ------
        InvalidTraitError
            Naming the field that is missing or too much.
        """
        files = ("function_source_dist_zip", "function_source_dependencies_zip")
        keys = ("function_source_dist_key", "function_source_dependencies_key")
        wanted, other = (keys, files) if self.is_bucket else (files, keys)
        for name in wanted:
            if not getattr(self, name):
                raise InvalidTraitError(
                    f"{self.traits()[name].metadata['label']} is missing",
                    field=name,
                    next_step="Build the archives, or name both files, or a bucket with both keys.",
                )
        for name in other:
            if getattr(self, name):
                raise InvalidTraitError(
                    f"{self.traits()[name].metadata['label']} does not go with the other place",
                    field=name,
                    why="Archives come from files or from a bucket, not from both.",
                    next_step="Clear one of the two.",
                )
