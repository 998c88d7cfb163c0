"""A DataArray as a matplotlib Figure, and in words and numbers.

Figures are made without pyplot, which keeps state that belongs to no thread and draws blank plots from a notebook's
message handlers; and without ``rc_context``, which would change the style of whatever the notebook draws meanwhile.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Inches of a plot, and the resolutions it is shown and drawn at: twice the pixels for fine screens.
SIZE = (7.6, 4.6)
CSS_DPI = 96
PNG_DPI = 192
#: Perceptually uniform (matplotlib's documentation, "Choosing colormaps"), and readable in grey.
COLOUR_MAP = "viridis"
#: What xarray takes for robust limits.
_ROBUST = (2.0, 98.0)
_LINE, _INK, _QUIET, _EDGE, _NOTHING = "#31688e", "#1a1c1e", "#5b6168", "#868c93", "#e9ebed"
_DEGREES = {"lat": "Latitude (°)", "lon": "Longitude (°)"}


def draw(array: xr.DataArray, *, robust: bool = False) -> Figure:
    """Draw an array: two dimensions as a raster, one as a line, none as text.

    Dimensions of size one are named in the title. What cannot be drawn (more than two dimensions, no values, only NaN)
    is said in a sentence, in the figure.

    Parameters
    ----------
    array : xarray.DataArray
        Any shape and kind of value. Complex values are drawn by their magnitude, dates as dates.
    robust : bool
        Let the colours span the 2nd to 98th percentile, as xarray's ``robust`` does, instead of all values.
    """
    from matplotlib.figure import Figure

    sentence = undrawable(array)
    values = array.squeeze()
    figure = Figure(figsize=SIZE if sentence else _size(values), layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    if sentence:
        _say(axes, sentence)
        return figure
    if values.ndim == 0:
        _say(axes, f"{_text(values.values[()])} {units_of(array)}".rstrip(), size=28)
    elif values.ndim == 1:
        _draw_line(axes, values, _value_label(array))
    else:
        _draw_raster(figure, axes, values, _value_label(array), robust)
    axes.set_title(title_of(array), loc="left", fontsize=11, color=_INK, pad=10, parse_math=False)
    return figure


def render_png(figure: Figure) -> bytes:
    """The figure as a PNG file."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=PNG_DPI)
    return stream.getvalue()


def undrawable(array: xr.DataArray) -> str:
    """Why an array cannot be drawn, as a sentence; empty when it can."""
    if array.size == 0:
        empty = ", ".join(str(name) for name, size in array.sizes.items() if size == 0)
        return f"The result has no values: {empty} has no points."
    dims = array.squeeze().dims
    if len(dims) > 2:
        names = ", ".join(str(name) for name in dims)
        return f"The result has {len(dims)} dimensions ({names}). Choose one value of all but two of them to draw it."
    if array.dtype.kind not in "biufcmM":
        return f"The result holds {array.dtype} values, which are no numbers."
    if not _finite(array).size:
        return "Every value of the result is missing (NaN). Is there data at these coordinates?"
    return ""


def title_of(array: xr.DataArray) -> str:
    """The array's name and where its dimensions of size one stand."""
    fixed = [
        f"{name} = {_text(array[name].values[0])}"
        for name, size in array.sizes.items()
        if size == 1 and name in array.coords
    ]
    name = str(array.name) if array.name is not None else ""
    return textwrap.shorten(" · ".join([name, *fixed] if name else fixed), 90, placeholder=" …")


def units_of(array: xr.DataArray) -> str:
    """The array's units as text, empty where it has none."""
    return str(array.attrs.get("units") or "")


def describe(array: xr.DataArray) -> list[list[str]]:
    """Term and value of what there is to know: shape, units, range."""
    facts = [["Shape", " × ".join(f"{size} {name}" for name, size in array.sizes.items()) or "one value"]]
    facts.append(["Units", units_of(array) or "none"])
    finite = _finite(array)
    if finite.size and finite.dtype.kind in "biuf":
        low, mean, high = finite.min(), finite.mean(dtype=float), finite.max()
        facts += [["Minimum", _text(low)], ["Mean", _text(mean)], ["Maximum", _text(high)]]
    elif finite.size and finite.dtype.kind in "mM":
        facts += [["First", _text(finite.min())], ["Last", _text(finite.max())]]
    missing = array.size - finite.size
    if missing and array.dtype.kind in "fcmM":
        facts.append(["Missing values", f"{missing:,} of {array.size:,}"])
    return facts


