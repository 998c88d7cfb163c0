"""What there is to fill in before deploying: names and sizes in sight, the rest folded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import traitlets as tl

from podpac_lambda_widgets.errors import InvalidValueError
from podpac_lambda_widgets.model.base import StrictHasTraits
from podpac_lambda_widgets.model.deployment import TRIGGERS, Deployment
from podpac_lambda_widgets.widgets.code import literal, write_call
from podpac_lambda_widgets.widgets.fields import Choice, action, actions, describe_field, folded, group

if TYPE_CHECKING:
    from podpac_lambda_widgets.plan.changes import Plan
    from podpac_lambda_widgets.widgets.backend import Connection
    from podpac_lambda_widgets.widgets.form import Form

NAMES = ("function_name", "function_role_name", "function_s3_bucket")
SIZES = ("function_memory", "function_timeout")
TRIGGER_FIELDS = ("function_triggers", "function_public_endpoint", "function_s3_input")
LIMITS = (
    "function_reserved_concurrency", "function_ephemeral_storage", "function_s3_output_expiration",
    "function_log_retention",
)  # fmt: skip
BUDGET = ("function_budget_amount", "function_budget_currency", "function_budget_email")
#: Every trait that has a field.
TRAITS = (*NAMES, *SIZES, *TRIGGER_FIELDS, *LIMITS, *BUDGET, "function_tags")

#: The folded part.
MORE = "more"
#: A direct call is always possible, for whoever AWS lets.
DIRECT_CALL = "eval"
_TRIGGER_WORDS = {
    DIRECT_CALL: ("Direct call (always on)", "direct call"),
    "S3": ("Objects in the bucket (S3)", "objects in S3"),
    "APIGateway": ("Web API (API Gateway)", "web API"),
    "URL": ("Own URL", "own URL"),
}
_ENDPOINTS = {"APIGateway", "URL"}
_PUBLIC_WARNING = "Anybody who knows the address can run the function, and you pay for it."


class Confirmation(StrictHasTraits):
    """What is typed before results are deleted, or others' objects are left behind: the function's name."""

    confirmation = tl.Unicode("").tag(label="Type the function's name to delete it")

    def answer(self, plan: Plan, function_name: str) -> bool | str:
        """What confirms the plan: the function's name where it asks for that, else True.

        Raises
        ------
        InvalidValueError
            Something else was typed.
        """
        if not plan.asks_for_name:
            return True
        if self.confirmation.strip() != function_name:
            raise InvalidValueError(f"This is not the function's name: type {function_name}", field="confirmation")
        return function_name


def deploy_layout(deployment: Deployment, confirmation: Confirmation) -> list[dict[str, Any]]:
    """The blocks of the Deploy form, and of the question it asks."""
    return [
        {"block": "light", "actions": [action("look", "Ask again", "quiet")]},
        {"block": "card"},
        group("", [describe_field(deployment, name, span=4) for name in NAMES]),
        group("", [describe_field(deployment, name, span=4, narrow=6) for name in SIZES]),
        _more(deployment),
        actions(
            action("plan", "Plan"),
            action("build", "Build", "primary"),
            action("stop", "Stop after this change", "quiet", "stop"),
            action("delete", "Delete", "danger", "trash"),
        ),
        {
            "block": "question",
            "fields": [describe_field(confirmation, "confirmation", span=12)],
            "actions": [action("really_delete", "Really delete", "danger", "trash"), action("keep", "Keep it")],
        },
        {"block": "steps"},
        {"block": "table"},
    ]


def _more(deployment: Deployment) -> dict[str, Any]:
    called = [
        describe_field(deployment, "function_triggers", help="What may call the function.", always=[DIRECT_CALL]),
        describe_field(deployment, "function_public_endpoint"),
        describe_field(
            deployment,
            "function_s3_input",
            help="A pipeline that is put here, into the folder with the function's name, is run.",
        ),
    ]
    amount, currency, email = (describe_field(deployment, name) for name in BUDGET)
    return folded(
        MORE,
        "More",
        group("", called),
        group("", [describe_field(deployment, name, span=3, narrow=6) for name in LIMITS]),
        group("", [amount | {"span": 3, "narrow": 6}, currency | {"span": 3, "narrow": 6}, email]),
        group("", [describe_field(deployment, "function_tags", span=12, rows=3, placeholder="project=soil")]),
    )


def trigger_choices() -> list[Choice]:
    """The triggers, as (PODPAC's name, what a person reads)."""
    return [(name, _TRIGGER_WORDS[name][0]) for name in TRIGGERS]


def has_endpoint(deployment: Deployment) -> bool:
    """Whether something is wished that can be made public."""
    return bool(_ENDPOINTS & set(deployment.function_triggers))


def is_public(deployment: Deployment) -> bool:
    """Whether anybody on the internet could run the function."""
    return bool(deployment.function_public_endpoint) and has_endpoint(deployment)


def trigger_states(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """What the fields of the triggers show besides their values: what means nothing yet cannot be set."""
    return {
        "function_public_endpoint": {
            "disabled": not has_endpoint(deployment),
            "warning": _PUBLIC_WARNING if is_public(deployment) else "",
        },
        "function_s3_input": {"hidden": "S3" not in deployment.function_triggers},
    }


def wish_in_words(deployment: Deployment) -> str:
    """What the folded part holds, in a line: what costs money or opens a door is never out of sight."""
    wished = {DIRECT_CALL, *deployment.function_triggers}
    words = [", ".join(_TRIGGER_WORDS[name][1] for name in TRIGGERS if name in wished)]
    if is_public(deployment):
        words.append("public")
    amount, days = deployment.function_budget_amount, deployment.function_s3_output_expiration
    words.append(f"budget {amount:g} {deployment.function_budget_currency}" if amount else "no budget")
    words.append(f"results kept {days} days" if days else "results kept")
    return " · ".join(words)[:1].upper() + " · ".join(words)[1:]


class WishFields:
    """What the fields say beside their values: names that will be made, what means nothing yet, what it all comes to.

    Parameters
    ----------
    form : Form
    deployment : Deployment
        The model behind its fields.
    connection : callable
        Gives the present connection, if there is one: names are made of its account and region.
    """

    def __init__(self, form: Form, deployment: Deployment, connection: Callable[[], Connection | None]) -> None:
        self._form, self._deployment, self._connection = form, deployment, connection

    def show(self) -> None:
        """Bring all of it up to date."""
        connection = self._connection()
        if connection is not None:
            identity = connection.identity
            made = {
                "function_role_name": self._deployment.role_name(identity.region),
                "function_s3_bucket": self._deployment.bucket_name(identity.account, identity.region),
            }
            for name, placeholder in made.items():
                self._form.set_field(name, placeholder=placeholder)
        for name, state in trigger_states(self._deployment).items():
            self._form.set_field(name, **state)
        self._form.folded = {MORE: wish_in_words(self._deployment)}

    def entered(self, name: str) -> None:
        """A person has changed a field. Who takes the last endpoint away does not want the next one public."""
        if name == "function_triggers" and not has_endpoint(self._deployment):
            self._deployment.function_public_endpoint = False


def node_arguments(deployment: Deployment, source: Mapping[str, str]) -> dict[str, str]:
    """The arguments of ``Lambda`` as keyword and expression: only what differs from the defaults, and always the name.

    podpac's settings may give another name than the default.
    """
    defaults = Deployment()
    pairs = {name: (getattr(deployment, name), getattr(defaults, name)) for name in defaults.trait_names()}
    differing = {name: value for name, (value, default) in pairs.items() if value != default}
    wished = {"function_name": deployment.function_name, **differing}
    return {"session": "session", **source, **{name: literal(value) for name, value in wished.items()}}


def deploy_lines(deployment: Deployment, source: Mapping[str, str]) -> tuple[str, ...]:
    """The wish as Python, its plan, and building it.

    Parameters
    ----------
    deployment : Deployment
    source : mapping of str to str
        The arguments that say where the archives are, as keyword and expression.
    """
    node = write_call("plw.Lambda", node_arguments(deployment, source), variable="cloud")
    return (*node, "print(cloud.plan())", "cloud.build()")
