"""A plan's list of calls is the list of calls: tried on the embedded AWS, with everything that may be wished."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

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
    return [call.operation.replace("lock.", "logs.") for call in plan.calls]


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
