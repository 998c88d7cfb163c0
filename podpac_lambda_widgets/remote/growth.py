"""How many points each node of a pipeline computes: more than were asked for, where nodes expand the coordinates.

The extents of the dimensions go from the output, which is asked, up to its inputs. Where only podpac could tell, the
number is one from above. Sizes that depend on what is in a file are not known here; the memory of the function bounds
them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

from podpac_lambda_widgets.errors import InvalidCoordinatesError, PipelineRejectedError
from podpac_lambda_widgets.remote.budget import as_delta, as_number, dimension_sizes, dimension_spans

_DIMENSIONS = ("lat", "lon", "alt", "time")


class _Extent(NamedTuple):
    """Coordinates of one dimension: how many, and how far they reach in their unit or in seconds."""

    size: int
    span: float


_Extents = dict[str, _Extent]


def check_growth(pipeline: Mapping[str, Any], coordinates: Mapping[str, object], max_points: int) -> None:
    """Check the points that each node of a checked pipeline computes.

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
    asked = _extents(coordinates)
    wanted: dict[str, _Extents] = {}
    for name, node in reversed(list(pipeline.items())):
        if not isinstance(node, Mapping):
            continue
        extents = _extents_of_input(node, wanted.get(name, asked), max_points, name)
        count = math.prod(extent.size for extent in extents.values())
        if count > max_points:
            _refuse(name, f"about {count:,} points; this function takes {max_points:,}")
        for source in _references(node):
            wanted[source] = _larger(extents, wanted.get(source, {}))


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


def _references(node: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for value in node.get("inputs", {}).values():
        found.extend(value if isinstance(value, list | tuple) else [value])
    return found


def _extents(coordinates: Mapping[str, object]) -> _Extents:
    spans = dimension_spans(coordinates)
    return {dim: _Extent(size, spans.get(dim, math.inf)) for dim, size in dimension_sizes(coordinates).items()}


def _larger(one: _Extents, other: _Extents) -> _Extents:
    none = _Extent(1, 0.0)
    pairs = {dim: (one.get(dim, none), other.get(dim, none)) for dim in one.keys() | other.keys()}
    return {dim: _Extent(max(a.size, b.size), max(a.span, b.span)) for dim, (a, b) in pairs.items()}


def _extents_of_input(node: Mapping[str, Any], extents: _Extents, max_points: int, name: str) -> _Extents:
    """The coordinates for which a node evaluates its inputs."""
    found = dict(extents)
    attrs, kind = node.get("attrs", {}), node["node"].rpartition(".")[2]
    if kind in ("ExpandCoordinates", "SelectCoordinates"):
        for dim in found.keys() & set(_DIMENSIONS):
            if attrs.get(dim):
                where = f"{name}.attrs.{dim}"
                if kind == "SelectCoordinates":
                    found[dim] = _Extent(range_size(attrs[dim], where), _reach(attrs[dim], where))
                else:
                    found[dim] = _expanded(found[dim], attrs[dim], where, whole=attrs.get("bounds_only") is True)
    elif kind in ("Reproject", "ReprojectedSource"):
        given = attrs.get("coordinates") or attrs.get("reprojected_coordinates")
        if isinstance(given, Mapping):
            found |= _extents(given)
    elif kind == "Convolution":
        shape = _kernel_shape(attrs)
        values = math.prod(size for _, size in shape)
        if values > max_points:
            _refuse(name, f"a kernel of {values:,} values; this function takes {max_points:,}")
        for dim, size in shape:
            if dim in found:
                # No step is longer than the whole.
                found[dim] = _Extent(found[dim].size + size + 1, found[dim].span * (size + 2))
    return found


def _expanded(extent: _Extent, offsets: Any, where: str, *, whole: bool) -> _Extent:
    """Each coordinate with its surroundings or, as a whole, all between the first and the last."""
    span = extent.span + _reach(offsets, where)
    if not whole or len(offsets) != 3:
        return _Extent(extent.size * range_size(offsets, where), span)
    count = span / abs(_number(offsets[2], where))
    if not math.isfinite(count):
        _refuse(where, "the coordinates that are expanded have no end")
    return _Extent(int(count) + 1, span)


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


def _refuse(name: str, why: str) -> NoReturn:
    raise PipelineRejectedError(
        "The pipeline would compute too many points",
        resource=ascii(name)[1:-1][:60],
        why=why,
        next_step="Ask for a smaller or coarser region, expand less, or give the function more memory",
    )
