"""A run is judged by the function that is deployed, not by what another session happens to wish."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
import xarray as xr
from fake_account import FakeAccount, FakeClock

from podpac_lambda_widgets.engine.events import ChangeStarted
from podpac_lambda_widgets.engine.stack import Stack
from podpac_lambda_widgets.errors import (
    AccessDeniedError,
    AwsError,
    ConfirmationRequiredError,
    DeployError,
    InvalidCoordinatesError,
    PermissionsMissingError,
    PipelineRejectedError,
    PlanOutdatedError,
    PlanRefusedError,
    ResourceNotFoundError,
)
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.pipeline import Pipeline
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.packaging.archive import Package
from podpac_lambda_widgets.plan.account import Invocation
from podpac_lambda_widgets.plan.desired import named_function
from podpac_lambda_widgets.plan.names import stack_names
from podpac_lambda_widgets.plan.quotas import LambdaQuotas
from podpac_lambda_widgets.plan.resources import Function, Observed, Resource
from podpac_lambda_widgets.remote.arrays import pack_array
from podpac_lambda_widgets.remote.wire import Answer, encode_answer

POINT = CoordinatesDefinition.parse({"coords": [{"values": [1.0], "name": "lat"}], "crs": "EPSG:4326"})
READS = {"R": {"node": "core.data.rasterio_source.Rasterio", "attrs": {"source": "s3://field-data/a.tif"}}}


class Reached(Exception):
    """The function was called."""


def reach(payload: bytes) -> Invocation:
    raise Reached


def stack_with(**deployed: object) -> Stack:
    """A stack whose wish is the default, and whose deployed function is not."""
    account = FakeAccount(answer=reach)
    deployment = Deployment(function_name="soil")
    function = named_function(stack_names(deployment, account.identity()))
    if deployed:
        found = replace(function, timeout=60, memory=2048, **deployed)
        account.resources[function.kind, function.name] = Observed(found, "soil@eu-west-1")
    return Stack(account, deployment, clock=FakeClock())


def test_data_that_the_deployed_function_may_read_is_not_refused_here() -> None:
    with pytest.raises(Reached):
        stack_with(environment={"FUNCTION_ALLOWED_BUCKETS": "field-data"}).run(Pipeline(READS), POINT)
    with pytest.raises(PipelineRejectedError, match="field-data"):
        stack_with(environment={"FUNCTION_ALLOWED_BUCKETS": "other"}).run(Pipeline(READS), POINT)


def test_points_are_judged_by_the_memory_that_is_deployed() -> None:
    grid = CoordinatesDefinition.grid((0.0, 90.0, 6000), (0.0, 90.0, 6000))
    wave = Pipeline({"S": {"node": "core.algorithm.utility.SinCoords"}})
    with pytest.raises(InvalidCoordinatesError):
        stack_with(environment={}).run(wave, grid)
    large = stack_with(environment={})
    (key,) = large.account.resources  # type: ignore[attr-defined]  # the fake's
    found = large.account.resources[key]  # type: ignore[attr-defined]
    large.account.resources[key] = replace(found, resource=replace(found.resource, memory=10_240))  # type: ignore[attr-defined]
    with pytest.raises(Reached):
        large.run(wave, grid)


def test_a_result_tells_the_architecture_that_it_was_paid_for() -> None:
    stack = stack_with(environment={}, architecture="arm64")
    body = pack_array(xr.DataArray([1.0], {"lat": [1.0]}, ("lat",)))
    frame = encode_answer(Answer(body=body, stored=None, format="arrays", sha256=hashlib.sha256(body).hexdigest()))
    stack.account.answer = lambda payload: Invocation(frame, "", "", "r-1")  # type: ignore[attr-defined]  # the fake's
    wave = Pipeline({"S": {"node": "core.algorithm.utility.SinCoords"}})
    assert stack.run(wave, POINT).architecture == "arm64"
    assert stack.submit(wave, POINT).result(30).architecture == "arm64"


def test_a_bad_pipeline_is_refused_before_the_missing_function_is() -> None:
    with pytest.raises(PipelineRejectedError):
        stack_with().run(Pipeline(READS), POINT)
    with pytest.raises(ResourceNotFoundError, match="Build the function first"):
        stack_with().run(Pipeline({"S": {"node": "core.algorithm.utility.SinCoords"}}), POINT)


def source_in(account: FakeAccount, package: Package) -> Source:
    for name, archive in (("dist.zip", package.dist), ("deps.zip", package.dependencies)):
        account.objects["src", name] = archive.path.read_bytes()
    return Source(
        function_source_dist_zip=package.dist.path, function_source_dependencies_zip=package.dependencies.path
    )


@pytest.fixture
def built(package: Package) -> Stack:
    account = FakeAccount()
    return Stack(account, Deployment(function_name="soil"), source_in(account, package), clock=FakeClock())


@pytest.mark.archive
def test_a_plan_that_was_looked_at_is_done_or_nothing_is(built: Stack) -> None:
    account = built.account
    assert isinstance(account, FakeAccount)
    shown = built.plan()
    built.deployment.function_memory = 512
    with pytest.raises(PlanOutdatedError, match="changed since"):
        built.build(expected=shown)
    assert account.writes == []
    built.build(expected=built.plan())
    assert built.validate()


@pytest.mark.archive
def test_what_settles_between_plan_and_lock_may_be_taken_away(built: Stack) -> None:
    account = built.account
    assert isinstance(account, FakeAccount)
    built.build()
    key = ("function", "soil")
    settled = account.resources[key]
    assert isinstance(settled.resource, Function)
    account.resources[key] = replace(settled, resource=replace(settled.resource, state="Updating"))
    shown = built.plan_delete()
    account.resources[key] = settled
    built.delete(confirm=True, expected=shown)
    assert not built.plan_delete().writes


@pytest.mark.archive
def test_missing_permissions_are_all_named_before_anything_is_written(built: Stack) -> None:
    account = built.account
    assert isinstance(account, FakeAccount)
    account.forbidden = {"iam:PassRole", "s3:TagResource"}
    with pytest.raises(PermissionsMissingError) as caught:
        built.build()
    assert set(caught.value.missing) == {"iam:PassRole", "s3:TagResource"}
    assert "policy_for('deploy')" in caught.value.next_step
    assert account.writes == []
    built.build(preflight=False)
    account.forbidden = None
    assert built.preflight(built.plan_delete()) is None
    built.delete(confirm=True)


@pytest.mark.archive
def test_results_are_lost_only_by_the_stacks_own_name(built: Stack) -> None:
    account = built.account
    assert isinstance(account, FakeAccount)
    built.build()
    names = stack_names(built.deployment, account.identity())
    account.objects[names.bucket, f"output/soil/{'a' * 64}.nc"] = b""
    for word in (False, True, "soll"):
        with pytest.raises(ConfirmationRequiredError, match="1 result") as caught:
            built.delete(confirm=word)
    assert "confirm='soil'" in caught.value.next_step
    built.delete(confirm="soil")
    assert not built.plan_delete().writes


@pytest.mark.archive
def test_what_others_have_stored_is_asked_about_and_left(built: Stack) -> None:
    account = built.account
    assert isinstance(account, FakeAccount)
    built.build()
    bucket = stack_names(built.deployment, account.identity()).bucket
    account.objects[bucket, "field-notes.csv"] = b"theirs"
    assert built.plan_delete().others_objects == 1
    with pytest.raises(ConfirmationRequiredError, match="1 object in it is not ours") as caught:
        built.delete(confirm=True)
    assert "confirm='soil'" in caught.value.next_step
    built.delete(confirm="soil")
    assert [key for key in account.objects if key[0] == bucket] == [(bucket, "field-notes.csv")]
    # Only the bucket is left: there is nothing more to ask about.
    assert not built.plan_delete().asks_for_name
    assert built.delete(confirm=True).is_empty


@pytest.mark.archive
def test_what_is_wrong_is_said_resource_by_resource(built: Stack) -> None:
    account = built.account
    assert isinstance(account, FakeAccount)
    assert set(built.validate().problems.values()) == {("is missing",)}
    built.build()
    assert built.validate(raise_exceptions=True)
    built.deployment.function_memory = 512
    validation = built.validate()
    assert not validation
    assert validation.problems == {"function soil": ("memory: 2048 → 512",)}
    with pytest.raises(DeployError, match="memory: 2048"):
        built.validate(raise_exceptions=True)
    assert "not as they should be" in validation._repr_html_()


@pytest.mark.archive
def test_what_there_is_no_room_for_is_refused_before_anything_is_made(built: Stack) -> None:
    account = built.account
    assert isinstance(account, FakeAccount)
    account.lambda_quotas = LambdaQuotas(10, 10, 10**11, 0)
    built.deployment.function_reserved_concurrency = 5
    with pytest.raises(PlanRefusedError, match="10 in all"):
        built.build()
    assert account.writes == []
    built.deployment.function_reserved_concurrency = None
    built.build()


@pytest.mark.archive
def test_what_is_deployed_never_takes_the_place_of_the_wish(built: Stack) -> None:
    built.build()
    wish = built.deployment
    wish.function_memory, wish.function_timeout = 4096, 900
    before = wish.trait_values()
    plan, _, _ = built.plan(), built.describe(), built.validate()
    assert "4096" in str(plan).replace(",", "")
    built.build()
    assert wish.trait_values() == before
    deployed = built.account.read(named_function(stack_names(wish, built.account.identity())))
    assert deployed is not None
    assert isinstance(deployed.resource, Function)
    assert (deployed.resource.memory, deployed.resource.timeout) == (4096, 900)


@pytest.mark.archive
def test_root_is_warned_of(built: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    account = built.account
    assert "root" not in str(built.plan())
    root = replace(account.identity(), is_root=True)
    monkeypatch.setattr(account, "identity", lambda: root)
    assert "root user" in str(built.plan())
    assert "root user" in built.plan()._repr_html_()


@pytest.mark.archive
def test_what_there_is_can_be_shown_and_what_may_not_be_read_is_said(
    built: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = built.account
    built.deployment.function_triggers = ("S3", "APIGateway", "URL")
    assert {state for _, _, state in built.describe().rows()} == {"not there"}
    built.build()
    text = str(built.describe())
    assert "runs what comes to s3://" in text
    assert "for who may call it in this account" in text
    read = account.read

    def deny_roles(wanted: Resource) -> Observed | None:
        if wanted.kind == "role":
            raise AccessDeniedError("Reading the role is not permitted", action="iam:GetRole")
        return read(wanted)

    monkeypatch.setattr(account, "read", deny_roles)
    assert "could not be looked at (iam:GetRole)" in str(built.describe())
    plan = built.plan_delete()
    # The function stays, for it tells the names of what could not be looked at.
    assert {change.resource.kind for change in plan.writes}.isdisjoint({"function", "role"})
    with pytest.raises(DeployError, match="Not everything") as caught:
        built.delete(confirm=True)
    assert "role" in caught.value.failed
    monkeypatch.undo()
    built.delete(confirm=True)
    assert not built.plan_delete().writes


@pytest.mark.archive
def test_values_of_the_environment_that_are_not_ours_are_never_shown(built: Stack) -> None:
    account = built.account
    assert isinstance(account, FakeAccount)
    built.build()
    key = ("function", "soil")
    function = account.resources[key].resource
    assert isinstance(function, Function)
    secret = {**function.environment, "DB_PASSWORD": "hunter2-secret", "FUNCTION_S3_OUTPUT": "elsewhere"}
    account.resources[key] = replace(account.resources[key], resource=replace(function, environment=secret))
    plan = built.plan()
    validation = built.validate()
    for text in (str(plan), repr(plan), plan.to_json(), plan._repr_html_(), str(validation), validation._repr_html_()):
        assert "hunter2" not in text
        assert "elsewhere" in text or text == repr(plan)
        assert "DB_PASSWORD" in text


@pytest.mark.archive
def test_a_result_that_comes_while_deleting_is_not_lost(built: Stack) -> None:
    account = built.account
    assert isinstance(account, FakeAccount)
    built.build()
    bucket = stack_names(built.deployment, account.identity()).bucket

    def store(event: object) -> None:
        if isinstance(event, ChangeStarted):
            account.objects[bucket, f"output/soil/{'a' * 64}.nc"] = b""

    with pytest.raises(DeployError, match="1 results have come"):
        built.delete(confirm=True, listener=store)
    assert ("bucket", bucket) in account.resources
    built.delete(confirm="soil")


@pytest.mark.archive
def test_what_another_builder_has_made_in_the_meantime_is_not_taken_back(
    built: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = built.account
    assert isinstance(account, FakeAccount)
    other, lock = Stack(account, Deployment(function_name="soil"), built.source, clock=FakeClock()), account.lock

    def lock_late(stack: str) -> object:
        monkeypatch.setattr(account, "lock", lock)
        other.build()
        account.fail_at = {len(account.writes) + 1: AwsError("no")}
        return lock(stack)

    monkeypatch.setattr(account, "lock", lock_late)
    built.deployment.function_memory = 512
    with pytest.raises(DeployError):
        built.build(rollback=True)
    assert {key[0] for key in account.resources} >= {"role", "bucket", "function"}
