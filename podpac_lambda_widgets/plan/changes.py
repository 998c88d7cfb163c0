"""A plan: what will be made, changed, kept, taken away, and what it refuses to touch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from podpac_lambda_widgets.plan.resources import Resource


@dataclass(frozen=True)
class Difference:
    """A managed field whose value is not the wanted one."""

    field: str
    old: Any
    new: Any


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
    """

    stack: str
    purpose: str
    changes: tuple[Change, ...]

    @property
    def writes(self) -> tuple[Create | Update | Delete, ...]:
        """The changes that will write to the account."""
        return tuple(change for change in self.changes if isinstance(change, Create | Update | Delete))

    @property
    def refusals(self) -> tuple[Refuse, ...]:
        """What the plan refuses to touch; a plan with a refusal is not applied."""
        return tuple(change for change in self.changes if isinstance(change, Refuse))

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
        rows = [{"action": change.action, "kind": change.resource.kind, **asdict(change)} for change in self.changes]
        return json.dumps({"stack": self.stack, "purpose": self.purpose, "changes": rows}, default=str, indent=2)

    def __str__(self) -> str:
        from podpac_lambda_widgets.plan.render import plan_text

        return plan_text(self)

    def _repr_html_(self) -> str:
        from podpac_lambda_widgets.plan.render import plan_html

        return plan_html(self)
