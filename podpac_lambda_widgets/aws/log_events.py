"""Lines of a function's log, with paging and by request."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from podpac_lambda_widgets.aws.translate import asking
from podpac_lambda_widgets.plan.account import LogLine

#: The most lines that one FilterLogEvents call gives (CloudWatch Logs API reference).
_PAGE = 10_000


def read_log_lines(
    logs: Any, group: str, *, start: datetime | None, end: datetime | None, request_id: str
) -> Iterator[LogLine]:
    """Lines of a log group, oldest first.

    Parameters
    ----------
    group : str
        Name of the log group.
    start, end : datetime, optional
        Moments with a time zone; ``end`` is not included.
    request_id : str
        Only the lines of this request; empty for all.
    """
    arguments: dict[str, Any] = {"logGroupName": group}
    if start is not None:
        arguments["startTime"] = _milliseconds(start)
    if end is not None:
        arguments["endTime"] = _milliseconds(end)
    if request_id:
        # Quoted, so that the hyphens of the id are not taken for exclusions.
        arguments["filterPattern"] = f'"{request_id}"'
    with asking("Reading the log", group):
        # CloudWatch may give empty pages before the last one.
        for page in logs.get_paginator("filter_log_events").paginate(**arguments, PaginationConfig={"PageSize": _PAGE}):
            for event in page.get("events", []):
                moment = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
                yield LogLine(moment, event.get("logStreamName", ""), str(event["message"]).rstrip("\n"))


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
