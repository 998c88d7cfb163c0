"""Counting points without podpac."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpac_lambda_widgets.errors import InvalidCoordinatesError
from podpac_lambda_widgets.remote.budget import points
from podpac_lambda_widgets.remote.coordinates import check_coordinates

podpac = pytest.importorskip("podpac")

values = st.lists(st.integers(-80, 80).map(float), min_size=1, max_size=9, unique=True)
sizes = st.integers(2, 50)
steps = st.integers(1, 400).map(lambda number: number / 8)


def linear(name: str) -> st.SearchStrategy[Any]:
    low, high = st.integers(-80, 0).map(float), st.integers(1, 80).map(float)
    return (
        values.map(lambda found: {"name": name, "values": found})
        | st.builds(lambda a, b, n: {"name": name, "start": a, "stop": b, "size": n}, low, high, sizes)
        | st.builds(lambda a, b, d: {"name": name, "start": a, "stop": b, "step": d}, low, high, steps)
        | st.builds(lambda a, b, d: {"name": name, "start": b, "stop": a, "step": -d}, low, high, steps)
    )


units = st.sampled_from(["D", "h", "m", "s"])
times = st.builds(
    lambda day, length, unit, count: {
        "name": "time", "start": f"2018-01-{day:02}", "stop": f"2018-01-{day + length:02}", "step": f"{count},{unit}",
    },
    st.integers(1, 10), st.integers(1, 3), units, st.integers(1, 48).map(lambda count: count * 37),
)  # fmt: skip


@given(st.tuples(linear("lat"), linear("lon"), times) | st.tuples(linear("lon")) | st.tuples(times))
def test_the_count_is_podpacs_or_one_more_a_dimension(coords: tuple[dict[str, Any], ...]) -> None:
    definition = {"coords": list(coords)}
    exact = podpac.Coordinates.from_definition(definition)
    assert points(definition) >= exact.size
    for item, size in zip(coords, exact.shape, strict=True):
        assert size <= points({"coords": [item]}) <= size + 1


@pytest.mark.parametrize(
    ("coords", "expected"),
    [
        ([], 1),
        ([{"name": "lat", "values": []}], 0),
        ([{"name": "lat", "values": 5.0}], 1),
        ([[{"name": "lat", "values": [1, 2, 3]}, {"name": "lon", "values": [1, 2, 3]}]], 3),
        ([[{"name": "lat", "values": [[1, 2], [3, 4]]}, {"name": "lon", "values": [[1, 2], [3, 4]]}]], 4),
        ([{"geotransform": [0, 1, 0, 0, 0, 1], "shape": [30, 40]}], 1200),
        ([{"name": "time", "start": "2018-01-01", "stop": "2018-12-31", "step": "1,D"}], 365),
        ([{"name": "time", "start": "2018-01-01T00:00:00", "stop": "2018-01-01T01:00:00", "step": "1,m"}], 61),
        ([{"start": 90, "stop": -90, "step": -0.25}, {"start": 0, "stop": 1, "size": 7}], 721 * 7),
    ],
)  # fmt: skip
def test_every_form_of_coordinates_is_counted(coords: list[Any], expected: int) -> None:
    assert points({"coords": coords}) == expected


def test_the_tutorials_grid_has_32400_points() -> None:
    coords = podpac.Coordinates(
        [podpac.clinspace(-90, 90, 180), podpac.clinspace(90, -90, 180), "2018-01-01"], ["lat", "lon", "time"]
    )
    assert points(json.loads(coords.json)) == 32_400


@pytest.mark.parametrize(
    "item",
    [
        {}, [], "lat", 5, None, {"name": "lat"}, {"start": 0, "stop": 1}, {"start": 0, "stop": 1, "step": 1, "size": 2},
        {"start": 0, "stop": 1, "step": "1,fortnight"}, {"start": "yesterday", "stop": 1, "step": 1},
        {"start": "2018-02-30", "stop": "2018-03-30", "step": "1,D"}, {"start": 0, "stop": 1, "size": 2.5},
        {"start": float("inf"), "stop": 1, "step": 1}, {"start": 0, "stop": 1, "step": float("nan")},
        {"geotransform": [], "shape": [1.5]}, {"geotransform": [], "shape": 5}, {"start": True, "stop": 2, "step": 1},
    ],
)  # fmt: skip
def test_what_is_not_coordinates_is_refused(item: object) -> None:
    if item == []:
        assert points({"coords": [item]}) == 0
        return
    with pytest.raises(InvalidCoordinatesError):
        points({"coords": [item]})


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([1.0, "2018-01-01"], "several kinds"), ([True, 1], "several kinds"), ([None], "several kinds"),
        (["2018-01-01T00:00:00+01:00", "2018-01-01T00:00:00Z"], "time zone"),
        ([["2018-01-01 00:00-0530"]], "time zone"), (["2018-01-01T00-08"], "time zone"),
    ],
)  # fmt: skip
def test_values_of_several_kinds_or_zones_are_refused(values: list[Any], why: str) -> None:
    for item in ({"name": "time", "values": values}, [{"name": "time", "values": values}]):
        with pytest.raises(InvalidCoordinatesError, match=why):
            check_coordinates({"coords": [item]}, 100)


@pytest.mark.parametrize(
    "values",
    [
        [1, 2.5], ["2018-01-01", "2018-01-02T03:04:05.678901234"], ["2018-01-01T00:00:00Z"], [[1, 2], [3, 4]], "1,D",
        ["T0" * 8000], ["T+" * 8000], [], 5.0,
    ],
    ids=lambda values: str(values)[:20],
)  # fmt: skip
def test_numbers_and_times_of_one_kind_pass(values: Any) -> None:
    check_coordinates({"coords": [{"name": "time", "values": values}]}, 100)
