"""Results as our own client gets them: every bit of the array, in few bytes.

What netCDF has no word for (stacked coordinates, the order of coordinates, types of attributes, text in objects) needs
none here. There is nothing in it that could be run.

====================  =========================================================================
bytes                 meaning
====================  =========================================================================
3                     ``PLA``
1                     version
4                     length of the record, unsigned, big-endian
record                JSON: names, dimensions, types, attributes
rest                  the values and then each coordinate, see :mod:`.planes`
====================  =========================================================================

Whether it arrived as it was sent is for the answer's SHA-256 to tell, see :mod:`.wire`.
"""

from __future__ import annotations

import io
import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from podpac_lambda_widgets.errors import ResultError
from podpac_lambda_widgets.limits import MEGABYTE, MEMORY_MB
from podpac_lambda_widgets.remote.netcdf_attributes import serialized
from podpac_lambda_widgets.remote.planes import damaged, pack_values, read_dtype, unpack_values
from podpac_lambda_widgets.remote.typed_json import tag, untag

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

VERSION = 1
#: The most that is unpacked, bytes: no function has more memory.
LIMIT_BYTES = MEMORY_MB[1] * MEGABYTE
_MAGIC = b"PLA"
_HEAD = struct.Struct(">3sBI")
#: podpac's dimension of several outputs, the last one.
_OUTPUT = "output"
#: The type of text and other objects, which are written as JSON.
_OBJECT = "|O"
#: Bytes of Python objects for a byte of their JSON: a text of one character is 4 there and 50 to 60 here.
_OBJECT_RATIO = 16


def pack_array(array: xr.DataArray) -> bytes:
    """Pack an array.

    Parameters
    ----------
    array : xarray.DataArray
        Left as it was. Attributes ``units`` and ``layer_style`` become text.

    Returns
    -------
    bytes
        The same for the same array.

    Raises
    ------
    ResultError
        It has a type, an attribute or an index that cannot be sent.
    """
    stacked = _stacked(array)
    flat = array.reset_index(list(stacked)) if stacked else array
    variables = [_plain_variable(item) for item in (flat, *(flat.coords[name] for name in flat.coords))]
    record = {
        "dims": [[tag(dim), size] for dim, size in array.sizes.items()],
        "variables": [
            [tag(told.name), [array.dims.index(dim) for dim in told.dims], told.dtype, told.octets]
            for told, _ in variables
        ],
        "stacked": [[tag(dim), [tag(level) for level in levels]] for dim, levels in stacked.items()],
        "coords": [
            [tag(name), name in array.xindexes, tag(serialized(item.attrs))] for name, item in array.coords.items()
        ],
        "attrs": tag(serialized(array.attrs)),
    }
    told = json.dumps(record, separators=(",", ":"), allow_nan=False).encode()
    sink = io.BytesIO()
    sink.write(_HEAD.pack(_MAGIC, VERSION, len(told)))
    sink.write(told)
    for variable, values in variables:
        pack_values(values, sink, variable.group)
    return sink.getvalue()


def unpack_array(body: bytes, limit_bytes: int = LIMIT_BYTES) -> xr.DataArray:
    """Restore what :func:`pack_array` was given.

    Parameters
    ----------
    body : bytes
    limit_bytes : int, optional
        What the unpacked array may need, with its coordinates.

    Returns
    -------
    xarray.DataArray
        Writable, in memory.

    Raises
    ------
    ResultError
        Not a result of :func:`pack_array`, damaged, of another version, or over the limit.
    """
    record, source = _read_record(memoryview(body))
    try:
        return _read_array(record, source, limit_bytes)
    # What Python, numpy and xarray raise over a record that says what cannot be.
    except (ValueError, TypeError, LookupError, OverflowError) as error:
        raise damaged(f"its description cannot be read ({type(error).__name__})") from None
    except MemoryError:
        raise ResultError("The result does not fit into memory here", next_step="Ask for fewer points") from None


def _read_record(body: memoryview) -> tuple[Mapping[str, Any], memoryview]:
    if len(body) < _HEAD.size or bytes(body[: len(_MAGIC)]) != _MAGIC:
        raise damaged(f"it is something else, beginning {bytes(body[:8])!r}")
    _, version, length = _HEAD.unpack_from(body)
    if version != VERSION:
        raise ResultError(
            "The function speaks another version",
            why=f"its results are of version {version}; this client reads {VERSION}",
            next_step="Build the function again",
        )
    if length > len(body) - _HEAD.size:
        raise damaged("it is cut short")
    record = _parse_json(bytes(body[_HEAD.size : _HEAD.size + length]))
    if not isinstance(record, dict):
        raise damaged("its description is not a JSON object")
    return record, body[_HEAD.size + length :]


def _parse_json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise damaged("a part of it is not JSON") from None


