"""An array of any number of dimensions, looked at one plane or line at a time.

What a canvas needs is little: as many values as it has pixels, and where their cells end. Both are cut out of the array
by numpy alone, in milliseconds, however large the array is.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from podpac_lambda_widgets.plots.axes import Axis, axis_of
from podpac_lambda_widgets.plots.colours import classes_of
from podpac_lambda_widgets.plots.figure import orient
from podpac_lambda_widgets.plots.pieces import Line, Point, Raster, falls, pick_cells, thin_line
from podpac_lambda_widgets.plots.values import Statistics, measure, numbers_of, text_of, units_of, value_label

if TYPE_CHECKING:
    import xarray as xr

#: Dimensions along which no colours lie.
_PLACES = ("lat", "lon", "time", "alt")
_COLOUR_NAMES = ({"r", "g", "b"}, {"red", "green", "blue"})
_BANDS = (3, 4)


class Slices:
    """An array, the plane of it that is looked at, and where the plane lies along the other dimensions.

    Parameters
    ----------
    array : xarray.DataArray
        At least one value; any number of dimensions.

    Attributes
    ----------
    plane : tuple of dimensions
        The one that goes up and the one that goes along; one alone for a line; none for a single value.
    index : dict of dimension to int
        Where the plane lies along the other dimensions.
    """

    def __init__(self, array: xr.DataArray) -> None:
        self.array = array
        self._raw = np.asarray(array.values)
        self.axes = {dim: axis_of(array, dim) for dim in array.dims}
        self.index: dict[Hashable, int] = dict.fromkeys(array.dims, 0)
        self.plane: tuple[Hashable, ...] = self.planes[0]
        if self.is_photo:
            self._begin_above(self.plane[0])

    @cached_property
    def statistics(self) -> Statistics | None:
        """Statistics of the whole array."""
        return measure(self.array)

    @cached_property
    def has_infinite(self) -> bool:
        """Whether any value is infinite."""
        return self.array.dtype.kind in "fc" and bool(np.isinf(self.array.values).any())

    @cached_property
    def classes(self) -> tuple[int, ...]:
        """Its values, where they are classes."""
        return classes_of(self.array)

    @cached_property
    def label(self) -> str:
        """What the values are, with units."""
        return value_label(self.array)

    @cached_property
    def planes(self) -> list[tuple[Hashable, ...]]:
        """The planes that can be looked at, the most natural one first."""
        dims = [dim for dim, size in self.array.sizes.items() if size > 1]
        if len(dims) < 2:
            return [tuple(dims)]
        pairs = [orient(*pair) for pair in itertools.combinations(dims, 2)]
        # The map first; else what varies fastest, as an image is stored.
        pairs.reverse()
        return sorted(pairs, key=lambda pair: (set(pair) != {"lat", "lon"}, self.colour_dim in pair))

    @property
    def others(self) -> list[Hashable]:
        """Dimensions of more than one point along which the plane can be moved."""
        return [dim for dim, size in self.array.sizes.items() if size > 1 and dim not in self.plane]

    @cached_property
    def colour_dim(self) -> Hashable | None:
        """A dimension of three or four points that may be red, green, blue (and opacity); else None."""
        wide = [dim for dim, size in self.array.sizes.items() if size > 1]
        if len(wide) < 3 or self.array.dtype.kind not in "biuf":
            return None
        found = [dim for dim in wide if self.array.sizes[dim] in _BANDS and dim not in _PLACES]
        named = [dim for dim in found if self._names_colours(dim)]
        return (named or found)[-1] if found else None

    @property
    def is_photo(self) -> bool:
        """Whether the array says itself that it is red, green and blue."""
        dim = self.colour_dim
        if dim is None:
            return False
        return self._names_colours(dim) or self.array.dtype == np.uint8

    def _names_colours(self, dim: Hashable) -> bool:
        values = self.axes[dim].values
        return values is not None and {str(name).lower() for name in values[:3]} in _COLOUR_NAMES

    def move(self, dim: Hashable, index: int) -> None:
        """Move the plane along one of the other dimensions, to its end at most."""
        self.index[dim] = min(max(int(index), 0), self.array.sizes[dim] - 1)

    def raster(self, width: int, height: int) -> Raster:
        """The plane, with at most ``width`` columns and ``height`` rows, each that of the pixel's middle."""
        rows, y_edges = pick_cells(self.axes[self.plane[0]], height)
        columns, x_edges = pick_cells(self.axes[self.plane[1]], width)
        numbers = self._numbers(self._cut(self.plane)[np.ix_(rows, columns)])
        offset, scale = self._range()
        with np.errstate(over="ignore", invalid="ignore"):
            values = ((numbers - offset) / scale).astype(np.float32)
        return Raster(values, offset, scale, x_edges, y_edges, self._points())

    def photo(self, width: int, height: int) -> Raster:
        """The plane with the colour dimension as colours; floats are scaled by what is robust of all values."""
        dim = self.colour_dim
        rows, y_edges = pick_cells(self.axes[self.plane[0]], height)
        columns, x_edges = pick_cells(self.axes[self.plane[1]], width)
        bands = self._cut((*self.plane, dim))[np.ix_(rows, columns)]
        found = self.statistics
        numbers = numbers_of(bands)
        if self.array.dtype != np.uint8 and found is not None:
            low, high = (found.minimum, found.maximum) if found.low == found.high else (found.low, found.high)
            numbers = (numbers - low) / (high - low if high > low else 1.0) * 255
        there = np.isfinite(numbers[..., :3]).all(axis=-1)
        colours = np.zeros((*numbers.shape[:2], 4), np.uint8)
        colours[..., :3] = np.nan_to_num(numbers[..., :3]).clip(0, 255)
        opacity = numbers[..., 3] if self._has_opacity() else np.float64(255)
        colours[..., 3] = np.where(there, np.nan_to_num(opacity).clip(0, 255), 0)
        return Raster(colours, 0.0, 1.0, x_edges, y_edges, self._points())

    def line(self) -> Line:
        """The values along a plane of one dimension."""
        return self._line_along(self.plane[0], self.index)

    def point(self, column: int, row: int = 0, *, photo: bool = False) -> Point:
        """The value of a cell, counted from the west and from the south; that of the border for cells outside."""
        counts = {"x": column, "y": row}
        index, places = dict(self.index), {}
        for name, dim in zip("yx"[2 - len(self.plane) :], self.plane, strict=True):
            axis = self.axes[dim]
            counts[name] = min(max(int(counts[name]), 0), axis.positions.size - 1)
            index[dim] = _stored(axis, counts[name])
            places[name] = float(axis.positions[index[dim]])
        value = self._raw[tuple(index[dim] for dim in self.array.dims)]
        number = float(numbers_of(np.asarray(value)))
        return Point(
            column=counts["x"],
            row=counts["y"],
            x=places.get("x", 0.0),
            y=places.get("y", number),
            places=[(self.axes[dim].label, self.axes[dim].text_at(index[dim])) for dim in self._places(photo)],
            value=self._colours_at(index) if photo else [(str(self.array.name or "value"), self._text(value))],
            index=index,
        )

    def point_at(self, x: float, y: float = 0.0, *, photo: bool = False) -> Point:
        """The value of the cell in which a place along the axes lies."""
        counts = [
            _counted(self.axes[dim], self.axes[dim].index_at(place))
            for dim, place in zip(self.plane, (y, x)[2 - len(self.plane) :], strict=True)
        ]
        return self.point(*reversed(counts), photo=photo)

    def text_at(self, index: Mapping[Hashable, int]) -> str:
        """The value at a place of the array, with units; 0 is taken for dimensions that are not told."""
        return self._text(self._raw[tuple(index.get(dim, 0) for dim in self.array.dims)])

    def profiles(self, point: Point) -> list[Line]:
        """The values through a point: along each dimension that is not drawn, or else along the two that are."""
        along = self.others or list(reversed(self.plane))
        return [self._line_along(dim, point.index) for dim in along]

    def selected(self, *, photo: bool = False) -> xr.DataArray:
        """The plane as an array."""
        kept = {*self.plane, *([self.colour_dim] if photo else [])}
        return self.array.isel({dim: [at] for dim, at in self.index.items() if dim not in kept})

    def _begin_above(self, dim: Hashable) -> None:
        """The first row of an image is its uppermost, unless coordinates say otherwise."""
        axis = self.axes[dim]
        if axis.values is None:
            self.axes[dim] = replace(axis, positions=-axis.positions)

    def _places(self, photo: bool) -> list[Hashable]:
        return [dim for dim in (*self.plane, *self.others) if not (photo and dim == self.colour_dim)]

    def _points(self) -> tuple[int, int]:
        return self.array.sizes[self.plane[0]], self.array.sizes[self.plane[1]]

    def _cut(self, dims: tuple[Hashable | None, ...], index: dict[Hashable, int] | None = None) -> Any:
        """The values along these dimensions, in their order."""
        index = index or self.index
        values = self._raw[tuple(slice(None) if dim in dims else index[dim] for dim in self.array.dims)]
        stored = [dim for dim in self.array.dims if dim in dims]
        return values.transpose([stored.index(dim) for dim in dims if dim is not None])

    def _numbers(self, raw: Any) -> Any:
        if self.classes:
            return np.searchsorted(self.classes, raw.astype(np.int64)).astype(float)
        return numbers_of(raw)

    def _range(self) -> tuple[float, float]:
        found = self.statistics
        if found is None or self.classes:
            return 0.0, 1.0
        for low, high in ((found.low, found.high), (found.minimum, found.maximum)):
            if high / 2 - low / 2 > 0:
                return found.median, high / 2 - low / 2
        return found.median, 1.0

    def _line_along(self, dim: Hashable, index: dict[Hashable, int]) -> Line:
        axis = self.axes[dim]
        order = slice(None, None, -1) if falls(axis) else slice(None)
        numbers = numbers_of(self._cut((dim,), index))[order].astype(float)
        x, y = thin_line(axis.positions[order], numbers)
        return Line(axis, x, y, self.label, float(axis.positions[index[dim]]))

    def _colours_at(self, index: dict[Hashable, int]) -> list[tuple[str, str]]:
        dim = self.colour_dim
        assert dim is not None
        axis = self.axes[dim]
        values = self._cut((dim,), index)
        return [(axis.text_at(at), self._text(value)) for at, value in enumerate(values)]

    def _text(self, value: Any) -> str:
        text, units = text_of(value), units_of(self.array)
        return text if text == "missing" or not units else f"{text} {units}"

    def _has_opacity(self) -> bool:
        dim = self.colour_dim
        if dim is None or self.array.sizes[dim] < 4:
            return False
        values = self.axes[dim].values
        return self.array.dtype == np.uint8 or (values is not None and str(values[3]).lower() in ("a", "alpha"))


def _stored(axis: Axis, count: int) -> int:
    """Index in the array of the point that is the ``count``-th from the west or south; and the other way round."""
    return axis.positions.size - 1 - count if falls(axis) else count


_counted = _stored
