"""Budgets: read, create, update, delete. A budget is the account's, not a region's.

A budget may have notifications and subscribers that other people have added: they stay. Ours is the notification of
actual costs above a percentage that has the wanted threshold, else the only one that writes to nobody but the wanted
address.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError

from podpac_lambda_widgets.aws import tags
from podpac_lambda_widgets.aws.error_codes import error_code
from podpac_lambda_widgets.aws.translate import asking
from podpac_lambda_widgets.errors import ResourceNotFoundError
from podpac_lambda_widgets.plan.changes import Update
from podpac_lambda_widgets.plan.resources import Budget, Observed

#: What AWS computes itself, and what would make the limit another than the one that is given.
_NOT_OURS_TO_SEND = ("CalculatedSpend", "LastUpdatedTime", "HealthStatus", "PlannedBudgetLimits", "AutoAdjustData")
#: A cost allocation tag that users put on resources, as budgets name it (User Guide, "Filtering budgets").
_USER_TAG = "user:"
_PERCENTAGE = {"ThresholdType": "PERCENTAGE"}


@dataclass(frozen=True)
class _Notice:
    """A notification of actual costs above a percentage, with the addresses that it writes to."""

    threshold: float
    addresses: tuple[str, ...]
    others: int


def read_budget(budgets: Any, wanted: Budget, account: str, partition: str) -> Observed | None:
    """The budget as AWS has it.

    ``amount`` is 0 when the budget has no fixed monthly limit of costs; ``threshold`` is 0 and ``email`` empty when no
    notification is ours, and ``email`` alone when ours writes to several, none of them the wanted one.
    """
    who = {"AccountId": account, "BudgetName": wanted.name}
    try:
        with asking("Reading the budget", wanted.name):
            found = budgets.describe_budget(**who, ShowFilterExpression=True)["Budget"]
            arn = _arn(wanted.name, account, partition)
            found_tags = tags.from_list(budgets.list_tags_for_resource(ResourceARN=arn).get("ResourceTags", []))
            threshold, email = _own_notice(_read_notices(budgets, who), wanted)
    except ResourceNotFoundError:
        return None
    amount, currency = _monthly_limit(found)
    budget = Budget(
        name=wanted.name,
        amount=amount,
        currency=currency,
        email=email,
        threshold=threshold,
        cost_filter=_cost_filter(found),
        tags=tags.wanted_part(found_tags, wanted.tags),
    )
    return Observed(budget, tags.stack_of(found_tags))


def _arn(name: str, account: str, partition: str) -> str:
    return f"arn:{partition}:budgets::{account}:budget/{name}"


def _monthly_limit(found: Mapping[str, Any]) -> tuple[float, str]:
    limit = found.get("BudgetLimit", {})
    planned = found.get("PlannedBudgetLimits") or found.get("AutoAdjustData")
    if planned or (found.get("BudgetType"), found.get("TimeUnit")) != ("COST", "MONTHLY"):
        return 0.0, str(limit.get("Unit", ""))
    return float(limit.get("Amount", 0)), str(limit.get("Unit", ""))


def _cost_filter(found: Mapping[str, Any]) -> str:
    """The one tag that is counted, as ``key$value``; anything else in AWS's own form."""
    filters, expression = found.get("CostFilters") or {}, found.get("FilterExpression") or {}
    if list(filters) == ["TagKeyValue"] and len(filters["TagKeyValue"]) == 1:
        return str(filters["TagKeyValue"][0])
    if not filters and _names_one_tag(expression):
        tag = expression["Tags"]
        return f"{_USER_TAG}{tag['Key'].removeprefix(_USER_TAG)}${tag['Values'][0]}"
    return json.dumps(filters or expression, sort_keys=True) if filters or expression else ""


def _names_one_tag(expression: Mapping[str, Any]) -> bool:
    tag = expression.get("Tags", {})
    exact = set(tag.get("MatchOptions") or ["EQUALS"]) <= {"EQUALS", "CASE_SENSITIVE"}
    return list(expression) == ["Tags"] and "Key" in tag and len(tag.get("Values", [])) == 1 and exact


def _read_notices(budgets: Any, who: Mapping[str, str]) -> list[_Notice]:
    found = _all(budgets, "describe_notifications_for_budget", "Notifications", who)
    # AWS leaves out the type of a threshold that is a percentage.
    ours = [each for each in found if _notification(each["Threshold"]).items() <= {**_PERCENTAGE, **each}.items()]
    return [_read_notice(budgets, who, each) for each in ours]


