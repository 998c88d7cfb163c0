"""Axes: where the points of a dimension stand, and what they are called."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from podpac_lambda_widgets.plots.values import text_of

if TYPE_CHECKING:
    import xarray as xr

Kind = Literal["lat", "lon", "number", "time", "index"]

_LATITUDE, _LONGITUDE = ("lat", "latitude"), ("lon", "longitude")
#: PODPAC calls projected coordinates lat and lon too; beyond these they are no degrees. Cells may reach past a pole.
_MOST_LATITUDE, _MOST_LONGITUDE = 91.0, 541.0
#: Most points whose names stand along an axis; more would not be legible.
_NAMED_POINTS = 60


@dataclass(frozen=True)
class Axis:
    """A dimension of an array, as an axis of a plot.

    Parameters
    ----------
    dim : hashable
        The dimension.
    label, units : str
        What it is called.
    kind : {"lat", "lon", "number", "time", "index"}
        What positions are: degrees north, degrees east, numbers in ``units``, milliseconds since 1970 (UTC), or the
        count of the points, where the coordinate does not say where they stand.
    positions : numpy.ndarray
        Float, shape (points,), strictly rising or falling. Longitudes go on rising across the date line.
    values : numpy.ndarray or None
        The coordinate itself.
    """

    dim: Hashable
    label: str
    units: str
    kind: Kind
    positions: Any = field(repr=False)
    values: Any = field(repr=False)

    @property
    def edges(self) -> Any:
        """Edges of the cells around the points, shape (points + 1,): half-way between neighbours."""
        return edges_of(self.positions)

    @property
    def title(self) -> str:
        """Label with units, for people."""
        return f"{self.label} ({self.units})" if self.units else self.label

    @property
    def names(self) -> list[str]:
        """What the points are called, where they stand by their count and are few; else nothing."""
        if self.kind != "index" or self.values is None or self.positions.size > _NAMED_POINTS:
            return []
        return [text_of(value) for value in self.values]

    def text_at(self, index: int) -> str:
        """Where a point stands, in words: ``10.5° N``."""
        if self.values is None:
            return f"point {index + 1:,} of {self.positions.size:,}"
        if self.kind in ("lat", "lon"):
            return degrees_text(float(self.values[index]), self.kind)
        text = text_of(self.values[index])
        return f"{text} {self.units}" if self.units and self.kind == "number" else text

    def index_at(self, position: float) -> int:
        """The point in whose cell a position lies; the first or last one for positions outside."""
        edges = self.edges
        if self.positions.size > 1 and edges[0] > edges[-1]:
            edges, position = -edges, -position
        return int(np.clip(np.searchsorted(edges, position, side="right") - 1, 0, self.positions.size - 1))


def axis_of(array: xr.DataArray, dim: Hashable) -> Axis:
    """The axis of a dimension.

    Parameters
    ----------
    array : xarray.DataArray
    dim : hashable
        One of its dimensions, with at least one point.
    """
    size = array.sizes[dim]
    # array.coords.get would make up a coordinate for a dimension that has none.
    coordinate = dict(array.coords).get(dim)
    values = None if coordinate is None else coordinate.values
    units = "" if coordinate is None else str(coordinate.attrs.get("units") or "")
    label = str(dim).capitalize()
    positions = None if values is None else _positions(values)
    if values is None or positions is None:
        return Axis(dim, label, units, "index", np.arange(size, dtype=float), values)
    kind = _kind(str(dim), values, positions)
    if kind == "lon":
        positions = np.unwrap(positions, period=360)
    if not _is_monotonic(positions):
        return Axis(dim, label, units, "index", np.arange(size, dtype=float), values)
    label = {"lat": "Latitude", "lon": "Longitude"}.get(kind, label)
    if kind in ("lat", "lon"):
        units = "°"
    elif kind == "time":
        units = ""
    elif values.dtype.kind == "m":
        units = "s"
    return Axis(dim, label, units, kind, positions, values)


def edges_of(centres: Any) -> Any:
    """Edges of the cells around points, half-way between neighbours."""
    if centres.size == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    middle = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]])


def degrees_text(degrees: float, kind: str) -> str:
    """An angle as it stands on maps: ``10.5° N``, ``170° W``."""
    if kind == "lon":
        degrees = (degrees + 180) % 360 - 180 if not -180 <= degrees <= 180 else degrees
    positive, negative = ("N", "S") if kind == "lat" else ("E", "W")
    side = "" if degrees == 0 or abs(degrees) == 180 else f" {positive if degrees > 0 else negative}"
    return f"{abs(degrees):.6g}°{side}"


def _positions(values: Any) -> Any:
    """Float positions of the coordinate's values; None where they have none."""
    kind = values.dtype.kind
    if kind == "M":
        positions = (values - np.datetime64(0, "ms")) / np.timedelta64(1, "ms")
        positions = np.where(np.isnat(values), np.nan, positions)
    elif kind == "m":
        positions = np.where(np.isnat(values), np.nan, values / np.timedelta64(1, "s"))
    elif kind in "iuf":
        positions = values.astype(float)
    else:
        return None
    return positions if np.isfinite(positions).all() else None


def _kind(name: str, values: Any, positions: Any) -> Kind:
    if values.dtype.kind == "M":
        return "time"
    largest = float(np.abs(positions).max())
    if name.lower() in _LATITUDE and largest <= _MOST_LATITUDE:
        return "lat"
    if name.lower() in _LONGITUDE and largest <= _MOST_LONGITUDE:
        return "lon"
    return "number"


def _is_monotonic(positions: Any) -> bool:
    steps = np.diff(positions)
    return bool((steps > 0).all() or (steps < 0).all())
