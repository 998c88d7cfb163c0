"""What a control looks like and reads, derived from the trait it edits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import traitlets as tl

from podpac_lambda_widgets.errors import InvalidValueError, PodpacLambdaError
from podpac_lambda_widgets.model.base import Names, Tags, WholeNumber

#: (value, what a person reads)
Choice = tuple[str, str]


def describe_field(model: tl.HasTraits, name: str, **overrides: Any) -> dict[str, Any]:
    """The description of a control for one trait, as the front end draws it.

    ``label``, ``help`` and ``placeholder`` come from the trait's metadata; ``kind`` from its type; ``overrides`` win.
    ``span`` is the width in twelfths of the form, ``narrow`` the same where there is little room.
    """
    trait = model.traits()[name]
    described: dict[str, Any] = {
        "name": name,
        "label": str(trait.metadata.get("label") or name),
        "help": str(trait.metadata.get("help") or ""),
        "placeholder": str(trait.metadata.get("placeholder") or ""),
        "kind": _kind(trait),
        "span": 6,
        "narrow": 12,
    }
    return described | overrides


def _kind(trait: tl.TraitType[Any, Any]) -> str:
    if isinstance(trait, WholeNumber | tl.Float):
        return "number"
    if isinstance(trait, tl.Enum):
        return "select"
    if isinstance(trait, tl.Bool):
        return "check"
    if isinstance(trait, Names) and isinstance(trait.each, tl.Enum):
        return "checks"
    return "area" if isinstance(trait, Tags) else "text"


def trait_choices(trait: tl.TraitType[Any, Any]) -> list[Choice]:
    """The choices of an enumeration, or of a list of its values; else none."""
    trait = trait.each if isinstance(trait, Names) else trait
    if not isinstance(trait, tl.Enum):
        return []
    return [(str(value), str(value)) for value in trait.values or ()]


def read_input(trait: tl.TraitType[Any, Any], typed: object) -> Any:
    """What was typed, as the trait would like it.

    Text that is no number is handed on as it is: the trait then says what it allows.

    Raises
    ------
    InvalidValueError
        A line of tags that is not ``key=value``.
    """
    if not isinstance(typed, str):
        return typed
    if isinstance(trait, Tags):
        return _read_tags(typed)
    if trait.allow_none and not typed.strip():
        return None
    if isinstance(trait, WholeNumber):
        return _number(typed, int)
    if isinstance(trait, tl.Float):
        return _number(typed, float)
    if isinstance(trait, tl.Enum):
        return next((value for value in trait.values or () if str(value) == typed), typed)
    return typed


def _number(typed: str, kind: type[int] | type[float]) -> Any:
    try:
        return kind(typed.strip())
    except ValueError:
        return typed


def _read_tags(typed: str) -> dict[str, str]:
    tags: dict[str, str] = {}
    for number, line in enumerate(typed.splitlines(), 1):
        if not line.strip():
            continue
        # AWS allows = in a key too: there it is written \\=, and no backslash is allowed in either.
        key, *value = (part.strip() for part in re.split(r"(?<!\\)=", line, maxsplit=1))
        key = key.replace("\\=", "=")
        if not value:
            raise InvalidValueError(f"line {number} has no =", next_step="Write each tag as key=value.")
        if key in tags:
            raise InvalidValueError(f"line {number} has the key {key!r} again", next_step="Write each key once.")
        tags[key] = value[0]
    return tags


def write_value(value: object) -> str | bool | list[str]:
    """A trait's value as it stands in a control."""
    match value:
        case None:
            return ""
        case bool():
            return value
        case float():
            return f"{value:.12g}"
        case list() | tuple():
            return [str(item) for item in value]
        case Mapping():
            return "\n".join(f"{str(key).replace('=', chr(92) + '=')}={text}" for key, text in value.items())
    return str(value)


def problem_of(error: Exception, label: str) -> str:
    """An error as the sentence that stands beside its field: the label is there already."""
    text = error.what if isinstance(error, PodpacLambdaError) else str(error)
    parts = (text.removeprefix(f"{label}: "), getattr(error, "why", ""), getattr(error, "next_step", ""))
    return " ".join(_sentence(part) for part in parts if part)


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def group(legend: str, fields: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
    """Fields that belong together, under a legend (which may be empty)."""
    return {"block": "fields", "legend": legend, "fields": [dict(item) for item in fields], **more}


def folded(name: str, label: str, *blocks: Mapping[str, Any]) -> dict[str, Any]:
    """Blocks under a line that unfolds them; what they hold is said on the line, by ``Form.folded[name]``."""
    return {"block": "folded", "name": name, "label": label, "blocks": [dict(block) for block in blocks]}


def inner_blocks(blocks: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The blocks, and those inside of them."""
    for block in blocks:
        yield block
        yield from inner_blocks(
            [*block.get("blocks", ()), *(each for column in block.get("columns", ()) for each in column)]
        )


def label_of(blocks: Sequence[Mapping[str, Any]], name: str) -> str:
    """The label of the field or button of that name."""
    for block in inner_blocks(blocks):
        for item in (*block.get("fields", ()), *block.get("actions", ())):
            if item["name"] == name:
                return str(item["label"])
    return name


def action(name: str, label: str, tone: str = "secondary", icon: str = "", note: str = "") -> dict[str, Any]:
    """A button; ``tone`` is ``"primary"``, ``"secondary"`` or ``"danger"``."""
    return {"name": name, "label": label, "tone": tone, "icon": icon, "note": note}


def actions(*buttons: Mapping[str, Any]) -> dict[str, Any]:
    """A row of buttons."""
    return {"block": "actions", "actions": [dict(button) for button in buttons]}
