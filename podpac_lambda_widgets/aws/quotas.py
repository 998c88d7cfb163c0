"""What an account's quotas are, as far as it may be asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from podpac_lambda_widgets.aws.translate import asking
from podpac_lambda_widgets.errors import AccessDeniedError, AwsError, EndpointUnreachableError, ResourceNotFoundError
from podpac_lambda_widgets.plan.quotas import BucketQuota, LambdaQuotas

#: "General purpose buckets" of S3, as Service Quotas numbers it.
_BUCKETS = {"ServiceCode": "s3", "QuotaCode": "L-DC2B2D3D"}
#: No account has ever been allowed fewer buckets: until there are so many, nobody is asked how many there may be.
_ALWAYS_ALLOWED = 100


def read_lambda_quotas(client: Any) -> LambdaQuotas | None:
    """What the account's quotas for Lambda are; None where they may not be read."""
    try:
        with asking("Reading the account's quotas"):
            answer = client.get_account_settings()
    except AccessDeniedError:
        return None
    limit, usage = answer["AccountLimit"], answer["AccountUsage"]
    return LambdaQuotas(
        concurrency=limit["ConcurrentExecutions"],
        unreserved=limit["UnreservedConcurrentExecutions"],
        code_bytes=limit["TotalCodeSize"],
        used_code_bytes=usage["TotalCodeSize"],
    )


def read_bucket_quota(s3: Any, open_service_quotas: Callable[[], Any]) -> BucketQuota | None:
    """How many buckets the account has and may have; None where that is no question, or nobody tells.

    Only a hint before the first write: when S3 refuses to make the bucket, that says the same.
    """
    try:
        with asking("Counting the account's buckets"):
            pages = s3.get_paginator("list_buckets").paginate(PaginationConfig={"PageSize": 1000})
            used = sum(len(page.get("Buckets", [])) for page in pages)
        return BucketQuota(_allowed_buckets(open_service_quotas()), used) if used >= _ALWAYS_ALLOWED else None
    except (AwsError, EndpointUnreachableError):
        return None


def _allowed_buckets(client: Any) -> int:
    """The quota that was granted to the account; where none was, everybody's."""
    with asking("Reading the account's quotas"):
        try:
            with asking("Reading the account's quota of buckets"):
                answer = client.get_service_quota(**_BUCKETS)
        except ResourceNotFoundError:
            answer = client.get_aws_default_service_quota(**_BUCKETS)
    return int(answer["Quota"]["Value"])