def describe_in_words(array: xr.DataArray) -> str:
    """The plot in a sentence, for those who do not see it."""
    sentence = undrawable(array)
    if sentence:
        return sentence
    facts = {fact[0]: fact[1] for fact in describe(array)}
    dims = array.squeeze().dims
    kind = ("Single value", "Line plot", "Map")[len(dims)] if dims != () else "Single value"
    over = f" over {' and '.join(str(name) for name in dims)}" if dims else ""
    span = f", from {facts['Minimum']} to {facts['Maximum']}" if "Minimum" in facts else ""
    units = f" {units_of(array)}" if units_of(array) else ""
    title = title_of(array)
    return f"{kind} of {title or 'the result'}{over}{span}{units}."


def _draw_raster(figure: Figure, axes: Axes, values: xr.DataArray, label: str, robust: bool) -> None:
    vertical, horizontal = _orient(values)
    values = values.transpose(vertical, horizontal)
    numbers = _numbers(values)
    shown = np.ma.masked_invalid(numbers)
    low, high = _limits(numbers, robust)
    extend = "neither"
    if robust and shown.count():
        extend = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[
            bool(shown.min() < low), bool(shown.max() > high)
        ]
    x, y = _positions(values, horizontal), _positions(values, vertical)
    axes.set_facecolor(_NOTHING)
    mesh = axes.pcolormesh(
        _edges(x), _edges(y), shown, cmap=COLOUR_MAP, vmin=low, vmax=high, shading="flat", rasterized=True
    )
    # Small is left and below, whichever way the coordinates run.
    axes.set_xlim(_edges(x).min(), _edges(x).max())
    axes.set_ylim(_edges(y).min(), _edges(y).max())
    if {vertical, horizontal} == {"lat", "lon"}:
        axes.set_aspect("equal")
    bar = figure.colorbar(mesh, ax=axes, extend=extend, pad=0.02, aspect=28)
    bar.set_label(label, color=_INK, fontsize=9.5, parse_math=False)
    bar.outline.set_visible(False)  # type: ignore[operator,unused-ignore]  # matplotlib's stub calls it a Spine dict
    bar.ax.tick_params(colors=_QUIET, labelsize=9)
    _dress(axes, values, horizontal, vertical)


def _size(values: xr.DataArray) -> tuple[float, float]:
    """Inches that leave no margin beside a map, whose two axes have one scale."""
    if set(values.dims) != {"lat", "lon"}:
        return SIZE
    height, width = (float(np.ptp(_edges(_positions(values, name)))) for name in ("lat", "lon"))
    along = (SIZE[1] - 0.8) * width / height
    if along > SIZE[0] - 1.7:
        return SIZE[0], max(2.4, (SIZE[0] - 1.7) * height / width + 0.8)
    return max(4.4, along + 1.7), SIZE[1]


def _draw_line(axes: Axes, values: xr.DataArray, label: str) -> None:
    dim = values.dims[0]
    x = _positions(values, dim)
    numbers = _numbers(values)
    axes.plot(x, numbers, color=_LINE, linewidth=1.8, marker="o" if values.size <= 60 else "", markersize=4)
    axes.grid(True, color=_NOTHING, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    _dress(axes, values, dim, None)
    axes.set_ylabel(label, color=_INK, fontsize=9.5, parse_math=False)


def _dress(axes: Axes, values: xr.DataArray, horizontal: Hashable, vertical: Hashable | None) -> None:
    axes.set_xlabel(_axis_label(values, horizontal), color=_INK, fontsize=9.5, parse_math=False)
    if vertical is not None:
        axes.set_ylabel(_axis_label(values, vertical), color=_INK, fontsize=9.5, parse_math=False)
    axes.tick_params(colors=_QUIET, labelsize=9)
    for spine in axes.spines.values():
        spine.set_color(_EDGE)
        spine.set_linewidth(0.8)
    for name, axis in ((horizontal, axes.xaxis), (vertical, axes.yaxis)):
        if name in _DEGREES:
            from matplotlib.ticker import MaxNLocator

            axis.set_major_locator(MaxNLocator(7, steps=[1, 1.5, 2, 3, 4.5, 6, 9, 10]))
        elif name is not None and _kind(values, name) == "M":
            from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

            # matplotlib's dates carry no types.
            locator: Any = AutoDateLocator()  # type: ignore[no-untyped-call,unused-ignore]
            axis.set_major_locator(locator)
            axis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call,unused-ignore]


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


