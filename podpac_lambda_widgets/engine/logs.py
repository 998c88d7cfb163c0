"""A function's log: what it said, of one request or of a span of time, as it goes on."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from numbers import Integral

from podpac_lambda_widgets.clock import Clock
from podpac_lambda_widgets.engine.ports import Account
from podpac_lambda_widgets.errors import InvalidValueError, ResourceNotFoundError
from podpac_lambda_widgets.plan.account import LogLine

#: How far back the last lines are looked for at first: CloudWatch gives the oldest first, of a log that may have years.
_BACK = (timedelta(hours=1), timedelta(days=1))


def read_logs(
    account: Account,
    group: str,
    *,
    start: date | str | None,
    end: date | str | None,
    request_id: str,
    limit: int,
) -> tuple[LogLine, ...]:
    """The last ``limit`` lines between ``start`` and ``end``, oldest first; none where there is no log yet.

    Raises
    ------
    InvalidValueError
        A time that cannot be read, or a limit that is no whole number above zero.
    """
    if not isinstance(limit, Integral) or isinstance(limit, bool) or limit < 1:
        raise InvalidValueError(f"The limit must be a whole number above zero, not {limit!r}", field="limit")
    since, until = utc(start, "start"), utc(end, "end")
    begins = [since]
    if since is None and until is None and not request_id:
        begins = [*(datetime.now(UTC) - back for back in _BACK), None]
    lines: tuple[LogLine, ...] = ()
    with suppress(ResourceNotFoundError):
        for begin in begins:
            found = account.log_lines(group, start=begin, end=until, request_id=request_id)
            lines = tuple(deque(found, maxlen=min(int(limit), sys.maxsize)))
            if len(lines) == limit:
                break
    return lines


def follow_logs(
    account: Account,
    group: str,
    *,
    start: date | str | None,
    request_id: str,
    clock: Clock,
    cancelled: Callable[[], bool],
    every: float = 2.0,
) -> Iterator[LogLine]:
    """Lines as they come, until ``cancelled()``; asked for every ``every`` seconds.

    Lines may be delivered late and out of order: a span before the last line is read again, and what was told is not
    told twice.
    """
    since = utc(start, "start") or datetime.now(UTC)
    told: dict[tuple[datetime, str, str], None] = {}
    while not cancelled():
        try:
            found = list(account.log_lines(group, start=since, end=None, request_id=request_id))
        except ResourceNotFoundError:
            found = []
        for line in found:
            key = (line.time, line.stream, line.message)
            if key not in told:
                told[key] = None
                yield line
        if found:
            since = max(since, found[-1].time - _LATE)
            told = {key: None for key in told if key[0] >= since}
        clock.sleep(every)


#: How late a line may arrive and still be told.
_LATE = timedelta(seconds=30)


def utc(moment: date | str | None, field: str) -> datetime | None:
    """A moment in UTC; one without a time zone is taken to be UTC, and a date to be its midnight.

    Raises
    ------
    InvalidValueError
        It is no time, or none that UTC can tell (year 1 to 9999).
    """
    if moment is None:
        return None
    if not isinstance(moment, date | str):
        raise _no_time(f"must be a time, a date or text, not {type(moment).__name__}", field)
    try:
        told = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        when = told if isinstance(told, datetime) else datetime.combine(told, time())
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _no_time(f"{str(moment)!r} is not a time", field) from None


def _no_time(problem: str, field: str) -> InvalidValueError:
    return InvalidValueError(
        f"{field}: {problem}", field=field, next_step="Write it as 2026-01-31 or 2026-01-31T12:00:00Z."
    )
