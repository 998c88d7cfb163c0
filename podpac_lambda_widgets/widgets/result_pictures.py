"""What is shown of a result, as messages to the page: a little JSON, and buffers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from podpac_lambda_widgets.plots.values import text_of
from podpac_lambda_widgets.widgets.result_display import COLOURS, ResultDisplay, Scale, make_scale

if TYPE_CHECKING:
    from podpac_lambda_widgets.plots.axes import Axis
    from podpac_lambda_widgets.plots.pieces import Line, Point
    from podpac_lambda_widgets.plots.slices import Slices

Message = tuple[dict[str, Any], list[bytes]]


def picture_message(slices: Slices, display: ResultDisplay, width: int, height: int) -> Message:
    """The plane for a canvas of so many pixels; its buffers are values, x edges, y edges and colours.

    A line's are its x and y; a single value has none.
    """
    content: dict[str, Any] = {"type": "picture", "sliders": describe_sliders(slices, display)}
    if len(slices.plane) < 2:
        if not slices.plane:
            point = slices.point(0)
            return content | {"kind": "value", "text": point.value[0][1], "name": point.value[0][0]}, []
        told, buffers = _describe_line(slices.line())
        return content | {"kind": "line", "line": told | {"at": None}, "time": _is_time(slices)}, buffers
    vertical, horizontal = (slices.axes[dim] for dim in slices.plane)
    photo = display.shown == COLOURS
    raster = slices.photo(width, height) if photo else slices.raster(width, height)
    scale, colours = scale_message(slices, display)
    content |= scale | {
        "type": "picture",
        "kind": "photo" if photo else "raster",
        "shape": list(raster.values.shape[:2]),
        "offset": raster.offset,
        "scale": raster.scale,
        "x": describe_axis(horizontal),
        "y": describe_axis(vertical),
        "label": slices.label,
        "time": _is_time(slices),
        "empty": not photo and bool(np.isnan(raster.values).all()),
        "thinned": _say_thinned(raster.values.shape[:2], raster.points) if raster.thinned else "",
    }
    return content, [
        np.ascontiguousarray(raster.values).tobytes(),
        _bytes(raster.x_edges),
        _bytes(raster.y_edges),
        *colours,
    ]


def scale_message(slices: Slices, display: ResultDisplay) -> Message:
    """What the colours stand for; the buffer is the table."""
    scale: Scale = make_scale(slices, display)
    truths = slices.array.dtype.kind == "b"
    content = {
        "type": "colours",
        "low": scale.low,
        "high": scale.high,
        "below": scale.below,
        "above": scale.above,
        "classes": [text_of(bool(each)) if truths else str(each) for each in scale.classes],
    }
    return content, [scale.table]


def point_message(point: Point, view: str, values: list[tuple[str, str]] | None = None) -> Message:
    """The value of a cell, for the view that asked; ``values`` stand in its place where several are compared."""
    content = {
        "type": "inspected",
        "view": view,
        "column": point.column,
        "row": point.row,
        "x": point.x,
        "y": point.y,
        "places": [list(each) for each in point.places],
        "values": [list(each) for each in values or point.value],
    }
    return content, []


def profile_message(lines: list[Line], title: str, view: str, *, time: bool) -> Message:
    """Lines through a point, for the view that asked; the buffers are x and y of each."""
    told = [_describe_line(line) for line in lines]
    content = {"type": "profile", "view": view, "title": title, "time": time, "lines": [each for each, _ in told]}
    return content, [buffer for _, buffers in told for buffer in buffers]


def describe_axis(axis: Axis) -> dict[str, Any]:
    """An axis as the page draws it."""
    return {"kind": axis.kind, "title": axis.title, "names": axis.names}


def describe_sliders(slices: Slices, display: ResultDisplay) -> list[dict[str, Any]]:
    """The dimensions along which the plane can be moved: label, number of points, index, and where it is in words."""
    moved = [dim for dim in slices.others if not (display.shown == COLOURS and dim == slices.colour_dim)]
    return [
        {
            "dim": str(dim),
            "label": slices.axes[dim].label,
            "size": slices.array.sizes[dim],
            "index": slices.index[dim],
            "text": slices.axes[dim].text_at(slices.index[dim]),
        }
        for dim in moved
    ]


def _describe_line(line: Line) -> tuple[dict[str, Any], list[bytes]]:
    told = {"x": describe_axis(line.axis), "label": line.label, "at": line.at, "points": int(line.x.size)}
    return told, [_bytes(line.x), _bytes(line.y)]


def _is_time(slices: Slices) -> bool:
    return bool(slices.array.dtype.kind == "M")


def _say_thinned(drawn: tuple[int, int], points: tuple[int, int]) -> str:
    return f"{drawn[0]:,} × {drawn[1]:,} of {points[0]:,} × {points[1]:,} points are drawn, one for each pixel."


def _bytes(numbers: Any) -> bytes:
    return np.ascontiguousarray(numbers, dtype=np.float64).tobytes()
