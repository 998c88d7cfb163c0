"""A small picture of a result, for a notebook that is read where no kernel is."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from podpac_lambda_widgets.widgets.result_display import COLOURS, ResultDisplay, make_scale

if TYPE_CHECKING:
    from podpac_lambda_widgets.plots.slices import Slices

#: Bytes at the most: it is in every saved notebook, of whose 20 kB for the whole Studio the forms take the rest.
MOST_BYTES = 900
#: Pixels along the longer side, the first with which it is small enough.
_SIDES = (64, 48, 32, 24, 16)
#: Few colours make a small file.
_STEPS = 16
#: What a plane that is no map is drawn as wide as it is high.
_WIDE = 1.5


def draw_thumbnail(slices: Slices, display: ResultDisplay) -> bytes:
    """The plane as a PNG of at most ``MOST_BYTES``; nothing for a line or a single value."""
    if len(slices.plane) != 2:
        return b""
    found = (_encode(_paint(slices, display, *_size(slices, side))) for side in _SIDES)
    return next((png for png in found if len(png) <= MOST_BYTES), b"")


def _size(slices: Slices, side: int) -> tuple[int, int]:
    """Width and height; degrees are as high as they are wide."""
    height, width = (slices.axes[dim] for dim in slices.plane)
    ratio = np.ptp(width.edges) / np.ptp(height.edges) if (height.kind, width.kind) == ("lat", "lon") else _WIDE
    ratio = min(max(float(ratio), 0.25), 4.0)
    return (side, max(1, round(side / ratio))) if ratio > 1 else (max(1, round(side * ratio)), side)


def _paint(slices: Slices, display: ResultDisplay, width: int, height: int) -> Any:
    """Red, green, blue and opacity, the uppermost row first: uint8, shape (height, width, 4)."""
    if display.shown == COLOURS:
        raster = slices.photo(width, height)
        width_of_step = 256 // _STEPS
        colours = raster.values.copy()
        colours[..., :3] = colours[..., :3] // width_of_step * width_of_step
    else:
        raster, scale = slices.raster(width, height), make_scale(slices, display)
        part = (raster.values * raster.scale + raster.offset - scale.low) / (scale.high - scale.low)
        table, steps = np.frombuffer(scale.table, np.uint8).reshape(-1, 3), len(scale.classes) or _STEPS
        step = np.floor(np.nan_to_num(part).clip(0, 1) * steps).clip(0, steps - 1)
        colours = np.zeros((*part.shape, 4), np.uint8)
        colours[..., :3] = table[((step + 0.5) / steps * len(table)).astype(int)]
        colours[..., 3] = np.where(np.isnan(part), 0, 255)
    rows, columns = _pixels(raster.y_edges, height), _pixels(raster.x_edges, width)
    return colours[np.ix_(rows[::-1], columns)]


def _pixels(edges: Any, count: int) -> Any:
    """Which cell there is in the middle of each pixel."""
    middles = edges[0] + (np.arange(count) + 0.5) / count * (edges[-1] - edges[0])
    return np.clip(np.searchsorted(edges, middles, side="right") - 1, 0, edges.size - 2)


def _encode(colours: Any) -> bytes:
    from matplotlib.image import imsave

    stream = io.BytesIO()
    named: dict[str, Any] = {"Software": None}  # nothing: the program's name and version take 60 bytes
    imsave(stream, colours, format="png", metadata=named, pil_kwargs={"optimize": True})
    return stream.getvalue()
