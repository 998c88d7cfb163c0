"""The style of a node, which podpac passes on with its result."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NoReturn

from podpac_lambda_widgets.errors import InvalidPipelineError, PipelineRejectedError
from podpac_lambda_widgets.remote.attributes import shown

#: Characters of one text of a style.
MAX_TEXT = 256
#: podpac fills the gaps between the smallest and the largest number of a legend.
_LEGEND_NUMBERS = 10_000


def check_style(style: object, where: str) -> None:
    """Check the style of a node: PODPAC's own properties, of their own types, of bounded size.

    Parameters
    ----------
    style : object
    where : str
        The place in the definition, for the error.

    Raises
    ------
    InvalidPipelineError
        It is not a JSON object.
    PipelineRejectedError
    """
    if not isinstance(style, Mapping):
        raise InvalidPipelineError("A style is not a JSON object", field=where)
    for key, value in style.items():
        place = f"{where}.{shown(key)}"
        fits = _PROPERTIES.get(key)
        if fits is None:
            _reject("The property is not allowed", place, f"allowed: {', '.join(sorted(_PROPERTIES))}")
        if value is not None and not fits(value):
            _reject("The value of the style is not allowed", place, _EXPECTED[fits])


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT and value.isprintable()


def _is_range(value: object) -> bool:
    """Two numbers, either of which may be missing."""
    return isinstance(value, list | tuple) and len(value) == 2 and all(v is None or _is_number(v) for v in value)


def _is_color(value: object) -> bool:
    """A name, or three or four numbers."""
    if isinstance(value, list | tuple):
        return len(value) in (3, 4) and all(map(_is_number, value))
    return _is_text(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isinf(value)


def _is_legend(value: object) -> bool:
    return isinstance(value, Mapping) and all(_is_legend_number(k) and _is_text(v) for k, v in value.items())


def _is_colors(value: object) -> bool:
    return isinstance(value, Mapping) and all(_is_legend_number(k) and _is_color(v) for k, v in value.items())


def _is_legend_number(key: str) -> bool:
    return key.isascii() and key.removeprefix("-").isdecimal() and len(key) <= 5 and abs(int(key)) < _LEGEND_NUMBERS


_PROPERTIES: dict[str, Callable[[object], bool]] = {
    "name": _is_text,
    "units": _is_text,
    "colormap": _is_text,
    "clim": _is_range,
    "enumeration_legend": _is_legend,
    "enumeration_colors": _is_colors,
    "default_enumeration_legend": _is_text,
    "default_enumeration_color": _is_color,
}
_EXPECTED: dict[Callable[[object], bool], str] = {
    _is_text: f"printable text up to {MAX_TEXT} characters is",
    _is_range: "two numbers are",
    _is_color: "the name of a color, or three or four numbers are",
    _is_legend: f"whole numbers below {_LEGEND_NUMBERS:,} with their texts are",
    _is_colors: f"whole numbers below {_LEGEND_NUMBERS:,} with their colors are",
}


def _reject(what: str, where: str, why: str) -> NoReturn:
    raise PipelineRejectedError(what, resource=where, why=why)
