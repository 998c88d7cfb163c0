"""A deployment and its archives, with the names that ``podpac.settings`` gives where a person gives none."""

from __future__ import annotations

from collections.abc import Mapping

import traitlets as tl

from podpac_lambda_widgets.model.base import Text
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.node.installed import settings

#: What PODPAC itself writes into its settings under names that it was not given: nobody's wish.
_FILLED_IN = {"FUNCTION_ROLE_NAME": "podpac-lambda-autogen"}
_PODPACS_TAGS = ("_podpac_resource", "_podpac_resource_hash")


def setting(name: str, otherwise: str = "") -> str:
    """One of PODPAC's settings as text, or ``otherwise``."""
    return str(settings.get(name) or otherwise)


class SettingsDefaults(Deployment, Source):
    """The traits of both; defaults that PODPAC keeps in its settings come from there."""

    function_name = Text("", pattern=Deployment.function_name.pattern.pattern, rule=Deployment.function_name.rule).tag(
        label="Function name", section="names", attr=True
    )

    @tl.default("function_name")
    def _function_name_default(self) -> str:
        return setting("FUNCTION_NAME", "podpac-lambda-autogen")

    @tl.default("function_role_name")
    def _function_role_name_default(self) -> str:
        name = setting("FUNCTION_ROLE_NAME")
        return "" if name == _FILLED_IN["FUNCTION_ROLE_NAME"] else name

    @tl.default("function_s3_bucket")
    def _function_s3_bucket_default(self) -> str:
        return setting("S3_BUCKET_NAME")

    @tl.default("function_s3_input")
    def _function_s3_input_default(self) -> str:
        return setting("FUNCTION_S3_INPUT", "input").strip("/ ")

    @tl.default("function_s3_output")
    def _function_s3_output_default(self) -> str:
        return setting("FUNCTION_S3_OUTPUT", "output").strip("/ ")

    @tl.default("function_tags")
    def _function_tags_default(self) -> dict[str, str]:
        tags = settings.get("AWS_TAGS") or {}
        # A value of another kind is refused by the trait, by name.
        return {key: tags[key] for key in tags if key not in _PODPACS_TAGS} if isinstance(tags, Mapping) else tags

    @tl.default("function_budget_amount")
    def _function_budget_amount_default(self) -> float | None:
        return settings.get("AWS_BUDGET_AMOUNT") or None

    @tl.default("function_budget_email")
    def _function_budget_email_default(self) -> str:
        return setting("AWS_BUDGET_EMAIL")
