"""The page that draws forms: one script, one stylesheet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets as tl
from ipywidgets import widget_serialization

from podpac_lambda_widgets.widgets.form import Form

_STATIC = Path(__file__).parent / "static"
# One script, for a browser finds no neighbour of what it is given as text.
_SCRIPTS = ("controls.js", "blocks.js", "page.js")


class Page(anywidget.AnyWidget):
    """Forms, one below the other.

    Parameters
    ----------
    forms : sequence of Form
        In the order of the work.
    title, lead : str
        Heading and first sentence; without a title the forms stand alone, and are not numbered.
    """

    _esm = "\n".join((_STATIC / name).read_text() for name in _SCRIPTS)
    _css = _STATIC / "page.css"

    title = tl.Unicode().tag(sync=True)
    lead = tl.Unicode().tag(sync=True)
    forms = tl.List(tl.Instance(Form)).tag(sync=True, **widget_serialization)

    def __init__(self, forms: Sequence[Form], **traits: Any) -> None:
        super().__init__(forms=list(forms), **traits)
        self.on_msg(self._receive)

    def _receive(self, _: Any, content: Any, buffers: Any) -> None:
        # The front end asks whether a kernel is there, when it draws the page and when a button is pressed: after a
        # restart a saved page has none behind it.
        if isinstance(content, dict) and content.get("type") == "hello":
            self.send({"type": "welcome"})
            for form in self.forms:
                form.worker.call(form.shown)
