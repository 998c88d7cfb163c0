"""OGC's way to ask for a map: WMS GetMap and WCS GetCoverage, as ``podpac.Node.from_url`` and
``podpac.Coordinates.from_url`` read them, without anything that they fetch.

Sources: OGC 06-042 (WMS 1.3.0), 01-068r3 (WMS 1.1.1) and 03-065r6 (WCS 1.0.0).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from podpac_lambda_widgets.errors import InvalidCoordinatesError, InvalidPipelineError, PipelineRejectedError
from podpac_lambda_widgets.remote.budget import as_number
from podpac_lambda_widgets.remote.coordinates import check_crs
from podpac_lambda_widgets.remote.outputs import Encoding
from podpac_lambda_widgets.remote.requests import read_json
from podpac_lambda_widgets.remote.wire import Request

_FORMATS: dict[str, Encoding] = {
    "image/png": "png",
    "png": "png",
    "application/x-netcdf": "netcdf",
    "application/netcdf": "netcdf",
    "netcdf": "netcdf",
    "nc": "netcdf",
    "image/tiff": "geotiff",
    "image/geotiff": "geotiff",
    "geotiff": "geotiff",
    "application/json": "json",
    "json": "json",
}
_NUMBER = re.compile(r"[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_SIZE = re.compile(r"[1-9]\d{0,8}", re.ASCII)
_PARAMS = "%PARAMS%"
_DIMENSIONS = ("lat", "lon", "alt", "time")
_DEFINITION = {"node", "plugin", "style", "attrs"}


def read_query(pairs: Sequence[tuple[str, str]]) -> tuple[Request, Encoding]:
    """Translate a query into a request.

    Parameters
    ----------
    pairs : sequence of (str, str)
        Names, of which case does not matter, and decoded values. Unknown names and empty values are left out.

    Returns
    -------
    request : Request
        Unchecked: it may name any node.
    encoding : str
        ``png`` or ``netcdf``.

    Raises
    ------
    InvalidPipelineError, InvalidCoordinatesError
        Something is missing, occurs twice or is malformed; ``field`` names the parameter.
    PipelineRejectedError
        The layer is the address of a definition, or the CRS is not allowed.
    """
    query: dict[str, str] = {}
    for name, value in pairs:
        if value and query.setdefault(name.upper(), value) != value:
            _invalid(ascii(name.upper())[1:41], "it occurs twice")
    service = query.get("SERVICE", "").upper()
    operation, layer, default = _SERVICES.get(service, ("", "", ""))
    if not operation:
        _invalid("SERVICE", "give WMS or WCS")
    if query.get("REQUEST", operation).upper() != operation.upper():
        _invalid("REQUEST", f"this function answers {operation} to {service}")
    encoding = _FORMATS.get(query.get("FORMAT", default).lower())
    if encoding is None:
        _invalid("FORMAT", f"offered: {', '.join(_FORMATS)}")
    params = read_json(query["PARAMS"]) if "PARAMS" in query else {}
    if not isinstance(params, dict):
        _invalid("PARAMS", "it is not a JSON object")
    pipeline, selected = _pipeline(_needed(query, layer), params, layer)
    return Request(pipeline=pipeline, coordinates=_coordinates(query, service, selected)), encoding


_SERVICES = {"WMS": ("GetMap", "LAYERS", "image/png"), "WCS": ("GetCoverage", "COVERAGE", "netcdf")}


def _pipeline(layer: str, params: dict[str, Any], field: str) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """The definition, and the coordinates that stand among its parameters."""
    if "://" in layer:
        raise PipelineRejectedError(
            "The function does not fetch definitions",
            resource=field,
            why="the layer is an address",
            next_step=f"Give the definition itself in PARAMS, with {field}={_PARAMS}, or send it with POST",
        )
    if layer == _PARAMS:
        return params, {}
    selected: dict[str, object] = {name: params.pop(name) for name in _DIMENSIONS if name in params}
    described = params if _DEFINITION & params.keys() else {"attrs": params}
    # The name given as a layer is the one that counts, as in podpac.
    return {layer.replace(".", "-"): {**described, "node": layer}}, selected


def _coordinates(query: Mapping[str, str], service: str, selected: Mapping[str, object]) -> dict[str, object]:
    crs = query.get("SRS") or _needed(query, "CRS")
    # WMS has its own name for it (OGC 06-042, 6.7.3.3), which PROJ does not know.
    crs = "OGC:CRS84" if crs.upper() == "CRS:84" else crs
    check_crs(crs, "CRS")
    corners = query.get("BBOX", "").split(",")
    if len(corners) != 4 or not all(_NUMBER.fullmatch(corner.strip()) for corner in corners):
        _invalid_coordinates("BBOX", "it is not four numbers: minimum x and y, maximum x and y")
    west, south, east, north = (float(corner) for corner in corners)
    if _is_north_first(query, service, crs):
        west, south, east, north = south, west, north, east
    if not (west < east and south < north):
        _invalid_coordinates("BBOX", "a minimum is not below its maximum")
    sizes = {}
    for name in ("HEIGHT", "WIDTH"):
        if not _SIZE.fullmatch(_needed(query, name)):
            _invalid_coordinates(name, "it is not a positive whole number")
        sizes[name] = int(query[name])
    dimensions = [
        _pixels("lat", south, north, sizes["HEIGHT"], falling=True),
        _pixels("lon", west, east, sizes["WIDTH"]),
    ]
    times = {"time": query["TIME"]} if "TIME" in query else {}
    if repeated := ({"lat", "lon"} | times.keys()) & selected.keys():
        _invalid_coordinates("PARAMS", f"{', '.join(sorted(repeated))} is given already")
    for name, value in {**times, **selected}.items():
        as_number(value, "TIME" if name in times else "PARAMS")
        dimensions.append({"name": name, "values": [value]})
    return {"coords": dimensions, "crs": crs}


def _pixels(name: str, low: float, high: float, size: int, *, falling: bool = False) -> dict[str, object]:
    """The centres of pixels between two edges."""
    # In podpac's order of operations, so that the last bit is the same.
    width = (high - low) / size
    first, last = low + width / 2, high - width / 2
    if size == 1:
        return {"name": name, "values": [first]}
    start, stop = (last, first) if falling else (first, last)
    return {"name": name, "start": start, "stop": stop, "size": size}


def _is_north_first(query: Mapping[str, str], service: str, crs: str) -> bool:
    """Whether the corners are given as latitude before longitude: WMS 1.3 follows the axes of the CRS."""
    version = query.get("VERSION", "1.0.0") if service == "WCS" else _needed(query, "VERSION")
    if service == "WCS":
        if not version.startswith("1."):
            _invalid("VERSION", "this function answers WCS 1.0.0")
        return False
    if not version.startswith(("1.1.", "1.3.")):
        _invalid("VERSION", "this function answers WMS 1.1.1 and 1.3.0")
    return version.startswith("1.3.") and _first_axis(crs) == "north"


def _first_axis(crs: str) -> str:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        axes = CRS(crs).axis_info
    except CRSError:
        _invalid_coordinates("CRS", f"PROJ does not know {ascii(crs)[:80]}")
    return str(axes[0].direction) if axes else ""


def _needed(query: Mapping[str, str], name: str) -> str:
    return query.get(name) or _invalid(name, "it is missing")


def _invalid(field: str, why: str) -> NoReturn:
    raise InvalidPipelineError("The query cannot be answered", field=field, why=why)


def _invalid_coordinates(field: str, why: str) -> NoReturn:
    raise InvalidCoordinatesError("The query cannot be answered", field=field, why=why)
