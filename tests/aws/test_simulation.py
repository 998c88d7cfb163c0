"""What a caller may not do is known before it is tried; what cannot be known is not called denied."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.aws.simulation import denied
from podpac_lambda_widgets.local.session import LocalSession

ACCOUNT = "000000000000"
BUCKET = "arn:aws:s3:::simulated"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:simulated"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/simulated"
USER = f"arn:aws:iam::{ACCOUNT}:user/field/ann"
ASK = {"Effect": "Allow", "Action": ["iam:SimulatePrincipalPolicy", "iam:GetRole"], "Resource": "*"}

embedded = pytest.mark.local_aws


def allow(actions: list[str], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


@pytest.fixture
def caller(aws: LocalSession) -> Iterator[Callable[..., tuple[Any, str]]]:
    """Makes a user who may do what the statements say; gives the user's own IAM client and ARN."""
    iam = aws.client("iam")
    made: list[tuple[str, str]] = []

    def make(*statements: dict[str, Any]) -> tuple[Any, str]:
        name = f"simulated-{len(made)}"
        policy = {"Version": "2012-10-17", "Statement": list(statements)}
        arn = iam.create_user(UserName=name)["User"]["Arn"]
        iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        made.append((name, key["AccessKeyId"]))
        session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=aws.region_name)
        return session.client("iam", endpoint_url=aws.endpoint_url), arn

    yield make
    for name, key_id in made:
        iam.delete_access_key(UserName=name, AccessKeyId=key_id)
        iam.delete_user_policy(UserName=name, PolicyName="only")
        iam.delete_user(UserName=name)


@embedded
def test_the_actions_that_a_user_lacks_are_named_with_their_resource(caller: Any) -> None:
    iam, arn = caller(ASK, allow(["s3:CreateBucket"], BUCKET), allow(["lambda:GetFunction"], FUNCTION))
    grants = [
        (["s3:CreateBucket", "s3:PutBucketPolicy"], BUCKET, {}),
        (["lambda:GetFunction", "lambda:DeleteFunction"], FUNCTION, {}),
        (["lambda:GetFunction"], f"{FUNCTION}-other", {}),
    ]
    assert denied(iam, arn, grants) == [
        ("s3:PutBucketPolicy", BUCKET),
        ("lambda:DeleteFunction", FUNCTION),
        ("lambda:GetFunction", f"{FUNCTION}-other"),
    ]


@embedded
def test_an_action_that_a_policy_forbids_is_denied(caller: Any) -> None:
    iam, arn = caller(ASK, allow(["s3:*"], "*"), {"Effect": "Deny", "Action": "s3:CreateBucket", "Resource": "*"})
    grants = [(["s3:CreateBucket", "s3:ListBucket"], BUCKET, {})]
    assert denied(iam, arn, grants) == [("s3:CreateBucket", BUCKET)]


@embedded
def test_nothing_is_denied_to_whom_all_is_allowed(caller: Any) -> None:
    iam, arn = caller(ASK, allow(["s3:*"], "*"))
    assert denied(iam, arn, [(["s3:CreateBucket"], BUCKET, {})]) == []


@embedded
def test_who_may_not_ask_does_not_know(caller: Any) -> None:
    iam, arn = caller(allow(["s3:*"], "*"))
    assert denied(iam, arn, [(["s3:CreateBucket"], BUCKET, {})]) is None


@embedded
def test_of_a_roles_session_the_roles_policies_are_asked(aws: LocalSession) -> None:
    iam, name = aws.client("iam"), "simulated-role"
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]
    policy = {"Version": "2012-10-17", "Statement": [ASK, allow(["s3:ListBucket"], BUCKET)]}
    iam.put_role_policy(RoleName=name, PolicyName="only", PolicyDocument=json.dumps(policy))
    try:
        answer = aws.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="ann")
        keys = answer["Credentials"]
        session = boto3.Session(
            keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=aws.region_name
        )
        client = session.client("iam", endpoint_url=aws.endpoint_url)
        grants = [(["s3:ListBucket", "s3:CreateBucket"], BUCKET, {})]
        assert denied(client, answer["AssumedRoleUser"]["Arn"], grants) == [("s3:CreateBucket", BUCKET)]
        gone = f"arn:aws:sts::{ACCOUNT}:assumed-role/gone/ann"
        assert denied(client, gone, grants) is None
    finally:
        iam.delete_role_policy(RoleName=name, PolicyName="only")
        iam.delete_role(RoleName=name)


def result(action: str, decision: str = "allowed", **more: Any) -> dict[str, Any]:
    return {"EvalActionName": action, "EvalDecision": decision, **more}


@pytest.fixture
def stubbed() -> Iterator[tuple[Any, Stubber]]:
    """A client with no AWS behind it, for what the embedded AWS does not say."""
    iam = boto3.Session("AKIAIOSFODNN7EXAMPLE", "x", region_name="us-east-1").client("iam")
    with Stubber(iam) as stubber:
        yield iam, stubber
        stubber.assert_no_pending_responses()