def _notification(threshold: float) -> dict[str, Any]:
    return {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": threshold, **_PERCENTAGE}


def _read_notice(budgets: Any, who: Mapping[str, str], notification: Mapping[str, Any]) -> _Notice:
    threshold = float(notification["Threshold"])
    asked = {**who, "Notification": _notification(threshold)}
    found = _all(budgets, "describe_subscribers_for_notification", "Subscribers", asked)
    addresses = tuple(each["Address"] for each in found if each["SubscriptionType"] == "EMAIL")
    return _Notice(threshold, addresses, len(found) - len(addresses))


def _all(budgets: Any, operation: str, member: str, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    try:
        return [each for page in budgets.get_paginator(operation).paginate(**asked) for each in page.get(member, [])]
    except ClientError as error:
        # Budgets has this code for an empty list too.
        if error_code(error) != "NotFoundException":
            raise
        return []


def _own_notice(notices: list[_Notice], wanted: Budget) -> tuple[float, str]:
    """Threshold and address of our notification; see :func:`read_budget` for those that are missing."""
    at_threshold = next((notice for notice in notices if notice.threshold == wanted.threshold), None)
    if at_threshold is not None:
        if _writes_to(at_threshold, wanted.email):
            return wanted.threshold, wanted.email
        # A single address is the one that we were told before; of several nobody can say which that was.
        single = at_threshold.addresses if len(at_threshold.addresses) == 1 else ("",)
        return wanted.threshold, single[0]
    moved = [each for each in notices if _writes_to(each, wanted.email) and len(each.addresses) + each.others == 1]
    return (moved[0].threshold, wanted.email) if len(moved) == 1 else (0.0, "")


def _writes_to(notice: _Notice, email: str) -> bool:
    return email.casefold() in (address.casefold() for address in notice.addresses)


def create_budget(budgets: Any, budget: Budget, account: str) -> None:
    """Make the budget with its notification and its tags in one call.

    Raises
    ------
    ResourceExistsError
        The account has a budget of that name already.
    """
    notice = {"Notification": _notification(budget.threshold), "Subscribers": [_subscriber(budget.email)]}
    with asking("Creating the budget", budget.name):
        budgets.create_budget(
            AccountId=account,
            Budget={**_definition(budget), **_counted(budget)},
            NotificationsWithSubscribers=[notice],
            ResourceTags=tags.to_list(budget.tags),
        )


def _definition(budget: Budget) -> dict[str, Any]:
    return {
        "BudgetName": budget.name,
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        # Amounts are decimal texts without an exponent (API reference, Spend).
        "BudgetLimit": {"Amount": f"{Decimal(repr(budget.amount)):f}", "Unit": budget.currency},
    }


def _counted(budget: Budget) -> dict[str, Any]:
    return {"CostFilters": {"TagKeyValue": [budget.cost_filter]}}


def _subscriber(address: str) -> dict[str, str]:
    return {"SubscriptionType": "EMAIL", "Address": address}


def update_budget(budgets: Any, change: Update, budget: Budget, account: str, partition: str) -> None:
    """Bring the differing fields of the budget to what is wanted; what others have set on it stays."""
    old = {difference.field: difference.old for difference in change.differences}
    who = {"AccountId": account, "BudgetName": budget.name}
    with asking("Updating the budget", budget.name):
        if old.keys() & {"amount", "currency", "cost_filter"}:
            found = budgets.describe_budget(**who, ShowFilterExpression=True)["Budget"]
            new = _redefined(found, budget, counted="cost_filter" in old)
            budgets.update_budget(AccountId=account, NewBudget=new)
        _update_notice(budgets, who, budget, old)
        if "tags" in old:
            arn = _arn(budget.name, account, partition)
            budgets.tag_resource(ResourceARN=arn, ResourceTags=tags.to_list(budget.tags))


def _redefined(found: Mapping[str, Any], budget: Budget, *, counted: bool) -> dict[str, Any]:
    """The whole definition, which UpdateBudget replaces; AWS takes costs in the old form or the new, not in both."""
    kept = {key: value for key, value in found.items() if key not in _NOT_OURS_TO_SEND}
    old_form = counted or kept.get("CostFilters") or not kept.get("FilterExpression")
    for key in ("FilterExpression", "Metrics") if old_form else ("CostFilters", "CostTypes"):
        kept.pop(key, None)
    return {**kept, **_definition(budget), **(_counted(budget) if counted else {})}


def _update_notice(budgets: Any, who: Mapping[str, str], budget: Budget, old: Mapping[str, Any]) -> None:
    notification, subscriber = _notification(budget.threshold), _subscriber(budget.email)
    if old.get("threshold"):
        # Its only subscriber is the wanted one already: see _own_notice.
        before = _notification(old["threshold"])
        budgets.update_notification(**who, OldNotification=before, NewNotification=notification)
    elif "threshold" in old:
        _unless_there(budgets.create_notification, **who, Notification=notification, Subscribers=[subscriber])
    elif old.get("email"):
        before = _subscriber(old["email"])
        budgets.update_subscriber(**who, Notification=notification, OldSubscriber=before, NewSubscriber=subscriber)
    elif "email" in old:
        _unless_there(budgets.create_subscriber, **who, Notification=notification, Subscriber=subscriber)


def _unless_there(call: Callable[..., object], **arguments: Any) -> None:
    """Add what a repeated call, whose first answer was lost, may have added already."""
    try:
        call(**arguments)
    except ClientError as error:
        if error_code(error) != "DuplicateRecordException":
            raise


def delete_budget(budgets: Any, name: str, account: str) -> None:
    """Take the budget away, with all its notifications; gone already is fine."""
    try:
        with asking("Deleting the budget", name):
            budgets.delete_budget(AccountId=account, BudgetName=name)
    except ResourceNotFoundError:
        return
