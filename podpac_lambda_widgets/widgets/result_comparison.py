"""What a result can be compared with, and how far the two differ."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from podpac_lambda_widgets.errors import ResultError
from podpac_lambda_widgets.plots.comparison import align, describe_difference, difference
from podpac_lambda_widgets.plots.slices import Slices
from podpac_lambda_widgets.widgets.fields import Choice

if TYPE_CHECKING:
    import xarray as xr

    from podpac_lambda_widgets.plots.pieces import Point
    from podpac_lambda_widgets.widgets.result_preparation import Shown

NOTHING: Choice = ("", "Nothing")
_RESULT, _VARIABLE = "result ", "variable "
#: Most variables that are offered.
_OFFERED = 40


@dataclass(frozen=True)
class Comparison:
    """A result beside another array.

    Parameters
    ----------
    name : str
        What the other is called.
    other, difference : Slices
        At the points of the result, without its dimensions of one point.
    facts : list of (term, value)
        How far the two differ.
    earlier : Shown or None
        The earlier result that the other is; None for a variable of the notebook, called ``name``.
    """

    name: str
    other: Slices
    difference: Slices
    facts: list[list[str]]
    earlier: Shown | None = None

    def values_at(self, slices: Slices, point: Point) -> list[tuple[str, str]]:
        """Name and value of what there is at a point of the result or of the difference."""
        return [
            (str(slices.array.name), slices.text_at(point.index)),
            (self.name, self.other.text_at(point.index)),
            ("Difference", self.difference.text_at(point.index)),
        ]


def compare(array: xr.DataArray, other: xr.DataArray, name: str, earlier: Shown | None = None) -> Comparison:
    """Compare two arrays. May take a second.

    Raises
    ------
    ResultError
        They have no values that could be compared.
    """
    found = difference(array, other)
    if not found.size:
        raise ResultError("The two results cannot be compared", why="One of them has no values.")
    aligned = align(array, other).assign_attrs(found.attrs)
    comparison = Comparison(name, Slices(aligned), Slices(found), describe_difference(found), earlier)
    # Measured here, where nobody waits for it.
    _ = comparison.difference.statistics, comparison.difference.has_infinite
    return comparison


def comparison_choices(earlier: Sequence[Shown], variables: Mapping[str, object]) -> list[Choice]:
    """What can be compared with: earlier results, and arrays of the notebook."""
    xarray: Any = sys.modules.get("xarray")
    found = [NOTHING]
    for number, shown in enumerate(earlier):
        # Local time, as on the clock of whoever looks at it.
        when = shown.arrived.astimezone().strftime("%H:%M:%S")
        found.append((f"{_RESULT}{number}", f"{shown.name}, result of {when}"))
    if xarray is not None:
        names = [name for name, value in variables.items() if isinstance(value, xarray.DataArray)]
        offered = sorted(name for name in names if not name.startswith("_"))[:_OFFERED]
        found += [(_VARIABLE + name, f"Variable {name}") for name in offered]
    return found


def find_comparison(
    choice: str, earlier: Sequence[Shown], variables: Mapping[str, object]
) -> tuple[xr.DataArray, str, Shown | None]:
    """The array that a choice stands for, what it is called, and the earlier result that it is.

    Raises
    ------
    ResultError
        It is gone.
    """
    if choice.startswith(_VARIABLE):
        name = choice.removeprefix(_VARIABLE)
        value: Any = variables.get(name)
        if hasattr(value, "dims") and hasattr(value, "coords"):
            return value, name, None
    elif choice.startswith(_RESULT):
        number = int(choice.removeprefix(_RESULT))
        if number < len(earlier):
            found = earlier[number]
            return found.array, f"{found.name}, earlier", found
    raise ResultError("What was to be compared with is not there any more", next_step="Choose another.")
