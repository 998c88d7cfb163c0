"""A role of ours has the rights that were planned and no others; another's is left as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from podpac_lambda_widgets.aws.account import AwsAccount
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
