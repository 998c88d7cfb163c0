"""Deploy: what is to exist in AWS, what would change, and the change itself."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from podpac_lambda_widgets.errors import (
    ConfirmationRequiredError,
    InvalidValueError,
    PlanOutdatedError,
    PlanRefusedError,
    PodpacLambdaError,
)
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.widgets import deploy_fields
from podpac_lambda_widgets.widgets.backend import Connection, StackActions
from podpac_lambda_widgets.widgets.code import Code
from podpac_lambda_widgets.widgets.form import Form
from podpac_lambda_widgets.widgets.plan_view import (
    OUTDATED_CARD,
    deletion_question,
    plan_table,
    step_of,
    waiting_steps,
)
from podpac_lambda_widgets.widgets.policy_at_hand import PolicyAtHand
from podpac_lambda_widgets.widgets.stack_light import StackLight
from podpac_lambda_widgets.widgets.worker import Task, Worker

if TYPE_CHECKING:
    from podpac_lambda_widgets.engine.events import Event
    from podpac_lambda_widgets.plan.changes import Plan
    from podpac_lambda_widgets.plan.permissions import Purpose


class DeployForm(Form):
    """Plans, builds and deletes the function and what belongs to it.

    Parameters
    ----------
    worker : Worker
        Runs what takes time.
    deployment : Deployment
        The model behind the fields.
    stack : callable
        Gives the stack of the present connection, or raises what is missing.
    connection : callable
        Gives the present connection, if there is one.
    """

    def __init__(
        self,
        worker: Worker,
        deployment: Deployment,
        stack: Callable[[], StackActions],
        connection: Callable[[], Connection | None],
    ) -> None:
        self.deployment = deployment
        self.confirmation = deploy_fields.Confirmation()
        self._policy = PolicyAtHand(worker)
        self._stack, self._connection = stack, connection
        #: The plan that is shown, while it is true.
        self.current_plan: Plan | None = None
        #: What made that plan, or is making it: the wish, the archives and the account as they were then.
        self._planned_with: StackActions | None = None
        #: Told whether the function is there, whenever AWS has said so.
        self.on_change: Callable[[bool], None] = lambda exists: None
        #: The arguments of ``Lambda`` that say where the archives are, as keyword and expression.
        self.source_arguments: Callable[[], Mapping[str, str]] = dict
        super().__init__(
            worker,
            title="Deploy",
            purpose="Plan shows every change first. What is not ours stays as it is.",
            icon="cloud",
            blocks=deploy_fields.deploy_layout(deployment, self.confirmation),
        )
        self.bind(deployment, deploy_fields.TRAITS)
        self.bind(self.confirmation, self.confirmation.trait_names())
        self.set_choices("function_triggers", deploy_fields.trigger_choices())
        self.on_action("plan", self.plan)
        self.on_action("build", self.build, disabled=True)
        self.on_action("delete", self.delete)
        self.on_action("really_delete", self.really_delete)
        self.on_action("keep", self.keep)
        self.light_switch = StackLight(self, stack, lambda exists: self.on_change(exists))
        self.on_action("look", self.light_switch.look)
        self.on_action("stop", worker.cancel)
        self.set_button("stop", hidden=True, stops=True)
        deployment.observe(self._wish_changed)
        self._wish = deploy_fields.WishFields(self, deployment, connection)
        self._wish.show()
        self.stand("waiting", "Connect first")

    def plan(self) -> None:
        """Do what the Plan button does."""
        self._ask("")
        self.check_fields()
        stack = self._stack()
        self.outdate()
        self._compare_with_aws("Comparing with AWS", stack, "deploy", stack.plan)

    def build(self) -> None:
        """Do what the Build button does: apply the plan that is shown; if it is no longer true, show the new one."""
        self.check_fields()
        shown, stack = self.current_plan, self._planned_with
        if shown is None or stack is None or shown.purpose != "build":
            raise InvalidValueError("There is no plan to build", next_step="Press Plan first, and look at it.")
        if shown.refusals:
            raise PlanRefusedError(
                "This plan cannot be built", next_step="Read what it refuses, and choose other names."
            )

        def work(task: Task) -> Callable[[], None]:
            try:
                done = stack.build(self._listen, task.cancelled, expected=shown)
            except PlanOutdatedError:
                now = stack.plan()
                return lambda: self._ask_again(stack, now)
            return lambda: self._built(done)

        self._begin("Building", stack, "deploy", work)

    def delete(self) -> None:
        """Do what the Delete button does: show what would go, and ask."""
        self.check_fields()
        stack = self._stack()
        self.outdate()
        self._compare_with_aws("Looking for what is ours", stack, "destroy", stack.plan_delete)

    def really_delete(self) -> None:
        """Do what the Really delete button does; if something else would go by now, ask again.

        Where results would be lost, the function's name has to be in ``confirmation.confirmation``.
        """
        shown, stack = self.current_plan, self._planned_with
        if shown is None or stack is None or shown.purpose != "delete":
            raise InvalidValueError(
                "Nobody asked to delete", next_step="Press Delete first, and look at what would go."
            )

        confirm = self.confirmation.answer(shown, self.deployment.function_name)

        def work(task: Task) -> Callable[[], None]:
            try:
                done = stack.delete(confirm=confirm, listener=self._listen, cancelled=task.cancelled, expected=shown)
            # Results that have come meanwhile ask for more than was confirmed.
            except (PlanOutdatedError, ConfirmationRequiredError):
                now = stack.plan_delete()
                return lambda: self._ask_again(stack, now)
            return lambda: self._deleted(done)

        self._begin("Deleting", stack, "destroy", work)

    def keep(self) -> None:
        """Do what the Keep it button does: nothing."""
        self.outdate()
        self.stand("ready", "Nothing was deleted")

    def write_code(self) -> Code:
        """The function as it is wished, its plan, and building it."""
        self.check_fields()
        return Code(self.title, deploy_fields.deploy_lines(self.deployment, self.source_arguments()))

    def outdate(self) -> None:
        """Forget the plan that is shown: the wish, the archives or the account are others now."""
        if self.current_plan is not None and self.standing not in ("waiting", "working"):
            self.stand("ready", "Changed since the plan")
        self._forget_plan()

    def _forget_plan(self) -> None:
        self.current_plan = self._planned_with = None
        self._ask("")
        self.table = {}
        self.set_button("build", disabled=True)

    def enter(self, name: str, typed: object) -> None:
        """Do what typing into a field does."""
        super().enter(name, typed)
        self._wish.entered(name)

    def show_error(self, error: PodpacLambdaError) -> None:
        """Show an error; where AWS denies something, with the policy that would permit it.

        What was done before the error may have changed what there is.
        """
        super().show_error(error)
        self.card = self._policy.add_to(self.card, error)
        if not isinstance(error, InvalidValueError):
            self.light_switch.look()

    def follow_connection(self) -> None:
        """Begin anew in another account, or with other credentials."""
        self.outdate()
        self._wish.show()
        self.forget_errors()
        self.light_switch.look()

    def shown(self) -> None:
        """Ask AWS again what there is, if it was asked a while ago."""
        self.light_switch.refresh()

    def _wish_changed(self, change: Any) -> None:
        self.outdate()
        self._wish.show()
        if change["name"] == "function_name":
            self.light_switch.look()

    def _compare_with_aws(self, doing: str, stack: StackActions, purpose: Purpose, work: Callable[[], Plan]) -> None:
        finished = functools.partial(self._planned, stack)
        self.start(doing, lambda task: self._policy.permitted(stack, purpose, work), finished)
        self._policy.forget()
        self._planned_with = stack

    def _begin(
        self, doing: str, stack: StackActions, purpose: Purpose, work: Callable[[Task], Callable[[], None]]
    ) -> None:
        self.start(doing, lambda task: self._policy.permitted(stack, purpose, lambda: work(task)), lambda show: show())
        self._policy.forget()
        self._forget_plan()
        self._planned_with = stack
        self.set_button("stop", hidden=False)

    def _ask_again(self, stack: StackActions, plan: Plan) -> None:
        self._planned(stack, plan)
        if self.current_plan is plan:
            self.card = dict(OUTDATED_CARD)

    def _planned(self, stack: StackActions, plan: Plan) -> None:
        if self._planned_with is not stack:
            self.stand("ready", "Changed during the comparison: press Plan")
            return
        if plan.purpose == "delete":
            self._show_deletion(plan)
        else:
            self._show_plan(plan)

    def _show_plan(self, plan: Plan) -> None:
        self._show_table(plan)
        self.set_button("build", disabled=bool(plan.refusals) or plan.is_empty)
        if plan.refusals:
            self.stand("failed", "This plan touches what is not ours")
        elif plan.is_empty:
            self.stand("done", "Up to date")
            self.light_switch.look()
        else:
            self.stand("ready", f"{len(plan.writes)} changes planned: press Build")

    def _show_table(self, plan: Plan) -> None:
        connection = self._connection()
        self.current_plan = plan
        self.table = plan_table(plan, embedded=connection is not None and connection.embedded)

    def _built(self, plan: Plan) -> None:
        self.stand("done", f"{plan.stack} is ready")
        self.light_switch.look()

    def _show_deletion(self, plan: Plan) -> None:
        self._show_table(plan)
        if plan.refusals:
            self.stand("failed", "Something there is not ours")
        elif plan.writes:
            self._ask(deletion_question(plan, self.deployment.function_name), typed=plan.asks_for_name)
            self.stand("ready", "Waiting for your word")
        else:
            self.stand("ready", "There is nothing to delete")

    def _ask(self, question: str, *, typed: bool = False) -> None:
        self.confirmation.confirmation = ""
        # Before the question: what is hidden cannot have the focus.
        self.set_field("confirmation", hidden=not typed, error="")
        self.question = question

    def _deleted(self, plan: Plan) -> None:
        self.stand("ready", "Deleted: nothing of it is left")
        self.light_switch.look()

    def _listen(self, event: Event) -> None:
        self.worker.post(lambda: self._show_event(event))

    def _show_event(self, event: Event) -> None:
        from podpac_lambda_widgets.engine.events import PlanStarted

        if isinstance(event, PlanStarted):
            self.steps = waiting_steps(event.plan)
        elif step := step_of(event):
            self.set_step(**step)

    def _follow_task(self, task: Task | None) -> None:
        super()._follow_task(task)
        if task is None:
            self.set_button("stop", hidden=True)
