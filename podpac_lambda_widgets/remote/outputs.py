"""How a result may be wanted: formats by name, each with the options that it takes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NoReturn

from podpac_lambda_widgets.errors import InvalidCoordinatesError, PipelineRejectedError
from podpac_lambda_widgets.remote.attributes import shown
from podpac_lambda_widgets.remote.budget import dimension_sizes

#: ``arrays`` is for our own client (:mod:`.arrays`), ``podpac`` is netCDF that ``podpac.UnitsDataArray.open`` reads in
#: every case.
Encoding = Literal["arrays", "netcdf", "podpac", "json", "png", "geotiff", "zarr"]

#: Values of all axes of a Zarr array together, and chunks of it: its description is made in the function's memory.
MAX_AXES, MAX_CHUNKS = 10**6, 10**6
_NAMES: dict[str, Encoding] = {
    "netcdf": "netcdf", "nc": "netcdf", "json": "json", "png": "png", "geotiff": "geotiff", "gtiff": "geotiff",
    "tif": "geotiff", "tiff": "geotiff", "zarr": "zarr",
}  # fmt: skip
_OFFERED = "netcdf, json, png, geotiff, zarr"
_COLORMAP = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,40}", re.ASCII)
_STORE = re.compile(r"[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,3}", re.ASCII)
_COMPRESSIONS = ("deflate", "none")

#: Media type and ending of a file, by what :class:`.results.Result` calls its format.
MEDIA: dict[str, tuple[str, str]] = {
    "arrays": ("application/octet-stream", "arrays"),
    "netcdf3": ("application/x-netcdf", "nc"),
    "netcdf4": ("application/x-netcdf", "nc"),
    "json": ("application/json", "json"),
    "png": ("image/png", "png"),
    "geotiff": ("image/tiff; application=geotiff", "tif"),
    "zarr": ("application/json", "zarr.json"),
}


@dataclass(frozen=True)
class Output:
    """A format and its options, both checked."""

    encoding: Encoding = "netcdf"
    options: Mapping[str, object] = field(default_factory=dict)


def encoding_of(output: Mapping[str, object]) -> Encoding:
    """The encoding that an output names; netCDF where it names none that there is, which :func:`read_output` tells."""
    name = output.get("format")
    return _NAMES.get(name, "netcdf") if isinstance(name, str) else "netcdf"


def read_output(output: Mapping[str, object]) -> Output:
    """Read how a request wants its result.

    Parameters
    ----------
    output : mapping
        ``{"format": name, option: value, ...}``:

        netcdf (nc)
            No options.
        json
            No options. For small results.
        png
            ``colormap``: a name of matplotlib's; ``vmin``, ``vmax``: the values of its ends.
        geotiff (tif, tiff, gtiff)
            ``compress``: deflate or none.
        zarr
            ``store``: the name of a Zarr array in the stack's output folder; ``grid``: the coordinates of the whole of
            it, of which this request's are a part; ``chunks``: the size of its chunks along each dimension.

    Raises
    ------
    PipelineRejectedError
        Another format, another option, or a value that the option does not take.
    """
    name = output.get("format")
    encoding = _NAMES.get(name) if isinstance(name, str) else None
    if encoding is None:
        _refuse("The output format is not offered", "output.format", f"{ascii(name)[:60]}; offered: {_OFFERED}")
    checks = _OPTIONS.get(encoding, {})
    for option, value in output.items():
        if option == "format":
            continue
        if option not in checks:
            allowed = ", ".join(checks) or "none"
            _refuse("The output has no such option", f"output.{shown(option)}", f"options of {name}: {allowed}")
        checks[option](value, f"output.{option}")
    options = {option: value for option, value in output.items() if option != "format"}
    if encoding == "png" and isinstance(options.get("vmin"), int | float):
        _check_range(options)
    if encoding == "zarr":
        _check_zarr(options)
    return Output(encoding, options)


def _check_colormap(value: object, where: str) -> None:
    if not isinstance(value, str) or not _COLORMAP.fullmatch(value):
        _refuse("The colormap is not allowed", where, "give the name of one of matplotlib's")


def _check_finite(value: object, where: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        _refuse("The value is not a number", where, f"type {type(value).__name__}")


def _check_range(options: Mapping[str, object]) -> None:
    low, high = options["vmin"], options.get("vmax")
    if isinstance(low, int | float) and isinstance(high, int | float) and low >= high:
        _refuse("The range is empty", "output.vmin", "vmin is not below vmax")


def _check_compress(value: object, where: str) -> None:
    if value not in _COMPRESSIONS:
        _refuse("The compression is not offered", where, f"offered: {', '.join(_COMPRESSIONS)}")


def _check_store(value: object, where: str) -> None:
    if not isinstance(value, str) or not _STORE.fullmatch(value):
        _refuse("The store's name is not allowed", where, "up to four names of letters, digits, - and _, parted by /")


def _check_mapping(value: object, where: str) -> None:
    if not isinstance(value, Mapping):
        _refuse("The value is not a JSON object", where, f"type {type(value).__name__}")


def _check_zarr(options: Mapping[str, object]) -> None:
    if missing := [name for name in _OPTIONS["zarr"] if name not in options]:
        _refuse("The output is incomplete", "output", f"zarr needs {', '.join(missing)}")
    grid, chunks = options["grid"], options["chunks"]
    assert isinstance(grid, Mapping)  # both were checked
    assert isinstance(chunks, Mapping)
    try:
        sizes = dimension_sizes(grid)
    except InvalidCoordinatesError as error:
        _refuse("The grid is not a coordinates definition", "output.grid", f"{error.what} {error.why}".strip())
    if sum(sizes.values()) > MAX_AXES:
        _refuse(
            "The grid is too large", "output.grid", f"{sum(sizes.values()):,} coordinates; the limit is {MAX_AXES:,}"
        )
    if set(chunks) != set(sizes):
        _refuse("The chunks do not fit the grid", "output.chunks", f"give one size for each of {', '.join(sizes)}")
    for name, size in chunks.items():
        if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= 10**6:
            _refuse("The chunks do not fit the grid", f"output.chunks.{shown(name)}", "not a positive whole number")
    count = math.prod(-(-sizes[name] // int(str(chunks[name]))) for name in sizes)
    if count > MAX_CHUNKS:
        _refuse("The array has too many chunks", "output.chunks", f"{count:,}; the limit is {MAX_CHUNKS:,}")


_OPTIONS: dict[str, dict[str, Callable[[object, str], None]]] = {
    "png": {"colormap": _check_colormap, "vmin": _check_finite, "vmax": _check_finite},
    "geotiff": {"compress": _check_compress},
    "zarr": {"store": _check_store, "grid": _check_mapping, "chunks": _check_mapping},
}


def _refuse(what: str, where: str, why: str) -> NoReturn:
    raise PipelineRejectedError(what, resource=where, why=why)
