"""A published version behind an alias: one at a time, ours alone, and the one that is called.

The embedded AWS takes no snapshots: a version starts there as any other. It checks what Lambda checks of SnapStart.
"""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.engine.stack import Stack
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.plan.changes import Create, Delete, Keep, Plan, Refuse, Update
from podpac_lambda_widgets.plan.snapshot import ALIAS, Snapshot, settings_digest

pytestmark = pytest.mark.local_aws

NAME = "snapped"
#: Small archives that pass inspection.
PAIR = runpy.run_path(str(Path(__file__).parents[1] / "packaging" / "conftest.py"))["Pair"]
FOR_SNAPSHOTS = {"python": "3.12", "runtime": "python3.12"}


@pytest.fixture
def made(aws: LocalSession) -> Iterator[list[str]]:
    """The writing calls, as they are made."""
    calls: list[str] = []

    def remember(model: Any, **_: object) -> None:
        if not model.name.startswith(("Get", "List", "Describe", "Head", "Simulate")):
            calls.append(f"{model.service_model.service_name}.{model.name}")

    aws.events.register("before-call", remember)
    yield calls
    aws.events.unregister("before-call", remember)


@pytest.fixture
def stack(aws: LocalSession, tmp_path: Path, made: list[str]) -> Iterator[Stack]:
    pair = PAIR(tmp_path)
    pair.dist_changes, pair.dependencies_changes = dict(FOR_SNAPSHOTS), dict(FOR_SNAPSHOTS)
    pair.write()
    source = Source(function_source_dist_zip=pair.dist, function_source_dependencies_zip=pair.dependencies)
    found = Stack(AwsAccount(aws), Deployment(function_name=NAME, function_snap_start=True), source)
    yield found
    found.delete(confirm=NAME)


def versions(aws: LocalSession) -> list[str]:
    found = aws.client("lambda").list_versions_by_function(FunctionName=NAME)["Versions"]
    return [version["Version"] for version in found if version["Version"] != "$LATEST"]


def alias(aws: LocalSession) -> str:
    return str(aws.client("lambda").get_alias(FunctionName=NAME, Name=ALIAS)["FunctionVersion"])


def change_of(plan: Plan) -> Any:
    (found,) = [change for change in plan.changes if isinstance(change.resource, Snapshot)]
    return found


def build(stack: Stack, made: list[str]) -> Plan:
    """Build, and see that the calls are those foretold."""
    plan = stack.plan()
    made.clear()
    stack.build(expected=plan)
    assert made == [call.api for call in plan.calls]
    assert stack.plan().is_empty
    return plan


