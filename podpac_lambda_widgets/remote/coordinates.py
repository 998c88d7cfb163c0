"""Coordinates definitions, checked without podpac."""

from __future__ import annotations

import re
from collections.abc import Mapping

from podpac_lambda_widgets.errors import InvalidCoordinatesError, PipelineRejectedError
from podpac_lambda_widgets.remote.budget import points

#: PROJ opens the files that these parameters name, and a value that is a path is the name of a file.
_CRS_FILES = re.compile(
    r"grids|init|file|catalog|defmodel|tinshift|\bmodel\s*=|\bpipeline\b|=\s*[\"']?[/~.@]|://|\.\.|\\", re.IGNORECASE
)
#: A time with an offset from UTC.
_ZONE = re.compile(r"[^T ]*[T ][^+-]*[+-]\d\d(:?\d\d)?")
_CRS = re.compile(r"[\x20-\x7e\s\u00a0-\u024f]*")


def check_coordinates(definition: Mapping[str, object], max_points: int, where: str = "coordinates") -> None:
    """Check a coordinates definition and its number of points.

    Raises
    ------
    InvalidCoordinatesError
        With the number of points.
    """
    if not isinstance(definition, Mapping):
        raise InvalidCoordinatesError("Not a coordinates definition", field=where, why=type(definition).__name__)
    if unknown := sorted(definition.keys() - {"coords", "crs"}):
        raise InvalidCoordinatesError("Not a property of coordinates", field=f"{where}.{ascii(unknown[0])[1:-1][:40]}")
    asked = points(definition)
    if asked > max_points:
        raise InvalidCoordinatesError(
            "The coordinates have too many points",
            field=where,
            why=f"{asked:,} points; this function takes {max_points:,}",
            next_step="Ask for a smaller or coarser region, split the request, or give the function more memory",
        )
    if definition.get("crs") is not None:
        check_crs(definition["crs"], f"{where}.crs")
    coords = definition["coords"]
    for item in coords if isinstance(coords, list | tuple) else ():
        for one in item if isinstance(item, list | tuple) else (item,):
            _check_dimension(one, where)


def check_crs(value: object, where: str) -> None:
    """Check a coordinate reference system: a code, a PROJ string or WKT that names no file.

    Raises
    ------
    PipelineRejectedError
    """
    if (
        not isinstance(value, str)
        or not _CRS.fullmatch(value)
        or _CRS_FILES.search(value)
        or value.lstrip()[:1] in ("/", ".", "~")
    ):
        raise PipelineRejectedError(
            "The coordinate reference system is not allowed",
            resource=where,
            why="it is not text, has unusual characters or names a file",
            next_step="Give a code like EPSG:4326, a PROJ string or WKT",
        )


def _check_dimension(item: object, where: str) -> None:
    allowed = {"name", "values", "start", "stop", "step", "size", "anchor_boundary", "geotransform", "shape"}
    if isinstance(item, Mapping) and (unknown := sorted(item.keys() - allowed)):
        raise InvalidCoordinatesError("Not a property of coordinates", field=f"{where}.{ascii(unknown[0])[1:-1][:40]}")
    if isinstance(item, Mapping):
        name = ascii(item.get("name"))[1:-1][:40]
        given = item["values"] if "values" in item else [item[end] for end in ("start", "stop") if end in item]
        _check_values(given, f"{where}.{name}")


def _check_values(values: object, where: str) -> None:
    """Numbers, or times, and not both: of a mixture numpy makes an array of objects, which is compared as text."""
    leaves = [values]
    while any(isinstance(leaf, list | tuple) for leaf in leaves):
        leaves = [inner for leaf in leaves for inner in (leaf if isinstance(leaf, list | tuple) else (leaf,))]
    kinds = {type(leaf) for leaf in leaves}
    if not (kinds <= {int, float} or kinds <= {str}):
        raise InvalidCoordinatesError(
            "The values of a dimension are of several kinds",
            field=where,
            why=", ".join(sorted(kind.__name__ for kind in kinds)),
            next_step="Give numbers, or times, and not both",
        )
    zoned = next((leaf for leaf in leaves if isinstance(leaf, str) and _ZONE.fullmatch(leaf)), "")
    if zoned:
        raise InvalidCoordinatesError(
            "A time has a time zone",
            field=where,
            why=f"{ascii(zoned)[1:-1][:40]}; podpac's times have none",
            next_step="Give times in UTC, without a zone",
        )
