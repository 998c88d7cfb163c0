"""Colour maps: matplotlib's, by what they are good for, as tables a canvas looks colours up in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from podpac_lambda_widgets.errors import InvalidValueError

if TYPE_CHECKING:
    import xarray as xr

#: Perceptually uniform (matplotlib's documentation, "Choosing colormaps"), and readable in grey.
COLOUR_MAP = "viridis"
#: Two-sided, red and blue told apart by those who see no green (ColorBrewer); for differences, blue is less.
DIFFERENCE_COLOUR_MAP = "RdBu_r"
#: matplotlib's names, by what they are good for.
COLOUR_MAPS = {
    "even steps": ("viridis", "cividis", "plasma", "inferno", "magma"),
    "one colour": ("Blues", "Greens", "Oranges", "Greys", "YlGnBu", "YlOrRd"),
    "two-sided": ("RdBu", "BrBG", "PuOr", "PiYG", "coolwarm"),
    "around a circle": ("twilight",),
    "heights": ("terrain", "gist_earth"),
    "classes": ("tab10", "Set2"),
}
#: Entries of a table.
COLOURS = 256
#: Most distinct whole numbers that are taken for classes: as many as matplotlib's largest set of distinct colours.
CLASSES = 12
_REVERSED = "_r"


def colour_map_choices() -> list[tuple[str, str]]:
    """Name and text of each colour map that is offered."""
    return [(name, f"{name} · {use}") for use, names in COLOUR_MAPS.items() for name in names]


def colour_table(name: str, classes: int = 0) -> Any:
    """The colours of a map.

    Parameters
    ----------
    name : str
        matplotlib's name; ``_r`` at its end reverses it.
    classes : int
        How many steps there are; 0 for as many as there are entries.

    Returns
    -------
    numpy.ndarray
        uint8, shape (256, 3): red, green, blue.

    Raises
    ------
    InvalidValueError
        matplotlib has no such map.
    """
    import matplotlib as mpl

    if name not in mpl.colormaps:
        raise InvalidValueError(f"There is no colour map {name!r}", field="colour_map")
    colours = mpl.colormaps[name]
    if classes:
        steps = np.arange(COLOURS) * classes // COLOURS
        qualitative = name.removesuffix(_REVERSED) in COLOUR_MAPS["classes"]
        where = steps % colours.N if qualitative else steps / max(classes - 1, 1)
    else:
        where = np.linspace(0, 1, COLOURS)
    return (colours(where)[:, :3] * 255).round().astype(np.uint8)


def classes_of(array: xr.DataArray) -> tuple[int, ...]:
    """The distinct values of truths, or of few whole numbers; nothing where they are too many to be classes."""
    if array.dtype.kind not in "biu" or not array.size:
        return ()
    if array.dtype.kind == "b":
        return (0, 1)
    raw = np.asarray(array.values).ravel()
    # Where a few already differ too much, there is no need to sort them all.
    if np.unique(raw[:: max(1, raw.size // 10_000)]).size > CLASSES:
        return ()
    found = np.unique(raw)
    return tuple(int(value) for value in found) if found.size <= CLASSES else ()
