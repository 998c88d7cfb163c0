"""The rows of the table and how they are taken.

Absolute values are of this machine at this moment and only there to be divided by each other.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measurement and what it is held against; ``unit`` is s, MB or calls, and the same for both."""

    what: str
    value: float
    reference: str
    of_reference: float
    unit: str = "s"

    def __str__(self) -> str:
        ratio = f"{self.value / self.of_reference:.3f}" if self.of_reference else "-"
        here, there = (_write(value, self.unit) for value in (self.value, self.of_reference))
        return f"| {self.what:<44} | {here:>10} | {there:>10} | {ratio:>9} | {self.reference:<52} |"


def _write(value: float, unit: str) -> str:
    if isinstance(value, int):
        return f"{value} {unit}"
    return f"{value:.3f} {unit}" if value < 10 else f"{value:.1f} {unit}"


def write_table(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table."""
    head = f"| {'what':<44} | {'here':>10} | {'there':>10} | {'ratio':>9} | {'there is':<52} |"
    rule = f"| {'-' * 44} | {'-' * 9}: | {'-' * 9}: | {'-' * 8}: | {'-' * 52} |"
    return "\n".join([head, rule, *map(str, rows)])


def median(call: Callable[[], object], repeats: int = 5) -> float:
    """Median time of a call, seconds."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times)
