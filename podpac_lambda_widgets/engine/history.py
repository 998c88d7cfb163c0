"""The runs of a function, read from its log: what was run by whomever, and not what this session remembers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from podpac_lambda_widgets.plan.account import LogLine
from podpac_lambda_widgets.plan.run_cost import run_cost

#: What Lambda writes when a run ends (Lambda developer guide, "Logging for Python").
_REPORT = re.compile(
    r"REPORT RequestId: (?P<id>\S+)\s+Duration: (?P<duration>[\d.]+) ms\s+Billed Duration: (?P<billed>\d+) ms"
    r"\s+Memory Size: (?P<size>\d+) MB\s+Max Memory Used: (?P<used>\d+) MB(\s+Init Duration: (?P<init>[\d.]+) ms)?"
)
_START = re.compile(r"START RequestId: (\S+)")
_TIMED_OUT = re.compile(r"(\S+) Task timed out")


@dataclass(frozen=True)
class RunRecord:
    """One run, as the log tells of it. None is what the log does not say.

    Parameters
    ----------
    request_id : str
        By which AWS knows it.
    started : datetime
        In UTC.
    outcome : str
        ``ok``, ``running``, the name of the error's type, or ``unknown`` where the log has no line of ours.
    seconds : float or None
        How long the function worked.
    init_seconds : float or None
        How long the environment took to start, for the first run in it.
    billed_ms, memory_mb, memory_size : int or None
        Milliseconds billed; MB used, and MB of the function.
    points : int or None
        Points that were asked for.
    trigger : str
        ``call``, ``S3`` or ``HTTP``.
    timings : mapping
        Seconds of each part of the work.
    architecture : str
    keys : tuple of str
        The ends of the keys of the pipelines that S3 started the function for, of the first five.
    delivery : str
        The name under which an asynchronous request was sent.
    """

    request_id: str
    started: datetime
    outcome: str = "running"
    seconds: float | None = None
    init_seconds: float | None = None
    billed_ms: int | None = None
    memory_mb: int | None = None
    memory_size: int | None = None
    points: int | None = None
    trigger: str = "call"
    timings: dict[str, float] = field(default_factory=dict)
    architecture: str = "x86_64"
    keys: tuple[str, ...] = ()
    delivery: str = ""

    @property
    def cost(self) -> float | None:
        """US dollars, at AWS's list price; None until Lambda has billed it."""
        if self.billed_ms is None or self.memory_size is None:
            return None
        return run_cost(self.billed_ms, self.memory_size, self.architecture)


def read_runs(lines: Iterable[LogLine], architecture: str = "x86_64") -> tuple[RunRecord, ...]:
    """The runs that some lines of a function's log tell of, newest first.

    Parameters
    ----------
    lines : iterable of LogLine
        Of one function, in any order.
    architecture : {"x86_64", "arm64"}
        Of the function, for the price.
    """
    found: dict[str, dict[str, Any]] = {}
    for line in lines:
        told = _told(line.message)
        request_id = told.pop("request_id", "")
        if not request_id:
            continue
        run = found.setdefault(request_id, {"started": line.time, "outcome": "running"})
        run["started"] = min(run["started"], line.time)
        if told.get("billed_ms") is not None and run["outcome"] == "running":
            told.setdefault("outcome", "unknown")
        run |= told
    runs = (RunRecord(request_id, architecture=architecture, **run) for request_id, run in found.items())
    return tuple(sorted(runs, key=lambda run: run.started, reverse=True))


def find_request(lines: Iterable[LogLine]) -> str:
    """The request that the last of some lines of ours is of, or an empty string."""
    found = [told["request_id"] for line in lines if (told := _told(line.message)).get("request_id")]
    return found[-1] if found else ""


def _told(message: str) -> dict[str, Any]:
    """What one line tells of a run, by the names of RunRecord."""
    if report := _REPORT.search(message):
        return {
            "request_id": report["id"],
            "seconds": float(report["duration"]) / 1000,
            "billed_ms": int(report["billed"]),
            "memory_size": int(report["size"]),
            "memory_mb": int(report["used"]),
            "init_seconds": float(report["init"]) / 1000 if report["init"] else None,
        }
    if start := _START.match(message):
        return {"request_id": start[1]}
    if timed_out := _TIMED_OUT.search(message):
        return {"request_id": timed_out[1], "outcome": "FunctionTimeoutError"}
    return _entry(message) if message.startswith("{") else {}


def _entry(message: str) -> dict[str, Any]:
    """The line that our own function prints of each request."""
    try:
        found = json.loads(message)
    except ValueError:
        return {}
    if not isinstance(found, dict) or not isinstance(found.get("request_id"), str) or "outcome" not in found:
        return {}
    points, timings, keys = found.get("points"), found.get("timings"), found.get("keys")
    return {
        "request_id": found["request_id"],
        "outcome": str(found["outcome"]),
        "trigger": str(found.get("trigger", "call")),
        "points": points if isinstance(points, int) else None,
        "timings": {str(k): float(v) for k, v in timings.items()} if isinstance(timings, dict) else {},
        "keys": tuple(str(key) for key in keys) if isinstance(keys, list) else (),
        "delivery": str(found.get("delivery", "")),
    }
