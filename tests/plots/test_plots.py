"""Arrays as pictures: looked at by their pixels."""

from __future__ import annotations

import io
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from podpac_lambda_widgets import plots
from podpac_lambda_widgets.plots.colours import COLOUR_MAP

LAT = [-60.0, -20.0, 20.0, 60.0]
LON = [0.0, 30.0, 60.0, 90.0, 120.0]


def raster(values: Any = None, dims: tuple[str, str] = ("lat", "lon"), **coords: Any) -> xr.DataArray:
    coords = {"lat": LAT, "lon": LON} | coords
    if values is None:
        values = np.arange(20.0).reshape(4, 5)
    return xr.DataArray(values, {name: coords[name] for name in dims}, dims, name="soil", attrs={"units": "mm"})


def pixels(figure: Any) -> Any:
    return np.asarray(Image.open(io.BytesIO(plots.render_png(figure))).convert("RGB")).astype(int)


def colour_at(figure: Any, image: Any, x: float, y: float) -> Any:
    """The pixel of the picture where the data point (x, y) is drawn."""
    axes = figure.axes[0]
    column, row = axes.transData.transform((x, y)) * plots.PNG_DPI / figure.dpi
    return image[image.shape[0] - 1 - round(row), round(column)]


def expected(value: float, low: float, high: float) -> Any:
    colours = mpl.colormaps[COLOUR_MAP]
    return np.array(colours((value - low) / (high - low))[:3]) * 255


def texts(figure: Any) -> str:
    axes = figure.axes[0]
    found = [text.get_text() for text in axes.texts]
    return " ".join([axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel(), *found]).replace("\n", " ")


@pytest.mark.parametrize("flip_lat", [False, True])
@pytest.mark.parametrize("flip_lon", [False, True])
@pytest.mark.parametrize("transposed", [False, True])
def test_every_value_has_its_colour_where_its_coordinates_are(flip_lat: bool, flip_lon: bool, transposed: bool) -> None:
    array = raster()
    if flip_lat:
        array = array.isel(lat=slice(None, None, -1))
    if flip_lon:
        array = array.isel(lon=slice(None, None, -1))
    if transposed:
        array = array.transpose()
    figure = plots.draw(array)
    image = pixels(figure)
    for lat in LAT:
        for lon in LON:
            value = float(array.sel(lat=lat, lon=lon))
            np.testing.assert_allclose(colour_at(figure, image, lon, lat), expected(value, 0, 19), atol=3)


def test_north_is_up_and_east_is_right() -> None:
    figure = plots.draw(raster().isel(lat=slice(None, None, -1)))
    low, high = figure.axes[0].get_ylim()
    left, right = figure.axes[0].get_xlim()
    assert low < high
    assert left < right


def test_cells_lie_around_their_points_when_steps_differ() -> None:
    figure = plots.draw(raster(lat=[0.0, 10.0, 30.0, 70.0]))
    np.testing.assert_allclose(figure.axes[0].get_ylim(), (-5, 90))


def test_axes_colour_bar_and_title_are_named_with_units() -> None:
    array = raster().expand_dims(time=[np.datetime64("2018-01-01", "ns")])
    figure = plots.draw(array)
    assert texts(figure) == "soil · time = 2018-01-01 Longitude (°) Latitude (°)"
    assert figure.axes[1].get_ylabel() == "soil (mm)"


def test_missing_values_are_left_blank() -> None:
    values = np.arange(20.0).reshape(4, 5)
    values[1, 2] = np.nan
    figure = plots.draw(raster(values))
    red, green, blue = colour_at(figure, pixels(figure), LON[2], LAT[1])
    assert red > 220
    assert abs(red - green) < 8
    assert abs(green - blue) < 8


def test_robust_limits_leave_out_what_stands_alone() -> None:
    values = np.ones((40, 50)) * np.linspace(0, 1, 50)
    values[0, 0] = 1e6
    array = xr.DataArray(values, dims=("y", "x"))
    assert plots.draw(array).axes[0].collections[0].get_clim()[1] == 1e6
    assert plots.draw(array, robust=True).axes[0].collections[0].get_clim()[1] < 1.01


def test_one_dimension_is_a_line() -> None:
    array = raster().isel(lon=0)
    figure = plots.draw(array)
    x, y = figure.axes[0].lines[0].get_data()
    np.testing.assert_array_equal(x, LAT)
    np.testing.assert_array_equal(y, array)
    assert "Latitude (°) soil (mm)" in texts(figure)


def test_no_dimension_is_a_number() -> None:
    assert "3.5 mm" in texts(plots.draw(xr.DataArray(3.5, name="soil", attrs={"units": "mm"})))


