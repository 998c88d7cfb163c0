"""A bucket of ours, one of a stranger, and an answer that says neither are told apart; policies of others stay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.aws.s3 import SOMEBODY_ELSES, BucketElsewhereError
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.plan.changes import Update
from podpac_lambda_widgets.plan.difference import differences
from podpac_lambda_widgets.plan.resources import STACK_METADATA, Bucket

pytestmark = pytest.mark.local_aws

STACK = "buckets@us-east-1"
NAME = "podpac-test-buckets"
POLICY = {
    "Sid": "Ours",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": [f"arn:aws:s3:::{NAME}", f"arn:aws:s3:::{NAME}/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
WANTED = Bucket(name=NAME, region="us-east-1", tags={}, public_access_blocked=True, policy=POLICY)


@pytest.fixture
def s3(aws: LocalSession) -> Iterator[Any]:
    """A client, and the bucket."""
    client = aws.client("s3")
    client.create_bucket(Bucket=NAME)
    yield client
    client.delete_bucket_policy(Bucket=NAME)
    found = client.list_object_versions(Bucket=NAME)
    for each in [*found.get("Versions", []), *found.get("DeleteMarkers", [])]:
        client.delete_object(Bucket=NAME, Key=each["Key"], VersionId=each["VersionId"])
    client.delete_bucket(Bucket=NAME)


def test_a_bucket_is_asked_for_once_with_its_owner(aws: LocalSession, s3: Any, faults: Any) -> None:
    asked = faults.count("s3.HeadBucket")
    found = AwsAccount(aws).read(WANTED)
    assert found is not None
    assert found.stack is None
    assert [request["headers"]["x-amz-expected-bucket-owner"] for request in asked] == ["000000000000"]


@pytest.mark.parametrize(("status", "kind"), [(500, errors.AwsError), (503, errors.ThrottledError)])
def test_trouble_in_s3_does_not_make_our_bucket_a_strangers(
    aws: LocalSession, s3: Any, faults: Any, status: int, kind: type[errors.AwsError]
) -> None:
    faults.answer("s3.HeadBucket", status)
    with pytest.raises(kind):
        AwsAccount(aws).read(WANTED)


def test_a_bucket_that_is_forbidden_is_observed_as_a_strangers(aws: LocalSession, faults: Any) -> None:
    faults.answer("s3.HeadBucket", 403, message="Forbidden")
    found = AwsAccount(aws).read(WANTED)
    assert found is not None
    assert found.stack == SOMEBODY_ELSES
    assert "s3:ListBucket" in SOMEBODY_ELSES


def test_a_bucket_that_is_forbidden_but_in_our_namespace_is_ours(aws: LocalSession, faults: Any) -> None:
    faults.answer("s3.HeadBucket", 403, message="Forbidden")
    with pytest.raises(errors.AccessDeniedError) as caught:
        AwsAccount(aws).read(replace(WANTED, name="soil-000000000000-us-east-1-an"))
    assert caught.value.action == "s3:ListBucket"
    assert "s3:ListBucket" in caught.value.next_step
    assert "no other account's" in caught.value.why


def test_a_bucket_that_is_not_there_is_none(aws: LocalSession) -> None:
    assert AwsAccount(aws).read(replace(WANTED, name="podpac-no-such-bucket")) is None


def test_an_unreachable_s3_is_a_typed_error(aws: LocalSession, s3: Any, faults: Any) -> None:
    def lose(**_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="https://x")

    faults.hook("after-call.s3.HeadBucket", lose)
    with pytest.raises(errors.EndpointUnreachableError, match="60 seconds"):
        AwsAccount(aws).read(WANTED)


@pytest.mark.parametrize("status", [301, 400])
def test_a_bucket_is_elsewhere_only_when_s3_says_where(aws: LocalSession, faults: Any, status: int) -> None:
    faults.answer("s3.HeadBucket", status, headers={"x-amz-bucket-region": "eu-west-1"})
    with pytest.raises(BucketElsewhereError, match="eu-west-1"):
        AwsAccount(aws).read(WANTED)


def read_bucket(account: AwsAccount) -> object:
    return account.read(WANTED)


def inspect(account: AwsAccount) -> object:
    return account.inspect_object(NAME, "key")


@pytest.mark.parametrize(("operation", "read"), [("s3.HeadBucket", read_bucket), ("s3.HeadObject", inspect)])
@pytest.mark.parametrize("headers", [{}, {"x-amz-bucket-region": "us-east-1"}], ids=["bare", "same region"])
def test_a_400_without_a_reason_has_a_next_step(
    aws: LocalSession, faults: Any, operation: str, read: Any, headers: dict[str, str]
) -> None:
    faults.answer(operation, 400, message="Bad Request", headers=headers)
    with pytest.raises(errors.AwsError) as caught:
        read(AwsAccount(aws))
    assert not isinstance(caught.value, BucketElsewhereError)
    assert "Bad Request" not in str(caught.value)
    assert "region" in caught.value.next_step


@pytest.mark.parametrize(("operation", "read"), [("s3.HeadBucket", read_bucket), ("s3.HeadObject", inspect)])
def test_a_400_with_a_token_that_has_expired_says_so(aws: LocalSession, faults: Any, operation: str, read: Any) -> None:
    faults.answer(operation, 400, message="Bad Request")
    faults.answer("sts.GetCallerIdentity", 403, code="ExpiredToken", after=1)
    account = AwsAccount(aws)
    assert account.identity()
    with pytest.raises(errors.ExpiredCredentialsError):
        read(account)


def test_an_object_that_is_forbidden_names_the_permission(aws: LocalSession, faults: Any) -> None:
    faults.answer("s3.HeadObject", 403, message="Forbidden")
    with pytest.raises(errors.AccessDeniedError) as caught:
        AwsAccount(aws).inspect_object(NAME, "key")
    assert caught.value.action == "s3:GetObject"
    assert "another account" in caught.value.why


THEIRS = {
    "Sid": "Theirs",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:PutBucketAcl",
    "Resource": f"arn:aws:s3:::{NAME}",
}


@pytest.mark.parametrize("statement", [THEIRS, [THEIRS]], ids=["single", "list"])
def test_a_policy_of_others_keeps_its_statement_and_its_id(aws: LocalSession, s3: Any, statement: Any) -> None:
    account = AwsAccount(aws)
    s3.put_bucket_policy(
        Bucket=NAME, Policy=json.dumps({"Version": "2012-10-17", "Id": "TheirId", "Statement": statement})
    )
    found = account.read(WANTED)
    assert found is not None
    account.update(Update(WANTED, differences(WANTED, found.resource)), STACK, lambda done, total: None)
    document = json.loads(s3.get_bucket_policy(Bucket=NAME)["Policy"])
    assert document["Id"] == "TheirId"
    assert [each["Sid"] for each in document["Statement"]] == ["Theirs", "Ours"]
    found = account.read(WANTED)
    assert found is not None
    assert differences(WANTED, found.resource) == ()


def test_our_statement_is_found_when_it_is_the_only_one(aws: LocalSession, s3: Any) -> None:
    s3.put_bucket_policy(Bucket=NAME, Policy=json.dumps({"Version": "2012-10-17", "Statement": POLICY}))
    found = AwsAccount(aws).read(WANTED)
    assert found is not None
    assert "policy" not in {each.field for each in differences(WANTED, found.resource)}


def test_whose_an_object_is_is_asked_once_for_all_its_versions(aws: LocalSession, s3: Any, faults: Any) -> None:
    s3.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})
    for version in range(5):
        s3.put_object(Bucket=NAME, Key="theirs", Body=b"%d" % version)
        s3.put_object(Bucket=NAME, Key="marked", Body=b"%d" % version, Metadata={STACK_METADATA: STACK})
    asked = faults.count("s3.HeadObject")
    assert AwsAccount(aws).count_objects(WANTED, STACK) == (5, 5)
    assert len(asked) == 2


def test_an_object_under_a_key_of_its_owner_is_theirs(aws: LocalSession, s3: Any, faults: Any) -> None:
    s3.put_object(Bucket=NAME, Key="encrypted", Body=b"theirs")
    faults.answer("s3.HeadObject", 400)
    assert AwsAccount(aws).count_objects(WANTED, STACK) == (0, 1)
