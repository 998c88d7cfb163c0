"""Deploy: what is to exist in AWS, what would change, and the change itself."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from podpac_lambda_widgets.errors import InvalidValueError, PlanRefusedError
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.widgets.backend import Connection, StackActions
from podpac_lambda_widgets.widgets.fields import action, actions, describe_field, group
from podpac_lambda_widgets.widgets.form import Form
from podpac_lambda_widgets.widgets.worker import Task, Worker

if TYPE_CHECKING:
    from podpac_lambda_widgets.engine.events import Event
    from podpac_lambda_widgets.plan.changes import Change, Plan

_NAMES = ("function_name", "function_role_name", "function_s3_bucket")
_SIZES = ("function_memory", "function_timeout")


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
        self._stack, self._connection = stack, connection
        #: The plan that is shown, while it is true.
        self.current_plan: Plan | None = None
        #: What made that plan, or is making it: the wish, the archives and the account as they were then.
        self._planned_with: StackActions | None = None
        #: Called when something was built or deleted.
        self.on_change: Callable[[bool], None] = lambda exists: None
        super().__init__(
            worker,
            title="Deploy",
            purpose="Plan shows every change first. What is not ours stays as it is.",
            icon="cloud",
            blocks=self._layout(),
        )
        self.bind(deployment, (*_NAMES, *_SIZES))
        self.on_action("plan", self.plan)
        self.on_action("build", self.build, disabled=True)
        self.on_action("delete", self.delete)
        self.on_action("really_delete", self.really_delete)
        self.on_action("keep", self.keep)
        self.on_action("stop", worker.cancel)
        self.set_button("stop", hidden=True, stops=True)
        deployment.observe(lambda change: self._wish_changed())
        self.show_made_names()
        self.stand("waiting", "Connect first")

    def _layout(self) -> list[dict[str, Any]]:
        return [
            {"block": "card"},
            group("", [describe_field(self.deployment, name, span=4) for name in _NAMES]),
            group("", [describe_field(self.deployment, name, span=4, narrow=6) for name in _SIZES]),
            actions(
                action("plan", "Plan"),
                action("build", "Build", "primary"),
                action("stop", "Stop after this change", "quiet", "stop"),
                action("delete", "Delete", "danger", "trash"),
            ),
            {
                "block": "question",
                "actions": [action("really_delete", "Really delete", "danger", "trash"), action("keep", "Keep it")],
            },
            {"block": "steps"},
            {"block": "table"},
        ]

    def plan(self) -> None:
        """Do what the Plan button does."""
        self.question = ""
        self.check_fields()
        stack = self._stack()
        self.outdate()
        self.start("Comparing with AWS", lambda task: stack.plan(), functools.partial(self._planned, stack))
        self._planned_with = stack

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
            now = stack.plan()
            if not _writes_the_same(now, shown):
                return lambda: self._ask_again(stack, now)
            done = stack.build(self._listen, task.cancelled)
            return lambda: self._built(done)

        self._begin("Building", stack, work)

    def delete(self) -> None:
        """Do what the Delete button does: show what would go, and ask."""
        self.check_fields()
        stack = self._stack()
        self.outdate()
        finished = functools.partial(self._planned, stack)
        self.start("Looking for what is ours", lambda task: stack.plan_delete(), finished)
        self._planned_with = stack

    def really_delete(self) -> None:
        """Do what the Really delete button does; if something else would go by now, ask again."""
        shown, stack = self.current_plan, self._planned_with
        if shown is None or stack is None or shown.purpose != "delete":
            raise InvalidValueError(
                "Nobody asked to delete", next_step="Press Delete first, and look at what would go."
            )

        def work(task: Task) -> Callable[[], None]:
            now = stack.plan_delete()
            if not _writes_the_same(now, shown):
                return lambda: self._ask_again(stack, now)
            done = stack.delete(confirm=True, listener=self._listen, cancelled=task.cancelled)
            return lambda: self._deleted(done)

        self._begin("Deleting", stack, work)

    def keep(self) -> None:
        """Do what the Keep it button does: nothing."""
        self.outdate()
        self.stand("ready", "Nothing was deleted")

    def outdate(self) -> None:
        """Forget the plan that is shown: the wish, the archives or the account are others now."""
        if self.current_plan is not None and self.standing not in ("waiting", "working"):
            self.stand("ready", "Changed since the plan")
        self._forget_plan()

    def _forget_plan(self) -> None:
        self.current_plan = self._planned_with = None
        self.question = ""
        self.table = {}
        self.set_button("build", disabled=True)

    def show_made_names(self) -> None:
        """Show, in the fields that are left empty, the names that will be made."""
        connection = self._connection()
        if connection is not None:
            identity = connection.identity
            self.set_field("function_role_name", placeholder=self.deployment.role_name(identity.region))
            made = self.deployment.bucket_name(identity.account, identity.region)
            self.set_field("function_s3_bucket", placeholder=made)

    def _wish_changed(self) -> None:
        self.outdate()
        self.show_made_names()

    def _begin(self, doing: str, stack: StackActions, work: Callable[[Task], Callable[[], None]]) -> None:
        self.start(doing, work, lambda show: show())
        self._forget_plan()
        self._planned_with = stack
        self.set_button("stop", hidden=False)

    def _ask_again(self, stack: StackActions, plan: Plan) -> None:
        self._planned(stack, plan)
        if self.current_plan is plan:
            self.card = {
                "tone": "info",
                "what": "Nothing was done: something has changed since the plan",
                "why": "Below is what would be done now.",
                "next_step": "Look at it, and press again if you agree.",
                "details": "",
            }

    def _planned(self, stack: StackActions, plan: Plan) -> None:
        if self._planned_with is not stack:
            self.stand("ready", "Changed during the comparison: press Plan")
            return
        if plan.purpose == "delete":
            self._show_deletion(plan)
        else:
            self._show_plan(plan)

    def _show_plan(self, plan: Plan) -> None:
        self.current_plan = plan
        self.table = plan_table(plan)
        self.set_button("build", disabled=bool(plan.refusals) or plan.is_empty)
        if plan.refusals:
            self.stand("failed", "This plan touches what is not ours")
        elif plan.is_empty:
            self.stand("done", "Up to date")
            self.on_change(True)
        else:
            self.stand("ready", f"{len(plan.writes)} changes planned: press Build")

    def _built(self, plan: Plan) -> None:
        self.stand("done", f"{plan.stack} is ready")
        self.on_change(True)

    def _show_deletion(self, plan: Plan) -> None:
        self.current_plan = plan
        self.table = plan_table(plan)
        if plan.refusals:
            self.stand("failed", "Something there is not ours")
        elif plan.writes:
            self.question = (
                f"Delete {len(plan.writes)} resources of {self.deployment.function_name}? "
                "Results kept in its bucket go with it."
            )
            self.stand("ready", "Waiting for your word")
        else:
            self.stand("ready", "There is nothing to delete")

    def _deleted(self, plan: Plan) -> None:
        self.stand("ready", "Deleted: nothing of it is left")
        self.on_change(False)

    def _listen(self, event: Event) -> None:
        self.worker.post(lambda: self._show_event(event))

    def _show_event(self, event: Event) -> None:
        from podpac_lambda_widgets.engine import events

        match event:
            case events.PlanStarted(plan=plan):
                self.steps = [
                    {"key": str(change.resource), "text": _deed(change), "state": "waiting"} for change in plan.writes
                ]
            case events.ChangeStarted(change=change):
                self.set_step(_deed(change), "working", key=str(change.resource))
            case events.ChangeProgressed(change=change, done=done, total=total, unit=unit):
                self.set_step(
                    _deed(change), "working", key=str(change.resource), done=done, total=total,
                    detail=_count(done, total, unit),
                )  # fmt: skip
            case events.ChangeApplied(change=change, seconds=seconds):
                self.set_step(_deed(change), "done", key=str(change.resource), detail=f"{seconds:.1f} s")
            case events.ChangeFailed(change=change):
                self.set_step(_deed(change), "failed", key=str(change.resource), detail="")

    def _follow_task(self, task: Task | None) -> None:
        super()._follow_task(task)
        if task is None:
            self.set_button("stop", hidden=True)


def _writes_the_same(one: Plan, other: Plan) -> bool:
    return (one.writes, one.refusals) == (other.writes, other.refusals)


def plan_table(plan: Plan) -> dict[str, Any]:
    """A plan as the front end draws tables: rows of text, with a sign beside each colour."""
    from podpac_lambda_widgets.plan.render import change_details

    rows = [
        {
            "tone": change.action,
            "cells": [
                f"{change.sign} {change.action}",
                getattr(change.resource, "title", "") or change.resource.kind,
                change.resource.name,
                change_details(change),
            ],
        }
        for change in plan.changes
    ]
    columns = ["Change", "What", "Name", "Details"]
    if not any(row["cells"][-1] for row in rows):
        columns = columns[:-1]
        rows = [{**row, "cells": row["cells"][:-1]} for row in rows]
    return {"caption": plan.summary[:1].upper() + plan.summary[1:], "columns": columns, "rows": rows}


def _deed(change: Change) -> str:
    resource = change.resource
    kind = getattr(resource, "title", "") or resource.kind
    # The last part of an object's key says which one; the whole key is in the plan.
    name = resource.name.rpartition("/")[2] if resource.kind == "object" else resource.name
    return f"{change.action.capitalize()} {kind} {name}"


def _count(done: int, total: int, unit: str) -> str:
    if unit == "bytes":
        return f"{done / 1e6:,.1f} of {total / 1e6:,.1f} MB"
    return f"{done:,} of {total:,} {unit}"
