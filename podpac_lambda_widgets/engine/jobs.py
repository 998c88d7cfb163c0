"""Runs that go on while the notebook does something else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from typing import Literal

from podpac_lambda_widgets.clock import Clock, SystemClock
from podpac_lambda_widgets.engine.events import Event, Listener, RunProgressed
from podpac_lambda_widgets.engine.results import Result
from podpac_lambda_widgets.errors import CancelledError, InvalidValueError, PodpacLambdaError
from podpac_lambda_widgets.plan.account import LogLine

State = Literal["waiting", "running", "done", "failed", "cancelled"]
#: What a job does: it tells its progress, and asks whether to stop.
Work = Callable[[Listener, Callable[[], bool]], Result]

#: Jobs that run at once; AWS gives a new account ten calls at once, for all of its functions.
AT_ONCE = 4
#: Jobs that are kept after they have ended, and with them their results.
_KEPT = 100


@dataclass(eq=False)
class Job:
    """One run.

    Parameters
    ----------
    number : int
        Its place among the jobs of this session.
    title : str
        What is computed.
    work : callable
    clock : Clock
    """

    number: int
    title: str
    work: Work = field(repr=False)
    clock: Clock = field(repr=False)
    state: State = field(default="waiting", init=False)
    #: What it does just now, in a word and a detail.
    phase: RunProgressed | None = field(default=None, init=False)
    submitted: datetime = field(default_factory=lambda: datetime.now(UTC), init=False)
    error: PodpacLambdaError | None = field(default=None, init=False)
    _result: Result | None = field(default=None, init=False, repr=False)
    _began: float | None = field(default=None, init=False, repr=False)
    _elapsed: float | None = field(default=None, init=False, repr=False)
    _cancel: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    _ended: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    _listeners: list[Callable[[Job], None]] = field(default_factory=list, init=False, repr=False)

    @property
    def done(self) -> bool:
        """Whether it has ended, one way or the other."""
        return self._ended.is_set()

    @property
    def left_off(self) -> bool:
        """Whether it failed after it was sent, so that it can be gone on with; see :meth:`Jobs.resume`."""
        return self.state == "failed" and bool(getattr(self.work, "left_off", False))

    @property
    def sent_name(self) -> str:
        """What its objects in the bucket are called, without their extension; empty for a run that has none."""
        return str(getattr(getattr(self.work, "sent", None), "last_name", ""))

    @property
    def elapsed(self) -> float | None:
        """Seconds since it began to run, or that it took; None while it waits."""
        if self._began is None:
            return None
        return self._elapsed if self._elapsed is not None else self.clock.monotonic() - self._began

    @property
    def request_id(self) -> str:
        """By which AWS's log knows the run; empty as long as that is not known."""
        if self._result is not None:
            return self._result.request_id
        return self.error.request_id if self.error is not None else ""

    def result(self, timeout: float | None = None) -> Result:
        """Wait for the result.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most.

        Raises
        ------
        TimeoutError
            It is still running by then.
        PodpacLambdaError
            Why it failed; a CancelledError when it was cancelled.
        """
        if not self._ended.wait(timeout):
            raise TimeoutError(f"{self.title} is still {self.state}")
        if self.error is not None:
            raise self.error
        assert self._result is not None  # one of the two is set before it ends
        return self._result

    def cancel(self) -> None:
        """Stop waiting for it. AWS cannot stop a call: the function may go on until its time limit."""
        self._cancel.set()

    def get_logs(self) -> tuple[LogLine, ...]:
        """The lines of this run in the function's log, however it ended; AWS shows them some seconds late."""
        if self._result is not None:
            return self._result.get_logs()
        read_log = getattr(self.work, "read_log", None)
        return tuple(read_log(self.request_id)) if self.done and read_log is not None else ()

    def on_change(self, listener: Callable[[Job], None]) -> None:
        """Have ``listener`` called with the job at every change, on the job's own thread."""
        self._listeners.append(listener)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener(self)

    def _listen(self, event: Event) -> None:
        if isinstance(event, RunProgressed):
            self.phase = event
            self._tell()

    def _run(self, places: threading.Semaphore) -> None:
        while not self._cancel.is_set():
            if places.acquire(timeout=0.1):
                break
        else:
            self._end("cancelled", CancelledError("The run was cancelled", why="It had not begun."))
            return
        try:
            self.state, self._began = "running", self.clock.monotonic()
            self._tell()
            self._result = self.work(self._listen, self._cancel.is_set)
        except CancelledError as error:
            self._end("cancelled", error)
        except PodpacLambdaError as error:
            self._end("failed", error)
        except Exception as error:  # noqa: BLE001 - the boundary of the thread: who asks for the result gets it
            failure = PodpacLambdaError("The run failed", why=f"{type(error).__name__}: {error}")
            failure.__cause__ = error
            self._end("failed", failure)
        else:
            self._end("done", None)
        finally:
            places.release()

    def _begin_anew(self, work: Work) -> None:
        self.work, self.state, self.phase, self.error = work, "waiting", None, None
        self._began = self._elapsed = None
        self._cancel.clear()
        self._ended.clear()

    def _end(self, state: State, error: PodpacLambdaError | None) -> None:
        if self._began is not None:
            self._elapsed = self.clock.monotonic() - self._began
        self.state, self.error = state, error
        self._ended.set()
        self._tell()

    def _repr_html_(self) -> str:
        took = f", {self.elapsed:.1f} s" if self.elapsed is not None else ""
        why = f"<br><small>{escape(str(self.error))}</small>" if self.error is not None else ""
        return f"<p><b>{escape(self.title)}</b>: {self.state}{took}{why}</p>"


class Jobs:
    """The jobs of one session, some of which run at once.

    Parameters
    ----------
    at_once : int
        How many run at once; the others wait.
    clock : Clock, optional
    """

    def __init__(self, at_once: int = AT_ONCE, clock: Clock | None = None) -> None:
        self._places = threading.Semaphore(at_once)
        self._clock: Clock = clock or SystemClock()
        self._jobs: list[Job] = []
        self._count = 0
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Job]:
        """The jobs, newest first."""
        with self._lock:
            return iter(self._jobs[::-1])

    def __len__(self) -> int:
        return len(self._jobs)

    def submit(self, title: str, work: Work, listener: Callable[[Job], None] | None = None) -> Job:
        """Begin a job.

        Parameters
        ----------
        title : str
            What is computed.
        work : callable
            Done on a thread of its own, which does not keep the interpreter from ending.
        listener : callable, optional
            See :meth:`Job.on_change`; it hears of the beginning too.
        """
        with self._lock:
            self._count += 1
            job = Job(self._count, title, work, self._clock)
            self._jobs.append(job)
            ended = [each for each in self._jobs if each.done]
            for each in ended[: max(0, len(self._jobs) - _KEPT)]:
                self._jobs.remove(each)
        if listener is not None:
            job.on_change(listener)
        self._start(job)
        return job

    def resume(self, job: Job, work: Work) -> Job:
        """Go on with a job that has failed: the same one, with its number and its listeners.

        Parameters
        ----------
        job : Job
        work : callable
            What is left of it.

        Raises
        ------
        InvalidValueError
            It has not failed.
        """
        with self._lock:
            if not job.done or job.state != "failed":
                raise InvalidValueError(f"The run is {job.state}: only one that failed can be gone on with")
            job._begin_anew(work)
            if job not in self._jobs:
                self._jobs.append(job)
        self._start(job)
        return job

    def _start(self, job: Job) -> None:
        threading.Thread(
            target=job._run, args=(self._places,), name=f"podpac-lambda-job-{job.number}", daemon=True
        ).start()
