"""The page that draws forms: one script, one stylesheet.

A widget's script is part of its state, and so of every notebook that is saved with it. What is there is a loader, which
asks the kernel for the rest.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import anywidget
import traitlets as tl
from ipywidgets import widget_serialization

from podpac_lambda_widgets.widgets.code import join_code
from podpac_lambda_widgets.widgets.form import Form, answer_with_code
from podpac_lambda_widgets.widgets.snapshot import Snapshot, publish

_STATIC = Path(__file__).parent / "static"
#: One script in the browser, which finds no neighbour of what it is given as text.
_SCRIPTS = (
    "controls.js",
    "code.js",
    "land.js",
    "axes.js",
    "raster.js",
    "lines.js",
    "blocks.js",
    "map.js",
    "nodes.js",
    "runs.js",
    "asker.js",
    "result.js",
    "origin.js",
    "page.js",
)
_STYLES = ("page.css", "map.css", "runs.css", "result.css")


@cache
def read_assets() -> tuple[bytes, bytes]:
    """The script and the stylesheet of the page."""
    script, style = ("\n".join((_STATIC / name).read_text("utf-8") for name in names) for names in (_SCRIPTS, _STYLES))
    return script.encode(), style.encode()


@cache
def read_land() -> bytes:
    """The land of the Earth as JSON: SVG paths in hundredths of degrees, see ``scripts/make_land.py``."""
    return (_STATIC / "land.json").read_bytes()


def read_loader() -> str:
    """The loader without its comments and indents: it is in every saved notebook."""
    return re.sub(r"^ *(//.*)?\n?", "", (_STATIC / "loader.js").read_text("utf-8"), flags=re.MULTILINE)


def _digest() -> str:
    return hashlib.sha256(b"\0".join(read_assets())).hexdigest()[:16]


class Page(anywidget.AnyWidget):
    """Forms, one below the other.

    Parameters
    ----------
    forms : sequence of Form
        In the order of the work.
    title, lead : str
        Heading and first sentence; without a title the forms stand alone, and are not numbered.
    """

    _esm = read_loader()

    #: Tells one version of script and stylesheet from another.
    assets = tl.Unicode().tag(sync=True)
    title = tl.Unicode().tag(sync=True)
    lead = tl.Unicode().tag(sync=True)
    #: How the page is made again after the kernel was restarted: kind, variable, given; empty where it cannot be.
    revival = tl.Dict().tag(sync=True)
    forms = tl.List(tl.Instance(Form)).tag(sync=True, **widget_serialization)

    def __init__(self, forms: Sequence[Form], **traits: Any) -> None:
        super().__init__(forms=list(forms), assets=_digest(), **traits)
        self._snapshot = Snapshot(self.title, self.forms)
        self.on_msg(self._receive)

    def __repr__(self) -> str:
        lines = [f"  {form.title:<8} {form.note}" for form in self.forms]
        return "\n".join([self.title or type(self).__name__, *lines])

    def _ipython_display_(self, **kwargs: Any) -> None:
        # Nothing where the widget is not drawn: the snapshot says more than its repr.
        view, metadata = self._repr_mimebundle_(**kwargs) or ({}, {})
        publish({**view, "text/html": "", "text/plain": ""}, metadata=metadata)
        self._snapshot.show()

    def describe_revival(self) -> dict[str, str]:
        """What :attr:`revival` is to be by now: variables come and go."""
        return self.forms[0].describe_revival() if len(self.forms) == 1 else {}

    def as_code(self) -> str:
        """Python that does what all forms do as they stand; see :meth:`Form.as_code`."""
        return join_code(form.write_code() for form in self.forms)

    def _receive(self, _: Any, content: Any, buffers: Any) -> None:
        kind = content.get("type") if isinstance(content, dict) else ""
        # The front end asks whether a kernel is there, when it draws the page and when a button is pressed: after a
        # restart a saved page has none behind it.
        if kind == "hello":
            self.send({"type": "welcome"})
            self.forms[0].worker.call(self._shown)
        elif kind == "code":
            view = content.get("view")
            self.forms[0].worker.call(
                lambda: self.send({"type": "code", "view": view, **answer_with_code(self.as_code)})
            )
        elif kind == "assets":
            self.send({"type": "assets"}, buffers=list(read_assets()))
        elif kind == "forms":
            self.send({"type": "forms", "forms": [form.describe() for form in self.forms]})
        elif kind == "land":
            self.send({"type": "land"}, buffers=[read_land()])

    def _shown(self) -> None:
        self.revival = self.describe_revival()
        for form in self.forms:
            form.shown()
