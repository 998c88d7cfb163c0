"""What an account's quotas for Lambda leave room for, seen before anything is made."""

from __future__ import annotations

from dataclasses import dataclass

from podpac_lambda_widgets.plan.resources import Function

#: What AWS keeps for all functions without a reservation (Lambda developer guide, "Configuring reserved concurrency").
UNRESERVED = 100


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


def quota_conflict(wanted: Function, found: Function | None, code_size: int, quotas: LambdaQuotas) -> str:
    """What there is no room for, as a sentence; empty when there is.

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
        return (
            f"cannot have {wanted.reserved_concurrency:,} calls at once reserved: the account has "
            f"{quotas.concurrency:,} in all, and AWS keeps {UNRESERVED} for functions without a reservation, which "
            f"leaves {room:,}"
        )
    left = quotas.code_bytes - quotas.used_code_bytes
    if found is None and code_size > left:
        return (
            f"has no room for its code: {code_size / 1e6:,.0f} MB, and {max(0, left) / 1e6:,.0f} MB are left of the "
            f"account's {quotas.code_bytes / 1e9:,.0f} GB for Lambda functions"
        )
    return ""
