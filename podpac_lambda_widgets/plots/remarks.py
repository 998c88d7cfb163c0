"""What is said beside a picture: where it is not plain from the picture itself what it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from podpac_lambda_widgets.plots.axes import Axis
    from podpac_lambda_widgets.plots.slices import Slices

#: Steps that differ by this part are even: coordinates are rounded, and Gaussian grids nearly regular.
_EVEN = 0.01
#: Of fewer dimensions, the sliders speak for themselves.
_MANY_DIMENSIONS = 4
_OF_KIND = {
    "c": "The values are complex: drawn is their magnitude.",
    "M": "The values are dates: the earliest is at the low end.",
    "m": "The values are spans of time: drawn are their seconds.",
}


def remarks_of(slices: Slices) -> list[str]:
    """Sentences on what is drawn: kind of value, missing dimensions, axes that are not as one expects them."""
    array = slices.array
    found = [_OF_KIND[array.dtype.kind]] if array.dtype.kind in _OF_KIND else []
    if array.size == 1:
        found.append("The result has one point.")
    if slices.has_infinite:
        found.append("Infinite values are drawn as missing ones are.")
    count = sum(size > 1 for size in array.sizes.values())
    if count >= _MANY_DIMENSIONS:
        found.append(f"Two of the {count} dimensions are drawn; sliders go through the others.")
    for dim in slices.plane:
        found += _of_axis(slices.axes[dim], cells=len(slices.plane) == 2)
    return found


def _of_axis(axis: Axis, *, cells: bool) -> list[str]:
    steps = np.diff(axis.positions)
    if not steps.size:
        return []
    if axis.kind == "index":
        scattered = axis.values is not None and axis.values.dtype.kind in "iufmM"
        return [f"The points along {axis.dim} are in no order: they stand side by side."] if scattered else []
    found = []
    # North is up on every map, whichever way its rows go.
    if steps[0] < 0 and axis.kind != "lat":
        found.append(f"{axis.dim} falls in the result, and is drawn rising.")
    sizes = np.abs(steps)
    if cells and sizes.max() > sizes.min() * (1 + _EVEN):
        found.append(f"The points along {axis.dim} are unevenly spaced, and so are their cells.")
    return found
