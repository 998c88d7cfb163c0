"""Desired against observed: pure functions from values to a plan."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace

from podpac_lambda_widgets import limits
from podpac_lambda_widgets.plan.changes import Change, Create, Delete, Difference, Keep, Plan, Refuse, Update
from podpac_lambda_widgets.plan.resources import (
    PERMISSION_GONE,
    ROLE_GONE,
    STACK_TAG,
    Bucket,
    BucketContents,
    Budget,
    Function,
    FunctionUrl,
    LeftLock,
    LogGroup,
    Observed,
    Resource,
    RestApi,
    Role,
    S3Trigger,
    StoredObject,
)
from podpac_lambda_widgets.plan.snapshot import Snapshot

#: How a caution begins that holds for AWS itself, and for no AWS of one's own machine.
ON_AWS = "On AWS, "
_ANEW = "is deleted and made anew"

Pair = tuple[Resource, Observed | None]


def differences(wanted: Resource, found: Resource) -> tuple[Difference, ...]:
    """Every managed field whose value is not the wanted one."""
    values = dict(found.managed_fields())
    return tuple(
        Difference.of(field, values[field], value)
        for field, value in wanted.managed_fields()
        if not is_same(values[field], value)
    )


def is_same(found: object, wanted: object) -> bool:
    """Whether two values mean the same: AWS gives a list of one where it was told a single value, and vice versa."""
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


def plan_build(
    stack: str, pairs: Sequence[Pair], adopt: Collection[str] = (), surplus: Sequence[Observed] = ()
) -> Plan:
    """The plan that brings what was found to what is wanted; it refuses what is not the stack's.

    Parameters
    ----------
    stack : str
        Whose the resources must be.
    pairs : sequence of (Resource, Observed or None)
        What is wanted, and what was found of it, in the order of making.
    adopt : collection of str
        Names of foreign roles and buckets that may be used as they are.
    surplus : sequence of Observed
        What was found and is not wanted any more; what is the stack's of it goes.
    """
    changes = [_build_change(stack, wanted, found, adopt) for wanted, found in pairs]
    made = {change.resource.name for change in changes if _creates_role(change)}
    used = {
        found.resource.role.rpartition("/")[2]
        for _, found in pairs
        if found is not None and found.stack == stack and isinstance(found.resource, Function)
    }
    if made & used:
        changes = [_with_new_role(change) for change in changes]
    if any(_is_made_anew(change) for change in changes):
        changes = [_with_new_function(change) for change in changes]
    moved = any(isinstance(wanted, S3Trigger) for wanted, _ in pairs)
    goes = [change for found in surplus if (change := _surplus_change(found, stack, moved)) is not None]
    return Plan(stack, "build", _in_order(changes, goes))


def _in_order(changes: Sequence[Change], goes: Sequence[Keep | Delete]) -> tuple[Change, ...]:
    """What goes, before the function that tells its name forgets it; but role and archives after it has others."""
    late = [change for change in goes if isinstance(change.resource, Role | Bucket | StoredObject)]
    early = [change for change in goes if change not in late]
    until = next((place for place, change in enumerate(changes) if isinstance(change.resource, Function)), 0)
    return (*changes[:until], *early, *changes[until:], *late)


def _surplus_change(found: Observed, stack: str, moved: bool) -> Keep | Delete | None:
    resource = found.resource
    if isinstance(resource, Bucket) and found.stack == stack:
        # It may hold results: building loses nothing.
        return Keep(resource, "not used any more: goes when the stack is deleted")
    if isinstance(resource, Bucket) and found.stack is None and resource.own_objects:
        objects = _count(resource.own_objects, "object")
        return Keep(resource, f"not used any more, and not the stack's: {objects} of ours stay in it")
    if found.stack != stack:
        return None
    if isinstance(resource, S3Trigger) and moved:
        # The one statement of the function's policy is the wanted trigger's by then.
        resource = replace(resource, permission=None)
    return Delete(resource, "not wanted any more")


def _creates_role(change: Change) -> bool:
    return isinstance(change, Create) and isinstance(change.resource, Role)


def _with_new_role(change: Change) -> Change:
    """A function whose role is made anew has to be told: what AWS granted belonged to the old role, not to its name."""
    wanted = change.resource
    if not isinstance(wanted, Function) or not isinstance(change, Keep | Update):
        return change
    others = change.differences if isinstance(change, Update) else ()
    role = Difference("role", ROLE_GONE, wanted.role)
    return Update(wanted, (role, *(each for each in others if each.field != "role")), _ANEW)


def _is_made_anew(change: Change) -> bool:
    """Whether the function is deleted and created again: a failed one cannot be mended, nor one whose role is gone."""
    if not isinstance(change, Update) or not isinstance(change.resource, Function):
        return False
    return any((each.field, each.old) in (("state", "Failed"), ("role", ROLE_GONE)) for each in change.differences)


def _with_new_function(change: Change) -> Change:
    """A function that is made anew has lost its policy and its URL: what hung on them is put back."""
    wanted = change.resource
    if isinstance(change, Create | Refuse):
        return change
    if isinstance(wanted, Function) and isinstance(change, Update):
        return replace(change, note=_ANEW)
    if isinstance(wanted, FunctionUrl):
        return Create(wanted, "gets another address, for its function is made anew")
    if isinstance(wanted, Snapshot):
        return Create(wanted, change.note)
    if isinstance(wanted, S3Trigger | RestApi):
        others = change.differences if isinstance(change, Update) else ()
        lost = Difference("permission", PERMISSION_GONE, wanted.permission)
        return Update(wanted, (*(each for each in others if each.field != "permission"), lost), change.note)
    return change


def _build_change(stack: str, wanted: Resource, found: Observed | None, adopt: Collection[str]) -> Change:
    if found is not None and found.conflict:
        remedy = found.remedy or f"Change or remove what is in the way of the {wanted.kind}."
        return Refuse(wanted, found.conflict, remedy)
    if found is None:
        return Create(wanted, _caution(wanted))
    if found.stack == stack or (found.stack is None and isinstance(wanted, StoredObject) and wanted.own_key):
        changed = differences(wanted, found.resource)
        note = _caution(wanted)
        return Update(wanted, changed, note) if changed else Keep(wanted, note if _is_open(wanted) else "")
    if isinstance(wanted, LogGroup) and found.stack is None:
        return Keep(wanted, "was there before: used, not changed")
    if isinstance(wanted, StoredObject) and not differences(wanted, found.resource):
        return Keep(wanted, "the same archive is there already")
    if isinstance(wanted, Role | Bucket) and wanted.name in adopt and found.stack is None:
        if isinstance(found.resource, Role) and not _trusts_lambda(found.resource):
            step = "Add lambda.amazonaws.com to its trust policy, or choose another role."
            return Refuse(wanted, "does not let Lambda use it", step)
        return Keep(wanted, "adopted: used, not changed")
    return _refusal(wanted, found.stack)


def _trusts_lambda(role: Role) -> bool:
    statements = role.trust.get("Statement", [])
    return any(
        statement.get("Effect") == "Allow" and "lambda.amazonaws.com" in json.dumps(statement.get("Principal", {}))
        for statement in (statements if isinstance(statements, list) else [statements])
    )


def _is_open(wanted: Resource) -> bool:
    return isinstance(wanted, RestApi | FunctionUrl) and wanted.authorization == "NONE"


def _caution(wanted: Resource) -> str:
    if _is_open(wanted):
        return "Public: anybody on the internet can call it, at your cost"
    if isinstance(wanted, Function) and wanted.runtime in limits.AMAZON_LINUX_2_RUNTIMES:
        return f"{ON_AWS}build for python3.12 or later: its {wanted.runtime} has a C library too old for these archives"
    if isinstance(wanted, Budget):
        return f"AWS counts only once {STACK_TAG} is activated as a cost allocation tag (Billing console)"
    return ""


def _refusal(wanted: Resource, owner: str | None) -> Refuse:
    if owner is not None:
        whose = f"belongs to {owner}" if "@" not in owner else f"belongs to the stack {owner}"
        return Refuse(wanted, whose, f"Choose another name for the {wanted.kind}.")
    if isinstance(wanted, FunctionUrl):
        step = "Delete the function's URL, or take URL out of function_triggers."
        return Refuse(wanted, "exists already and was not made by this package", step)
    if isinstance(wanted, Snapshot):
        step = f"Delete the function's alias {wanted.name.partition(':')[2]}, or turn SnapStart off."
        return Refuse(wanted, "has an alias that somebody else made", step)
    if isinstance(wanted, S3Trigger):
        step = "Remove the entry with that id from the bucket's notifications, or choose another bucket."
        return Refuse(wanted, "has an entry in the bucket's notifications that somebody else made", step)
    step = f"Choose another name for the {wanted.kind}"
    if isinstance(wanted, Role | Bucket):
        step += f", or allow its use with adopt=[{wanted.name!r}]"
    return Refuse(wanted, "exists already and was not made by this package", step + ".")


def plan_delete(
    stack: str, found: Sequence[Observed], adopt: Collection[str] = (), unreadable: Sequence[Keep] = ()
) -> Plan:
    """The plan that takes away what is the stack's, and nothing else.

    A bucket in which somebody has put objects of their own stays, and only our objects go. While something could not be
    looked at, the function stays too: it tells the names of the others.
    """
    unseen = any(change.is_unseen for change in unreadable)
    changes: list[Change] = []
    for observed in found:
        resource = observed.resource
        if isinstance(resource, Bucket):
            adopted = observed.stack is None and resource.name in adopt
            changes += _delete_bucket(stack, resource, observed.stack, adopted)
        elif observed.stack != stack:
            changes.append(Keep(resource, "not ours"))
        elif isinstance(resource, Function) and unseen:
            changes.append(Keep(resource, "stays for now: it tells the names of what could not be looked at"))
        else:
            left = "left by a builder that was cut off, or is at work just now"
            changes.append(Delete(resource, left if isinstance(resource, LeftLock) else ""))
    return Plan(stack, "delete", (*changes, *unreadable))


def _delete_bucket(stack: str, bucket: Bucket, owner: str | None, adopted: bool) -> list[Change]:
    contents = _contents_text(bucket)
    if owner == stack and not bucket.foreign_objects:
        return [Delete(bucket, contents)]
    if owner != stack and not adopted:
        return [Keep(bucket, "not ours")]
    others = (
        f"{_count(bucket.foreign_objects, 'object')} that {'is' if bucket.foreign_objects == 1 else 'are'} not ours"
    )
    note = f"holds {others}" if owner == stack else "adopted"
    # Our rules would go on deleting what others put there.
    rules = tuple(rule["ID"] for rule in bucket.lifecycle) if owner == stack else ()
    ours = BucketContents(
        name=bucket.name,
        own_objects=bucket.own_objects,
        results=bucket.results,
        own_uploads=bucket.own_uploads,
        own_prefixes=bucket.own_prefixes,
        no_results=bucket.no_results,
        own_keys=bucket.own_keys,
        adopted=bucket.adopted,
        lifecycle_ids=rules,
    )
    return [*([Delete(ours, contents)] if contents or rules else []), Keep(bucket, note)]


def _contents_text(bucket: Bucket) -> str:
    parts = []
    if bucket.own_objects:
        results = f", {_count(bucket.results, 'result')} among them" if bucket.results else ""
        parts.append(f"with {_count(bucket.own_objects, 'object')}{results}")
    if bucket.own_uploads:
        parts.append(f"with {_count(bucket.own_uploads, 'unfinished upload')}")
    return ", ".join(parts)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
