"""Applies a plan: one change after the other, told by events, stopped at the first failure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

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
from podpac_lambda_widgets.engine.ports import Account, Lock
from podpac_lambda_widgets.errors import CancelledError, DeployError, PlanRefusedError, PodpacLambdaError
from podpac_lambda_widgets.plan.changes import Create, Delete, Plan, Update
from podpac_lambda_widgets.plan.difference import plan_delete
from podpac_lambda_widgets.plan.resources import Bucket, BucketContents, Resource


@dataclass(frozen=True)
class TakenBack:
    """What a rollback has deleted, and what it could not."""

    gone: tuple[str, ...]
    left: tuple[str, ...]

    def next_step(self, otherwise: str) -> str:
        """What to do after it."""
        if self.left:
            left = "; ".join(self.left)
            return f"Not everything could be taken back: {left}. Delete the stack when the cause is mended."
        done = "What this run had made is taken back." if self.gone else "This run had made nothing."
        return f"{done} {otherwise or 'Mend the cause and build again.'}"


def apply_plan(
    plan: Plan,
    account: Account,
    clock: Clock,
    listener: Listener,
    cancelled: Callable[[], bool],
    *,
    rollback: bool = False,
) -> None:
    """Apply every change that writes, in order, while nobody else builds or deletes the stack.

    Parameters
    ----------
    rollback : bool
        When it stops, take back what this run has created; what it has changed stays changed.

    Raises
    ------
    PlanRefusedError
        The plan would touch what is not ours; nothing was done.
    StackBusyError
        Somebody else is building or deleting the stack; nothing was done.
    DeployError
        A change failed; it says what is done and what is left. Applying a new plan goes on from there.
    CancelledError
        Between two changes, ``cancelled()`` became true.
    """
    if plan.refusals:
        raise _refused(plan)
    began = clock.monotonic()
    listener(PlanStarted(plan))
    if plan.writes:
        with account.lock(plan.stack) as lock:
            _apply_all(plan, account, lock, clock, listener, cancelled, rollback)
    listener(PlanFinished(plan, clock.monotonic() - began))


def _refused(plan: Plan) -> PlanRefusedError:
    first = plan.refusals[0]
    return PlanRefusedError(
        f"The plan refuses to touch {len(plan.refusals)} resource{'s' if len(plan.refusals) > 1 else ''}",
        resource="; ".join(str(change.resource) for change in plan.refusals),
        why=f"The {first.resource.kind} {first.note}.",
        next_step=first.next_step,
    )


def _apply_all(
    plan: Plan,
    account: Account,
    lock: Lock,
    clock: Clock,
    listener: Listener,
    cancelled: Callable[[], bool],
    rollback: bool,
) -> None:
    for index, change in enumerate(plan.writes):
        begun = plan.writes[:index]
        try:
            if cancelled():
                raise CancelledError(
                    f"Stopped before {change.action} {change.resource}",
                    why=f"{index} of {len(plan.writes)} changes are done.",
                    next_step="Build again to go on, or delete what was made.",
                )
            lock.renew_if_needed()
            begun = plan.writes[: index + 1]
            listener(ChangeStarted(change))
            start = clock.monotonic()
            _apply_change(change, account, plan.stack, lock, listener)
        except PodpacLambdaError as error:
            if not isinstance(error, CancelledError):
                listener(ChangeFailed(change, error))
            taken_back = _take_back(begun, plan.stack, account, lock, listener) if rollback else None
            raise _stopped(plan, index, error, taken_back) from error
        listener(ChangeApplied(change, clock.monotonic() - start))


def _take_back(
    begun: Sequence[Create | Update | Delete], stack: str, account: Account, lock: Lock, listener: Listener
) -> TakenBack:
    """Delete what was created, last made first, and what the failed change may have half made."""
    gone: list[str] = []
    left: list[str] = []
    for change in reversed(begun):
        if not isinstance(change, Create):
            continue
        try:
            found = account.read(change.resource)
            if found is None or found.stack != stack:
                continue
            resource = _counted(change.resource, account, stack)
            for deletion in plan_delete(stack, [replace(found, resource=resource)]).writes:
                _apply_change(deletion, account, stack, lock, listener)
            gone.append(str(change.resource))
        except PodpacLambdaError as error:
            left.append(f"{change.resource} ({error.what})")
    return TakenBack(tuple(gone), tuple(left))


def _counted(resource: Resource, account: Account, stack: str) -> Resource:
    if not isinstance(resource, Bucket):
        return resource
    count = account.count_objects(resource, stack)
    return replace(resource, own_objects=count.own, foreign_objects=count.foreign, own_uploads=count.uploads)


def _apply_change(
    change: Create | Update | Delete, account: Account, stack: str, lock: Lock, listener: Listener
) -> None:
    deletes_objects = isinstance(change, Delete) and isinstance(change.resource, Bucket | BucketContents)

    def progress(done: int, total: int) -> None:
        lock.renew_if_needed()
        listener(ChangeProgressed(change, done, total, "objects" if deletes_objects else "bytes"))

    match change:
        case Create():
            account.create(change.resource, stack, progress)
        case Update():
            account.update(change, stack, progress)
        case Delete():
            account.delete(change.resource, stack, progress)


def _stopped(plan: Plan, index: int, error: PodpacLambdaError, taken_back: TakenBack | None) -> PodpacLambdaError:
    step = error.next_step or "Mend the cause and run it again: it goes on from here."
    if taken_back is not None:
        step = taken_back.next_step(error.next_step)
    if isinstance(error, CancelledError):
        return CancelledError(error.what, why=error.why, next_step=step)
    named = [f"{change.action} {change.resource}" for change in plan.writes]
    # Such as the one object of a bucket that could not be deleted.
    where = f"{error.resource}: " if error.resource and error.resource not in named[index] else ""
    return DeployError(
        f"{plan.purpose.capitalize()} stopped: {error.what}",
        done=named[:index],
        failed=named[index],
        left=named[index + 1 :],
        taken_back=taken_back.gone if taken_back else (),
        why=f"{where}{error.why}",
        next_step=step,
        code=error.code,
        request_id=error.request_id,
    )
