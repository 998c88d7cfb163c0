"""Reads a stack's resources in an account, as far as it may be read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from podpac_lambda_widgets.engine.ports import Account
from podpac_lambda_widgets.errors import AccessDeniedError, BucketElsewhereError, PermissionsMissingError
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.plan.account import Identity
from podpac_lambda_widgets.plan.changes import Keep
from podpac_lambda_widgets.plan.desired import named_bucket, named_extras, named_function, named_resources, named_role
from podpac_lambda_widgets.plan.difference import Pair
from podpac_lambda_widgets.plan.extras import Extras
from podpac_lambda_widgets.plan.names import StackNames, as_deployed, extras_of, stack_names
from podpac_lambda_widgets.plan.quotas import BucketQuota, LambdaQuotas, bucket_shortage, function_shortage
from podpac_lambda_widgets.plan.resources import (
    Bucket,
    Function,
    LeftLock,
    LogGroup,
    Observed,
    Resource,
    RestApi,
    Role,
    S3Trigger,
    StoredObject,
)
from podpac_lambda_widgets.plan.snapshot import Snapshot, settings_digest


@dataclass(frozen=True)
class Found:
    """What was looked for, what was found of it, and what could not be looked at."""

    named: tuple[Resource, ...]
    observed: tuple[Observed, ...]
    unreadable: tuple[Keep, ...]
    #: Actions that it would have taken to look for what bears the stack's tag under other names.
    unsearched: tuple[str, ...] = ()


def read_wanted(account: Account, wanted: Sequence[Resource], stack: str, adopt: Collection[str]) -> list[Pair]:
    """What is there of everything that is wanted, in the same order.

    Raises
    ------
    AccessDeniedError
        Something of it may not be read; a :class:`PermissionsMissingError` with all of it where there is more.
    """
    pairs: list[Pair] = []
    denied: list[AccessDeniedError] = []
    ours = True
    for resource in wanted:
        found = None
        try:
            # There is no looking into a bucket that is missing or a stranger's.
            found = account.read(resource) if ours or not isinstance(resource, StoredObject) else None
        except AccessDeniedError as error:
            denied.append(error)
        if isinstance(resource, Bucket):
            ours = found is not None and (found.stack == stack or is_adopted(found, adopt))
        pairs.append((resource, found))
    if denied:
        raise _all_in_one(denied)
    return _with_real_role(pairs)


def _all_in_one(denied: Sequence[AccessDeniedError]) -> AccessDeniedError:
    """Who may not ask AWS what is permitted learns so, in one go, what the first look was refused."""
    missing = tuple(dict.fromkeys(f"{error.action or error.what} on {error.resource}" for error in denied))
    if len(missing) == 1:
        return denied[0]
    return PermissionsMissingError(
        f"{len(missing)} permissions to look at what there is are missing",
        missing=missing,
        action=denied[0].action,
        resource="; ".join(dict.fromkeys(error.resource for error in denied)),
        why="; ".join(missing),
        next_step="Send policy_for('deploy') to an administrator.",
        code=denied[0].code,
        request_id=denied[0].request_id,
    )


def with_quotas(account: Account, pairs: list[Pair], code_size: int) -> list[Pair]:
    """The same, with what the account's quotas leave no room for as a conflict of the function or the bucket."""
    wished = [wanted for wanted, found in pairs if isinstance(wanted, Function) and _takes_room(wanted, found)]
    quotas = account.quotas() if wished else None
    missing = [wanted for wanted, found in pairs if isinstance(wanted, Bucket) and found is None]
    buckets = account.bucket_quota() if missing else None
    return [_with_shortage(pair, code_size, quotas, buckets) for pair in pairs]


def _takes_room(wanted: Function, found: Observed | None) -> bool:
    there = found.resource if found is not None else None
    reserved = there.reserved_concurrency if isinstance(there, Function) else None
    return found is None or wanted.reserved_concurrency not in (None, reserved)


def _with_shortage(pair: Pair, code_size: int, quotas: LambdaQuotas | None, buckets: BucketQuota | None) -> Pair:
    wanted, found = pair
    shortage = None
    if isinstance(wanted, Function) and quotas is not None:
        there = found.resource if found is not None and isinstance(found.resource, Function) else None
        shortage = function_shortage(wanted, there, code_size, quotas)
    elif isinstance(wanted, Bucket) and found is None and buckets is not None:
        shortage = bucket_shortage(buckets)
    if shortage is None:
        return pair
    return wanted, replace(found or Observed(wanted, None), conflict=shortage.what, remedy=shortage.remedy)


def is_adopted(found: Observed, adopt: Collection[str]) -> bool:
    """Whether it bears no tag of ours and may be used all the same."""
    return found.stack is None and found.resource.name in adopt


def _with_real_role(pairs: list[Pair]) -> list[Pair]:
    """The function's role by the ARN it really has: one that was made in the console may have another path."""
    arns = [
        found.resource.arn
        for _, found in pairs
        if found is not None and isinstance(found.resource, Role) and found.resource.arn
    ]
    if not arns:
        return pairs
    real: list[Pair] = []
    settings = ""
    for resource, found in pairs:
        if isinstance(resource, Function):
            resource = replace(resource, role=arns[0])
            settings = settings_digest(resource)
        elif isinstance(resource, Snapshot):
            resource = replace(resource, settings=settings)
        real.append((resource, found))
    return real


