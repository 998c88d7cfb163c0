"""A plan: what will be made, changed, kept, taken away, and what it refuses to touch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from podpac_lambda_widgets.plan.resources import Bucket, BucketContents, Resource

if TYPE_CHECKING:
    from podpac_lambda_widgets.plan.calls import Call
    from podpac_lambda_widgets.plan.cost import IdleCost


#: Stands for the value of an environment variable that we did not make: it may be somebody's secret.
HIDDEN = "(not shown)"


@dataclass(frozen=True)
class Difference:
    """A managed field whose value is not the wanted one.

    Of a function's environment, values that are not of our own making are left out: a plan is printed and saved.
    """

    field: str
    old: Any
    new: Any

    @classmethod
    def of(cls, field: str, old: Any, new: Any) -> Difference:
        """With what may be somebody's secret left out."""
        if field != "environment" or not isinstance(old, Mapping) or not isinstance(new, Mapping):
            return cls(field, old, new)
        changed = {key: HIDDEN for key in (*old, *new) if old.get(key) != new.get(key) and not _is_own_variable(key)}
        return cls(
            field,
            {key: HIDDEN if key in changed else value for key, value in old.items() if _is_shown(key, changed)},
            {key: "(as wished)" if key in changed else value for key, value in new.items() if _is_shown(key, changed)},
        )


def _is_own_variable(name: str) -> bool:
    return name.startswith("FUNCTION_") or name == "S3_BUCKET_NAME"


def _is_shown(name: str, changed: Mapping[str, str]) -> bool:
    return name in changed or _is_own_variable(name)


@dataclass(frozen=True)
class Create:
    """Make a resource that is not there."""

    action: ClassVar[str] = "create"
    sign: ClassVar[str] = "+"
    resource: Resource
    note: str = ""


@dataclass(frozen=True)
class Update:
    """Change a resource of ours back to what is wanted."""

    action: ClassVar[str] = "update"
    sign: ClassVar[str] = "~"
    resource: Resource
    differences: tuple[Difference, ...]
    note: str = ""


@dataclass(frozen=True)
class Keep:
    """Nothing to do."""

    action: ClassVar[str] = "keep"
    sign: ClassVar[str] = "="
    resource: Resource
    note: str = ""
    #: Whether it could not be looked at: it may be there, or not, ours or not.
    is_unseen: bool = False
    #: AWS's own code and request id, where it did not let us look.
    code: str = ""
    request_id: str = ""


@dataclass(frozen=True)
class Delete:
    """Take away a resource of ours."""

    action: ClassVar[str] = "delete"
    sign: ClassVar[str] = "-"
    resource: Resource
    note: str = ""


@dataclass(frozen=True)
class Refuse:
    """Leave alone what is not ours, and so the whole plan."""

    action: ClassVar[str] = "refuse"
    sign: ClassVar[str] = "!"
    resource: Resource
    note: str
    next_step: str


Change = Create | Update | Keep | Delete | Refuse


def old_values(change: Create | Update, made: Mapping[str, Any]) -> dict[str, Any]:
    """The values now of the fields that an update changes; for what is to be made, ``made``."""
    if isinstance(change, Create):
        return dict(made)
    return {difference.field: difference.old for difference in change.differences}


ROOT_WARNING = (
    "These are the credentials of the account's root user, whom nothing can hold back: AWS advises to use them for "
    "nothing but setting up others. Make an IAM user or role with policy_for('deploy')."
)


def _plain(change: Change) -> dict[str, Any]:
    row = asdict(change)
    environment = row["resource"].get("environment", {})
    for name in environment:
        if not _is_own_variable(name):
            environment[name] = HIDDEN
    return row


@dataclass(frozen=True)
class Plan:
    """The difference between what is wanted and what is there.

    Parameters
    ----------
    stack : str
        What the resources belong to.
    purpose : str
        ``"build"`` or ``"delete"``.
    changes : tuple of Change
        In the order in which they will be applied.
    warnings : tuple of str
        What is to be said of the whole.
    """

    stack: str
    purpose: str
    changes: tuple[Change, ...]
    warnings: tuple[str, ...] = ()

    @property
    def writes(self) -> tuple[Create | Update | Delete, ...]:
        """The changes that will write to the account."""
        return tuple(change for change in self.changes if isinstance(change, Create | Update | Delete))

    @property
    def refusals(self) -> tuple[Refuse, ...]:
        """What the plan refuses to touch; a plan with a refusal is not applied."""
        return tuple(change for change in self.changes if isinstance(change, Refuse))

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every call that will write to the account, in order."""
        from podpac_lambda_widgets.plan.calls import calls_of

        return calls_of(self)

    @property
    def idle_cost(self) -> IdleCost | None:
        """What the stack will cost while nothing runs; None for a plan to delete it."""
        from podpac_lambda_widgets.plan.cost import idle_cost

        return idle_cost(self.changes) if self.purpose == "build" and not self.refusals else None

    @property
    def results(self) -> int:
        """How many results, which only the stack's bucket has, would be lost."""
        gone = [change.resource for change in self.changes if isinstance(change, Delete)]
        return sum(resource.results for resource in gone if isinstance(resource, Bucket | BucketContents))

    @property
    def others_objects(self) -> int:
        """How many objects of others, in the stack's own bucket, keep that bucket from being deleted."""
        kept = [change.resource for change in self.changes if isinstance(change, Keep)]
        return sum(each.foreign_objects for each in kept if isinstance(each, Bucket) and not each.adopted)

    @property
    def asks_for_name(self) -> bool:
        """Whether deleting takes more than a yes: results would be lost, or what others stored would be left over."""
        return bool(self.writes) and bool(self.results or self.others_objects)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.writes and not self.refusals

    @property
    def summary(self) -> str:
        """One line: how many of each."""
        actions = [change.action for change in self.changes]
        counts = {action: actions.count(action) for action in dict.fromkeys(actions)}
        return ", ".join(f"{count} to {action}" for action, count in counts.items()) or "nothing there"

    def to_json(self) -> str:
        """The plan as JSON text."""
        rows = [{"action": change.action, "kind": change.resource.kind, **_plain(change)} for change in self.changes]
        cost = self.idle_cost
        plan = {
            "stack": self.stack,
            "purpose": self.purpose,
            "changes": rows,
            "warnings": self.warnings,
            "calls": [asdict(call) for call in self.calls],
            "idle_cost_usd_per_month": None if cost is None else cost.usd,
        }
        return json.dumps(plan, default=str, indent=2)

    def __str__(self) -> str:
        from podpac_lambda_widgets.plan.render import plan_text

        return plan_text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from podpac_lambda_widgets.plan.render import plan_html

        return plan_html(self)
