"""How much a pipeline computes: more than was asked for, where nodes expand coordinates, join them or are used twice.

The extents of the dimensions go from the output, which is asked, up to its inputs; what the inputs give comes back
down. Where only podpac could tell, the number is one from above. Sizes that depend on what is in a file are not known
here; the memory of the function bounds them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from podpac_lambda_widgets.errors import InvalidCoordinatesError, PipelineRejectedError
from podpac_lambda_widgets.remote.budget import as_delta, as_number
from podpac_lambda_widgets.remote.shapes import (
    Extent,
    Extents,
    Nodes,
    ResultShapes,
    WrittenCoordinates,
    count_points,
    largest,
    name_class,
    read_extents,
    references,
)

#: How often one node may be evaluated in a request: podpac evaluates a node again for each use of it, so that in a
#: chain of nodes that each use the one before twice the number doubles with each.
MAX_EVALUATIONS = 10_000
#: Points of all evaluations together, as a multiple of those that one node may have.
MAX_TIMES_EVALUATED = 500
_DIMENSIONS = ("lat", "lon", "alt", "time")
#: The shortest of each of pandas' periods that the guard lets pass, seconds.
_PERIODS = {
    "min": 60, "h": 3600, "D": 86400, "W": 7 * 86400, "S": 14 * 86400, "M": 28 * 86400, "Q": 90 * 86400,
    "Y": 365 * 86400, "A": 365 * 86400,
}  # fmt: skip
_FREQUENCY = re.compile(r"(\d*)(min|.)", re.ASCII)


def check_growth(pipeline: Mapping[str, Any], coordinates: Mapping[str, object], max_points: int) -> None:
    """Check the points that each node of a checked pipeline computes, and how often.

    Parameters
    ----------
    pipeline, coordinates : mapping
        Each passed its own check.
    max_points : int
        Points of one node, and values of one convolution kernel.

    Raises
    ------
    PipelineRejectedError
        With the node and its number of points.
    """
    nodes = {name: node for name, node in pipeline.items() if isinstance(node, Mapping)}
    output = pipeline.get("podpac_output_node") or next(reversed(nodes))
    times = _count_evaluations(nodes, output)
    written, asked = WrittenCoordinates(nodes), read_extents(coordinates)
    wanted: dict[str, Extents] = {output: asked}
    inner: dict[str, Extents] = {}
    for name, node in reversed(list(nodes.items())):
        wanted.setdefault(name, asked)
        inner[name] = _extents_of_input(node, wanted[name], written, max_points, name)
        _refuse_over(max_points, count_points(inner[name]), name)
        for source in references(node):
            wanted[source] = largest(inner[name], wanted.get(source, {}))
    shapes = ResultShapes(nodes, coordinates, wanted, inner, written)
    everywhere = [*wanted.values(), *inner.values(), *written.extents.values()]
    total = 0
    for name, node in nodes.items():
        count = max(shapes.count(name), count_points(inner[name]) * shapes.width(name))
        if name_class(node) == "ResampleReduce":
            periods = _count_periods(node, everywhere, f"{name}.attrs.resample")
            count = max(count, shapes.count(name, without="time") * periods)
        _refuse_over(max_points, count, name)
        total += count * times.get(name, 0)
    _refuse_over(max_points * MAX_TIMES_EVALUATED, total, "pipeline")


def _count_evaluations(nodes: Nodes, output: str) -> dict[str, int]:
    times = {output: 1}
    for name, node in reversed(list(nodes.items())):
        for source in references(node) if name in times else ():
            times[source] = times.get(source, 0) + times[name]
            if times[source] > MAX_EVALUATIONS:
                _refuse(
                    source,
                    f"podpac would evaluate this node more than {MAX_EVALUATIONS:,} times, once for each use of it",
                    "Use fewer nodes more than once",
                )
    return times


def _count_periods(node: Mapping[str, Any], everywhere: list[Extents], where: str) -> int:
    """How many periods pandas makes: each between the first time of the node's input and the last."""
    found = _FREQUENCY.match(str(node.get("attrs", {}).get("resample")))
    if found is None:
        return 1
    seconds = int(found[1] or 1) * _PERIODS.get(found[2], 60)
    count = max(extents["time"].span if "time" in extents else 0.0 for extents in everywhere) / max(1, seconds)
    if not math.isfinite(count):
        _refuse(where, "the times have no first and last that can be read")
    return int(count) + 1


