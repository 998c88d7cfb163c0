"""What happens, as values. Progress bars, tables, logs and tests are listeners."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from podpac_lambda_widgets.errors import PodpacLambdaError
from podpac_lambda_widgets.plan.changes import Change, Plan


@dataclass(frozen=True)
class PlanStarted:
    """A plan begins to be applied."""

    plan: Plan


@dataclass(frozen=True)
class ChangeStarted:
    """A change begins."""

    change: Change


@dataclass(frozen=True)
class ChangeProgressed:
    """Part of a change is done; ``done`` and ``total`` count ``unit``."""

    change: Change
    done: int
    total: int
    unit: str = "bytes"


@dataclass(frozen=True)
class ChangeApplied:
    """A change is done, after ``seconds``."""

    change: Change
    seconds: float


@dataclass(frozen=True)
class ChangeFailed:
    """A change failed; the plan stops here."""

    change: Change
    error: PodpacLambdaError


@dataclass(frozen=True)
class PlanFinished:
    """The whole plan is done, after ``seconds``."""

    plan: Plan
    seconds: float


@dataclass(frozen=True)
class RunProgressed:
    """A run has reached a phase: leaving a large request in the bucket, sent, fetching a large result, done."""

    phase: str
    detail: str = ""


Event = PlanStarted | ChangeStarted | ChangeProgressed | ChangeApplied | ChangeFailed | PlanFinished | RunProgressed
Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """A listener that does nothing."""
