"""A role of ours has the rights that were planned and no others; another's is left as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.aws.iam import create_role
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.plan.changes import Update
from podpac_lambda_widgets.plan.difference import differences
from podpac_lambda_widgets.plan.resources import STACK_TAG, Role

pytestmark = pytest.mark.local_aws

STACK = "roles@us-east-1"
VERSION = "2012-10-17"
TRUST = {
    "Version": VERSION,
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
ALL = {"Version": VERSION, "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
OURS = {"Version": VERSION, "Statement": [{"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}]}
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
WANTED = Role(
    name="roles-role",
    description="ours",
    trust=TRUST,
    policies={"ours": OURS},
    managed_policies=(READ_ONLY,),
    tags={STACK_TAG: STACK},
)


def nothing(done: int, total: int) -> None:
    """No progress."""


@pytest.fixture
def iam(aws: LocalSession) -> Iterator[Any]:
    """A client; the role goes in the end."""
    yield aws.client("iam")
    AwsAccount(aws).delete(WANTED, STACK, nothing)


def read(account: AwsAccount) -> Role:
    found = account.read(WANTED)
    assert found is not None
    assert isinstance(found.resource, Role)
    return found.resource


def test_more_rights_than_planned_are_drift_and_are_taken_away(aws: LocalSession, iam: Any) -> None:
    account = AwsAccount(aws)
    account.create(WANTED, STACK, nothing)
    assert differences(WANTED, read(account)) == ()
    iam.attach_role_policy(RoleName=WANTED.name, PolicyArn=ADMINISTRATOR)
    iam.put_role_policy(RoleName=WANTED.name, PolicyName="extra", PolicyDocument=json.dumps(ALL))
    drift = differences(WANTED, read(account))
    assert {each.field for each in drift} == {"policies", "managed_policies"}
    assert "extra" in str(drift)
    assert ADMINISTRATOR in str(drift)
    account.update(Update(WANTED, drift), STACK, nothing)
    assert differences(WANTED, read(account)) == ()
    assert iam.list_role_policies(RoleName=WANTED.name)["PolicyNames"] == ["ours"]
    attached = iam.list_attached_role_policies(RoleName=WANTED.name)["AttachedPolicies"]
    assert [policy["PolicyArn"] for policy in attached] == [READ_ONLY]


def test_of_a_foreign_role_only_what_is_wanted_is_read(aws: LocalSession, iam: Any) -> None:
    account = AwsAccount(aws)
    account.create(replace(WANTED, tags={}), STACK, nothing)
    iam.attach_role_policy(RoleName=WANTED.name, PolicyArn=ADMINISTRATOR)
    iam.put_role_policy(RoleName=WANTED.name, PolicyName="theirs", PolicyDocument=json.dumps(ALL))
    found = read(account)
    assert (dict(found.policies), found.managed_policies) == ({"ours": OURS}, (READ_ONLY,))


def test_another_field_leaves_the_policies_alone(aws: LocalSession, iam: Any) -> None:
    account = AwsAccount(aws)
    account.create(WANTED, STACK, nothing)
    changed = replace(WANTED, description="another")
    iam.put_role_policy(RoleName=WANTED.name, PolicyName="extra", PolicyDocument=json.dumps(ALL))
    account.update(Update(changed, differences(changed, replace(WANTED))), STACK, nothing)
    assert set(iam.list_role_policies(RoleName=WANTED.name)["PolicyNames"]) == {"ours", "extra"}


def test_a_role_has_the_arn_that_aws_gave_it(aws: LocalSession, iam: Any) -> None:
    made = iam.create_role(Path="/service-role/", RoleName=WANTED.name, AssumeRolePolicyDocument=json.dumps(TRUST))[
        "Role"
    ]
    assert read(AwsAccount(aws)).arn == made["Arn"]
    assert "/service-role/" in made["Arn"]


WRITES = (
    "CreateRole", "UpdateRole", "UpdateAssumeRolePolicy", "TagRole", "PutRolePolicy", "DeleteRolePolicy",
    "AttachRolePolicy", "DetachRolePolicy", "DeleteRole",
)  # fmt: skip


@pytest.fixture
def written(faults: Any) -> list[str]:
    """The names of the calls that write, of clients made after it."""
    names: list[str] = []
    for each in WRITES:
        faults.hook(f"before-call.iam.{each}", lambda model, **_: names.append(model.name))
    return names


OTHER_TRUST = json.loads(json.dumps(TRUST).replace('"Effect"', '"Sid": "Other", "Effect"'))
DRIFT: list[tuple[dict[str, Any], list[str]]] = [
    ({"description": "other"}, ["UpdateRole"]),
    ({"trust": OTHER_TRUST}, ["UpdateAssumeRolePolicy"]),
    ({"tags": {STACK_TAG: STACK, "new": "tag"}}, ["TagRole"]),
    ({"policies": {"ours": ALL}}, ["PutRolePolicy", "AttachRolePolicy"]),
    ({"policies": {"new": OURS}}, ["DeleteRolePolicy", "PutRolePolicy", "AttachRolePolicy"]),
    ({"managed_policies": (ADMINISTRATOR,)}, ["DetachRolePolicy", "PutRolePolicy", "AttachRolePolicy"]),
]


@pytest.mark.parametrize(("values", "calls"), DRIFT, ids=lambda item: "-".join(item))
def test_drift_of_a_role_is_named_and_repaired_by_the_calls_that_its_fields_tell(
    aws: LocalSession, iam: Any, written: list[str], values: dict[str, Any], calls: list[str]
) -> None:
    account, wanted = AwsAccount(aws), replace(WANTED, **values)
    account.create(WANTED, STACK, nothing)
    assert written == ["CreateRole", "PutRolePolicy", "AttachRolePolicy"]
    written.clear()
    found = account.read(wanted)
    assert found is not None
    drift = differences(wanted, found.resource)
    assert {each.field for each in drift} == set(values)
    account.update(Update(wanted, drift), STACK, nothing)
    assert written == calls
    found = account.read(wanted)
    assert found is not None
    assert differences(wanted, found.resource) == ()


def test_creating_what_is_there_says_so_and_changes_nothing(aws: LocalSession, iam: Any) -> None:
    AwsAccount(aws).create(WANTED, STACK, nothing)
    with pytest.raises(errors.ResourceExistsError) as caught:
        create_role(iam, replace(WANTED, description="another"))
    assert caught.value.code == "EntityAlreadyExists"
    assert read(AwsAccount(aws)) == replace(WANTED, arn=read(AwsAccount(aws)).arn)


def test_creating_again_after_a_lost_answer_goes_on(aws: LocalSession, iam: Any, faults: Any) -> None:
    def lose(**_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="https://x")

    faults.hook("after-call.iam.CreateRole", lose)
    with pytest.raises(errors.EndpointUnreachableError):
        AwsAccount(aws).create(WANTED, STACK, nothing)
    account = AwsAccount(aws)
    drift = differences(WANTED, read(account))
    assert {each.field for each in drift} == {"policies", "managed_policies"}
    account.update(Update(WANTED, drift), STACK, nothing)
    assert differences(WANTED, read(account)) == ()


def test_no_room_for_roles_names_the_quota(aws: LocalSession, iam: Any, faults: Any) -> None:
    faults.answer("iam.CreateRole", 409, "LimitExceeded")
    with pytest.raises(errors.AwsError) as caught:
        AwsAccount(aws).create(WANTED, STACK, nothing)
    assert "quota of IAM" in caught.value.next_step


@pytest.mark.parametrize("operation", ["DetachRolePolicy", "DeleteRolePolicy"])
def test_a_policy_that_is_gone_already_does_not_keep_the_role(
    aws: LocalSession, iam: Any, faults: Any, operation: str
) -> None:
    AwsAccount(aws).create(WANTED, STACK, nothing)
    calls = {
        "DetachRolePolicy": lambda: iam.detach_role_policy(RoleName=WANTED.name, PolicyArn=READ_ONLY),
        "DeleteRolePolicy": lambda: iam.delete_role_policy(RoleName=WANTED.name, PolicyName="ours"),
    }
    taken: list[str] = []

    def take_first(**_: Any) -> None:
        if not taken:
            taken.append(operation)
            calls[operation]()

    faults.hook(f"before-call.iam.{operation}", take_first)
    AwsAccount(aws).delete(WANTED, STACK, nothing)
    assert taken == [operation]
    assert AwsAccount(aws).read(WANTED) is None


def test_a_role_that_is_gone_is_deleted_already(aws: LocalSession, iam: Any) -> None:
    AwsAccount(aws).delete(WANTED, STACK, nothing)
    assert AwsAccount(aws).read(WANTED) is None
