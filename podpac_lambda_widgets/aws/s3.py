"""Buckets: read, create, update, delete. Every call says whose bucket it must be."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from podpac_lambda_widgets.aws import tags
from podpac_lambda_widgets.aws.error_codes import error_code
from podpac_lambda_widgets.aws.head import Confirm, bucket_region, status, translate_head
from podpac_lambda_widgets.aws.lifecycle import put_lifecycle, read_lifecycle
from podpac_lambda_widgets.aws.translate import asking
from podpac_lambda_widgets.aws.waiting import retry
from podpac_lambda_widgets.clock import Clock
from podpac_lambda_widgets.errors import BucketElsewhereError, ResourceExistsError, ResourceNotFoundError
from podpac_lambda_widgets.plan.resources import Bucket, Observed

_BLOCK = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
#: Keys of S3's own, which cost nothing.
_ENCRYPTION = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]}
#: How long the tags of a new bucket are waited for, in seconds: S3's settings of a bucket take a moment to be seen.
_TAGS_SECONDS = 20.0
#: The stack named for a bucket that AWS does not let us look into.
SOMEBODY_ELSES = "another account, or s3:ListBucket is missing"


def read_bucket(s3: Any, wanted: Bucket, account: str, confirm: Confirm) -> Observed | None:
    """The bucket as AWS has it.

    One that belongs to another account is observed as a stranger's, not as missing. S3 answers the same when we may
    not list a bucket of our own; a name with our account in it tells the two apart.
    """
    try:
        with asking("Reading the bucket", wanted.name):
            head = _head(s3, wanted, account, confirm)
    except ResourceNotFoundError:
        return None
    if head is None:
        return _stranger(wanted)
    region = str(head.get("BucketRegion") or head["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region") or "")
    if region and region != wanted.region:
        raise _in_region(wanted, region)
    return _read_own(s3, wanted, account, region)


def _head(s3: Any, wanted: Bucket, account: str, confirm: Confirm) -> dict[str, Any] | None:
    try:
        head: dict[str, Any] = s3.head_bucket(Bucket=wanted.name, ExpectedBucketOwner=account)
    except ClientError as error:
        region = bucket_region(error)
        if status(error) in (301, 307, 400) and region not in ("", wanted.region):
            raise _in_region(wanted, region) from None
        if status(error) == 403 and not _only_ours(wanted, account):
            return None
        ours = "The name is in this account's own namespace: the bucket is no other account's."
        raise translate_head(error, "Reading the bucket", wanted.name, "s3:ListBucket", confirm, ours) from None
    return head


def _only_ours(bucket: Bucket, account: str) -> bool:
    """Whether the name is in the account's own namespace: nobody else can have a bucket of that name."""
    return bucket.name.endswith(f"-{account}-{bucket.region}-an")


def _stranger(wanted: Bucket) -> Observed:
    return Observed(
        Bucket(name=wanted.name, region="", tags={}, public_access_blocked=False, policy=None), SOMEBODY_ELSES
    )


def _in_region(wanted: Bucket, region: str) -> BucketElsewhereError:
    return BucketElsewhereError(
        f"The bucket is in {region}, the function in {wanted.region}",
        resource=wanted.name,
        why="Lambda takes code only from a bucket in its own region.",
        next_step=f"Choose another bucket name, or connect to {region}.",
    )


def _read_own(s3: Any, wanted: Bucket, account: str, region: str) -> Observed:
    who = {"Bucket": wanted.name, "ExpectedBucketOwner": account}
    with asking("Reading the bucket", wanted.name):
        found_tags = _read_tags(s3, who)
        block = _or_nothing(s3.get_public_access_block, who, "NoSuchPublicAccessBlockConfiguration")
        policy = _or_nothing(s3.get_bucket_policy, who, "NoSuchBucketPolicy").get("Policy")
        encryption = _or_nothing(s3.get_bucket_encryption, who, "ServerSideEncryptionConfigurationNotFoundError")
        lifecycle = read_lifecycle(s3, who, wanted.lifecycle)
    settings = block.get("PublicAccessBlockConfiguration", {})
    bucket = Bucket(
        name=wanted.name,
        region=region or wanted.region,
        tags=tags.wanted_part(found_tags, wanted.tags),
        public_access_blocked=all(settings.get(name) for name in _BLOCK),
        policy=_own_statement(policy, wanted.policy),
        encrypted=_is_encrypted(encryption),
        lifecycle=lifecycle,
    )
    return Observed(bucket, tags.stack_of(found_tags))


def _read_tags(s3: Any, who: Mapping[str, str]) -> dict[str, str]:
    return tags.from_list(_or_nothing(s3.get_bucket_tagging, who, "NoSuchTagSet").get("TagSet", []))


