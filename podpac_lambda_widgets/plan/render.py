"""A plan for people: as text, and as an HTML table. Everything that comes from outside is escaped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from podpac_lambda_widgets.plan.changes import Change, Plan, Refuse, Update

_COLOURS = {
    "create": "var(--jp-success-color1, #2e7d32)",
    "update": "var(--jp-warn-color1, #b26a00)",
    "delete": "var(--jp-error-color1, #c62828)",
    "refuse": "var(--jp-error-color1, #c62828)",
    "keep": "var(--jp-ui-font-color2, #616161)",
}


def value_text(value: Any, width: int = 60) -> str:
    """A field's value in at most ``width`` characters."""
    if isinstance(value, Mapping | list | tuple):
        value = json.dumps(value, default=str, sort_keys=True)
    text = str(value)
    return text if len(text) <= width else text[: width - 1] + "…"


def change_details(change: Change) -> list[str]:
    """Old and new of an update, or the note of any other change."""
    details = [change.note] if change.note else []
    if isinstance(change, Update):
        details += [f"{d.field}: {value_text(d.old)} → {value_text(d.new)}" for d in change.differences]
    if isinstance(change, Refuse):
        details.append(change.next_step)
    return details


def plan_text(plan: Plan) -> str:
    """The plan as lines of text, a sign and a resource each."""
    lines = [f"Plan to {plan.purpose} {plan.stack}: {plan.summary}"]
    for change in plan.changes:
        lines.append(f"  {change.sign} {change.action:<6} {change.resource}")
        lines += [f"           {detail}" for detail in change_details(change)]
    return "\n".join(lines)


def plan_html(plan: Plan) -> str:
    """The plan as an HTML table that follows JupyterLab's theme."""
    rows = "".join(_row(change) for change in plan.changes)
    return (
        '<table class="plw-plan" style="border-collapse:collapse;width:100%;text-align:left">'
        f'<caption style="text-align:left;padding:4px 0">{escape(plan.summary.capitalize())}</caption>'
        '<thead><tr><th scope="col">Change</th><th scope="col">What</th><th scope="col">Name</th>'
        f'<th scope="col">Details</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _row(change: Change) -> str:
    resource = change.resource
    details = "<br>".join(escape(detail) for detail in change_details(change))
    mark = f'<span style="color:{_COLOURS[change.action]};white-space:nowrap">{change.sign} {change.action}</span>'
    return (
        f'<tr><td style="text-align:left">{mark}</td><td style="text-align:left">{escape(resource.title)}</td>'
        f'<td style="text-align:left;overflow-wrap:anywhere">{escape(resource.short_name)}</td>'
        f'<td style="text-align:left;overflow-wrap:anywhere">{details}</td></tr>'
    )
