"""What an account's quotas leave room for, seen before anything is made."""

from __future__ import annotations

from dataclasses import dataclass

from podpac_lambda_widgets.plan.resources import Function

#: What AWS keeps for all functions without a reservation (Lambda developer guide, "Configuring reserved concurrency").
UNRESERVED = 100
_RAISE = "ask AWS to raise the quota {quota!r} (Service Quotas in the AWS console)"


@dataclass(frozen=True)
class LambdaQuotas:
    """Of one account in one region.

    Parameters
    ----------
    concurrency, unreserved : int
        How many calls may run at once, and how many of them no function has reserved.
    code_bytes, used_code_bytes : int
        Room for the code of all functions, and what is used of it.
    """

    concurrency: int
    unreserved: int
    code_bytes: int
    used_code_bytes: int


@dataclass(frozen=True)
class BucketQuota:
    """Of one account, all regions together.

    Parameters
    ----------
    allowed, used : int
        How many buckets it may have, and has.
    """

    allowed: int
    used: int


@dataclass(frozen=True)
class Shortage:
    """What there is no room for.

    Parameters
    ----------
    what : str
        The predicate of a sentence about the resource, with the numbers.
    remedy : str
        What can be done about it.
    """

    what: str
    remedy: str


def function_shortage(
    wanted: Function, found: Function | None, code_size: int, quotas: LambdaQuotas
) -> Shortage | None:
    """What of a function there is no room for.

    Parameters
    ----------
    wanted : Function
    found : Function or None
        As it is deployed.
    code_size : int
        Of the archive, bytes.
    quotas : LambdaQuotas
    """
    reserved = (found.reserved_concurrency or 0) if found else 0
    room = max(0, quotas.unreserved + reserved - UNRESERVED)
    if wanted.reserved_concurrency is not None and wanted.reserved_concurrency > max(room, reserved):
        return Shortage(
            f"cannot have {wanted.reserved_concurrency:,} calls at once reserved: the account has "
            f"{quotas.concurrency:,} in all, and AWS keeps {UNRESERVED} for functions without a reservation, which "
            f"leaves {room:,}",
            f"Reserve {'fewer or ' if room else ''}none, or {_RAISE.format(quota='Concurrent executions')}.",
        )
    left = quotas.code_bytes - quotas.used_code_bytes
    if found is None and code_size > left:
        return Shortage(
            f"has no room for its code: {code_size / 1e6:,.0f} MB, and {max(0, left) / 1e6:,.0f} MB are left of the "
            f"account's {quotas.code_bytes / 1e9:,.0f} GB for Lambda functions",
            "Delete functions or versions that are not needed any more, or "
            f"{_RAISE.format(quota='Function and layer storage')}.",
        )
    return None


def bucket_shortage(quota: BucketQuota) -> Shortage | None:
    """What there is to say before another bucket is made; None when there is room for it."""
    if quota.used < quota.allowed:
        return None
    return Shortage(
        f"cannot be made: the account has {quota.used:,} buckets of {quota.allowed:,} that it may have",
        "Delete a bucket that is not needed any more, use one that is there (function_s3_bucket and adopt), or "
        f"{_RAISE.format(quota='General purpose buckets')}.",
    )
