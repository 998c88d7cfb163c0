"""Results: what came back, as a picture that answers questions, in numbers, and as files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import traitlets as tl

from podpac_lambda_widgets.plots.colours import DIFFERENCE_COLOUR_MAP, colour_map_choices
from podpac_lambda_widgets.widgets import notebook, result_layout
from podpac_lambda_widgets.widgets.drawn import PACKED
from podpac_lambda_widgets.widgets.fields import Choice
from podpac_lambda_widgets.widgets.result_display import (
    ALL,
    COLOURS,
    DIFFERENCE,
    LIMITS,
    OWN,
    VALUES,
    ResultDisplay,
)
from podpac_lambda_widgets.widgets.result_drawing import ResultDrawing, plane_text
from podpac_lambda_widgets.widgets.result_origin import summarise_origin
from podpac_lambda_widgets.widgets.result_outputs import Variable
from podpac_lambda_widgets.widgets.result_preparation import Shown, prepare_array, prepare_result
from podpac_lambda_widgets.widgets.worker import Worker

if TYPE_CHECKING:
    import xarray as xr

    from podpac_lambda_widgets.widgets.result_comparison import Comparison

__all__ = ["ResultView", "Shown", "Variable", "prepare_result"]

#: Earlier results that are kept to compare with. They hold memory.
_KEPT = 3


class ResultView(ResultDrawing):
    """Shows a result. Pictures and files go to the page as buffers, so that the notebook does not grow.

    Parameters
    ----------
    worker : Worker, optional
        Runs what takes time; one of its own where the form stands alone.
    variables : callable
        Gives the variables of the notebook.
    set_variable : callable
        Sets one of them.

    Attributes
    ----------
    display : ResultDisplay
        Colours, limits, plane and what to compare with. What is set there is seen in the form, and the other way round.

    Examples
    --------
    >>> view = ResultView()         # doctest: +SKIP
    >>> view.show_array(array)      # doctest: +SKIP
    >>> view                        # doctest: +SKIP
    """

    #: Term and value of where the result comes from.
    origin: tl.List[list[str]] = tl.List().tag(**PACKED)

    def __init__(
        self,
        worker: Worker | None = None,
        *,
        variables: Callable[[], Mapping[str, object]] = notebook.read_variables,
        set_variable: Callable[[str, object], None] = notebook.set_variable,
    ) -> None:
        self._earlier: list[Shown] = []
        self._colours_before: tuple[str, bool] | None = None
        #: Whether the display is being set for a new result, which is drawn once it is.
        self._settling = False
        display, variable = ResultDisplay(), Variable()
        super().__init__(
            worker or Worker(),
            display,
            variable,
            variables,
            set_variable,
            title="Results",
            purpose="The picture, the numbers, and the files.",
            icon="chart",
            blocks=result_layout.describe(display, variable),
        )
        self.bind(display, result_layout.DISPLAYED)
        self.set_choices("limits", LIMITS)
        self.set_choices("colour_map", colour_map_choices())
        display.observe(self._display_changed, names=list(result_layout.DISPLAYED))
        self._show_fields()
        self.stand("waiting", "No result yet")

    def show(self, shown: Shown) -> None:
        """Show a result in place of the one before, which can then be compared with."""
        if self._shown is not None:
            self._earlier = [self._shown, *self._earlier][:_KEPT]
            if self._shown.name != shown.name:
                # Limits of one's own are of the values they were made for.
                self.display.limits = ALL
        self._shown, self._comparison = shown, None
        self.forget_errors()
        self._withdraw_question()
        self.origin = [[term, value] for term, value in shown.origin.items()]
        self.folded = {"origin": summarise_origin(shown.origin)}
        slices = shown.slices
        photo = slices is not None and slices.is_photo
        self._settling = True
        try:
            self.display.compare = ""
            self._offer_shown()
            self.display.shown = COLOURS if photo else VALUES
            self._choose_colours(self.display.shown)
            planes = [] if slices is None else [plane_text(plane) for plane in slices.planes]
            self.display.plane = ""
            self._offer("plane", [(text, text) for text in planes])
        finally:
            self._settling = False
        self._allow_outputs()
        self._offer_comparisons()
        self._draw_anew()
        self.stand("done", f"{shown.name} is here")

    def show_array(self, array: xr.DataArray, name: str = "result") -> None:
        """Show an array, wherever it comes from; ``name`` is for one that has none."""
        self.show(prepare_array(name, array))

    def shown(self) -> None:
        """Offer what the notebook holds by now."""
        self._offer_comparisons()

    # How it is shown

    def _draw_anew(self) -> None:
        self._draw()
        # After the plane is chosen: what fields mean something goes by it.
        self._show_fields()

    def _display_changed(self, change: Any) -> None:
        name = str(change["name"])
        if name in ("limits", "low", "high"):
            self._show_fields()
        if self._settling or self._shown is None:
            return
        if name == "compare":
            self._compare_with(str(change["new"]))
        elif name == "coastline":
            self.picture = {**self.picture, "coastline": self.display.coastline}
        elif name in ("plane", "shown"):
            if name == "shown":
                self._choose_colours(str(change["new"]))
            self._draw_anew()
        elif self._shown.slices is not None and self._limits_are_sound():
            from podpac_lambda_widgets.widgets.result_pictures import scale_message

            self._send_message(scale_message(self._slices(), self.display))

    def _choose_colours(self, shown: str) -> None:
        """A difference has two sides, and so have its colours; afterwards they are as before."""
        display = self.display
        if shown == DIFFERENCE and self._colours_before is None:
            self._colours_before = (display.colour_map, display.reversed)
            base = DIFFERENCE_COLOUR_MAP.removesuffix("_r")
            display.colour_map, display.reversed = base, base != DIFFERENCE_COLOUR_MAP
        elif shown != DIFFERENCE and self._colours_before is not None:
            display.colour_map, display.reversed = self._colours_before
            self._colours_before = None

    def _limits_are_sound(self) -> bool:
        display = self.display
        low, high = display.low, display.high
        sound = display.limits != OWN or low is None or high is None or low < high
        self.set_field("high", warning="" if sound else "The highest must be above the lowest.")
        return sound

    def _show_fields(self) -> None:
        """Show the fields that mean something for what is shown."""
        shown = self._shown
        slices = self._slices() if shown is not None and shown.slices is not None else None
        raster = slices is not None and len(slices.plane) == 2 and self.display.shown != COLOURS
        smooth = raster and slices is not None and not slices.classes
        dates = slices is not None and slices.array.dtype.kind == "M"
        geographic = slices is not None and [slices.axes[dim].kind for dim in slices.plane] == ["lat", "lon"]
        own = smooth and self.display.limits == OWN
        visible = {
            "colour_map": raster,
            "reversed": raster,
            "limits": smooth,
            "low": own,
            "high": own,
            "coastline": geographic,
            "plane": len(self.display.offered["plane"]) > 1 and self.display.shown != COLOURS,
            "shown": len(self.display.offered["shown"]) > 1,
            "compare": slices is not None and len(self.display.offered["compare"]) > 1,
        }
        for name, is_visible in visible.items():
            if self.fields[name].get("hidden", False) is is_visible:
                self.set_field(name, hidden=not is_visible)
        # Milliseconds are no limits that a person would type.
        self._set_choices_if_new("limits", LIMITS[:2] if dates else LIMITS)

    # What it is compared with

    def _offer_shown(self) -> None:
        slices = self._present().slices
        names = [VALUES]
        if slices is not None and slices.colour_dim is not None:
            names.append(COLOURS)
        if self._comparison is not None:
            names.append(DIFFERENCE)
        self.display.offer_shown(names)
        self._set_choices_if_new("shown", self.display.offered["shown"])

    def _offer_comparisons(self) -> None:
        from podpac_lambda_widgets.widgets.result_comparison import comparison_choices

        if self._shown is not None:
            self._offer("compare", comparison_choices(self._earlier, self._variables()))
            self._show_fields()

    def _offer(self, name: str, choices: Sequence[Choice]) -> None:
        self.display.offer(name, choices)
        self._set_choices_if_new(name, choices)

    def _set_choices_if_new(self, name: str, choices: Sequence[Choice]) -> None:
        if self.fields[name].get("choices") != [list(choice) for choice in choices]:
            self.set_choices(name, choices)

    def _compare_with(self, choice: str) -> None:
        from podpac_lambda_widgets.widgets.result_comparison import compare, find_comparison

        if not choice:
            self._compared(None)
            return
        array = self._present().array
        other, name, earlier = find_comparison(choice, self._earlier, self._variables())

        def finished(comparison: Comparison) -> None:
            # Meanwhile another may have been chosen, or another result been shown.
            if self.display.compare == choice and self._present().array is array:
                self._compared(comparison)

        self.start("Comparing", lambda task: compare(array, other, name, earlier), finished, quiet=True)

    def _compared(self, comparison: Comparison | None) -> None:
        self._comparison = comparison
        self.forget_errors()
        self._offer_shown()
        self.display.shown = VALUES if comparison is None else DIFFERENCE
        self._draw_anew()
