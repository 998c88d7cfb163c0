"""What the Results form shows, as Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podpac_lambda_widgets.plots.colours import COLOUR_MAP
from podpac_lambda_widgets.widgets.code import Code, literal, write_call
from podpac_lambda_widgets.widgets.pipeline_fields import run_lines
from podpac_lambda_widgets.widgets.result_display import ALL, ResultDisplay, make_scale

if TYPE_CHECKING:
    from podpac_lambda_widgets.plots.slices import Slices
    from podpac_lambda_widgets.widgets.result_comparison import Comparison
    from podpac_lambda_widgets.widgets.result_preparation import Shown

_NETCDF = "write_netcdf(array)"
_DRAW = "from podpac_lambda_widgets.plots import draw"
_DIFFERENCE = "from podpac_lambda_widgets.plots.comparison import difference"


def plot_code(
    title: str, shown: Shown, slices: Slices | None, display: ResultDisplay, compared: Comparison | None
) -> Code:
    """The plane that is shown as a PNG, and the whole as netCDF: of ``result``, which a run left, else of ``array``.

    Parameters
    ----------
    compared : Comparison or None
        Of which the difference is shown. Where it is with an earlier run, that is run again; a variable of the notebook
        goes by its name; another array of this session cannot be had again, and the result itself is drawn.
    """
    array = "array" if shown.result is None else "result.array"
    name, imports = shown.name, ["from pathlib import Path", _DRAW]
    lines: tuple[str, ...] = ()
    if compared is not None:
        lines, needed = _other_lines(compared)
        if lines:
            lines = (*lines, f"found = difference({array}, other)")
            imports += [*needed, _DIFFERENCE]
            drawn, name = "found", f"{name}-difference"
        else:
            drawn, slices = array, None
    else:
        drawn = array
    arguments = _plot_arguments(drawn, slices, display, all_limits=compared is not None)
    if shown.result is None:
        imports.append("from podpac_lambda_widgets.widgets.result_files import write_netcdf")
    lines = (
        *lines,
        *write_call("draw", arguments, variable="figure"),
        f"figure.savefig({literal(name + '.png')})",
        f"Path({literal(shown.name + '.nc')}).write_bytes({_NETCDF if shown.result is None else 'result.netcdf'})",
    )
    if shown.zarr.address and shown.zarr.write is not None:
        lines = (*lines, "print(node.run_to_zarr(coordinates).address)")
    return Code(title, lines, tuple(imports))


def _other_lines(compared: Comparison) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What leaves ``other``, and what it imports; nothing where it cannot be had again."""
    earlier = compared.earlier
    if earlier is None:
        return (f"other = {compared.name}  # a variable of the notebook",) * compared.name.isidentifier(), ()
    if earlier.asked is None:
        return (), ()
    asked = earlier.asked
    lines, imports = run_lines(asked.pipeline, asked.coordinates, asked.way, "other_")
    return (*lines, "other = other_result.array"), imports


def _plot_arguments(array: str, slices: Slices | None, display: ResultDisplay, *, all_limits: bool) -> dict[str, str]:
    """What ``draw`` is given to draw the plane that is shown; the limits of a difference are always given."""
    arguments = {"": array}
    if slices is None:
        return arguments
    fixed = {str(dim): [at] for dim, at in slices.index.items() if dim not in slices.plane}
    if fixed and slices.others:
        arguments[""] = f"{array}.isel({literal(fixed)})"
    if len(slices.plane) == 2:
        if display.map_name != COLOUR_MAP:
            arguments["colour_map"] = literal(display.map_name)
        if (all_limits or display.limits != ALL) and not slices.classes:
            arguments["limits"] = literal(make_scale(slices, display).limits)
    return arguments
