"""Values of Python and numpy as JSON that keeps their types: attributes, names, objects in arrays.

What JSON has itself is itself; anything else is an object with one key, which names the type.
"""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from podpac_lambda_widgets.errors import ResultError
from podpac_lambda_widgets.remote.planes import damaged, read_dtype

if TYPE_CHECKING:
    import numpy as np

#: Python's own limit on the digits of an integer in text is 4300.
_INTEGER_BITS = 4096
_DOUBLE = struct.Struct(">d")


def tag(value: Any) -> Any:
    """A value as JSON from which :func:`untag` gives the same back.

    Raises
    ------
    ResultError
        A type that cannot be said, or lists within lists without end.
    """
    try:
        return _tag(value)
    except RecursionError:
        raise ResultError("The result has an attribute that cannot be sent", why="it is nested too deeply") from None


def untag(value: Any) -> Any:
    """Undo :func:`tag`.

    Raises
    ------
    ResultError
        :func:`tag` gave no such thing.
    """
    try:
        return _untag(value)
    # What Python and numpy raise over text, numbers and shapes that cannot be.
    except (ValueError, TypeError, AttributeError, LookupError, OverflowError, RecursionError, struct.error) as error:
        raise damaged(f"a value in its description cannot be read ({type(error).__name__})") from None


def _tag(value: Any) -> Any:
    if value is None or type(value) in (bool, str):
        return value
    if type(value) is int and value.bit_length() <= _INTEGER_BITS:
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"float": _DOUBLE.pack(value).hex()}
    if type(value) is complex:
        return {"complex": [_tag(value.real), _tag(value.imag)]}
    if type(value) is bytes:
        return {"bytes": _to_text(value)}
    if isinstance(value, Mapping):
        return {"dict": [[_tag(key), _tag(item)] for key, item in value.items()]}
    if type(value) is tuple:
        return {"tuple": [_tag(item) for item in value]}
    if type(value) is list:
        return [_tag(item) for item in value]
    return _tag_numpy(value)


def _tag_numpy(value: Any) -> Any:
    import numpy as np

    if type(value) is np.str_:
        # numpy's own str() drops zero characters at the end.
        return {"str_": str.__str__(value)}
    if type(value) is np.bytes_:
        return {"bytes_": _to_text(bytes(value))}
    if isinstance(value, np.generic) and value.dtype.kind in "biufcmM":
        return {"scalar": [read_dtype(value.dtype.str).str, _to_text(value.tobytes())]}
    if type(value) is np.ndarray:
        if value.dtype.kind == "O":
            return {"objects": [list(value.shape), [_tag(item) for item in value.flat]]}
        return {"array": [read_dtype(value.dtype.str).str, list(value.shape), _to_text(value.tobytes())]}
    raise ResultError("The result has an attribute that cannot be sent", why=f"type {type(value).__name__}")


def _untag(value: Any) -> Any:
    if isinstance(value, list):
        return [_untag(item) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, inner),) = value.items()
    return _READERS[kind](inner)


def _to_text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def _to_bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _read_str_(inner: Any) -> np.str_:
    import numpy as np

    return np.str_(inner)


def _read_bytes_(inner: Any) -> np.bytes_:
    import numpy as np

    return np.bytes_(_to_bytes(inner))


def _read_scalar(inner: Any) -> Any:
    name, octets = inner
    return _read_array([name, [1], octets])[0]


def _read_array(inner: Any) -> np.ndarray[Any, Any]:
    import numpy as np

    name, shape, octets = inner
    # A copy, because what lies over bytes cannot be written to.
    return np.frombuffer(_to_bytes(octets), read_dtype(name)).reshape(shape).copy()


def _read_objects(inner: Any) -> np.ndarray[Any, Any]:
    import numpy as np

    shape, items = inner
    found = np.empty(len(items), object)
    # One by one, because numpy would make dimensions of lists.
    for number, item in enumerate(items):
        found[number] = _untag(item)
    return found.reshape(shape)


_READERS: dict[str, Callable[[Any], Any]] = {
    "float": lambda inner: _DOUBLE.unpack(bytes.fromhex(inner))[0],
    "complex": lambda inner: complex(_untag(inner[0]), _untag(inner[1])),
    "bytes": _to_bytes,
    "dict": lambda inner: {_untag(key): _untag(item) for key, item in inner},
    "tuple": lambda inner: tuple(_untag(item) for item in inner),
    "str_": _read_str_,
    "bytes_": _read_bytes_,
    "scalar": _read_scalar,
    "array": _read_array,
    "objects": _read_objects,
}
