"""The budget of points holds inside a pipeline too, where nodes ask for more than the request did."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podpac_lambda_widgets.errors import PipelineRejectedError
from podpac_lambda_widgets.remote.growth import check_growth
from podpac_lambda_widgets.remote.guard import Policy, check
from podpac_lambda_widgets.remote.wire import Request

pytestmark = pytest.mark.filterwarnings("ignore")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
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
