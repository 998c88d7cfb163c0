"""The process of the sweep."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

#: What a test says of its cases: possible, tried, accounts that were left behind, failures, seconds.
COUNT = "cases of the cut wire"


@pytest.fixture(scope="session")
def sweep() -> Iterator[Callable[[dict[str, Any]], dict[str, Any]]]:
    """Sends an operation to the process that cuts it, and gets what came of it."""
    pytest.importorskip("ministack")
    program = str(Path(__file__).parent / "bench_process.py")
    process = subprocess.Popen([sys.executable, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdin is not None
        assert process.stdout is not None

        def ask(operation: dict[str, Any]) -> dict[str, Any]:
            print(json.dumps(operation), file=process.stdin, flush=True)
            told = json.loads(process.stdout.readline())["told"]
            try:
                answer: dict[str, Any] = json.loads(told)
            except ValueError:
                raise AssertionError(f"the operation did not come to its end: {told}") from None
            return answer

        yield ask
        process.stdin.close()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many cases were tried."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    counts = [dict(report.user_properties).get(COUNT) for report in reports]
    tried = [count for count in counts if count]
    if tried:
        possible, cases, states, bad, seconds = (sum(numbers) for numbers in zip(*tried, strict=True))
        terminalreporter.write_line(
            f"cut the wire: {cases:,} of {possible:,} cases, which left {states:,} different accounts behind; "
            f"{cases - bad:,} converged; {seconds / cases * 1000:.0f} ms each"
        )
