"""Where a result comes from: said beside it, and written into whatever is made of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from podpac_lambda_widgets.plan.run_cost import cost_text, run_cost

if TYPE_CHECKING:
    from podpac_lambda_widgets.engine.results import Result
    from podpac_lambda_widgets.widgets.backend import Connection

#: Of an account number, what is shown.
_SHOWN_DIGITS = 4
_PREFIX = "provenance_"


def mask_account(account: str) -> str:
    """An account number that may be seen by others: its last four digits."""
    return "*" * max(len(account) - _SHOWN_DIGITS, 0) + account[-_SHOWN_DIGITS:]


def describe_place(function_name: str, connection: Connection | None) -> dict[str, str]:
    """Term and value of where a function runs."""
    place = {"Function": function_name}
    if connection is not None:
        place["Ran on"] = f"{'Embedded AWS' if connection.embedded else 'AWS'}, {connection.identity.region}"
        place["Account"] = mask_account(connection.identity.account)
    return place


def describe_origin(result: Result, where: Mapping[str, str], pipeline: str, now: datetime) -> dict[str, str]:
    """Term and value of how a result came about.

    Parameters
    ----------
    result : Result
    where : mapping of str to str
        Which function ran it, and where; accounts masked, as :func:`describe_place` has it.
    pipeline : str
        The definition, as JSON; may be empty.
    now : datetime
        When it arrived, with its time zone.
    """
    origin = dict(where)
    origin["Arrived"] = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    origin["Time taken"] = f"{result.elapsed:.1f} s"
    if result.billed_ms is not None:
        origin["Billed"] = f"{result.billed_ms / 1000:.1f} s"
        if result.memory_size is not None:
            cost = cost_text(run_cost(result.billed_ms, result.memory_size, result.architecture))
            origin["Cost on AWS"] = f"{cost} ({result.memory_size} MB, list price without the free tier)"
    if result.memory_mb is not None:
        origin["Memory used"] = f"{result.memory_mb:,} MB"
    if result.versions:
        origin["Versions"] = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    if result.request_id:
        origin["Request"] = result.request_id
    if pipeline:
        origin["Pipeline"] = pipeline
    return origin


def summarise_origin(origin: Mapping[str, str]) -> str:
    """The same in a line: function, place, time and cost."""
    told = (origin.get(term, "").partition(" (")[0] for term in ("Function", "Ran on", "Time taken", "Cost on AWS"))
    return " · ".join(text for text in told if text) or "nothing is known"


def origin_attrs(origin: Mapping[str, str]) -> dict[str, str]:
    """The same as attributes of an array or a file: ``provenance_ran_on``."""
    return {_PREFIX + re.sub(r"\W+", "_", term.lower()): value for term, value in origin.items()}
