"""Tags in the several shapes AWS has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from podpac_lambda_widgets.plan.resources import STACK_TAG


def to_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """As IAM and S3 want them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def from_list(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """As IAM and S3 give them."""
    return {tag["Key"]: tag["Value"] for tag in tags}


def wanted_part(found: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """The found tags that we manage: others on the same resource are not ours to compare or change."""
    return {key: found[key] for key in wanted if key in found}


def stack_of(tags: Mapping[str, str]) -> str | None:
    """The stack a resource belongs to, or None when it bears no tag of ours."""
    return tags.get(STACK_TAG)
