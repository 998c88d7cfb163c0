"""Triggers and the budget: what is wished, what it may do, and what goes when it is not wished any more."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpac_lambda_widgets.errors import InvalidValueError
from podpac_lambda_widgets.model.deployment import TRIGGERS, Deployment
from podpac_lambda_widgets.plan.account import Identity
from podpac_lambda_widgets.plan.changes import Create, Delete, Keep, Plan, Refuse, Update
from podpac_lambda_widgets.plan.desired import ArchivePlace, Archives, desired_resources
from podpac_lambda_widgets.plan.difference import plan_build
from podpac_lambda_widgets.plan.extras import Extras
from podpac_lambda_widgets.plan.names import stack_names
from podpac_lambda_widgets.plan.resources import (
    PERMISSION_GONE,
    Budget,
    Function,
    FunctionUrl,
    Observed,
    Resource,
    RestApi,
    Role,
    S3Trigger,
    StoredObject,
)

IDENTITY = Identity("123456789012", "arn:aws:iam::123456789012:user/me", "eu-west-1", "aws")
ARCHIVES = Archives(
    ArchivePlace("a" * 64, 80_000_000, bucket="src", key="dist.zip"),
    ArchivePlace("b" * 64, 40_000_000, bucket="src", key="deps.zip"),
    "python3.12",
    "x86_64",
)
ALL = {"function_triggers": TRIGGERS, "function_budget_amount": 25, "function_budget_email": "me@example.org"}


def wanted(identity: Identity = IDENTITY, **traits: object) -> tuple[Resource, ...]:
    return desired_resources(Deployment(function_name="soil", **traits), ARCHIVES, identity)


def one(kind: type[Resource], **traits: object) -> Resource:
    return next(resource for resource in wanted(**{**ALL, **traits}) if isinstance(resource, kind))


STACK = stack_names(Deployment(function_name="soil"), IDENTITY).stack


def test_only_what_is_wished_is_wanted() -> None:
    extras = (S3Trigger, RestApi, FunctionUrl, Budget)
    assert not [resource for resource in wanted() if isinstance(resource, extras)]
    assert [type(resource) for resource in wanted(**ALL)[-4:]] == list(extras)


@pytest.mark.parametrize("kind", [RestApi, FunctionUrl])
def test_an_endpoint_asks_who_calls_unless_it_is_made_public_and_then_the_plan_warns(kind: type[Resource]) -> None:
    closed, opened = one(kind), one(kind, function_public_endpoint=True)
    assert (closed.authorization, opened.authorization) == ("AWS_IAM", "NONE")  # type: ignore[attr-defined]
    for found in (None, Observed(opened, STACK)):
        (change,) = plan_build(STACK, [(opened, found)]).changes
        assert "at your cost" in change.note  # type: ignore[union-attr]
    assert plan_build(STACK, [(closed, None)]).changes[0].note == ""  # type: ignore[union-attr]


def test_s3_may_call_the_function_for_one_bucket_of_one_account_only() -> None:
    trigger = one(S3Trigger)
    assert isinstance(trigger, S3Trigger)
    assert trigger.permission is not None
    condition = trigger.permission["Condition"]
    assert condition["StringEquals"] == {"AWS:SourceAccount": "123456789012"}
    assert condition["ArnLike"]["AWS:SourceArn"].endswith(trigger.bucket)
    assert (trigger.prefix, trigger.suffix) == ("input/soil/", ".json")


def test_names_that_differ_in_a_hyphen_have_statements_and_entries_of_their_own() -> None:
    names = ("soil-map", "soilmap", "soil_map")
    found = [stack_names(Deployment(function_name=name), IDENTITY).identifier for name in names]
    assert len(set(found)) == len(names)
    # AddPermission and S3 take no others.
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,100}", identifier) for identifier in found)


def test_with_every_trigger_the_role_still_may_do_six_things_at_most() -> None:
    role = next(each for each in wanted(**ALL, function_allowed_buckets=["data-one"]) if isinstance(each, Role))
    statements = [each for document in role.policies.values() for each in document["Statement"]]
    actions = {action for each in statements for action in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])}  # fmt: skip  # noqa: E501
    assert len(actions) <= 6
    assert not [action for action in actions if "*" in action]
    assert not [each for each in statements if "*" in ([each["Resource"]] if isinstance(each["Resource"], str) else each["Resource"])]  # fmt: skip  # noqa: E501


@pytest.mark.parametrize(
    ("one", "other"), [("data", "data"), ("data", "data/out"), ("data/in", "data"), ("/a/b/", "a/b")]
)
def test_folders_that_would_call_the_function_again_are_refused(one: str, other: str) -> None:
    with pytest.raises(InvalidValueError, match="overlap"):
        Deployment(function_s3_input=one, function_s3_output=other)


@pytest.mark.parametrize(("one", "other"), [("data-in", "data"), ("a/in", "a/out"), ("in", "in2")])
def test_folders_beside_each_other_are_fine(one: str, other: str) -> None:
    Deployment(function_s3_input=one, function_s3_output=other)


def test_what_is_not_wished_any_more_goes_when_it_is_ours() -> None:
    ours, foreign = Observed(one(RestApi), STACK), Observed(one(Budget), None)
    plan = plan_build(STACK, [(each, Observed(each, STACK)) for each in wanted()], surplus=[ours, foreign])
    assert [change.resource.kind for change in plan.writes] == ["API"]
    assert isinstance(plan.writes[0], Delete)


def test_what_stands_in_the_way_is_refused_and_named() -> None:
    trigger = one(S3Trigger)
    found = Observed(trigger, None, conflict="the rule 'theirs' covers input/")
    (change,) = plan_build(STACK, [(trigger, found)]).changes
    assert isinstance(change, Refuse)
    assert "theirs" in change.note


@pytest.mark.parametrize("kind", [FunctionUrl, Budget])
def test_one_that_somebody_else_made_is_refused(kind: type[Resource]) -> None:
    (change,) = plan_build(STACK, [(one(kind), Observed(one(kind), None))]).changes
    assert isinstance(change, Refuse)


def _plan_with_function(**found: object) -> Plan:
    pairs = []
    for resource in wanted(**ALL):
        there = replace(resource, **found) if isinstance(resource, Function) else resource
        pairs.append((resource, Observed(there, STACK)))
    return plan_build(STACK, pairs)


def test_what_hung_on_a_function_that_is_made_anew_is_put_back() -> None:
    changes = {change.resource.kind: change for change in _plan_with_function(state="Failed").changes}
    for kind in ("S3 trigger", "API"):
        change = changes[kind]
        assert isinstance(change, Update)
        assert [(each.field, each.old) for each in change.differences] == [("permission", PERMISSION_GONE)]
    assert isinstance(changes["function URL"], Create)
    assert isinstance(changes["budget"], Keep)
    kept = {change.resource.kind: change for change in _plan_with_function(memory=512).changes}
    assert {type(kept[kind]) for kind in ("S3 trigger", "API", "function URL")} == {Keep}


def test_a_budget_needs_somebody_to_write_to() -> None:
    with pytest.raises(InvalidValueError, match="e-mail"):
        wanted(function_budget_amount=10)


def test_a_budget_where_aws_has_none_is_refused() -> None:
    sovereign = Identity("123456789012", "arn:aws-us-gov:iam::1:user/me", "us-gov-west-1", "aws-us-gov")
    with pytest.raises(InvalidValueError, match="no budgets"):
        wanted(sovereign, function_budget_amount=10, function_budget_email="me@example.org")


@pytest.mark.parametrize("value", [0, -5, 1e400, "1,000", "NaN", True, "ten", [1]])
def test_an_amount_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(InvalidValueError):
        Deployment(function_budget_amount=value)


@pytest.mark.parametrize("value", ["me", "me@", "@x.org", "a b@x.org", "<script>@x.org", "me@x", "me@x.org;y@z.org"])
def test_an_address_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(InvalidValueError):
        Deployment(function_budget_email=value)


@pytest.mark.parametrize("value", ["a:b", "<script>", "a/b", "x" * 101])
def test_a_budget_name_that_aws_would_refuse_is_refused(value: str) -> None:
    with pytest.raises(InvalidValueError):
        Deployment(function_budget_name=value)


@pytest.mark.parametrize(
    "document",
    [{"Statement": []}, {"Version": "2012-10-17"}, "text", {"Version": "1", "Statement": [{"x": "y" * 11_000}]}],
)
def test_a_policy_document_that_is_none_is_refused(document: object) -> None:
    with pytest.raises(InvalidValueError):
        Deployment(function_role_policy_document=document)


def test_the_role_is_as_wished_down_to_its_documents() -> None:
    own = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}]}  # fmt: skip  # noqa: E501
    arn = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    role = next(
        each
        for each in wanted(
            function_role_policy_document=own,
            function_role_policy_arns=[arn],
            function_role_description="mine",
            function_role_assume_policy_document=own,
            function_role_tags={"team": "soil"},
        )
        if isinstance(each, Role)
    )
    assert (list(role.policies.values()), role.managed_policies, role.trust) == ([own], (arn,), own)
    assert (role.description, role.tags["team"]) == ("mine", "soil")


def test_a_small_archive_of_this_machine_is_sent_in_the_call_and_a_large_one_through_the_bucket(tmp_path) -> None:  # type: ignore[no-untyped-def]
    for size, direct in ((50 * 2**20, True), (50 * 2**20 + 1, False)):
        archives = replace(ARCHIVES, dist=ArchivePlace("a" * 64, size, path=tmp_path / "dist.zip"))
        resources = desired_resources(Deployment(function_name="soil"), archives, IDENTITY)
        function = next(each for each in resources if isinstance(each, Function))
        assert bool(function.code_path) is direct
        assert bool(function.code_bucket) is not direct
        assert len([each for each in resources if isinstance(each, StoredObject)]) == (1 if direct else 2)


def test_everything_of_a_plan_can_be_shown() -> None:
    plan = plan_build(STACK, [(each, None) for each in wanted(**ALL, function_public_endpoint=True)])
    data = json.loads(plan.to_json())
    assert len(data["calls"]) == len(plan.calls) > 20
    assert data["idle_cost_usd_per_month"] == pytest.approx(0.12 / 1.073741824 * 0.023)
    assert "While nothing runs: less than 0.01 USD" in str(plan)
    assert "AWS calls that write" in plan._repr_html_()


@given(
    st.booleans(), st.booleans(), st.booleans(),
    st.from_regex(r"[\w.+=@-]{1,20}( [\w.+=@-]{1,20})*", fullmatch=True) | st.just(""),
)  # fmt: skip
def test_what_a_function_says_of_its_extras_is_read_as_it_was_said(s3: bool, api: bool, url: bool, budget: str) -> None:
    extras = Extras(s3, api, url, budget)
    assert Extras.parse(str(extras)) == extras


@pytest.mark.parametrize("text", ["", "something else", "url and more"])
def test_what_is_not_said_is_not_known(text: str) -> None:
    assert Extras.parse(text) is None


def test_a_wish_with_every_tag_there_may_be_still_fits() -> None:
    tags = {f"key-{number}": "v" for number in range(48)}
    function = next(each for each in wanted(**ALL, function_tags=tags) if isinstance(each, Function))
    assert len(function.tags) == 50