def test_a_build_publishes_one_version_and_the_next_none(aws: LocalSession, stack: Stack, made: list[str]) -> None:
    plan = build(stack, made)
    assert isinstance(change_of(plan), Create)
    assert versions(aws) == [alias(aws)] == ["1"]
    config = aws.client("lambda").get_function_configuration(FunctionName=NAME, Qualifier=ALIAS)
    assert config["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}
    assert config["Description"] == f"{NAME}@us-east-1"


def test_what_a_version_keeps_is_published_again_and_the_old_one_goes(
    aws: LocalSession, stack: Stack, made: list[str]
) -> None:
    build(stack, made)
    stack.deployment.function_memory = 512
    assert isinstance(change_of(build(stack, made)), Update)
    assert versions(aws) == [alias(aws)] == ["2"]
    assert aws.client("lambda").get_function_configuration(FunctionName=NAME, Qualifier=ALIAS)["MemorySize"] == 512


def test_what_a_version_does_not_keep_publishes_nothing(aws: LocalSession, stack: Stack, made: list[str]) -> None:
    build(stack, made)
    stack.deployment.function_reserved_concurrency = 3
    stack.deployment.function_tags = {"project": "soil"}
    assert isinstance(change_of(build(stack, made)), Keep)
    assert versions(aws) == ["1"]


def test_versions_that_others_published_stay(aws: LocalSession, stack: Stack, made: list[str]) -> None:
    build(stack, made)
    client = aws.client("lambda")
    client.update_function_configuration(FunctionName=NAME, Description="theirs")
    theirs = client.publish_version(FunctionName=NAME, Description="theirs")["Version"]
    stack.deployment.function_memory = 512
    build(stack, made)
    assert versions(aws) == [theirs, alias(aws)]
    stack.deployment.function_snap_start = False
    assert isinstance(change_of(build(stack, made)), Delete)
    assert versions(aws) == [theirs]


@pytest.mark.parametrize("memory", [1024, 2048], ids=["another", "the same"])
def test_a_run_cut_before_the_alias_is_overcome(aws: LocalSession, stack: Stack, made: list[str], memory: int) -> None:
    stack.deployment.function_memory = 2048
    build(stack, made)
    aws.client("lambda").delete_alias(FunctionName=NAME, Name=ALIAS)
    stack.deployment.function_memory = memory
    build(stack, made)
    assert versions(aws) == [alias(aws)]


def test_a_failed_version_is_made_anew(aws: LocalSession, stack: Stack, made: list[str], faults: Any) -> None:
    build(stack, made)

    def fail(parsed: dict[str, Any], **_: Any) -> None:
        if parsed.get("Version") == "1":
            parsed["State"] = "Failed"

    faults.hook("after-call.lambda.GetFunctionConfiguration", fail)
    fresh = Stack(AwsAccount(aws), stack.deployment, stack.source)
    build(fresh, made)
    assert versions(aws) == [alias(aws)] == ["2"]


def test_somebody_elses_alias_is_refused(aws: LocalSession, stack: Stack, made: list[str]) -> None:
    stack.deployment.function_snap_start = False
    stack.build()
    aws.client("lambda").create_alias(FunctionName=NAME, Name=ALIAS, FunctionVersion="$LATEST", Description="mine")
    stack.deployment.function_snap_start = True
    made.clear()
    plan = stack.plan()
    assert isinstance(change_of(plan), Refuse)
    with pytest.raises(errors.PlanRefusedError, match=ALIAS):
        stack.build()
    assert made == []
    stack.deployment.function_snap_start = False


def test_the_snapshot_is_what_is_called(
    aws: LocalSession, stack: Stack, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    build(stack, made)
    fresh = Stack(AwsAccount(aws), Deployment(function_name=NAME))
    assert fresh._called(fresh._read_deployed()[0]) == f"{NAME}:{ALIAS}"
    stack.deployment.function_snap_start = False
    build(stack, made)
    fresh = Stack(AwsAccount(aws), Deployment(function_name=NAME))
    assert fresh._called(fresh._read_deployed()[0]) == NAME


def test_its_price_is_told(stack: Stack) -> None:
    stack.deployment.function_memory = 2048
    plan = stack.plan()
    assert plan.idle_cost is not None
    assert plan.idle_cost.snapshot_mb == 2048
    # 2 GB for 30 days at the list price.
    assert plan.idle_cost.usd == pytest.approx(2 * 0.0000015046 * 30 * 86_400, abs=0.01)
    assert "SnapStart's snapshot of 2,048 MB" in str(plan)


@pytest.mark.parametrize(
    ("traits", "told"),
    [({"function_ephemeral_storage": 1024}, "1,024"), ({"function_runtime": "python3.11"}, "python3.11")],
)
def test_what_snap_start_does_not_take_is_told_before_any_call(
    stack: Stack, made: list[str], traits: dict[str, Any], told: str
) -> None:
    for name, value in traits.items():
        setattr(stack.deployment, name, value)
    with pytest.raises(errors.PodpacLambdaError, match=told):
        stack.plan()
    assert made == []


def test_a_digest_tells_what_a_version_keeps_and_nothing_else(stack: Stack) -> None:
    (function,) = [change.resource for change in stack.plan().changes if change.resource.kind == "function"]
    same = settings_digest(function)
    for field, value in {"tags": {"a": "b"}, "description": "x", "reserved_concurrency": 3}.items():
        assert settings_digest(replace(function, **{field: value})) == same
    for field, value in {"memory": 1, "environment": {}, "code_sha256": "0", "handler": "a.b", "role": "r"}.items():
        assert settings_digest(replace(function, **{field: value})) != same
