"""A plan, and its changes while they are made, as the front end draws them. Plain text throughout."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from podpac_lambda_widgets.engine.events import Event
    from podpac_lambda_widgets.plan.changes import Change, Plan

#: What a form says when it shows another plan than the one that somebody agreed to.
OUTDATED_CARD = {
    "tone": "info",
    "what": "Nothing was done: something has changed since the plan",
    "why": "Below is what would be done now.",
    "next_step": "Look at it, and press again if you agree.",
    "details": "",
}


def plan_table(plan: Plan, *, embedded: bool = False) -> dict[str, Any]:
    """A plan as the front end draws tables: rows of text, with a sign beside each colour.

    Of a plan for the ``embedded`` AWS what holds for AWS itself only is not said.

    Below it the idle cost and, folded, the calls that write: :meth:`Plan.idle_cost`, :meth:`Plan.calls`.
    """
    from podpac_lambda_widgets.plan.difference import ON_AWS
    from podpac_lambda_widgets.plan.render import change_details

    rows = [
        {
            "tone": change.action,
            "cells": [
                f"{change.sign} {change.action}",
                change.resource.title,
                change.resource.short_name,
                [each for each in change_details(change) if not (embedded and each.startswith(ON_AWS))],
            ],
        }
        for change in plan.changes
    ]
    columns = ["Change", "What", "Name", "Details"]
    if not any(row["cells"][-1] for row in rows):
        columns = columns[:-1]
        rows = [{**row, "cells": row["cells"][:-1]} for row in rows]
    return {
        "caption": plan.summary[:1].upper() + plan.summary[1:],
        "columns": columns,
        "rows": rows,
        "remark": str(plan.idle_cost or ""),
        "calls": plan_calls(plan),
    }


def plan_calls(plan: Plan) -> dict[str, Any]:
    """The calls of a plan that will write: how many, and which, those that follow each other as one line."""
    calls = plan.calls
    if not calls:
        return {}
    # The calls that hold the stack are made to a log group: to a person, and to AWS's trail, they are calls of logs.
    runs = itertools.groupby((call.api, call.resource) for call in calls)
    lines = []
    for (operation, resource), run in runs:
        count = len(list(run))
        lines.append([f"{operation} × {count}" if count > 1 else operation, resource])
    return {"summary": f"{len(calls)} AWS calls that write", "lines": lines}


def deletion_question(plan: Plan, function_name: str) -> str:
    """What is asked before a plan takes something away."""
    count, results, others = len(plan.writes), plan.results, plan.others_objects
    question = f"Delete {count} resource{'s' if count > 1 else ''} of {function_name}?"
    if results:
        kept = "1 result is" if results == 1 else f"{results:,} results are"
        question += f" {kept} in its bucket and nowhere else, and would be lost."
    if others:
        theirs = "1 object" if others == 1 else f"{others:,} objects"
        question += f" Its bucket stays, for it holds {theirs} that somebody else has stored there."
    return question


def waiting_steps(plan: Plan) -> list[dict[str, Any]]:
    """The changes that will write, as steps that have not begun."""
    return [{"key": str(change.resource), "text": _deed(change), "state": "waiting"} for change in plan.writes]


def step_of(event: Event) -> dict[str, Any] | None:
    """The step of one change as an event leaves it: arguments of :meth:`Form.set_step`; None for other events."""
    from podpac_lambda_widgets.engine import events

    match event:
        case events.ChangeStarted(change=change):
            return _step(change, "working")
        case events.ChangeProgressed(change=change, done=done, total=total, unit=unit):
            return _step(change, "working", done=done, total=total, detail=_count(done, total, unit))
        case events.ChangeApplied(change=change, seconds=seconds):
            return _step(change, "done", detail=f"{seconds:.1f} s")
        case events.ChangeFailed(change=change):
            return _step(change, "failed", detail="")
    return None


def _step(change: Change, state: str, **more: Any) -> dict[str, Any]:
    return {"key": str(change.resource), "text": _deed(change), "state": state, **more}


def _deed(change: Change) -> str:
    return f"{change.action.capitalize()} {change.resource.title} {change.resource.short_name}"


def _count(done: int, total: int, unit: str) -> str:
    if unit == "bytes":
        return f"{done / 1e6:,.1f} of {total / 1e6:,.1f} MB"
    return f"{done:,} of {total:,} {unit}"
