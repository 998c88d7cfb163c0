"""Signing in by a browser, as the Connect form shows it: where to go, the code, and how long it is good for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from podpac_lambda_widgets.errors import ExpiredCredentialsError
from podpac_lambda_widgets.widgets.fields import action

if TYPE_CHECKING:
    from podpac_lambda_widgets.plan.account import SignIn
    from podpac_lambda_widgets.widgets.form import Form

#: The buttons: one appears where signing in helps, the other while somebody is waited for.
SIGN_IN, CANCEL = "sign_in", "cancel_sign_in"


def sign_in_block() -> dict[str, Any]:
    """Where the code is shown, with the way out."""
    return {"block": "sign_in", "actions": [action(CANCEL, "Cancel", "quiet", "stop")]}


class SigningIn:
    """Shows in a form's card what a person does to sign in.

    The code is no secret: it tells one sign-in from another, and is of no use to anybody else.

    Parameters
    ----------
    form : Form
        Has the two buttons and the block.
    """

    def __init__(self, form: Form) -> None:
        self._form = form
        form.set_button(SIGN_IN, hidden=True)
        form.set_button(CANCEL, hidden=True, stops=True)

    def show(self, told: SignIn) -> None:
        """Called on the worker's thread when there is a code."""
        self._form.worker.post(lambda: self._show(told))

    def _show(self, told: SignIn) -> None:
        until = told.until.timestamp() * 1000
        self._form.set_button(SIGN_IN, hidden=True)
        self._form.set_button(CANCEL, hidden=False)
        self._form.card = {
            "sign_in": {"address": told.address, "direct": told.direct, "code": told.code, "until": until}
        }
        self._form.stand("working", "Waiting for you to sign in …")

    def end(self) -> None:
        """Take the code away: somebody has signed in, or nobody will and may want to again."""
        if "sign_in" in self._form.card:
            self._form.card = {}
            self._form.set_button(SIGN_IN, hidden=False)
            self._form.set_button(CANCEL, hidden=True)

    def offer(self, error: BaseException | None) -> None:
        """Show the button where the error, or its cause, is that somebody has to sign in."""
        while error is not None and not isinstance(error, ExpiredCredentialsError):
            error = error.__cause__
        if error is not None and error.sign_in:
            self._form.set_button(SIGN_IN, hidden=False)

    def withdraw(self) -> None:
        """Hide the button: we are in."""
        if not self._form.buttons[SIGN_IN].get("hidden"):
            self._form.set_button(SIGN_IN, hidden=True)
