"""The guard: what a request may say, decided on its raw definition before podpac sees any of it.

``podpac.Node.from_definition`` imports any module a definition names and calls what it finds there. So a definition
passes only when every node, every attribute and every value in it is of a kind that is listed in
``allowlist.json``, which is made
from podpac's own classes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NoReturn

from podpac_lambda_widgets.errors import InvalidPipelineError, PipelineRejectedError
from podpac_lambda_widgets.limits import MEGABYTE, MEMORY_MB
from podpac_lambda_widgets.remote.attributes import Attributes, shown
from podpac_lambda_widgets.remote.coordinates import check_coordinates, check_crs
from podpac_lambda_widgets.remote.growth import check_growth
from podpac_lambda_widgets.remote.plain import check_plain

#: Nodes in one pipeline.
MAX_NODES = 500
#: float64 values of a result that one point may need while it is computed: inputs, intermediate results,
#: coordinates, encoding.
_BYTES_PER_POINT = 8 * 16
_OUTPUT_NODE = "podpac_output_node"
_VERSION = "podpac_version"
_PROPERTIES = {"node", "plugin", "attrs", "inputs", "style"}
_GENERIC = "core.algorithm.generic.Generic"
_ARITHMETIC = "core.algorithm.generic.Arithmetic"
_FORMATS = ("netcdf", "nc")
_STYLE = {
    "name", "units", "clim", "colormap", "enumeration_legend", "enumeration_colors",
    "default_enumeration_legend", "default_enumeration_color",
}  # fmt: skip


@dataclass(frozen=True)
class Policy:
    """What this deployment allows.

    Attributes
    ----------
    allowed_buckets, allowed_hosts : frozenset of str
        Exact names that data may be read from.
    restrict_pipelines : frozenset of str
        SHA-256 of the pipelines that may run; empty means any that pass the guard.
    allow_unsafe_eval : bool
        Allow ``Generic``, which runs any Python code.
    max_points : int
        Points of one request.
    """

    allowed_buckets: frozenset[str] = frozenset()
    allowed_hosts: frozenset[str] = frozenset()
    restrict_pipelines: frozenset[str] = frozenset()
    allow_unsafe_eval: bool = False
    max_points: int = 10**8

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Policy:
        """Read the policy from the function's environment variables; what is not set is not allowed."""
        memory = _whole(environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", ""), MEMORY_MB[0])
        return cls(
            allowed_buckets=_names(environ.get("FUNCTION_ALLOWED_BUCKETS", "")),
            allowed_hosts=_names(environ.get("FUNCTION_ALLOWED_HOSTS", "").lower()),
            restrict_pipelines=_names(environ.get("FUNCTION_RESTRICT_PIPELINES", "").lower()),
            allow_unsafe_eval=environ.get("FUNCTION_ALLOW_UNSAFE_EVAL", "") == "true",
            max_points=_whole(environ.get("FUNCTION_MAX_POINTS", ""), default_max_points(memory)),
        )


def default_max_points(memory_mb: int) -> int:
    """Points that fit a function's memory.

    Parameters
    ----------
    memory_mb : int
        Memory of the function, MB. 150 of them are podpac's.
    """
    return max(64, memory_mb - 150) * MEGABYTE // _BYTES_PER_POINT


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
    _check_output(request.output)
    _check_settings(request.settings)
    _check_pipeline(request.pipeline, policy)
    check_coordinates(request.coordinates, policy.max_points)
    check_growth(request.pipeline, request.coordinates, policy.max_points)


def needs_unsafe_eval(request: Any) -> bool:
    """Whether a checked request has a node for which podpac must be told to evaluate expressions."""
    nodes = (node for node in request.pipeline.values() if isinstance(node, Mapping))
    return any(_path(node.get("node")) in (_ARITHMETIC, _GENERIC) for node in nodes)


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


def _check_output(output: Mapping[str, object]) -> None:
    if set(output) - {"format"} or output.get("format") not in _FORMATS:
        _refuse("The output format is not offered", "output", f"{ascii(dict(output))[:80]}; offered: netcdf")


def _check_pipeline(pipeline: object, policy: Policy) -> None:
    if not isinstance(pipeline, Mapping) or not pipeline:
        raise InvalidPipelineError("Not a pipeline", field="pipeline", why="it has no node")
    if len(pipeline) > MAX_NODES:
        _refuse("The pipeline has too many nodes", "pipeline", f"{len(pipeline):,}; the limit is {MAX_NODES}")
    earlier: dict[str, str] = {}
    for name, node in pipeline.items():
        if name in (_OUTPUT_NODE, _VERSION):
            if not isinstance(node, str):
                raise InvalidPipelineError("Not text", field=name)
            continue
        earlier[name] = _check_node(name, node, earlier, policy)
    if not earlier:
        raise InvalidPipelineError("Not a pipeline", field="pipeline", why="it has no node")
    if _OUTPUT_NODE in pipeline and pipeline[_OUTPUT_NODE] not in earlier:
        raise InvalidPipelineError("The output is not a node of the pipeline", field=_OUTPUT_NODE)


def _check_node(name: str, node: object, earlier: Mapping[str, str], policy: Policy) -> str:
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
    if node.get("plugin", "podpac") != "podpac":
        _refuse("Nodes come from podpac only", f"{where}.plugin", f"{ascii(node['plugin'])[:80]} is not podpac")
    path = _path(node["node"])
    described = _allowlist()["nodes"].get(path)
    if described is None:
        _refuse(
            "The node is not allowed",
            f"{where}.node",
            f"{ascii(node['node'])[:80]} is not on the list of podpac's safe nodes",
        )
    if described.get("unsafe") and not policy.allow_unsafe_eval:
        _refuse(
            "The node runs code, which this function does not allow",
            f"{where}.node",
            ascii(node["node"])[:80],
            "Use Arithmetic, or build the function with function_allow_unsafe_eval",
        )
    inputs = _check_inputs(node.get("inputs", {}), described, earlier, where)
    attributes = Attributes(described["attrs"], policy.allowed_buckets, policy.allowed_hosts, policy.max_points, where)
    attributes.check(node.get("attrs", {}), inputs)
    _check_style(node.get("style", {}), f"{where}.style")
    return path


def _check_inputs(inputs: object, described: Mapping[str, Any], earlier: Mapping[str, str], where: str) -> list[str]:
    if not isinstance(inputs, Mapping):
        raise InvalidPipelineError("Inputs are not a JSON object", field=f"{where}.inputs")
    for key, value in inputs.items():
        place = f"{where}.inputs.{shown(key)}"
        kind = described["attrs"].get(key)
        free = described.get("free_inputs") and kind is None
        if (
            not (free or kind in ("node", "nodes", "coordinates_or_node"))
            or not key.isidentifier()
            or key.startswith("_")
        ):
            _refuse("The input is not allowed", place, "the node has no such input")
        references = value if isinstance(value, list | tuple) and kind == "nodes" else [value]
        for reference in references:
            if not isinstance(reference, str):
                raise InvalidPipelineError(
                    "An input is not the name of a node", field=place, why=type(reference).__name__
                )
            if reference not in earlier:
                raise InvalidPipelineError(
                    "An input is not an earlier node of the pipeline",
                    field=place,
                    why=ascii(reference)[:80],
                    next_step="Define a node before the nodes that use it",
                )
    return list(inputs)


def _check_style(style: object, where: str) -> None:
    if not isinstance(style, Mapping):
        raise InvalidPipelineError("A style is not a JSON object", field=where)
    for key, value in style.items():
        if key not in _STYLE:
            _refuse("The property is not allowed", f"{where}.{shown(key)}", f"allowed: {', '.join(sorted(_STYLE))}")
        if isinstance(value, str) and not value.isprintable():
            _refuse("The text is not allowed", f"{where}.{key}", "it has characters that do not print")
        if isinstance(value, Mapping) and not all(_is_legend_key(item) for item in value):
            # podpac fills the gaps between the smallest and the largest number.
            _refuse("The legend is not allowed", f"{where}.{key}", "its keys are not whole numbers below 10,000")


def _is_legend_key(key: str) -> bool:
    return key.lstrip("-").isdecimal() and key.isascii() and len(key) <= 5 and abs(int(key)) < 10_000


def _path(node: object) -> str:
    return str(_allowlist()["aliases"].get(node, node)) if isinstance(node, str) else ""


@cache
def _allowlist() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files(__package__).joinpath("allowlist.json").read_text("utf-8"))
    return found


# Read when the module is loaded: a request must not open a file.
_allowlist()


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


def _whole(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else default


def _refuse(what: str, where: str, why: str, next_step: str = "") -> NoReturn:
    raise PipelineRejectedError(what, resource=where, why=why, next_step=next_step)
