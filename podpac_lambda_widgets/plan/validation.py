"""What is wrong with a stack, resource by resource."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from podpac_lambda_widgets.plan.changes import Change, Create, Delete, Keep, Plan, Refuse, Update
from podpac_lambda_widgets.plan.render import difference_text


@dataclass(frozen=True)
class Validation:
    """Whether a stack is as it was wished; true when it is.

    Parameters
    ----------
    plan : Plan
        What a build would do.
    """

    plan: Plan

    def __bool__(self) -> bool:
        return self.plan.is_empty

    @property
    def problems(self) -> dict[str, tuple[str, ...]]:
        """What is wrong with each resource that is not as it should be."""
        return {str(change.resource): _problems(change) for change in self.plan.changes if not isinstance(change, Keep)}

    def __str__(self) -> str:
        if self:
            return f"{self.plan.stack} is as it should be"
        return "\n".join(f"{resource}: {'; '.join(found)}" for resource, found in self.problems.items())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [
            (change.resource, ("as it should be",) if isinstance(change, Keep) else _problems(change))
            for change in self.plan.changes
        ]
        body = "".join(
            f'<tr><td style="text-align:left">{escape(resource.title)}</td>'
            f'<td style="text-align:left;overflow-wrap:anywhere">{escape(resource.short_name)}</td>'
            f'<td style="text-align:left;overflow-wrap:anywhere">{_lines(found)}</td></tr>'
            for resource, found in rows
        )
        verdict = (
            "as it should be" if self else f"{len(self.problems)} of {len(rows)} resources are not as they should be"
        )
        return (
            f'<table><caption style="text-align:left">{escape(self.plan.stack)}: {escape(verdict)}</caption>'
            '<thead><tr><th scope="col">What</th><th scope="col">Name</th><th scope="col">State</th></tr></thead>'
            f"<tbody>{body}</tbody></table>"
        )


def _lines(texts: tuple[str, ...]) -> str:
    return "<br>".join(escape(text) for text in texts)


def _problems(change: Change) -> tuple[str, ...]:
    match change:
        case Create():
            return ("is missing",)
        case Update():
            return tuple(f"{each.field}: {difference_text(each)}" for each in change.differences)
        case Delete():
            return ("is there, and is not wanted any more",)
        case Refuse():
            return (change.note,)
    return ()
