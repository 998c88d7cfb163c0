"""What there is of a stack, for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from podpac_lambda_widgets.plan.account import Identity
from podpac_lambda_widgets.plan.changes import Keep
from podpac_lambda_widgets.plan.render import value_text
from podpac_lambda_widgets.plan.resources import (
    Bucket,
    Budget,
    FunctionUrl,
    LeftLock,
    Observed,
    Resource,
    RestApi,
    Role,
    S3Trigger,
)

#: What says little to a person.
_SILENT = {"code_sha256", "role", "description", "tags"}
_WHO = {"AWS_IAM": "for who may call it in this account", "NONE": "for everybody", "": "not finished"}


@dataclass(frozen=True)
class Description:
    """A stack as the account has it.

    Parameters
    ----------
    stack : str
        Whose resources were looked for.
    identity : Identity
        Who looked, and where.
    named : tuple of Resource
        What was looked for by name.
    found : tuple of Observed
        What was found of it.
    unreadable : tuple of Keep
        What could not be looked at, and why.
    adopt : tuple of str
        Names of buckets and roles that are used though they are not the stack's.
    """

    stack: str
    identity: Identity
    named: tuple[Resource, ...]
    found: tuple[Observed, ...]
    unreadable: tuple[Keep, ...] = ()
    adopt: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Whose, and where."""
        return f"{self.stack} in account {self.identity.account}, {self.identity.region}"

    def rows(self) -> list[tuple[str, str, str]]:
        """Kind, name and state of every resource."""
        return [(each.kind, each.name, self._state(each)) for each in self.named if not isinstance(each, LeftLock)]

    def _state(self, named: Resource) -> str:
        for unreadable in self.unreadable:
            if unreadable.resource is named:
                return unreadable.note
        found = next((each for each in self.found if _key(each.resource) == _key(named)), None)
        if found is None:
            return "not there"
        if found.stack == self.stack:
            return _facts(found.resource)
        if found.stack is None and found.resource.name in self.adopt and isinstance(found.resource, Bucket | Role):
            return f"adopted: used, not changed; {_facts(found.resource)}"
        return "not ours"

    def __str__(self) -> str:
        return "\n".join([self.title, *(f"  {kind:<12} {name}: {state}" for kind, name, state in self.rows())])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><td style="text-align:left">{escape(kind)}</td>'
            f'<td style="text-align:left;overflow-wrap:anywhere">{escape(name)}</td>'
            f'<td style="text-align:left;overflow-wrap:anywhere">{escape(state)}</td></tr>'
            for kind, name, state in self.rows()
        )
        return (
            f'<table><caption style="text-align:left">{escape(self.title)}</caption>'
            '<thead><tr><th scope="col">What</th>'
            f'<th scope="col">Name</th><th scope="col">State</th></tr></thead><tbody>{rows}</tbody></table>'
        )


def _key(resource: Resource) -> tuple[str, str]:
    return resource.kind, resource.name


def _facts(resource: Resource) -> str:
    match resource:
        case RestApi() | FunctionUrl():
            return f"{resource.url or 'no address yet'}, {_WHO.get(resource.authorization, resource.authorization)}"
        case S3Trigger():
            return f"runs what comes to s3://{resource.bucket}/{resource.prefix}*{resource.suffix}"
        case Budget():
            at = f"{resource.threshold:g} % of {resource.amount:,.2f} {resource.currency} a month"
            return f"writes to {resource.email} at {at}"
        case Bucket():
            results = f", {resource.results:,} of them results" if resource.results else ""
            foreign = f", {resource.foreign_objects:,} not ours" if resource.foreign_objects else ""
            return f"in {resource.region}, {resource.own_objects:,} objects of ours{results}{foreign}"
        case Role():
            return f"{len(resource.policies) + len(resource.managed_policies)} policies"
    facts = [
        f"{name.replace('_', ' ')} {value_text(value, 30)}"
        for name, value in resource.managed_fields()
        if name not in _SILENT and value not in ("", None) and not isinstance(value, Mapping)
    ]
    return ", ".join(facts)
