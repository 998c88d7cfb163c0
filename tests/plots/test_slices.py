"""What is cut out of an array: planes, lines and points, whichever way its axes run."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from podpac_lambda_widgets.plots.axes import axis_of, degrees_text
from podpac_lambda_widgets.plots.colours import CLASSES, classes_of, colour_table
from podpac_lambda_widgets.plots.pieces import thin_line
from podpac_lambda_widgets.plots.slices import Slices

TIMES = np.array(["2018-01-01", "2018-01-02", "2018-02-01"], "datetime64[ns]")


def cube() -> xr.DataArray:
    return xr.DataArray(
        np.arange(60.0).reshape(3, 4, 5),
        {"time": TIMES, "lat": [60.0, 20.0, -20.0, -60.0], "lon": [0.0, 30.0, 60.0, 90.0, 120.0]},
        ("time", "lat", "lon"),
        name="soil",
        attrs={"units": "mm"},
    )


def numbers(raster: Any) -> Any:
    return raster.values.astype(float) * raster.scale + raster.offset


def test_a_plane_begins_in_the_southwest_whichever_way_the_axes_run() -> None:
    for lat, lon in itertools.product((1, -1), repeat=2):
        array = cube().isel(time=0)[::lat, ::lon]
        raster = Slices(array).raster(100, 100)
        np.testing.assert_allclose(numbers(raster), cube().isel(time=0).sortby("lat").sortby("lon").values, atol=1e-5)
        assert (np.diff(raster.x_edges) > 0).all() and (np.diff(raster.y_edges) > 0).all()


def test_the_map_comes_first_of_all_planes() -> None:
    slices = Slices(cube())
    assert slices.planes[0] == ("lat", "lon") and len(slices.planes) == 3
    assert slices.others == ["time"]


def test_moving_along_time_shows_the_other_plane_and_stops_at_the_end() -> None:
    slices = Slices(cube())
    slices.move("time", 1)
    np.testing.assert_allclose(numbers(slices.raster(9, 9))[::-1], cube().values[1])
    slices.move("time", 99)
    assert slices.index["time"] == 2


def test_cells_end_half_way_between_uneven_points() -> None:
    array = xr.DataArray(np.zeros((2, 3)), {"lat": [0.0, 10.0], "lon": [0.0, 1.0, 11.0]}, ("lat", "lon"))
    assert Slices(array).raster(9, 9).x_edges.tolist() == [-0.5, 0.5, 6.0, 16.0]


def test_a_large_plane_is_thinned_to_the_cells_under_the_middles_of_pixels() -> None:
    array = xr.DataArray(np.arange(1000.0)[None] + np.zeros((4, 1)), dims=("y", "x"))
    raster = Slices(array).raster(10, 10)
    assert raster.thinned and raster.values.shape == (4, 10)
    np.testing.assert_allclose(numbers(raster)[0], np.arange(10) * 100 + 50, atol=1)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_the_value_at_a_place_is_that_of_the_nearest_point(data: Any) -> None:
    places = st.lists(st.integers(-80, 80), min_size=2, max_size=9, unique=True)
    lat, lon = (np.array(data.draw(places.map(lambda each: sorted(each))), float) for _ in range(2))
    falls = data.draw(st.tuples(st.booleans(), st.booleans()))
    lat, lon = (each[::-1] if down else each for each, down in zip((lat, lon), falls, strict=True))
    array = xr.DataArray(np.arange(lat.size * lon.size, dtype=float).reshape(lat.size, lon.size),
                         {"lat": lat, "lon": lon}, ("lat", "lon"))  # fmt: skip
    y, x = (data.draw(st.floats(float(each.min()), float(each.max()))) for each in (lat, lon))
    point = Slices(array).point_at(x, y)
    near = [np.abs(each - place) for each, place in ((lat, y), (lon, x))]
    for distances, dim in zip(near, ("lat", "lon"), strict=True):
        assert distances[point.index[dim]] == pytest.approx(distances.min())
    assert (point.x, point.y) == (lon[point.index["lon"]], lat[point.index["lat"]])


def test_a_point_says_where_it_is_and_what_is_there() -> None:
    slices = Slices(cube())
    slices.move("time", 2)
    point = slices.point_at(31, -19)
    assert point.places == [("Latitude", "20° S"), ("Longitude", "30° E"), ("Time", "2018-02-01")]
    assert point.value == [("soil", "51 mm")]
    assert slices.point(point.column, point.row) == point
    assert slices.point(-5, 99).value == [("soil", "40 mm")]


def test_the_lines_through_a_point_are_along_what_is_not_shown() -> None:
    slices = Slices(cube())
    [line] = slices.profiles(slices.point_at(0, 60))
    assert line.y.tolist() == [0, 20, 40]
    flat = Slices(cube().isel(time=0))
    along, across = flat.profiles(flat.point_at(30, 20))
    assert along.y.tolist() == [5, 6, 7, 8, 9] and along.at == 30
    assert across.y.tolist() == [16, 11, 6, 1] and across.x.tolist() == [-60, -20, 20, 60]


def test_longitudes_go_on_across_the_date_line() -> None:
    array = xr.DataArray(
        np.arange(4.0)[None] + [[0], [9]], {"lat": [0, 1], "lon": [170, 179, -172, -163]}, ("lat", "lon")
    )
    slices = Slices(array)
    assert slices.axes["lon"].positions.tolist() == [170, 179, 188, 197]
    assert slices.point_at(188, 0).places[1] == ("Longitude", "172° W")


def test_points_in_no_order_stand_by_their_count() -> None:
    axis = axis_of(xr.DataArray(np.zeros(3), {"x": [3.0, 1.0, 2.0]}, ("x",)), "x")
    assert axis.kind == "index" and axis.names == ["3", "1", "2"]
    assert axis_of(xr.DataArray(np.zeros(3), dims=("x",)), "x").text_at(1) == "point 2 of 3"


def test_projected_coordinates_are_no_degrees() -> None:
    array = xr.DataArray(np.zeros(2), {"lat": [4_000_000.0, 4_001_000.0]}, ("lat",))
    assert axis_of(array, "lat").kind == "number"


@pytest.mark.parametrize(
    ("degrees", "kind", "text"),
    [(10.5, "lat", "10.5° N"), (-10, "lat", "10° S"), (190, "lon", "170° W"), (180, "lon", "180°"), (0, "lon", "0°")],
)
def test_angles_in_words(degrees: float, kind: str, text: str) -> None:
    assert degrees_text(degrees, kind) == text


def test_large_numbers_keep_their_small_differences() -> None:
    array = xr.DataArray(1e9 + np.arange(6.0).reshape(2, 3) / 1000, dims=("y", "x"))
    np.testing.assert_allclose(numbers(Slices(array).raster(9, 9)) - 1e9, np.arange(6).reshape(2, 3) / 1000, atol=1e-6)


def photo(**more: Any) -> xr.DataArray:
    colours = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [9, 9, 9]]], np.uint8)
    return xr.DataArray(colours, dims=("y", "x", "band"), name="photo", **more)


def test_an_image_is_shown_in_its_colours_with_its_first_row_above() -> None:
    slices = Slices(photo())
    assert slices.is_photo
    raster = slices.photo(10, 10)
    assert raster.values[1].tolist() == [[255, 0, 0, 255], [0, 255, 0, 255]]
    point = slices.point(0, 1, photo=True)
    assert [text for _, text in point.value] == ["255", "0", "0"]


def test_coordinates_say_which_row_of_an_image_is_above() -> None:
    raster = Slices(photo(coords={"y": [0.0, 1.0]})).photo(10, 10)
    assert raster.values[0, 0].tolist() == [255, 0, 0, 255]


def test_three_layers_of_floats_are_no_image_until_someone_says_so() -> None:
    array = xr.DataArray(np.random.default_rng(0).random((4, 5, 3)), dims=("lat", "lon", "layer"))
    slices = Slices(array)
    assert not slices.is_photo and slices.colour_dim == "layer"
    named = array.rename(layer="output").assign_coords(output=["red", "green", "blue"])
    assert Slices(named).is_photo


def test_what_is_missing_in_one_colour_is_seen_through() -> None:
    array = xr.DataArray(np.ones((2, 2, 3)), {"band": ["r", "g", "b"]}, ("y", "x", "band"))
    array[0, 0, 1] = np.nan
    assert Slices(array).photo(5, 5).values[..., 3].tolist() in ([[255, 255], [0, 255]], [[0, 255], [255, 255]])


def test_few_whole_numbers_are_classes() -> None:
    assert classes_of(xr.DataArray([[3, 7], [7, 300]])) == (3, 7, 300)
    assert classes_of(xr.DataArray(np.arange(CLASSES + 1))) == ()
    assert classes_of(xr.DataArray([1.0, 2.0])) == ()
    assert classes_of(xr.DataArray([True])) == (0, 1)
    raster = Slices(xr.DataArray([[3, 7], [7, 300]], dims=("y", "x"))).raster(9, 9)
    assert raster.values.tolist() == [[0, 1], [1, 2]]


def test_a_table_of_classes_has_as_many_colours() -> None:
    assert len(np.unique(colour_table("viridis", 3), axis=0)) == 3
    assert len(np.unique(colour_table("viridis"), axis=0)) > 250
    assert colour_table("viridis")[0].tolist() == colour_table("viridis_r")[-1].tolist()


def test_no_peak_of_a_long_line_is_lost() -> None:
    y = np.zeros(100_000)
    y[54_321], y[77_777] = 5, -5
    x, thinned = thin_line(np.arange(100_000.0), y)
    assert thinned.size <= 2000 and thinned.max() == 5 and thinned.min() == -5
    assert (np.diff(x) > 0).all()


@pytest.mark.parametrize("kind", ["complex", "dates", "spans", "truths", "infinite"])
def test_every_kind_of_value_has_a_plane_and_words(kind: str) -> None:
    values = {
        "complex": np.array([[3 + 4j, 0], [1, np.nan]]),
        "dates": np.array([["2018-01-01", "NaT"], ["2019-01-01", "2020-01-01"]], "datetime64[ns]"),
        "spans": np.array([[1, 2], [3, 4]], "timedelta64[h]").astype("timedelta64[ns]"),
        "truths": np.array([[True, False], [False, True]]),
        "infinite": np.array([[np.inf, 1], [2, -np.inf]]),
    }[kind]
    slices = Slices(xr.DataArray(values, dims=("y", "x")))
    shown = numbers(slices.raster(9, 9))
    first = {"complex": 5, "dates": 1514764800000, "spans": 3600, "truths": 1, "infinite": np.nan}[kind]
    np.testing.assert_allclose(shown[0, 0], first, rtol=1e-5)
    said = {"complex": "3+4j", "dates": "2018-01-01", "spans": "3600 s", "truths": "true", "infinite": "inf"}[kind]
    assert slices.point(0, 0).value[0][1] == said
