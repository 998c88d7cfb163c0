"""Logs are read whole, in UTC, and followed without telling a line twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from fake_account import FakeAccount, FakeClock

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


def test_no_log_yet_is_no_error() -> None:
    assert read_logs(FakeAccount(), "group", start=None, end=None, request_id="", limit=5) == ()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T12:00:00Z", BEGIN),
        ("2026-01-31T13:00:00+01:00", BEGIN),
        (datetime(2026, 1, 31, 12), BEGIN),
        (datetime(2026, 1, 31, 13, tzinfo=timezone(timedelta(hours=1))), BEGIN),
        (None, None),
    ],
)
def test_times_are_utc(given: datetime | str | None, meant: datetime | None) -> None:
    assert utc(given, "start") == meant


@pytest.mark.parametrize(("name", "value"), [("start", "yesterday"), ("end", "2026-13-01"), ("limit", 0)])
def test_what_is_no_time_or_limit_is_refused_with_its_field(name: str, value: object) -> None:
    arguments = {"start": None, "end": None, "request_id": "", "limit": 1, name: value}
    with pytest.raises(InvalidValueError) as caught:
        read_logs(FakeAccount(lines=[line(0)]), "group", **arguments)
    assert caught.value.field == name


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
