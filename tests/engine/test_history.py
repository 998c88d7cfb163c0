"""What a function's log tells of its runs, whatever the order in which its lines come."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpac_lambda_widgets.engine.history import RunRecord, read_runs
from podpac_lambda_widgets.plan.account import LogLine
from podpac_lambda_widgets.plan.run_cost import cost_text, run_cost

BEGAN = datetime(2026, 11, 24, 12, tzinfo=UTC)
TIMINGS = {"init": 0.0, "evaluate": 0.25}


def line(second: float, message: str) -> LogLine:
    return LogLine(BEGAN + timedelta(seconds=second), "stream", message)


def entry(request_id: str, outcome: str, **more: object) -> str:
    return json.dumps({"request_id": request_id, "outcome": outcome, "seconds": 0.3, **more})


def report(request_id: str, more: str = "") -> str:
    return (
        f"REPORT RequestId: {request_id}\tDuration: 301.51 ms\tBilled Duration: 302 ms\tMemory Size: 2048 MB\t"
        f"Max Memory Used: 140 MB\t{more}"
    )


GOOD = [
    line(0, "START RequestId: aa-1 Version: $LATEST"),
    line(0.3, entry("aa-1", "ok", points=32400, timings=TIMINGS)),
    line(0.4, "END RequestId: aa-1"),
    line(0.4, report("aa-1", "Init Duration: 1200.00 ms\t")),
]
REFUSED = [
    line(5, "START RequestId: bb-2 Version: $LATEST"),
    line(5.1, entry("bb-2", "PipelineRejectedError", trigger="HTTP", keys=["in/a.json", 5])),
    line(5.2, report("bb-2")),
]
SLOW = [
    line(9, "START RequestId: cc-3 Version: $LATEST"),
    line(12, "2026-11-24T12:00:12Z cc-3 Task timed out after 3.00 seconds"),
    line(12, report("cc-3", "Status: timeout")),
]
GOING = [line(20, "START RequestId: dd-4 Version: $LATEST")]
NOISE = [
    line(1, "a line of a library"),
    line(2, "{not json"),
    line(3, '{"request_id": 5, "outcome": "ok"}'),
    line(4, ""),
]


@given(st.permutations([*GOOD, *REFUSED, *SLOW, *GOING, *NOISE]))
def test_the_order_of_the_lines_does_not_matter(lines: list[LogLine]) -> None:
    going, slow, refused, good = read_runs(lines)
    assert good == RunRecord("aa-1", BEGAN, "ok", 0.30151, 1.2, 302, 140, 2048, 32400, "call", TIMINGS)
    assert (refused.outcome, refused.trigger, refused.billed_ms) == ("PipelineRejectedError", "HTTP", 302)
    assert slow.outcome == "FunctionTimeoutError"
    assert (going.outcome, going.billed_ms, going.cost) == ("running", None, None)


def test_a_run_without_a_line_of_ours_is_unknown() -> None:
    (found,) = read_runs([line(0, "START RequestId: ee-5"), line(1, report("ee-5"))])
    assert found.outcome == "unknown"


def test_the_cost_is_memory_times_time_at_the_list_price() -> None:
    (found,) = read_runs(GOOD)
    # 2 GB for 0.302 s, and one request.
    assert found.cost == pytest.approx(2 * 0.302 * 0.0000166667 + 0.0000002)
    assert run_cost(1000, 1024, "arm64") < run_cost(1000, 1024)


@pytest.mark.parametrize(
    ("usd", "told"),
    [
        (12.345, "12.35 USD"),
        (0.0123, "0.01 USD"),
        (0.000123, "0.12 USD for 1,000 runs"),
        (9.3e-7, "0.00093 USD for 1,000 runs"),
        (0, "0 USD for 1,000 runs"),
    ],
)
def test_small_amounts_are_told_so_that_they_can_be_compared(usd: float, told: str) -> None:
    assert cost_text(usd) == told
