"""The fields of one node: how an attribute of podpac's looks, and how what was typed becomes its value."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from podpac_lambda_widgets.errors import InvalidPipelineError, PodpacLambdaError
from podpac_lambda_widgets.model.node_specs import INPUTS, AttributeSpec, NodeSpec
from podpac_lambda_widgets.model.pipeline_edits import listed
from podpac_lambda_widgets.remote.attributes import INTERPOLATION_METHODS, Attributes
from podpac_lambda_widgets.remote.policy import Policy
from podpac_lambda_widgets.widgets.texts import set_out_json

#: What the names of these fields begin with, among the fields of the Run form.
PREFIX = "node:"
#: Attributes that all nodes have and few people set.
_COMMON = {
    "boundary", "coordinate_index_type", "nan_val", "nan_vals", "output", "outputs", "skip_validation", "source_id",
    "xarray_floating_point_correction",
}  # fmt: skip
_JSON = {"list", "dict", "array", "selection", "coordinates", "parameters"}
_DIMENSIONS = ("lat", "lon", "time", "alt")
_UNSET = object()
_EXAMPLES = {
    "list": 'a list, such as ["a", "b"]',
    "array": "a list of numbers, such as [[1, 2], [3, 4]]",
    "selection": "a list, such as [10, 20] or [10, 20, 5]",
    "dict": 'a JSON object, such as {"lat": 0.5}',
    "parameters": 'a JSON object, such as {"offset": 1}',
    "coordinates": "the .json of podpac.Coordinates",
    "int": "a whole number",
    "float": "a number",
}


def describe(spec: NodeSpec, node: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The controls of a node's attributes: those that count, and the common ones.

    Parameters
    ----------
    node : mapping
        Its definition: an attribute whose value no simple control can show gets a field of JSON.
    """
    first: list[dict[str, Any]] = []
    more: list[dict[str, Any]] = []
    inputs = [each for each in spec.attributes if each.kind in INPUTS]
    others = [each for each in spec.attributes if each.kind not in INPUTS]
    for attribute in sorted(inputs, key=lambda each: not each.required):
        first += _input_fields(spec, attribute, node)
    for attribute in sorted(others, key=lambda each: not each.required):
        (more if attribute.name in _COMMON else first).append(_field(attribute, control(attribute, node)))
    return first, more


def _field(attribute: AttributeSpec, kind: str, label: str = "", name: str = "") -> dict[str, Any]:
    wide = kind in ("area", "checks") or attribute.kind in ("expression", "location", "zarr_location")
    return {
        "name": PREFIX + (name or attribute.name),
        "label": label or attribute.name,
        "help": _short(attribute.help),
        "placeholder": "" if attribute.default in (None, "", [], {}) else json.dumps(attribute.default),
        "kind": kind,
        "rows": 6 if attribute.kind in ("array", "coordinates", "code") else 2,
        "mono": kind == "area" or attribute.kind == "expression",
        "span": 12 if wide else 6,
        "narrow": 12,
    }


def _short(text: str) -> str:
    """The first sentence."""
    end = text.find(". ")
    text = text if end < 0 else text[: end + 1]
    return text if len(text) <= 160 else text[:157] + " …"


