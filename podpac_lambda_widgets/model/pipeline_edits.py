"""Changes of a pipeline's definition, each as a new definition: nodes added, taken out, renamed, connected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from podpac_lambda_widgets.errors import InvalidPipelineError
from podpac_lambda_widgets.model.node_specs import INPUTS, NodeSpec, find_spec
from podpac_lambda_widgets.remote.shapes import references

Definition = dict[str, Any]


def nodes_of(definition: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The nodes of a definition, in order."""
    return {name: node for name, node in definition.items() if isinstance(node, Mapping)}


def node_of(definition: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A copy of one node.

    Raises
    ------
    InvalidPipelineError
        There is none of that name.
    """
    node = definition.get(name)
    if not isinstance(node, Mapping):
        raise InvalidPipelineError(f"There is no node {name!r} in the pipeline", field="pipeline")
    return dict(node)


def add_node(definition: Mapping[str, Any], spec: NodeSpec) -> tuple[Definition, str]:
    """A node more at the end, fed by the one that was the output; the definition and the new node's name."""
    names = list(nodes_of(definition))
    name = next(each for each in [spec.name, *(f"{spec.name}{n}" for n in range(2, 10_000))] if each not in definition)
    node: dict[str, Any] = {"node": spec.path}
    first = next((each for each in spec.attributes if each.kind in ("node", "nodes") and each.required), None)
    if first is not None and names:
        free = spec.rule.free_inputs
        several = first.kind == "nodes" and not free
        node["inputs"] = {"A" if free else first.name: [names[-1]] if several else names[-1]}
    return {**definition, name: node}, name


def remove_node(definition: Mapping[str, Any], name: str) -> Definition:
    """The same without a node, which the others lose as an input."""
    node_of(definition, name)
    kept = {key: value for key, value in definition.items() if key != name}
    return {key: _with_inputs(node, lambda source: None if source == name else source) for key, node in kept.items()}


def rename_node(definition: Mapping[str, Any], name: str, new: str) -> Definition:
    """The same with a node called otherwise, in the inputs of the others too.

    Raises
    ------
    InvalidPipelineError
        It cannot be called so.
    """
    node_of(definition, name)
    if not new or not new.isprintable() or new.startswith("_") or new in ("podpac_output_node", "podpac_version"):
        raise InvalidPipelineError("Must be printable, and not begin with an underscore", field="name")
    if new != name and new in definition:
        raise InvalidPipelineError(f"There is a node {new!r} already", field="name")
    renamed = {new if key == name else key: value for key, value in definition.items()}
    return {key: _with_inputs(node, lambda source: new if source == name else source) for key, node in renamed.items()}


def _with_inputs(node: Any, change: Any) -> Any:
    """A node whose inputs are changed one by one; those that become None go."""
    if not isinstance(node, Mapping) or not isinstance(node.get("inputs"), Mapping):
        return node
    inputs: dict[str, Any] = {}
    for key, value in node["inputs"].items():
        if isinstance(value, list):
            inputs[key] = [each for each in map(change, value) if each is not None]
        else:
            inputs[key] = change(value)
    return {**node, "inputs": {key: value for key, value in inputs.items() if value}}


def listed(value: object) -> list[Any]:
    """What an input names, as a list: podpac takes one name where there may be several."""
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


def set_attribute(definition: Mapping[str, Any], name: str, attribute: str, value: object) -> Definition:
    """The same with one attribute of a node changed, or left to podpac where the value is None."""
    node = node_of(definition, name)
    attrs = {key: each for key, each in {**node.get("attrs", {}), attribute: value}.items() if each is not None}
    changed = {key: each for key, each in {**node, "attrs": attrs}.items() if each or key != "attrs"}
    return {**definition, name: changed}


def connect_node(definition: Mapping[str, Any], name: str, key: str, source: str) -> Definition:
    """The same with a node as an input of another, or without one where ``source`` is empty.

    Each node then stands behind those that it uses; otherwise the order stays.

    Parameters
    ----------
    key : str
        Name of the input. Of several under one name, one is meant by its number (``sources.0``); where any name may be
        an input, by the name (``inputs.A``).

    Raises
    ------
    InvalidPipelineError
        There is no such input, no such node, or it would go round in a circle.
    """
    node = node_of(definition, name)
    attribute, _, part = key.partition(".")
    spec = find_spec(node)
    found = spec.attribute(attribute) if spec else None
    if found is None or found.kind not in INPUTS:
        raise InvalidPipelineError(f"The node has no attribute {attribute!r}", field=key)
    if source and (source == name or source not in nodes_of(definition)):
        raise InvalidPipelineError(f"There is no other node {source!r} in the pipeline", field=key)
    inputs = dict(node.get("inputs", {}))
    if found.kind == "nodes" and part.isdecimal():
        several = listed(inputs.get(attribute))
        several[int(part) : int(part) + 1] = [source] if source else []
        inputs[attribute] = several
    else:
        inputs[part or attribute] = source
    kept = {each: value for each, value in inputs.items() if value}
    changed = {each: value for each, value in {**node, "inputs": kept}.items() if value or each != "inputs"}
    return _in_order({**definition, name: changed}, key)


def _in_order(definition: Definition, key: str) -> Definition:
    left = dict(definition)
    ordered: Definition = {}
    while left:
        ready = [
            name
            for name, node in left.items()
            if not isinstance(node, Mapping) or not any(source in left for source in references(node))
        ]
        if not ready:
            raise InvalidPipelineError("These nodes would go round in a circle", field=key)
        ordered[ready[0]] = left.pop(ready[0])
    return ordered
