"""A grid as it is filled in or drawn, and the coordinates that it stands for."""

from __future__ import annotations

import datetime as dt
import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpac_lambda_widgets.errors import InvalidCoordinatesError, InvalidValueError
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.grid import Grid, check_region, read_grid, region_of
from podpac_lambda_widgets.model.times import count_times, time_dimension
from podpac_lambda_widgets.remote import budget

_LAT = st.floats(-90, 90).map(lambda x: round(x, 3))
_LON = st.floats(-360, 360).map(lambda x: round(x, 3))
_SIZE = st.integers(1, 5000)
_TIMES = st.sampled_from(
    [("", "", ""), ("2018-01-01", "", ""), ("2018-01-01", "2018-03-31", "1,D"), ("2018-03-01", "2018-01-01", "-1,h")]
)


@given(_LAT, _LAT, _SIZE, _LON, _LON, _SIZE, _TIMES)
def test_coordinates_of_a_grid_are_read_back_as_a_grid_of_the_same_points(
    south: float, north: float, rows: int, west: float, east: float, columns: int, times: tuple[str, str, str]
) -> None:
    grid = Grid(
        lat_first=south, lat_last=north, lat_size=rows, lon_first=west, lon_last=east, lon_size=columns,
        time=times[0], time_last=times[1], time_step=times[2],
    )  # fmt: skip
    coordinates = grid.coordinates()
    values = read_grid(coordinates)
    assert values is not None
    assert Grid(**values).coordinates() == coordinates


@pytest.mark.parametrize(
    "coords",
    [
        [{"name": "lat", "values": [1, 2, 5]}, {"name": "lon", "values": [1]}],
        [{"name": "lon", "values": [1]}, {"name": "lat", "values": [1]}],
        [{"name": "lat", "values": [1]}],
        [[{"name": "lat", "values": [1, 2]}, {"name": "lon", "values": [1, 2]}]],
        [{"name": "lat", "values": [1]}, {"name": "lon", "values": [1]}, {"name": "alt", "values": [1]}],
        [{"name": "lat", "values": ["north"]}, {"name": "lon", "values": [1]}],
        [{"name": "lat", "start": 0, "stop": 1, "size": 3}, {"name": "lon", "values": [1]}],
        [{"name": "lat", "start": "a", "stop": 1, "step": 3}, {"name": "lon", "values": [1]}],
    ],
)
def test_coordinates_that_no_grid_stands_for_are_told_apart(coords: list[Any]) -> None:
    assert read_grid(CoordinatesDefinition({"coords": coords, "crs": "EPSG:4326"})) is None


@given(st.floats(-1000, 1000), st.floats(0, 360), _LAT, _LAT)
def test_a_region_begins_between_the_date_lines(west: float, width: float, south: float, north: float) -> None:
    south, north = sorted((south, north))
    found = check_region((west, south, west + width, north))
    assert -180 <= found[0] < 180
    assert found[2] - found[0] == pytest.approx(width, abs=1e-9)


@pytest.mark.parametrize(
    "region",
    [None, [], [1, 2, 3], [0, 0, 1, "1"], [0, 0, float("nan"), 1], [0, -91, 1, 0], [0, 1, 1, 0], [0, 0, 361, 1],
     [True, 0, 1, 1]],
)  # fmt: skip
def test_what_is_no_region_is_refused(region: object) -> None:
    with pytest.raises(InvalidValueError):
        check_region(region)


def test_a_drawn_region_keeps_directions_and_sizes() -> None:
    grid = Grid()
    grid.set_region((170, -10, 200, 20))
    assert (grid.lat_first, grid.lat_last, grid.lon_first, grid.lon_last) == (-10, 20, 200, 170)
    assert (grid.lat_size, grid.lon_size) == (180, 180)
    assert region_of(grid.coordinates()) == pytest.approx((170, -10, 200, 20))


def test_a_region_is_read_of_any_coordinates_that_name_numbers() -> None:
    stacked = [[{"name": "lat", "values": [1, 5]}, {"name": "lon", "values": [190, 200]}]]
    assert region_of(CoordinatesDefinition({"coords": stacked})) == (-170, 1, -160, 5)
    assert region_of(CoordinatesDefinition({"coords": [{"name": "time", "values": ["2018-01-01"]}]})) is None
    assert region_of(CoordinatesDefinition({"coords": [{"name": "lat", "values": [900]}, *stacked[0][1:]]})) is None


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        (("", "2018-01-02", "1,D"), "time", "missing"),
        (("yesterday", "", ""), "time", "not a time"),
        (("2018-13-01", "", ""), "time", "not a time"),
        (("2018-01-01", "", "1,D"), "time_last", "no last time"),
        (("2018-01-01", "later", "1,D"), "time_last", "not a time"),
        (("2018-01-01", "2018-02-01", ""), "time_step", "missing"),
        (("2018-01-01", "2018-02-01", "1"), "time_step", "Not a step"),
        (("2018-01-01", "2018-02-01", "a day"), "time_step", "Not a step"),
        (("2018-01-01", "2018-02-01", "0,D"), "time_step", "zero"),
        (("2018-01-01", "2018-02-01", "-1,D"), "time_step", "away"),
    ],
)
def test_times_that_cannot_be_say_so_by_their_field(typed: tuple[str, str, str], field: str, said: str) -> None:
    with pytest.raises(InvalidCoordinatesError, match=said) as caught:
        time_dimension(*typed)
    assert caught.value.field == field
    assert caught.value.next_step


def test_times_are_counted_as_podpac_counts_them() -> None:
    podpac = pytest.importorskip("podpac")
    # Not hypothesis: it looks into every module, and podpac has some that cannot be loaded.
    random = Random(5)
    for _ in range(60):
        day = dt.date(1980, 1, 1) + dt.timedelta(random.randrange(20_000))
        first, last = str(day), str(day + dt.timedelta(random.randrange(400)))
        step = f"{random.randint(1, 40)},{random.choice('WDhms')}"
        found = time_dimension(first, last, step)
        assert found is not None
        size = podpac.crange(first, last, step).size
        assert budget.points({"coords": [found]}) == size
        assert count_times(found).startswith(f"{size:,} time")
        text = json.dumps({"coords": [found], "crs": "EPSG:4326"})
        assert podpac.Coordinates.from_json(text).size == size


def test_months_have_no_fixed_length_and_are_bounded() -> None:
    found = time_dimension("2018-01-01", "2018-06-30", "1,M")
    assert found is not None
    assert count_times(found) == "up to 7 times"
