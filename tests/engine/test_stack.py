"""A run is judged by the function that is deployed, not by what another session happens to wish."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fake_account import FakeAccount, FakeClock

from podpac_lambda_widgets.engine.stack import Stack
from podpac_lambda_widgets.errors import InvalidCoordinatesError, PipelineRejectedError, ResourceNotFoundError
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.pipeline import Pipeline
from podpac_lambda_widgets.plan.account import Invocation
from podpac_lambda_widgets.plan.desired import named_resources
from podpac_lambda_widgets.plan.resources import Function, Observed

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
    function = named_resources(deployment, account.identity())[0]
    assert isinstance(function, Function)
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


def test_a_bad_pipeline_is_refused_before_the_missing_function_is() -> None:
    with pytest.raises(PipelineRejectedError):
        stack_with().run(Pipeline(READS), POINT)
    with pytest.raises(ResourceNotFoundError, match="Build the function first"):
        stack_with().run(Pipeline({"S": {"node": "core.algorithm.utility.SinCoords"}}), POINT)
