"""A plan's list of calls is the list of calls: tried on the embedded AWS, with everything that may be wished."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.engine.stack import Stack
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.model.deployment import TRIGGERS, Deployment
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.packaging.archive import Package
from podpac_lambda_widgets.plan.changes import Plan

pytestmark = [pytest.mark.local_aws, pytest.mark.archive]

_READS = ("Get", "List", "Describe", "Head", "Simulate")


@pytest.fixture
def made(aws: LocalSession) -> Iterator[list[str]]:
    """The writing calls, as they are made."""
    calls: list[str] = []

    def remember(model: Any, **_: object) -> None:
        if not model.name.startswith(_READS):
            calls.append(f"{model.service_model.service_name}.{model.name}")

    aws.events.register("before-call", remember)
    yield calls
    aws.events.unregister("before-call", remember)


@pytest.fixture
def stack(account: AwsAccount, package: Package, made: list[str]) -> Iterator[Stack]:
    deployment = Deployment(
        function_name="foretold",
        function_triggers=TRIGGERS,
        function_budget_amount=25,
        function_budget_email="me@example.org",
        function_reserved_concurrency=5,
    )
    source = Source(
        function_source_dist_zip=package.dist.path, function_source_dependencies_zip=package.dependencies.path
    )
    stack = Stack(account, deployment, source)
    yield stack
    stack.delete(confirm="foretold")


def foretold(plan: Plan) -> list[str]:
    return [call.api for call in plan.calls]


CHANGES: list[dict[str, Any]] = [
    {"function_memory": 512, "function_tags": {"project": "p1"}},
    {"function_budget_amount": 30, "function_budget_email": "you@example.org"},
    {"function_public_endpoint": True},
    {"function_api_stage": "dev", "function_api_endpoint": "run", "function_api_description": "Mine"},
    {"function_s3_input": "requests", "function_s3_output_expiration": 0, "function_log_retention": 7},
    {"function_role_description": "Mine", "function_reserved_concurrency": None},
    {"function_role_policy_arns": ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]},
    {"function_triggers": ("eval",), "function_budget_amount": None, "function_role_policy_arns": ()},
    {"function_triggers": ("URL",), "function_role_name": "another-name"},
]


def test_what_is_foretold_is_called_and_nothing_else(stack: Stack, made: list[str]) -> None:
    plan = stack.plan()
    assert made == []
    stack.build(expected=plan)
    assert made == foretold(plan)
    assert len(made) == len(plan.calls) > 30
    for change in CHANGES:
        made.clear()
        for name, value in change.items():
            setattr(stack.deployment, name, value)
        plan = stack.plan()
        assert plan.writes, change
        stack.build(expected=plan)
        assert made == foretold(plan), change
        made.clear()
        again = stack.build()
        assert again.is_empty, str(again)
        assert made == foretold(again) == [], change
    plan = stack.plan_delete()
    stack.delete(confirm=True, expected=plan)
    assert made == foretold(plan)


def test_another_session_finds_what_was_named_otherwise(
    stack: Stack, account: AwsAccount, inventory: Any, made: list[str]
) -> None:
    before = inventory()
    deployment = stack.deployment
    deployment.function_role_name, deployment.function_s3_bucket = "my-own-role", "my-own-bucket-for-soil"
    deployment.function_budget_name = "my own budget"
    stack.build()
    Stack(account, Deployment(function_name="foretold")).delete(confirm=True)
    assert inventory() == before
    assert not stack.plan_delete().writes


def test_a_bucket_that_is_not_wished_any_more_is_kept_and_its_trigger_goes(
    stack: Stack, account: AwsAccount, aws: LocalSession, inventory: Any
) -> None:
    before = inventory()
    stack.deployment.function_s3_bucket = "an-earlier-bucket-for-soil"
    stack.build()
    stack.deployment.function_s3_bucket = ""
    plan = stack.build()
    assert "not used any more" in str(plan)
    left = aws.client("s3").get_bucket_notification_configuration(Bucket="an-earlier-bucket-for-soil")
    assert "LambdaFunctionConfigurations" not in left
    assert stack.plan().is_empty
    Stack(account, Deployment(function_name="foretold")).delete(confirm=True)
    assert inventory() == before


def test_a_fresh_session_takes_away_what_lies_in_an_adopted_bucket(
    account: AwsAccount, aws: LocalSession, package: Package, inventory: Any
) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="the-groups-own-bucket")
    s3.put_object(Bucket="the-groups-own-bucket", Key="theirs.txt", Body=b"theirs")
    before = inventory()
    try:
        deployment = Deployment(
            function_name="adopting",
            function_s3_bucket="the-groups-own-bucket",
            adopt=["the-groups-own-bucket"],
            function_s3_dependencies_key="elsewhere/deps.zip",
        )
        source = Source(
            function_source_dist_zip=package.dist.path, function_source_dependencies_zip=package.dependencies.path
        )
        Stack(account, deployment, source).build()
        plan = Stack(account, Deployment(function_name="adopting")).delete(confirm=True)
        assert plan.results == 0
        assert inventory() == before
    finally:
        for key in ("theirs.txt", "elsewhere/deps.zip"):
            s3.delete_object(Bucket="the-groups-own-bucket", Key=key)
        s3.delete_bucket(Bucket="the-groups-own-bucket")


def test_a_function_that_somebody_gave_another_role_hides_ours_from_nobody(
    stack: Stack, aws: LocalSession, inventory: Any
) -> None:
    before = inventory()
    stack.build()
    iam, functions = aws.client("iam"), aws.client("lambda")
    trust = iam.get_role(RoleName="foretold-us-east-1")["Role"]["AssumeRolePolicyDocument"]
    foreign = iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    try:
        functions.update_function_configuration(FunctionName="foretold", Role=foreign)
        stack.delete(confirm=True)
        assert set(inventory()["roles"]) == {*before["roles"], "theirs"}
    finally:
        iam.delete_role(RoleName="theirs")


@pytest.mark.parametrize("cut", range(1, 9))
def test_renaming_everything_may_be_cut_off_anywhere_and_nothing_is_forgotten(
    stack: Stack, account: AwsAccount, inventory: Any, cut: int
) -> None:
    before = inventory()
    stack.deployment.function_budget_name = "first budget"
    stack.deployment.function_role_name = "first-role"
    stack.deployment.function_s3_bucket = "first-bucket-of-foretold"
    stack.build()
    stack.deployment.function_budget_name = "second budget"
    stack.deployment.function_role_name = "second-role"
    stack.deployment.function_s3_bucket = "second-bucket-of-foretold"
    done: list[object] = []

    def cancelled() -> bool:
        done.append(None)
        return len(done) > cut

    with pytest.raises(errors.CancelledError):
        stack.build(cancelled=cancelled)
    Stack(account, Deployment(function_name="foretold")).delete(confirm=True)
    assert inventory() == before


def test_archives_that_are_not_used_any_more_go_with_the_next_build(
    stack: Stack, aws: LocalSession, made: list[str]
) -> None:
    stack.build()
    s3 = aws.client("s3")
    found = {each.resource.kind: each.resource for each in stack.describe().found}
    bucket, old = found["bucket"].name, "archives/foretold/podpac_dist_0123456789abcdef.zip"
    s3.put_object(Bucket=bucket, Key=old, Body=b"of an earlier build")
    s3.put_object(Bucket=bucket, Key="archives/foretold/notes.txt", Body=b"somebody's")
    plan = stack.plan()
    assert [str(change.resource) for change in plan.writes] == [f"distribution s3://{bucket}/{old}"]
    made.clear()
    stack.build(expected=plan)
    assert made == foretold(plan)
    left = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix="archives/")["Contents"]]
    assert old not in left
    assert "archives/foretold/notes.txt" in left
    assert stack.plan().is_empty
    s3.delete_object(Bucket=bucket, Key="archives/foretold/notes.txt")


def test_what_stays_for_somebody_elses_files_has_none_of_our_rules(stack: Stack, aws: LocalSession) -> None:
    stack.build()
    s3 = aws.client("s3")
    bucket = next(each.resource.name for each in stack.describe().found if each.resource.kind == "bucket")
    s3.put_object(Bucket=bucket, Key="output/foretold/theirs.txt", Body=b"theirs")
    stack.delete(confirm="foretold")
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)
    assert not stack.plan_delete().writes
    s3.delete_object(Bucket=bucket, Key="output/foretold/theirs.txt")
