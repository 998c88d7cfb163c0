"""What the Results form shows, as Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podpac_lambda_widgets.plots.colours import COLOUR_MAP
from podpac_lambda_widgets.widgets.code import Code, literal, write_call
from podpac_lambda_widgets.widgets.result_display import ALL, DIFFERENCE, ResultDisplay, make_scale

if TYPE_CHECKING:
    from podpac_lambda_widgets.plots.slices import Slices
    from podpac_lambda_widgets.widgets.result_preparation import Shown

_NETCDF = "write_netcdf(array)"


def plot_code(title: str, shown: Shown, slices: Slices | None, display: ResultDisplay) -> Code:
    """The plane that is shown as a PNG, and the whole as netCDF: of ``result``, which a run left, else of ``array``.

    Of a difference, what it was compared with is of this session alone: the code draws the result itself.
    """
    array = "array" if shown.result is None else "result.array"
    arguments = {"": array}
    if slices is not None and display.shown != DIFFERENCE:
        fixed = {str(dim): [at] for dim, at in slices.index.items() if dim not in slices.plane}
        if fixed and slices.others:
            arguments[""] = f"{array}.isel({literal(fixed)})"
        if len(slices.plane) == 2:
            if display.map_name != COLOUR_MAP:
                arguments["colour_map"] = literal(display.map_name)
            if display.limits != ALL and not slices.classes:
                arguments["limits"] = literal(make_scale(slices, display).limits)
    lines = (
        *write_call("draw", arguments, variable="figure"),
        f"figure.savefig({literal(shown.name + '.png')})",
        f"Path({literal(shown.name + '.nc')}).write_bytes({_NETCDF if shown.result is None else 'result.netcdf'})",
    )
    if shown.zarr.address and shown.zarr.write is not None:
        lines = (*lines, "print(node.run_to_zarr(coordinates).address)")
    imports = ["from pathlib import Path", "from podpac_lambda_widgets.plots import draw"]
    if shown.result is None:
        imports.append("from podpac_lambda_widgets.widgets.result_files import write_netcdf")
    return Code(title, lines, tuple(imports))