def _stacked(array: xr.DataArray) -> dict[Any, list[Any]]:
    """The levels of each stacked dimension."""
    import xarray as xr

    stacked = {}
    for name, index in array.xindexes.items():
        if isinstance(index, xr.indexes.PandasMultiIndex):
            stacked[index.dim] = list(index.index.names)
        elif not isinstance(index, xr.indexes.PandasIndex) or index.dim != name:
            raise ResultError(
                "The result has an index that cannot be sent", resource=str(name), why=type(index).__name__
            )
    return stacked


@dataclass(frozen=True)
class _Variable:
    """What is told of an array: ``octets`` is the length of the JSON that is written in place of objects."""

    name: Any
    dims: tuple[Any, ...]
    shape: tuple[int, ...]
    dtype: str
    octets: int = 0

    @property
    def stored(self) -> tuple[str, tuple[int, ...]]:
        """Type and shape of what is written."""
        return ("|u1", (self.octets,)) if self.dtype == _OBJECT else (self.dtype, self.shape)

    @property
    def group(self) -> int:
        """How many values lie side by side for one point."""
        beside = self.dims[-1:] == (_OUTPUT,) and self.dtype != _OBJECT
        return max(1, self.shape[-1]) if beside else 1

    @property
    def nbytes(self) -> int:
        """Bytes once it is unpacked."""
        dtype, shape = self.stored
        size = read_dtype(dtype).itemsize * math.prod(shape)
        return size * _OBJECT_RATIO if self.dtype == _OBJECT else size


def _plain_variable(item: xr.DataArray) -> tuple[_Variable, np.ndarray[Any, Any]]:
    """An array without its coordinates, and what is written for its values."""
    import numpy as np

    if not isinstance(item.dtype, np.dtype):
        raise ResultError("The result has a type that cannot be sent", why=str(item.dtype))
    values = item.values
    if values.dtype.kind != "O":
        return _Variable(item.name, item.dims, item.shape, read_dtype(values.dtype.str).str), values
    told = json.dumps(tag(values), separators=(",", ":"), allow_nan=False).encode()
    return _Variable(item.name, item.dims, item.shape, _OBJECT, len(told)), np.frombuffer(told, "u1")


def _read_array(record: Mapping[str, Any], source: memoryview, limit_bytes: int) -> xr.DataArray:
    sizes = [(untag(name), _natural(size)) for name, size in record["dims"]]
    variables = [
        _Variable(
            untag(name),
            tuple(sizes[_natural(number)][0] for number in dims),
            tuple(sizes[number][1] for number in dims),
            str(dtype),
            _natural(octets),
        )
        for name, dims, dtype, octets in record["variables"]
    ]
    _check_size(sum(told.nbytes for told in variables), limit_bytes)
    values = []
    for told in variables:
        found, used = _read_values(told, source)
        values.append(found)
        source = source[used:]
    if source:
        raise damaged(f"{len(source):,} bytes are left over")
    return _label(record, list(zip(variables, values, strict=True)))


def _check_size(needed: int, limit_bytes: int) -> None:
    """Refuse what would need too much memory, before any of it is taken."""
    if needed > limit_bytes:
        raise ResultError(
            "The result is too large",
            why=f"{needed:,} bytes unpacked; the limit is {limit_bytes:,}",
            next_step="Ask for fewer points",
        )


def _read_values(told: _Variable, source: memoryview) -> tuple[np.ndarray[Any, Any], int]:
    import numpy as np

    dtype, shape = told.stored
    found, used = unpack_values(source, read_dtype(dtype), shape, told.group)
    if told.dtype == _OBJECT:
        found = untag(_parse_json(found.tobytes()))
        if not isinstance(found, np.ndarray) or found.dtype.kind != "O":
            raise damaged("its objects cannot be read")
    return found.reshape(told.shape), used


def _label(record: Mapping[str, Any], variables: list[tuple[_Variable, np.ndarray[Any, Any]]]) -> xr.DataArray:
    import xarray as xr

    (told, values), *beside = variables
    flat = xr.DataArray(values, dims=told.dims, coords={item.name: (item.dims, found) for item, found in beside})
    stacked = {untag(dim): [untag(level) for level in levels] for dim, levels in record["stacked"]}
    labelled = flat.set_index(stacked) if stacked else flat
    coords, indexes = {}, {}
    for tagged, indexed, attrs in record["coords"]:
        name = untag(tagged)
        coords[name] = labelled.coords[name].variable
        coords[name].attrs = _attributes(attrs)
        if indexed:
            indexes[name] = labelled.xindexes[name]
    if coords.keys() != set(labelled.coords):
        raise damaged("its coordinates are not those it tells of")
    attrs = _attributes(record["attrs"])
    return xr.DataArray(values, dims=told.dims, coords=xr.Coordinates(coords, indexes), name=told.name, attrs=attrs)


def _attributes(tagged: object) -> dict[Any, Any]:
    found = untag(tagged)
    if not isinstance(found, dict):
        raise damaged("its attributes cannot be read")
    return found


def _natural(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise damaged("a size is not a whole number")
    return value
