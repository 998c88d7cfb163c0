"""podpac's nodes as podpac itself describes them to a form, without podpac at hand.

``node_specs.json`` is made from ``podpac.core.utils.get_ui_node_spec()`` by ``scripts/make_node_specs.py``. What the
values of an attribute may be says the guard (:mod:`podpac_lambda_widgets.remote.attributes`), so that a form offers
nothing that the function would refuse.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from podpac_lambda_widgets.remote.allowlist import PODPAC, NodeRule, find_podpac_node
from podpac_lambda_widgets.remote.policy import Policy

#: Kinds of attributes that are other nodes.
INPUTS = ("node", "nodes", "coordinates_or_node")
#: The kind of what may not be set, and has no field.
_NOTHING = "nothing"
_NO_HELP = "No help text to display."


@dataclass(frozen=True)
class AttributeSpec:
    """One attribute of a node.

    Parameters
    ----------
    name : str
    kind : str
        What the guard takes for it, see :data:`podpac_lambda_widgets.remote.attributes.KINDS`.
    type : str
        podpac's own word for its trait.
    values : tuple
        The values it may have, where there is a list of them.
    default : object
    required : bool
    help : str
    """

    name: str
    kind: str
    type: str
    values: tuple[Any, ...]
    default: Any
    required: bool
    help: str


@dataclass(frozen=True)
class NodeSpec:
    """One of podpac's nodes.

    Parameters
    ----------
    path : str
        As a definition names it, such as ``core.algorithm.stats.Mean``.
    category : str
        ``data``, ``algorithm``, ``compositor``, ``interpolators`` or ``alglib``.
    help : str
    attributes : tuple of AttributeSpec
    rule : NodeRule
        What the guard knows of it.
    """

    path: str
    category: str
    help: str
    attributes: tuple[AttributeSpec, ...]
    rule: NodeRule

    @property
    def name(self) -> str:
        """The name of its class."""
        return self.path.rpartition(".")[2]

    def attribute(self, name: str) -> AttributeSpec | None:
        """The attribute of that name, or None."""
        return next((each for each in self.attributes if each.name == name), None)


@cache
def node_specs() -> Mapping[str, NodeSpec]:
    """The nodes that the guard knows, by their paths."""
    shipped = json.loads(files(__package__).joinpath("node_specs.json").read_text("utf-8"))
    return {path: _read(path, told) for path, told in shipped["nodes"].items()}


@cache
def unavailable_nodes() -> tuple[str, ...]:
    """Classes of podpac's that no function of ours takes."""
    shipped = json.loads(files(__package__).joinpath("node_specs.json").read_text("utf-8"))
    return tuple(sorted(path.rpartition(".")[2] for path in shipped["unavailable"]))


def find_spec(node: object) -> NodeSpec | None:
    """The spec of a node of a definition; None for one of a plugin's, or one that is not known."""
    if not isinstance(node, Mapping) or node.get("plugin", PODPAC) != PODPAC:
        return None
    return node_specs().get(find_podpac_node(str(node.get("node")))[0])


def is_offered(spec: NodeSpec, policy: Policy) -> bool:
    """Whether a function with this policy takes the node."""
    if spec.rule.unsafe and not policy.allow_unsafe_eval:
        return False
    return not spec.rule.on_request or spec.path in policy.allowed_nodes


def _read(path: str, told: Mapping[str, Any]) -> NodeSpec:
    _, rule = find_podpac_node(path)
    assert rule is not None  # a test holds the two files together
    attributes = tuple(
        _attribute(name, rule.attrs[name], attr)
        for name, attr in told["attrs"].items()
        if not attr["hidden"] and rule.attrs.get(name, _NOTHING) != _NOTHING
    )
    text = "" if told["help"] == _NO_HELP else told["help"]
    return NodeSpec(path, told["category"], text, attributes, rule)


def _attribute(name: str, kind: str, told: Mapping[str, Any]) -> AttributeSpec:
    type_ = told["type"] if isinstance(told["type"], str) else "Union"
    values = tuple(value for value in told["values"] or () if value != "custom")
    # Arithmetic's parameters may be none.
    required = told["required"] and kind != "parameters"
    return AttributeSpec(name, kind, type_, values, told["default"], required, told["help"])
