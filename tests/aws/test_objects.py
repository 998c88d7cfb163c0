"""Archives arrive whole, from a file or another's bucket, or it is said why not."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.plan.changes import Update
from podpac_lambda_widgets.plan.difference import differences
from podpac_lambda_widgets.plan.resources import STACK_METADATA, StoredObject

pytestmark = pytest.mark.local_aws

STACK = "objects@us-east-1"
OURS, THEIRS = "podpac-test-objects", "podpac-test-source"
CONTENT = b"an archive" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def nothing(done: int, total: int) -> None:
    """No progress."""


def stored(**values: Any) -> StoredObject:
    given = {"sha256": SHA256, "size": len(CONTENT), **values}
    return StoredObject(name=f"{OURS}/a.zip", bucket=OURS, key="a.zip", **given)


@pytest.fixture
def s3(aws: LocalSession) -> Iterator[Any]:
    """A client, our bucket, and another with an archive in it."""
    client = aws.client("s3")
    for name in (OURS, THEIRS):
        client.create_bucket(Bucket=name)
    client.put_object(Bucket=THEIRS, Key="d.zip", Body=CONTENT)
    yield client
    for name in (OURS, THEIRS):
        for each in client.list_objects_v2(Bucket=name).get("Contents", []):
            client.delete_object(Bucket=name, Key=each["Key"])
        client.delete_bucket(Bucket=name)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A file here."""
    path = tmp_path / "a.zip"
    path.write_bytes(CONTENT)
    return path


@pytest.mark.parametrize("size", [len(CONTENT), 17 * 1024 * 1024], ids=["one part", "parts"])
def test_a_refused_upload_is_a_typed_error(aws: LocalSession, s3: Any, faults: Any, archive: Path, size: int) -> None:
    with archive.open("ab") as file:
        file.truncate(size)
    message = "User: x is not authorized to perform: s3:PutObject on resource y"
    for operation in ("PutObject", "CreateMultipartUpload"):
        faults.answer(f"s3.{operation}", 403, code="AccessDenied", message=message)
    with pytest.raises(errors.AccessDeniedError) as caught:
        AwsAccount(aws).create(stored(path=archive, size=size), STACK, nothing)
    assert caught.value.action == "s3:PutObject"


def test_a_large_archive_goes_in_parts_tells_how_far_it_is_and_goes_again_only_when_it_changed(
    aws: LocalSession, s3: Any, faults: Any, archive: Path
) -> None:
    parts, told = faults.count("s3.UploadPart"), list[tuple[int, int]]()
    account, size = AwsAccount(aws), 33 * 1024 * 1024
    content = CONTENT.ljust(size, b"x")
    archive.write_bytes(content)
    wanted = stored(path=archive, size=size, sha256=hashlib.sha256(content).hexdigest())
    account.create(wanted, STACK, lambda done, total: told.append((done, total)))
    assert len(parts) == 3
    assert len(told) > 3
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert {total for _, total in told} == {size}
    assert told[-1] == (size, size)
    found = account.read(wanted)
    assert found is not None
    assert (found.stack, differences(wanted, found.resource)) == (STACK, ())
    archive.write_bytes(content[::-1])
    changed = stored(path=archive, size=size, sha256=hashlib.sha256(content[::-1]).hexdigest())
    difference = differences(changed, found.resource)
    assert [each.field for each in difference] == ["sha256"]
    account.update(Update(changed, difference), STACK, nothing)
    assert len(parts) == 6
    assert s3.get_object(Bucket=OURS, Key="a.zip")["Body"].read() == content[::-1]


def test_an_upload_that_nobody_answers_says_so(aws: LocalSession, s3: Any, faults: Any, archive: Path) -> None:
    def lose(**_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="https://x")

    faults.hook("after-call.s3.PutObject", lose)
    with pytest.raises(errors.EndpointUnreachableError, match="300 seconds"):
        AwsAccount(aws).create(stored(path=archive), STACK, nothing)


