"""The budget of points holds inside a pipeline too, where nodes ask for more than the request did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from podpac_lambda_widgets.errors import PipelineRejectedError
from podpac_lambda_widgets.remote.growth import check_growth
from podpac_lambda_widgets.remote.guard import Policy, check
from podpac_lambda_widgets.remote.wire import Request

podpac = pytest.importorskip("podpac")

SIN = {"node": "core.algorithm.utility.SinCoords"}
GRID: dict[str, Any] = {
    "coords": [
        {"name": "lat", "values": [0.0, 1.0]},
        {"name": "lon", "values": [0.0, 1.0]},
        {"name": "time", "values": ["2018-01-01"]},
    ]
}


def chain(*nodes: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """Each node has the one before it as its source; the first has SinCoords."""
    found: dict[str, Any] = {"n0": SIN}
    for number, (kind, attrs) in enumerate(nodes):
        found[f"n{number + 1}"] = {"node": f"algorithm.{kind}", "attrs": attrs, "inputs": {"source": f"n{number}"}}
    return found


def passes(pipeline: dict[str, Any], max_points: int = 10**6) -> None:
    check(Request(pipeline, GRID), Policy(max_points=max_points))


DAYS = ("ExpandCoordinates", {"time": ["-9,Y", "9,Y", "1,D"]})
WINDOW = {"kernel_type": "gaussian,100,8"}


@pytest.mark.parametrize(
    "pipeline",
    [
        chain(DAYS, DAYS),
        chain(DAYS, ("Mean", {"dims": ["lat"]}), DAYS),
        chain(DAYS, ("SelectCoordinates", {"time": ["2018-01-01", "2018-12-31", "1,D"]})),
        chain(("ExpandCoordinates", {"lat": [-1, 1, 1e-6], "bounds_only": True})),
        chain(("ExpandCoordinates", {"lat": [0, 0, 1e-7], "bounds_only": True})),
        chain(("ExpandCoordinates", {"lat": [-1000, 1000, 0.003]})),
        chain(("SelectCoordinates", {"lat": [0, 9, 0.01], "lon": [0, 9, 0.01], "time": [1.0, 3.0, 1.0]})),
        chain(("Convolution", {**WINDOW, "kernel_dims": ["lat", "lon", "time", "alt"]})),
        chain(("Convolution", {**WINDOW, "kernel_dims": ["lat", "lon", "time"]})),
        chain(
            ("Reproject", {"coordinates": {"coords": [{"name": n, "start": 0, "stop": 1, "size": 900} for n in ("lat",
            "lon")]}}), DAYS,
        ),
    ],
)  # fmt: skip
def test_a_pipeline_that_computes_more_than_the_budget_is_refused(pipeline: dict[str, Any]) -> None:
    with pytest.raises(PipelineRejectedError, match="too many points"):
        passes(pipeline)


@pytest.mark.parametrize(
    "pipeline",
    [
        chain(DAYS),
        chain(("SelectCoordinates", {"time": ["2018-01-01", "2018-12-31", "1,D"]}), DAYS),
        chain(*[("SelectCoordinates", {"time": ["2018-01-01", "2018-12-31", "1,D"]})] * 20),
        chain(*[("ExpandCoordinates", {"time": ["-9,Y", "9,Y", "1,D"], "bounds_only": True})] * 20),
        chain(("Convolution", {**WINDOW, "kernel_dims": ["lat", "lon"]})),
        chain(("Convolution", {"kernel": [[1.0, 2.0]], "kernel_dims": ["lat", "lon"]})),
        # Alternatives do not multiply.
        {
            "a": SIN,
            **{
                f"e{n}": {"node": "algorithm.ExpandCoordinates", "attrs": DAYS[1], "inputs": {"source": "a"}}
                for n in range(9)
            },
        },
    ],
)
def test_a_pipeline_within_the_budget_passes(pipeline: dict[str, Any]) -> None:
    passes(pipeline)


@pytest.mark.parametrize(
    "values",
    [
        ["yesterday", "2018-01-01", "1,D"], ["-1,decade", 0, 1], [0, 1, 0], [0, float("inf"), 1], [float("nan"), 1, 1],
        [None, 1, 1], [True, 1, 1], [{}, 1, 1], ["now"],
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["ExpandCoordinates", "SelectCoordinates"])
def test_a_selection_whose_ends_cannot_be_read_is_refused(kind: str, values: list[Any]) -> None:
    with pytest.raises(PipelineRejectedError, match="selection"):
        passes(chain((kind, {"time": values})))


offsets = st.integers(-20, 20)
expansions = st.tuples(offsets, st.integers(0, 20), st.sampled_from([1, 2, 0.5])).map(
    lambda found: [found[0], found[0] + found[1], found[2]]
)
steps = st.one_of(
    st.tuples(
        st.just("ExpandCoordinates"),
        st.fixed_dictionaries({"lat": expansions, "lon": expansions, "bounds_only": st.booleans()}),
    ),
    st.tuples(st.just("SelectCoordinates"), st.fixed_dictionaries({"lat": expansions})),
    st.tuples(
        st.just("Convolution"),
        st.builds(lambda n: {"kernel_type": f"mean,{n}", "kernel_dims": ["lat", "lon"]}, st.integers(1, 5)),
    ),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(steps, min_size=1, max_size=2))
def test_podpac_never_computes_more_than_was_counted(nodes: list[tuple[str, dict[str, Any]]]) -> None:
    pipeline = chain(*nodes)
    asked: list[int] = []
    plain = podpac.algorithm.SinCoords._eval

    def counting(self: Any, coordinates: Any, *args: Any, **options: Any) -> Any:
        asked.append(coordinates.size)
        return plain(self, coordinates, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(podpac.algorithm.SinCoords, "_eval", counting)
        node = podpac.Node.from_json(json.dumps(pipeline))
        try:
            node.eval(podpac.Coordinates.from_json(json.dumps(GRID)))
        except ValueError:
            # podpac convolves coordinates only where they go one way.
            if not asked:
                return
    check_growth(pipeline, GRID, 10**12)
    with pytest.raises(PipelineRejectedError):
        check_growth(pipeline, GRID, max(asked) - 1)


def written(**sizes: int) -> dict[str, Any]:
    """An array of the machine's own coordinates; its values are never looked at here."""
    coords = [{"name": dim, "start": 0, "stop": 1, "size": size} for dim, size in sizes.items()]
    return {"node": "data.Array", "attrs": {"source": [1.0], "coordinates": {"coords": coords}}}