def range_size(items: object, where: str) -> int:
    """Values of a selection or an expansion: of three, start, stop and step; else what is listed.

    Raises
    ------
    PipelineRejectedError
        A value is neither a number, a time nor a difference of times, or the number is not finite.
    """
    values = items if isinstance(items, list | tuple) else []
    numbers = [_number(item, where) for item in values]
    if len(numbers) != 3:
        return max(1, len(numbers))
    start, stop, step = numbers
    count = abs(stop - start) / abs(step) if step else math.inf
    if not math.isfinite(count):
        raise PipelineRejectedError("The selection has no end", resource=where, why="its step or an end is not finite")
    return int(count) + 1


def _number(item: object, where: str) -> float:
    for read in (as_number, as_delta):
        try:
            return read(item, where)
        except InvalidCoordinatesError:
            continue
    raise PipelineRejectedError(
        "The selection cannot be read",
        resource=where,
        why=ascii(item)[:40],
        next_step='Give numbers, times like "2018-01-31" or differences like "1,D"',
    )


def _extents_of_input(
    node: Mapping[str, Any], extents: Extents, written: WrittenCoordinates, max_points: int, name: str
) -> Extents:
    """The coordinates for which a node evaluates its inputs."""
    found = dict(extents)
    attrs, kind = node.get("attrs", {}), name_class(node)
    if kind in ("ExpandCoordinates", "SelectCoordinates"):
        for dim in found.keys() & set(_DIMENSIONS):
            if attrs.get(dim):
                where = f"{name}.attrs.{dim}"
                if kind == "SelectCoordinates":
                    found[dim] = _selected(attrs[dim], dim, written, where)
                else:
                    found[dim] = _expanded(found[dim], node, dim, written, where)
    elif kind in ("Reproject", "ReprojectedSource"):
        found |= written.extents.get(name, {})
    elif kind == "Convolution":
        shape = _kernel_shape(attrs)
        values = math.prod(size for _, size in shape)
        if values > max_points:
            _refuse(name, f"a kernel of {values:,} values; this function takes {max_points:,}")
        for dim, size in shape:
            if dim in found:
                # No step is longer than the whole.
                found[dim] = Extent(found[dim].size + size + 1, found[dim].span * (size + 2))
    return found


def _selected(selection: Any, dim: str, written: WrittenCoordinates, where: str) -> Extent:
    reach = _reach(selection, where)
    # Of two, podpac takes what the source has between them.
    between = written.densest(dim, reach) if len(selection) == 2 else 0
    return Extent(max(range_size(selection, where), between), reach)


def _expanded(extent: Extent, node: Mapping[str, Any], dim: str, written: WrittenCoordinates, where: str) -> Extent:
    """Each coordinate with its surroundings or, as a whole, all between the first and the last."""
    offsets, whole = node["attrs"][dim], node["attrs"].get("bounds_only") is True
    reach = _reach(offsets, where)
    span = extent.span + reach
    if len(offsets) == 2:
        # podpac takes those that the source has.
        around = written.densest(dim, span if whole else reach)
        return Extent(max(extent.size * 2, around if whole else extent.size * around), span)
    if not whole or len(offsets) != 3:
        return Extent(extent.size * range_size(offsets, where), span)
    count = span / abs(_number(offsets[2], where))
    if not math.isfinite(count):
        _refuse(where, "the coordinates that are expanded have no end")
    return Extent(int(count) + 1, span)


def _reach(values: Any, where: str) -> float:
    numbers = [_number(value, where) for value in values[:2]]
    return max(numbers) - min(numbers)


def _kernel_shape(attrs: Mapping[str, Any]) -> list[tuple[str, int]]:
    dims = [str(dim) for dim in attrs.get("kernel_dims") or ()]
    given = attrs.get("kernel_type")
    kinds = [given] if isinstance(given, str) else given or ()
    if kinds:
        # podpac makes a kernel of this size in each dimension; the attribute's own check read it before.
        size = max(math.ceil(float(kind.split(",")[1])) for kind in kinds)
        return [(dim, size) for dim in dims]
    sides: list[int] = []
    kernel = attrs.get("kernel")
    while isinstance(kernel, list | tuple) and kernel:
        sides.append(len(kernel))
        kernel = kernel[0]
    return list(zip(dims, sides, strict=False))


def _refuse_over(limit: int, count: int, name: str) -> None:
    if count > limit:
        _refuse(name, f"about {count:,} points; this function takes {limit:,}")


def _refuse(
    name: str,
    why: str,
    next_step: str = "Ask for a smaller or coarser region, expand less, or give the function more memory",
) -> NoReturn:
    raise PipelineRejectedError(
        "The pipeline would compute too many points", resource=ascii(name)[1:-1][:60], why=why, next_step=next_step
    )
