"""Plain JSON data, strictly: what may enter a request, and how much of it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from podpac_lambda_widgets.errors import InvalidPipelineError, PipelineRejectedError
from podpac_lambda_widgets.limits import MEGABYTE

#: Deepest nesting of a request. PODPAC's own definitions reach about 8.
MAX_DEPTH = 32
#: Largest request as JSON, through the bucket too; in an invocation itself Lambda takes less. So many bytes of numbers
#: are read and looked through in 150 MB and one or two seconds.
MAX_BYTES = 32 * MEGABYTE
#: Values in one request, numbers of an ``Array`` source included.
MAX_VALUES = 3 * MEGABYTE
#: Longest string. The longest legitimate one is a coordinate reference system as WKT.
MAX_STRING = 16_384

_FLOAT = "$float"
_NOT_FINITE = {repr(value): value for value in (math.nan, math.inf, -math.inf)}


def parse_json(text: str | bytes, *, finite: bool = True) -> object:
    """Parse strict JSON.

    Parameters
    ----------
    text : str or bytes
    finite : bool, optional
        Refuse ``NaN`` and ``Infinity``. PODPAC's own definitions have them (``"nan_val": NaN``): give False for those.

    Raises
    ------
    InvalidPipelineError
        Not JSON, a key twice in one object, not finite, not UTF-8, too large or too deep.
    """
    if len(text) > MAX_BYTES:
        raise InvalidPipelineError(
            "The JSON is too large",
            why=f"{len(text):,} bytes; the limit is {MAX_BYTES:,}",
            next_step="Send fewer values, or read them from a bucket",
        )
    try:
        value: object = json.loads(
            text, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant if finite else float
        )
    except RecursionError:
        raise _too_deep("") from None
    except UnicodeDecodeError as error:
        raise InvalidPipelineError("The text is not UTF-8", why=f"byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise InvalidPipelineError(
            "The text is not JSON", why=f"line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None
    except InvalidPipelineError:
        raise
    except ValueError:
        # sys.set_int_max_str_digits: Python's own limit.
        raise InvalidPipelineError("An integer is too large", why="it has thousands of digits") from None
    check_plain(value, finite=finite)
    return value


def check_plain(root: object, where: str = "", *, finite: bool = True) -> None:
    """Check that a value is plain, encodable JSON data inside the limits; iterative, so that depth cannot hurt.

    Parameters
    ----------
    root : object
    where : str, optional
        Name of the value, for the error.
    finite : bool, optional
        Refuse NaN and infinities.

    Raises
    ------
    InvalidPipelineError
        ``field`` is the path to the value that is not.
    """
    count = 1
    stack: list[tuple[object, tuple[str, ...]]] = [(root, (where,) if where else ())]
    while stack:
        value, path = stack.pop()
        if isinstance(value, str):
            _check_string(value, path)
        elif value is None or isinstance(value, bool | int):
            _check_integer(value, path)
        elif isinstance(value, float):
            if finite and not math.isfinite(value):
                raise InvalidPipelineError("A number is not finite", field=".".join(path), why=repr(value))
        elif isinstance(value, Mapping | list | tuple):
            if len(path) >= MAX_DEPTH:
                raise _too_deep(".".join(path[:4]))
            count += len(value)
            if count > MAX_VALUES:
                raise _too_many(where)
            if not (isinstance(value, list) and _are_floats(value, finite=finite)):
                stack.extend(_children(value, path))
        else:
            raise InvalidPipelineError("A value is not JSON", field=".".join(path), why=f"type {type(value).__name__}")


def _are_floats(values: list[Any], *, finite: bool) -> bool:
    """Whether these are the values of an array; looked at all at once, because there may be hundreds of thousands."""
    return set(map(type, values)) == {float} and (not finite or all(map(math.isfinite, values)))


def _children(
    value: Mapping[object, object] | list[object] | tuple[object, ...], path: tuple[str, ...]
) -> list[tuple[object, tuple[str, ...]]]:
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise InvalidPipelineError("A key is not text", field=".".join(path), why=f"type {type(key).__name__}")
            _check_string(key, path)
        return [(item, (*path, str(key)[:64])) for key, item in value.items()]
    inner = (*path, "[]")
    return [(item, inner) for item in value]


def _check_string(value: str, path: tuple[str, ...]) -> None:
    if len(value) > MAX_STRING:
        raise InvalidPipelineError(
            "A text is too long", field=".".join(path), why=f"{len(value):,} characters; the limit is {MAX_STRING:,}"
        )
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidPipelineError(
            "A text is not valid Unicode", field=ascii(".".join(path)), why="it has a lone surrogate"
        ) from None


def _check_integer(value: int | None, path: tuple[str, ...]) -> None:
    # numpy's integers, and so PODPAC's, have 64 bits.
    if value is not None and not -(2**63) <= value < 2**63:
        raise InvalidPipelineError("An integer is too large", field=".".join(path), why="it needs more than 64 bits")


def pack_floats(value: object) -> object:
    """Replace NaN and infinities, which JSON lacks, by ``{"$float": "nan"}``."""
    if isinstance(value, float):
        return value if math.isfinite(value) else {_FLOAT: repr(value)}
    if isinstance(value, Mapping):
        return {key: pack_floats(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [pack_floats(item) for item in value]
    return value


def unpack_floats(value: object) -> object:
    """Undo :func:`pack_floats`."""
    if isinstance(value, Mapping):
        if value.keys() == {_FLOAT}:
            return _NOT_FINITE.get(str(value[_FLOAT]), value)
        return {key: unpack_floats(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [unpack_floats(item) for item in value]
    return value


def _too_many(field: str) -> InvalidPipelineError:
    return InvalidPipelineError(
        "The request has too many values",
        field=field,
        why=f"more than {MAX_VALUES:,}",
        next_step="Read large arrays from a bucket instead of writing them into the pipeline",
    )


def _too_deep(field: str) -> InvalidPipelineError:
    return InvalidPipelineError("The JSON is nested too deeply", field=field, why=f"more than {MAX_DEPTH} levels")


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise InvalidPipelineError("A key occurs twice in one JSON object", field=ascii(twice)[1:-1][:64])
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidPipelineError("A number is not finite", why=name)


def require_mapping(value: object, what: str) -> Mapping[str, object]:
    """Return `value` as a mapping.

    Raises
    ------
    PipelineRejectedError
        It is something else.
    """
    if not isinstance(value, Mapping):
        raise PipelineRejectedError(f"{what} is not a JSON object", why=f"type {type(value).__name__}")
    return value
