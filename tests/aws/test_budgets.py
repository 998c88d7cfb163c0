"""Drift of a budget is named and repaired; what other people have set on it is the same byte for byte afterwards.

The embedded AWS is milder than AWS: it keeps a threshold's type where AWS leaves it out, has an empty list where AWS
may say that there is none, and takes costs in the old and the new form at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.aws.budgets import create_budget, delete_budget, read_budget, update_budget
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.plan.changes import Difference, Update
from podpac_lambda_widgets.plan.difference import differences
from podpac_lambda_widgets.plan.resources import STACK_TAG, Budget

pytestmark = pytest.mark.local_aws

ACCOUNT = "000000000000"
STACK = "soil@us-east-1"
NAME = "soil-budget"
WHO = {"AccountId": ACCOUNT, "BudgetName": NAME}
ARN = f"arn:aws:budgets::{ACCOUNT}:budget/{NAME}"
WANTED = Budget(
    name=NAME,
    amount=12.5,
    currency="USD",
    email="me@example.org",
    threshold=80.0,
    cost_filter=f"user:{STACK_TAG}${STACK}",
    tags={STACK_TAG: STACK, "project": "soil"},
)
OURS = {
    "NotificationType": "ACTUAL",
    "ComparisonOperator": "GREATER_THAN",
    "Threshold": 80.0,
    "ThresholdType": "PERCENTAGE",
}
FORECAST = {**OURS, "NotificationType": "FORECASTED", "Threshold": 100.0}
WRITES = (
    "CreateBudget", "UpdateBudget", "CreateNotification", "UpdateNotification", "DeleteNotification",
    "CreateSubscriber", "UpdateSubscriber", "DeleteSubscriber", "TagResource", "UntagResource", "DeleteBudget",
)  # fmt: skip


def email(address: str) -> dict[str, str]:
    return {"SubscriptionType": "EMAIL", "Address": address}


@pytest.fixture
def budgets(aws: LocalSession) -> Iterator[Any]:
    """A client; the budget goes in the end."""
    client = aws.client("budgets")
    yield client
    delete_budget(client, NAME, ACCOUNT)


@pytest.fixture
def written(aws: LocalSession, faults: Any) -> Iterator[list[str]]:
    """The names of the calls that write, of clients made after it."""
    names: list[str] = []
    for each in WRITES:
        faults.hook(f"before-call.budgets.{each}", lambda model, **_: names.append(model.name))
    yield names


def read(budgets: Any, wanted: Budget = WANTED) -> Budget:
    found = read_budget(budgets, wanted, ACCOUNT, "aws")
    assert found is not None
    assert found.stack == STACK
    assert isinstance(found.resource, Budget)
    return found.resource


def drift(budgets: Any, wanted: Budget = WANTED) -> set[str]:
    return {each.field for each in differences(wanted, read(budgets, wanted))}


def repair(budgets: Any, wanted: Budget = WANTED) -> None:
    change = Update(wanted, differences(wanted, read(budgets, wanted)))
    update_budget(budgets, change, wanted, ACCOUNT, "aws")


def subscribers(budgets: Any, notification: dict[str, Any] = OURS) -> list[dict[str, str]]:
    found: list[dict[str, str]] = budgets.describe_subscribers_for_notification(**WHO, Notification=notification)[
        "Subscribers"
    ]
    return found


def notifications(budgets: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = budgets.describe_notifications_for_budget(**WHO)["Notifications"]
    return found


def definition(budgets: Any) -> dict[str, Any]:
    found: dict[str, Any] = budgets.describe_budget(**WHO, ShowFilterExpression=True)["Budget"]
    return {key: value for key, value in found.items() if key not in ("CalculatedSpend", "LastUpdatedTime")}


def redefine(budgets: Any, **values: Any) -> None:
    new = {**definition(budgets), **values}
    budgets.update_budget(AccountId=ACCOUNT, NewBudget={key: value for key, value in new.items() if value is not None})


def test_a_budget_that_is_not_there_is_none(budgets: Any) -> None:
    assert read_budget(budgets, WANTED, ACCOUNT, "aws") is None


def test_one_call_makes_it_all(aws: LocalSession, budgets: Any, written: list[str]) -> None:
    client = aws.client("budgets")
    create_budget(client, WANTED, ACCOUNT)
    assert written == ["CreateBudget"]
    assert read(client) == WANTED
    assert definition(client)["BudgetLimit"] == {"Amount": "12.5", "Unit": "USD"}
    assert subscribers(client) == [email("me@example.org")]


@pytest.mark.parametrize(("amount", "text"), [(1e16, "10000000000000000"), (0.00001, "0.00001"), (10.0, "10.0")])
def test_an_amount_is_written_without_an_exponent(budgets: Any, amount: float, text: str) -> None:
    create_budget(budgets, replace(WANTED, amount=amount), ACCOUNT)
    assert float(definition(budgets)["BudgetLimit"]["Amount"]) == amount
    assert definition(budgets)["BudgetLimit"]["Amount"].rstrip("0").rstrip(".") == text.rstrip("0").rstrip(".")
    assert "e" not in definition(budgets)["BudgetLimit"]["Amount"].lower()


def test_amounts_are_compared_as_numbers(budgets: Any) -> None:
    create_budget(budgets, WANTED, ACCOUNT)
    redefine(budgets, BudgetLimit={"Amount": "12.500", "Unit": "USD"})
    assert drift(budgets) == set()


Change = Callable[[Any], object]
DRIFT: list[tuple[str, Change, list[str]]] = [
    ("amount", lambda b: redefine(b, BudgetLimit={"Amount": "99", "Unit": "USD"}), ["UpdateBudget"]),
    ("currency", lambda b: redefine(b, BudgetLimit={"Amount": "12.5", "Unit": "EUR"}), ["UpdateBudget"]),
    ("amount", lambda b: redefine(b, TimeUnit="ANNUALLY"), ["UpdateBudget"]),
    ("amount", lambda b: redefine(b, AutoAdjustData={"AutoAdjustType": "FORECAST"}), ["UpdateBudget"]),
    ("cost_filter", lambda b: redefine(b, CostFilters=None), ["UpdateBudget"]),
    ("cost_filter", lambda b: redefine(b, CostFilters={"TagKeyValue": ["user:a$b"]}), ["UpdateBudget"]),
    (
        "cost_filter",
        lambda b: redefine(b, CostFilters={"TagKeyValue": [WANTED.cost_filter], "Service": ["AWS Lambda"]}),
        ["UpdateBudget"],
    ),
    (
        "cost_filter",
        lambda b: redefine(b, CostFilters=None, FilterExpression={"Tags": {"Key": "a", "Values": ["b"]}}),
        ["UpdateBudget"],
    ),
    (
        "email",
        lambda b: b.update_subscriber(
            **WHO, Notification=OURS, OldSubscriber=email(WANTED.email), NewSubscriber=email("other@example.org")
        ),
        ["UpdateSubscriber"],
    ),
    (
        "threshold",
        lambda b: b.update_notification(**WHO, OldNotification=OURS, NewNotification={**OURS, "Threshold": 95.0}),
        ["UpdateNotification"],
    ),
    (
        "email threshold",
        lambda b: b.delete_notification(**WHO, Notification=OURS),
        ["CreateNotification"],
    ),
    (
        "tags",
        lambda b: b.tag_resource(ResourceARN=ARN, ResourceTags=[{"Key": "project", "Value": "else"}]),
        ["TagResource"],
    ),
    (
        "tags",
        lambda b: b.untag_resource(ResourceARN=ARN, ResourceTagKeys=["project"]),
        ["TagResource"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "change", "calls"), DRIFT)
def test_drift_is_named_and_repaired_by_the_calls_that_its_fields_tell(
    aws: LocalSession, budgets: Any, written: list[str], fields: str, change: Change, calls: list[str]
) -> None:
    create_budget(budgets, WANTED, ACCOUNT)
    change(budgets)
    client = aws.client("budgets")
    assert drift(client) == set(fields.split())
    repair(client)
    assert written == calls
    assert read(client) == WANTED
    assert [each["Threshold"] for each in notifications(client)] == [80.0]
    assert subscribers(client) == [email(WANTED.email)]


def test_everything_at_once_is_repaired(aws: LocalSession, budgets: Any, written: list[str]) -> None:
    create_budget(budgets, replace(WANTED, amount=1.0, currency="EUR", cost_filter="user:x$y"), ACCOUNT)
    budgets.delete_notification(**WHO, Notification=OURS)
    budgets.untag_resource(ResourceARN=ARN, ResourceTagKeys=["project"])
    client = aws.client("budgets")
    repair(client)
    assert written == ["UpdateBudget", "CreateNotification", "TagResource"]
    assert read(client) == WANTED


def test_a_filter_in_the_new_form_is_the_same_filter(budgets: Any) -> None:
    create_budget(budgets, WANTED, ACCOUNT)
    expression = {"Tags": {"Key": STACK_TAG, "Values": [STACK], "MatchOptions": ["EQUALS"]}}
    redefine(budgets, CostFilters=None, FilterExpression=expression, Metrics=["UnblendedCost"])
    assert drift(budgets) == set()


def test_another_amount_keeps_a_filter_in_the_new_form(budgets: Any) -> None:
    create_budget(budgets, WANTED, ACCOUNT)
    expression = {"Tags": {"Key": STACK_TAG, "Values": [STACK], "MatchOptions": ["EQUALS"]}}
    redefine(budgets, CostFilters=None, FilterExpression=expression, Metrics=["NetUnblendedCost"])
    before = definition(budgets)
    repair(budgets, replace(WANTED, amount=20.0))
    assert definition(budgets) == {**before, "BudgetLimit": {"Amount": "20.0", "Unit": "USD"}}


def test_another_filter_is_never_sent_in_both_forms(budgets: Any) -> None:
    create_budget(budgets, WANTED, ACCOUNT)
    redefine(
        budgets, CostFilters=None, FilterExpression={"Tags": {"Key": "a", "Values": ["b"]}}, Metrics=["BlendedCost"]
    )
    repair(budgets)
    assert definition(budgets).keys().isdisjoint({"FilterExpression", "Metrics"})


def test_what_others_have_set_on_our_budget_stays(budgets: Any) -> None:
    create_budget(budgets, WANTED, ACCOUNT)
    budgets.create_subscriber(**WHO, Notification=OURS, Subscriber=email("colleague@example.org"))
    budgets.create_notification(**WHO, Notification=FORECAST, Subscribers=[email("boss@example.org")])
    theirs = {**OURS, "Threshold": 50.0}
    budgets.create_notification(**WHO, Notification=theirs, Subscribers=[email(WANTED.email), email("boss@x.org")])
    budgets.tag_resource(ResourceARN=ARN, ResourceTags=[{"Key": "theirs", "Value": "1"}])
    redefine(budgets, CostTypes={"IncludeTax": False})
    before, kept = notifications(budgets), definition(budgets)
    assert drift(budgets) == set()
    wanted = replace(WANTED, amount=7.0, tags={**WANTED.tags, "new": "tag"})
    repair(budgets, wanted)
    assert read(budgets, wanted) == wanted
    assert notifications(budgets) == before
    assert [subscribers(budgets, each) for each in before] == [
        [email(WANTED.email), email("colleague@example.org")],
        [email("boss@example.org")],
        [email(WANTED.email), email("boss@x.org")],
    ]
    assert definition(budgets) == {**kept, "BudgetLimit": {"Amount": "7.0", "Unit": "USD"}}
    tags = budgets.list_tags_for_resource(ResourceARN=ARN)["ResourceTags"]
    assert {"Key": "theirs", "Value": "1"} in tags


def test_a_new_address_takes_the_place_of_the_old_one(budgets: Any) -> None:
    create_budget(budgets, WANTED, ACCOUNT)
    repair(budgets, replace(WANTED, email="new@example.org"))
    assert subscribers(budgets) == [email("new@example.org")]


def test_of_several_addresses_none_is_taken_away(aws: LocalSession, budgets: Any, written: list[str]) -> None:
    create_budget(budgets, WANTED, ACCOUNT)
    budgets.create_subscriber(**WHO, Notification=OURS, Subscriber=email("colleague@example.org"))
    client = aws.client("budgets")
    wanted = replace(WANTED, email="new@example.org")
    assert [(each.field, each.old) for each in differences(wanted, read(client, wanted))] == [("email", "")]
    repair(client, wanted)
    assert written == ["CreateSubscriber"]
    assert subscribers(client) == [email(each) for each in (WANTED.email, "colleague@example.org", "new@example.org")]


def test_a_notification_with_a_colleague_on_it_is_not_moved(
    aws: LocalSession, budgets: Any, written: list[str]
) -> None:
    create_budget(budgets, replace(WANTED, threshold=50.0), ACCOUNT)
    theirs = {**OURS, "Threshold": 50.0}
    budgets.create_subscriber(**WHO, Notification=theirs, Subscriber=email("colleague@example.org"))
    client = aws.client("budgets")
    repair(client)
    assert written == ["CreateNotification"]
    assert subscribers(client, theirs) == [email(WANTED.email), email("colleague@example.org")]
    assert read(client) == WANTED


def test_an_address_in_other_letters_is_the_same(budgets: Any) -> None:
    create_budget(budgets, replace(WANTED, email="Me@Example.org"), ACCOUNT)
    assert drift(budgets) == set()


def test_a_percentage_that_aws_does_not_call_one_is_found(aws: LocalSession, budgets: Any, faults: Any) -> None:
    create_budget(budgets, WANTED, ACCOUNT)

    def leave_out(parsed: dict[str, Any], **_: Any) -> None:
        for each in parsed["Notifications"]:
            del each["ThresholdType"]

    faults.hook("after-call.budgets.DescribeNotificationsForBudget", leave_out)
    assert drift(aws.client("budgets")) == set()


def test_an_absolute_threshold_is_not_ours(budgets: Any) -> None:
    create_budget(budgets, WANTED, ACCOUNT)
    budgets.delete_notification(**WHO, Notification=OURS)
    absolute = {**OURS, "ThresholdType": "ABSOLUTE_VALUE"}
    budgets.create_notification(**WHO, Notification=absolute, Subscribers=[email(WANTED.email)])
    assert drift(budgets) == {"threshold", "email"}
    repair(budgets)
    assert notifications(budgets)[0]["ThresholdType"] == "ABSOLUTE_VALUE"
    assert read(budgets) == WANTED


def test_notifications_that_aws_does_not_find_are_none(aws: LocalSession, budgets: Any, faults: Any) -> None:
    create_budget(budgets, WANTED, ACCOUNT)
    faults.answer("budgets.DescribeNotificationsForBudget", 400, code="NotFoundException")
    assert drift(aws.client("budgets")) == {"threshold", "email"}


def test_every_page_is_read(aws: LocalSession, budgets: Any, faults: Any) -> None:
    create_budget(budgets, WANTED, ACCOUNT)
    pages = iter([{"Subscribers": [], "NextToken": "more"}])

    def empty_first(parsed: dict[str, Any], **_: Any) -> None:
        parsed.update(next(pages, {}))

    faults.hook("after-call.budgets.DescribeSubscribersForNotification", empty_first)
    assert drift(aws.client("budgets")) == set()


def test_a_budget_of_somebody_else_is_no_stacks(budgets: Any) -> None:
    create_budget(budgets, replace(WANTED, tags={}), ACCOUNT)
    found = read_budget(budgets, WANTED, ACCOUNT, "aws")
    assert found is not None
    assert found.stack is None


def test_creating_again_after_a_lost_answer_says_that_it_is_there(budgets: Any) -> None:
    create_budget(budgets, WANTED, ACCOUNT)
    with pytest.raises(errors.ResourceExistsError) as caught:
        create_budget(budgets, replace(WANTED, amount=1.0), ACCOUNT)
    assert caught.value.code == "DuplicateRecordException"
    assert read(budgets) == WANTED


@pytest.mark.parametrize("operation", ["CreateNotification", "CreateSubscriber"])
def test_adding_again_after_a_lost_answer_is_fine(
    aws: LocalSession, budgets: Any, faults: Any, written: list[str], operation: str
) -> None:
    create_budget(budgets, WANTED, ACCOUNT)
    change = {
        "CreateNotification": (Difference("threshold", 0.0, 80.0), Difference("email", "", WANTED.email)),
        "CreateSubscriber": (Difference("email", "", WANTED.email),),
    }[operation]
    update_budget(aws.client("budgets"), Update(WANTED, change), WANTED, ACCOUNT, "aws")
    assert written == [operation]
    assert subscribers(budgets) == [email(WANTED.email)]
    faults.answer(f"budgets.{operation}", 400, code="InternalErrorException")
    with pytest.raises(errors.AwsError):
        update_budget(aws.client("budgets"), Update(WANTED, change), WANTED, ACCOUNT, "aws")


def test_a_quota_of_budgets_is_named(aws: LocalSession, budgets: Any) -> None:
    create_budget(budgets, WANTED, ACCOUNT)
    for number in range(10):
        budgets.create_subscriber(**WHO, Notification=OURS, Subscriber=email(f"{number}@example.org"))
    with pytest.raises(errors.AwsError) as caught:
        repair(budgets, replace(WANTED, email="new@example.org"))
    assert caught.value.code == "CreationLimitExceededException"
    assert "subscribers" in caught.value.next_step


def test_deleting_what_is_gone_is_fine(budgets: Any) -> None:
    create_budget(budgets, WANTED, ACCOUNT)
    delete_budget(budgets, NAME, ACCOUNT)
    delete_budget(budgets, NAME, ACCOUNT)
    assert read_budget(budgets, WANTED, ACCOUNT, "aws") is None


def test_the_tags_are_asked_for_in_the_accounts_partition(aws: LocalSession, budgets: Any, faults: Any) -> None:
    create_budget(budgets, WANTED, ACCOUNT)
    asked = faults.count("budgets.ListTagsForResource")
    read_budget(aws.client("budgets"), WANTED, ACCOUNT, "aws-cn")
    assert f"arn:aws-cn:budgets::{ACCOUNT}:budget/{NAME}".encode() in asked[0]["body"]
