"""Applies a plan: one change after the other, told by events, stopped at the first failure."""

from __future__ import annotations

from collections.abc import Callable

from podpac_lambda_widgets.clock import Clock
from podpac_lambda_widgets.engine.events import (
    ChangeApplied,
    ChangeFailed,
    ChangeProgressed,
    ChangeStarted,
    Listener,
    PlanFinished,
    PlanStarted,
)
from podpac_lambda_widgets.engine.ports import Account
from podpac_lambda_widgets.errors import CancelledError, DeployError, PlanRefusedError, PodpacLambdaError
from podpac_lambda_widgets.plan.changes import Create, Delete, Plan, Update
from podpac_lambda_widgets.plan.resources import Bucket, BucketContents


def apply_plan(plan: Plan, account: Account, clock: Clock, listener: Listener, cancelled: Callable[[], bool]) -> None:
    """Apply every change that writes, in order.

    Raises
    ------
    PlanRefusedError
        The plan would touch what is not ours; nothing was done.
    DeployError
        A change failed; it says what is done and what is left. Applying a new plan goes on from there.
    CancelledError
        Between two changes, ``cancelled()`` became true.
    """
    if plan.refusals:
        first = plan.refusals[0]
        raise PlanRefusedError(
            f"The plan refuses to touch {len(plan.refusals)} resource{'s' if len(plan.refusals) > 1 else ''}",
            resource="; ".join(str(change.resource) for change in plan.refusals),
            why=f"The {first.resource.kind} {first.note}.",
            next_step=first.next_step,
        )
    began = clock.monotonic()
    listener(PlanStarted(plan))
    for index, change in enumerate(plan.writes):
        if cancelled():
            raise CancelledError(
                f"Stopped before {change.action} {change.resource}",
                why=f"{index} of {len(plan.writes)} changes are done.",
                next_step="Build again to go on, or delete what was made.",
            )
        listener(ChangeStarted(change))
        start = clock.monotonic()
        try:
            _apply_change(change, account, plan.stack, listener)
        except PodpacLambdaError as error:
            listener(ChangeFailed(change, error))
            raise _stopped(plan, index, error) from error
        listener(ChangeApplied(change, clock.monotonic() - start))
    listener(PlanFinished(plan, clock.monotonic() - began))


def _apply_change(change: Create | Update | Delete, account: Account, stack: str, listener: Listener) -> None:
    deletes_objects = isinstance(change, Delete) and isinstance(change.resource, Bucket | BucketContents)

    def progress(done: int, total: int) -> None:
        listener(ChangeProgressed(change, done, total, "objects" if deletes_objects else "bytes"))

    match change:
        case Create():
            account.create(change.resource, stack, progress)
        case Update():
            account.update(change, stack, progress)
        case Delete():
            account.delete(change.resource, stack, progress)


def _stopped(plan: Plan, index: int, error: PodpacLambdaError) -> DeployError:
    named = [f"{change.action} {change.resource}" for change in plan.writes]
    return DeployError(
        f"{plan.purpose.capitalize()} stopped: {error.what}",
        done=named[:index],
        failed=named[index],
        left=named[index + 1 :],
        why=error.why,
        next_step=error.next_step or "Mend the cause and run it again: it goes on from here.",
        code=error.code,
        request_id=error.request_id,
    )
