"""Traits for people: as text that reads like the call that makes them, and as an HTML table. All is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

import traitlets as tl


def chosen(model: tl.HasTraits, names: Iterable[str]) -> dict[str, Any]:
    """The traits that are not as they are without being set, with their values."""
    values = {name: getattr(model, name) for name in names}
    # One by one: asked for several, traitlets makes the defaults of all others too.
    return {name: value for name, value in values.items() if value != model.trait_defaults(name)}


def traits_text(model: tl.HasTraits, names: Iterable[str]) -> str:
    """The model as the call that makes it."""
    arguments = ", ".join(f"{name}={value!r}" for name, value in chosen(model, names).items())
    return f"{type(model).__name__}({arguments})"


def traits_html(model: tl.HasTraits, names: Iterable[str], title: str) -> str:
    """The model as a table that follows JupyterLab's theme: what was chosen, under the labels of the forms."""
    traits = model.traits()
    rows = "".join(
        f'<tr><th scope="row" style="text-align:left">{escape(str(traits[name].metadata.get("label") or name))}</th>'
        f'<td style="text-align:left;overflow-wrap:anywhere">{escape(_value_text(value))}</td></tr>'
        for name, value in chosen(model, names).items()
    )
    rest = "Everything else is as it is without being set." if rows else "Everything is as it is without being set."
    return (
        f'<table><caption style="text-align:left">{escape(title)}</caption><tbody>{rows}</tbody></table>'
        f'<p style="margin:4px 0">{rest}</p>'
    )


def _value_text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} = {text}" for key, text in value.items())
    if isinstance(value, tuple | list):
        return ", ".join(str(each) for each in value)
    return str(value)
