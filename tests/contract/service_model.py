"""What botocore's service model says of a call, taken more strictly than botocore itself does.

botocore checks types, required members and lower bounds. AWS also refuses what is not of an enumeration, does not match
a pattern, or is above a bound; and what the model calls deprecated will go one day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

#: Unicode classes of Java's patterns that ``re`` does not have; for ASCII, which is all that the tests use.
_CLASSES = {r"\p{L}": "a-zA-Z", r"\p{Z}": " ", r"\p{N}": "0-9", r"\p{S}": "$+<=>^`|~", r"\p{P}": r"!-/:-@\[-`{-~"}


def find_faults(operation: Any, params: dict[str, Any]) -> list[str]:
    """What is wrong with a call's parameters, in sentences; ``operation`` is botocore's ``OperationModel``."""
    name = f"{operation.service_model.service_name}.{operation.name}"
    faults = [f"{name} is deprecated"] if operation.deprecated else []
    if operation.input_shape is None:
        return faults + ([f"{name} takes no parameters"] if params else [])
    return faults + [f"{name}: {fault}" for fault in _faults(operation.input_shape, params, "")]


def _faults(shape: Any, value: Any, path: str) -> Iterator[str]:
    if shape.metadata.get("deprecated"):
        yield f"{path} is deprecated"
    check = {"structure": _structure, "list": _list, "map": _map, "string": _string, "blob": _blob}.get(shape.type_name)
    if check is not None:
        yield from check(shape, value, path)
    elif shape.type_name in ("integer", "long", "float", "double"):
        yield from _bounds(shape, value, path, "is")


def _structure(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path} is no structure: {value!r}"
        return
    for name in shape.required_members:
        if name not in value:
            yield f"{path}.{name} is missing"
    for name, item in value.items():
        if name in shape.members:
            yield from _faults(shape.members[name], item, f"{path}.{name}")
        else:
            yield f"{path}.{name} is unknown"


def _list(shape: Any, value: Any, path: str) -> Iterator[str]:
    yield from _bounds(shape, len(value), path, "has as many items as")
    for index, item in enumerate(value):
        yield from _faults(shape.member, item, f"{path}[{index}]")


def _map(shape: Any, value: Any, path: str) -> Iterator[str]:
    yield from _bounds(shape, len(value), path, "has as many entries as")
    for key, item in value.items():
        yield from _faults(shape.key, key, f"{path} key {key!r}")
        yield from _faults(shape.value, item, f"{path}[{key!r}]")


def _string(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{path} is no text: {value!r}"
        return
    yield from _bounds(shape, len(value), path, "has as many characters as")
    if shape.enum and value not in shape.enum:
        yield f"{path} is {value!r}, not one of {', '.join(shape.enum)}"
    pattern = shape.metadata.get("pattern")
    if pattern and not _to_python(pattern).fullmatch(value):
        yield f"{path} is {value!r}, which does not match {pattern}"


def _blob(shape: Any, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, str | bytes | bytearray):
        yield from _bounds(shape, len(value), path, "has as many bytes as")


def _bounds(shape: Any, number: float, path: str, verb: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and number < low:
        yield f"{path} {verb} {number}, less than {low}"
    if high is not None and number > high:
        yield f"{path} {verb} {number}, more than {high}"


def _to_python(pattern: str) -> re.Pattern[str]:
    for java, python in _CLASSES.items():
        pattern = pattern.replace(java, python)
    # Java takes a flag in the middle of a pattern.
    return re.compile(pattern.replace("(?i)", ""), re.IGNORECASE if "(?i)" in pattern else 0)
