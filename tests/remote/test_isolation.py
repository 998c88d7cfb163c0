"""A warm environment leaves nothing of one caller to the next, whether it was answered, failed or was refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("podpac")

_PROBE = Path(__file__).parent / "isolation" / "probe.py"


def probe(folder: Path, *options: str) -> dict[str, Any]:
    environment = {**os.environ, "TMPDIR": str(folder), "HOME": str(folder), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, _PROBE, *options], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return probe(tmp_path_factory.mktemp("home"))


def test_the_attacker_was_answered_failed_and_refused(report: dict[str, Any]) -> None:
    outcomes = list(report["outcomes"].values())
    assert outcomes.count("answered") >= 18
    assert outcomes.count("PipelineFailedError") >= 5
    assert outcomes.count("PipelineRejectedError") >= 3


def test_the_state_of_the_process_is_what_it_was(report: dict[str, Any]) -> None:
    """Settings, environment, folder, modules, open and temporary files, podpac's classes, and more."""
    assert report["changed"] == []


def test_no_object_holds_a_text_or_a_number_of_the_caller(report: dict[str, Any]) -> None:
    assert report["held"] == []


def test_the_next_caller_gets_the_answers_it_got_before(report: dict[str, Any]) -> None:
    assert report["unsteady"] == []
    assert report["victim"] == []


def test_nothing_is_printed_while_podpac_evaluates(report: dict[str, Any]) -> None:
    assert report["printed"] == ""


def test_the_probe_finds_what_is_left_without_the_isolation(tmp_path: Path) -> None:
    assert probe(tmp_path, "open")["held"]


def test_a_node_equals_itself_at_once_and_others_as_before() -> None:
    import podpac

    from podpac_lambda_widgets.remote.isolation import quick_equality

    before = podpac.Node.__eq__, podpac.Node.__ne__
    made: list[str] = []
    one, other = podpac.algorithm.SinCoords(), podpac.algorithm.SinCoords()
    with pytest.MonkeyPatch.context() as patch, quick_equality():
        patch.setattr(podpac.Node, "hash", property(lambda node: made.append("a hash") or "same"))
        assert one == one
        assert (one != one) is False
        assert made == []
        assert one == other
        assert made == ["a hash", "a hash"]
        assert one != "SinCoords"
    assert (podpac.Node.__eq__, podpac.Node.__ne__) == before
