"""Archives and results in a bucket: read, put, copy, fetch, delete."""

from __future__ import annotations

import base64
import hashlib
import threading
from typing import Any

from boto3.s3.transfer import TransferConfig

from podpac_lambda_widgets.aws.translate import asking
from podpac_lambda_widgets.errors import ArchiveMissingError, ResourceNotFoundError
from podpac_lambda_widgets.limits import MEGABYTE
from podpac_lambda_widgets.plan.account import Progress
from podpac_lambda_widgets.plan.resources import STACK_METADATA, Observed, StoredObject

#: The digest of the whole object; S3's own checksum of a multipart upload is one of its parts' checksums.
SHA256_METADATA = "podpac-lambda-widgets-sha256"
_TRANSFER = TransferConfig(multipart_threshold=16 * MEGABYTE, multipart_chunksize=16 * MEGABYTE)


def read_object(s3: Any, wanted: StoredObject, account: str) -> Observed | None:
    """The object as S3 has it."""
    try:
        with asking("Reading the object", wanted.name):
            head = s3.head_object(Bucket=wanted.bucket, Key=wanted.key, ExpectedBucketOwner=account)
    except ResourceNotFoundError:
        return None
    metadata = head.get("Metadata", {})
    found = StoredObject(
        name=wanted.name,
        bucket=wanted.bucket,
        key=wanted.key,
        sha256=metadata.get(SHA256_METADATA, ""),
        size=head["ContentLength"],
        content=wanted.content,
    )
    return Observed(found, metadata.get(STACK_METADATA))


def put_object(s3: Any, wanted: StoredObject, stack: str, account: str, progress: Progress) -> None:
    """Upload the archive, in parts when it is large, or copy it from the other bucket inside S3."""
    extra = {
        "Metadata": {STACK_METADATA: stack, SHA256_METADATA: wanted.sha256},
        "ContentType": "application/zip",
        "ChecksumAlgorithm": "SHA256",
        "ExpectedBucketOwner": account,
    }
    counter = _Counter(wanted.size, progress)
    with asking("Uploading", str(wanted)):
        if wanted.path is not None:
            s3.upload_file(
                str(wanted.path), wanted.bucket, wanted.key, ExtraArgs=extra, Callback=counter, Config=_TRANSFER
            )
        elif wanted.copied_from is not None:
            bucket, key = wanted.copied_from
            s3.copy(
                {"Bucket": bucket, "Key": key},
                wanted.bucket,
                wanted.key,
                ExtraArgs={**extra, "MetadataDirective": "REPLACE"},
                Callback=counter,
                Config=_TRANSFER,
            )
        else:
            raise ArchiveMissingError("There is nothing to upload", resource=str(wanted))


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


def inspect_object(s3: Any, bucket: str, key: str) -> dict[str, str | int]:
    """Size in bytes, ETag and SHA-256 (hexadecimal; empty when S3 does not know that of the whole) of an object."""
    with asking("Reading the object", f"s3://{bucket}/{key}"):
        head = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    sha256 = head.get("Metadata", {}).get(SHA256_METADATA, "")
    if not sha256 and head.get("ChecksumSHA256") and head.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT":
        sha256 = base64.b64decode(head["ChecksumSHA256"]).hex() if "-" not in head["ChecksumSHA256"] else ""
    return {"size": head["ContentLength"], "etag": str(head.get("ETag", "")), "sha256": sha256}


def fetch_object(s3: Any, bucket: str, key: str, progress: Progress) -> bytes:
    """The whole object."""
    with asking("Fetching", f"s3://{bucket}/{key}"):
        answer = s3.get_object(Bucket=bucket, Key=key)
        total = int(answer["ContentLength"])
        body = bytearray()
        for chunk in answer["Body"].iter_chunks(MEGABYTE):
            body += chunk
            progress(len(body), total)
    return bytes(body)


def digest(data: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
