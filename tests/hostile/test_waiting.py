"""What AWS needs time for is waited for, up to a deadline; nobody really waits here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.engine.stack import Stack
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.pipeline import Pipeline

pytestmark = pytest.mark.local_aws

MakeStack = Callable[..., Stack]
UNASSUMABLE = "The role defined for the function cannot be assumed by Lambda."
IN_PROGRESS = "The operation cannot be performed at this time. An update is in progress for resource: arn"
#: An hour is more than anything here should ever take.
HOUR = 3600.0


def test_a_role_that_cannot_be_assumed_for_90_seconds_is_waited_for(make_stack: MakeStack, overlay: Any) -> None:
    refused = overlay.refuse(
        "lambda.CreateFunction", 400, "InvalidParameterValueException", UNASSUMABLE, seconds=90, since="iam.CreateRole"
    )
    make_stack().build()
    assert len(refused) > 5
    assert 90 <= overlay.clock.now < 120
    assert make_stack().plan().is_empty


def test_a_role_that_can_never_be_assumed_stops_at_a_deadline_with_the_cause(
    make_stack: MakeStack, overlay: Any
) -> None:
    overlay.refuse("lambda.CreateFunction", 400, "InvalidParameterValueException", UNASSUMABLE)
    with pytest.raises(errors.DeployError) as caught:
        make_stack().build()
    assert "cannot be assumed by Lambda" in str(caught.value)
    assert caught.value.code == "InvalidParameterValueException"
    assert caught.value.request_id
    assert "function hostile" in caught.value.failed
    assert 90 < overlay.clock.now < 400
    overlay.clear()
    make_stack().build()
    assert make_stack().plan().is_empty


@pytest.mark.parametrize("code", ["InvalidParameterValueException"])
@pytest.mark.parametrize(
    "message",
    ["The provided execution role does not have permissions to call CreateLogStream", "InvalidArnException: no such"],
)
def test_a_new_role_whose_rights_have_not_settled_is_waited_for(
    make_stack: MakeStack, overlay: Any, code: str, message: str
) -> None:
    overlay.refuse("lambda.CreateFunction", 400, code, message, seconds=30, since="iam.CreateRole")
    make_stack().build()
    assert make_stack().plan().is_empty


def test_a_function_that_is_pending_for_200_polls_is_waited_for(make_stack: MakeStack, overlay: Any) -> None:
    overlay.pending_polls = 200
    make_stack().build()
    assert overlay.count("lambda.GetFunction") > 200
    assert make_stack().plan().is_empty


def test_a_function_that_is_pending_forever_is_a_typed_error(make_stack: MakeStack, overlay: Any) -> None:
    overlay.pending_polls = 10_000
    with pytest.raises(errors.DeployError) as caught:
        make_stack().build()
    assert "hostile" in caught.value.failed
    assert caught.value.next_step
    assert overlay.clock.now < HOUR


@pytest.mark.parametrize("operation", ["UpdateFunctionConfiguration", "UpdateFunctionCode", "DeleteFunction"])
def test_an_update_that_is_in_progress_is_waited_for(make_stack: MakeStack, overlay: Any, operation: str) -> None:
    make_stack().build()
    overlay.pending_polls = 50
    refused = overlay.refuse(f"lambda.{operation}", 409, "ResourceConflictException", IN_PROGRESS, seconds=60)
    if operation == "DeleteFunction":
        make_stack().delete(confirm=True)
    else:
        make_stack("two", function_memory=4096).build()
        overlay.pending_polls = 1
        assert make_stack("two", function_memory=4096).plan().is_empty
    assert refused


def test_a_function_that_failed_says_why_and_is_made_anew(make_stack: MakeStack, overlay: Any) -> None:
    def fail(parsed: dict[str, Any]) -> None:
        why = {"StateReason": "The image was lost", "StateReasonCode": "InternalError", "LastUpdateStatus": "Failed"}
        parsed.get("Configuration", parsed).update(State="Failed", **why)

    overlay.alter("lambda.GetFunction", fail)
    overlay.alter("lambda.GetFunctionConfiguration", fail)
    with pytest.raises(errors.DeployError) as caught:
        make_stack().build()
    assert "The image was lost" in str(caught.value)
    assert caught.value.code == "InternalError"
    created = overlay.count("lambda.CreateFunction")
    plan = make_stack().plan()
    assert "Failed" in str(plan)
    overlay.rules_after.clear()
    # What the plan saw is told to the build too, until it takes the function away.
    deleted = overlay.count("lambda.DeleteFunction")

    def fail_until_deleted(parsed: dict[str, Any]) -> None:
        if overlay.count("lambda.DeleteFunction") == deleted:
            fail(parsed)

    overlay.alter("lambda.GetFunction", fail_until_deleted)
    make_stack().build()
    assert overlay.count("lambda.CreateFunction") == created + 1
    assert make_stack().plan().is_empty


def test_an_idle_function_is_as_good_as_an_active_one(make_stack: MakeStack, overlay: Any) -> None:
    make_stack().build()
    overlay.alter("lambda.GetFunction", lambda parsed: parsed["Configuration"].update(State="Inactive"))
    assert make_stack().plan().is_empty


STALE = [
    ("iam.GetRole", 404, "NoSuchEntity", "iam.CreateRole"),
    ("s3.HeadBucket", 404, "404", "s3.CreateBucket"),
    ("s3.GetBucketPolicy", 404, "NoSuchBucket", "s3.CreateBucket"),
    ("s3.PutBucketPolicy", 404, "NoSuchBucket", "s3.CreateBucket"),
    ("s3.PutObject", 404, "NoSuchBucket", "s3.CreateBucket"),
    ("iam.PutRolePolicy", 404, "NoSuchEntity", "iam.CreateRole"),
    ("lambda.GetFunction", 404, "ResourceNotFoundException", "lambda.CreateFunction"),
    ("logs.PutRetentionPolicy", 400, "ResourceNotFoundException", "logs.CreateLogGroup"),
]


@pytest.mark.parametrize(("operation", "status", "code", "since"), STALE, ids=lambda item: str(item))
def test_what_was_just_made_and_is_not_found_yet_is_waited_for(
    make_stack: MakeStack, overlay: Any, operation: str, status: int, code: str, since: str
) -> None:
    overlay.refuse(operation, status, code, "not there (yet)", seconds=8, since=since)
    make_stack().build()
    overlay.clear()
    assert make_stack().plan().is_empty


def test_tags_that_are_not_there_yet_make_nothing_of_ours_be_overwritten(make_stack: MakeStack, overlay: Any) -> None:
    make_stack().build()
    overlay.alter("lambda.GetFunction", lambda parsed: parsed.update(Tags={}))
    writes = overlay.count("lambda.UpdateFunctionConfiguration")
    with pytest.raises(errors.PlanRefusedError):
        make_stack(function_memory=4096).build()
    assert overlay.count("lambda.UpdateFunctionConfiguration") == writes
    overlay.clear()
    make_stack(function_memory=4096).build()
    assert make_stack(function_memory=4096).plan().is_empty


GOING = [
    ("iam.DeleteRole", 409, "DeleteConflict"),
    ("iam.DeleteRole", 409, "ConcurrentModification"),
    ("iam.DeleteRole", 400, "Throttling"),
    ("lambda.DeleteFunction", 429, "TooManyRequestsException"),
    ("logs.DeleteLogGroup", 400, "OperationAbortedException"),
    ("logs.DeleteLogGroup", 400, "ThrottlingException"),
    ("s3.DeleteBucket", 409, "OperationAborted"),
    ("s3.DeleteObjects", 503, "SlowDown"),
]


@pytest.mark.parametrize(("operation", "status", "code"), GOING, ids=str)
def test_a_delete_that_will_pass_later_is_tried_again(
    make_stack: MakeStack, overlay: Any, operation: str, status: int, code: str
) -> None:
    make_stack().build()
    refused = overlay.refuse(operation, status, code, "not now", times=3)
    make_stack().delete(confirm=True)
    assert len(refused) == 3
    assert make_stack().plan_delete().is_empty


MAKING = [
    ("s3.CreateBucket", 409, "OperationAborted"),
    ("s3.PutBucketPolicy", 409, "OperationAborted"),
    ("s3.PutBucketTagging", 409, "OperationAborted"),
    ("s3.PutPublicAccessBlock", 409, "OperationAborted"),
    ("logs.CreateLogGroup", 400, "OperationAbortedException"),
    ("logs.PutRetentionPolicy", 400, "OperationAbortedException"),
    ("iam.PutRolePolicy", 409, "ConcurrentModification"),
    ("lambda.CreateFunction", 429, "TooManyRequestsException"),
]


@pytest.mark.parametrize(("operation", "status", "code"), MAKING, ids=str)
def test_a_call_that_will_pass_later_is_tried_again(
    make_stack: MakeStack, overlay: Any, operation: str, status: int, code: str
) -> None:
    overlay.refuse(operation, status, code, "A conflicting conditional operation is in progress.", times=3)
    make_stack().build()
    overlay.clear()
    assert make_stack().plan().is_empty


@pytest.mark.parametrize("operation", ["build", "plan", "delete"])
def test_a_storm_of_throttling_for_a_minute_is_weathered(make_stack: MakeStack, overlay: Any, operation: str) -> None:
    if operation != "build":
        make_stack().build()
    overlay.storm_until = overlay.clock.now + 60
    stack = make_stack()
    if operation == "delete":
        stack.delete(confirm=True)
    else:
        getattr(stack, operation)()
    assert overlay.clock.now >= 60


def test_a_storm_that_never_ends_stops_at_a_deadline_and_says_so(make_stack: MakeStack, overlay: Any) -> None:
    overlay.storm_until = float("inf")
    with pytest.raises(errors.ThrottledError) as caught:
        make_stack().build()
    assert "try again" in caught.value.next_step
    assert overlay.clock.now < HOUR


@pytest.mark.parametrize("way", ["eval", "async"])
def test_a_function_that_is_too_busy_for_ever_stops_at_a_deadline_and_runs_nothing(
    make_stack: MakeStack, overlay: Any, way: Any
) -> None:
    make_stack().build()
    refused = overlay.refuse("lambda.Invoke", 429, "TooManyRequestsException", "Rate Exceeded.")
    began, jobs = overlay.clock.now, make_stack()
    coordinates = CoordinatesDefinition.parse({"coords": [{"name": "lat", "values": [1.0]}]})
    job = jobs.submit(Pipeline({"SinCoords": {"node": "core.algorithm.utility.SinCoords"}}), coordinates, way)
    with pytest.raises(errors.ThrottledError) as caught:
        job.result(60)
    assert caught.value.next_step
    assert 60 <= overlay.clock.now - began <= 180
    assert len(refused) < 60
    assert not job.left_off
