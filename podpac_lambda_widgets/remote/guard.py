"""The guard: what a request may say, decided on its raw definition before podpac sees any of it.

``podpac.Node.from_definition`` imports any module a definition names and calls what it finds there. So a definition
passes only when every node, every attribute and every value in it is of a kind that is listed: for podpac's nodes in
``allowlist.json``, which is made from podpac's own classes, for a plugin's in the function's code.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NoReturn

from podpac_lambda_widgets.errors import InvalidPipelineError, PipelineRejectedError
from podpac_lambda_widgets.remote.allowlist import (
    PODPAC,
    UNDESCRIBED,
    UNJUDGED,
    NodeRule,
    find_podpac_node,
    is_node_name,
)
from podpac_lambda_widgets.remote.attributes import Attributes, shown
from podpac_lambda_widgets.remote.coordinates import check_coordinates, check_crs
from podpac_lambda_widgets.remote.growth import check_growth
from podpac_lambda_widgets.remote.outputs import read_output
from podpac_lambda_widgets.remote.plain import check_plain
from podpac_lambda_widgets.remote.policy import Policy, default_max_points
from podpac_lambda_widgets.remote.shapes import references
from podpac_lambda_widgets.remote.styles import check_style

__all__ = ["MAX_CHAIN", "MAX_NODES", "Policy", "check", "default_max_points", "harmless", "needs_unsafe_eval"]

#: Nodes in one pipeline.
MAX_NODES = 500
#: Nodes of which each is an input of the next: podpac evaluates one inside the other, and Python stops at 1,000 calls,
#: which is about 160 nodes.
MAX_CHAIN = 100
_OUTPUT_NODE = "podpac_output_node"
_VERSION = "podpac_version"
_PROPERTIES = {"node", "plugin", "attrs", "inputs", "style"}
_INPUTS = ("node", "nodes", "coordinates_or_node")
_BY_DEFAULT = Policy()


def check(request: Any, policy: Policy) -> None:
    """Check a request against a policy.

    Parameters
    ----------
    request : podpac_lambda_widgets.remote.wire.Request
    policy : Policy

    Raises
    ------
    InvalidPipelineError
        Not a pipeline definition.
    InvalidCoordinatesError
        Not a coordinates definition, or more points than the policy allows.
    PipelineRejectedError
        Something in it is not allowed; ``resource`` names the place.
    """
    check_plain(request.pipeline, "pipeline", finite=False)
    check_plain(request.coordinates, "coordinates")
    read_output(request.output)
    _check_settings(request.settings)
    _check_pipeline(request.pipeline, policy)
    check_coordinates(request.coordinates, policy.max_points)
    check_growth(request.pipeline, request.coordinates, policy.max_points)


def needs_unsafe_eval(request: Any, policy: Policy = _BY_DEFAULT) -> bool:
    """Whether a checked request has a node for which podpac must be told to evaluate expressions."""
    rules = (_find_rule(node, policy)[1] for node in request.pipeline.values() if isinstance(node, Mapping))
    return any(rule is not None and rule.evaluates_text for rule in rules)


def harmless(settings: Mapping[str, object]) -> dict[str, object]:
    """The few settings a request may set, out of all that a client sent."""
    return {
        name: settings[name] for name, kinds in _SETTINGS.items() if name in settings and _fits(settings[name], kinds)
    }


_SETTINGS: dict[str, tuple[type, ...]] = {
    "ALGORITHM_XARRAY_FLOATING_POINT_CORRECTION": (bool,),
    "DEFAULT_CRS": (str,),
    "ENABLE_UNITS": (bool,),
}


def _fits(value: object, kinds: tuple[type, ...]) -> bool:
    return type(value) in kinds


def _check_settings(settings: Mapping[str, object]) -> None:
    for name, value in settings.items():
        if name not in _SETTINGS or not _fits(value, _SETTINGS[name]):
            _refuse("The request may not set this", f"settings.{shown(name)}", f"allowed: {', '.join(_SETTINGS)}")
    if "DEFAULT_CRS" in settings:
        check_crs(settings["DEFAULT_CRS"], "settings.DEFAULT_CRS")


def _check_pipeline(pipeline: object, policy: Policy) -> None:
    if not isinstance(pipeline, Mapping) or not pipeline:
        raise InvalidPipelineError("Not a pipeline", field="pipeline", why="it has no node")
    if len(pipeline) > MAX_NODES:
        _refuse("The pipeline has too many nodes", "pipeline", f"{len(pipeline):,}; the limit is {MAX_NODES}")
    earlier: dict[str, int] = {}
    for name, node in pipeline.items():
        if name in (_OUTPUT_NODE, _VERSION):
            if not isinstance(node, str):
                raise InvalidPipelineError("Not text", field=name)
            continue
        _check_node(name, node, earlier, policy)
        earlier[name] = 1 + max((earlier[source] for source in references(node)), default=0)
        if earlier[name] > MAX_CHAIN:
            _refuse(
                "The nodes are nested too deeply", shown(name), f"the limit is {MAX_CHAIN}", "Use fewer nodes in a row"
            )
    if not earlier:
        raise InvalidPipelineError("Not a pipeline", field="pipeline", why="it has no node")
    if _OUTPUT_NODE in pipeline and pipeline[_OUTPUT_NODE] not in earlier:
        raise InvalidPipelineError("The output is not a node of the pipeline", field=_OUTPUT_NODE)


def _check_node(name: str, node: object, earlier: Collection[str], policy: Policy) -> None:
    where = shown(name)
    if not isinstance(node, Mapping) or not isinstance(node.get("node"), str):
        raise InvalidPipelineError("Not a node", field=where, why='it needs the property "node"')
    if not name or not name.isprintable() or name.startswith("_"):
        _refuse("The name of a node is not allowed", where, "names are printable and do not begin with an underscore")
    for unknown in sorted(node.keys() - _PROPERTIES):
        _refuse(
            "The property is not allowed",
            f"{where}.{shown(unknown)}",
            f"allowed: {', '.join(sorted(_PROPERTIES))}",
        )
    rule = _allowed_rule(node, policy, where)
    inputs = _check_inputs(node.get("inputs", {}), rule, earlier, where)
    if rule is not UNJUDGED:
        limits = policy.allowed_buckets, policy.allowed_hosts, policy.max_points
        Attributes(rule.attrs, *limits, where, rule.other).check(node.get("attrs", {}), inputs)
    check_style(node.get("style", {}), f"{where}.style")


def _allowed_rule(node: Mapping[str, Any], policy: Policy, where: str) -> NodeRule:
    if not isinstance(node.get("plugin", PODPAC), str):
        why = type(node["plugin"]).__name__
        raise InvalidPipelineError("The name of a plugin is not text", field=f"{where}.plugin", why=why)
    name, rule = _find_rule(node, policy)
    if rule is None:
        _refuse(
            "The node is not allowed",
            f"{where}.node",
            f"{ascii(name)[:80]} is neither one of podpac's safe nodes nor one of the function's plugins",
            "Use another node, or build the function with the plugin that has it",
        )
    if rule.on_request and name not in policy.allowed_nodes:
        _refuse(
            "The node is not one of podpac's safe nodes",
            f"{where}.node",
            ascii(name)[:80],
            f"Use another node, or add {name} to function_allowed_nodes and build again",
        )
    if rule.unsafe and not policy.allow_unsafe_eval:
        _refuse(
            "The node runs code, which this function does not allow",
            f"{where}.node",
            ascii(name)[:80],
            "Use Arithmetic, or build the function with function_allow_unsafe_eval",
        )
    return rule


def _find_rule(node: Mapping[str, Any], policy: Policy) -> tuple[str, NodeRule | None]:
    """The full name of a node and what is known of it."""
    plugin = node.get("plugin", PODPAC)
    if plugin == PODPAC:
        return find_podpac_node(node["node"])
    name = f"{plugin}.{node['node']}"
    if not is_node_name(name):
        return name, None
    rule = policy.plugin_nodes.get(name)
    if rule is None and name in policy.allowed_nodes:
        rule = UNDESCRIBED
    if rule is None and not policy.judges_plugins:
        rule = UNJUDGED
    return name, rule


def _check_inputs(inputs: object, rule: NodeRule, earlier: Collection[str], where: str) -> list[str]:
    if not isinstance(inputs, Mapping):
        raise InvalidPipelineError("Inputs are not a JSON object", field=f"{where}.inputs")
    for key, value in inputs.items():
        place = f"{where}.inputs.{shown(key)}"
        kind = rule.attrs.get(key)
        free = rule.free_inputs and kind is None
        if not (free or kind in _INPUTS) or not key.isidentifier() or key.startswith("_"):
            _refuse("The input is not allowed", place, "the node has no such input")
        several = kind == "nodes" or (free and rule.other is not None)
        for reference in value if isinstance(value, list | tuple) and several else [value]:
            _check_reference(reference, earlier, place)
    return list(inputs)


def _check_reference(reference: object, earlier: Collection[str], place: str) -> None:
    if not isinstance(reference, str):
        raise InvalidPipelineError("An input is not the name of a node", field=place, why=type(reference).__name__)
    if reference not in earlier:
        raise InvalidPipelineError(
            "An input is not an earlier node of the pipeline",
            field=place,
            why=ascii(reference)[:80],
            next_step="Define a node before the nodes that use it",
        )


def _refuse(what: str, where: str, why: str, next_step: str = "") -> NoReturn:
    raise PipelineRejectedError(what, resource=where, why=why, next_step=next_step)
