"""Evaluation of a checked request with podpac, leaving nothing behind for the next one."""

from __future__ import annotations

import json
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from contextvars import copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from podpac_lambda_widgets.errors import (
    DependencyMissingError,
    PipelineFailedError,
    PodpacLambdaError,
)
from podpac_lambda_widgets.remote.isolation import isolated, quick_equality, quiet
from podpac_lambda_widgets.remote.netcdf import encode_array
from podpac_lambda_widgets.remote.sources import limited_sources

if TYPE_CHECKING:
    import xarray as xr

    from podpac_lambda_widgets.remote.wire import Request

#: Characters of podpac's own message that reach the client.
_MESSAGE = 500


@dataclass(frozen=True)
class Evaluation:
    """An encoded result and what it took.

    Attributes
    ----------
    body : bytes
    format : str
        Such as ``arrays`` or ``netcdf3``, see :data:`podpac_lambda_widgets.remote.outputs.MEDIA`.
    timings : mapping of str to float
        Seconds of ``import``, ``evaluate`` and ``encode``.
    """

    body: bytes
    format: str
    timings: Mapping[str, float]


def evaluate(
    request: Request,
    *,
    unsafe_eval: bool,
    allowed_hosts: Collection[str] = (),
    encode: Callable[[xr.DataArray], tuple[bytes, str]] = encode_array,
    left_out: Mapping[str, str] | None = None,
) -> Evaluation:
    """Evaluate a request that :func:`podpac_lambda_widgets.remote.guard.check` let pass.

    Parameters
    ----------
    request : Request
    unsafe_eval : bool
        Let podpac evaluate expressions, for this request only. ``Arithmetic`` needs it.
    allowed_hosts : collection of str, optional
        Hosts that may be asked while it is evaluated, redirects included.
    encode : callable, optional
        Writes the result: from an array to a body and the name of its format.
    left_out : mapping of str to str, optional
        Packages that are not in the archives, with the reason.

    Raises
    ------
    DependencyMissingError
        The pipeline needs a package that was left out.
    PipelineRejectedError
        A source led to an address that is not allowed.
    PipelineFailedError
        podpac raised.
    MemoryError
        The result does not fit the function's memory.
    ResultError
        The result cannot be encoded.
    """
    began = time.perf_counter()
    import_podpac()
    imported = time.perf_counter()
    try:
        array = evaluate_array(request, unsafe_eval=unsafe_eval, allowed_hosts=allowed_hosts)
    except (MemoryError, PodpacLambdaError):
        raise
    except Exception as error:  # noqa: BLE001 - podpac, and what it calls, raise any type; here it becomes ours
        if isinstance(error, ImportError):
            _explain_missing(error, left_out or {})
        raise PipelineFailedError(
            "podpac could not evaluate the pipeline",
            remote_type=type(error).__name__,
            why=f"{type(error).__name__}: {error}"[:_MESSAGE],
            next_step="Evaluate the node locally to see where it fails",
        ) from None
    evaluated = time.perf_counter()
    try:
        with quiet():
            body, format_ = encode(array)
    except ImportError as error:
        _explain_missing(error, left_out or {})
        raise PipelineFailedError(
            "The result could not be written", remote_type=type(error).__name__, why=str(error)[:_MESSAGE]
        ) from None
    timings = {
        "import": imported - began,
        "evaluate": evaluated - imported,
        "encode": time.perf_counter() - evaluated,
    }
    return Evaluation(body, format_, timings)


def _explain_missing(error: ImportError, left_out: Mapping[str, str]) -> None:
    text = f"{error.name} {error}".lower().replace("_", "-")
    for name, reason in left_out.items():
        if name.lower() in text:
            raise DependencyMissingError(
                f"The pipeline needs {name}, which is not in the function's archives",
                why=reason,
                next_step="Build the function for another architecture",
            ) from None


def evaluate_array(request: Request, *, unsafe_eval: bool, allowed_hosts: Collection[str] = ()) -> xr.DataArray:
    """Evaluate a checked request; see :func:`evaluate`.

    Returns
    -------
    podpac.UnitsDataArray
        What ``node.eval(coordinates)`` returns.
    """
    # In a copy of the context: decimal's and numpy's modes are there, and the last arrays of numexpr.
    return copy_context().run(_evaluate_apart, request, unsafe_eval, allowed_hosts)


def _evaluate_apart(request: Request, unsafe_eval: bool, allowed_hosts: Collection[str]) -> xr.DataArray:
    import podpac

    with (
        isolated(request.settings, unsafe_eval=unsafe_eval),
        quiet(),
        quick_equality(),
        limited_sources(request.pipeline, allowed_hosts),
    ):
        node = podpac.Node.from_definition(_repaired(ordered(request.pipeline)))
        coordinates = podpac.Coordinates.from_definition(ordered(request.coordinates))
        array: xr.DataArray = node.eval(coordinates)
        return array


def import_podpac() -> None:
    """Import podpac quietly."""
    if "podpac" not in sys.modules:
        with quiet():
            import podpac  # noqa: F401 - the import is the purpose


def versions() -> dict[str, str]:
    """Versions of what computed a result: python, podpac, numpy, xarray and this package."""
    import numpy as np
    import podpac
    import xarray as xr

    import podpac_lambda_widgets

    return {
        "python": ".".join(map(str, sys.version_info[:3])),
        "podpac": str(podpac.__version__),
        "numpy": np.__version__,
        "xarray": xr.__version__,
        "podpac_lambda_widgets": podpac_lambda_widgets.__version__,
    }


def _repaired(pipeline: OrderedDict[str, Any]) -> OrderedDict[str, Any]:
    """Mend what podpac 4.0.1 writes into a definition and then does not read: Convolution gives its kernel twice."""
    for node in pipeline.values():
        if isinstance(node, dict) and not node.get("attrs", {}).get("kernel_type", True):
            del node["attrs"]["kernel_type"]
    return pipeline


def ordered(definition: Mapping[str, object]) -> OrderedDict[str, Any]:
    """A copy of a definition in the types by which podpac knows its parts."""
    # podpac recognises nested coordinates by this type; the copy also keeps the request as it came.
    copy: OrderedDict[str, Any] = json.loads(json.dumps(definition, default=dict), object_pairs_hook=OrderedDict)
    return copy
