"""Applies a plan: one change after the other, told by events, stopped at the first failure."""

from __future__ import annotations

from collections.abc import Callable
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
from podpac_lambda_widgets.errors import (
    CancelledError,
    ConfirmationRequiredError,
    DeployError,
    PlanOutdatedError,
    PlanRefusedError,
    PodpacLambdaError,
)
from podpac_lambda_widgets.plan.changes import Create, Delete, Plan, Update
from podpac_lambda_widgets.plan.difference import plan_delete
from podpac_lambda_widgets.plan.resources import Bucket, BucketContents, LeftLock, Resource


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
    replan: Callable[[], Plan] | None = None,
    results_may_go: bool = False,
) -> None:
    """Apply every change that writes, in order, while nobody else builds or deletes the stack.

    Parameters
    ----------
    rollback : bool
        When it stops, take back what this run has created; what it has changed stays changed.
    replan : callable, optional
        Makes the plan anew once nobody else can build any more, to see that it is still the same.
    results_may_go : bool
        Whether somebody has agreed to lose results, more than the plan counts too.

    Raises
    ------
    PlanRefusedError
        The plan would touch what is not ours; nothing was done.
    PlanOutdatedError
        Something has changed since the plan; nothing was done.
    StackBusyError
        Somebody else is building or deleting the stack; nothing was done.
    DeployError
        A change failed; it says what is done and what is left. Applying a new plan goes on from there.
    CancelledError
        Between two changes, ``cancelled()`` became true.
    """
    if plan.refusals:
        raise _refused(plan)
    if plan.writes:
        with account.lock(plan.stack) as lock:
            if replan is not None:
                check_same(replan(), plan)
            run = _Run(plan, account, lock, clock, listener, cancelled, rollback, results_may_go)
            run.apply()
    else:
        listener(PlanStarted(plan))
        listener(PlanFinished(plan, 0.0))


def check_same(now: Plan, expected: Plan) -> None:
    """Make sure that a plan does what another does.

    Raises
    ------
    PlanOutdatedError
        It would do something else, or lose other results.
    """
    if (_deeds(now), now.refusals, now.results) == (_deeds(expected), expected.refusals, expected.results):
        return
    raise PlanOutdatedError(
        "Nothing was done: something has changed since the plan",
        resource=now.stack,
        why=f"By now it would be: {now.summary}.",
        next_step="Look at a new plan.",
    )


def _refused(plan: Plan) -> PlanRefusedError:
    first = plan.refusals[0]
    return PlanRefusedError(
        f"The plan refuses to touch {len(plan.refusals)} resource{'s' if len(plan.refusals) > 1 else ''}",
        resource="; ".join(str(change.resource) for change in plan.refusals),
        why=f"The {first.resource.kind} {first.note}.",
        next_step=first.next_step,
    )


def _deeds(plan: Plan) -> list[object]:
    # Whoever holds the stack sees a lock: his own. What is taken away goes in whatever state it is by then.
    deeds = [change for change in plan.writes if not isinstance(change.resource, LeftLock)]
    return [(change.resource.kind, change.resource.name) if isinstance(change, Delete) else change for change in deeds]


@dataclass(frozen=True)
class _Run:
    """One plan on its way into an account; see :func:`apply_plan`."""

    plan: Plan
    account: Account
    lock: Lock
    clock: Clock
    listener: Listener
    cancelled: Callable[[], bool]
    rollback: bool
    results_may_go: bool

    def apply(self) -> None:
        began = self.clock.monotonic()
        self.listener(PlanStarted(self.plan))
        for index in range(len(self.plan.writes)):
            self._apply_at(index)
        self.listener(PlanFinished(self.plan, self.clock.monotonic() - began))

    def _apply_at(self, index: int) -> None:
        change = self.plan.writes[index]
        start = self.clock.monotonic()
        try:
            self._check_cancelled(index)
            self.lock.renew_if_needed()
            self.listener(ChangeStarted(change))
            self._apply_change(change)
        except PodpacLambdaError as error:
            if not isinstance(error, CancelledError):
                self.listener(ChangeFailed(change, error))
            taken_back = self._take_back(index) if self.rollback else None
            raise _stopped(self.plan, index, error, taken_back) from error
        except BaseException:
            # Somebody pressed Ctrl-C, or a listener failed.
            if self.rollback:
                self._take_back(index)
            raise
        self.listener(ChangeApplied(change, self.clock.monotonic() - start))

    def _check_cancelled(self, index: int) -> None:
        if self.cancelled():
            change = self.plan.writes[index]
            raise CancelledError(
                f"Stopped before {change.action} {change.resource}",
                why=f"{index} of {len(self.plan.writes)} changes are done.",
                next_step="Build again to go on, or delete what was made.",
            )

    def _apply_change(self, change: Create | Update | Delete) -> None:
        deletes_objects = isinstance(change, Delete) and isinstance(change.resource, Bucket | BucketContents)

        def progress(done: int, total: int) -> None:
            self.lock.renew_if_needed()
            self.listener(ChangeProgressed(change, done, total, "objects" if deletes_objects else "bytes"))

        match change:
            case Create():
                self.account.create(change.resource, self.plan.stack, progress)
            case Update():
                self.account.update(change, self.plan.stack, progress)
            case Delete():
                self._check_results(change.resource)
                self.account.delete(change.resource, self.plan.stack, progress)

    def _check_results(self, resource: Resource) -> None:
        """Results may have come since the plan was looked at: the function runs until it goes itself."""
        if not isinstance(resource, Bucket | BucketContents) or self.results_may_go:
            return
        results = self.account.count_objects(resource, self.plan.stack).results
        if results > resource.results:
            raise ConfirmationRequiredError(
                f"{results - resource.results:,} results have come in the meantime",
                resource=str(resource),
                why="They are nowhere else.",
                next_step="Delete again: it asks for the function's name.",
            )

    def _take_back(self, index: int) -> TakenBack:
        """Delete what was created, last made first, and what the failed change may have half made."""
        gone: list[str] = []
        left: list[str] = []
        for change in reversed(self.plan.writes[: index + 1]):
            if not isinstance(change, Create):
                continue
            try:
                if self._uncreate(change.resource):
                    gone.append(str(change.resource))
            except PodpacLambdaError as error:
                left.append(f"{change.resource} ({error.what})")
        return TakenBack(tuple(gone), tuple(left))

    def _uncreate(self, resource: Resource) -> bool:
        found = self.account.read(resource)
        if found is None or found.stack != self.plan.stack:
            return False
        if isinstance(resource, Bucket):
            count = self.account.count_objects(resource, self.plan.stack)
            resource = replace(
                resource, own_objects=count.own, foreign_objects=count.foreign, own_uploads=count.uploads
            )
        for deletion in plan_delete(self.plan.stack, [replace(found, resource=resource)]).writes:
            self._apply_change(deletion)
        return True


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