def test_time_is_drawn_as_dates() -> None:
    times = np.array(["2018-01-01", "2018-01-02", "2018-01-05"], "datetime64[ns]")
    figure = plots.draw(xr.DataArray([1.0, 2.0, 3.0], {"time": times}, ("time",)))
    pixels(figure)
    assert any("Jan" in label.get_text() for label in figure.axes[0].get_xticklabels()) or "Jan" in str(
        figure.axes[0].xaxis.get_offset_text().get_text()
    )


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (raster(np.full((4, 5), np.nan)), "Every value of the result is missing"),
        (xr.DataArray(np.zeros((0, 3)), dims=("lat", "lon")), "has no values: lat has no points"),
        (xr.DataArray(np.zeros((2, 3, 4)), dims=("lat", "lon", "time")), "has 3 dimensions (lat, lon, time)"),
        (xr.DataArray(np.zeros((2,) * 5), dims=list("abcde")), "has 5 dimensions"),
        (xr.DataArray(["a", "b"], dims="x"), "which are no numbers"),
        (xr.DataArray(np.array([None, "x"], object), dims="x"), "which are no numbers"),
        (xr.DataArray(np.full(3, np.datetime64("NaT", "ns")), dims="x"), "missing"),
        (xr.DataArray([np.inf, -np.inf], dims="x"), "missing"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_a_sentence(array: xr.DataArray, sentence: str) -> None:
    figure = plots.draw(array)
    assert sentence in texts(figure)
    if "dimensions" not in sentence:
        assert sentence in plots.describe_in_words(array)
    image = pixels(figure)
    assert (image < 128).any()
    assert plots.describe(array)


@pytest.mark.parametrize(
    "values",
    [
        np.array([[1 + 2j, 3 - 4j], [0, 1j]]),
        np.array([[True, False], [False, True]]),
        np.array([["2018-01-01", "2019-01-01"], ["NaT", "2020-01-01"]], "datetime64[ns]"),
        np.array([[1, 2], [3, 4]], "timedelta64[s]"),
        np.array([[5, 5], [5, 5]]),
        np.array([[0, 0], [0, 0]], "uint8"),
        np.array([[1e-320, 1e300], [-1e300, np.inf]]),
        np.array([[1, 2], [3, 4]], "float16"),
    ],
)
def test_any_kind_of_number_is_drawn(values: Any) -> None:
    array = xr.DataArray(values, {"lat": [0.0, 1.0], "lon": [0.0, 1.0]}, ("lat", "lon"))
    image = pixels(plots.draw(array))
    assert len(np.unique(image.reshape(-1, 3), axis=0)) > 20
    assert plots.describe(array)
    assert plots.describe_in_words(array)


def test_text_is_never_read_as_mathematics() -> None:
    array = raster().rename("$\\frac{")
    array.attrs["units"] = "$\\bad{"
    pixels(plots.draw(array))


@pytest.mark.parametrize("coordinate", [["a", "b"], [np.nan, 1.0], [1.0, 1.0], [2.0, 1.0], [None, None]])
def test_coordinates_of_any_kind_are_drawn(coordinate: list[Any]) -> None:
    array = xr.DataArray(np.arange(4.0).reshape(2, 2), {"x": coordinate, "lat": [0.0, 1.0]}, ("x", "lat"))
    pixels(plots.draw(array))
    pixels(plots.draw(array.isel(lat=0)))


@settings(max_examples=20, deadline=None)
@given(
    shape=st.lists(st.integers(0, 4), min_size=0, max_size=4),
    dtype=st.sampled_from(["f8", "f4", "i2", "u8", "?", "c16", "M8[ns]", "m8[ns]", "U3"]),
)
def test_no_array_makes_it_raise(shape: list[int], dtype: str) -> None:
    array = xr.DataArray(np.zeros(shape, dtype), dims=["lat", "lon", "time", "alt"][: len(shape)])
    assert plots.draw(array) is not None
    assert plots.describe(array)
    assert plots.describe_in_words(array)


def test_numbers_in_words() -> None:
    array = raster()
    array[0, 0] = np.nan
    facts = dict(tuple(fact) for fact in plots.describe(array))
    assert facts == {
        "Shape": "4 lat × 5 lon",
        "Units": "mm",
        "Minimum": "1",
        "Mean": "10",
        "Median": "10",
        "Standard deviation": "5.47723",
        "Maximum": "19",
        "Missing values": "1 of 20",
    }
    assert plots.describe_in_words(array) == "Map of soil over lat and lon, from 1 to 19 mm."


def test_equal_arrays_give_equal_pictures() -> None:
    assert plots.render_png(plots.draw(raster())) == plots.render_png(plots.draw(raster().copy()))


def test_pyplot_and_the_users_style_are_left_alone() -> None:
    before = dict(mpl.rcParams)
    plots.render_png(plots.draw(raster()))
    assert plt.get_fignums() == []
    assert dict(mpl.rcParams) == before
