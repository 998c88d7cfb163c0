"""How a result is shown: colours, limits, plane; a model for the form and for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import traitlets as tl

from podpac_lambda_widgets.model.base import OneOf, StrictHasTraits, refuse
from podpac_lambda_widgets.plots.colours import COLOUR_MAP, COLOUR_MAPS, colour_table
from podpac_lambda_widgets.plots.values import spread

if TYPE_CHECKING:
    from podpac_lambda_widgets.plots.slices import Slices
    from podpac_lambda_widgets.widgets.fields import Choice

VALUES, COLOURS, DIFFERENCE = "values", "colours", "difference"
_SHOWN = {VALUES: "Values", COLOURS: "Red, green, blue", DIFFERENCE: "Difference"}
ALL, ROBUST, OWN = "all", "robust", "own"
#: How limits are chosen, in words.
LIMITS: list[Choice] = [(ALL, "All values"), (ROBUST, "2nd to 98th percentile"), (OWN, "My own")]


class ResultDisplay(StrictHasTraits):
    """How a result is shown."""

    colour_map = OneOf([name for names in COLOUR_MAPS.values() for name in names], default_value=COLOUR_MAP).tag(
        label="Colour map"
    )
    reversed = tl.Bool(False).tag(label="Reversed")
    limits = OneOf([ALL, ROBUST, OWN], default_value=ALL).tag(label="Colours span")
    low = tl.Float(None, allow_none=True).tag(label="Lowest")
    high = tl.Float(None, allow_none=True).tag(label="Highest")
    coastline = tl.Bool(True).tag(label="Coastline")
    #: Names of the two dimensions, as ``"lat × lon"``.
    plane = tl.Unicode("").tag(label="Axes")
    shown = tl.Unicode(VALUES).tag(label="Show")
    compare = tl.Unicode("").tag(label="Compare with")

    def __init__(self, **values: Any) -> None:
        #: What may be chosen now, by the name of the trait.
        self.offered: dict[str, list[Choice]] = {"shown": [(VALUES, _SHOWN[VALUES])], "plane": [], "compare": []}
        super().__init__(**values)

    def offer(self, name: str, values: Sequence[Choice]) -> None:
        """Change what may be chosen; what is chosen stays, if it is still there, else it is the first."""
        self.offered[name] = list(values)
        if getattr(self, name) not in [value for value, _ in values]:
            setattr(self, name, values[0][0] if values else "")

    def offer_shown(self, names: Sequence[str]) -> None:
        """What of the result can be shown."""
        self.offer("shown", [(name, _SHOWN[name]) for name in names])

    @property
    def map_name(self) -> str:
        """matplotlib's name of the colour map."""
        return f"{self.colour_map}_r" if self.reversed else str(self.colour_map)

    @tl.validate("plane", "shown", "compare")
    def _is_offered(self, proposal: Any) -> str:
        name, value = proposal["trait"].name, str(proposal["value"])
        if value not in {"", *(each for each, _ in self.offered[name])}:
            texts = ", ".join(text for _, text in self.offered[name]) or "nothing yet"
            refuse(self, proposal["trait"], f"must be one of: {texts}.")
        return value


@dataclass(frozen=True)
class Scale:
    """What the colours stand for.

    Parameters
    ----------
    low, high : float
        What they span, in the array's units; half a class beyond the classes, counted from 0, where there are some.
    below, above : bool
        Whether there are values outside.
    classes : tuple of int
        What the steps stand for; empty where the colours go over into each other.
    table : bytes
        256 colours, each red, green, blue.
    """

    low: float
    high: float
    below: bool
    above: bool
    classes: tuple[int, ...]
    table: bytes

    @property
    def limits(self) -> tuple[float, float]:
        """Lowest and highest."""
        return self.low, self.high


def make_scale(slices: Slices, display: ResultDisplay) -> Scale:
    """The scale for an array that is displayed so. A difference has zero in its middle."""
    classes, found = slices.classes, slices.statistics
    table = colour_table(display.map_name, len(classes)).tobytes()
    if classes:
        return Scale(-0.5, len(classes) - 0.5, False, False, classes, table)
    if found is None:
        return Scale(0.0, 1.0, False, False, (), table)
    low, high = (found.low, found.high) if display.limits == ROBUST else (found.minimum, found.maximum)
    if display.shown == DIFFERENCE and display.limits != OWN:
        high = max(abs(low), abs(high))
        low = -high
    if display.limits == OWN:
        low = low if display.low is None else display.low
        high = high if display.high is None else display.high
    low, high = spread(low, high)
    return Scale(low, high, found.minimum < low, found.maximum > high, (), table)
