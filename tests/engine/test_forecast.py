"""What a run will take, by the runs before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpac_lambda_widgets.engine.capacity import Capacity, Way, deployed_capacity, wished_capacity
from podpac_lambda_widgets.engine.forecast import MEASURED_POINTS, estimate, forecast, thin
from podpac_lambda_widgets.engine.history import RunRecord
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.examples import EXAMPLES, tutorial_coordinates
from podpac_lambda_widgets.model.pipeline import Pipeline
from podpac_lambda_widgets.plan.run_cost import run_cost
from podpac_lambda_widgets.remote.plain import MAX_BYTES

CAPACITY: Capacity = wished_capacity(Deployment(function_memory=1024, function_timeout=60))


def record(points: int, seconds: float, request_id: str = "r", **more: object) -> RunRecord:
    began = datetime(2026, 11, 27, tzinfo=UTC)
    told = {"outcome": "ok", "billed_ms": round(seconds * 1000), "memory_size": 1024, **more}
    return RunRecord(request_id, began, seconds=seconds, points=points, **told)  # type: ignore[arg-type]


@given(st.floats(0, 5), st.floats(1e-7, 1e-3), st.lists(st.integers(1, 10**6), min_size=2, max_size=10, unique=True))
def test_runs_on_a_line_foretell_the_line(begin: float, slope: float, sizes: list[int]) -> None:
    runs = [record(size, begin + slope * size) for size in sizes]
    wide = max(sizes) > 2 * min(sizes)
    found = estimate(2_000_000, CAPACITY, runs)
    assert found is not None
    if wide:
        assert found.seconds == pytest.approx(begin + slope * 2_000_000, rel=0.05)


@given(
    st.lists(st.tuples(st.integers(1, 10**7), st.floats(0.001, 800)), min_size=1, max_size=30),
    st.integers(1, 10**8),
)
def test_an_estimate_is_never_below_zero_and_grows_with_the_points(runs: list[tuple[int, float]], points: int) -> None:
    told = [record(*run) for run in runs]
    less, more = estimate(points, CAPACITY, told), estimate(2 * points, CAPACITY, told)
    assert less is not None and more is not None
    assert 0 <= less.seconds <= more.seconds * (1 + 1e-9)
    assert less.usd <= more.usd


def test_a_run_with_other_memory_foretells_nothing() -> None:
    other = record(1000, 50.0, memory_size=128)
    assert estimate(1000, CAPACITY, [other]) is None
    found = estimate(1000, CAPACITY, [other, record(1000, 2.0), record(1000, 2.0, memory_size=None)])
    assert found is not None and found.runs == 2 and found.seconds == pytest.approx(2.0)


def test_what_is_done_once_does_not_grow() -> None:
    timings = {"init": 0.0, "dependencies": 1.0, "import": 2.0, "evaluate": 0.4, "encode": 0.1, "upload": 0.0}
    found = estimate(2000, CAPACITY, [record(1000, 3.6, timings=timings)])
    assert found is not None
    # A warm function neither imports nor fetches; 0.1 s beside the parts that are told stay.
    assert found.seconds == pytest.approx(0.1 + 2 * 0.5)
    assert found.usd == pytest.approx(run_cost(1100, 1024), rel=0.01)


def test_runs_of_the_same_pipeline_go_before_others() -> None:
    runs = [record(1000, 9.0, "other"), record(1000, 1.0, "mine")]
    found = estimate(1000, CAPACITY, runs, {"mine"})
    assert found is not None
    assert (found.seconds, found.runs, found.same) == (pytest.approx(1.0), 1, True)
    found = estimate(1000, CAPACITY, runs, {"unknown"})
    assert found is not None
    assert (found.runs, found.same) == (2, False)


def test_without_a_run_that_went_well_there_is_no_estimate() -> None:
    failed = [record(1000, 1.0, outcome="PipelineRejectedError"), replace(record(1, 1.0), points=None)]
    assert estimate(1000, CAPACITY, failed) is None


def test_it_says_whether_it_fits_and_how_it_comes_back() -> None:
    found = forecast(EXAMPLES[0].pipeline, tutorial_coordinates(), CAPACITY)
    assert (found.points, found.size, found.problem, found.through_bucket) == (32_400, 259_200, None, False)
    large = CoordinatesDefinition.grid((0, 1, 1000), (0, 1, 1000))
    assert forecast(EXAMPLES[0].pipeline, large, CAPACITY).through_bucket
    huge = CoordinatesDefinition.grid((0, 1, 10_000), (0, 1, 10_000))
    found = forecast(EXAMPLES[0].pipeline, huge, CAPACITY)
    assert found.filled > 1
    assert found.problem is not None and "too many points" in found.problem.what


def test_a_node_that_is_not_allowed_and_a_way_that_is_not_there_are_problems() -> None:
    found = forecast(Pipeline({"a": {"node": "os.system"}}), tutorial_coordinates(), CAPACITY)
    assert found.problem is not None and "not allowed" in found.problem.what
    found = forecast(EXAMPLES[0].pipeline, tutorial_coordinates(), CAPACITY, "S3")
    assert found.problem is not None and "S3 trigger" in found.problem.what
    triggered = wished_capacity(Deployment(function_triggers=["eval", "S3"]))
    assert forecast(EXAMPLES[0].pipeline, tutorial_coordinates(), triggered, "S3").problem is None


@pytest.mark.parametrize("way", ["eval", "async"])
def test_a_large_request_is_no_problem_and_one_that_the_function_does_not_read_is(way: Way) -> None:
    coordinates = tutorial_coordinates()
    for side, fits in ((400, True), (1400, False)):
        attrs = {"source": [[0.123456789012345] * side] * side, "coordinates": coordinates.definition}
        many = Pipeline({"Array": {"node": "core.data.array_source.Array", "attrs": attrs}})
        found = forecast(many, coordinates, CAPACITY, way).problem
        assert found is None if fits else found is not None and f"{MAX_BYTES:,}" in found.why


_SIDE = st.integers(1, 2000)


@given(_SIDE, _SIDE, st.integers(1, 400))
def test_a_thinned_grid_is_small_and_never_empty(rows: int, columns: int, days: int) -> None:
    times = {"name": "time", "start": "2018-01-01", "stop": f"20{18 + days // 365}-12-31", "step": "1,D"}
    coordinates = CoordinatesDefinition.grid((-90, 90, rows), (0, 180, columns), times=times)
    thinned = thin(coordinates)
    assert 1 <= thinned.points <= min(coordinates.points, 2 * MEASURED_POINTS)


def test_values_and_sizes_are_thinned_too() -> None:
    coords = [{"name": "lat", "values": list(range(5000))}, {"name": "lon", "start": 0, "stop": 1, "size": 5000}]
    assert thin(CoordinatesDefinition.parse({"coords": coords})).points <= 2 * MEASURED_POINTS
    stacked = [[{"name": "lat", "values": list(range(5000))}, {"name": "lon", "values": list(range(5000))}]]
    assert thin(CoordinatesDefinition.parse({"coords": stacked})).points <= 2 * MEASURED_POINTS


def test_what_the_function_says_goes_before_the_wish() -> None:
    from podpac_lambda_widgets.plan.resources import Function

    function = Function(
        name="f", role="", runtime="", architecture="arm64", handler="", description="", memory=512, timeout=9,
        storage=0, environment={"FUNCTION_S3_INPUT": "input"}, tags={}, code_sha256="",
    )  # fmt: skip
    found = deployed_capacity(function)
    assert (found.memory, found.timeout, found.architecture, found.ways) == (512, 9, "arm64", ("eval", "async", "S3"))
