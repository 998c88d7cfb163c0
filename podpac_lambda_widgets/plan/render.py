"""A plan for people: as text, and as an HTML table. Everything that comes from outside is escaped."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping
from html import escape
from itertools import takewhile
from typing import Any

from podpac_lambda_widgets.plan.changes import Change, Difference, Plan, Refuse, Update

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


def difference_text(difference: Difference) -> str:
    """Old and new; of two mappings, only the entries that differ."""
    old, new = difference.old, difference.new
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return _old_and_new(old, new)
    changed = [key for key in (*old, *(key for key in new if key not in old)) if old.get(key) != new.get(key)]
    return ", ".join(f"{key} {_old_and_new(old.get(key, 'nothing'), new.get(key, 'nothing'))}" for key in changed)


def _old_and_new(old: Any, new: Any, width: int = 60) -> str:
    """Two values, long ones from shortly before the place where they part."""
    before, after = (value_text(value, sys.maxsize) for value in (old, new))
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
    start = max(0, same - 20) if max(len(before), len(after)) > width else 0
    return " → ".join(("…" if start else "") + value_text(text[start:], width) for text in (before, after))


def change_details(change: Change) -> list[str]:
    """Old and new of an update, or the note of any other change."""
    details = [change.note] if change.note else []
    if isinstance(change, Update):
        details += [f"{each.field}: {difference_text(each)}" for each in change.differences]
    if isinstance(change, Refuse):
        details.append(change.next_step)
    return details


def plan_text(plan: Plan) -> str:
    """The plan as lines of text, a sign and a resource each."""
    lines = [f"Plan to {plan.purpose} {plan.stack}: {plan.summary}"]
    for change in plan.changes:
        lines.append(f"  {change.sign} {change.action:<6} {change.resource}")
        lines += [f"           {detail}" for detail in change_details(change)]
    lines += plan_remarks(plan)
    return "\n".join(lines)


def plan_remarks(plan: Plan) -> list[str]:
    """What is to be said of the whole plan: how many calls, and the cost."""
    remarks = [f"{len(plan.calls)} AWS calls that write: {_counted_calls(plan)}"] if plan.calls else []
    return [*plan.warnings, *remarks, *([str(plan.idle_cost)] if plan.idle_cost else [])]


def _counted_calls(plan: Plan) -> str:
    counts = Counter(call.api for call in plan.calls)
    return ", ".join(f"{name} × {count}" if count > 1 else name for name, count in counts.items())


def plan_html(plan: Plan) -> str:
    """The plan as an HTML table that follows JupyterLab's theme."""
    rows = "".join(_row(change) for change in plan.changes)
    return (
        '<table class="plw-plan" style="border-collapse:collapse;width:100%;text-align:left">'
        f'<caption style="text-align:left;padding:4px 0">{escape(plan.summary.capitalize())}</caption>'
        '<thead><tr><th scope="col">Change</th><th scope="col">What</th><th scope="col">Name</th>'
        f'<th scope="col">Details</th></tr></thead><tbody>{rows}</tbody></table>{_remarks_html(plan)}'
    )


def _remarks_html(plan: Plan) -> str:
    said = [*plan.warnings, *([str(plan.idle_cost)] if plan.idle_cost else [])]
    cost = "".join(f'<p style="margin:4px 0">{escape(each)}</p>' for each in said)
    if not plan.calls:
        return cost
    items = "".join(f"<li>{escape(call.api)} <small>{escape(call.resource)}</small></li>" for call in plan.calls)
    return f"{cost}<details><summary>{len(plan.calls)} AWS calls that write</summary><ol>{items}</ol></details>"


def _row(change: Change) -> str:
    resource = change.resource
    details = "<br>".join(escape(detail) for detail in change_details(change))
    mark = f'<span style="color:{_COLOURS[change.action]};white-space:nowrap">{change.sign} {change.action}</span>'
    return (
        f'<tr><td style="text-align:left">{mark}</td><td style="text-align:left">{escape(resource.title)}</td>'
        f'<td style="text-align:left;overflow-wrap:anywhere">{escape(resource.short_name)}</td>'
        f'<td style="text-align:left;overflow-wrap:anywhere">{details}</td></tr>'
    )
