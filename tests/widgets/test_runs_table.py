"""The table of runs: of this session as they go on, and of the log; and what a run will take, by those."""

from __future__ import annotations

import dataclasses
import json
import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from podpac_lambda_widgets.engine.claims import Sent
from podpac_lambda_widgets.engine.history import RunRecord
from podpac_lambda_widgets.engine.jobs import Job
from podpac_lambda_widgets.errors import (
    AccessDeniedError,
    CancelledError,
    EndpointUnreachableError,
    ExpiredCredentialsError,
    InvalidValueError,
    PipelineFailedError,
)
from podpac_lambda_widgets.plan.account import LogLine
from podpac_lambda_widgets.studio import Studio

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def record(request_id: str, **more: Any) -> RunRecord:
    told = {"outcome": "ok", "seconds": 2.0, "billed_ms": 2000, "memory_mb": 300, "memory_size": 2048, "points": 32_400}
    return RunRecord(request_id, NOON, **{**told, **more})


def rows(studio: Studio) -> list[dict[str, Any]]:
    return list(studio.pipeline.runs["rows"])


def test_a_run_has_a_row_with_what_it_took(built: Studio, front_end: Any) -> None:
    front_end.press(built.pipeline, "run")
    built.wait(30)
    [row] = rows(built)
    assert (row["title"], row["state"], row["way"], row["points"]) == ("SinCoords", "done", "direct", "32,400")
    assert (row["billed"], row["memory"]) == ("900 ms", "128 MB")
    assert row["cost"].endswith("USD for 1,000 runs")
    assert (row["again"], row["cancel"], row["show"], row["log"]) == (True, False, True, True)
    json.dumps(row)


def test_a_run_has_cost_what_it_did_whatever_the_function_is_by_now(built: Studio, front_end: Any) -> None:
    front_end.press(built.pipeline, "run")
    built.wait(30)
    [before] = rows(built)
    built.deploy.deployment.function_memory = 10_240
    front_end.press(built.pipeline, "refresh")
    built.wait(30)
    assert built.pipeline.capacity().memory == 10_240  # type: ignore[union-attr]  # there is a wish
    [after] = rows(built)
    assert after["cost"] == before["cost"]


def test_each_run_can_be_cancelled_alone(built: Studio, backend: Any, front_end: Any) -> None:
    backend.hold = threading.Event()
    front_end.press(built.pipeline, "run")
    front_end.press(built.pipeline, "run")
    assert {row["key"]: row["cancel"] for row in rows(built)} == {"run-1": True, "run-2": True}
    front_end.send(built.pipeline, {"type": "run", "name": "cancel", "key": "run-2"})
    with pytest.raises(TimeoutError):
        built.wait(0.5)
    assert {row["key"]: row["state"] for row in rows(built)} == {"run-1": "running", "run-2": "cancelled"}
    assert built.pipeline.standing == "working"
    backend.hold.set()
    with pytest.raises(CancelledError):
        built.wait(30)
    assert {row["key"]: row["state"] for row in rows(built)} == {"run-1": "done", "run-2": "cancelled"}


def test_a_failed_run_says_why_where_the_person_is_looking_and_runs_again(
    built: Studio, backend: Any, front_end: Any
) -> None:
    backend.errors["run"] = PipelineFailedError("podpac could not evaluate the pipeline", remote_type="ValueError")
    front_end.press(built.pipeline, "run")
    with pytest.raises(PipelineFailedError):
        built.wait(30)
    [row] = rows(built)
    assert (row["state"], row["why"]) == ("failed", "podpac could not evaluate the pipeline")
    assert built.pipeline.card["what"] == "podpac could not evaluate the pipeline"
    del backend.errors["run"]
    front_end.type(built.pipeline, "lat_size", "3")
    front_end.send(built.pipeline, {"type": "run", "name": "again", "key": "run-1"})
    built.wait(30)
    # What is run again is what was run, and not what stands in the form now.
    assert [row["points"] for row in rows(built)] == ["32,400", "32,400"]
    assert [row["state"] for row in rows(built)].count("done") == 1
    assert built.pipeline.card == {}


