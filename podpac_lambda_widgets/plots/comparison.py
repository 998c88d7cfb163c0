"""Two arrays beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from podpac_lambda_widgets.errors import ResultError
from podpac_lambda_widgets.plots.values import measure, numbers_of, text_of, units_of

if TYPE_CHECKING:
    import xarray as xr

#: Coordinates that differ by less than this part of a step are the same: they were computed in different ways.
_SAME = 1e-6


def align(array: xr.DataArray, other: xr.DataArray) -> xr.DataArray:
    """The values of another array at the points of this one.

    Dimensions of one point are left out of account, so that two times of one map can be compared.

    Parameters
    ----------
    array, other : xarray.DataArray

    Returns
    -------
    xarray.DataArray
        Floats, with the dimensions of ``array`` that have more than one point, in their order and with their
        coordinates; NaN where the other has no such point.

    Raises
    ------
    ResultError
        Other dimensions, other units, or no point in common.
    """
    ours, theirs = _plain(array), _plain(other)
    if set(ours.dims) != set(theirs.dims):
        said = " and ".join(f"({', '.join(map(str, each.dims)) or 'none'})" for each in (ours, theirs))
        raise ResultError("The two results cannot be compared", why=f"They have different dimensions: {said}.")
    units = units_of(array), units_of(other)
    if all(units) and units[0] != units[1]:
        raise ResultError(
            "The two results cannot be compared",
            why=f"One is in {units[0]}, the other in {units[1]}.",
            next_step="Convert one of them first.",
        )
    theirs = theirs.transpose(*ours.dims)
    if all(_is_same(ours, theirs, str(dim)) for dim in ours.dims):
        return ours.copy(data=theirs.values)
    picked = [_find(ours, theirs, str(dim)) for dim in ours.dims]
    if not all((each >= 0).any() for each in picked):
        raise ResultError(
            "The two results cannot be compared",
            why="They have no point in common.",
            next_step="Run the second at the coordinates of the first.",
        )
    values = theirs.values[np.ix_(*picked)]
    for number, each in enumerate(picked):
        values[(slice(None),) * number + (each < 0,)] = np.nan
    return ours.copy(data=values)


def difference(array: xr.DataArray, other: xr.DataArray, name: str = "difference") -> xr.DataArray:
    """``array - other`` at the points of ``array``, see :func:`align`; spans of time in seconds."""
    aligned = align(array, other)
    found: xr.DataArray = _plain(array) - aligned
    if array.dtype.kind == "M":
        found = found / 1000
    found.name = name
    found.attrs = {"units": "s" if array.dtype.kind == "M" else units_of(array)}
    return found


def describe_difference(found: xr.DataArray) -> list[list[str]]:
    """Term and value of how far two arrays differ."""
    statistics = measure(found)
    if statistics is None:
        return [["In common", "no value"]]
    square = float(np.sqrt(statistics.mean**2 + statistics.deviation**2))
    largest = max(abs(statistics.minimum), abs(statistics.maximum))
    if largest == 0:
        return [["Difference", "none: all values are the same"]]
    units = f" {units_of(found)}" if units_of(found) else ""
    return [
        ["Mean difference", text_of(statistics.mean) + units],
        ["Root mean square", text_of(square) + units],
        ["Largest difference", text_of(largest) + units],
        ["Values compared", f"{statistics.count:,}"],
    ]


def _plain(array: xr.DataArray) -> xr.DataArray:
    """A plain array of floats, without dimensions of one point."""
    import xarray as xr

    alone = [dim for dim, size in array.sizes.items() if size == 1]
    kept = array.isel(dict.fromkeys(alone, 0), drop=True)
    numbers = numbers_of(np.asarray(kept.values)).astype(float)
    coords = {dim: kept.coords[dim].variable for dim in kept.dims if dim in kept.coords}
    return xr.DataArray(numbers, coords, kept.dims, name=array.name)


def _numbers_along(array: xr.DataArray, dim: str) -> Any:
    if dim not in array.coords:
        return np.arange(array.sizes[dim], dtype=float)
    values = array.coords[dim].values
    return numbers_of(values) if values.dtype.kind in "iufmM" else values


def _is_same(array: xr.DataArray, other: xr.DataArray, dim: str) -> bool:
    ours, theirs = _numbers_along(array, dim), _numbers_along(other, dim)
    if ours.shape != theirs.shape:
        return False
    if ours.dtype.kind != "f" or theirs.dtype.kind != "f":
        return bool((ours == theirs).all())
    return bool(np.allclose(ours, theirs, rtol=0, atol=_tolerance(ours), equal_nan=True))


def _find(array: xr.DataArray, other: xr.DataArray, dim: str) -> Any:
    """For each of our points the index of the same point over there, -1 where there is none."""
    ours, theirs = _numbers_along(array, dim), _numbers_along(other, dim)
    if ours.dtype.kind != "f" or theirs.dtype.kind != "f":
        known = {str(value): index for index, value in enumerate(theirs)}
        return np.array([known.get(str(value), -1) for value in ours], dtype=int)
    order = np.argsort(theirs)
    after = np.clip(np.searchsorted(theirs[order], ours), 1, max(theirs.size - 1, 1))
    before = order[after - 1]
    after = order[np.minimum(after, theirs.size - 1)]
    nearest = np.where(np.abs(theirs[before] - ours) <= np.abs(theirs[after] - ours), before, after)
    return np.where(np.abs(theirs[nearest] - ours) <= _tolerance(ours), nearest, -1)


def _tolerance(positions: Any) -> float:
    steps = np.abs(np.diff(positions))
    return float(steps.min()) * _SAME if steps.size and np.isfinite(steps).all() else _SAME
