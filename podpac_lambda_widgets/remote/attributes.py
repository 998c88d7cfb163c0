"""The attributes of a node, each checked by what it means."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import NoReturn

from podpac_lambda_widgets.errors import InvalidPipelineError, PipelineRejectedError
from podpac_lambda_widgets.remote.coordinates import check_coordinates, check_crs
from podpac_lambda_widgets.remote.expression import check_expression
from podpac_lambda_widgets.remote.growth import range_size
from podpac_lambda_widgets.remote.locations import check_bucket_location, check_location, check_zarr_location

#: Largest convolution kernel per dimension; podpac makes size**dimensions values of it.
MAX_KERNEL = 1000
#: Items of a list, which podpac goes through for each point or makes an output of.
MAX_ITEMS = 1000
#: Strings of an attribute; only coordinate reference systems and code are longer.
MAX_TEXT = 1024
_UNITS = re.compile(r"[A-Za-z0-9_ */^.°%µΩ()-]*")
#: A power of a power, a power of or by an expression, and a large number: pint computes them in Python, without limit.
_POWERS = re.compile(r"(\*\*|\^)[\s+-]*[\d.]*\s*(\*\*|\^)|\d{4}|(\*\*|\^)[\s+-]*\(|\)\s*(\*\*|\^)")
_KERNEL = re.compile(
    r"(mean|gaussian|boxcar|triang|parzen|bohman|blackman|nuttall|barthann|cosine|hann|hamming)"
    r"((?:\s*,\s*\d{1,6}(?:\.\d{1,12})?){1,3})",
    re.ASCII,
)
#: What an interpolation may be called.
INTERPOLATION_METHODS = {
    "none", "nearest_preview", "nearest", "linear", "bilinear", "quadratic", "cubic", "cubic_spline", "lanczos",
    "average", "mode", "gauss", "max", "min", "med", "q1", "q3", "slinear", "splinef2d", "spline_2", "spline_3",
    "spline_4", "zero", "next", "previous",
}  # fmt: skip
_FREQUENCY = re.compile(r"\d{0,5}(min|h|H|D|W|W-[A-Z]{3}|ME|MS|M|SMS|SME|QE|QS|Q|YE|YS|Y|A|AS)", re.ASCII)
_REDUCE = {"all", "any", "count", "max", "mean", "median", "min", "prod", "std", "sum", "var"}


@dataclass(frozen=True)
class Attributes:
    """The attributes that one kind of node has.

    Parameters
    ----------
    kinds : mapping of str to str
        Attribute name to its kind in ``allowlist.json``.
    buckets, hosts : collection of str
        Where data may come from.
    max_points : int
        Points of coordinates inside the definition.
    where : str
        Name of the node, for errors.
    other : str, optional
        Kind of the attributes that are not listed; without it there are no others.
    """

    kinds: Mapping[str, str]
    buckets: Collection[str]
    hosts: Collection[str]
    max_points: int
    where: str
    other: str | None = None

    def check(self, attrs: object, inputs: Collection[str]) -> None:
        """Check the values a definition gives.

        Parameters
        ----------
        attrs : object
        inputs : collection of str
            Names of the node's inputs.

        Raises
        ------
        InvalidPipelineError, InvalidCoordinatesError, PipelineRejectedError
        """
        if not isinstance(attrs, Mapping):
            raise InvalidPipelineError("Attributes are not a JSON object", field=f"{self.where}.attrs")
        for name, value in attrs.items():
            place = f"{self.where}.attrs.{shown(name)}"
            kind = self.kinds.get(name, self.other)
            if kind is None or not name.isidentifier() or name.startswith("_"):
                _reject("The attribute is not allowed", place, "the node has no such attribute")
            if name in inputs:
                raise InvalidPipelineError("An attribute is also an input", field=place)
            self._check_value(kind, value, place)
        if "expression" in self.kinds.values():
            check_expression(attrs.get("eqn"), attrs.get("params", {}), inputs, f"{self.where}.attrs.eqn")

    def _check_value(self, kind: str, value: object, place: str) -> None:
        if value is None:
            return
        if kind in _CHECKS:
            _CHECKS[kind](value, place)
        else:
            _LIMITED_CHECKS[kind](self, value, place)

    def check_coordinates(self, value: object, place: str) -> None:
        """Check coordinates that are written into the definition."""
        if not isinstance(value, Mapping):
            _reject("Coordinates are not a JSON object", place, f"type {type(value).__name__}")
        check_coordinates(value, self.max_points, place)


def _check_text(value: object, place: str) -> None:
    if not isinstance(value, str) or len(value) > MAX_TEXT or not value.isprintable():
        _reject("The value is not a short text", place, f"type {type(value).__name__}")


def _check_bool(value: object, place: str) -> None:
    if not isinstance(value, bool):
        _reject("The value is neither true nor false", place, f"type {type(value).__name__}")


def _check_int(value: object, place: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > 10**6:
        _reject("The value is not a whole number up to 1,000,000", place, f"type {type(value).__name__}")


def _check_float(value: object, place: str) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        _reject("The value is not a number", place, f"type {type(value).__name__}")


def _check_scalars(value: object, place: str) -> None:
    """Numbers, booleans and short texts, alone or in lists and objects; no text that names a place."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, Mapping):
            stack.extend(item.values())
        elif isinstance(item, list | tuple):
            stack.extend(item)
        elif isinstance(item, str):
            _check_text(item, place)


