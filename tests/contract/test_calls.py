"""Every call we make is one that AWS's service model describes: members, enumerations, patterns and bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st
from service_model import find_faults
from wire import Call, FakeClock

from podpac_lambda_widgets.aws import quotas
from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.engine.stack import Stack
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.examples import EXAMPLES, tutorial_coordinates
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.packaging.archive import Package
from podpac_lambda_widgets.plan.actions import OPERATIONS

pytestmark = pytest.mark.local_aws

TRIGGERS = {
    "eval": ["eval"],
    "S3": ["eval", "S3"],
    "API": ["eval", "APIGateway"],
    "URL": ["eval", "URL"],
    "all": ["eval", "S3", "APIGateway", "URL"],
}
EXTRAS = {"function_budget_amount": 20.0, "function_budget_email": "a@example.org", "function_reserved_concurrency": 5}
CHANGED = {
    "function_memory": 3072,
    "function_tags": {"project": "soil"},
    "function_log_retention": 7,
    "function_env_variables": {"COLOUR": "green"},
    "function_role_description": "changed",
    "function_role_policy_arns": ["arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"],
    "function_s3_output_expiration": 30,
    "function_api_description": "changed",
    "function_api_stage": "test",
    "function_api_endpoint": "evaluate",
    "function_public_endpoint": True,
}
CHANGED_EXTRAS = {**EXTRAS, "function_budget_amount": 30.0, "function_budget_email": "b@example.org"}
#: What is done without where it is not permitted, as tests/hostile shows.
OTHERS = {
    "iam.SimulatePrincipalPolicy",
    "lambda.GetAccountSettings",
    "resourcegroupstaggingapi.GetResources",
    "s3.ListBuckets",
}


@cache
def service(name: str) -> Any:
    return botocore.session.Session().get_service_model(name)


def faults_of(calls: Iterable[Call]) -> list[str]:
    found: list[str] = []
    for call in calls:
        service_name, _, operation = call.name.partition(".")
        found += find_faults(service(service_name).operation_model(operation), call.params)
    return sorted(set(found))


def check(calls: list[Call]) -> None:
    assert faults_of(calls) == []
    unknown = {call.name for call in calls} - OPERATIONS.keys() - OTHERS
    assert not unknown, "these calls are not in the table of permissions"


@pytest.fixture
def make_stack(recorder: Any, sources: dict[str, Source]) -> Callable[..., Stack]:
    def make(version: str, **traits: Any) -> Stack:
        clock = FakeClock()
        deployment = Deployment(**{"function_name": "contract", **traits})
        return Stack(AwsAccount(recorder.session, clock), deployment, sources[version], clock)

    return make


@pytest.mark.parametrize("triggers", TRIGGERS)
def test_every_call_of_a_deployment_is_as_the_service_models_say(
    recorder: Any, make_stack: Callable[..., Stack], triggers: str
) -> None:
    everything = triggers == "all"
    first = {"function_triggers": TRIGGERS[triggers], **(EXTRAS if everything else {})}
    second = {"function_triggers": TRIGGERS[triggers], **CHANGED, **(CHANGED_EXTRAS if everything else {})}
    with recorder.wire.recording() as calls:
        make_stack("one", **first).build()
        make_stack("one", **first).plan()
        make_stack("two", **second).build()
        make_stack("two", **second).describe()
        make_stack("two", function_triggers=["eval"]).build()
        make_stack("two", **second).delete(confirm=True)
    assert len({call.name for call in calls}) > 35
    check(calls)
    buckets = [call.params for call in calls if call.name == "s3.CreateBucket"]
    # Where nobody else can take the name, and ours from the first moment on.
    assert [each["BucketNamespace"] for each in buckets] == ["account-regional"]
    assert all(each["CreateBucketConfiguration"]["Tags"] and "ACL" not in each for each in buckets)
    # Each would keep a copy of the code for good.
    assert not [call for call in calls if call.params.get("Publish") or call.name == "lambda.PublishVersion"]


def test_every_call_of_a_snapshot_is_as_the_service_models_say(
    recorder: Any, snapshot_sources: dict[str, Source], make_stack: Callable[..., Stack]
) -> None:
    with recorder.wire.recording() as calls:
        for version, wished in (("one", True), ("two", True), ("two", False)):
            stack = make_stack(version, function_snap_start=wished)
            stack.source = snapshot_sources[version]
            stack.build()
        make_stack("two").delete(confirm=True)
    written = {"PublishVersion", "CreateAlias", "UpdateAlias", "DeleteAlias"}
    assert {f"lambda.{name}" for name in written} <= {call.name for call in calls}
    check(calls)


def test_every_call_of_archives_in_a_bucket_is_as_the_service_models_say(
    recorder: Any, sources: dict[str, Source], make_stack: Callable[..., Stack]
) -> None:
    s3, name, source = recorder.observer.client("s3"), "contract-archives", sources["one"]
    s3.create_bucket(Bucket=name)
    s3.upload_file(source.function_source_dist_zip, name, "dist.zip")
    s3.upload_file(source.function_source_dependencies_zip, name, "deps.zip")
    stack = make_stack("one")
    stack.source = Source(
        function_source_bucket=name,
        function_source_dist_key="dist.zip",
        function_source_dependencies_key="deps.zip",
    )
    try:
        with recorder.wire.recording() as calls:
            stack.build()
            stack.delete(confirm=True)
    finally:
        for key in ("dist.zip", "deps.zip"):
            s3.delete_object(Bucket=name, Key=key)
        s3.delete_bucket(Bucket=name)
    assert {"s3.CopyObject", "s3.GetObject"} <= {call.name for call in calls}
    check(calls)


@pytest.mark.archive
def test_every_call_of_a_run_and_its_log_is_as_the_service_models_say(recorder: Any, package: Package) -> None:
    # It is really called, so that it has to be ready really.
    recorder.wire.pending_polls = None
    source = Source(
        function_source_dist_zip=package.dist.path, function_source_dependencies_zip=package.dependencies.path
    )
    stack = Stack(AwsAccount(recorder.session), Deployment(function_name="contract"), source)
    try:
        with recorder.wire.recording() as calls:
            stack.build()
            result = stack.run(EXAMPLES[0].pipeline, tutorial_coordinates())
            lines = stack.get_logs(request_id=result.request_id)
            followed = next(stack.follow_logs(start=lines[0].time))
            bucket = stack.deployment.bucket_name(stack.account.identity().account, "us-east-1")
            stack.account.put(bucket, "output/contract/claims/one.json", b"{}", "contract@us-east-1")
            stack.account.fetch(bucket, "output/contract/claims/one.json", lambda done, total: None, own=True)
            stack.account.remove(bucket, "output/contract/claims/one.json")
            stack.account.send("contract", b"{}")
            stack.delete(confirm="contract")
    finally:
        stack.delete(confirm="contract")
    assert lines
    assert followed.time >= lines[0].time
    assert {"lambda.Invoke", "logs.FilterLogEvents", "s3.UploadPart"} <= {call.name for call in calls}
    check(calls)


def test_every_call_that_only_looks_around_is_as_the_service_models_say(
    recorder: Any, make_stack: Callable[..., Stack], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Else the quota is not asked for before there are a hundred buckets.
    monkeypatch.setattr(quotas, "_ALWAYS_ALLOWED", 0)
    make_stack("one").build()
    with recorder.wire.recording() as calls:
        account = make_stack("one").account
        assert "contract@us-east-1" in {each.stack for each in account.stacks()}
        account.bucket_quota()
        make_stack("one").missing_for("run")
    make_stack("one").delete(confirm=True)
    looked = {
        "resourcegroupstaggingapi.GetResources", "iam.ListRoles", "cloudwatch.GetMetricStatistics", "s3.ListBuckets",
        "s3.ListObjectsV2", "service-quotas.GetServiceQuota", "iam.SimulatePrincipalPolicy",
    }  # fmt: skip
    assert looked <= {call.name for call in calls}
    assert faults_of(calls) == []


BAD: list[tuple[str, str, dict[str, Any], str]] = [
    ("lambda", "CreateFunction", {"Role": "arn:aws:iam::000000000000:role/r", "Code": {}}, ".FunctionName is missing"),
    ("lambda", "DeleteFunction", {"FunctionName": "f", "Force": True}, ".Force is unknown"),
    ("lambda", "DeleteFunction", {"FunctionName": "a b"}, "does not match"),
    ("lambda", "PutFunctionConcurrency", {"FunctionName": "f", "ReservedConcurrentExecutions": -1}, "less than 0"),
    ("lambda", "CreateFunctionUrlConfig", {"FunctionName": "f", "AuthType": "OPEN"}, "not one of"),
    ("iam", "CreateRole", {"RoleName": "r" * 65, "AssumeRolePolicyDocument": "{}"}, "more than 64"),
    ("s3", "PutBucketLifecycle", {"Bucket": "b"}, "is deprecated"),
]


@pytest.mark.parametrize(("name", "operation", "params", "told"), BAD)
def test_what_aws_would_refuse_is_found(name: str, operation: str, params: dict[str, Any], told: str) -> None:
    found = find_faults(service(name).operation_model(operation), params)
    assert any(told in fault for fault in found), found


@given(st.text(alphabet="abcXYZ019_.:/=+-@ ", max_size=40))
def test_a_tag_that_iam_takes_is_found_to_be_right(value: str) -> None:
    model = service("iam").operation_model("TagRole")
    assert find_faults(model, {"RoleName": "r", "Tags": [{"Key": "k", "Value": value}]}) == []