def sum_of(*names: str) -> dict[str, Any]:
    inputs = {f"v{number}": name for number, name in enumerate(names)}
    return {"node": "algorithm.Arithmetic", "inputs": inputs, "attrs": {"eqn": " + ".join(inputs)}}


def mosaic_of(*names: str) -> dict[str, Any]:
    return {"node": "compositor.OrderedCompositor", "inputs": {"sources": list(names)}}


def combine(**inputs: str) -> dict[str, Any]:
    return {"node": "core.algorithm.generic.Combine", "inputs": inputs}


def expand(source: str, **offsets: list[Any]) -> dict[str, Any]:
    return {"node": "algorithm.ExpandCoordinates", "inputs": {"source": source}, "attrs": offsets}


def select(source: str, **values: list[Any]) -> dict[str, Any]:
    return {"node": "algorithm.SelectCoordinates", "inputs": {"source": source}, "attrs": values}


LONG_AGO = select("a", time=["1700-01-01", "2200-01-01", "365,D"])
TWO_TIMES = {"coords": [{"name": "time", "values": ["1700-01-01", "2200-01-01"]}]}
FAR_TIMES = {"node": "data.Array", "attrs": {"source": [1.0, 2.0], "coordinates": TWO_TIMES}}
RESAMPLE = {"node": "algorithm.ResampleReduce", "inputs": {"source": "s"}, "attrs": {"reduce_fn": "mean"}}


@pytest.mark.parametrize(
    "pipeline",
    [
        {"n0": SIN, **{f"n{n}": sum_of(f"n{n - 1}", f"n{n - 1}") for n in range(1, 30)}},
        {"n0": SIN, **{f"n{n}": sum_of(*[f"n{m}" for m in range(n)]) for n in range(1, 30)}},
        {"a": written(lat=2000), "b": written(lon=2000), "x": sum_of("a", "b")},
        {"a": SIN, "b": select("a", lat=[0, 1, 1e-3]), "c": select("a", lon=[0, 1, 1e-3]), "x": sum_of("b", "c")},
        {
            "a": SIN,
            **{f"b{n}": select("a", lat=[n + 0.1, n + 1, 1e-2]) for n in range(40)},
            **{f"c{n}": select("a", lon=[n + 0.1, n + 1, 1e-2]) for n in range(40)},
            "x": mosaic_of(*[f"{kind}{n}" for kind in "bc" for n in range(40)]),
        },
        {"a": {"node": "data.Array", "attrs": {**written(lat=500, lon=500)["attrs"], "outputs": list("abcdefghi")}}},
        {"a": written(lat=900, lon=900), "x": combine(a="a", b="a")},
        {"a": SIN, "s": LONG_AGO, "x": RESAMPLE | {"attrs": {"resample": "1min", "reduce_fn": "mean"}}},
        {"s": FAR_TIMES, "x": RESAMPLE | {"attrs": {"resample": "1min", "reduce_fn": "mean"}}},
        {
            "a": SIN, "c": written(lat=900_000),
            "x": {"node": "algorithm.ExpandCoordinates", "inputs": {"source": "a", "coordinates_source": "c"},
            "attrs": {"lat": [-9, 9]}},
        },
        {
            "a": SIN, "c": written(lat=900_000), "x": {"node": "algorithm.SelectCoordinates",
            "inputs": {"source": "a", "coordinates_source": "c"}, "attrs": {"lat": [0, 1]}},
        },
        {
            "a": SIN, "c": written(lat=900_000), "x": {"node": "algorithm.Reproject",
            "inputs": {"source": "a", "coordinates": "c"}, "attrs": {"interpolation": "nearest"}},
        },
    ],
)  # fmt: skip
def test_a_pipeline_that_repeats_joins_or_widens_more_than_the_budget_is_refused(pipeline: dict[str, Any]) -> None:
    with pytest.raises(PipelineRejectedError, match="too many points"):
        passes(pipeline)


