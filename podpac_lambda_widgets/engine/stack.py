"""A stack: one function and what belongs to it, from wish to account and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from podpac_lambda_widgets.clock import Clock
from podpac_lambda_widgets.engine.apply import apply_plan, check_same
from podpac_lambda_widgets.engine.archives import ArchiveFinder
from podpac_lambda_widgets.engine.events import Listener, ignore
from podpac_lambda_widgets.engine.invoking import Invoking, never
from podpac_lambda_widgets.engine.observation import (
    read_deployed,
    read_old_archives,
    read_surplus,
    read_wanted,
    read_whole,
    with_quotas,
)
from podpac_lambda_widgets.engine.ports import Account
from podpac_lambda_widgets.engine.preflight import (
    check_complete,
    check_confirmation,
    check_permissions,
    missing_permissions,
)
from podpac_lambda_widgets.errors import (
    DeployError,
    PlanOutdatedError,
)
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.plan.changes import ROOT_WARNING, Plan
from podpac_lambda_widgets.plan.description import Description
from podpac_lambda_widgets.plan.desired import (
    desired_resources,
)
from podpac_lambda_widgets.plan.difference import plan_build, plan_delete
from podpac_lambda_widgets.plan.names import StackNames, stack_names
from podpac_lambda_widgets.plan.permissions import Purpose, grants_to, policy_for, wishes_of
from podpac_lambda_widgets.plan.validation import Validation

#: How often a plan is made again because another builder changed something before it could be applied.
_ATTEMPTS = 3


def _unsearched_warning(actions: Sequence[str]) -> tuple[str, ...]:
    if not actions:
        return ()
    missing = " and ".join(actions)
    return (f"What belongs to the stack under other names could not be looked for ({missing} is not permitted)",)


class Stack(Invoking):
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
        super().__init__(account, deployment, clock)
        self.source = source
        self._archives = ArchiveFinder(account)

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
        old = read_old_archives(self.account, pairs, names.stack, self.deployment.adopt)
        plan = plan_build(names.stack, pairs, self.deployment.adopt, (*surplus.observed, *old))
        root = (ROOT_WARNING,) if identity.is_root else ()
        return replace(plan, changes=(*plan.changes, *surplus.unreadable), warnings=root)

    def preflight(self, plan: Plan) -> tuple[str, ...] | None:
        """Which permissions a plan needs and this caller lacks, in words; None when AWS does not let us ask."""
        return missing_permissions(self.account, plan, *self._both_names())

    def build(
        self,
        listener: Listener = ignore,
        cancelled: Callable[[], bool] = never,
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
        for attempt in count():
            plan = self.plan()
            try:
                self._apply(plan, self.plan, listener, cancelled, expected, preflight, rollback=rollback)
            except PlanOutdatedError:
                # Another builder was at work between the plan and the lock: go by what there is now.
                if expected is not None or attempt == _ATTEMPTS:
                    raise
            else:
                return plan
        raise AssertionError("unreachable")

    def _apply(
        self,
        plan: Plan,
        replan: Callable[[], Plan],
        listener: Listener,
        cancelled: Callable[[], bool],
        expected: Plan | None,
        preflight: bool,
        *,
        rollback: bool = False,
        results_may_go: bool = False,
    ) -> None:
        if expected is not None:
            check_same(plan, expected)
        if preflight and plan.writes and not plan.refusals:
            check_permissions(self.account, plan, *self._both_names())
        apply_plan(
            plan,
            self.account,
            self._clock,
            listener,
            cancelled,
            rollback=rollback,
            replan=replan,
            results_may_go=results_may_go,
        )
        self._forget_deployed()

    def _both_names(self) -> tuple[StackNames, StackNames]:
        """The wish's names, and those that the function really has."""
        identity = self.account.identity()
        return self._names(), stack_names(read_deployed(self.account, self.deployment, identity).wish, identity)

    def plan_delete(self) -> Plan:
        """What deleting would take away, found by names and tags alone. Reads only."""
        found, deployed = read_whole(self.account, self.deployment, self.account.identity())
        plan = plan_delete(self._names().stack, found.observed, deployed.adopt, found.unreadable)
        return replace(plan, warnings=_unsearched_warning(found.unsearched))

    def delete(
        self,
        *,
        confirm: bool | str = False,
        listener: Listener = ignore,
        cancelled: Callable[[], bool] = never,
        expected: Plan | None = None,
        preflight: bool = True,
    ) -> Plan:
        """Take away everything of this stack and nothing else, and return the plan that was applied.

        Parameters
        ----------
        confirm : bool or str
            True; or, where results would be lost or others' objects would be left over, the function's name.
        expected : Plan, optional
            The plan that somebody has looked at: nothing else is done.
        preflight : bool
            Ask AWS first whether all of it is permitted.

        Raises
        ------
        ConfirmationRequiredError
            Without it; it says what would go.
        DeployError
            Something may not be looked at, and may be left; the function stays, which tells its name.
        """
        plan = self.plan_delete()
        name = self.deployment.function_name
        check_confirmation(plan, confirm, name)
        self._apply(plan, self.plan_delete, listener, cancelled, expected, preflight, results_may_go=confirm == name)
        check_complete(plan)
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
        found, deployed = read_whole(self.account, self.deployment, identity)
        return Description(
            self._names().stack, identity, found.named, found.observed, found.unreadable, tuple(deployed.adopt)
        )

    def policy_for(self, purpose: Purpose) -> dict[str, Any]:
        """The smallest policy with which this stack can be deployed, run or destroyed: to send to an administrator."""
        wished, deployed = self._both_names()
        names = wished if purpose == "deploy" else deployed
        return policy_for(purpose, names, self.account.identity(), wishes_of(self.deployment), self._archive_arns())

    def missing_for(self, purpose: Purpose) -> tuple[str, ...] | None:
        """Which permissions of :meth:`policy_for` this caller lacks, in words; None when AWS does not let us ask."""
        wished, deployed = self._both_names()
        names = wished if purpose == "deploy" else deployed
        identity, wishes = self.account.identity(), wishes_of(self.deployment)
        return self.account.denied(grants_to(purpose, names, identity, wishes, self._archive_arns()))

    def _archive_arns(self) -> tuple[str, ...]:
        source, partition = self.source, self.account.identity().partition
        if source is None or not source.is_bucket:
            return ()
        keys = (source.function_source_dist_key, source.function_source_dependencies_key)
        return tuple(f"arn:{partition}:s3:::{source.function_source_bucket}/{key}" for key in keys if key)
