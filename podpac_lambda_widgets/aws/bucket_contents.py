"""What is in a bucket: count what is ours, and take it away."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from podpac_lambda_widgets import limits
from podpac_lambda_widgets.aws.error_codes import error_code
from podpac_lambda_widgets.aws.head import status
from podpac_lambda_widgets.aws.translate import asking
from podpac_lambda_widgets.errors import AwsError, ResourceNotFoundError
from podpac_lambda_widgets.plan.account import BucketCount, Progress
from podpac_lambda_widgets.plan.resources import STACK_METADATA, Bucket, BucketContents, StoredObject


def count_objects(s3: Any, bucket: Bucket | BucketContents, stack: str, account: str) -> BucketCount:
    """How many objects of the bucket are ours, and how many are somebody else's; versions and markers count.

    Of an adopted bucket only our own prefixes are looked through. A result is one, however many versions it has.
    """
    with asking("Counting the bucket's objects", bucket.name):
        is_own = _ownership(s3, bucket, stack, account)
        versions = list(_versions(s3, bucket, account))
        keys = [found["Key"] for found in versions]
        uploads = sum(1 for _ in _own_uploads(s3, bucket, account))
        own = [key for key in keys if is_own(key)]
        current = {found["Key"] for found in versions if found["Current"]}
    results = sum(not key.startswith(bucket.no_results) for key in current.intersection(own))
    return BucketCount(own=len(own), foreign=len(keys) - len(own), results=results, uploads=uploads)


def list_archives(s3: Any, bucket: Bucket, account: str) -> tuple[StoredObject, ...]:
    """Our archives in the bucket, by the form of their keys, which only we make."""
    own_keys, found = re.compile(bucket.own_keys), []
    with asking("Looking for archives in the bucket", bucket.name):
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket.name, Prefix=bucket.own_prefixes[0], ExpectedBucketOwner=account
        )
        for each in (each for page in pages for each in page.get("Contents", [])):
            if own_keys.fullmatch(each["Key"]):
                found.append(_archive(bucket.name, each["Key"], each["Size"]))
    return tuple(found)


def _archive(bucket: str, key: str, size: int) -> StoredObject:
    content = "distribution" if "/podpac_dist_" in key else "dependencies"
    return StoredObject(name=f"{bucket}/{key}", bucket=bucket, key=key, sha256="", size=size, content=content)


def empty_bucket(s3: Any, bucket: Bucket | BucketContents, stack: str, account: str, progress: Progress) -> None:
    """Take away what is ours in the bucket: every version, every delete marker, every unfinished upload.

    A bucket that is gone has nothing in it.
    """
    try:
        with asking("Emptying the bucket", bucket.name):
            is_own = _ownership(s3, bucket, stack, account)
            own = [
                {"Key": found["Key"], "VersionId": found["VersionId"]}
                for found in _versions(s3, bucket, account)
                if is_own(found["Key"])
            ]
            for start in range(0, len(own), limits.DELETED_OBJECTS):
                _delete_batch(s3, bucket.name, account, own[start : start + limits.DELETED_OBJECTS])
                progress(min(start + limits.DELETED_OBJECTS, len(own)), len(own))
            for upload in list(_own_uploads(s3, bucket, account)):
                _abort_upload(s3, bucket.name, account, upload)
    except ResourceNotFoundError:
        return


def _abort_upload(s3: Any, name: str, account: str, upload: dict[str, str]) -> None:
    try:
        s3.abort_multipart_upload(Bucket=name, ExpectedBucketOwner=account, **upload)
    except ClientError as error:
        if error_code(error) != "NoSuchUpload":
            raise


def _versions(s3: Any, bucket: Bucket | BucketContents, account: str) -> Iterator[dict[str, Any]]:
    for prefix in _prefixes(bucket):
        pages = s3.get_paginator("list_object_versions").paginate(
            Bucket=bucket.name, Prefix=prefix, ExpectedBucketOwner=account
        )
        for page in pages:
            for found in page.get("Versions", []):
                yield {"Key": found["Key"], "VersionId": found["VersionId"], "Current": found["IsLatest"]}
            for found in page.get("DeleteMarkers", []):
                yield {"Key": found["Key"], "VersionId": found["VersionId"], "Current": False}


def _prefixes(bucket: Bucket | BucketContents) -> list[str]:
    """What to look through, nothing twice: the folders of a wish may be the same, or one in the other."""
    if not bucket.adopted:
        return [""]
    given = set(bucket.own_prefixes)
    return sorted(each for each in given if not any(each.startswith(other) for other in given - {each}))


def _ownership(s3: Any, bucket: Bucket | BucketContents, stack: str, account: str) -> Callable[[str], bool]:
    """Whether a key is ours: by its form, which only we make, else by the mark in its metadata."""
    own_keys = re.compile(bucket.own_keys or r"(?!)")

    @cache
    def is_own(key: str) -> bool:
        if own_keys.fullmatch(key):
            return True
        try:
            head = s3.head_object(Bucket=bucket.name, Key=key, ExpectedBucketOwner=account)
        except ClientError as error:
            # 400: encrypted with a key that only its owner has. 405: deleted.
            if status(error) not in (400, 404, 405):
                raise
            return False
        return bool(head.get("Metadata", {}).get(STACK_METADATA) == stack)

    return is_own


def _delete_batch(s3: Any, name: str, account: str, batch: list[dict[str, str]]) -> None:
    answer = s3.delete_objects(Bucket=name, ExpectedBucketOwner=account, Delete={"Objects": batch, "Quiet": True})
    if answer.get("Errors"):
        first = answer["Errors"][0]
        raise AwsError(
            "An object could not be deleted",
            resource=f"{name}/{first.get('Key')}",
            why=str(first.get("Message") or ""),
            next_step="Look at the object's lock or the bucket's policy, then delete again.",
            code=str(first.get("Code") or ""),
            request_id=str(answer.get("ResponseMetadata", {}).get("RequestId", "")),
        )


def _own_uploads(s3: Any, bucket: Bucket | BucketContents, account: str) -> Iterator[dict[str, str]]:
    """Our unfinished uploads; of an adopted bucket only those whose key nobody else makes."""
    own_keys = re.compile(bucket.own_keys or r"(?!)")
    for prefix in _prefixes(bucket):
        pages = s3.get_paginator("list_multipart_uploads").paginate(
            Bucket=bucket.name, Prefix=prefix, ExpectedBucketOwner=account
        )
        for upload in (upload for page in pages for upload in page.get("Uploads", [])):
            key = upload["Key"]
            if own_keys.fullmatch(key) or (not bucket.adopted and key.startswith(bucket.own_prefixes)):
                yield {"Key": key, "UploadId": upload["UploadId"]}
