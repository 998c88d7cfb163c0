"""What a notebook shows of the forms where no kernel is: on GitHub and nbviewer, in exported HTML.

The widget itself is nothing there. Beside it a second output stands: a summary in plain HTML, which the page's own
stylesheet hides, and which is brought up to date as the forms go on. It is addressed by a display id, so that it
changes in the notebook without the forms being drawn again.
"""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Any

from IPython.display import publish_display_data

if TYPE_CHECKING:
    from podpac_lambda_widgets.widgets.form import Form

#: What a standing is called, as the page calls it.
_STANDING = {"waiting": "Not yet", "ready": "Next", "working": "Working", "done": "Done", "failed": "Needs attention"}
_WATCHED = ("standing", "note", "card", "facts", "picture")
#: Account numbers are no secret, and all the same nobody's business where a notebook is published.
_ACCOUNT = re.compile(r"\b\d{8}(?=\d{4}\b)")
#: Where the page is drawn this is not to be seen before the stylesheet that hides it has come from the kernel.
_STYLE = (
    "<style>@keyframes plw-appear{from{max-height:0}}"
    ".plw-snapshot{overflow:hidden;animation:plw-appear 0s 2s backwards}</style>"
)


def publish(data: dict[str, Any], **how: Any) -> None:
    """Give an output to whatever front end there is."""
    publish_display_data(data, **how)  # type: ignore[no-untyped-call]  # IPython has no types here


class Snapshot:
    """The summary of some forms, and the outputs that show it.

    Parameters
    ----------
    title : str
        Heading.
    forms : iterable of Form
        In the order of the work.
    """

    def __init__(self, title: str, forms: Iterable[Form]) -> None:
        self._title, self._forms = title, list(forms)
        self._id = f"podpac-{uuid.uuid4().hex}"
        self._published = ""
        self._pending = False

    def show(self) -> None:
        """Add an output with the summary, which follows the forms from now on."""
        if not self._published:
            for form in self._forms:
                form.observe(self._follow, names=[name for name in _WATCHED if form.has_trait(name)])
        self._published = self._body()
        self._publish(update=False)

    def _follow(self, change: Any) -> None:
        # Several traits change at a time: the summary is written once, behind them.
        if not self._pending:
            self._pending = True
            self._forms[0].worker.post(self._refresh)

    def _refresh(self) -> None:
        self._pending = False
        body = self._body()
        if body != self._published:
            self._published = body
            self._publish(update=True)

    def _publish(self, *, update: bool) -> None:
        when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        html = f'{_STYLE}<div class="plw-snapshot">{self._published}<p>As it stood at {when}.</p></div>'
        data = {"text/html": html, "text/plain": self.text()}
        publish(data, transient={"display_id": self._id}, update=update)

    def text(self) -> str:
        """The summary as plain text, a form a line."""
        lines = [self._title] if self._title else []
        return "\n".join([*lines, *(f"{title}: {word}. {note}".rstrip() for title, word, note in self._standings())])

    def _standings(self) -> list[tuple[str, str, str]]:
        return [(form.title, _STANDING.get(form.standing, ""), _mask(form.note)) for form in self._forms]

    def _body(self) -> str:
        rows = "".join(
            f"<tr><th scope='row'>{escape(title)}</th><td>{escape(word)}</td><td>{escape(note)}</td></tr>"
            for title, word, note in self._standings()
        )
        parts = [f"<h3>{escape(self._title)}</h3>"] if self._title else []
        parts.append(f"<table><tbody>{rows}</tbody></table>")
        for form in self._forms:
            parts += [_error(form.card), _result(form)]
        return "".join(parts)


def _mask(text: object) -> str:
    return _ACCOUNT.sub("********", str(text))


def _error(card: dict[str, Any]) -> str:
    said = [_mask(card[part]) for part in ("what", "why", "next_step") if card.get(part)]
    if not said:
        return ""
    return f"<p><strong>{escape(said[0])}</strong> {escape(' '.join(said[1:]))}</p>"


def _result(form: Form) -> str:
    """What a form shows in a picture: a small one, words and numbers."""
    alt = getattr(form, "picture", {}).get("alt")
    if not alt:
        return ""
    facts = "".join(
        f"<tr><th scope='row'>{escape(str(term))}</th><td>{escape(_mask(value))}</td></tr>"
        for term, value, *_ in form.facts
    )
    png = base64.b64encode(form.thumbnail()).decode()
    # The sentence beside it says what it shows.
    image = f"<p><img alt='' width='192' src='data:image/png;base64,{png}'></p>" if png else ""
    return f"{image}<p>{escape(alt)}</p><table><tbody>{facts}</tbody></table>"
