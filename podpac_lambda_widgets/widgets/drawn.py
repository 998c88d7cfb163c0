"""What of a form is drawn: the traits that the front end shows, and how they are changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import traitlets as tl
from ipywidgets import Widget

from podpac_lambda_widgets.widgets.fields import Choice

#: What a field has even where it is empty, and what a button does not need to say when it is false.
_ALWAYS = ("value", "revision")
_FLAGS = ("disabled", "hidden", "stops")


def _pack(value: object, _: object = None) -> str:
    """A dictionary or a list as it is sent and saved: as one text. A notebook gives each of its items a line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _pack_fields(fields: Mapping[str, Mapping[str, Any]], _: object) -> str:
    """Fields likewise, without what is empty, and without what they offer: see :meth:`DrawnForm.describe`."""
    return _pack(
        {
            name: {key: value for key, value in state.items() if key in _ALWAYS or (value and key != "choices")}
            for name, state in fields.items()
        }
    )


def _pack_buttons(buttons: Mapping[str, Mapping[str, Any]], _: object) -> str:
    """Buttons likewise, without flags that are down."""
    said = {
        name: {key: value for key, value in state.items() if value or key not in _FLAGS}
        for name, state in buttons.items()
    }
    return _pack({name: state for name, state in said.items() if state})


def _pack_steps(steps: Sequence[Mapping[str, Any]], _: object) -> str:
    """Steps likewise, without the keys by which they are found here."""
    return _pack([{key: value for key, value in step.items() if key != "key"} for step in steps])


#: How a trait is tagged that holds a dictionary or a list.
PACKED: dict[str, Any] = {"sync": True, "to_json": _pack}


class DrawnForm(Widget):  # type: ignore[misc]  # ipywidgets ships no types
    """A form as data: whatever the front end shows is in these traits, as plain text."""

    # A form is drawn by a page: what a widget says of a view of its own would stand in every saved notebook.
    _view_module = tl.Unicode(None, allow_none=True)
    _view_module_version = tl.Unicode()

    # What a form is made of does not change: the page asks for it by a message, and no saved notebook has to hold it.
    title = tl.Unicode()
    purpose = tl.Unicode()
    icon = tl.Unicode()
    #: What there is to see, in order: groups of fields, rows of buttons, and the places of the parts below.
    blocks = tl.List(tl.Dict())
    #: Field name -> value, error, note, warning, choices, hidden, disabled. The choices go to the page by messages.
    fields = tl.Dict().tag(sync=True, to_json=_pack_fields)
    #: Button name -> disabled, hidden, note.
    buttons = tl.Dict().tag(sync=True, to_json=_pack_buttons)
    #: ``"waiting"`` (not yet), ``"ready"``, ``"working"``, ``"done"`` or ``"failed"``, and the line that says so.
    standing = tl.Unicode("waiting").tag(sync=True)
    note = tl.Unicode().tag(sync=True)
    #: Whether something runs, here or elsewhere on the page.
    locked = tl.Bool(False).tag(sync=True)
    #: Steps of the running work: text, state, detail, done, total.
    steps = tl.List(tl.Dict()).tag(sync=True, to_json=_pack_steps)
    #: An error or a remark, see :func:`~podpac_lambda_widgets.widgets.cards.error_card`.
    card = tl.Dict().tag(**PACKED)
    #: Name of a folded part -> what it holds, in words.
    folded = tl.Dict().tag(**PACKED)
    #: A table: caption, columns, rows of cells; below it a remark and a folded list of calls.
    table = tl.Dict().tag(**PACKED)
    #: Lines of what a build has told.
    log = tl.List(tl.Unicode()).tag(**PACKED)
    #: What there is in AWS: tone ("unknown", "off", "part", "on" or "bad"), text, and when it was read.
    light = tl.Dict().tag(**PACKED)
    #: What is asked before something is lost; empty when nothing is.
    question = tl.Unicode().tag(sync=True)
    #: Term, value and, for a bar, the fraction of a limit.
    facts: tl.List[list[Any]] = tl.List().tag(**PACKED)

    def set_field(self, name: str, **state: Any) -> None:
        """Change what a field shows: value, error, note, warning, choices, hidden, disabled."""
        known = self.fields.get(name, {"value": "", "error": "", "revision": 0})
        # The revision makes the front end draw again even where the value has come out the same (" 5 " as "5").
        self.fields = {**self.fields, name: {**known, **state, "revision": known["revision"] + 1}}

    def set_button(self, name: str, **state: Any) -> None:
        """Change a button: disabled, hidden, note."""
        self.buttons = {**self.buttons, name: {**self.buttons.get(name, {}), **state}}

    def set_choices(self, name: str, choices: Sequence[Choice]) -> None:
        """What a select offers, as (value, text)."""
        self.set_field(name, choices=[list(choice) for choice in choices])

    def describe(self) -> dict[str, Any]:
        """What a page asks for when it draws the form: its head, its blocks, and field name -> choices."""
        choices = {name: state["choices"] for name, state in self.fields.items() if state.get("choices")}
        return {name: getattr(self, name) for name in ("title", "purpose", "icon", "blocks")} | {"choices": choices}

    @tl.observe("fields")
    def _tell_choices(self, change: Any) -> None:
        old, new = ({} if fields is tl.Undefined else fields for fields in (change["old"], change["new"]))
        changed = {
            name: state["choices"]
            for name, state in new.items()
            if "choices" in state and state["choices"] != old.get(name, {}).get("choices", [])
        }
        if changed:
            self.send({"type": "choices", "choices": changed})

    def thumbnail(self) -> bytes:
        """A small PNG of the picture that the form shows; nothing where it shows none."""
        return b""

    def stand(self, standing: str, note: str) -> None:
        """Say how this step stands."""
        self.standing, self.note = standing, note

    def set_step(self, text: str, state: str, *, key: str = "", **more: Any) -> None:
        """Show a step of the running work: its ``state`` is waiting, working, done or failed."""
        key = key or text
        step = {"key": key, "text": text, "state": state, **more}
        if any(known["key"] == key for known in self.steps):
            self.steps = [{**known, **step} if known["key"] == key else known for known in self.steps]
        else:
            self.steps = [*self.steps, step]
