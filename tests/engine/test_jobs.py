"""Jobs run beside each other, can be waited for and cancelled, and tell what became of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.engine.events import RunProgressed
from podpac_lambda_widgets.engine.jobs import Job, Jobs

PATIENCE = 20.0


def held(begun: threading.Semaphore, go: threading.Event) -> Callable[..., Any]:
    def work(listener: Any, cancelled: Callable[[], bool]) -> Any:
        begun.release()
        while not go.wait(0.01):
            if cancelled():
                raise errors.CancelledError("The run was cancelled")
        return "an array"

    return work


def test_a_job_gives_its_result_and_tells_its_changes() -> None:
    seen: list[tuple[str, str]] = []

    def work(listener: Any, cancelled: Any) -> Any:
        listener(RunProgressed("sent", "4 points"))
        return "an array"

    job = Jobs().submit("sine", work, lambda job: seen.append((job.state, job.phase.phase if job.phase else "")))
    assert job.result(PATIENCE) == "an array"
    assert job.done
    assert job.elapsed is not None
    assert seen[:2] == [("running", ""), ("running", "sent")]
    assert job.state == "done"


def test_no_more_run_at_once_than_may() -> None:
    begun, go = threading.Semaphore(0), threading.Event()
    jobs = Jobs(at_once=2)
    made = [jobs.submit(f"job {n}", held(begun, go)) for n in range(5)]
    assert begun.acquire(timeout=PATIENCE)
    assert begun.acquire(timeout=PATIENCE)
    assert not begun.acquire(timeout=0.3)
    assert sorted(job.state for job in made) == ["running"] * 2 + ["waiting"] * 3
    go.set()
    assert [job.result(PATIENCE) for job in made] == ["an array"] * 5
    assert [job.number for job in jobs] == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("runs", [True, False], ids=["running", "waiting"])
def test_a_job_can_be_cancelled(runs: bool) -> None:
    begun, go = threading.Semaphore(0), threading.Event()
    jobs = Jobs(at_once=1)
    first = jobs.submit("first", held(begun, go))
    assert begun.acquire(timeout=PATIENCE)
    job = first if runs else jobs.submit("second", held(begun, go))
    with pytest.raises(TimeoutError):
        job.result(0.05)
    job.cancel()
    with pytest.raises(errors.CancelledError):
        job.result(PATIENCE)
    assert job.state == "cancelled"
    assert (job.elapsed is not None) is runs
    go.set()
    assert runs or first.result(PATIENCE) == "an array"


@pytest.mark.parametrize(
    ("raised", "kind"),
    [(errors.FunctionTimeoutError("too slow", request_id="r-1"), errors.FunctionTimeoutError),
     (ZeroDivisionError("<b>"), errors.PodpacLambdaError)],
)  # fmt: skip
def test_a_job_that_fails_keeps_its_error_and_leaves_its_place(raised: Exception, kind: type[Exception]) -> None:
    def work(*_: Any) -> Any:
        raise raised

    jobs = Jobs(at_once=1)
    job = jobs.submit("<i>bad</i>", work)
    with pytest.raises(kind):
        job.result(PATIENCE)
    assert job.state == "failed"
    assert job.request_id == getattr(raised, "request_id", "")
    assert "<i>" not in job._repr_html_()
    assert "<b>ZeroDivision" not in job._repr_html_()
    assert jobs.submit("next", lambda *_: "an array").result(PATIENCE) == "an array"  # type: ignore[arg-type,return-value]


def test_old_jobs_are_forgotten_but_none_that_runs() -> None:
    begun, go = threading.Semaphore(0), threading.Event()
    jobs = Jobs(at_once=2)
    running = jobs.submit("long", held(begun, go))
    last: Job | None = None
    for number in range(150):
        last = jobs.submit(f"short {number}", lambda *_: "an array")  # type: ignore[arg-type,return-value]
        last.result(PATIENCE)
    assert len(jobs) <= 101
    assert running in list(jobs)
    assert last is next(iter(jobs))
    go.set()
    running.result(PATIENCE)


def test_a_job_that_failed_has_its_lines_too() -> None:
    class Work:
        def __call__(self, listener: Any, cancelled: Any) -> Any:
            raise errors.PipelineFailedError("podpac raised", request_id="r-7")

        def read_log(self, request_id: str) -> list[str]:
            return [f"END of {request_id}"]

    job = Jobs().submit("sine", Work())
    with pytest.raises(errors.PipelineFailedError):
        job.result(PATIENCE)
    assert job.get_logs() == ("END of r-7",)
