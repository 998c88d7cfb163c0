"""What there is of a stack, for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from podpac_lambda_widgets.plan.account import Identity
from podpac_lambda_widgets.plan.render import value_text
from podpac_lambda_widgets.plan.resources import Observed, Resource


@dataclass(frozen=True)
class Description:
    """A stack as the account has it.

    Parameters
    ----------
    stack : str
        Whose resources were looked for.
    identity : Identity
        Who looked, and where.
    resources : tuple of (Resource, Observed or None)
        What was looked for by name, and what was found.
    """

    stack: str
    identity: Identity
    resources: tuple[tuple[Resource, Observed | None], ...]

    def rows(self) -> list[tuple[str, str, str]]:
        """Kind, name and state of every resource."""
        return [(named.kind, named.name, self._state(found)) for named, found in self.resources]

    def _state(self, found: Observed | None) -> str:
        if found is None:
            return "not there"
        if found.stack != self.stack:
            return "not ours"
        facts = []
        for name, value in found.resource.managed_fields():
            if value and not isinstance(value, Mapping) and name not in ("code_sha256", "role", "description"):
                facts.append(f"{name.replace('_', ' ')}: {value_text(value, 30)}")
        return ", ".join(facts) or "there"

    def __str__(self) -> str:
        head = f"{self.stack} in account {self.identity.account}, {self.identity.region}"
        return "\n".join([head, *(f"  {kind:<10} {name}: {state}" for kind, name, state in self.rows())])

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><td style="text-align:left">{escape(kind)}</td>'
            f'<td style="text-align:left;overflow-wrap:anywhere">{escape(name)}</td>'
            f'<td style="text-align:left">{escape(state)}</td></tr>'
            for kind, name, state in self.rows()
        )
        caption = escape(f"{self.stack} in account {self.identity.account}, {self.identity.region}")
        return (
            f'<table><caption style="text-align:left">{caption}</caption><thead><tr><th scope="col">What</th>'
            f'<th scope="col">Name</th><th scope="col">State</th></tr></thead><tbody>{rows}</tbody></table>'
        )
