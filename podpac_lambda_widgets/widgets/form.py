"""A form, described as data: the front end draws it, the traits of a model stand behind its fields.

A form is a widget without a view of its own. :class:`~podpac_lambda_widgets.widgets.page.Page` draws one or several, so
that the script and the stylesheet are in a notebook once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import traitlets as tl

from podpac_lambda_widgets.errors import CancelledError, InvalidValueError, PodpacLambdaError
from podpac_lambda_widgets.secret import Secret
from podpac_lambda_widgets.widgets.cards import error_card, explain
from podpac_lambda_widgets.widgets.code import Code, join_code
from podpac_lambda_widgets.widgets.drawn import DrawnForm
from podpac_lambda_widgets.widgets.fields import label_of, problem_of, read_input, trait_choices, write_value
from podpac_lambda_widgets.widgets.worker import Task, Worker

T = TypeVar("T")


class UnusableFieldsError(InvalidValueError):
    """Fields hold what cannot be used; each says so itself."""


class Form(DrawnForm):
    """One step of the Studio: fields, buttons, a line that says how it stands, and what came out.

    Everything the front end shows is in the synced traits of :class:`DrawnForm`; it sends back four kinds of message:
    ``input`` (a field was changed), ``secret`` (the bytes of a secret field, as a buffer), ``action`` (a button was
    pressed) and ``code`` (what this form does is asked for as Python).

    Parameters
    ----------
    worker : Worker
        Runs what takes time. Forms on one page share it.
    """

    def __init__(self, worker: Worker, **traits: Any) -> None:
        self.worker = worker
        self._models: dict[str, tl.HasTraits] = {}
        self._secrets: dict[str, Secret | None] = {}
        #: Fields that show what was typed and not what their trait holds.
        self._mistyped: set[str] = set()
        self._actions: dict[str, Callable[[], None]] = {}
        #: Shows an error beside a field of another form; returns whether there is such a field.
        self.error_elsewhere: Callable[[InvalidValueError], bool] = lambda error: False
        #: Called with every error that is shown here.
        self.on_error: Callable[[PodpacLambdaError], None] = lambda error: None
        #: Gives what the forms before this one do, as code; :meth:`as_code` puts it first.
        self.code_before: Callable[[], Iterable[Code]] = tuple
        super().__init__(**traits)
        self.on_msg(self._receive)
        worker.on_task(self._follow_task)

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.note}"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        from podpac_lambda_widgets.widgets.page import Page

        return Page([self])._repr_mimebundle_(**kwargs)

    def _ipython_display_(self, **kwargs: Any) -> None:
        from podpac_lambda_widgets.widgets.page import Page

        Page([self])._ipython_display_(**kwargs)

    # What a subclass builds itself from

    def bind(self, model: tl.HasTraits, names: Iterable[str]) -> None:
        """Put the traits of a model behind the fields of the same name, both ways."""
        for name in names:
            self._models[name] = model
            self.set_field(name, value=write_value(getattr(model, name)), choices=trait_choices(model.traits()[name]))
            model.observe(self._show_trait, names=name)

    def add_secret(self, name: str) -> None:
        """Declare a secret field: what is typed there is kept as a :class:`Secret`, never as a trait."""
        self._secrets[name] = None
        self.set_field(name, value="")

    def on_action(self, name: str, handler: Callable[[], None], *, disabled: bool = False) -> None:
        """Have ``handler`` called when the button is pressed."""
        self._actions[name] = handler
        self.set_button(name, disabled=disabled)

    def has_secret(self, name: str) -> bool:
        """Whether a secret was typed and is not yet taken."""
        return self._secrets[name] is not None

    def take_secret(self, name: str) -> Secret | None:
        """The secret that was typed, once; it is forgotten here."""
        secret, self._secrets[name] = self._secrets[name], None
        self.set_field(name, note="")
        return secret

    # The same by code

    def write_code(self) -> Code:
        """This form's part of a program that does what the form does as it stands; never a secret in it.

        Raises
        ------
        InvalidValueError
            A field holds what cannot be used.
        """
        return Code(self.title)

    def as_code(self) -> str:
        """Python that does what this form does as it stands, and the forms before it: what Copy as code copies.

        A secret is never in it: it is asked for where the code runs.

        Raises
        ------
        InvalidValueError
            A field holds what cannot be used.
        """
        return join_code([*self.code_before(), self.write_code()])

    # What goes wrong

    @property
    def problems(self) -> list[str]:
        """Names of the fields whose trait does not hold what they show: it cannot be used."""
        return [name for name in self.fields if name in self._mistyped]

    def check_fields(self) -> None:
        """Raise UnusableFieldsError when a field shows something that cannot be used.

        What an earlier attempt said of a field is taken away: its cause may be gone, and this attempt will find out.
        """
        self._forget_field_errors()
        if self.problems:
            labels = ", ".join(label_of(self.blocks, name) for name in self.problems)
            raise UnusableFieldsError(f"Correct what is marked: {labels}", field=self.problems[0])

    def show_error(self, error: PodpacLambdaError) -> None:
        """Show an error beside the field it belongs to, else as a card."""
        self.on_error(error)
        if isinstance(error, CancelledError):
            self.stand("ready", "Stopped. Nothing further was changed.")
            return
        self.stand("failed", error.what)
        if isinstance(error, InvalidValueError) and error.field:
            if isinstance(error, UnusableFieldsError) or self.show_field_error(error):
                self.stand("failed", "Correct the marked field.")
                return
            self.error_elsewhere(error)
        self.card = error_card(error)

    def show_field_error(self, error: InvalidValueError) -> bool:
        """Show the error of an attempt beside its field, if this form has that field, until the next attempt."""
        if error.field not in self.fields:
            return False
        self.set_field(error.field, error=problem_of(error, label_of(self.blocks, error.field)))
        return True

    def forget_errors(self) -> None:
        """Take away the card and the steps of the last attempt."""
        self.card, self.steps = {}, []
        self._forget_field_errors()

    def _forget_field_errors(self) -> None:
        for name, state in self.fields.items():
            if state["error"] and name not in self._mistyped:
                self.set_field(name, error="")

    def _mark_mistyped(self, name: str, shown: object, error: Exception) -> None:
        self._mistyped.add(name)
        self.set_field(name, value=shown, error=problem_of(error, label_of(self.blocks, name)))

    def _show_held(self, name: str) -> None:
        self._mistyped.discard(name)
        self.set_field(name, value=write_value(getattr(self._models[name], name)), error="")

    # Work

    def start(
        self,
        doing: str,
        work: Callable[[Task], T],
        finished: Callable[[T], None],
        *,
        hide: Iterable[Secret] = (),
        quiet: bool = False,
    ) -> None:
        """Run ``work`` on the worker; ``finished`` gets its value, an error is shown here.

        Parameters
        ----------
        doing : str
            What is being done, as the line of this step says while it runs.
        hide : iterable of Secret
            Taken out of whatever error is shown.
        """

        def failed(error: BaseException) -> PodpacLambdaError:
            shown = explain(error, doing, hide)
            self._stop_steps(shown)
            self.show_error(shown)
            return shown

        self.worker.start(Task(doing, quiet=quiet), work, finished, failed)
        if not quiet:
            self.forget_errors()
            self.stand("working", f"{doing} …")

    def wait(self, timeout: float | None = None) -> None:
        """Wait for what was begun; see :meth:`Worker.wait`."""
        self.worker.wait(timeout)

    def _stop_steps(self, error: PodpacLambdaError) -> None:
        state = "stopped" if isinstance(error, CancelledError) else "failed"
        self.steps = [{**step, "state": state} if step["state"] == "working" else step for step in self.steps]

    def perform(self, name: str) -> None:
        """Do what a press of the button does; an error is shown where the person is looking."""
        self.perform_with(name, self._actions[name])

    def perform_with(self, name: str, do: Callable[[], object]) -> None:
        """Do something that the page asked for; an error is shown where the person is looking."""
        try:
            do()
        except Exception as error:  # noqa: BLE001 - the boundary of the front end: a message has nobody to raise to
            shown = explain(error, label_of(self.blocks, name))
            if self.worker.task is None:
                self.show_error(shown)
            else:
                self.card = error_card(shown)

    # The front end

    def describe_revival(self) -> dict[str, str]:
        """How a page with this form alone is made again after the kernel was restarted; empty where it cannot be."""
        return {}

    def shown(self) -> None:
        """Bring up to date what changes with time. Called when a page shows the form, and when it is used again."""

    def _receive(self, _: Any, content: Any, buffers: Sequence[Any]) -> None:
        # On whatever thread the kernel chose; see worker.py.
        if isinstance(content, Mapping):
            self.worker.call(functools.partial(self._answer_page, content, buffers))

    def _answer_page(self, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        # One message back, however many traits have changed meanwhile: a page that draws each change falls behind.
        with self.hold_sync():
            name = str(content.get("name") or content.get("type") or "A message")
            self.perform_with(name, lambda: self.handle_message(content, buffers))

    def handle_message(self, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        """Handle one message of the front end. A name that does not exist is no request of ours, and ignored."""
        kind, name = content.get("type"), str(content.get("name", ""))
        if kind == "input" and name in self._models:
            self.enter(name, content.get("value"))
        elif kind == "secret" and name in self._secrets and buffers:
            self._keep_secret(name, Secret(bytes(buffers[0]).decode(errors="replace").strip()))
        elif kind == "action" and name in self._actions:
            self.perform(name)
        elif kind == "code":
            # Only the view that asked shows it. Not a trait: what is not looked at is in no saved notebook.
            self.send({"type": "code", "view": content.get("view"), **answer_with_code(self.as_code)})

    def enter(self, name: str, typed: object) -> None:
        """Do what typing into a field does: the model gets the value, or the field says why not and keeps it."""
        model = self._models[name]
        try:
            setattr(model, name, read_input(model.traits()[name], typed))
        except (tl.TraitError, InvalidValueError) as error:
            self._mark_mistyped(name, write_value(typed), error)
        else:
            self._show_held(name)

    def _keep_secret(self, name: str, secret: Secret) -> None:
        self._secrets[name] = secret if secret else None
        self.set_field(name, error="", note="Held by the kernel until you connect." if secret else "")

    def _show_trait(self, change: Any) -> None:
        self._show_held(change["name"])

    def _follow_task(self, task: Task | None) -> None:
        self.locked = task is not None
        if task is not None:
            # Also where another form's attempt left an error here.
            self._forget_field_errors()


def answer_with_code(as_code: Callable[[], str]) -> dict[str, str]:
    """What the front end is told when it asks for code: the code, or why there is none."""
    try:
        return {"code": as_code()}
    except Exception as error:  # noqa: BLE001 - the boundary of the front end: a message has nobody to raise to
        shown = explain(error, "Writing the code")
        return {"error": " ".join(part.rstrip(".") + "." for part in (shown.what, shown.why, shown.next_step) if part)}
