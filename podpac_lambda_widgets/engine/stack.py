"""A stack: one function and what belongs to it, from wish to account and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from podpac_lambda_widgets.clock import Clock, SystemClock
from podpac_lambda_widgets.engine.apply import apply_plan
from podpac_lambda_widgets.engine.archives import ArchiveFinder
from podpac_lambda_widgets.engine.events import Listener, ignore
from podpac_lambda_widgets.engine.logs import follow_logs, read_logs
from podpac_lambda_widgets.engine.ports import Account
from podpac_lambda_widgets.engine.results import Result
from podpac_lambda_widgets.engine.runner import run_pipeline
from podpac_lambda_widgets.errors import (
    AccessDeniedError,
    ConfirmationRequiredError,
    DeployError,
    ResourceNotFoundError,
)
from podpac_lambda_widgets.limits import TIMEOUT_S
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.pipeline import Pipeline
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.plan.account import LogLine
from podpac_lambda_widgets.plan.changes import Keep, Plan
from podpac_lambda_widgets.plan.description import Description
from podpac_lambda_widgets.plan.desired import desired_resources, guard_environment, named_resources, stack_names
from podpac_lambda_widgets.plan.difference import plan_build, plan_delete
from podpac_lambda_widgets.plan.permissions import Purpose, policy_for
from podpac_lambda_widgets.plan.resources import (
    Bucket,
    Function,
    Observed,
    Resource,
    Role,
    StoredObject,
)
from podpac_lambda_widgets.remote import guard
from podpac_lambda_widgets.remote.wire import Request


def _never() -> bool:
    return False


class Stack:
    """Plans, builds, runs and deletes one deployment in one account.

    Parameters
    ----------
    account : Account
        Such as ``AwsAccount(session)``.
    deployment : Deployment
        The wish. It may be changed between calls; the next plan follows.
    source : Source, optional
        Where the archives are; needed to plan and build, not to run or delete.
    clock : Clock, optional
        Time, for tests.
    """

    def __init__(
        self, account: Account, deployment: Deployment, source: Source | None = None, clock: Clock | None = None
    ) -> None:
        self.account = account
        self.deployment = deployment
        self.source = source
        self._clock: Clock = clock or SystemClock()
        self._archives = ArchiveFinder(account)
        self._deployed: Function | None = None

    def __repr__(self) -> str:
        return f"Stack({self.deployment.function_name!r})"

    def plan(self) -> Plan:
        """Compare the wish with the account. Reads only.

        Raises
        ------
        PodpacLambdaError
            The archives cannot be used, or the account cannot be read.
        """
        identity = self.account.identity()
        stack = stack_names(self.deployment, identity).stack
        wanted = desired_resources(self.deployment, self._archives.find(self.source, self.deployment), identity)
        pairs = self._read_all(wanted, stack)
        return plan_build(stack, pairs, self.deployment.adopt)

    def _read_all(self, wanted: Sequence[Resource], stack: str) -> list[tuple[Resource, Observed | None]]:
        pairs: list[tuple[Resource, Observed | None]] = []
        ours = True
        for resource in wanted:
            # There is no looking into a bucket that is missing or a stranger's.
            found = self.account.read(resource) if ours or not isinstance(resource, StoredObject) else None
            if isinstance(resource, Bucket):
                ours = found is not None and (found.stack == stack or self._is_adopted(found))
            pairs.append((resource, found))
        return _with_adopted_role(pairs, stack)

    def _is_adopted(self, found: Observed) -> bool:
        return found.stack is None and found.resource.name in self.deployment.adopt

    def build(self, listener: Listener = ignore, cancelled: Callable[[], bool] = _never) -> Plan:
        """Make the account as the wish says, and return the plan that was applied. May be run again and again."""
        plan = self.plan()
        apply_plan(plan, self.account, self._clock, listener, cancelled)
        self._deployed = None
        return plan

    def plan_delete(self) -> Plan:
        """What deleting would take away, found by names and tags alone. Reads only."""
        stack = stack_names(self.deployment, self.account.identity()).stack
        found: list[Observed] = []
        unreadable: list[Keep] = []
        for named in named_resources(self.deployment, self.account.identity()):
            try:
                observed = self.account.read(named)
                if observed is not None:
                    found.append(self._counted(observed, stack))
            except AccessDeniedError as error:
                # What cannot be read is no reason to leave the rest.
                unreadable.append(Keep(named, f"could not be looked at ({error.action or error.what})"))
        plan = plan_delete(stack, found, self.deployment.adopt)
        return replace(plan, changes=(*plan.changes, *unreadable))

    def delete(
        self, *, confirm: bool = False, listener: Listener = ignore, cancelled: Callable[[], bool] = _never
    ) -> Plan:
        """Take away everything of this stack and nothing else, and return the plan that was applied.

        Raises
        ------
        ConfirmationRequiredError
            Without ``confirm=True``; it says what would go.
        """
        plan = self.plan_delete()
        if plan.writes and not confirm:
            raise ConfirmationRequiredError(
                f"Deleting {plan.stack} takes away {len(plan.writes)} resources",
                resource=", ".join(str(change.resource) for change in plan.writes),
                next_step="Say confirm=True to go on.",
            )
        apply_plan(plan, self.account, self._clock, listener, cancelled)
        self._deployed = None
        return plan

    def validate(self, raise_exceptions: bool = False) -> bool:
        """Whether the account is as the wish says. Reads only.

        Raises
        ------
        DeployError
            With ``raise_exceptions=True``, when something is missing or differs; it says what.
        """
        plan = self.plan()
        if plan.is_empty or not raise_exceptions:
            return plan.is_empty
        raise DeployError(
            f"The stack {plan.stack} is not as it should be",
            why=str(plan),
            next_step="Build again: it makes what is missing and mends what differs.",
        )

    def describe(self) -> Description:
        """What there is of this stack in the account. Reads only."""
        identity = self.account.identity()
        stack = stack_names(self.deployment, identity).stack
        named = named_resources(self.deployment, identity)
        return Description(stack, identity, tuple((each, self.account.read(each)) for each in named))

    def run(
        self,
        pipeline: Pipeline,
        coordinates: CoordinatesDefinition,
        listener: Listener = ignore,
        cancelled: Callable[[], bool] = _never,
    ) -> Result:
        """Evaluate a pipeline at coordinates in the function.

        The function checks the same things again; checking here first saves the call.
        """
        request = Request(pipeline=pipeline.definition, coordinates=coordinates.definition)
        deployed, readable = self._read_deployed()
        guard.check(request, self._policy(deployed))
        try:
            if deployed is None and readable:
                raise ResourceNotFoundError("There is no such function", resource=self.deployment.function_name)
            return run_pipeline(
                self.account,
                self.deployment.function_name,
                request,
                timeout=float(deployed.timeout if deployed else TIMEOUT_S[1]),
                clock=self._clock,
                listener=listener,
                cancelled=cancelled,
            )
        except ResourceNotFoundError as error:
            error.next_step = "Build the function first."
            raise

    def policy_for(self, purpose: Purpose) -> dict[str, Any]:
        """The smallest policy with which this stack can be deployed, run or destroyed: to send to an administrator."""
        identity = self.account.identity()
        return policy_for(purpose, stack_names(self.deployment, identity), identity)

    def get_logs(
        self,
        *,
        start: datetime | str | None = None,
        end: datetime | str | None = None,
        request_id: str = "",
        limit: int = 1000,
    ) -> tuple[LogLine, ...]:
        """The last lines of the function's log, oldest first.

        Parameters
        ----------
        start, end : datetime or str, optional
            Without a time zone they are taken to be UTC; ``end`` is not included.
        request_id : str, optional
            Only the lines of one run (``result.request_id``).
        limit : int
            How many lines at the most.
        """
        group = stack_names(self.deployment, self.account.identity()).log_group
        return read_logs(self.account, group, start=start, end=end, request_id=request_id, limit=limit)

    def follow_logs(
        self, *, start: datetime | str | None = None, request_id: str = "", cancelled: Callable[[], bool] = _never
    ) -> Iterator[LogLine]:
        """Lines of the function's log as they come, until ``cancelled()``."""
        group = stack_names(self.deployment, self.account.identity()).log_group
        return follow_logs(
            self.account, group, start=start, request_id=request_id, clock=self._clock, cancelled=cancelled
        )

    def _read_deployed(self) -> tuple[Function | None, bool]:
        """The function as it is deployed, which need not be as it is wished here; and whether it may be read at all."""
        if self._deployed is None:
            try:
                found = self.account.read(named_resources(self.deployment, self.account.identity())[0])
            except AccessDeniedError:
                return None, False
            if found is not None and isinstance(found.resource, Function):
                self._deployed = found.resource
        return self._deployed, True

    def _policy(self, deployed: Function | None) -> guard.Policy:
        """What the function's guard allows: by its own environment where that is known, else by the wish."""
        environment = deployed.environment if deployed else guard_environment(self.deployment)
        memory = deployed.memory if deployed else self.deployment.function_memory
        return guard.Policy.from_environment({**environment, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory)})

    def _counted(self, observed: Observed, stack: str) -> Observed:
        if not isinstance(observed.resource, Bucket):
            return observed
        names = stack_names(self.deployment, self.account.identity())
        bucket = replace(
            observed.resource,
            own_prefixes=names.own_prefixes,
            own_keys=names.own_keys,
            adopted=self._is_adopted(observed),
        )
        if observed.stack == stack or bucket.adopted:
            own, foreign = self.account.count_objects(bucket, stack)
            bucket = replace(bucket, own_objects=own, foreign_objects=foreign)
        return replace(observed, resource=bucket)


def _with_adopted_role(
    pairs: list[tuple[Resource, Observed | None]], stack: str
) -> list[tuple[Resource, Observed | None]]:
    """The function's role by the ARN it really has: one that was made in the console may have a path."""
    arns = [
        found.resource.arn
        for _, found in pairs
        if found is not None and isinstance(found.resource, Role) and found.resource.arn and found.stack != stack
    ]
    return [
        (replace(resource, role=arns[0]) if arns and isinstance(resource, Function) else resource, found)
        for resource, found in pairs
    ]
