"""What a stack costs while nothing runs, estimated from a plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from podpac_lambda_widgets.plan.changes import Change, Delete, Refuse
from podpac_lambda_widgets.plan.resources import StoredObject
from podpac_lambda_widgets.plan.snapshot import Snapshot

#: US dollars for a gigabyte (2**30 bytes) in S3 Standard for a month: AWS's list price in us-east-1, first 50 TB, 2026.
STORAGE_PRICE = 0.023
#: US dollars to keep a gigabyte of a snapshot for a second: AWS's list price in us-east-1 for Python, 2026. What
#: counts is the function's memory.
SNAPSHOT_PRICE = 0.0000015046
_MONTH_S = 30 * 86_400
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
    snapshot_mb : int
        Memory of the function of which a snapshot is kept, MB.
    """

    usd: float
    stored_bytes: int
    snapshot_mb: int = 0

    def __str__(self) -> str:
        amount = "less than 0.01" if self.usd < 0.01 else f"about {self.usd:.2f}"
        kept = f", SnapStart's snapshot of {self.snapshot_mb:,} MB" if self.snapshot_mb else ""
        return (
            f"While nothing runs: {amount} USD a month ({self.stored_bytes / 1e6:,.0f} MB in S3 at {STORAGE_PRICE} USD "
            f"a GB{kept}, the price in us-east-1; results come on top)"
        )


def idle_cost(changes: Iterable[Change]) -> IdleCost:
    """What the stack will cost while nothing runs, once the changes are made."""
    there = [change.resource for change in changes if not isinstance(change, Delete | Refuse)]
    stored = sum(resource.size for resource in there if isinstance(resource, StoredObject))
    snapshot = sum(resource.memory for resource in there if isinstance(resource, Snapshot))
    usd = stored / _GIGABYTE * STORAGE_PRICE + snapshot / 1024 * SNAPSHOT_PRICE * _MONTH_S
    return IdleCost(usd, stored, snapshot)
