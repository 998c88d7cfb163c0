"""Two arrays beside each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from podpac_lambda_widgets.errors import ResultError
from podpac_lambda_widgets.plots.comparison import align, describe_difference, difference


def grid(values: Any = None, lat: Any = (0.0, 10.0), lon: Any = (0.0, 10.0, 20.0), units: str = "mm") -> xr.DataArray:
    values = np.arange(float(len(lat) * len(lon))).reshape(len(lat), len(lon)) if values is None else values
    return xr.DataArray(values, {"lat": list(lat), "lon": list(lon)}, ("lat", "lon"), attrs={"units": units})


def test_an_array_does_not_differ_from_itself() -> None:
    found = difference(grid(), grid())
    assert (found.values == 0).all()
    assert describe_difference(found) == [["Difference", "none: all values are the same"]]


def test_the_other_may_run_the_other_way_and_have_its_dimensions_in_another_order() -> None:
    other = (grid() + 1)[::-1, ::-1].transpose()
    np.testing.assert_array_equal(difference(grid(), other.assign_attrs(units="mm")).values, -np.ones((2, 3)))


def test_points_that_the_other_has_not_are_missing() -> None:
    found = align(grid(), grid(lon=(10.0, 20.0, 30.0)))
    np.testing.assert_array_equal(found.values, [[np.nan, 0, 1], [np.nan, 3, 4]])


def test_two_times_of_one_map_are_compared() -> None:
    times = np.array(["2018-01-01", "2018-01-02"], "datetime64[ns]")
    cube = xr.concat([grid(), grid() * 2], "time").assign_coords(time=times)
    found = difference(cube.isel(time=[1]), cube.isel(time=[0]))
    np.testing.assert_array_equal(found.values, grid().values)
    assert dict(describe_difference(found))["Largest difference"] == "5 mm"


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (xr.DataArray([1.0, 2.0], dims="x"), "different dimensions"),
        (grid(units="m"), "One is in mm, the other in m"),
        (grid(lat=(50.0, 60.0)), "no point in common"),
    ],
)
def test_what_cannot_be_compared_says_why(other: xr.DataArray, why: str) -> None:
    with pytest.raises(ResultError) as caught:
        difference(grid(), other)
    assert why in caught.value.why


def test_dates_differ_in_seconds() -> None:
    dates = xr.DataArray(np.array(["2018-01-01", "2018-01-02"], "datetime64[ns]"), dims="x")
    found = difference(dates, dates.shift(x=0) - np.timedelta64(1, "D"))
    assert found.values.tolist() == [86400, 86400] and found.attrs["units"] == "s"


@given(st.permutations(range(5)), st.permutations(range(4)))
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_others_points_does_not_matter(columns: list[int], rows: list[int]) -> None:
    array = xr.DataArray(np.arange(20.0).reshape(4, 5), {"y": [1.0, 2.0, 4.0, 9.0], "x": np.arange(5) / 3}, ("y", "x"))
    np.testing.assert_array_equal(align(array, array[rows, columns]).values, array.values)