def _check_list(value: object, place: str) -> None:
    if not isinstance(value, list | tuple):
        _reject("The value is not a list", place, f"type {type(value).__name__}")
    if len(value) > MAX_ITEMS:
        _reject("The list is too long", place, f"{len(value):,} items; the limit is {MAX_ITEMS:,}")
    _check_scalars(value, place)


def _check_dict(value: object, place: str) -> None:
    if not isinstance(value, Mapping):
        _reject("The value is not a JSON object", place, f"type {type(value).__name__}")
    _check_scalars(value, place)


def _check_array(value: object, place: str) -> None:
    if not isinstance(value, list | tuple):
        _reject("The value is not a list of numbers", place, f"type {type(value).__name__}")
    stack: list[object] = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, list | tuple):
            if not set(map(type, item)) <= {float, int}:
                stack.extend(item)
        elif item is not None and not isinstance(item, int | float):
            _reject("The value is not a list of numbers", place, f"it has a {type(item).__name__}")


def _check_units(value: object, place: str) -> None:
    if not isinstance(value, str) or len(value) > 100 or not _UNITS.fullmatch(value) or _POWERS.search(value):
        _reject("The unit is not allowed", place, "give names of units with * / and one power each")


def _check_kernel_type(value: object, place: str) -> None:
    # podpac looks the name up in scipy.signal and calls what it finds.
    for item in value if isinstance(value, list | tuple) else [value]:
        match = _KERNEL.fullmatch(item.strip()) if isinstance(item, str) else None
        if match is None or float(match[2].split(",")[1]) > MAX_KERNEL:
            _reject(
                "The kernel is not allowed",
                place,
                f'give a window and a size up to {MAX_KERNEL}, like "gaussian, 16, 8"',
            )


def _check_interpolation(value: object, place: str) -> None:
    for item in value if isinstance(value, list | tuple) else [value]:
        if isinstance(item, Mapping):
            if unknown := sorted(item.keys() - {"method", "dims", "params", "interpolators"}):
                _reject("The interpolation is not allowed", place, ascii(unknown[0])[:60])
            _check_scalars(item, place)
            item = item.get("method")
        if not isinstance(item, str) or item not in INTERPOLATION_METHODS:
            _reject("The interpolation is not allowed", place, f"one of {', '.join(sorted(INTERPOLATION_METHODS))}")


def _check_reduce(value: object, place: str) -> None:
    if not isinstance(value, str) or value.lower() not in _REDUCE:
        _reject("The function is not allowed", place, f"one of {', '.join(sorted(_REDUCE))}")


def _check_nothing(value: object, place: str) -> None:
    if value is not False:
        _reject("The attribute may not be set", place, f"type {type(value).__name__}")


def _check_frequency(value: object, place: str) -> None:
    # pandas makes one value of each period between the first time and the last.
    if not isinstance(value, str) or not _FREQUENCY.fullmatch(value):
        _reject("The frequency is not allowed", place, "give a number and a unit of a minute or more, like 7D or MS")


def _check_selection(value: object, max_points: int, place: str) -> None:
    """Coordinates given as a list: values, or start, stop and step when there are three."""
    _check_list(value, place)
    if range_size(value, place) > max_points:
        _reject("The selection has too many points", place, f"the limit is {max_points:,}")


def _check_code(value: object, place: str) -> None:
    if not isinstance(value, str):
        _reject("The code is not text", place, f"type {type(value).__name__}")


def _check_no_node(value: object, place: str) -> None:
    if value not in ({}, []):
        _reject("A node is given as an attribute", place, "nodes are inputs")


def _skip(value: object, place: str) -> None:
    """Checked together with its node."""


_CHECKS: dict[str, Callable[[object, str], None]] = {
    "array": _check_array,
    "bool": _check_bool,
    "code": _check_code,
    "crs": check_crs,
    "dict": _check_dict,
    "expression": _skip,
    "float": _check_float,
    "frequency": _check_frequency,
    "int": _check_int,
    "interpolation": _check_interpolation,
    "kernel_type": _check_kernel_type,
    "list": _check_list,
    "node": _check_no_node,
    "nodes": _check_no_node,
    "nothing": _check_nothing,
    "parameters": _skip,
    "reduce_fn": _check_reduce,
    "text": _check_text,
    "units": _check_units,
    "value": _check_scalars,
}
#: Those that need to know what this deployment allows.
_LIMITED_CHECKS: dict[str, Callable[[Attributes, object, str], None]] = {
    "bucket_location": lambda limits, value, place: check_bucket_location(value, limits.buckets, place),
    "coordinates": Attributes.check_coordinates,
    "coordinates_or_node": Attributes.check_coordinates,
    "location": lambda limits, value, place: check_location(value, limits.buckets, limits.hosts, place),
    "selection": lambda limits, value, place: _check_selection(value, limits.max_points, place),
    "zarr_location": lambda limits, value, place: check_zarr_location(value, limits.buckets, place),
}
#: What the values of an attribute can be.
KINDS = frozenset(_CHECKS) | frozenset(_LIMITED_CHECKS)


def shown(name: object) -> str:
    """A name of the request as it may stand in an error: printable and short."""
    return ascii(name)[1:-1][:60]


def _reject(what: str, where: str, why: str) -> NoReturn:
    raise PipelineRejectedError(what, resource=where, why=why)
