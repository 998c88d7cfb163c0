"""What the Results form shows, as Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podpac_lambda_widgets.plots.colours import COLOUR_MAP
from podpac_lambda_widgets.widgets.code import Code, literal, write_call
from podpac_lambda_widgets.widgets.result_display import ALL, DIFFERENCE, ResultDisplay, make_scale

if TYPE_CHECKING:
    from podpac_lambda_widgets.plots.slices import Slices
    from podpac_lambda_widgets.widgets.result_preparation import Shown


def plot_code(title: str, shown: Shown, slices: Slices | None, display: ResultDisplay) -> Code:
    """The plane of ``result`` that is shown as a PNG, and the whole as netCDF.

    Of a difference, what it was compared with is of this session alone: the code draws the result itself.
    """
    arguments = {"": "result"}
    if slices is not None and display.shown != DIFFERENCE:
        fixed = {str(dim): [at] for dim, at in slices.index.items() if dim not in slices.plane}
        if fixed and slices.others:
            arguments[""] = f"result.isel({literal(fixed)})"
        if len(slices.plane) == 2:
            if display.map_name != COLOUR_MAP:
                arguments["colour_map"] = literal(display.map_name)
            if display.limits != ALL and not slices.classes:
                arguments["limits"] = literal(make_scale(slices, display).limits)
    lines = (
        *write_call("draw", arguments, variable="figure"),
        f"figure.savefig({literal(shown.name + '.png')})",
        f"result.to_netcdf({literal(shown.name + '.nc')})",
    )
    return Code(title, lines, ("from podpac_lambda_widgets.plots import draw",))
