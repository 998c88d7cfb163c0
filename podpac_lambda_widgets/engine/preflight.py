"""What is made sure of before anything is written: that the plan was agreed to, and is permitted."""

from __future__ import annotations

from dataclasses import replace

from podpac_lambda_widgets.engine.ports import Account
from podpac_lambda_widgets.errors import ConfirmationRequiredError, DeployError, PermissionsMissingError
from podpac_lambda_widgets.plan.actions import Grant, grants_for
from podpac_lambda_widgets.plan.calls import calls_of
from podpac_lambda_widgets.plan.changes import Delete, Keep, Plan
from podpac_lambda_widgets.plan.names import StackNames


def missing_permissions(
    account: Account, plan: Plan, wished: StackNames, deployed: StackNames
) -> tuple[str, ...] | None:
    """Which permissions a plan needs and this caller lacks, in words; None when AWS does not let us ask.

    What is made or changed has the wish's names; what goes, those that the function really has.
    """
    goes = tuple(change for change in plan.changes if isinstance(change, Delete))
    made = tuple(change for change in plan.changes if not isinstance(change, Delete))
    identity = account.identity()
    grants: list[Grant] = []
    for changes, names in ((made, wished), (goes, deployed)):
        operations = dict.fromkeys(call.operation for call in calls_of(replace(plan, changes=changes)))
        grants += grants_for(operations, names, identity)
    return account.denied(grants)


def check_permissions(account: Account, plan: Plan, wished: StackNames, deployed: StackNames) -> None:
    """Make sure, as far as AWS tells, that a plan is permitted.

    Raises
    ------
    PermissionsMissingError
        With everything that would be refused.
    """
    missing = missing_permissions(account, plan, wished, deployed)
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


def check_confirmation(plan: Plan, confirm: bool | str, name: str) -> None:
    """Make sure that somebody agreed to what a plan takes away: by ``name`` where :attr:`Plan.asks_for_name` says so.

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
    if plan.asks_for_name and confirm != name:
        count = plan.others_objects
        raise ConfirmationRequiredError(
            f"Deleting {plan.stack} leaves its bucket, for {count:,} object{'s' if count > 1 else ''} in it "
            f"{'are' if count > 1 else 'is'} not ours",
            resource=going,
            why="Somebody else has stored there since it was built: what is theirs stays, and the bucket around it.",
            next_step=f"Move it away to have the bucket deleted too, or say confirm={name!r} to delete the rest.",
        )
    if plan.writes and confirm not in (True, name):
        raise ConfirmationRequiredError(
            f"Deleting {plan.stack} takes away {len(plan.writes)} resources",
            resource=going,
            next_step="Say confirm=True to go on.",
        )


def check_complete(plan: Plan) -> None:
    """Make sure that a plan to delete could look at everything.

    Raises
    ------
    DeployError
        With what could not be looked at, and so may be left.
    """
    unseen = [change for change in plan.changes if isinstance(change, Keep) and change.is_unseen]
    if unseen:
        raise DeployError(
            "Not everything of the stack could be deleted",
            failed=", ".join(str(change.resource) for change in unseen),
            done=[f"{change.action} {change.resource}" for change in plan.writes],
            why="; ".join(f"{change.resource} {change.note}" for change in unseen),
            next_step="Have it deleted by somebody with policy_for('destroy'): the function is kept until then.",
            code=unseen[0].code,
            request_id=unseen[0].request_id,
        )
