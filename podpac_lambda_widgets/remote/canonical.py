"""One name for one computation: SHA-256 over the canonical form of a request."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from podpac_lambda_widgets.errors import InvalidPipelineError
from podpac_lambda_widgets.remote.plain import pack_floats

if TYPE_CHECKING:
    from podpac_lambda_widgets.remote.wire import Request


def canonical_json(value: object) -> bytes:
    """Encode JSON data with sorted keys, no spaces and ASCII only, so that equal data has equal bytes.

    Raises
    ------
    InvalidPipelineError
        The value is not JSON data.
    """
    try:
        return json.dumps(pack_floats(value), sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidPipelineError("The value is not JSON data", why=type(error).__name__) from None


def pipeline_sha256(pipeline: Mapping[str, object]) -> str:
    """Hash a whole pipeline definition, styles included.

    PODPAC's own ``Node.hash`` leaves styles out, and so does not tell two definitions apart.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    return hashlib.sha256(canonical_json(_with_order(pipeline))).hexdigest()


def node_hash(pipeline: Mapping[str, object]) -> str:
    """What ``podpac.Node.hash`` is for a definition, without making the node: what PODPAC restricts functions to.

    A definition that PODPAC did not write itself has another hash here than the node it makes; it is then simply
    not on a list.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    plain = {
        name: {key: value for key, value in node.items() if key not in ("style", "style_class")}
        if isinstance(node, Mapping)
        else node
        for name, node in pipeline.items()
        if name != "podpac_version"
    }
    return hashlib.sha256(json.dumps(plain, separators=(",", ":"), default=dict).encode()).hexdigest()


def request_sha256(request: Request, code_version: str) -> str:
    """Name the result of a request: the key it is stored under.

    Parameters
    ----------
    request : Request
    code_version : str
        Version of the code that computes it; another version has another result.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    parts = {
        "code_version": code_version,
        "coordinates": request.coordinates,
        "output": request.output,
        "pipeline": _with_order(request.pipeline),
        "settings": request.settings,
    }
    return hashlib.sha256(canonical_json(parts)).hexdigest()


def _with_order(pipeline: Mapping[str, object]) -> list[list[object]]:
    # The order of nodes chooses the output node, and that of inputs the order of dimensions; sorting would hide both.
    # The version of podpac that wrote the definition changes nothing in the result.
    return [
        [name, {**node, "inputs": _pairs(node["inputs"])} if isinstance(node, Mapping) and "inputs" in node else node]
        for name, node in pipeline.items()
        if name != "podpac_version"
    ]


def _pairs(value: object) -> object:
    return [list(pair) for pair in value.items()] if isinstance(value, Mapping) else value
