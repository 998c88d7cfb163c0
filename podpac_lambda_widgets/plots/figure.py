"""A DataArray as a matplotlib Figure.

Figures are made without pyplot, which keeps state that belongs to no thread and draws blank plots from a notebook's
message handlers; and without ``rc_context``, which would change the style of whatever the notebook draws meanwhile.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np

from podpac_lambda_widgets.plots.axes import Axis, axis_of, edges_of
from podpac_lambda_widgets.plots.colours import COLOUR_MAP
from podpac_lambda_widgets.plots.values import (
    ROBUST,
    numbers_of,
    spread,
    text_of,
    title_of,
    undrawable,
    units_of,
    value_label,
)

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Inches of a plot, and the resolution it is drawn at: twice that of CSS, for fine screens.
SIZE = (7.6, 4.6)
PNG_DPI = 192
_LINE, _INK, _QUIET, _EDGE, _NOTHING = "#31688e", "#1a1c1e", "#5b6168", "#868c93", "#e9ebed"
#: matplotlib counts time in days.
_DAY_MS = 86_400_000


def draw(
    array: xr.DataArray,
    *,
    robust: bool = False,
    colour_map: str = COLOUR_MAP,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Draw an array: two dimensions as a raster, one as a line, none as text.

    Dimensions of size one are named in the title. What cannot be drawn (more than two dimensions, no values, only NaN)
    is said in a sentence, in the figure.

    Parameters
    ----------
    array : xarray.DataArray
        Any shape and kind of value. Complex values are drawn by their magnitude, dates as dates.
    robust : bool
        Let the colours span the 2nd to 98th percentile, as xarray's ``robust`` does, instead of all values.
    colour_map : str
        matplotlib's name.
    limits : tuple of float, optional
        What the colours span, in the array's units.
    """
    from matplotlib.figure import Figure

    values = array.squeeze()
    sentence = undrawable(array) or _too_many(values)
    figure = Figure(figsize=SIZE if sentence else _size(values), layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    if sentence:
        _say(axes, sentence)
        return figure
    if values.ndim == 0:
        _say(axes, f"{text_of(values.values[()])} {units_of(array)}".rstrip(), size=28)
    elif values.ndim == 1:
        _draw_line(axes, values, value_label(array))
    else:
        colours = _Colours(values, robust, colour_map, limits)
        _draw_raster(figure, axes, values, value_label(array), colours)
    axes.set_title(title_of(array), loc="left", fontsize=11, color=_INK, pad=10, parse_math=False)
    return figure


def render_png(figure: Figure) -> bytes:
    """The figure as a PNG file."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=PNG_DPI)
    return stream.getvalue()


def orient(first: Hashable, second: Hashable) -> tuple[Hashable, Hashable]:
    """Which of two dimensions goes up and which along: latitude up, longitude along, time along when it can."""
    if second == "lat" or first == "lon" or (first == "time" and second != "lon"):
        return second, first
    return first, second


def _too_many(values: xr.DataArray) -> str:
    if values.ndim <= 2:
        return ""
    names = ", ".join(str(name) for name in values.dims)
    return f"The result has {values.ndim} dimensions ({names}). Choose one value of all but two of them to draw it."


class _Colours:
    """What the colours of a raster span, and which they are."""

    def __init__(self, values: xr.DataArray, robust: bool, name: str, limits: tuple[float, float] | None) -> None:
        numbers = _numbers(values)
        finite = numbers[np.isfinite(numbers)]
        lowest, highest = float(finite.min()), float(finite.max())
        low, high = lowest, highest
        if limits is not None:
            low, high = (limit / _DAY_MS if values.dtype.kind == "M" else limit for limit in limits)
        elif robust:
            low, high = np.percentile(finite, ROBUST)
        self.name = name
        self.low, self.high = spread(float(low), float(high))
        ends = (lowest < self.low, highest > self.high)
        self.extend = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[
            ends
        ]


def _draw_raster(figure: Figure, axes: Axes, values: xr.DataArray, label: str, colours: _Colours) -> None:
    vertical, horizontal = orient(*values.dims)
    values = values.transpose(vertical, horizontal)
    x, y = axis_of(values, horizontal), axis_of(values, vertical)
    x_edges, y_edges = edges_of(_places(x)), edges_of(_places(y))
    axes.set_facecolor(_NOTHING)
    mesh = axes.pcolormesh(
        x_edges, y_edges, np.ma.masked_invalid(_numbers(values)), cmap=colours.name, vmin=colours.low,
        vmax=colours.high, shading="flat", rasterized=True,
    )  # fmt: skip
    # Small is left and below, whichever way the coordinates run.
    axes.set_xlim(x_edges.min(), x_edges.max())
    axes.set_ylim(y_edges.min(), y_edges.max())
    if {x.kind, y.kind} == {"lat", "lon"}:
        axes.set_aspect("equal")
    bar = figure.colorbar(mesh, ax=axes, extend=colours.extend, pad=0.02, aspect=28)
    if values.dtype.kind == "M":
        _tick_dates(bar.ax.yaxis)
    bar.set_label(label, color=_INK, fontsize=9.5, parse_math=False)
    bar.outline.set_visible(False)  # type: ignore[operator,unused-ignore]  # matplotlib's stub calls it a Spine dict
    bar.ax.tick_params(colors=_QUIET, labelsize=9)
    _dress(axes, x, y)


def _size(values: xr.DataArray) -> tuple[float, float]:
    """Inches that leave no margin beside a map, whose two axes have one scale."""
    if set(values.dims) != {"lat", "lon"}:
        return SIZE
    height, width = (float(np.ptp(axis_of(values, name).edges)) for name in ("lat", "lon"))
    along = (SIZE[1] - 0.8) * width / height
    if along > SIZE[0] - 1.7:
        return SIZE[0], max(2.4, (SIZE[0] - 1.7) * height / width + 0.8)
    return max(4.4, along + 1.7), SIZE[1]


def _draw_line(axes: Axes, values: xr.DataArray, label: str) -> None:
    x = axis_of(values, values.dims[0])
    marker = "o" if values.size <= 60 else ""
    axes.plot(_places(x), _numbers(values), color=_LINE, linewidth=1.8, marker=marker, markersize=4)
    axes.grid(True, color=_NOTHING, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    _dress(axes, x, None)
    if values.dtype.kind == "M":
        _tick_dates(axes.yaxis)
    axes.set_ylabel(label, color=_INK, fontsize=9.5, parse_math=False)


def _dress(axes: Axes, horizontal: Axis, vertical: Axis | None) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel(horizontal.title, color=_INK, fontsize=9.5, parse_math=False)
    if vertical is not None:
        axes.set_ylabel(vertical.title, color=_INK, fontsize=9.5, parse_math=False)
    axes.tick_params(colors=_QUIET, labelsize=9)
    for spine in axes.spines.values():
        spine.set_color(_EDGE)
        spine.set_linewidth(0.8)
    for shown, axis in ((horizontal, axes.xaxis), (vertical, axes.yaxis)):
        if shown is not None and shown.kind in ("lat", "lon"):
            axis.set_major_locator(MaxNLocator(7, steps=[1, 1.5, 2, 3, 4.5, 6, 9, 10]))
        elif shown is not None and shown.kind == "time":
            _tick_dates(axis)


def _tick_dates(axis: Any) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    # matplotlib's dates carry no types.
    locator: Any = AutoDateLocator()  # type: ignore[no-untyped-call,unused-ignore]
    axis.set_major_locator(locator)
    axis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call,unused-ignore]


def _places(axis: Axis) -> Any:
    return axis.positions / _DAY_MS if axis.kind == "time" else axis.positions


def _numbers(values: xr.DataArray) -> Any:
    numbers = numbers_of(np.asarray(values.values))
    return numbers / _DAY_MS if values.dtype.kind == "M" else numbers


def _say(axes: Axes, sentence: str, size: float = 13) -> None:
    axes.set_axis_off()
    wrapped = "\n".join(textwrap.wrap(sentence, 60))
    axes.text(
        0.5,
        0.5,
        wrapped,
        ha="center",
        va="center",
        fontsize=size,
        color=_INK,
        transform=axes.transAxes,
        parse_math=False,
    )
