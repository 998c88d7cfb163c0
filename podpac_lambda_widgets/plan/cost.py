"""What a stack costs while nothing runs, estimated from a plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from podpac_lambda_widgets.plan.changes import Change, Delete, Refuse
from podpac_lambda_widgets.plan.resources import StoredObject

#: US dollars for a gigabyte (2**30 bytes) in S3 Standard for a month: AWS's list price in us-east-1, first 50 TB, 2026.
STORAGE_PRICE = 0.023
_GIGABYTE = 2**30


@dataclass(frozen=True)
class IdleCost:
    """An estimate of what AWS bills for a month in which nothing runs.

    Parameters
    ----------
    usd : float
        US dollars a month.
    stored_bytes : int
        What lies in S3: the archives. Roles, functions, log groups that get no lines, triggers, APIs and budgets are
        free while nobody uses them.
    """

    usd: float
    stored_bytes: int

    def __str__(self) -> str:
        amount = "less than 0.01" if self.usd < 0.01 else f"about {self.usd:.2f}"
        return (
            f"While nothing runs: {amount} USD a month ({self.stored_bytes / 1e6:,.0f} MB in S3 at {STORAGE_PRICE} USD "
            "a GB, the price in us-east-1; results come on top)"
        )


def idle_cost(changes: Iterable[Change]) -> IdleCost:
    """What the stack will cost while nothing runs, once the changes are made."""
    stored = sum(
        change.resource.size
        for change in changes
        if isinstance(change.resource, StoredObject) and not isinstance(change, Delete | Refuse)
    )
    return IdleCost(stored / _GIGABYTE * STORAGE_PRICE, stored)
