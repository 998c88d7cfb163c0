"""A log is read page by page, by request and by time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from podpac_lambda_widgets.aws.log_events import read_log_lines

GROUP, REQUEST = "/aws/lambda/soil", "8a2c9f10-0000-4000-8000-123456789abc"
BEGIN = datetime(2026, 1, 31, 12, tzinfo=UTC)
MILLISECONDS = 1_769_860_800_000


@pytest.fixture
def stubbed() -> Iterator[tuple[Any, Stubber]]:
    client = boto3.client("logs", region_name="us-east-1", aws_access_key_id="A", aws_secret_access_key="s")
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


def event(milliseconds: int, message: str, stream: str = "2026/01/31/[$LATEST]a") -> dict[str, Any]:
    return {"timestamp": MILLISECONDS + milliseconds, "message": message, "logStreamName": stream}


def test_every_page_is_read_though_the_first_is_empty(stubbed: tuple[Any, Stubber]) -> None:
    client, stubber = stubbed
    asked = {"logGroupName": GROUP, "limit": 10_000}
    stubber.add_response("filter_log_events", {"events": [], "nextToken": "1"}, asked)
    stubber.add_response(
        "filter_log_events", {"events": [event(1, "first\n")], "nextToken": "2"}, {**asked, "nextToken": "1"}
    )
    stubber.add_response("filter_log_events", {"events": [event(2500, "second", "b")]}, {**asked, "nextToken": "2"})
    lines = list(read_log_lines(client, GROUP, start=None, end=None, request_id=""))
    assert [(each.message, each.stream) for each in lines] == [("first", "2026/01/31/[$LATEST]a"), ("second", "b")]
    assert [each.time for each in lines] == [BEGIN + timedelta(milliseconds=number) for number in (1, 2500)]


def test_a_request_and_a_span_of_time_are_asked_for_as_cloudwatch_wants_them(stubbed: tuple[Any, Stubber]) -> None:
    client, stubber = stubbed
    elsewhere = timezone(timedelta(hours=-8))
    asked = {
        "logGroupName": GROUP,
        "limit": 10_000,
        "startTime": MILLISECONDS,
        "endTime": MILLISECONDS + 60_000,
        # Without the quotes, a hyphen leaves lines out.
        "filterPattern": f'"{REQUEST}"',
    }
    stubber.add_response("filter_log_events", {"events": []}, asked)
    end = (BEGIN + timedelta(minutes=1)).astimezone(elsewhere)
    assert list(read_log_lines(client, GROUP, start=BEGIN, end=end, request_id=REQUEST)) == []
