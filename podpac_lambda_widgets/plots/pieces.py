"""What is cut out of an array to be drawn: a raster, a line, a point."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from podpac_lambda_widgets.plots.axes import Axis

#: Most buckets of a line; of each its lowest and its highest value are drawn, so that no peak is lost.
_BUCKETS = 1000


@dataclass(frozen=True)
class Raster:
    """A plane, ready for a canvas.

    Parameters
    ----------
    values : numpy.ndarray
        float32, shape (rows, columns), the southernmost row and the westernmost column first; NaN is missing. The value
        itself is ``values * scale + offset``. Colours are uint8, shape (rows, columns, 4): red, green, blue, opacity.
    offset, scale : float
        So chosen that float32 holds what most values differ by, however large they all are.
    x_edges, y_edges : numpy.ndarray
        float64, rising: where the cells end, shape (columns + 1,) and (rows + 1,).
    points : tuple of int
        Rows and columns of the array itself.
    """

    values: Any = field(repr=False)
    offset: float
    scale: float
    x_edges: Any = field(repr=False)
    y_edges: Any = field(repr=False)
    points: tuple[int, int]

    @property
    def thinned(self) -> bool:
        """Whether only some of the points are drawn, one for each pixel."""
        rows, columns = self.values.shape[:2]
        return (rows, columns) != self.points


@dataclass(frozen=True)
class Line:
    """Values along one dimension.

    Parameters
    ----------
    axis : Axis
        The dimension.
    x, y : numpy.ndarray
        float64, shape (points,), x rising; y is NaN where there is no value.
    label : str
        What is along y, with units.
    at : float or None
        Where the point that was asked for stands.
    """

    axis: Axis
    x: Any = field(repr=False)
    y: Any = field(repr=False)
    label: str
    at: float | None = None


@dataclass(frozen=True)
class Point:
    """One value and where it is.

    Parameters
    ----------
    column, row : int
        Counted from the west and from the south.
    x, y : float
        Its place along the axes; y is the value itself on a line.
    places : list of (dimension, text)
    value : list of (name, text)
        One entry, or one for each colour.
    index : dict of dimension to int
        Where it is in the array.
    """

    column: int
    row: int
    x: float
    y: float
    places: list[tuple[str, str]]
    value: list[tuple[str, str]]
    index: dict[Hashable, int]


def falls(axis: Axis) -> bool:
    """Whether the first point is the easternmost or northernmost."""
    return axis.positions.size > 1 and bool(axis.positions[0] > axis.positions[-1])


def pick_cells(axis: Axis, most: int) -> tuple[Any, Any]:
    """Indices of the points to draw, from the west or south, and the edges of their cells."""
    size = axis.positions.size
    order = np.arange(size)[::-1] if falls(axis) else np.arange(size)
    edges = axis.edges[::-1] if falls(axis) else axis.edges
    if size <= most:
        return order, edges
    pixels = np.linspace(edges[0], edges[-1], most + 1)
    middles = (pixels[1:] + pixels[:-1]) / 2
    return order[np.clip(np.searchsorted(edges, middles, side="right") - 1, 0, size - 1)], pixels


def thin_line(x: Any, y: Any) -> tuple[Any, Any]:
    """A line with at most two points for each of ``_BUCKETS`` parts: its lowest and its highest, in their order."""
    if x.size <= 2 * _BUCKETS:
        return x, y
    kept: list[int] = []
    for part in np.array_split(np.arange(x.size), _BUCKETS):
        there = part[np.isfinite(y[part])]
        # Where a part has no value, its first point tells so.
        kept += sorted({int(there[np.argmin(y[there])]), int(there[np.argmax(y[there])])}) if there.size else [part[0]]
    return x[kept], y[kept]
