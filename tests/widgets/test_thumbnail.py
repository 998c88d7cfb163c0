"""A small picture of a result: whose colours stand where, and how small it is."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import xarray as xr
from PIL import Image

from podpac_lambda_widgets.plots.slices import Slices
from podpac_lambda_widgets.widgets.result_display import COLOURS, ResultDisplay
from podpac_lambda_widgets.widgets.result_thumbnail import MOST_BYTES, draw_thumbnail

NOISE = np.random.default_rng(0)


def pixels(array: xr.DataArray, display: ResultDisplay | None = None) -> Any:
    png = draw_thumbnail(Slices(array), display or ResultDisplay())
    assert 0 < len(png) <= MOST_BYTES
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA")).astype(int)


@pytest.mark.parametrize(
    "values",
    [NOISE.random((180, 180)), NOISE.random((2, 3000)), NOISE.integers(0, 9, (300, 400)), np.eye(2000, dtype=bool)],
)
def test_it_is_small_whatever_is_in_it(values: Any) -> None:
    pixels(xr.DataArray(values, dims=("y", "x")))


def test_cells_are_as_wide_as_they_are_and_what_is_missing_is_clear() -> None:
    found = pixels(xr.DataArray([[0.0, 1, 2], [0, 1, np.nan]], {"y": [0, 1], "x": [0.0, 1, 11]}, ("y", "x")))
    bottom = found[-1]
    counts = [(np.abs(bottom[:, :3] - colour).max(axis=1) < 12).sum() for colour in ([71, 16, 99], [236, 229, 27])]
    assert counts[1] / counts[0] == pytest.approx(10, rel=0.4)
    assert found[0, -1, 3] == 0 and found[-1, -1, 3] == 255


def test_it_has_the_colours_of_the_form() -> None:
    array = xr.DataArray(np.linspace(0, 1, 16).reshape(1, 16).repeat(9, 0), dims=("y", "x"))
    assert pixels(array, ResultDisplay(colour_map="Greys"))[0, 0].min() > 235
    assert pixels(array, ResultDisplay(colour_map="Greys", reversed=True))[0, 0, :3].max() < 20


def test_an_image_is_in_its_own_colours_and_a_line_has_none() -> None:
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 255
    display = ResultDisplay()
    display.offer_shown([COLOURS])
    [corner] = {tuple(each) for each in pixels(xr.DataArray(red, dims=("y", "x", "band")), display).reshape(-1, 4)}
    assert corner[0] >= 240 and corner[1:] == (0, 0, 255)
    assert draw_thumbnail(Slices(xr.DataArray(np.arange(9.0), dims="x")), ResultDisplay()) == b""