@pytest.mark.parametrize(
    "pipeline",
    [
        {"n0": SIN, **{f"n{n}": sum_of(f"n{n - 1}", f"n{n - 1}") for n in range(1, 12)}},
        {"a": written(lat=700, lon=700), "b": written(lat=700, lon=700), "x": sum_of("a", "b")},
        {"a": SIN, "s": LONG_AGO, "x": RESAMPLE | {"attrs": {"resample": "MS", "reduce_fn": "mean"}}},
        {"a": SIN, "x": combine(**{f"v{n}": "a" for n in range(100)})},
        {
            "a": SIN, "c": written(lat=900_000),
            "x": {"node": "algorithm.ExpandCoordinates", "inputs": {"source": "a", "coordinates_source": "c"},
            "attrs": {"lat": [-0.001, 0.001]}},
        },
    ],
)  # fmt: skip
def test_equal_coordinates_and_few_repetitions_pass(pipeline: dict[str, Any]) -> None:
    passes(pipeline)


def test_the_budget_is_told_with_the_number() -> None:
    with pytest.raises(PipelineRejectedError, match=r"about 4,000,000 points; this function takes 1,000,000"):
        passes({"a": written(lat=2000), "b": written(lon=2000), "x": sum_of("a", "b")})


values = st.lists(st.integers(0, 9), min_size=2, max_size=5, unique=True).map(
    lambda found: [*map(float, sorted(found))]
)


@st.composite
def joined(draw: st.DrawFn) -> dict[str, Any]:
    """A few arrays and selections, and nodes that join them."""
    nodes: dict[str, Any] = {"n0": SIN}
    for number in range(1, draw(st.integers(2, 6))):
        earlier = st.sampled_from(list(nodes))
        lat, lon = draw(values), draw(values)
        coords = [{"name": "lat", "values": lat}, {"name": "lon", "values": lon}]
        source = [[1.0] * len(lon)] * len(lat)
        nodes[f"n{number}"] = draw(st.sampled_from([
            {"node": "data.Array", "attrs": {"source": source, "coordinates": {"coords": coords}}},
            select(draw(earlier), lat=lat[:1]), select(draw(earlier), lat=[lat[0], lat[-1], 0.5], lon=lon[:1]),
            expand(draw(earlier), lat=[-1, 1, 0.25]), sum_of(draw(earlier), draw(earlier)),
            mosaic_of(draw(earlier), draw(earlier)),
            {"node": "algorithm.Mean", "inputs": {"source": draw(earlier)}, "attrs": {"dims": ["lon"]}},
            combine(a=draw(earlier), b=draw(earlier)),
        ]))  # fmt: skip
    return nodes


@pytest.fixture
def unsafe_evaluation() -> Iterator[None]:
    podpac.settings.allow_unrestricted_code_execution(True)
    yield
    podpac.settings.allow_unrestricted_code_execution(False)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(joined())
def test_no_result_of_podpac_is_larger_than_was_counted(unsafe_evaluation: None, nodes: dict[str, Any]) -> None:
    sizes: list[int] = []
    plain = podpac.Node.eval

    def noting(self: Any, *args: Any, **options: Any) -> Any:
        found = plain(self, *args, **options)
        sizes.append(found.size)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(podpac.Node, "eval", noting)
        try:
            podpac.Node.from_json(json.dumps(nodes)).eval(podpac.Coordinates.from_json(json.dumps(GRID)))
        except Exception:
            # podpac refuses much of what is joined here; what it made until then counts.
            if not sizes:
                return
    check_growth(nodes, GRID, 10**12)
    with pytest.raises(PipelineRejectedError):
        check_growth(nodes, GRID, max(sizes) - 1)
