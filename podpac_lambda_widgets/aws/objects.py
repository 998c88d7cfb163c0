"""Archives and results in a bucket: read, put, copy, fetch, delete."""

from __future__ import annotations

import base64
import hashlib
import threading
from pathlib import Path
from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError

from podpac_lambda_widgets.aws.head import Confirm, asking_head
from podpac_lambda_widgets.aws.translate import asking
from podpac_lambda_widgets.aws.waiting import TRANSFER_TIMEOUT
from podpac_lambda_widgets.errors import ArchiveCorruptError, ArchiveMissingError, AwsError, ResourceNotFoundError
from podpac_lambda_widgets.limits import MEGABYTE, MULTIPART_BYTES
from podpac_lambda_widgets.plan.account import Progress
from podpac_lambda_widgets.plan.resources import STACK_METADATA, Observed, StoredObject

#: The digest of the whole object; S3's own checksum of a multipart upload is one of its parts' checksums.
SHA256_METADATA = "podpac-lambda-widgets-sha256"
_TRANSFER = TransferConfig(multipart_threshold=MULTIPART_BYTES, multipart_chunksize=MULTIPART_BYTES)


def read_object(s3: Any, wanted: StoredObject, account: str, confirm: Confirm) -> Observed | None:
    """The object as S3 has it."""
    try:
        with asking_head("Reading the object", wanted.name, "s3:GetObject", confirm):
            head = s3.head_object(
                Bucket=wanted.bucket, Key=wanted.key, ExpectedBucketOwner=account, ChecksumMode="ENABLED"
            )
    except ResourceNotFoundError:
        return None
    found = StoredObject(
        name=wanted.name,
        bucket=wanted.bucket,
        key=wanted.key,
        sha256=_sha256(head),
        size=head["ContentLength"],
        content=wanted.content,
    )
    return Observed(found, head.get("Metadata", {}).get(STACK_METADATA))


def _sha256(head: dict[str, Any]) -> str:
    """SHA-256 of the whole object, in hexadecimal: S3's own where it has one, else what was written beside it."""
    checksum = str(head.get("ChecksumSHA256") or "")
    if checksum and "-" not in checksum and head.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT":
        return base64.b64decode(checksum).hex()
    return str(head.get("Metadata", {}).get(SHA256_METADATA, ""))


def put_object(s3: Any, wanted: StoredObject, stack: str, account: str, progress: Progress, confirm: Confirm) -> None:
    """Upload the archive, in parts when it is large, or copy it from the other bucket inside S3.

    Raises
    ------
    ArchiveMissingError
        There is no such file.
    ArchiveCorruptError
        The file cannot be read, or the other bucket's object is not the one that was inspected.
    """
    extra = {
        "Metadata": {STACK_METADATA: stack, SHA256_METADATA: wanted.sha256},
        "ContentType": "application/zip",
        "ChecksumAlgorithm": "SHA256",
        "ExpectedBucketOwner": account,
    }
    if wanted.path is not None:
        _upload(s3, wanted, wanted.path, extra, progress)
    elif wanted.copied_from is not None:
        _copy(s3, wanted, wanted.copied_from, extra, confirm)
        progress(wanted.size, wanted.size)
    else:
        raise ArchiveMissingError("There is nothing to upload", resource=str(wanted))


def _upload(s3: Any, wanted: StoredObject, path: Path, extra: dict[str, Any], progress: Progress) -> None:
    counter = _Counter(wanted.size, progress)
    with asking("Uploading", str(wanted), seconds=TRANSFER_TIMEOUT):
        try:
            s3.upload_file(str(path), wanted.bucket, wanted.key, ExtraArgs=extra, Callback=counter, Config=_TRANSFER)
        except BotoCoreError:
            # Some of these are OSErrors too.
            raise
        except OSError as error:
            kind = ArchiveMissingError if isinstance(error, FileNotFoundError) else ArchiveCorruptError
            raise kind(
                "The archive cannot be read",
                resource=str(path),
                why=str(error.strerror or error),
                next_step="Build the archives again, or name others.",
            ) from None


