"""What is made sure of before anything is written: the plan is the one that was looked at, agreed to, and permitted."""

from __future__ import annotations

from podpac_lambda_widgets.engine.ports import Account
from podpac_lambda_widgets.errors import ConfirmationRequiredError, PermissionsMissingError, PlanOutdatedError
from podpac_lambda_widgets.plan.actions import grants_for
from podpac_lambda_widgets.plan.calls import calls_of
from podpac_lambda_widgets.plan.changes import Plan
from podpac_lambda_widgets.plan.names import StackNames


def missing_permissions(account: Account, plan: Plan, names: StackNames) -> tuple[str, ...] | None:
    """Which permissions a plan needs and this caller lacks, in words; None when AWS does not let us ask."""
    operations = dict.fromkeys(call.operation for call in calls_of(plan))
    return account.denied(grants_for(operations, names, account.identity()))


def check_permissions(account: Account, plan: Plan, names: StackNames) -> None:
    """Make sure, as far as AWS tells, that a plan is permitted.

    Raises
    ------
    PermissionsMissingError
        With everything that would be refused.
    """
    missing = missing_permissions(account, plan, names)
    if not missing:
        return
    purpose = "deploy" if plan.purpose == "build" else "destroy"
    raise PermissionsMissingError(
        f"{len(missing)} permission{'s are' if len(missing) > 1 else ' is'} missing; nothing was done",
        missing=missing,
        resource=plan.stack,
        why="; ".join(missing),
        next_step=f"Send policy_for({purpose!r}) to an administrator; preflight=False tries all the same.",
    )


def check_expected(plan: Plan, expected: Plan | None) -> None:
    """Make sure that a plan does what somebody has looked at.

    Raises
    ------
    PlanOutdatedError
        It would do something else by now.
    """
    if expected is not None and (plan.writes, plan.refusals) != (expected.writes, expected.refusals):
        raise PlanOutdatedError(
            "Nothing was done: something has changed since the plan",
            resource=plan.stack,
            why=f"By now it would be: {plan.summary}.",
            next_step="Look at a new plan.",
        )


def check_confirmation(plan: Plan, confirm: bool | str, name: str) -> None:
    """Make sure that somebody agreed to what a plan takes away: by ``name`` where results would be lost.

    Raises
    ------
    ConfirmationRequiredError
        With everything that would go.
    """
    going = ", ".join(str(change.resource) for change in plan.writes)
    if plan.results and confirm != name:
        raise ConfirmationRequiredError(
            f"Deleting {plan.stack} takes away {plan.results:,} result{'s' if plan.results > 1 else ''}",
            resource=going,
            why="They are nowhere else.",
            next_step=f"Say confirm={name!r} to go on.",
        )
    if plan.writes and confirm not in (True, name):
        raise ConfirmationRequiredError(
            f"Deleting {plan.stack} takes away {len(plan.writes)} resources",
            resource=going,
            next_step="Say confirm=True to go on.",
        )
