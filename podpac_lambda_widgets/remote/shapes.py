"""How large the result of each node of a pipeline may be.

A result has the coordinates that were asked for, those that are written into a data source, or those of an expansion or
a selection. Where results with different coordinates meet, xarray joins them: the sizes of a dimension add up. Equal
coordinates are one, so that the nodes of an ordinary pipeline, which share a grid, keep its size.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from podpac_lambda_widgets.remote.budget import densest, dimension_sizes, dimension_spans

Nodes = Mapping[str, Mapping[str, Any]]


class Extent(NamedTuple):
    """Coordinates of one dimension: how many, and how far they reach in their unit or in seconds."""

    size: int
    span: float


Extents = dict[str, Extent]
_NOTHING = Extent(1, 0.0)
#: The bit of the coordinates that were asked for; the others are numbered after it.
_ASKED = 1


def read_extents(coordinates: Mapping[str, object]) -> Extents:
    """The extents of a checked coordinates definition."""
    spans = dimension_spans(coordinates)
    return {dim: Extent(size, spans.get(dim, math.inf)) for dim, size in dimension_sizes(coordinates).items()}


def largest(one: Extents, other: Extents) -> Extents:
    """The larger size and span of each dimension."""
    pairs = {dim: (one.get(dim, _NOTHING), other.get(dim, _NOTHING)) for dim in one.keys() | other.keys()}
    return {dim: Extent(max(a.size, b.size), max(a.span, b.span)) for dim, (a, b) in pairs.items()}


def count_points(extents: Extents) -> int:
    """The points of a grid."""
    return math.prod(extent.size for extent in extents.values())


def name_class(node: Mapping[str, Any]) -> str:
    """The class of a node of podpac's; empty for a plugin's, of which nothing is known here."""
    return str(node["node"]).rpartition(".")[2] if node.get("plugin", "podpac") == "podpac" else ""


def references(node: Mapping[str, Any], *, without: str = "") -> list[str]:
    """The names of a node's inputs, as often as they are used; all but one of them."""
    found: list[str] = []
    for key, value in node.get("inputs", {}).items():
        if key != without:
            found.extend(value if isinstance(value, list | tuple) else [value])
    return found


class WrittenCoordinates:
    """The coordinates that are written into the nodes of a pipeline.

    Parameters
    ----------
    nodes : mapping
        Checked nodes by their names.

    Attributes
    ----------
    of_node : dict of str to mapping
        Their definitions.
    """

    def __init__(self, nodes: Nodes) -> None:
        self.of_node: dict[str, Mapping[str, Any]] = {}
        for name, node in nodes.items():
            attrs, reference = node.get("attrs", {}), node.get("inputs", {}).get("coordinates")
            given = attrs.get("coordinates") or attrs.get("reprojected_coordinates")
            if isinstance(given, Mapping) and "coords" in given:
                self.of_node[name] = given
            elif isinstance(reference, str) and reference in self.of_node:
                # Reproject takes those of a node, too.
                self.of_node[name] = self.of_node[reference]
        self.extents = {name: read_extents(definition) for name, definition in self.of_node.items()}

    def densest(self, dim: str, reach: float) -> int:
        """The most coordinates of a dimension that lie in a range of one node's; 0 where none are written."""
        items = [item for one in self.of_node.values() for item in _items(one, dim)]
        return max((densest(item, reach) for item in items), default=0)


def _items(definition: Mapping[str, Any], dim: str) -> list[Mapping[str, Any]]:
    return [item for item in definition["coords"] if isinstance(item, Mapping) and item.get("name") == dim]


class ResultShapes:
    """Bounds of the results of a pipeline's nodes.

    Parameters
    ----------
    nodes : mapping
        Checked nodes by their names, in order.
    coordinates : mapping
        What was asked for.
    wanted, inner : mapping of str to dict
        The extents that each node is evaluated at, and those it evaluates its inputs at.
    written : WrittenCoordinates
    """

    def __init__(
        self,
        nodes: Nodes,
        coordinates: Mapping[str, Any],
        wanted: Mapping[str, Extents],
        inner: Mapping[str, Extents],
        written: WrittenCoordinates,
    ) -> None:
        self._coordinates, self._asked = coordinates, read_extents(coordinates)
        self._wanted, self._inner, self._written = wanted, inner, written
        self._sizes: list[int] = [0]
        self._bits: dict[str, int] = {}
        self._dims: dict[str, dict[str, int]] = {}
        self._outputs: dict[str, frozenset[str]] = {}
        for name, node in nodes.items():
            self._dims[name] = self._joined(name, node)
            self._outputs[name] = self._named(node)

    def count(self, name: str, *, without: str = "") -> int:
        """The most values that the result of a node may have, or of one dimension less."""
        points = 1
        for dim, bits in self._dims[name].items():
            if dim == without:
                continue
            asked = self._wanted[name].get(dim, _NOTHING).size if bits & _ASKED else 0
            points *= max(1, asked + sum(size for number, size in enumerate(self._sizes) if bits >> number & 1))
        return points * self.width(name)

    def width(self, name: str) -> int:
        """How many outputs the result of a node may have."""
        return max(1, len(self._outputs[name]))

    def _joined(self, name: str, node: Mapping[str, Any]) -> dict[str, int]:
        """The coordinates of each dimension of a node's result, one bit for each."""
        kind, wanted = name_class(node), self._wanted[name]
        asked = dict.fromkeys(wanted, _ASKED)
        if kind in ("Interpolate", "Reproject"):
            return asked
        if name in self._written.of_node:
            # A data source drops the dimensions that it does not have.
            return {dim: self._written_bit(name, dim, extent) for dim, extent in self._written.extents[name].items()}
        # Of this one, podpac takes the coordinates only.
        sources = set(references(node, without="coordinates_source"))
        found = {} if sources else asked
        for source in sources:
            for dim, bits in self._dims[source].items():
                found[dim] = found.get(dim, 0) | bits
        if kind in ("ExpandCoordinates", "SelectCoordinates"):
            # Its input was asked for these instead.
            for dim in [dim for dim in found if node.get("attrs", {}).get(dim) and found[dim] & _ASKED]:
                size = self._inner[name].get(dim, _NOTHING).size
                found[dim] = found[dim] & ~_ASKED | self._bit(f"{name}.{dim}", size)
        return found

    def _written_bit(self, name: str, dim: str, extent: Extent) -> int:
        items = _items(self._written.of_node[name], dim)
        if extent == self._asked.get(dim) == self._wanted[name].get(dim) and items == _items(self._coordinates, dim):
            return _ASKED
        return self._bit(json.dumps([dim, extent.size, items], default=dict), extent.size)

    def _bit(self, text: str, size: int) -> int:
        """The bit of coordinates; equal ones have the same."""
        if text not in self._bits:
            self._bits[text] = 1 << len(self._sizes)
            self._sizes.append(size)
        return self._bits[text]

    def _named(self, node: Mapping[str, Any]) -> frozenset[str]:
        """The names of the outputs of a node's result."""
        attrs, inputs = node.get("attrs", {}), node.get("inputs", {})
        if attrs.get("output"):
            return frozenset()
        if attrs.get("outputs"):
            return frozenset(map(str, attrs["outputs"]))
        if attrs.get("percentiles"):
            # BetaFitDayOfYear: two parameters of the distribution, and each percentile.
            return frozenset(map(str, range(2 + len(attrs["percentiles"]))))
        own = frozenset(inputs) if name_class(node) == "Combine" else frozenset()
        return own.union(*(self._outputs[source] for source in set(references(node))))
