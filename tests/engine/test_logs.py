"""Logs are read whole, in UTC, and followed without telling a line twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from fake_account import FakeAccount, FakeClock
from hypothesis import assume, given
from hypothesis import strategies as st

from podpac_lambda_widgets.engine.logs import follow_logs, read_logs, utc
from podpac_lambda_widgets.errors import InvalidValueError
from podpac_lambda_widgets.plan.account import LogLine

BEGIN = datetime(2026, 1, 31, 12, tzinfo=UTC)


def line(second: float, text: str = "said") -> LogLine:
    return LogLine(BEGIN + timedelta(seconds=second), "stream", text)


def test_the_last_lines_are_given_oldest_first() -> None:
    account = FakeAccount(lines=[line(n, str(n)) for n in range(2500)])
    found = read_logs(account, "group", start=None, end=None, request_id="", limit=3)
    assert [each.message for each in found] == ["2497", "2498", "2499"]


def test_the_last_lines_are_not_looked_for_in_the_whole_log_where_there_are_enough() -> None:
    asked: list[datetime | None] = []

    class Account(FakeAccount):
        def log_lines(self, group: str, *, start: datetime | None, **more: Any) -> Any:
            asked.append(start)
            return super().log_lines(group, start=start, **more)

    now = datetime.now(UTC)
    old = [line(n, "old") for n in range(100)]
    new = [LogLine(now - timedelta(hours=2, seconds=-n), "stream", str(n)) for n in range(20)]
    account = Account(lines=[*old, *new])
    ask: dict[str, Any] = {"start": None, "end": None, "request_id": ""}
    assert [each.message for each in read_logs(account, "group", limit=2, **ask)] == ["18", "19"]
    assert None not in asked and len(asked) == 2
    assert [each.message for each in read_logs(account, "group", limit=21, **ask)] == ["old", *map(str, range(20))]
    assert asked[-1] is None


def test_no_log_yet_is_no_error() -> None:
    assert read_logs(FakeAccount(), "group", start=None, end=None, request_id="", limit=5) == ()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        (date(2026, 1, 31), datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T12:00:00Z", BEGIN),
        ("2026-01-31T13:00:00+01:00", BEGIN),
        (datetime(2026, 1, 31, 12), BEGIN),
        (datetime(2026, 1, 31, 13, tzinfo=timezone(timedelta(hours=1))), BEGIN),
        (None, None),
    ],
)
def test_times_are_utc(given: date | str | None, meant: datetime | None) -> None:
    assert utc(given, "start") == meant


NO_TIMES: list[Any] = ["yesterday", "2026-13-01", "", 5, 1.5, time(12), []]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[(name, value) for name in ("start", "end") for value in NO_TIMES],
        ("start", np.datetime64("2026-01-31")),
        ("start", "0001-01-01T00:00:00+05:00"),
        ("end", datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))),
        *[("limit", value) for value in (0, -1, "5", 1.5, None, True, float("nan"))],
    ],
    ids=lambda item: repr(item)[:40],
)
def test_what_is_no_time_or_limit_is_refused_with_its_field(name: str, value: Any) -> None:
    arguments: dict[str, Any] = {"start": None, "end": None, "request_id": "", "limit": 1, name: value}
    with pytest.raises(InvalidValueError) as caught:
        read_logs(FakeAccount(lines=[line(0)]), "group", **arguments)
    assert caught.value.field == name


@given(st.dates(min_value=date(1970, 1, 1)), st.integers(-720, 720))
def test_a_date_is_its_midnight_and_a_zone_moves_no_moment(day: date, minutes: int) -> None:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    assert utc(day, "start") == utc(day.isoformat(), "start") == midnight
    assume(date(1970, 1, 2) < day < date(9999, 12, 31))
    elsewhere = midnight.astimezone(timezone(timedelta(minutes=minutes)))
    assert utc(elsewhere, "start") == utc(elsewhere.isoformat(), "start") == midnight


def test_a_limit_of_numpy_is_a_whole_number() -> None:
    account, limit = FakeAccount(lines=[line(0, "a"), line(1, "b")]), np.arange(3)[1]
    found = read_logs(account, "group", start=date(2026, 1, 31), end=None, request_id="", limit=limit)
    assert [each.message for each in found] == ["b"]


def test_following_refuses_what_is_no_time() -> None:
    start: Any = 5
    following = follow_logs(
        FakeAccount(), "group", start=start, request_id="", clock=FakeClock(), cancelled=lambda: False
    )
    with pytest.raises(InvalidValueError) as caught:
        next(following)
    assert caught.value.field == "start"


def test_following_tells_every_line_once_even_when_it_comes_late() -> None:
    account = FakeAccount(lines=[line(0, "a"), line(10, "c")])
    clock = FakeClock()

    def sleep(seconds: float) -> None:
        clock.now += seconds
        if clock.now == 2.0:
            account.lines = [line(0, "a"), line(5, "late"), line(10, "c"), line(11, "d")]

    clock.sleep = sleep  # type: ignore[method-assign]  # the fake's own way of making something happen meanwhile
    following = follow_logs(
        account, "group", start=BEGIN, request_id="", clock=clock, cancelled=lambda: clock.now >= 6.0
    )
    assert [each.message for each in following] == ["a", "c", "late", "d"]


def test_a_line_reads_well() -> None:
    assert str(line(1.5, "text")) == "2026-01-31 12:00:01.500Z  text"
