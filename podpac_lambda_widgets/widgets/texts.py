"""JSON and sizes as people like to read them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

#: Characters that fit into a line of half a page.
_WIDTH = 44


def set_out_json(text: str) -> str:
    """JSON set out over lines, short lists on one; other text as it is."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return _lines(value) if isinstance(value, dict | list) else text


def _lines(value: Any, indent: str = "") -> str:
    flat = json.dumps(value)
    if len(flat) + len(indent) <= _WIDTH or not isinstance(value, dict | list) or not value:
        return flat
    inner = indent + "  "
    if isinstance(value, dict):
        parts = [f"{inner}{json.dumps(key)}: {_lines(each, inner)}" for key, each in value.items()]
    else:
        parts = [inner + _lines(each, inner) for each in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n" + ",\n".join(parts) + f"\n{indent}{closing}"


def is_json_of(text: str, definition: Mapping[str, Any]) -> bool:
    """Whether the text is JSON of the definition."""
    try:
        return bool(json.loads(text) == definition)
    except (ValueError, RecursionError):
        return False


def data_size(count: float) -> str:
    """A number of bytes for people: 253 KB."""
    if count < 1000:
        return f"{count:.0f} bytes"
    power = min(int(math.log(count, 1000)), 4)
    return f"{count / 1000**power:.3g} {('bytes', 'kB', 'MB', 'GB', 'TB')[power]}"