def _input_fields(spec: NodeSpec, attribute: AttributeSpec, node: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A choice among nodes; for several of them one choice each, and one that is free."""
    if attribute.kind != "nodes":
        return [_field(attribute, "select")]
    names = list(free_names(node)) if spec.rule.free_inputs else []
    if spec.rule.free_inputs:
        return [_field(attribute, "select", name, f"{attribute.name}.{name}") for name in [*names, next_name(names)]]
    count = len(listed(node.get("inputs", {}).get(attribute.name)))
    return [
        _field(attribute, "select", f"{attribute.name}, {number + 1}", f"{attribute.name}.{number}")
        for number in range(count + 1)
    ]


def free_names(node: Mapping[str, Any]) -> Sequence[str]:
    """The names of the inputs of a node that may have any."""
    return list(node.get("inputs", {}))


def next_name(names: Sequence[str]) -> str:
    """The first letter that is no name yet; beyond Z a number goes with it."""
    letters = [chr(code) for code in range(ord("A"), ord("Z") + 1)]
    return next(name for name in [*letters, *(f"A{number}" for number in range(1000))] if name not in names)


def control(attribute: AttributeSpec, node: Mapping[str, Any]) -> str:
    """The kind of control: a plain one where it can show the present value, else text that is JSON."""
    value = node.get("attrs", {}).get(attribute.name, _UNSET)
    kind = _control(attribute)
    if value is _UNSET or value is None or kind in ("text", "area"):
        return kind
    fits = {
        "check": isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "select": isinstance(value, str) and value in choices(attribute),
        "checks": isinstance(value, list) and set(value) <= set(_DIMENSIONS),
    }
    return kind if fits[kind] else "area"


def _control(attribute: AttributeSpec) -> str:
    if attribute.type == "DimsTrait":
        return "checks"
    if choices(attribute):
        return "select"
    simple = {"bool": "check", "int": "number", "float": "number", "code": "area"}
    return simple.get(attribute.kind, "area" if attribute.kind in _JSON else "text")


def choices(attribute: AttributeSpec) -> tuple[str, ...]:
    """The values that there are, where they can be listed."""
    if attribute.kind == "interpolation":
        return tuple(sorted(INTERPOLATION_METHODS))
    return tuple(map(str, attribute.values))


def offered(attribute: AttributeSpec, kind: str) -> list[list[str]]:
    """What the control offers, as value and text."""
    if kind == "checks":
        return [[name, name] for name in _DIMENSIONS]
    return [["", _unset_text(attribute)], *([value, value] for value in choices(attribute))]


def _unset_text(attribute: AttributeSpec) -> str:
    return "(choose)" if attribute.default in (None, "") else f"(default: {attribute.default})"


def show(attribute: AttributeSpec, kind: str, node: Mapping[str, Any]) -> str | bool | list[str]:
    """The value of an attribute as it stands in its control."""
    value = node.get("attrs", {}).get(attribute.name, _UNSET)
    if kind == "check":
        return bool(attribute.default if value is _UNSET else value)
    if value is _UNSET or value is None:
        return [] if kind == "checks" else ""
    if kind == "checks":
        return list(map(str, value))
    if isinstance(value, str) and not (kind == "area" and attribute.kind != "code"):
        return value
    return set_out_json(json.dumps(value))


def read(attribute: AttributeSpec, kind: str, typed: object) -> Any:
    """What was typed, as the value of an attribute; None where it is to be left to podpac.

    Raises
    ------
    InvalidPipelineError
        A number that is none, or no JSON where only that can be meant.
    """
    if kind == "check":
        return None if typed == bool(attribute.default) else typed
    if kind == "checks":
        return typed or None
    text = typed.strip() if isinstance(typed, str) else typed
    if text == "" or not isinstance(text, str):
        return None if text == "" else text
    if attribute.kind == "code":
        return typed
    found = _read_json(text)
    if kind == "number" or (kind == "area" and attribute.kind != "value"):
        if found is _UNSET:
            raise InvalidPipelineError(
                f"Must be {_EXAMPLES.get(attribute.kind, 'JSON: text in quotes, lists in []')}, not {_shown(text)}",
                field=attribute.name,
            )
        return found
    return found if attribute.kind in ("value", "kernel_type") and found is not _UNSET else text


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _read_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _UNSET


def check(spec: NodeSpec, attribute: AttributeSpec, node: Mapping[str, Any], policy: Policy) -> None:
    """Have the guard look at one attribute of a node.

    Raises
    ------
    InvalidPipelineError
        In a sentence for the one who filled in the field.
    """
    attrs = node.get("attrs", {})
    names = ("eqn", "params") if attribute.kind in ("expression", "parameters") else (attribute.name,)
    given = {name: attrs[name] for name in names if name in attrs}
    if attribute.name not in given:
        return
    # Judged by its own rule alone: what is wrong with another attribute stands beside that one.
    kinds = {name: kind for name, kind in spec.rule.attrs.items() if name in given}
    guard = Attributes(kinds, policy.allowed_buckets, policy.allowed_hosts, policy.max_points, spec.name)
    try:
        guard.check(given, list(node.get("inputs", {})))
    except PodpacLambdaError as error:
        example = _EXAMPLES.get(attribute.kind)
        mistyped = example is not None and error.what.startswith("The value is n")
        raise InvalidPipelineError(
            f"Must be {example}" if mistyped else error.what,
            field=attribute.name,
            why="" if mistyped else error.why,
            next_step=error.next_step,
        ) from None