def test_root_is_not_asked_about(stubbed: tuple[Any, Stubber]) -> None:
    assert denied(stubbed[0], f"arn:aws-cn:iam::{ACCOUNT}:root", [(["s3:CreateBucket"], BUCKET, {})]) == []


@pytest.mark.parametrize("who", ["federated-user/ann", "something-new/ann"])
def test_a_caller_without_policies_of_its_own_is_unknown(stubbed: tuple[Any, Stubber], who: str) -> None:
    assert denied(stubbed[0], f"arn:aws:sts::{ACCOUNT}:{who}", [(["s3:CreateBucket"], BUCKET, {})]) is None


def test_a_role_is_asked_about_with_its_path_and_the_context_of_the_call(stubbed: tuple[Any, Stubber]) -> None:
    iam, stubber = stubbed
    path = "aws-reserved/sso.amazonaws.com/eu-west-1"
    arn = f"arn:aws:iam::{ACCOUNT}:role/{path}/AWSReservedSSO_deploy_0123"
    role = {
        "Path": f"/{path}/",
        "RoleName": "AWSReservedSSO_deploy_0123",
        "RoleId": "AROA0123456789012345",
        "Arn": arn,
        "CreateDate": "2026-01-01",
    }
    stubber.add_response("get_role", {"Role": role}, {"RoleName": "AWSReservedSSO_deploy_0123"})
    expected = {
        "PolicySourceArn": arn,
        "ResourceArns": [ROLE],
        "ActionNames": ["iam:PassRole"],
        "ContextEntries": [
            {
                "ContextKeyName": "iam:PassedToService",
                "ContextKeyValues": ["lambda.amazonaws.com"],
                "ContextKeyType": "string",
            }
        ],
    }
    answer = {"EvaluationResults": [result("iam:PassRole", "implicitDeny")]}
    stubber.add_response("simulate_principal_policy", answer, expected)
    caller = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_deploy_0123/ann@example.org"
    grants = [(["iam:PassRole"], ROLE, {"iam:PassedToService": "lambda.amazonaws.com"})]
    assert denied(iam, caller, grants) == [("iam:PassRole", ROLE)]


def test_every_page_is_read_and_an_empty_one_is_not_the_last(stubbed: tuple[Any, Stubber]) -> None:
    iam, stubber = stubbed
    pages: list[list[dict[str, Any]]] = [[], [result("s3:CreateBucket")], [result("s3:PutObject", "explicitDeny")]]
    for number, page in enumerate(pages):
        more = {"IsTruncated": True, "Marker": str(number)} if number < 2 else {"IsTruncated": False}
        stubber.add_response("simulate_principal_policy", {"EvaluationResults": page, **more})
    assert denied(iam, USER, [(["s3:CreateBucket", "s3:PutObject"], BUCKET, {})]) == [("s3:PutObject", BUCKET)]


def test_what_depends_on_a_value_that_is_not_known_is_not_denied(stubbed: tuple[Any, Stubber]) -> None:
    iam, stubber = stubbed
    unsure = result("s3:CreateBucket", "implicitDeny", MissingContextValues=["aws:MultiFactorAuthPresent"])
    stubber.add_response("simulate_principal_policy", {"EvaluationResults": [unsure]})
    assert denied(iam, USER, [(["s3:CreateBucket"], BUCKET, {})]) == []


def test_actions_that_are_not_taken_together_are_asked_one_by_one(stubbed: tuple[Any, Stubber]) -> None:
    iam, stubber = stubbed
    stubber.add_client_error("simulate_principal_policy", "InvalidInput", http_status_code=400)
    stubber.add_response("simulate_principal_policy", {"EvaluationResults": [result("s3:GetObject", "implicitDeny")]})
    stubber.add_client_error("simulate_principal_policy", "InvalidInput", http_status_code=400)
    assert denied(iam, USER, [(["s3:GetObject", "s3:Unheard"], BUCKET, {})]) == [("s3:GetObject", BUCKET)]


def test_a_refusal_to_say_whose_role_it_is_leaves_it_unknown(stubbed: tuple[Any, Stubber]) -> None:
    iam, stubber = stubbed
    stubber.add_client_error("get_role", "AccessDenied", http_status_code=403)
    caller = f"arn:aws:sts::{ACCOUNT}:assumed-role/x/ann"
    assert denied(iam, caller, [(["s3:GetObject"], BUCKET, {})]) is None


def test_another_failure_is_a_typed_error(stubbed: tuple[Any, Stubber]) -> None:
    iam, stubber = stubbed
    stubber.add_client_error("simulate_principal_policy", "Throttling", http_status_code=400)
    with pytest.raises(errors.ThrottledError):
        denied(iam, USER, [(["s3:GetObject"], BUCKET, {})])
