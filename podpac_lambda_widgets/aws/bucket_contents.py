"""What is in a bucket: count what is ours, and take it away."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from podpac_lambda_widgets.aws.head import status
from podpac_lambda_widgets.aws.translate import asking
from podpac_lambda_widgets.errors import AwsError
from podpac_lambda_widgets.plan.account import Progress
from podpac_lambda_widgets.plan.resources import STACK_METADATA, Bucket, BucketContents

#: The most objects that one DeleteObjects call takes (S3 API reference).
_BATCH = 1000


def count_objects(s3: Any, bucket: Bucket, stack: str, account: str) -> tuple[int, int]:
    """How many objects of the bucket are ours, and how many are somebody else's; versions and markers count.

    Of an adopted bucket only our own prefixes are looked through.
    """
    with asking("Counting the bucket's objects", bucket.name):
        is_own = _ownership(s3, bucket, stack, account)
        owned = [is_own(found["Key"]) for found in _versions(s3, bucket, account)]
    return sum(owned), len(owned) - sum(owned)


def empty_bucket(s3: Any, bucket: Bucket | BucketContents, stack: str, account: str, progress: Progress) -> None:
    """Take away what is ours in the bucket: every version, every delete marker, every unfinished upload."""
    with asking("Emptying the bucket", bucket.name):
        is_own = _ownership(s3, bucket, stack, account)
        own = [found for found in _versions(s3, bucket, account) if is_own(found["Key"])]
        for start in range(0, len(own), _BATCH):
            _delete_batch(s3, bucket.name, account, own[start : start + _BATCH])
            progress(min(start + _BATCH, len(own)), len(own))
        _abort_uploads(s3, bucket, account)


def _versions(s3: Any, bucket: Bucket | BucketContents, account: str) -> Iterator[dict[str, str]]:
    for prefix in bucket.own_prefixes if bucket.adopted else ("",):
        pages = s3.get_paginator("list_object_versions").paginate(
            Bucket=bucket.name, Prefix=prefix, ExpectedBucketOwner=account
        )
        for page in pages:
            for found in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                yield {"Key": found["Key"], "VersionId": found["VersionId"]}


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
        )


def _abort_uploads(s3: Any, bucket: Bucket | BucketContents, account: str) -> None:
    own_keys = re.compile(bucket.own_keys or r"(?!)")
    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket.name, ExpectedBucketOwner=account)
    for upload in [upload for page in pages for upload in page.get("Uploads", [])]:
        key = upload["Key"]
        if own_keys.fullmatch(key) or (not bucket.adopted and key.startswith(bucket.own_prefixes)):
            s3.abort_multipart_upload(
                Bucket=bucket.name, Key=key, UploadId=upload["UploadId"], ExpectedBucketOwner=account
            )
