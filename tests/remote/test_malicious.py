"""Requests that must never reach podpac: refused with a typed error while an audit hook watches the process.

A sample of the generated ones runs by default, 100,000 of them with ``SWEEP=all``, another number with a number.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SWEEP = os.environ.get("SWEEP", "2000")
GENERATED = 100_000 if SWEEP == "all" else int(SWEEP)
#: Another seed makes other requests; those that were refused by mistake once would be lost.
SEED = 20181
_WATCHED = Path(__file__).parent / "malicious" / "watched.py"

pytestmark = pytest.mark.timeout(0 if "SWEEP" in os.environ else 300)


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, _WATCHED, str(GENERATED), str(SEED)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_malicious_request_is_refused_with_a_typed_error(report: dict[str, Any]) -> None:
    assert report["wrong"] == {}
    assert report["written"] >= 240
    assert report["generated"] == GENERATED
    assert report["different"] > 0.99 * GENERATED
    print(f"refused {report['written']} requests written by hand and {report['different']:,} different generated ones")
    print(f"{GENERATED / report['seconds']:,.0f} a second, the slowest in {report['slowest']:.3f} s")


def test_each_kind_of_malice_is_in_the_sample(report: dict[str, Any]) -> None:
    assert len(report["kinds"]) == 20
    assert min(report["kinds"].values()) > GENERATED / 40


def test_refusing_imports_nothing_runs_nothing_and_opens_nothing(report: dict[str, Any]) -> None:
    assert report["seen"] == []
    assert report["loaded"] == []


def test_the_log_has_one_line_a_request_and_nothing_of_the_request(report: dict[str, Any]) -> None:
    assert report["lines"] >= report["written"] + report["generated"]
    assert set(report["logged"]) <= {"request_id", "outcome", "points", "timings", "seconds"}
    assert "ok" not in report["outcomes"]
