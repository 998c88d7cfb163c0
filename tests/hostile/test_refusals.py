"""What AWS refuses is told with the cause, the missing action or the quota, and the next step; nothing is half told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.engine.stack import Stack
from podpac_lambda_widgets.plan.actions import OPERATIONS

pytestmark = pytest.mark.local_aws

MakeStack = Callable[..., Stack]
DENIED = "User: arn:aws:iam::000000000000:user/me is not authorized to perform: {action} on resource: r because no "
NO_POLICY = DENIED + "identity-based policy allows the {action} action"
SCP = DENIED.removesuffix(" because no ") + " with an explicit deny in a service control policy"


def action_of(operation: str) -> str:
    """The action that AWS names when it refuses the operation: the first one that it takes."""
    table = OPERATIONS.get(operation, {})
    return next((action for actions in table.values() for action in actions), "sts:GetCallerIdentity")


EVERYTHING = {
    "function_triggers": ["eval", "S3", "APIGateway", "URL"],
    "function_reserved_concurrency": 5,
    "function_budget_amount": 20.0,
    "function_budget_email": "a@example.org",
}
#: What is asked only to say more, or earlier: who may not ask it goes on without.
OPTIONAL = (
    "iam.SimulatePrincipalPolicy",
    "lambda.GetAccountSettings",
    "resourcegroupstaggingapi.GetResources",
    "s3.ListBuckets",
)
CHANGED = {
    "function_memory": 4096,
    "function_tags": {"project": "soil"},
    "function_log_retention": 7,
    "function_role_description": "changed",
    "function_role_policy_arns": ["arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"],
}


def deny(overlay: Any, operation: str, message: str = NO_POLICY) -> list[float]:
    text = message.format(action=action_of(operation))
    code = "AccessDenied" if operation.partition(".")[0] in ("s3", "iam", "sts") else "AccessDeniedException"
    refused: list[float] = overlay.refuse(operation, 403, code, text)
    return refused


def what_is_wrong(told: errors.PodpacLambdaError | str, action: str) -> list[str]:
    """What a refused caller is not told."""
    wrong = [] if action in str(told) else [f"does not name the action: {told}"]
    # Who we are is no resource.
    return wrong + (what_is_left_out(told, not action.startswith("sts:")) if not isinstance(told, str) else [])


def what_is_left_out(told: errors.PodpacLambdaError, about_a_resource: bool) -> list[str]:
    """The parts that an error lacks."""
    wrong = [f"has no {name}" for name in ("why", "next_step", "code", "request_id") if not getattr(told, name)]
    if about_a_resource and not (told.resource or getattr(told, "failed", "")):
        wrong.append("does not name the resource")
    return wrong


@pytest.mark.parametrize("name", ["build", "update", "delete"])
def test_each_permission_that_is_missing_in_turn_is_named(make_stack: MakeStack, overlay: Any, name: str) -> None:
    """What was made before the refusal stays, so that each turn gets further than the one before."""

    def run() -> object:
        if name == "delete":
            return make_stack(**EVERYTHING).delete(confirm=True)
        return (make_stack(**EVERYTHING) if name == "build" else make_stack("two", **CHANGED)).build()

    def prepare() -> None:
        overlay.clear()
        make_stack(**EVERYTHING).delete(confirm=True)
        if name != "build":
            make_stack(**EVERYTHING).build()

    def attempt(operation: str) -> tuple[list[float], Any]:
        overlay.clear()
        refused = deny(overlay, operation)
        try:
            return refused, str(run())
        except errors.PodpacLambdaError as error:
            return refused, error

    prepare()
    overlay.all_calls.clear()
    run()
    operations = [each for each in dict.fromkeys(overlay.all_calls) if each not in OPTIONAL]
    assert len(operations) > 15
    prepare()
    wrong: list[str] = []
    for operation in operations:
        refused, told = attempt(operation)
        if not refused:
            # AWS had done it by itself since then.
            prepare()
            refused, told = attempt(operation)
        if not isinstance(told, Exception):
            prepare()
        action = action_of(operation)
        found = what_is_wrong(told, action) if refused else ["was not asked for any more"]
        wrong += [f"{operation}: {each}" for each in found]
    assert not wrong, "\n".join(wrong)


def test_all_that_may_not_be_looked_at_is_named_at_once(make_stack: MakeStack, overlay: Any) -> None:
    refused = ("iam.GetRole", "s3.HeadBucket", "lambda.GetFunction", "logs.DescribeLogGroups")
    for operation in (*refused, "iam.SimulatePrincipalPolicy"):
        deny(overlay, operation)
    with pytest.raises(errors.PermissionsMissingError) as caught:
        make_stack(**EVERYTHING, function_s3_bucket="soil-of-the-group").build()
    for operation in ("iam.GetRole", "lambda.GetFunction", "logs.DescribeLogGroups"):
        assert action_of(operation) in " ".join(caught.value.missing)
    assert what_is_left_out(caught.value, about_a_resource=True) == []
    assert "policy_for('deploy')" in caught.value.next_step
    assert not [name for name in overlay.all_calls if ".Create" in name or ".Put" in name]


@pytest.mark.parametrize("operation", OPTIONAL)
def test_what_is_only_asked_to_say_more_is_done_without(make_stack: MakeStack, overlay: Any, operation: str) -> None:
    service, _, name = operation.partition(".")
    refused = overlay.refuse(operation, 403, "AccessDeniedException", NO_POLICY.format(action=f"{service}:{name}"))
    make_stack(**EVERYTHING).build()
    assert make_stack(**EVERYTHING).plan().is_empty
    make_stack(**EVERYTHING).delete(confirm=True)
    assert refused
    overlay.clear()
    assert make_stack(**EVERYTHING).plan_delete().is_empty


@pytest.mark.parametrize("operation", ["iam.CreateRole", "s3.CreateBucket", "lambda.CreateFunction"])
def test_a_deny_of_the_organisation_is_said_to_be_one(make_stack: MakeStack, overlay: Any, operation: str) -> None:
    deny(overlay, operation, SCP)
    with pytest.raises(errors.DeployError) as caught:
        make_stack().build()
    assert "organisation" in caught.value.next_step
    assert action_of(operation) in caught.value.why


SKEWED = "The difference between the request time and the current time is too large."


@pytest.mark.parametrize(
    ("operation", "status", "code"),
    [
        ("s3.PutBucketPolicy", 403, "RequestTimeTooSkewed"),
        ("sts.GetCallerIdentity", 403, "RequestTimeTooSkewed"),
        ("lambda.CreateFunction", 403, "InvalidSignatureException"),
        ("iam.CreateRole", 403, "SignatureDoesNotMatch"),
    ],
)
def test_a_clock_that_is_wrong_is_said_to_be(
    make_stack: MakeStack, overlay: Any, operation: str, status: int, code: str
) -> None:
    message = SKEWED if "Skewed" in code else "Signature expired: 20261124T010000Z is now earlier than 20261124T020000Z"
    overlay.refuse(operation, status, code, message)
    with pytest.raises(errors.PodpacLambdaError) as caught:
        make_stack().build()
    assert "clock" in caught.value.next_step
    assert caught.value.request_id


EXPIRED = [("s3.HeadBucket", "400"), ("iam.GetRole", "ExpiredToken"), ("lambda.GetFunction", "ExpiredTokenException")]


@pytest.mark.parametrize(("operation", "code"), EXPIRED)
def test_a_token_that_expires_on_the_way_is_asked_for_again_and_not_retried(
    make_stack: MakeStack, overlay: Any, operation: str, code: str
) -> None:
    overlay.refuse("sts.GetCallerIdentity", 403, "ExpiredToken", "expired", since=operation)
    refused = overlay.refuse(operation, 400, code, "The security token included in the request is expired")
    with pytest.raises(errors.ExpiredCredentialsError):
        make_stack().build()
    assert len(refused) <= 2


QUOTAS = [
    ("s3.CreateBucket", 400, "TooManyBuckets", "You have attempted to create more buckets than allowed", "bucket"),
    ("iam.CreateRole", 409, "LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000", "role"),
    ("logs.CreateLogGroup", 400, "LimitExceededException", "Resource limit exceeded.", "log group"),
    ("lambda.CreateFunction", 400, "CodeStorageExceededException", "Code storage limit exceeded.", "function"),
]


@pytest.mark.parametrize(("operation", "status", "code", "message", "kind"), QUOTAS)
def test_a_quota_that_is_used_up_is_named_with_what_it_stopped(
    make_stack: MakeStack, overlay: Any, operation: str, status: int, code: str, message: str, kind: str
) -> None:
    overlay.refuse(operation, status, code, message)
    with pytest.raises(errors.PodpacLambdaError) as caught:
        make_stack().build()
    assert "quota" in caught.value.next_step.lower()
    assert message in str(caught.value)
    if isinstance(caught.value, errors.DeployError):
        assert kind in caught.value.failed


@pytest.mark.parametrize("granted", [None, 1000])
def test_a_bucket_there_is_no_room_for_is_refused_before_anything_is_made(
    make_stack: MakeStack, overlay: Any, granted: int | None
) -> None:
    many = [{"Name": f"bucket-{number}"} for number in range(1000)]
    overlay.alter("s3.ListBuckets", lambda parsed: parsed.update(Buckets=many))
    if granted is None:
        overlay.refuse("service-quotas.GetServiceQuota", 400, "NoSuchResourceException", "No quota was granted")
    answered = "GetAWSDefaultServiceQuota" if granted is None else "GetServiceQuota"
    overlay.refuse(f"service-quotas.{answered}", 200, "", "")
    overlay.alter(f"service-quotas.{answered}", lambda parsed: parsed.update(Quota={"Value": 1000.0}))
    with pytest.raises(errors.PlanRefusedError, match="1,000 buckets of 1,000") as caught:
        make_stack().build()
    assert "General purpose buckets" in caught.value.next_step
    assert not [name for name in overlay.all_calls if ".Create" in name or ".Put" in name]


ROOM = {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10, "TotalCodeSize": 75 * 2**30}


@pytest.mark.parametrize(
    ("limit", "used", "told"),
    [
        ({}, 0, "cannot have 5 calls at once reserved: the account has 10 in all"),
        ({"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}, 75 * 2**30, "no room for its code"),
    ],
    ids=["concurrency", "code"],
)
def test_a_function_there_is_no_room_for_is_refused_before_anything_is_made(
    make_stack: MakeStack, overlay: Any, limit: dict[str, int], used: int, told: str
) -> None:
    room = {"AccountLimit": {**ROOM, **limit}, "AccountUsage": {"TotalCodeSize": used, "FunctionCount": 9}}
    overlay.alter("lambda.GetAccountSettings", lambda parsed: parsed.update(room))
    with pytest.raises(errors.PlanRefusedError, match=told) as caught:
        make_stack(function_reserved_concurrency=5).build()
    assert "Service Quotas" in caught.value.next_step
    assert not [name for name in overlay.all_calls if ".Create" in name or ".Put" in name]


@pytest.mark.parametrize("operation", ["s3.ListBuckets", "service-quotas.GetServiceQuota"])
def test_who_may_not_ask_for_the_quota_of_buckets_builds_all_the_same(
    make_stack: MakeStack, overlay: Any, operation: str
) -> None:
    many = [{"Name": f"bucket-{number}"} for number in range(1000)]
    overlay.alter("s3.ListBuckets", lambda parsed: parsed.update(Buckets=many))
    refused = deny(overlay, operation, "not authorized to perform this")
    make_stack().build()
    assert refused
    overlay.clear()
    make_stack().delete(confirm=True)


def test_concurrency_that_the_account_does_not_have_is_told_with_its_number(
    make_stack: MakeStack, overlay: Any
) -> None:
    message = (
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
        "its minimum value of [10]."
    )
    overlay.refuse("lambda.PutFunctionConcurrency", 400, "InvalidParameterValueException", message)
    with pytest.raises(errors.DeployError) as caught:
        make_stack(function_reserved_concurrency=10).build()
    assert "[10]" in str(caught.value)
    assert "concurren" in caught.value.next_step.lower() or "calls at once" in caught.value.next_step.lower()


@pytest.mark.parametrize(
    ("operation", "code"), [("iam.CreateRole", "InternalFailure"), ("s3.PutBucketPolicy", "InternalError")]
)
def test_an_error_of_aws_itself_keeps_its_words_code_and_request(
    make_stack: MakeStack, overlay: Any, operation: str, code: str
) -> None:
    overlay.refuse(operation, 500, code, "We encountered an internal error.")
    with pytest.raises(errors.DeployError) as caught:
        make_stack().build()
    assert "internal error" in caught.value.why
    assert (caught.value.code, caught.value.request_id) == (code, "req-hostile")
    assert caught.value.next_step


def test_whatever_call_of_a_plan_fails_the_message_is_whole(make_stack: MakeStack, overlay: Any) -> None:
    make_stack(**EVERYTHING).build()
    overlay.all_calls.clear()
    make_stack(**EVERYTHING).plan()
    operations = [each for each in dict.fromkeys(overlay.all_calls) if each not in OPTIONAL]
    assert len(operations) > 20
    wrong: list[str] = []
    for number, operation in enumerate(operations):
        status, code = [(500, "InternalFailure"), (400, "NeverHeardOf")][number % 2]
        overlay.clear()
        overlay.refuse(operation, status, code, "We encountered an internal error.")
        with pytest.raises(errors.PodpacLambdaError) as caught:
            make_stack(**EVERYTHING).plan()
        left_out = what_is_left_out(caught.value, not operation.startswith("sts."))
        wrong += [f"{operation}, {code}: {each}" for each in left_out]
    assert not wrong, "\n".join(wrong)


def test_a_stack_without_a_budget_takes_no_permission_for_budgets(make_stack: MakeStack, overlay: Any) -> None:
    for operation in OPERATIONS:
        if operation.startswith("budgets."):
            deny(overlay, operation)
    make_stack().build()
    assert make_stack().build().is_empty
    make_stack().delete(confirm=True)
    overlay.clear()
    assert make_stack().plan_delete().is_empty


def test_no_call_sends_an_acl(make_stack: MakeStack, overlay: Any) -> None:
    message = "The bucket does not allow ACLs"
    operations = ["CreateBucket", "PutObject", "CopyObject", "CreateMultipartUpload", "PutBucketAcl", "PutObjectAcl"]
    refused = [
        overlay.refuse(f"s3.{name}", 400, "AccessControlListNotSupported", message, when=lambda params: "ACL" in params)
        for name in operations
    ]
    make_stack().build()
    make_stack("two").build()
    assert refused == [[]] * len(operations)