def _orient(values: xr.DataArray) -> tuple[Hashable, Hashable]:
    """Which dimension goes up and which goes along: latitude up, longitude along, time along when it can."""
    first, second = values.dims
    if second == "lat" or first == "lon" or (first == "time" and second != "lon"):
        return second, first
    return first, second


def _positions(values: xr.DataArray, name: Hashable) -> Any:
    """Where the points of a dimension stand, as numbers; their count where the coordinate cannot say."""
    if _kind(values, name) in "iufM":
        coordinate = values[name].values
        positions = _day_numbers(coordinate) if coordinate.dtype.kind == "M" else coordinate.astype(float)
        steps = np.diff(positions)
        if np.isfinite(positions).all() and ((steps > 0).all() or (steps < 0).all()):
            return positions
    return np.arange(values.sizes[name], dtype=float)


def _kind(values: xr.DataArray, name: Hashable) -> str:
    return str(values[name].dtype.kind) if name in values.coords else "-"


def _edges(centres: Any) -> Any:
    """Edges of the cells around points, half-way between neighbours."""
    if centres.size == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    middle = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]])


def _numbers(values: xr.DataArray) -> Any:
    raw = values.values
    if raw.dtype.kind == "c":
        return np.abs(raw)
    if raw.dtype.kind in "mM":
        if raw.dtype.kind == "M":
            return _day_numbers(raw)
        return np.where(np.isnat(raw), np.nan, raw / np.timedelta64(1, "s"))
    return raw.astype(float)


def _day_numbers(dates: Any) -> Any:
    """Dates as matplotlib counts them, in days; NaN where there is none."""
    days = (dates - np.datetime64(0, "D")) / np.timedelta64(1, "D")
    return np.where(np.isnat(dates), np.nan, days)


def _finite(array: xr.DataArray) -> Any:
    raw = np.asarray(array.values).ravel()
    if raw.dtype.kind in "mM":
        return raw[~np.isnat(raw)]
    if raw.dtype.kind in "fc":
        return raw[np.isfinite(raw)]
    return raw if raw.dtype.kind in "biu" else raw[:0]


def _limits(numbers: Any, robust: bool) -> tuple[float, float]:
    finite = numbers[np.isfinite(numbers)]
    low, high = np.percentile(finite, _ROBUST) if robust else (finite.min(), finite.max())
    if low == high:
        margin = abs(float(low)) * 0.05 or 0.5
        return float(low) - margin, float(high) + margin
    return float(low), float(high)


def _axis_label(values: xr.DataArray, name: Hashable) -> str:
    if name in values.coords and values[name].attrs.get("units"):
        return f"{_DEGREES.get(str(name), str(name)).split(' (')[0]} ({values[name].attrs['units']})"
    return _DEGREES.get(str(name), str(name).capitalize())


def _value_label(array: xr.DataArray) -> str:
    name = str(array.attrs.get("long_name") or array.name or "value")
    if array.dtype.kind == "c":
        name = f"|{name}|"
    units = units_of(array) or ("s" if array.dtype.kind == "m" else "")
    return textwrap.shorten(f"{name} ({units})" if units else name, 60, placeholder=" …")


def _text(value: Any) -> str:
    """One value for people."""
    if isinstance(value, np.datetime64):
        text = np.datetime_as_string(value, unit="s")
        return str(text).removesuffix("T00:00:00")
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    return str(value)
