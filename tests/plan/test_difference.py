"""From what is wanted and what is there to changes; nothing that is not ours is ever among them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from podpac_lambda_widgets.model.deployment import TRIGGERS, Deployment
from podpac_lambda_widgets.plan.account import Identity
from podpac_lambda_widgets.plan.changes import HIDDEN, Create, Delete, Keep, Plan, Refuse, Update
from podpac_lambda_widgets.plan.desired import ArchivePlace, Archives, desired_resources
from podpac_lambda_widgets.plan.difference import differences, plan_build, plan_delete
from podpac_lambda_widgets.plan.names import stack_names
from podpac_lambda_widgets.plan.resources import (
    ROLE_GONE,
    Bucket,
    Function,
    LogGroup,
    Observed,
    Resource,
    Role,
    StoredObject,
)

IDENTITY = Identity("123456789012", "arn:aws:iam::123456789012:user/me", "eu-west-1", "aws")
ARCHIVES = Archives(
    ArchivePlace("a" * 64, 80_000_000, bucket="src", key="dist.zip"),
    ArchivePlace("b" * 64, 40_000_000, bucket="src", key="deps.zip"),
    "python3.12",
    "x86_64",
)
DEPLOYMENT = Deployment(
    function_name="soil",
    function_tags={"project": "p1"},
    function_triggers=TRIGGERS,
    function_budget_amount=25,
    function_budget_email="me@example.org",
)
WANTED = desired_resources(DEPLOYMENT, ARCHIVES, IDENTITY)
STACK = stack_names(DEPLOYMENT, IDENTITY).stack


def found(resource: Resource, stack: str | None = STACK) -> Observed:
    return Observed(resource, stack)


def test_what_is_missing_is_created_in_the_order_others_need_it() -> None:
    plan = plan_build(STACK, [(resource, None) for resource in WANTED])
    assert [type(change) for change in plan.changes] == [Create] * len(WANTED)
    kinds = [change.resource.kind for change in plan.changes]
    assert kinds.index("role") < kinds.index("function")
    assert kinds.index("bucket") < kinds.index("object") < kinds.index("function")


def test_what_is_as_wanted_is_kept_and_the_plan_is_empty() -> None:
    plan = plan_build(STACK, [(resource, found(resource)) for resource in WANTED])
    assert {type(change) for change in plan.changes} == {Keep}
    assert plan.is_empty


DRIFTS = [
    (resource, name)
    for resource in WANTED
    for name, value in resource.managed_fields()
    if not (isinstance(resource, StoredObject) and name in ("bucket", "key"))
]


@pytest.mark.parametrize(("resource", "name"), DRIFTS, ids=lambda item: str(item)[:40])
def test_drift_in_any_managed_field_is_named(resource: Resource, name: str) -> None:
    old = {"changed": "value"} if isinstance(getattr(resource, name), dict) else "something else"
    plan = plan_build(STACK, [(resource, found(replace(resource, **{name: old})))])
    (change,) = plan.changes
    assert isinstance(change, Update)
    # Of an environment, values that are not ours are not shown.
    shown = {"changed": HIDDEN} if name == "environment" else old
    assert [(item.field, item.old) for item in change.differences] == [(name, shown)]


def test_no_managed_field_has_been_lost() -> None:
    assert len(DRIFTS) >= 55


def test_a_list_of_one_and_a_single_value_are_the_same_policy() -> None:
    role = next(resource for resource in WANTED if isinstance(resource, Role))
    trust = {**role.trust, "Statement": [{**role.trust["Statement"][0], "Action": ["sts:AssumeRole"]}]}
    assert not differences(role, replace(role, trust=trust))


@pytest.mark.parametrize("resource", WANTED, ids=str)
@pytest.mark.parametrize("owner", [None, "other@eu-west-1", "another account"])
def test_what_is_not_ours_is_never_written(resource: Resource, owner: str | None) -> None:
    stranger = replace(resource, **{name: None for name, _ in resource.managed_fields()})
    if isinstance(resource, StoredObject):
        # Under a key that somebody has chosen; what lies under one that only we make is ours.
        resource = replace(resource, own_key=False)
    plan = plan_build(STACK, [(resource, found(stranger, owner))])
    assert not plan.writes
    used_as_it_is = isinstance(resource, LogGroup) and owner is None
    assert bool(plan.refusals) is not used_as_it_is
    for refusal in plan.refusals:
        assert isinstance(refusal, Refuse)
        assert refusal.note
        assert refusal.next_step


def test_what_was_written_over_an_archive_of_ours_is_written_over_in_turn() -> None:
    archive = next(resource for resource in WANTED if isinstance(resource, StoredObject))
    spoilt = replace(archive, sha256="", size=7)
    (change,) = plan_build(STACK, [(archive, found(spoilt, None))]).changes
    assert isinstance(change, Update)
    (change,) = plan_build(STACK, [(archive, found(spoilt, "other@eu-west-1"))]).changes
    assert isinstance(change, Refuse)


@pytest.mark.parametrize("resource", [r for r in WANTED if isinstance(r, Role | Bucket)], ids=str)
def test_a_foreign_role_or_bucket_is_used_only_when_named(resource: Resource) -> None:
    pairs = [(resource, found(resource, None))]
    assert plan_build(STACK, pairs).refusals
    adopted = plan_build(STACK, pairs, adopt=[resource.name])
    assert not adopted.refusals
    assert adopted.is_empty


def test_what_another_stack_owns_cannot_be_adopted() -> None:
    bucket = next(resource for resource in WANTED if isinstance(resource, Bucket))
    assert plan_build(STACK, [(bucket, found(bucket, "other@eu-west-1"))], adopt=[bucket.name]).refusals


def test_a_foreign_function_cannot_be_adopted() -> None:
    function = next(resource for resource in WANTED if isinstance(resource, Function))
    assert plan_build(STACK, [(function, found(function, None))], adopt=[function.name]).refusals


def test_deleting_takes_ours_and_leaves_the_rest() -> None:
    plan = plan_delete(STACK, [found(WANTED[0]), found(WANTED[1], None), found(WANTED[1], "other@eu-west-1")])
    assert [type(change) for change in plan.changes] == [Delete, Keep, Keep]


def _bucket_plan(own: int, foreign: int, owner: str | None, adopt: tuple[str, ...] = ()) -> Plan:
    bucket = next(resource for resource in WANTED if isinstance(resource, Bucket))
    return plan_delete(STACK, [found(replace(bucket, own_objects=own, foreign_objects=foreign), owner)], adopt)


def test_our_bucket_goes_with_what_is_ours_in_it() -> None:
    (change,) = _bucket_plan(3, 0, STACK).changes
    assert isinstance(change, Delete)
    assert isinstance(change.resource, Bucket)


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({"own_objects": 1}, "with 1 object"),
        ({"own_objects": 1200, "results": 1}, "with 1,200 objects, 1 result among them"),
        ({"own_objects": 3, "own_uploads": 2}, "with 3 objects, with 2 unfinished uploads"),
        ({"own_objects": 3, "results": 2, "foreign_objects": 4}, "holds 4 objects that are not ours"),
    ],
)
def test_a_plan_to_delete_shows_how_much_goes_and_how_much_stays(counts: dict[str, int], told: str) -> None:
    bucket = next(resource for resource in WANTED if isinstance(resource, Bucket))
    plan = plan_delete(STACK, [found(replace(bucket, **counts))])
    assert told in str(plan)
    assert told in plan._repr_html_()
    assert plan.results == counts.get("results", 0)


def test_our_bucket_stays_when_somebody_put_files_into_it() -> None:
    first, second = _bucket_plan(3, 2, STACK).changes
    assert isinstance(first, Delete)
    assert first.resource.kind == "objects"
    assert isinstance(second, Keep)
    assert "2 objects" in second.note


def test_an_adopted_bucket_stays_and_only_our_objects_go() -> None:
    name = next(resource.name for resource in WANTED if isinstance(resource, Bucket))
    first, second = _bucket_plan(3, 50, None, (name,)).changes
    assert (first.resource.kind, type(second)) == ("objects", Keep)
    (only,) = _bucket_plan(0, 50, None).changes
    assert isinstance(only, Keep)


def test_a_bucket_of_another_stack_is_left_alone_even_when_it_was_named() -> None:
    name = next(resource.name for resource in WANTED if isinstance(resource, Bucket))
    (only,) = _bucket_plan(5, 0, "other@eu-west-1", (name,)).changes
    assert isinstance(only, Keep)


def test_a_function_whose_role_was_deleted_is_told_of_the_new_one() -> None:
    pairs = [(resource, None if isinstance(resource, Role) else found(resource)) for resource in WANTED]
    change = next(each for each in plan_build(STACK, pairs).changes if isinstance(each.resource, Function))
    assert isinstance(change, Update)
    assert [(item.field, item.old) for item in change.differences] == [("role", ROLE_GONE)]