def test_a_network_that_is_gone_is_not_told_as_a_bad_file(
    aws: LocalSession, s3: Any, faults: Any, archive: Path
) -> None:
    def fail(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://x")

    faults.hook("before-call.s3.PutObject", fail)
    with pytest.raises(errors.EndpointUnreachableError):
        AwsAccount(aws).create(stored(path=archive), STACK, nothing)


def test_a_file_that_has_gone_is_missing(aws: LocalSession, s3: Any, tmp_path: Path) -> None:
    with pytest.raises(errors.ArchiveMissingError) as caught:
        AwsAccount(aws).create(stored(path=tmp_path / "gone.zip"), STACK, nothing)
    assert "gone.zip" in caught.value.resource
    assert caught.value.next_step


def test_a_file_that_cannot_be_read_is_corrupt(aws: LocalSession, s3: Any, tmp_path: Path) -> None:
    with pytest.raises(errors.ArchiveCorruptError):
        AwsAccount(aws).create(stored(path=tmp_path), STACK, nothing)


def test_a_copy_names_the_owner_of_the_destination_alone(aws: LocalSession, s3: Any, faults: Any) -> None:
    heads, copies = faults.count("s3.HeadObject"), faults.count("s3.CopyObject")
    told: list[tuple[int, int]] = []
    AwsAccount(aws).create(stored(copied_from=(THEIRS, "d.zip")), STACK, lambda *counts: told.append(counts))
    assert [request["headers"].get("x-amz-expected-bucket-owner") for request in heads] == [None]
    assert [request["headers"]["x-amz-expected-bucket-owner"] for request in copies] == ["000000000000"]
    assert copies[0]["headers"]["x-amz-copy-source-if-match"] == s3.head_object(Bucket=THEIRS, Key="d.zip")["ETag"]
    assert told[-1] == (len(CONTENT), len(CONTENT))
    head = s3.head_object(Bucket=OURS, Key="a.zip")
    assert head["Metadata"][STACK_METADATA] == STACK
    assert s3.get_object(Bucket=OURS, Key="a.zip")["Body"].read() == CONTENT


def test_what_was_changed_since_its_inspection_is_not_copied(aws: LocalSession, s3: Any) -> None:
    s3.put_object(Bucket=THEIRS, Key="d.zip", Body=b"another")
    with pytest.raises(errors.ArchiveCorruptError, match="inspected"):
        AwsAccount(aws).create(stored(copied_from=(THEIRS, "d.zip")), STACK, nothing)
    assert "Contents" not in s3.list_objects_v2(Bucket=OURS)


def test_what_is_changed_while_it_is_copied_is_not_taken(aws: LocalSession, s3: Any, faults: Any) -> None:
    faults.hook(
        "before-call.s3.CopyObject", lambda **_: s3.put_object(Bucket=THEIRS, Key="d.zip", Body=CONTENT[::-1]) and None
    )
    with pytest.raises(errors.ArchiveCorruptError, match="inspected"):
        AwsAccount(aws).create(stored(copied_from=(THEIRS, "d.zip")), STACK, nothing)
    assert "Contents" not in s3.list_objects_v2(Bucket=OURS)


def test_a_copy_with_another_digest_is_taken_away_again(aws: LocalSession, s3: Any, faults: Any) -> None:
    other = hashlib.sha256(b"other").digest()
    faults.change("s3.CopyObject", CopyObjectResult={"ChecksumSHA256": base64.b64encode(other).decode()})
    with pytest.raises(errors.ArchiveCorruptError) as caught:
        AwsAccount(aws).create(stored(copied_from=(THEIRS, "d.zip")), STACK, nothing)
    assert other.hex() in caught.value.why
    assert "Contents" not in s3.list_objects_v2(Bucket=OURS)


def test_an_archive_that_may_not_be_read_names_the_permission(aws: LocalSession, s3: Any, faults: Any) -> None:
    faults.answer("s3.HeadObject", 403, message="Forbidden")
    with pytest.raises(errors.AccessDeniedError) as caught:
        AwsAccount(aws).create(stored(copied_from=(THEIRS, "d.zip")), STACK, nothing)
    assert caught.value.action == "s3:GetObject"


def test_what_lies_in_s3_is_believed_over_what_is_written_beside_it(aws: LocalSession, s3: Any, archive: Path) -> None:
    account = AwsAccount(aws)
    account.create(stored(path=archive, sha256="0" * 64), STACK, nothing)
    found = account.read(stored())
    assert found is not None
    assert getattr(found.resource, "sha256", "") == SHA256