def test_a_run_that_was_cut_off_is_gone_on_with_and_not_sent_again(
    built: Studio, backend: Any, front_end: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.errors["run"] = ExpiredCredentialsError("The credentials have expired", next_step="Enter a new key.")
    monkeypatch.setattr(Job, "left_off", property(lambda job: job.state == "failed"))
    front_end.press(built.pipeline, "run")
    with pytest.raises(ExpiredCredentialsError):
        built.wait(30)
    [row] = rows(built)
    assert (row["state"], row["again"], row["left_off"]) == ("failed", True, True)
    del backend.errors["run"]
    front_end.send(built.pipeline, {"type": "run", "name": "again", "key": "run-1"})
    built.wait(30)
    [row] = rows(built)
    assert (row["key"], row["state"], row["left_off"], row["show"]) == ("run-1", "done", False, True)
    assert ("resume", 1) in backend.asked
    assert built.pipeline.card == {}


def test_an_earlier_result_can_be_shown_again(built: Studio, backend: Any, front_end: Any) -> None:
    front_end.press(built.pipeline, "run")
    built.wait(30)
    first = built.results.result
    front_end.press(built.pipeline, "example_1")
    front_end.press(built.pipeline, "run")
    built.wait(30)
    assert built.results.facts
    assert "Mean" in built.results.note
    front_end.send(built.pipeline, {"type": "run", "name": "show_result", "key": "run-1"})
    assert "SinCoords" in built.results.note
    assert built.results.result is first


def test_a_run_whose_request_went_by_the_bucket_says_so(built: Studio, backend: Any, front_end: Any) -> None:
    backend.history = (record("x-8", timings={"request": 0.2, "evaluate": 1.0}), record("x-9"))
    front_end.press(built.pipeline, "run")
    built.wait(30)
    assert {row["key"]: row["way"] for row in rows(built)} == {
        "run-1": "direct", "x-8": "call, request by the bucket", "x-9": "call",
    }  # fmt: skip


def test_runs_of_the_log_are_listed_with_those_of_the_session_once(built: Studio, backend: Any, front_end: Any) -> None:
    backend.history = (record("r-1", billed_ms=901), record("x-9", outcome="PipelineRejectedError", trigger="HTTP"))
    front_end.press(built.pipeline, "run")
    built.wait(30)
    keys = {row["key"]: row for row in rows(built)}
    assert keys.keys() == {"run-1", "x-9"}
    assert (keys["x-9"]["state"], keys["x-9"]["why"], keys["x-9"]["way"]) == ("failed", "PipelineRejectedError", "HTTP")
    assert not keys["x-9"]["again"]


def test_a_log_that_may_not_be_read_is_said_and_hides_no_run(built: Studio, backend: Any, front_end: Any) -> None:
    backend.errors["get_runs"] = AccessDeniedError("Reading the log is not permitted")
    front_end.press(built.pipeline, "refresh")
    front_end.press(built.pipeline, "run")
    built.wait(30)
    assert "Reading the log is not permitted" in built.pipeline.runs["remark"]
    assert [row["state"] for row in rows(built)] == ["done"]


def test_when_aws_cannot_be_asked_the_table_says_so_until_it_can(built: Studio, backend: Any, front_end: Any) -> None:
    backend.history = (record("x-9"),)
    front_end.press(built.pipeline, "refresh")
    built.wait(30)
    backend.errors["capacity"] = EndpointUnreachableError("Reading the function failed: AWS could not be reached")
    front_end.press(built.pipeline, "refresh")
    built.wait(30)
    assert "AWS could not be reached" in built.pipeline.runs["remark"]
    assert [row["key"] for row in rows(built)] == ["x-9"]
    del backend.errors["capacity"]
    front_end.press(built.pipeline, "refresh")
    built.wait(30)
    assert built.pipeline.runs["remark"] == ""


def test_a_run_that_cannot_be_begun_leaves_nothing_to_wait_for(built: Studio, backend: Any, front_end: Any) -> None:
    backend.errors["submit"] = InvalidValueError("There is no way 'post'", field="way")
    front_end.press(built.pipeline, "run")
    built.wait(1)
    assert built.pipeline.fields["way"]["error"] and rows(built) == []
    assert built.pipeline.buttons["cancel"]["disabled"]


def test_the_lines_of_a_run_are_sent_when_asked_for_and_not_kept_in_the_notebook(
    built: Studio, backend: Any, front_end: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.lines = (LogLine(NOON, "s", "START <b>of</b> it\n"),)
    front_end.press(built.pipeline, "run")
    built.wait(30)
    sent: list[Any] = []
    monkeypatch.setattr(built.pipeline, "send", lambda content, buffers=None: sent.append(content))
    front_end.send(built.pipeline, {"type": "run", "name": "read_log", "key": "run-1"})
    built.wait(30)
    assert sent == [{"type": "log", "key": "run-1", "lines": ["12:00:00 START <b>of</b> it"]}]
    assert ("get_logs", "r-1") in backend.asked
    assert built.pipeline.run_table.logs["run-1"] == ("12:00:00 START <b>of</b> it",)
    assert "START" not in str(built.pipeline.get_state())


def test_the_three_ways_reach_the_function(built: Studio, backend: Any, front_end: Any) -> None:
    for way in ("eval", "async"):
        front_end.type(built.pipeline, "way", way)
        front_end.press(built.pipeline, "run")
        built.wait(30)
    front_end.type(built.pipeline, "way", "S3")
    assert "no S3 trigger" in built.pipeline.fields["way"]["warning"]
    front_end.press(built.pipeline, "run")
    assert "no S3 trigger" in built.pipeline.fields["way"]["error"]
    built.deploy.deployment.function_triggers = ["eval", "S3"]
    front_end.press(built.pipeline, "refresh")
    built.wait(30)
    assert built.pipeline.fields["way"]["warning"] == ""
    front_end.press(built.pipeline, "run")
    built.wait(30)
    assert backend.ways == ["eval", "async", "S3"]


def test_before_a_run_it_says_what_it_will_take(built: Studio, backend: Any, front_end: Any) -> None:
    assert "no run to go by" in built.pipeline.outlook["text"]
    backend.history = (record("r-1"),)
    front_end.press(built.pipeline, "refresh")
    built.wait(30)
    facts = dict(fact[:2] for fact in built.pipeline.facts)
    assert (facts["Points"], facts["Time, about"], facts["Comes back"]) == ("32,400", "2 s", "in the answer")
    assert "1 run of other pipelines" in built.pipeline.outlook["text"]
    front_end.type(built.pipeline, "lat_size", "18000")
    facts = dict(fact[:2] for fact in built.pipeline.facts)
    assert (facts["Time, about"], facts["Comes back"]) == ("200 s", "through the bucket")
    built.deploy.deployment.function_timeout = 60
    front_end.press(built.pipeline, "refresh")
    built.wait(30)
    assert "time limit of 60 s" in built.pipeline.outlook["text"]
    front_end.type(built.pipeline, "lat_size", "1000000")
    assert built.pipeline.outlook["tone"] == "warn"
    assert "too many points" in built.pipeline.outlook["text"]
    assert ["Of what fits 2,048 MB", "over 100 %"] in [fact[:2] for fact in built.pipeline.facts]


def test_runs_of_the_same_pipeline_are_gone_by_first(built: Studio, backend: Any, front_end: Any) -> None:
    backend.history = (record("r-1"), record("other", seconds=50.0))
    front_end.press(built.pipeline, "run")
    built.wait(30)
    assert "1 run of this pipeline" in built.pipeline.outlook["text"]
    assert dict(fact[:2] for fact in built.pipeline.facts)["Time, about"] == "2 s"


def test_an_answer_counts_before_the_log_tells_of_its_run(built: Studio, backend: Any, front_end: Any) -> None:
    told = {"init": 9.0, "import": 1.0, "evaluate": 0.3, "encode": 0.1}
    backend.result = dataclasses.replace(backend.result, timings=told)
    front_end.press(built.pipeline, "run")
    built.wait(30)
    assert dict(fact[:2] for fact in built.pipeline.facts)["Time, about"] == "0.4 s"
    assert "1 run of this pipeline" in built.pipeline.outlook["text"]
    # The log says the same again: it is one run.
    backend.history = (record("r-1", timings=told, seconds=1.4),)
    front_end.press(built.pipeline, "refresh")
    built.wait(30)
    assert "1 run of this pipeline" in built.pipeline.outlook["text"]


def test_measuring_runs_at_few_points_and_shows_no_result(built: Studio, backend: Any, front_end: Any) -> None:
    front_end.press(built.pipeline, "measure")
    built.wait(30)
    _, _, coordinates = backend.asked[-1]
    assert coordinates.points <= 2048
    assert built.results.result is None
    assert rows(built)[0]["title"] == "SinCoords, measured"
    assert built.pipeline.note.startswith("Measured")


def test_a_pipeline_that_is_refused_says_so_before_it_is_run(built: Studio, front_end: Any) -> None:
    front_end.type(built.pipeline, "pipeline", json.dumps({"a": {"node": "os.system"}}))
    assert built.pipeline.outlook["tone"] == "warn"
    assert "not allowed" in built.pipeline.outlook["text"]


def test_only_the_newest_runs_are_in_the_page(built: Studio, backend: Any, front_end: Any) -> None:
    backend.history = tuple(record(f"x-{number}") for number in range(20))
    front_end.press(built.pipeline, "refresh")
    built.wait(30)
    assert len(rows(built)) == 12
    assert built.pipeline.runs["remark"] == "8 older runs are not shown."
    assert len(json.dumps(built.pipeline.runs)) < 6000


@pytest.mark.parametrize("name", ["cancel", "again", "show_result", "read_log", "begin", "__init__", "forget"])
def test_messages_about_runs_that_are_not_there_do_no_harm(built: Studio, front_end: Any, name: str) -> None:
    front_end.send(built.pipeline, {"type": "run", "name": name, "key": "run-7"})
    built.wait(10)
    assert rows(built) == []
    if name in ("again", "show_result", "read_log"):
        assert "no run 'run-7'" in built.pipeline.card["what"]


def test_a_run_that_has_no_result_cannot_be_shown(built: Studio, backend: Any, front_end: Any) -> None:
    backend.hold = threading.Event()
    built.pipeline.run()
    with pytest.raises(InvalidValueError, match="no result"):
        built.pipeline.run_table.show_result("run-1")
    backend.hold.set()
    built.wait(30)


def test_runs_that_go_on_in_another_account_are_not_waited_for(built: Studio, backend: Any, front_end: Any) -> None:
    backend.hold = threading.Event()
    built.pipeline.run()
    assert backend.running.wait(10)
    built.credentials.connect()
    built.wait(10)
    assert rows(built) == []
    assert built.result is None
    backend.hold.set()
    built.wait(10)
    assert (rows(built), built.result) == ([], None)


def test_looking_at_aws_again_does_not_take_away_how_a_run_stands(built: Studio, backend: Any) -> None:
    backend.hold = threading.Event()
    built.pipeline.run()
    built.pipeline.follow_stack(True)
    assert built.pipeline.standing == "working"
    backend.hold.set()
    built.wait(30)
    built.pipeline.follow_stack(True)
    assert built.pipeline.note == "The result is below"
    built.pipeline.follow_stack(False)
    assert built.pipeline.note == "Needs a function that is built"


@dataclasses.dataclass
class Put:
    """Work that was begun by an object in the bucket, of which the answer tells no request."""

    sent: Sent
    backend: Any

    def __call__(self, listener: Any, cancelled: Any) -> Any:
        return dataclasses.replace(self.backend.result, request_id="", billed_ms=None, memory_mb=None)


@pytest.fixture
def by_s3(built: Studio, backend: Any, front_end: Any, monkeypatch: pytest.MonkeyPatch) -> Studio:
    """A Studio in which a run was begun by S3 that has ended; its object is called ``abc``."""

    def submit(self: Any, pipeline: Any, coordinates: Any, way: str, listener: Any) -> Job:
        return backend.jobs.submit("x", Put(Sent(name="abc"), backend), listener)

    monkeypatch.setattr(type(built._stack()), "submit", submit)
    built.deploy.deployment.function_triggers = ["eval", "S3"]
    built.pipeline.follow_stack(True)
    built.wait(30)
    front_end.type(built.pipeline, "way", "S3")
    front_end.press(built.pipeline, "run")
    built.wait(30)
    return built


def test_what_a_run_by_s3_has_cost_is_in_the_log_under_its_objects_name(by_s3: Studio, backend: Any) -> None:
    [row] = rows(by_s3)
    assert (row["way"], row["billed"], row["log"]) == ("S3", "once the log tells", False)
    assert "cost" not in row
    backend.history = (
        record("r-9", trigger="S3", points=None, keys=("input/f/other.json",)),
        record("r-8", trigger="S3", points=None, keys=("input/f/abc.json",)),
    )
    by_s3.pipeline.run_table.look()
    by_s3.wait(30)
    row = next(each for each in rows(by_s3) if each["key"] == "run-1")
    assert (row["billed"], row["memory"], row["log"]) == ("2.0 s", "300 MB", True)
    assert row["cost"].endswith("USD for 1,000 runs")
    assert [each["key"] for each in rows(by_s3)].count("r-8") == 0
    by_s3.pipeline.run_table.read_log("run-1")
    by_s3.wait(30)
    assert ("get_logs", "r-8") in backend.asked
    assert by_s3.pipeline.run_table.of_pipeline(by_s3.pipeline.read_pipeline()) == {"r-8"}


def test_a_run_that_is_logged_under_another_request_than_was_told_is_one_row(
    built: Studio, backend: Any, front_end: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def submit(self: Any, pipeline: Any, coordinates: Any, way: str, listener: Any) -> Job:
        return backend.jobs.submit("x", Put(Sent(name="abc"), backend), listener)

    monkeypatch.setattr(type(built._stack()), "submit", submit)
    front_end.type(built.pipeline, "way", "async")
    front_end.press(built.pipeline, "run")
    built.wait(30)
    backend.history = (record("r-9", delivery="other"), record("r-8", delivery="abc"))
    built.pipeline.run_table.look()
    built.wait(30)
    assert sorted(each["key"] for each in rows(built)) == ["r-9", "run-1"]
    assert [each.request_id for each in built.pipeline.run_table.records()] == ["r-9", "r-8"]


def test_what_several_objects_have_cost_together_is_said_of_none(by_s3: Studio, backend: Any) -> None:
    backend.history = (record("r-8", trigger="S3", points=None, keys=("input/f/abc.json", "input/f/abd.json")),)
    by_s3.pipeline.run_table.look()
    by_s3.wait(30)
    row = next(each for each in rows(by_s3) if each["key"] == "run-1")
    assert row["billed"] == "once the log tells"
