"""Each kind of resource is read, made, mended and taken away on an AWS that checks signatures and policies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.engine.stack import Stack
from podpac_lambda_widgets.local.emulator import local_aws
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.plan.changes import Update
from podpac_lambda_widgets.plan.desired import ArchivePlace, Archives, desired_resources, named_resources
from podpac_lambda_widgets.plan.difference import differences
from podpac_lambda_widgets.plan.names import stack_names
from podpac_lambda_widgets.plan.resources import Bucket, LogGroup, Resource, Role, StoredObject
from podpac_lambda_widgets.secret import Secret

pytestmark = pytest.mark.local_aws

STACK = "room@us-east-1"


def nothing(done: int, total: int) -> None:
    """No progress."""


@pytest.fixture(params=["us-east-1", "eu-west-1"])
def regional(request: pytest.FixtureRequest, aws: LocalSession) -> Iterator[AwsAccount]:
    """The account in a region where S3 wants a location, and in the one where it does not."""
    if request.param == aws.region_name:
        yield AwsAccount(aws)
        return
    with local_aws(region_name=request.param) as session:
        yield AwsAccount(session)


def wanted(account: AwsAccount, tmp_path: Path, **traits: Any) -> tuple[Resource, ...]:
    path = tmp_path / "archive.zip"
    content = b"x" * 100_000
    path.write_bytes(content)
    place = ArchivePlace(hashlib.sha256(content).hexdigest(), len(content), path)
    deployment = Deployment(function_name="room", **traits)
    return desired_resources(deployment, Archives(place, place, "python3.11", "x86_64"), account.identity())


def by_kind(resources: tuple[Resource, ...], kind: type[Resource]) -> Any:
    return next(resource for resource in resources if isinstance(resource, kind))


def delete_all(account: AwsAccount) -> None:
    Stack(account, Deployment(function_name="room")).delete(confirm=True)


def test_what_was_made_is_read_back_as_wanted_and_ours(regional: AwsAccount, tmp_path: Path) -> None:
    resources = wanted(regional, tmp_path, function_tags={"project": "soil"})[:-1]
    stack = stack_names(Deployment(function_name="room"), regional.identity()).stack
    try:
        for resource in resources:
            assert regional.read(resource) is None
            regional.create(resource, stack, nothing)
            found = regional.read(resource)
            assert found is not None
            assert found.stack == stack
            assert differences(resource, found.resource) == ()
    finally:
        delete_all(regional)
    assert [regional.read(resource) for resource in resources] == [None] * len(resources)


def test_deleting_what_is_gone_is_no_error(account: AwsAccount, tmp_path: Path) -> None:
    for resource in wanted(account, tmp_path):
        if not isinstance(resource, StoredObject | Bucket):
            account.delete(resource, STACK, nothing)


STATEMENT = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::b/k"}
CHANGES: list[tuple[type[Resource], dict[str, Any]]] = [
    (LogGroup, {"retention": 7}),
    (LogGroup, {"tags": {"podpac-lambda-widgets:stack": STACK, "new": "tag"}}),
    (Role, {"description": "another"}),
    (Role, {"policies": {"podpac-lambda-widgets": {"Version": "2012-10-17", "Statement": [STATEMENT]}}}),
    (Role, {"tags": {"podpac-lambda-widgets:stack": STACK, "new": "tag"}}),
    (Bucket, {"tags": {"podpac-lambda-widgets:stack": STACK, "new": "tag"}}),
]


@pytest.mark.parametrize(("kind", "new"), CHANGES)
def test_a_differing_field_is_mended(
    account: AwsAccount, tmp_path: Path, kind: type[Resource], new: dict[str, Any]
) -> None:
    resource = by_kind(wanted(account, tmp_path), kind)
    try:
        account.create(resource, STACK, nothing)
        changed = replace(resource, **new)
        found = account.read(changed)
        assert found is not None
        account.update(Update(changed, differences(changed, found.resource)), STACK, nothing)
        found = account.read(changed)
        assert found is not None
        assert differences(changed, found.resource) == ()
    finally:
        delete_all(account)


def test_a_foreign_policy_statement_and_tag_survive_our_update(
    aws: LocalSession, account: AwsAccount, tmp_path: Path
) -> None:
    bucket: Bucket = by_kind(wanted(account, tmp_path), Bucket)
    s3 = aws.client("s3")
    theirs = {
        "Sid": "Theirs",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutBucketAcl",
        "Resource": f"arn:aws:s3:::{bucket.name}",
    }
    try:
        account.create(bucket, STACK, nothing)
        s3.put_bucket_policy(Bucket=bucket.name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [theirs]}))
        s3.put_bucket_tagging(Bucket=bucket.name, Tagging={"TagSet": [{"Key": "theirs", "Value": "1"}]})
        found = account.read(bucket)
        assert found is not None
        account.update(Update(bucket, differences(bucket, found.resource)), STACK, nothing)
        statements = json.loads(s3.get_bucket_policy(Bucket=bucket.name)["Policy"])["Statement"]
        assert [statement["Sid"] for statement in statements] == ["Theirs", "PodpacLambdaWidgetsTlsOnly"]
        tags = {tag["Key"] for tag in s3.get_bucket_tagging(Bucket=bucket.name)["TagSet"]}
        assert tags == {"theirs", "podpac-lambda-widgets:stack"}
    finally:
        delete_all(account)


def test_an_upload_tells_its_progress_up_to_the_end(account: AwsAccount, tmp_path: Path) -> None:
    resources = wanted(account, tmp_path)
    told: list[tuple[int, int]] = []
    try:
        account.create(by_kind(resources, Bucket), STACK, nothing)
        account.create(by_kind(resources, StoredObject), STACK, lambda done, total: told.append((done, total)))
    finally:
        delete_all(account)
    assert told[-1] == (100_000, 100_000)


def test_files_somebody_put_into_our_bucket_stay_and_so_does_the_bucket(
    aws: LocalSession, account: AwsAccount, tmp_path: Path, inventory: Callable[[], dict[str, Any]]
) -> None:
    resources = wanted(account, tmp_path)
    bucket, stored = by_kind(resources, Bucket), by_kind(resources, StoredObject)
    s3 = aws.client("s3")
    stack = Stack(account, Deployment(function_name="room"))
    account.create(bucket, STACK, nothing)
    account.create(stored, STACK, nothing)
    s3.put_object(Bucket=bucket.name, Key="thesis.txt", Body=b"years of work")
    with pytest.raises(errors.ConfirmationRequiredError, match="1 object in it is not ours"):
        stack.delete(confirm=True)
    plan = stack.delete(confirm="room")
    assert "not ours" in str(plan)
    assert list(inventory()["buckets"][bucket.name]["objects"]) == ["thesis.txt"]
    s3.delete_object(Bucket=bucket.name, Key="thesis.txt")
    stack.delete(confirm=True)
    assert bucket.name not in inventory()["buckets"]


def test_every_version_and_unfinished_upload_of_ours_goes(
    aws: LocalSession, account: AwsAccount, tmp_path: Path
) -> None:
    resources = wanted(account, tmp_path)
    bucket, stored = by_kind(resources, Bucket), by_kind(resources, StoredObject)
    s3 = aws.client("s3")
    account.create(bucket, STACK, nothing)
    s3.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    for _ in range(3):
        account.create(stored, STACK, nothing)
    s3.delete_object(Bucket=bucket.name, Key=stored.key)
    s3.create_multipart_upload(Bucket=bucket.name, Key="output/room/unfinished.nc")
    delete_all(account)
    assert account.read(bucket) is None


@pytest.mark.parametrize("code", ["InvalidClientTokenId", "SignatureDoesNotMatch"])
def test_wrong_credentials_are_told_from_other_failures(aws: LocalSession, code: str) -> None:
    known = aws.get_credentials().access_key
    session = boto3.Session(
        aws_access_key_id=known if code == "SignatureDoesNotMatch" else "AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key=Secret("wrong" * 8).reveal(),
        region_name="us-east-1",
    )
    make = session.client
    session.client = lambda name, **kwargs: make(name, endpoint_url=aws.endpoint_url, **kwargs)
    with pytest.raises(errors.WrongCredentialsError) as caught:
        AwsAccount(session).identity()
    assert caught.value.code == code
    assert "wrongwrong" not in str(caught.value)


def test_who_we_are_is_not_the_root_user(account: AwsAccount) -> None:
    identity = account.identity()
    assert ":user/" in identity.arn
    assert (identity.partition, identity.region) == ("aws", "us-east-1")


def test_an_object_that_is_not_there_is_a_typed_error(account: AwsAccount) -> None:
    with pytest.raises(errors.ResourceNotFoundError):
        account.inspect_object("podpac-no-such-bucket", "key")


def test_a_function_is_called_once_however_long_it_takes(aws: LocalSession, faults: Any) -> None:
    """A time limit of 60 s makes a client as patient as that for other calls, which may repeat."""
    sent: list[Any] = []

    def lose(request: Any, **_: Any) -> None:
        sent.append(request)
        raise ReadTimeoutError(endpoint_url="https://x")

    faults.hook("before-send.lambda.Invoke", lose)
    account = AwsAccount(aws)
    assert account.read(named_resources(Deployment(function_name="room"), account.identity())[0]) is None
    with pytest.raises(errors.EndpointUnreachableError, match="60 seconds") as caught:
        account.invoke("room", b"{}", 60.0)
    assert len(sent) == 1
    assert "still be running" in caught.value.next_step
