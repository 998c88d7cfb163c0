"""A function's log: what it said, of one request or of a span of time, as it goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from podpac_lambda_widgets.clock import Clock
from podpac_lambda_widgets.engine.ports import Account
from podpac_lambda_widgets.errors import InvalidValueError, ResourceNotFoundError
from podpac_lambda_widgets.plan.account import LogLine


def read_logs(
    account: Account,
    group: str,
    *,
    start: datetime | str | None,
    end: datetime | str | None,
    request_id: str,
    limit: int,
) -> tuple[LogLine, ...]:
    """The last ``limit`` lines between ``start`` and ``end``, oldest first; none where there is no log yet.

    Raises
    ------
    InvalidValueError
        A time that cannot be read, or a limit below one.
    """
    if limit < 1:
        raise InvalidValueError(f"The limit must be at least 1, not {limit}", field="limit")
    lines: list[LogLine] = []
    try:
        for line in account.log_lines(group, start=utc(start, "start"), end=utc(end, "end"), request_id=request_id):
            lines.append(line)
            if len(lines) >= 2 * limit:
                del lines[:limit]
    except ResourceNotFoundError:
        return ()
    return tuple(lines[-limit:])


def follow_logs(
    account: Account,
    group: str,
    *,
    start: datetime | str | None,
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


def utc(moment: datetime | str | None, field: str) -> datetime | None:
    """A moment in UTC; one without a time zone, or a date as text, is taken to be UTC."""
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            raise InvalidValueError(
                f"{moment!r} is not a time", field=field, next_step="Write it as 2026-01-31 or 2026-01-31T12:00:00Z."
            ) from None
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
