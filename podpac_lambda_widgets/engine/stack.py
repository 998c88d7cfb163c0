"""A stack: one function and what belongs to it, from wish to account and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from podpac_lambda_widgets.clock import Clock, SystemClock
from podpac_lambda_widgets.engine.apply import apply_plan
from podpac_lambda_widgets.engine.archives import ArchiveFinder
from podpac_lambda_widgets.engine.events import Listener, ignore
from podpac_lambda_widgets.engine.logs import follow_logs, read_logs
from podpac_lambda_widgets.engine.observation import (
    read_deployed,
    read_named,
    read_surplus,
    read_wanted,
    read_whole,
    with_quotas,
)
from podpac_lambda_widgets.engine.ports import Account
from podpac_lambda_widgets.engine.preflight import (
    check_confirmation,
    check_expected,
    check_permissions,
    missing_permissions,
)
from podpac_lambda_widgets.engine.results import Result
from podpac_lambda_widgets.engine.runner import run_pipeline
from podpac_lambda_widgets.errors import (
    AccessDeniedError,
    DeployError,
    ResourceNotFoundError,
)
from podpac_lambda_widgets.limits import TIMEOUT_S
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.pipeline import Pipeline
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.plan.account import LogLine
from podpac_lambda_widgets.plan.changes import ROOT_WARNING, Plan
from podpac_lambda_widgets.plan.description import Description
from podpac_lambda_widgets.plan.desired import (
    desired_resources,
    guard_environment,
    named_function,
    named_resources,
)
from podpac_lambda_widgets.plan.difference import plan_build, plan_delete
from podpac_lambda_widgets.plan.names import StackNames, stack_names
from podpac_lambda_widgets.plan.permissions import Purpose, policy_for, wishes_of
from podpac_lambda_widgets.plan.resources import Function, LeftLock
from podpac_lambda_widgets.plan.validation import Validation
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
        identity, names = self.account.identity(), self._names()
        archives = self._archives.find(self.source, self.deployment)
        wanted = desired_resources(self.deployment, archives, identity)
        pairs = read_wanted(self.account, wanted, names.stack, self.deployment.adopt)
        pairs = with_quotas(self.account, pairs, archives.dist.size)
        surplus = read_surplus(self.account, wanted, self.deployment, identity)
        plan = plan_build(names.stack, pairs, self.deployment.adopt, surplus.observed)
        root = (ROOT_WARNING,) if identity.is_root else ()
        return replace(plan, changes=(*plan.changes, *surplus.unreadable), warnings=root)

    def _names(self) -> StackNames:
        return stack_names(self.deployment, self.account.identity())

    def preflight(self, plan: Plan) -> tuple[str, ...] | None:
        """Which permissions a plan needs and this caller lacks, in words; None when AWS does not let us ask."""
        return missing_permissions(self.account, plan, self._names())

    def build(
        self,
        listener: Listener = ignore,
        cancelled: Callable[[], bool] = _never,
        *,
        expected: Plan | None = None,
        rollback: bool = False,
        preflight: bool = True,
    ) -> Plan:
        """Make the account as the wish says, and return the plan that was applied. May be run again and again.

        Parameters
        ----------
        expected : Plan, optional
            The plan that somebody has looked at: nothing else is done.
        rollback : bool
            When it stops on the way, take back what this run has created.
        preflight : bool
            Ask AWS first whether all of it is permitted.

        Raises
        ------
        PlanOutdatedError
            What would be done is not any more what was expected.
        PermissionsMissingError
            Something of it would be refused; nothing was done.
        PodpacLambdaError
            As :func:`~podpac_lambda_widgets.engine.apply.apply_plan` raises.
        """
        plan = self.plan()
        self._apply(plan, listener, cancelled, expected=expected, rollback=rollback, preflight=preflight)
        return plan

    def _apply(
        self,
        plan: Plan,
        listener: Listener,
        cancelled: Callable[[], bool],
        *,
        expected: Plan | None,
        preflight: bool,
        rollback: bool = False,
    ) -> None:
        check_expected(plan, expected)
        if preflight and plan.writes and not plan.refusals:
            check_permissions(self.account, plan, self._names())
        apply_plan(plan, self.account, self._clock, listener, cancelled, rollback=rollback)
        self._deployed = None

    def plan_delete(self) -> Plan:
        """What deleting would take away, found by names and tags alone. Reads only."""
        found, deployed = read_whole(self.account, self.deployment, self.account.identity())
        plan = plan_delete(self._names().stack, found.observed, deployed.adopt)
        return replace(plan, changes=(*plan.changes, *found.unreadable))

    def delete(
        self,
        *,
        confirm: bool | str = False,
        listener: Listener = ignore,
        cancelled: Callable[[], bool] = _never,
        expected: Plan | None = None,
        preflight: bool = True,
    ) -> Plan:
        """Take away everything of this stack and nothing else, and return the plan that was applied.

        Parameters
        ----------
        confirm : bool or str
            True; or, where results would be lost, the function's name.
        expected : Plan, optional
            The plan that somebody has looked at: nothing else is done.
        preflight : bool
            Ask AWS first whether all of it is permitted.

        Raises
        ------
        ConfirmationRequiredError
            Without it; it says what would go.
        """
        plan = self.plan_delete()
        check_confirmation(plan, confirm, self.deployment.function_name)
        self._apply(plan, listener, cancelled, expected=expected, preflight=preflight)
        return plan

    def validate(self, raise_exceptions: bool = False) -> Validation:
        """Whether the account is as the wish says, resource by resource; true when it is. Reads only.

        Raises
        ------
        DeployError
            With ``raise_exceptions=True``, when something is missing or differs; it says what.
        """
        plan = self.plan()
        validation = Validation(plan)
        if validation or not raise_exceptions:
            return validation
        raise DeployError(
            f"The stack {plan.stack} is not as it should be",
            why=str(validation),
            next_step="Build again: it makes what is missing and mends what differs.",
        )

    def describe(self) -> Description:
        """What there is of this stack in the account. Reads only."""
        identity = self.account.identity()
        deployed = read_deployed(self.account, self.deployment, identity)
        names = stack_names(deployed, identity)
        named = tuple(each for each in named_resources(deployed, identity) if not isinstance(each, LeftLock))
        found = read_named(self.account, named, names, self.deployment.adopt)
        return Description(names.stack, identity, named, found.observed, found.unreadable)

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
            result = run_pipeline(
                self.account,
                self.deployment.function_name,
                request,
                timeout=float(deployed.timeout if deployed else TIMEOUT_S[1]),
                clock=self._clock,
                listener=listener,
                cancelled=cancelled,
            )
            return replace(result, read_log=lambda: self.get_logs(request_id=result.request_id))
        except ResourceNotFoundError as error:
            error.next_step = "Build the function first."
            raise

    def policy_for(self, purpose: Purpose) -> dict[str, Any]:
        """The smallest policy with which this stack can be deployed, run or destroyed: to send to an administrator."""
        return policy_for(purpose, self._names(), self.account.identity(), wishes_of(self.deployment))

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
        group = self._names().log_group
        return read_logs(self.account, group, start=start, end=end, request_id=request_id, limit=limit)

    def follow_logs(
        self, *, start: datetime | str | None = None, request_id: str = "", cancelled: Callable[[], bool] = _never
    ) -> Iterator[LogLine]:
        """Lines of the function's log as they come, until ``cancelled()``."""
        group = self._names().log_group
        return follow_logs(
            self.account, group, start=start, request_id=request_id, clock=self._clock, cancelled=cancelled
        )

    def _read_deployed(self) -> tuple[Function | None, bool]:
        """The function as it is deployed, which need not be as it is wished here; and whether it may be read at all."""
        if self._deployed is None:
            try:
                found = self.account.read(named_function(self._names()))
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
