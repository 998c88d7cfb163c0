"""What there is of a stack in AWS, as AWS said when it was last asked: never what was done here and is remembered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from podpac_lambda_widgets.errors import PodpacLambdaError
from podpac_lambda_widgets.widgets.cards import explain
from podpac_lambda_widgets.widgets.form import Form
from podpac_lambda_widgets.widgets.worker import Task

if TYPE_CHECKING:
    from podpac_lambda_widgets.plan.description import Description
    from podpac_lambda_widgets.widgets.backend import StackActions

#: How old a reading may be before showing the form again makes another: every press of a button shows it.
_FRESH = timedelta(seconds=20)
_NOT_CONNECTED = {"tone": "unknown", "text": "Not connected: nothing is known of it", "when": ""}


class StackLight:
    """Asks AWS in the background what there is, and has it shown by a form.

    Parameters
    ----------
    form : Form
        Its ``light`` is set: tone, text and when it was read.
    stack : callable
        Gives the stack, or raises what is missing.
    heard : callable
        Told whether the function is there, whenever AWS has said so.
    now : callable, optional
        The time, with its zone.
    """

    def __init__(
        self,
        form: Form,
        stack: Callable[[], StackActions],
        heard: Callable[[bool], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._form, self._stack, self._heard = form, stack, heard
        self.now = now
        #: Tells the last question from those before it, whose answers are of no use any more.
        self._asked = 0
        self._read_at: datetime | None = None
        self._told: bool | None = None
        self.forget()

    def forget(self) -> None:
        """Say that nothing is known."""
        self._asked += 1
        self._read_at = None
        self._form.light = dict(_NOT_CONNECTED)

    def refresh(self) -> None:
        """Ask again, where the last answer is not fresh."""
        if self._read_at is not None and self.now() - self._read_at > _FRESH:
            self._look(tell_always=False)

    def look(self) -> None:
        """Ask AWS what there is now."""
        self._look(tell_always=True)

    def _look(self, *, tell_always: bool) -> None:
        try:
            stack = self._stack()
        except PodpacLambdaError:
            self.forget()
            return
        self._asked += 1
        asked = self._asked
        self._form.light = {"tone": "unknown", "text": "Asking AWS …", "when": ""}

        def ask(task: Task) -> Description | PodpacLambdaError:
            try:
                return stack.describe()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is shown and harms nothing else
                return explain(error, "Asking AWS")

        def show(found: Description | PodpacLambdaError) -> None:
            self._show(asked, found, tell_always)

        self._form.start("Ask AWS what there is", ask, show, quiet=True)

    def _show(self, asked: int, found: Description | PodpacLambdaError, tell_always: bool) -> None:
        if asked != self._asked:
            return
        self._read_at = self.now()
        when = f"read at {self._read_at.astimezone(UTC):%H:%M:%S} UTC"
        if isinstance(found, PodpacLambdaError):
            self._form.on_error(found)
            self._form.light = {"tone": "bad", "text": f"AWS could not be asked: {found.what}", "when": when}
            return
        light, exists = describe_light(found)
        self._form.light = {**light, "when": when}
        if exists is not None and (tell_always or exists != self._told):
            self._told = exists
            self._heard(exists)


def describe_light(found: Description) -> tuple[dict[str, Any], bool | None]:
    """Tone and text of what there is, and whether the function is; None where that could not be seen."""
    from podpac_lambda_widgets.plan.resources import Function

    ours = [each.resource for each in found.found if each.stack == found.stack]
    kinds = list(dict.fromkeys(each.title for each in ours if each.kind != "lock"))
    foreign = [each.resource for each in found.found if each.stack != found.stack and each.resource.kind == "function"]
    unseen = [each.resource.title for each in found.unreadable]
    exists = any(each.kind == "function" for each in ours)
    if foreign:
        return {"tone": "bad", "text": f"There is a function {foreign[0].name}, and it is not ours"}, False
    if unseen:
        may_not = ", ".join(dict.fromkeys(unseen))
        seen = f"In AWS: {', '.join(kinds)}. " if kinds else ""
        hidden = "function" in unseen
        return {"tone": "part", "text": f"{seen}May not be looked at: {may_not}"}, None if hidden else exists
    if not kinds:
        return {"tone": "off", "text": "Nothing of it is in AWS"}, False
    text = f"In AWS: {', '.join(kinds)}"
    states = [each.state for each in ours if isinstance(each, Function) and each.state != "Active"]
    if states:
        return {"tone": "part", "text": f"{text}; Lambda says the function is {states[0]}"}, True
    return ({"tone": "on", "text": text}, True) if exists else ({"tone": "part", "text": f"{text}; no function"}, False)