def _copy(s3: Any, wanted: StoredObject, source: tuple[str, str], extra: dict[str, Any], confirm: Confirm) -> None:
    # One CopyObject takes up to 5 GB, more than Lambda could unpack; it names the owner of the destination alone,
    # whereas a transfer would ask it of the source too.
    found = inspect_object(s3, *source, confirm)
    if found["size"] != wanted.size or found["sha256"] not in ("", wanted.sha256):
        raise _changed(source, f"It has {found['size']:,} bytes and SHA-256 {found['sha256'] or 'unknown'}.")
    try:
        with asking("Copying", str(wanted), seconds=TRANSFER_TIMEOUT):
            answer = s3.copy_object(
                Bucket=wanted.bucket,
                Key=wanted.key,
                CopySource={"Bucket": source[0], "Key": source[1]},
                CopySourceIfMatch=found["etag"],
                MetadataDirective="REPLACE",
                TaggingDirective="REPLACE",
                **extra,
            )
    except AwsError as error:
        raise (_changed(source, error.why) if error.code == "PreconditionFailed" else error) from None
    copied = _sha256(answer.get("CopyObjectResult", {}))
    if copied not in ("", wanted.sha256):
        delete_object(s3, wanted, str(extra["ExpectedBucketOwner"]))
        raise _changed(source, f"Its SHA-256 is {copied}, that of the inspected one {wanted.sha256}.")


def _changed(source: tuple[str, str], why: str) -> ArchiveCorruptError:
    return ArchiveCorruptError(
        "The archive is not the one that was inspected",
        resource=f"s3://{source[0]}/{source[1]}",
        why=why,
        next_step="Somebody has changed it since: build again.",
    )


class _Counter:
    """Adds up what the transfer threads have sent."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._total, self._progress = total, progress
        self._done = 0
        self._lock = threading.Lock()

    def __call__(self, count: int) -> None:
        with self._lock:
            self._done += count
            self._progress(self._done, self._total)


def delete_object(s3: Any, found: StoredObject, account: str) -> None:
    """Take the object away; gone already is fine."""
    with asking("Deleting the object", found.name):
        s3.delete_object(Bucket=found.bucket, Key=found.key, ExpectedBucketOwner=account)


def inspect_object(s3: Any, bucket: str, key: str, confirm: Confirm) -> dict[str, str | int]:
    """Size in bytes, ETag and SHA-256 (hexadecimal; empty when S3 does not know that of the whole) of an object."""
    with asking_head("Reading the object", f"s3://{bucket}/{key}", "s3:GetObject", confirm):
        head = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    return {"size": head["ContentLength"], "etag": str(head.get("ETag", "")), "sha256": _sha256(head)}


def put_document(s3: Any, bucket: str, key: str, body: bytes, stack: str, account: str) -> None:
    """Store a JSON document in a bucket of the account."""
    sha256 = hashlib.sha256(body)
    with asking("Storing", f"s3://{bucket}/{key}", seconds=TRANSFER_TIMEOUT):
        s3.put_object(
            Bucket=bucket,
            Key=key,
            Body=body,
            ContentType="application/json",
            ChecksumSHA256=base64.b64encode(sha256.digest()).decode(),
            ExpectedBucketOwner=account,
            Metadata={STACK_METADATA: stack, SHA256_METADATA: sha256.hexdigest()},
        )


def remove_document(s3: Any, bucket: str, key: str, account: str) -> None:
    """Take a document away; gone already is fine."""
    with asking("Removing", f"s3://{bucket}/{key}"):
        s3.delete_object(Bucket=bucket, Key=key, ExpectedBucketOwner=account)


def fetch_object(s3: Any, bucket: str, key: str, owner: str, progress: Progress) -> bytes:
    """The whole object; of a bucket of that account, where ``owner`` is one."""
    expected = {"ExpectedBucketOwner": owner} if owner else {}
    with asking("Fetching", f"s3://{bucket}/{key}", seconds=TRANSFER_TIMEOUT):
        answer = s3.get_object(Bucket=bucket, Key=key, **expected)
        total = int(answer["ContentLength"])
        body = bytearray()
        for chunk in answer["Body"].iter_chunks(MEGABYTE):
            body += chunk
            progress(len(body), total)
    return bytes(body)