def _is_encrypted(encryption: Mapping[str, Any]) -> bool:
    rules = encryption.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    return any(rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm") for rule in rules)


def _or_nothing(call: Any, who: Mapping[str, str], nothing: str) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = call(**who)
    except ClientError as error:
        if error_code(error) != nothing:
            raise
        return {}
    return answer


def _own_statement(policy: str | None, wanted: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return next((s for s in _statements(_document(policy)) if wanted and s.get("Sid") == wanted["Sid"]), None)


def _document(policy: str | None) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(policy) if policy else {"Version": "2012-10-17"}
    return document


def _statements(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    # IAM's grammar lets a policy have a single statement without a list around it.
    found = document.get("Statement", [])
    return [found] if isinstance(found, dict) else list(found)


def create_bucket(s3: Any, bucket: Bucket, account: str, clock: Clock) -> None:
    """Make the bucket, marked as ours in the same call, closed to the public and to plain HTTP.

    Raises
    ------
    ResourceExistsError
        This account has a bucket of that name; another account's is an AwsError with the code BucketAlreadyExists.
    """
    configuration: dict[str, Any] = {"Tags": tags.to_list(bucket.tags)}
    if bucket.region != "us-east-1":
        # us-east-1 is the one region that S3 does not take as a location.
        configuration["LocationConstraint"] = bucket.region
    extra = {}
    if _only_ours(bucket, account):
        extra["BucketNamespace"] = "account-regional"
    with asking("Creating the bucket", bucket.name):
        retry(
            lambda: s3.create_bucket(Bucket=bucket.name, CreateBucketConfiguration=configuration, **extra),
            _is_in_progress,
            clock,
        )
        s3.get_waiter("bucket_exists").wait(Bucket=bucket.name, ExpectedBucketOwner=account)
        _check_tags(s3, bucket, account, clock)
    update_bucket(s3, bucket, {"public_access_blocked", "encrypted", "lifecycle", "policy"}, account, clock)


def _check_tags(s3: Any, bucket: Bucket, account: str, clock: Clock) -> None:
    """Make sure that the bucket is the one that was made, and has our tags.

    In us-east-1 S3 also says yes when the account had a bucket of that name (API reference, CreateBucket): what bears
    no mark of ours there is not ours to mark.
    """
    who = {"Bucket": bucket.name, "ExpectedBucketOwner": account}

    def read() -> list[dict[str, str]]:
        found: list[dict[str, str]] = s3.get_bucket_tagging(**who)["TagSet"]
        return found

    def is_untagged(error: Exception) -> bool:
        return error_code(error) == "NoSuchTagSet"

    try:
        found = tags.from_list(retry(read, is_untagged, clock, seconds=_TAGS_SECONDS))
    except ClientError as error:
        if not is_untagged(error):
            raise
        found = {}
    if bucket.region == "us-east-1" and tags.stack_of(found) != tags.stack_of(bucket.tags):
        raise ResourceExistsError(
            "There was a bucket of that name in this account",
            resource=bucket.name,
            why="It does not bear this stack's tag; nothing in it was changed but its access control list.",
            next_step="Look at a new plan, or choose another bucket name.",
        )
    if found != {**found, **bucket.tags}:
        _tag(s3, who, {**found, **bucket.tags})


def _tag(s3: Any, who: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    s3.put_bucket_tagging(**who, Tagging={"TagSet": tags.to_list(wanted)})


def update_bucket(s3: Any, bucket: Bucket, fields: set[str], account: str, clock: Clock) -> None:
    """Bring the named fields of the bucket to what is wanted; other tags, rules and statements stay."""
    who = {"Bucket": bucket.name, "ExpectedBucketOwner": account}
    writes: dict[str, Callable[[], object]] = {
        "tags": lambda: _tag(s3, who, {**_read_tags(s3, who), **bucket.tags}),
        "public_access_blocked": lambda: s3.put_public_access_block(**who, PublicAccessBlockConfiguration=_BLOCK),
        "encrypted": lambda: s3.put_bucket_encryption(**who, ServerSideEncryptionConfiguration=_ENCRYPTION),
        "lifecycle": lambda: put_lifecycle(s3, who, bucket.lifecycle),
        "policy": lambda: _put_policy(s3, who, bucket.policy),
    }
    with asking("Updating the bucket", bucket.name):
        for field, write in writes.items():
            if field in fields:
                retry(write, _is_in_progress, clock)


def _is_in_progress(error: Exception) -> bool:
    """Whether S3 is still at the change before."""
    return error_code(error) == "OperationAborted"


def _put_policy(s3: Any, who: Mapping[str, str], statement: Mapping[str, Any] | None) -> None:
    if statement is None:
        return
    document = _document(_or_nothing(s3.get_bucket_policy, who, "NoSuchBucketPolicy").get("Policy"))
    others = [each for each in _statements(document) if each.get("Sid") != statement["Sid"]]
    s3.put_bucket_policy(**who, Policy=json.dumps({**document, "Statement": [*others, statement]}))


def delete_bucket(s3: Any, name: str, account: str, clock: Clock) -> None:
    """Take the empty bucket away; gone already is fine."""
    try:
        with asking("Deleting the bucket", name):
            retry(
                lambda: s3.delete_bucket(Bucket=name, ExpectedBucketOwner=account),
                _is_in_progress,
                clock,
            )
    except ResourceNotFoundError:
        return
