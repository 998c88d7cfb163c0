"""From an answer's bytes to a labelled array."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from podpac_lambda_widgets.errors import ResultError
from podpac_lambda_widgets.remote.wire import Answer, StoredAnswer

if TYPE_CHECKING:
    import xarray as xr

#: xarray's engine for each format of the wire.
_ENGINES = {"netcdf3": "scipy", "netcdf4": "h5netcdf"}


@dataclass(frozen=True)
class Result:
    """An evaluated pipeline.

    Parameters
    ----------
    array : xarray.DataArray
        The values, with coordinates and attributes as PODPAC gave them.
    netcdf : bytes
        The same as a netCDF file.
    timings : mapping of str to float
        Seconds the function spent on each part.
    versions : mapping of str to str
        Versions of podpac and others in the function.
    elapsed : float
        Seconds from sending to having, seen from here.
    billed_ms, memory_mb : int or None
        What AWS's report of the call says.
    """

    array: xr.DataArray
    netcdf: bytes = field(repr=False)
    timings: Mapping[str, float]
    versions: Mapping[str, str]
    elapsed: float
    request_id: str
    log: str = field(repr=False)
    billed_ms: int | None
    memory_mb: int | None


def check_stored(body: bytes, stored: StoredAnswer) -> bytes:
    """Make sure that what was fetched from the bucket is what the function stored.

    Raises
    ------
    ResultError
        Another size or another SHA-256.
    """
    if len(body) != stored.size or hashlib.sha256(body).hexdigest() != stored.sha256:
        raise ResultError(
            "The result in the bucket is not the one the function stored",
            resource=f"s3://{stored.bucket}/{stored.key}",
            why=f"{len(body):,} bytes of {stored.size:,}, or another SHA-256.",
            next_step="Run again.",
        )
    return body


def decode_array(body: bytes, answer: Answer) -> xr.DataArray:
    """Read a result's netCDF file into memory.

    Raises
    ------
    ResultError
        It is not a netCDF file with one array.
    """
    import xarray as xr

    engine = _ENGINES.get(answer.format)
    if engine is None:
        raise ResultError(
            "The function answered in a format this version cannot read",
            why=f"{answer.format!r}; known are {', '.join(_ENGINES)}.",
            next_step="Update this package, or build the function again with it.",
        )
    try:
        with xr.open_dataarray(io.BytesIO(body), engine=engine) as opened:
            array = opened.load()
    except (ValueError, TypeError, OSError, KeyError) as error:
        raise ResultError(
            "The result is not a netCDF file of one array",
            why=f"{len(body):,} bytes; {type(error).__name__}: {error}",
            next_step="Run again; when it stays so, look at the function's log.",
        ) from None
    return _without_traces_of_the_file(array)


def _without_traces_of_the_file(array: xr.DataArray) -> xr.DataArray:
    """The array as podpac made it: netCDF 3 is big-endian, and has no tuples in attributes."""
    array = array.assign_coords({name: _native(coordinate.variable) for name, coordinate in array.coords.items()})
    array = array.copy(data=_native(array.variable).data)
    array.encoding = {}
    array.attrs = {name: _plain_attribute(value) for name, value in array.attrs.items()}
    return array


def _native(variable: xr.Variable) -> xr.Variable:
    native = variable.astype(variable.dtype.newbyteorder("="))
    native.encoding = {}
    native.attrs = {name: _plain_attribute(value) for name, value in variable.attrs.items()}
    return native


def _plain_attribute(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return tuple(value.tolist())
    return value.item() if isinstance(value, np.generic) else value


def read_report(log: str) -> tuple[int | None, int | None]:
    """Billed milliseconds and used megabytes from the REPORT line of a Lambda log."""
    billed = re.search(r"Billed Duration: (\d+) ms", log)
    used = re.search(r"Max Memory Used: (\d+) MB", log)
    return (int(billed.group(1)) if billed else None, int(used.group(1)) if used else None)
