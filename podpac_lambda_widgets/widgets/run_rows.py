"""The rows of the table of runs: one of this session, or one that the function's log tells of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from podpac_lambda_widgets.engine.capacity import Way
from podpac_lambda_widgets.engine.history import RunRecord
from podpac_lambda_widgets.engine.jobs import Job
from podpac_lambda_widgets.errors import PodpacLambdaError
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.pipeline import Pipeline
from podpac_lambda_widgets.plan.run_cost import cost_text
from podpac_lambda_widgets.widgets.backend import StackActions

_PHASES = {
    "leaving": "leaving the request in the bucket",
    "sent": "in the function",
    "fetching": "fetching from the bucket",
}
_WORDS = {"waiting": "Waiting", "running": "Running", "done": "Done", "failed": "Failed", "cancelled": "Cancelled"}
_WAY_WORDS = {"eval": "direct", "async": "asynchronous", "S3": "S3", "call": "call", "HTTP": "HTTP"}


def ended(error: PodpacLambdaError | None) -> None:
    """The end of a run that has been told already."""


@dataclass(eq=False)
class Run:
    """A run of this session.

    Parameters
    ----------
    key : str
        By which the table knows it.
    pipeline, coordinates, way
        What was asked.
    stack : StackActions
        Of the connection it went to.
    provenance : mapping of str to str
    measures : bool
        Whether it is run only to see how long it takes.
    """

    key: str
    pipeline: Pipeline
    coordinates: CoordinatesDefinition
    way: Way
    stack: StackActions
    provenance: Mapping[str, str]
    measures: bool = False
    #: Told the address in the bucket, or the error, of a run that only writes the result of another one as Zarr.
    written: Callable[[str, PodpacLambdaError | None], None] | None = None
    job: Job | None = None
    end: Callable[[PodpacLambdaError | None], None] = lambda error: None
    #: Puts its result into view; there once it is drawn.
    show: Callable[[], None] | None = None

    @property
    def title(self) -> str:
        """What it is called in the table."""
        kind = ", measured" if self.measures else ", as Zarr" if self.written else ""
        return f"{self.pipeline.output}{kind}"

    @property
    def goes_on(self) -> bool:
        """Whether it has not ended yet."""
        return self.job is None or not self.job.done


def run_row(run: Run, job: Job, record: RunRecord | None) -> dict[str, Any]:
    """The row of a run of this session; ``record`` is what the log tells of it."""
    phase = _PHASES.get(job.phase.phase, "") if job.phase and job.state == "running" else ""
    return {
        "key": run.key,
        "title": run.title,
        "state": job.state,
        "word": _WORDS[job.state] + (f", {phase}" if phase else ""),
        "way": _WAY_WORDS[run.way],
        "started": job.submitted.isoformat(timespec="seconds"),
        "points": f"{run.coordinates.points:,}",
        "elapsed": round(job.elapsed, 1) if job.elapsed is not None else None,
        "why": job.error.what if job.error is not None and job.state == "failed" else "",
        "cancel": run.goes_on,
        "again": not run.goes_on and run.written is None,
        "left_off": job.left_off,
        "show": run.show is not None,
        "log": bool(job.request_id or record),
        # The function was called by S3: only the log, which AWS shows late, tells by which request.
        **({"billed": "once the log tells"} if run.way == "S3" and job.state == "done" else {}),
        **_reported(record),
        **_reported(_answered(run)),
    }


def _answered(run: Run) -> RunRecord | None:
    """What the answer of a run told, as the log will tell it some seconds later; None where there is none."""
    job = run.job
    if job is None or not job.done or job.error is not None:
        return None
    result = job.result()
    worked = sum(seconds for part, seconds in result.timings.items() if part != "init")
    return RunRecord(
        job.request_id,
        job.submitted,
        outcome="ok",
        seconds=worked or None,
        billed_ms=result.billed_ms,
        memory_mb=result.memory_mb,
        memory_size=result.memory_size,
        points=run.coordinates.points,
        timings=dict(result.timings),
        architecture=result.architecture,
    )


def record_of(run: Run) -> RunRecord | None:
    """The same, where an estimate can go by it."""
    record = _answered(run)
    return record if record and record.request_id and record.seconds else None


def request_of(job: Job | None, told: Sequence[RunRecord]) -> str:
    """By which AWS's log knows a run: as it says of the name under which that was sent, else as the run's answer says.

    S3 hands an object to the function, and nobody is told by which request; what an event with several objects has cost
    belongs to no single one of them. A gateway may give an asynchronous request another id than it told.

    Parameters
    ----------
    told : sequence of RunRecord
        What the log tells of the function's runs.
    """
    if job is None:
        return ""
    name = job.sent_name
    named = (each for each in told if name and (each.delivery == name or _is_of_object(each, f"{name}.json")))
    return next((each.request_id for each in named), job.request_id)


def _is_of_object(record: RunRecord, file_name: str) -> bool:
    return len(record.keys) == 1 and file_name in record.keys[0]


def record_row(record: RunRecord) -> dict[str, Any]:
    """The row of a run that only the log tells of."""
    state = {"ok": "done", "running": "running"}.get(record.outcome, "failed")
    return {
        "key": record.request_id,
        "title": "From the log",
        "state": state,
        "word": _WORDS[state],
        "way": _WAY_WORDS.get(record.trigger, record.trigger) + _by_the_bucket(record),
        "started": record.started.isoformat(timespec="seconds"),
        "points": f"{record.points:,}" if record.points is not None else "",
        "elapsed": round(record.seconds, 1) if record.seconds is not None else None,
        "why": record.outcome if state == "failed" else "",
        "cancel": False,
        "again": False,
        "show": False,
        "log": True,
        **_reported(record),
    }


def _by_the_bucket(record: RunRecord) -> str:
    """What is said of a request that was too large for the call."""
    return ", request by the bucket" if "request" in record.timings else ""


def _reported(record: RunRecord | None) -> dict[str, str]:
    """What Lambda reported of a run."""
    cells: dict[str, str] = {}
    if record is None:
        return cells
    if record.billed_ms is not None:
        cells["billed"] = _time(record.billed_ms)
    if record.cost is not None:
        cells["cost"] = cost_text(record.cost)
    if record.memory_mb is not None:
        cells["memory"] = f"{record.memory_mb} MB"
    return cells


def _time(milliseconds: int) -> str:
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"
