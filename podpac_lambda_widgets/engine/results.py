"""A result: the labelled array, and what is known of how it came about."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from podpac_lambda_widgets.errors import ResultError
from podpac_lambda_widgets.plan.account import LogLine
from podpac_lambda_widgets.remote.json_arrays import decode_json
from podpac_lambda_widgets.remote.netcdf import decode_array, encode_array
from podpac_lambda_widgets.remote.outputs import MEDIA
from podpac_lambda_widgets.remote.wire import StoredAnswer

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What is known of a run that gave an answer.

    Parameters
    ----------
    timings : mapping of str to float
        Seconds the function spent on each part; see :class:`podpac_lambda_widgets.remote.wire.Answer`.
    versions : mapping of str to str
        Versions of podpac and others in the function.
    elapsed : float
        Seconds from sending to having, seen from here.
    request_id : str
        By which AWS's logs know the run.
    log : str
        The tail of the run's log; :meth:`get_logs` reads all of it.
    billed_ms, memory_mb, memory_size : int or None
        What AWS's report of the call says: milliseconds billed; MB used, and MB of the function.
    architecture : {"x86_64", "arm64"}
        The function's, on which the price depends.
    """

    timings: Mapping[str, float]
    versions: Mapping[str, str]
    elapsed: float
    request_id: str
    log: str = field(repr=False)
    billed_ms: int | None
    memory_mb: int | None
    memory_size: int | None = None
    architecture: str = "x86_64"
    read_log: Callable[[], tuple[LogLine, ...]] = field(default=tuple, repr=False, compare=False)

    def get_logs(self) -> tuple[LogLine, ...]:
        """All lines of this run in the function's log, oldest first; AWS shows them some seconds late."""
        return self.read_log()


@dataclass(frozen=True, kw_only=True)
class Result(Answered):
    """An evaluated pipeline.

    Parameters
    ----------
    array : xarray.DataArray
        The values, with coordinates and attributes as PODPAC gave them.
    """

    array: xr.DataArray
    #: Where the same values lie in the bucket as Zarr, ``s3://bucket/key``; empty where they do not.
    zarr: str = ""

    @cached_property
    def netcdf(self) -> bytes:
        """The same as a netCDF file, which ``podpac.UnitsDataArray.open`` reads in every case.

        Raises
        ------
        ResultError
            A type or an attribute that netCDF cannot hold.
        """
        return encode_array(self.array, for_podpac=True)[0]


@dataclass(frozen=True, kw_only=True)
class FileResult(Answered):
    """An evaluated pipeline in a format of one's choice.

    Parameters
    ----------
    body : bytes
        The file; for ``zarr``, what was written where, as JSON.
    format : str
        ``netcdf3``, ``netcdf4``, ``json``, ``png``, ``geotiff`` or ``zarr``.
    """

    body: bytes = field(repr=False)
    format: str

    @property
    def content_type(self) -> str:
        """Its media type."""
        return MEDIA[self.format][0]

    def save(self, path: Path | str) -> Path:
        """Write it to a file of this machine, whose name gets the format's ending where it has none.

        Raises
        ------
        ResultError
            The disk is full, or the file cannot be written there.
        """
        path = Path(path)
        return write_file(path if path.suffix else path.with_suffix(f".{MEDIA[self.format][1]}"), self.body)

    @property
    def address(self) -> str:
        """Where a Zarr array lies, ``s3://bucket/key``.

        Raises
        ------
        ResultError
            The result is a file, and here.
        """
        if self.format != "zarr":
            raise ResultError(f"A result in the format {self.format} lies nowhere else", next_step="save() writes it.")
        return str(json.loads(self.body)["store"])

    @property
    def array(self) -> xr.DataArray:
        """The values, where the format holds them.

        Raises
        ------
        ResultError
            It is an image, or lies elsewhere.
        """
        if self.format == "json":
            return decode_json(self.body)
        if self.format in ("netcdf3", "netcdf4"):
            return decode_array(self.body)
        raise ResultError(
            f"A result in the format {self.format} is no array",
            next_step="Evaluate without output= to get the array; save() writes this to a file.",
        )


def write_file(path: Path, body: bytes) -> Path:
    """Write a result to a file of this machine.

    Raises
    ------
    ResultError
        The disk is full, or the file cannot be written there.
    """
    try:
        path.write_bytes(body)
    except OSError as error:
        raise ResultError(
            "The result could not be written to a file",
            resource=str(path),
            why=error.strerror or type(error).__name__,
            next_step="Save it in another folder: the result itself is still there.",
        ) from None
    return path


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


_REPORTED = {
    "billed_ms": r"Billed Duration: (\d+) ms",
    "memory_mb": r"Max Memory Used: (\d+) MB",
    "memory_size": r"Memory Size: (\d+) MB",
}


def read_report(log: str) -> dict[str, int | None]:
    """What the REPORT line of a Lambda log says of a call, by the names of :class:`Answered`."""
    found = {name: re.search(pattern, log) for name, pattern in _REPORTED.items()}
    return {name: int(match[1]) if match else None for name, match in found.items()}
