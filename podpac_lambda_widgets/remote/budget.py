"""How many points a coordinates definition asks for, without podpac."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from podpac_lambda_widgets.errors import InvalidCoordinatesError

#: lat, lon, alt and time.
MAX_DIMENSIONS = 4
#: numpy's units of time in seconds; months and years by their shortest, so that a count is never too small.
_UNITS = {
    "Y": 365 * 86400.0, "M": 28 * 86400.0, "W": 7 * 86400.0, "D": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0,
    "ms": 1e-3, "us": 1e-6, "ns": 1e-9,
}  # fmt: skip
_DELTA = re.compile(r"([+-]?\d{1,18}),(Y|M|W|D|h|m|s|ms|us|ns)", re.ASCII)
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d)(\.\d{1,9})?)?)?)?)?)?Z?", re.ASCII)


def points(definition: Mapping[str, object]) -> int:
    """Count the points of a coordinates definition; a bound from above where only podpac could tell exactly.

    Parameters
    ----------
    definition : mapping
        ``json.loads(Coordinates.json)``.

    Raises
    ------
    InvalidCoordinatesError
        Not a coordinates definition.
    """
    return math.prod(dimension_sizes(definition).values())


def dimension_sizes(definition: Mapping[str, object]) -> dict[str, int]:
    """The size of each dimension of a coordinates definition; stacked dimensions have their position as name.

    Raises
    ------
    InvalidCoordinatesError
        Not a coordinates definition.
    """
    coords = definition.get("coords") if isinstance(definition, Mapping) else None
    if not isinstance(coords, list | tuple):
        raise InvalidCoordinatesError(
            "Not a coordinates definition", field="coords", why='it needs a list named "coords"'
        )
    if len(coords) > MAX_DIMENSIONS:
        raise InvalidCoordinatesError(
            "The coordinates have too many dimensions",
            field="coords",
            why=f"{len(coords):,}; podpac has {MAX_DIMENSIONS}: lat, lon, alt and time",
        )
    sizes: dict[str, int] = {}
    for number, item in enumerate(coords):
        name = item.get("name") if isinstance(item, Mapping) else None
        key = name if isinstance(name, str) and name not in sizes else str(number)
        sizes[key] = sizes.get(key, 1) * _size(item, f"coords[{number}]")
    return sizes


def dimension_spans(definition: Mapping[str, Any]) -> dict[str, float]:
    """How far the coordinates of each dimension reach, in their unit or in seconds; infinite where it cannot be read.

    Parameters
    ----------
    definition : mapping
        One that :func:`dimension_sizes` took.
    """
    return {
        item["name"]: span(item["values"] if "values" in item else [item.get("start"), item.get("stop")])
        for item in definition["coords"]
        if isinstance(item, Mapping) and isinstance(item.get("name"), str)
    }


def span(values: object) -> float:
    """The difference between the largest and the smallest; infinite where one cannot be read."""
    try:
        numbers = [as_number(value, "") for value in (values if isinstance(values, list | tuple) else [values])]
    except InvalidCoordinatesError:
        return math.inf
    found = max(numbers, default=0.0) - min(numbers, default=0.0)
    return found if math.isfinite(found) else math.inf


def densest(item: Mapping[str, Any], reach: float) -> int:
    """The most coordinates of one dimension that lie in a range; all of them where that cannot be read.

    Parameters
    ----------
    item : mapping
        Of a definition that :func:`dimension_sizes` took.
    reach : float
        Length of the range, in the unit of the coordinates or in seconds.
    """
    size = _size(item, "")
    if "values" not in item:
        length = span([item.get("start"), item.get("stop")])
        return min(size, int(reach * (size - 1) / length) + 2) if 0 < length < math.inf else size
    try:
        numbers = sorted(as_number(value, "") for value in item["values"])
    except (InvalidCoordinatesError, TypeError):
        return size
    first = most = 0
    for last, number in enumerate(numbers):
        while number - numbers[first] > reach:
            first += 1
        most = max(most, last - first + 1)
    return most


def _size(item: object, where: str) -> int:
    if isinstance(item, list | tuple):
        # Stacked: parallel lists of one size.
        if len(item) > MAX_DIMENSIONS or any(isinstance(inner, list | tuple) for inner in item):
            raise InvalidCoordinatesError("Not stacked dimensions", field=where, why=f"up to {MAX_DIMENSIONS} fit")
        return max((_size(inner, f"{where}[{number}]") for number, inner in enumerate(item)), default=0)
    if not isinstance(item, Mapping):
        raise InvalidCoordinatesError("Not coordinates of a dimension", field=where, why=f"type {type(item).__name__}")
    if "start" in item and "stop" in item:
        return _uniform(item, where)
    if "values" in item:
        return _leaves(item["values"], where)
    if "geotransform" in item and "shape" in item:
        return _shape(item["shape"], where)
    raise InvalidCoordinatesError(
        "Not coordinates of a dimension",
        field=where,
        next_step='Give "values", or "start" and "stop" with "step" or "size"',
    )


def _uniform(item: Mapping[str, object], where: str) -> int:
    size, step = item.get("size"), item.get("step")
    if (size is None) == (step is None):
        raise InvalidCoordinatesError("Give either a size or a step", field=where)
    if size is not None:
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise InvalidCoordinatesError("The size is not a positive whole number", field=where, why=repr(size)[:40])
        return size
    start, stop = as_number(item["start"], where), as_number(item["stop"], where)
    by = as_delta(step, where)
    if by == 0 or not math.isfinite(by):
        raise InvalidCoordinatesError("The step is zero", field=where)
    count = (stop - start) / by
    if not math.isfinite(count):
        raise InvalidCoordinatesError("Too many coordinates", field=where, why="their number is not finite")
    if count < 0:
        raise InvalidCoordinatesError("The step leads away from the stop", field=where)
    # podpac rounds within a tolerance; one more is an upper bound.
    return int(count + 1e-9 * max(1.0, count)) + 1


def _leaves(value: object, where: str) -> int:
    if isinstance(value, list | tuple):
        if not any(isinstance(inner, list | tuple | Mapping) for inner in value):
            return len(value)
        return sum(_leaves(inner, where) for inner in value)
    if isinstance(value, Mapping):
        raise InvalidCoordinatesError("A coordinate is not a number or a time", field=where)
    return 1


def _shape(value: object, where: str) -> int:
    if not isinstance(value, list | tuple) or not all(type(side) is int and side > 0 for side in value):
        raise InvalidCoordinatesError("The shape is not a list of positive whole numbers", field=where)
    return math.prod(value)


def as_number(value: object, where: str) -> float:
    """A number, or a date as seconds since 1970.

    Raises
    ------
    InvalidCoordinatesError
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise InvalidCoordinatesError("Neither a number nor a time", field=where, why=ascii(value)[:40])
    year, month, day, hour, minute, second = (
        int(part) if part else default for part, default in zip(match.groups()[:6], (1, 1, 1, 0, 0, 0), strict=True)
    )
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp() + float(match[7] or 0)
    except ValueError as error:
        raise InvalidCoordinatesError("Not a time", field=where, why=str(error)) from None


def as_delta(value: object, where: str) -> float:
    """A step: a number, or a time difference like ``"1,D"`` in seconds.

    Raises
    ------
    InvalidCoordinatesError
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    match = _DELTA.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise InvalidCoordinatesError(
            "Not a step", field=where, why=ascii(value)[:40], next_step='Give a number, or a time step like "1,D"'
        )
    return int(match[1]) * _UNITS[match[2]]
