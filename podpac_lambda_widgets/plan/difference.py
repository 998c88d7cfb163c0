"""Desired against observed: pure functions from values to a plan."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from podpac_lambda_widgets import limits
from podpac_lambda_widgets.plan.changes import Change, Create, Delete, Difference, Keep, Plan, Refuse, Update
from podpac_lambda_widgets.plan.resources import (
    ROLE_GONE,
    Bucket,
    BucketContents,
    Function,
    LogGroup,
    Observed,
    Resource,
    Role,
    StoredObject,
)

Pair = tuple[Resource, Observed | None]


def differences(wanted: Resource, found: Resource) -> tuple[Difference, ...]:
    """Every managed field whose value is not the wanted one."""
    values = dict(found.managed_fields())
    return tuple(
        Difference(field, values[field], value)
        for field, value in wanted.managed_fields()
        if not _same(values[field], value)
    )


def _same(found: object, wanted: object) -> bool:
    # AWS gives a list of one where it was told a single value, and the other way round.
    return _plain(found) == _plain(wanted)


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        items = [_plain(item) for item in value]
        if all(isinstance(item, str) for item in items):
            items = sorted(items, key=str)
        return items[0] if len(items) == 1 else items
    return value


def plan_build(stack: str, pairs: Sequence[Pair], adopt: Collection[str] = ()) -> Plan:
    """The plan that brings what was found to what is wanted; it refuses what is not the stack's.

    Parameters
    ----------
    stack : str
        Whose the resources must be.
    pairs : sequence of (Resource, Observed or None)
        What is wanted, and what was found of it, in the order of making.
    adopt : collection of str
        Names of foreign roles and buckets that may be used as they are.
    """
    changes = [_build_change(stack, wanted, found, adopt) for wanted, found in pairs]
    if any(isinstance(change, Create) and isinstance(change.resource, Role) for change in changes):
        changes = [_with_new_role(change) for change in changes]
    return Plan(stack, "build", tuple(changes))


def _with_new_role(change: Change) -> Change:
    """A function whose role is made anew has to be told: what AWS granted belonged to the old role, not to its name."""
    wanted = change.resource
    if not isinstance(wanted, Function) or not isinstance(change, Keep | Update):
        return change
    others = change.differences if isinstance(change, Update) else ()
    role = Difference("role", ROLE_GONE, wanted.role)
    return Update(wanted, (role, *(each for each in others if each.field != "role")), change.note)


def _build_change(stack: str, wanted: Resource, found: Observed | None, adopt: Collection[str]) -> Change:
    if found is None:
        return Create(wanted, _caution(wanted))
    if found.stack == stack:
        changed = differences(wanted, found.resource)
        return Update(wanted, changed, _caution(wanted)) if changed else Keep(wanted)
    if isinstance(wanted, LogGroup) and found.stack is None:
        return Keep(wanted, "was there before: used, not changed")
    if isinstance(wanted, StoredObject) and not differences(wanted, found.resource):
        return Keep(wanted, "the same archive is there already")
    if isinstance(wanted, Role | Bucket) and wanted.name in adopt and found.stack is None:
        return Keep(wanted, "adopted: used, not changed")
    return _refusal(wanted, found.stack)


def _caution(wanted: Resource) -> str:
    if isinstance(wanted, Function) and wanted.runtime in limits.AMAZON_LINUX_2_RUNTIMES:
        return f"On AWS, build for python3.12 or later: its {wanted.runtime} has a C library too old for these archives"
    return ""


def _refusal(wanted: Resource, owner: str | None) -> Refuse:
    if owner is not None:
        whose = f"belongs to {owner}" if "@" not in owner else f"belongs to the stack {owner}"
        return Refuse(wanted, whose, f"Choose another name for the {wanted.kind}.")
    step = f"Choose another name for the {wanted.kind}"
    if isinstance(wanted, Role | Bucket):
        step += f", or allow its use with adopt=[{wanted.name!r}]"
    return Refuse(wanted, "exists already and was not made by this package", step + ".")


def plan_delete(stack: str, found: Sequence[Observed], adopt: Collection[str] = ()) -> Plan:
    """The plan that takes away what is the stack's, and nothing else.

    A bucket in which somebody has put objects of their own stays, and only our objects go.
    """
    changes: list[Change] = []
    for observed in found:
        resource = observed.resource
        if isinstance(resource, Bucket):
            adopted = observed.stack is None and resource.name in adopt
            changes += _delete_bucket(stack, resource, observed.stack, adopted)
        elif observed.stack == stack:
            changes.append(Delete(resource))
        else:
            changes.append(Keep(resource, "not ours"))
    return Plan(stack, "delete", tuple(changes))


def _delete_bucket(stack: str, bucket: Bucket, owner: str | None, adopted: bool) -> list[Change]:
    count = _count(bucket.own_objects, "object")
    if owner == stack and not bucket.foreign_objects:
        return [Delete(bucket, f"with {count}" if bucket.own_objects else "")]
    if owner != stack and not adopted:
        return [Keep(bucket, "not ours")]
    note = f"holds {_count(bucket.foreign_objects, 'object')} that are not ours" if owner == stack else "adopted"
    contents = BucketContents(
        name=bucket.name,
        own_objects=bucket.own_objects,
        own_prefixes=bucket.own_prefixes,
        own_keys=bucket.own_keys,
        adopted=bucket.adopted,
    )
    return [*([Delete(contents, count)] if bucket.own_objects else []), Keep(bucket, note)]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