def read_named(account: Account, named: Iterable[Resource], names: StackNames, adopt: Collection[str] = ()) -> Found:
    """What bears these names, buckets with what is in them; what may not be read is no reason to leave the rest."""
    observed: list[Observed] = []
    unreadable: list[Keep] = []
    looked_for = tuple(named)
    for each in looked_for:
        try:
            found = account.read(each)
            if found is not None:
                observed.append(_count_bucket(account, found, names, adopt))
        except AccessDeniedError as error:
            if isinstance(each, LeftLock):
                # Taking the lock tells whether somebody has it.
                continue
            note = f"could not be looked at ({error.action or error.what})"
            unreadable.append(Keep(each, note, is_unseen=True, code=error.code, request_id=error.request_id))
        except BucketElsewhereError as error:
            unreadable.append(Keep(each, f"{error.what[:1].lower()}{error.what[1:]}"))
    return Found(looked_for, tuple(observed), tuple(unreadable))


@dataclass(frozen=True)
class Deployed:
    """What the deployed function tells.

    Parameters
    ----------
    wish : Deployment
        With the names that the function really has, where there is one of ours.
    extras : Extras or None
        What belongs to it; None when nobody says.
    """

    wish: Deployment
    extras: Extras | None


def read_deployed(account: Account, deployment: Deployment, identity: Identity) -> Deployed:
    """Ask the deployed function for its names, and for what belongs to it."""
    names = stack_names(deployment, identity)
    try:
        found = account.read(named_function(names))
    except AccessDeniedError:
        return Deployed(deployment, None)
    if found is None or found.stack != names.stack or not isinstance(found.resource, Function):
        return Deployed(deployment, None)
    return Deployed(as_deployed(deployment, found.resource), extras_of(found.resource))


def read_whole(account: Account, deployment: Deployment, identity: Identity) -> tuple[Found, Deployment]:
    """Everything that belongs to a stack, in the order of deleting; and the wish with the names that it really has.

    It is looked for by the names that the function tells, by those of the wish, and by the stack's tag.
    """
    deployed = read_deployed(account, deployment, identity)
    names, wished = stack_names(deployed.wish, identity), stack_names(deployment, identity)
    tagged = account.tagged(names.stack)
    extras = named_extras(names, identity, deployed.extras)
    named = (
        # Versions and aliases go with their function.
        *(each for each in extras if not isinstance(each, Snapshot)),
        *named_resources(deployed.wish, identity),
        *(replace(named_role(names), name=name) for name in (wished.role, *tagged.roles)),
        *(named_bucket(names, identity, name) for name in (wished.bucket, *tagged.buckets)),
    )
    once = {(type(each), _place(each)): each for each in reversed(named)}
    ordered = sorted(once.values(), key=_deleting_order)
    found = read_named(account, ordered, names, deployed.wish.adopt)
    if deployed.extras is not None:
        # Where the function tells the names, those of the wish are a second look: it may have been changed.
        told = {(type(each), _place(each)) for each in named_resources(deployed.wish, identity)}
        second = {(type(each), _place(each)) for each in (named_role(wished), named_bucket(wished, identity))}
        missed = tuple(
            each for each in found.unreadable if (type(each.resource), _place(each.resource)) not in second - told
        )
        found = replace(found, unreadable=missed)
    return replace(found, unsearched=tagged.unsearched), deployed.wish


def _deleting_order(resource: Resource) -> int:
    """The function goes last: as long as it is there it tells the names of the others."""
    late = (LogGroup, Role, Bucket, Function, LeftLock)
    return late.index(type(resource)) if isinstance(resource, late) else -1


def read_surplus(account: Account, wanted: Sequence[Resource], deployment: Deployment, identity: Identity) -> Found:
    """What is left of an earlier wish: triggers, a budget, old archives, a role or a bucket of another name."""
    names = stack_names(deployment, identity)
    told = read_deployed(account, deployment, identity)
    deployed = stack_names(told.wish, identity)
    named: list[Resource] = [*named_extras(deployed, identity, told.extras)]
    if deployed.role != names.role:
        named.append(named_role(deployed))
    if deployed.bucket != names.bucket:
        named.append(named_bucket(deployed, identity))
    places = {(type(each), _place(each)) for each in wanted}
    left = [each for each in named if (type(each), _place(each)) not in places]
    return read_named(account, left, deployed, (deployed.bucket,))


def read_old_archives(
    account: Account, pairs: Sequence[Pair], stack: str, adopt: Collection[str]
) -> tuple[Observed, ...]:
    """Our archives in the stack's bucket that are not wanted any more: each build of new ones leaves some."""
    wanted = {resource.name for resource, _ in pairs}
    return tuple(
        Observed(archive, stack)
        for resource, found in pairs
        if isinstance(resource, Bucket) and found is not None and (found.stack == stack or is_adopted(found, adopt))
        for archive in account.stored_archives(resource)
        if archive.name not in wanted
    )


def _place(resource: Resource) -> str:
    """What tells two resources of one kind apart; an API is found by its tag, whatever its name."""
    if isinstance(resource, S3Trigger):
        return resource.bucket
    return "" if isinstance(resource, RestApi) else resource.name


def _count_bucket(account: Account, found: Observed, names: StackNames, adopt: Collection[str]) -> Observed:
    """A bucket with the number of objects in it that are ours, and that are not; anything else as it is."""
    if not isinstance(found.resource, Bucket):
        return found
    bucket = replace(
        found.resource,
        own_prefixes=names.own_prefixes,
        no_results=names.no_results,
        own_keys=names.own_keys,
        adopted=is_adopted(found, adopt),
    )
    if found.stack == names.stack or bucket.adopted:
        count = account.count_objects(bucket, names.stack)
        bucket = replace(
            bucket,
            own_objects=count.own,
            foreign_objects=count.foreign,
            results=count.results,
            own_uploads=count.uploads,
        )
    return replace(found, resource=bucket)
