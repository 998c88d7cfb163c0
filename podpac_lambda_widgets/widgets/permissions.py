"""Whether deploying is permitted, asked of AWS in the background, and what is missing by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import traitlets as tl

from podpac_lambda_widgets.widgets.cards import explain
from podpac_lambda_widgets.widgets.credentials_fields import permissions_card, permissions_in_words
from podpac_lambda_widgets.widgets.worker import Task

if TYPE_CHECKING:
    from podpac_lambda_widgets.widgets.backend import StackActions
    from podpac_lambda_widgets.widgets.form import Form

_TERM = "Permissions"
#: How the traits begin that are a wish.
_WISHED = ("function_", "adopt")


class Permissions:
    """Asks what is permitted, and has it shown by a form: as one of its facts and, where something is missing, a card.

    Parameters
    ----------
    form : Form
    """

    def __init__(self, form: Form) -> None:
        self._form = form
        #: Gives the stack that is to be deployed, or raises what is missing; None where nothing is to be.
        self.stack: Callable[[], StackActions] | None = None
        #: What the form's card was last told from here.
        self._card: dict[str, Any] = {}
        #: In words; empty until AWS has said so.
        self.said = ""
        #: Tells the last question from those before it, whose answers are of no use any more.
        self._asked = 0
        #: The question that AWS has not answered yet; 0 for none. And whether the wish has changed since.
        self._open, self._changed = 0, False

    def ask_for(self, stack: Callable[[], StackActions], *wishes: tl.HasTraits) -> None:
        """Ask for this stack from now on, and again when what is wished changes.

        Parameters
        ----------
        stack : callable
            Gives it as it is wished by then, or raises what is missing.
        *wishes : HasTraits
            The models that it is made of.
        """
        self.stack = stack
        for wish in wishes:
            # A Lambda has more traits than a wish has, and some of them change with every run.
            wish.observe(self.follow_wish, names=[name for name in wish.trait_names() if name.startswith(_WISHED)])
        self.follow_wish()

    @property
    def fact(self) -> list[list[str]]:
        """What is known, as facts of the form: one or none."""
        return [[_TERM, self.said]] if self.said else []

    def forget(self) -> None:
        """We are somewhere else, or somebody else."""
        self._asked += 1
        self._open, self._changed = 0, False
        self.said = ""

    def follow_wish(self, change: Any = None) -> None:
        """Ask again, where there is an answer that another wish has got; once, however much of it changes meanwhile."""
        if self._open:
            self._changed = True
        elif self.said:
            self.ask()

    def ask(self) -> None:
        """Ask AWS in the background."""
        if self.stack is None:
            return
        stack = self.stack()
        self._asked += 1
        asked = self._open = self._asked

        def ask(task: Task) -> tuple[str, tuple[str, ...], str]:
            try:
                missing = stack.missing_for("deploy")
                policy = json.dumps(stack.policy_for("deploy"), indent=2) if missing else ""
            except Exception as error:  # noqa: BLE001 - whatever it is, it is said and harms nothing else
                return f"Could not be asked: {explain(error, 'Asking').what}", (), ""
            return permissions_in_words(missing), missing or (), policy

        self._form.start("Ask what is permitted", ask, lambda answer: self._show(asked, *answer), quiet=True)

    def _show(self, asked: int, said: str, missing: tuple[str, ...], policy: str) -> None:
        if asked != self._asked:
            return
        self._open = 0
        if self._changed:
            self._changed = False
            self.ask()
            return
        self.said = said
        self._form.facts = [*(fact for fact in self._form.facts if fact[0] != _TERM), *self.fact]
        shown, self._card = self._card, permissions_card(missing, policy) if missing else {}
        # Whatever else the form tells is not for us to take away.
        if self._form.standing == "done" and self._form.card in (shown, {}):
            self._form.card = self._card
