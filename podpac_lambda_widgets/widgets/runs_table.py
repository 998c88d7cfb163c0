"""The runs of a stack: those of this session, as they go on, and those that the function's log tells of."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

from podpac_lambda_widgets.engine.capacity import Capacity, Way
from podpac_lambda_widgets.engine.forecast import thin
from podpac_lambda_widgets.engine.history import RunRecord
from podpac_lambda_widgets.engine.jobs import Job
from podpac_lambda_widgets.errors import CancelledError, InvalidValueError, PodpacLambdaError
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.pipeline import Pipeline
from podpac_lambda_widgets.widgets.backend import StackActions
from podpac_lambda_widgets.widgets.cards import explain
from podpac_lambda_widgets.widgets.result_preparation import Asked, ZarrLink
from podpac_lambda_widgets.widgets.run_rows import Run, ended, record_of, record_row, request_of, run_row
from podpac_lambda_widgets.widgets.worker import Task, Worker

if TYPE_CHECKING:
    from podpac_lambda_widgets.engine.results import Result
    from podpac_lambda_widgets.widgets.pipeline_form import PipelineForm

#: Rows that are shown; the state of a page is saved with the notebook.
SHOWN = 12
#: Runs that are read from the log.
_READ = 20


class RunsTable:
    """Begins runs, follows them, and tells of them in :attr:`PipelineForm.runs`.

    Parameters
    ----------
    form : PipelineForm
    worker : Worker
    stack : callable
        Gives the stack of the present connection, or raises what is missing.
    """

    def __init__(self, form: PipelineForm, worker: Worker, stack: Callable[[], StackActions]) -> None:
        self._form, self._worker, self._stack = form, worker, stack
        self._runs: list[Run] = []
        self._count = 0
        #: What keeps the table from telling all; empty where nothing does.
        self._remark = ""
        #: Tells an answer that came too late from the last one.
        self._looks = 0
        #: What the function takes and which runs its log tells of, as it was last read.
        self.capacity: Capacity | None = None
        self.history: tuple[RunRecord, ...] = ()
        #: Lines of the logs that were asked for, by the run's key.
        self.logs: dict[str, tuple[str, ...]] = {}

    # What a person does

    def begin(
        self, pipeline: Pipeline, coordinates: CoordinatesDefinition, way: Way = "eval", *, measures: bool = False
    ) -> Job:
        """Begin a run; its result is shown when it is there."""
        self._worker.check_free()
        self._count += 1
        given = (pipeline, thin(coordinates) if measures else coordinates, way)
        run = Run(f"run-{self._count}", *given, self._stack(), self._form.provenance(), measures)
        return self._begin(run, functools.partial(run.stack.submit, *given))

    def write_zarr(self, run: Run, result: Result, written: Callable[[str, PodpacLambdaError | None], None]) -> Job:
        """Have the function compute a run once more, and write its result into its bucket as Zarr.

        Parameters
        ----------
        written : callable
            Told the address, or the error.
        """
        self._worker.check_free()
        self._count += 1
        given = (run.pipeline, run.coordinates)
        writing = Run(f"run-{self._count}", *given, "eval", self._stack(), self._form.provenance(), written=written)
        return self._begin(writing, functools.partial(writing.stack.submit_zarr, *given, result))

    def _begin(self, run: Run, submit: Callable[[Callable[[Job], None]], Job]) -> Job:
        # On the job's own thread: what is shown is written on ours, and so after what follows here.
        job = submit(lambda job: self._worker.post(lambda: self._follow(run, job)))
        self._runs.insert(0, run)
        run.end = self._worker.begin()
        self._form.forget_errors()
        self._follow(run, job)
        return job

    def cancel(self, key: str = "") -> None:
        """Stop waiting for a run, or for all of them."""
        for run in self._runs:
            if run.job is not None and run.goes_on and key in ("", run.key):
                run.job.cancel()

    def again(self, key: str) -> Job:
        """Run the same again; where it was cut off after it was sent, go on with it instead."""
        run = self._find(key)
        if run.job is not None and run.job.left_off:
            return self._go_on(run, run.job)
        return self.begin(run.pipeline, run.coordinates, run.way, measures=run.measures)

    def _go_on(self, run: Run, job: Job) -> Job:
        self._worker.check_free()
        # By the present connection: the credentials of the one before may have expired.
        run.stack = self._stack()
        run.stack.resume(job)
        run.end = self._worker.begin()
        self._form.forget_errors()
        self._follow(run, job)
        return job

    def show_result(self, key: str) -> None:
        """Put the result of a run into view again."""
        run = self._find(key)
        if run.show is None:
            raise InvalidValueError("This run has no result to show", next_step="Wait for it, or run it again.")
        run.show()

    def read_log(self, key: str) -> None:
        """Read the lines of a run in the function's log, in the background, into :attr:`logs`."""
        request_id = self._request_id(key)
        stack = self._stack()

        def work(task: Task) -> tuple[str, ...]:
            lines = stack.get_logs(request_id=request_id) if request_id else ()
            return tuple(f"{line.time:%H:%M:%S} {line.message.rstrip()}" for line in lines)

        def finished(lines: tuple[str, ...]) -> None:
            said = lines or (_NO_LINES if request_id else _NO_REQUEST,)
            self.logs[key] = said
            self._form.send({"type": "log", "key": key, "lines": list(said)})

        def failed(error: BaseException) -> PodpacLambdaError:
            shown = explain(error, "Reading the log")
            finished((" ".join(part for part in (shown.what, shown.why, shown.next_step) if part),))
            return shown

        self._worker.start(Task("Reading the log", quiet=True), work, finished, failed)

    def look(self) -> None:
        """Read in the background what the function takes, and which runs its log tells of."""
        try:
            stack = self._stack()
        except PodpacLambdaError:
            return

        def work(task: Task) -> tuple[Capacity, tuple[RunRecord, ...], str]:
            capacity, said = stack.capacity(), ""
            try:
                history = stack.get_runs(limit=_READ)
            except PodpacLambdaError as error:
                history, said = (), f"The function's log could not be read: {error.what}"
            return capacity, history, said

        self._looks += 1
        count = self._looks

        def finished(found: tuple[Capacity, tuple[RunRecord, ...], str]) -> None:
            if count == self._looks:
                self.capacity, self.history, self._remark = found
                self.show()
                self._form.follow_capacity()

        def failed(error: BaseException) -> PodpacLambdaError:
            shown = explain(error, "Looking at the runs")
            if count == self._looks:
                # The rows stay as they were read before, and that is said.
                self._remark = f"AWS could not be asked for its runs: {shown.what}"
                self.show()
                self._form.on_error(shown)
            return shown

        self._worker.start(Task("Looking at the runs", quiet=True), work, finished, failed)

    def forget(self) -> None:
        """Forget the runs of another account; those that go on there go on unseen."""
        self._looks += 1
        for run in self._runs:
            if run.end is not ended:
                if run.written is not None:
                    run.written("", CancelledError("The writing of the Zarr array is not followed any more"))
                run.end(None)
        self._runs, self.history, self.capacity, self.logs, self._remark = [], (), None, {}, ""
        self.show()

    # What happens

    def _follow(self, run: Run, job: Job) -> None:
        run.job = job
        if run not in self._runs:
            return
        self.show()
        self._form.show_standing()
        if job.done and run.end is not ended:
            end, run.end = run.end, ended
            self._finish(run, job, end)

    def _finish(self, run: Run, job: Job, end: Callable[[PodpacLambdaError | None], None]) -> None:
        shown = None if job.error is None else explain(_cause(job.error), "Running")
        if run.written is not None:
            # Where it was asked for it is said, and not here.
            run.written("" if shown else job.result().zarr, shown)
            end(shown)
        elif shown is not None:
            self._form.show_error(shown)
            end(shown)
        elif run.measures:
            self._form.stand("ready", "Measured: see the estimate")
            end(None)
        else:
            self._draw(run, job, end)
        self._form.follow_capacity()
        self._form.show_standing()
        self.look()

    def _draw(self, run: Run, job: Job, end: Callable[[PodpacLambdaError | None], None]) -> None:
        """On the worker's thread, one after the other: matplotlib is not made for several at once."""

        def finished(show: Callable[[], None]) -> None:
            if run in self._runs:
                run.show = show
                show()
                self._form.stand("done", "The result is below")
                self._form.show_standing()
                self.show()
            end(None)

        def failed(error: BaseException) -> PodpacLambdaError:
            shown = explain(error, "Running")
            self._form.show_error(shown)
            end(shown)
            return shown

        prepare, result = self._form.prepare, job.result()
        asked = Asked(run.pipeline, run.coordinates, run.way)
        link = ZarrLink(result.zarr, functools.partial(self.write_zarr, run, result))
        self._worker.start(
            Task("Drawing the plot", quiet=True),
            lambda task: prepare(asked, result, run.provenance, link),
            finished,
            failed,
        )

    # What there is to see

    @property
    def going_on(self) -> int:
        """How many runs have not ended."""
        return sum(run.goes_on for run in self._runs)

    def of_pipeline(self, pipeline: Pipeline) -> frozenset[str]:
        """The request ids of the runs of a pipeline."""
        ids = (request_of(run.job, self.history) for run in self._runs if run.pipeline == pipeline and not run.written)
        return frozenset(each for each in ids if each)

    def records(self) -> tuple[RunRecord, ...]:
        """What is known of the function's runs, newest first: by their answers here, else by the log."""
        told = {record.request_id for record in self.history}
        new = [run for run in self._runs if request_of(run.job, self.history) not in told]
        own = [record for record in map(record_of, new) if record]
        return (*own, *self.history)

    def show(self) -> None:
        """Write the rows, newest first."""
        told = {record.request_id: record for record in self.history}
        own = [(run, run.job, request_of(run.job, self.history)) for run in self._runs if run.job]
        ids = {request_id for _, _, request_id in own}
        rows = [run_row(run, job, told.get(request_id)) for run, job, request_id in own]
        rows += [record_row(record) for record in self.history if record.request_id not in ids]
        rows.sort(key=lambda row: row["started"], reverse=True)
        more = len(rows) - SHOWN
        self._form.runs = {
            "rows": rows[:SHOWN],
            "remark": self._remark or (f"{more} older runs are not shown." if more > 0 else ""),
        }

    def _find(self, key: str) -> Run:
        found = next((run for run in self._runs if run.key == key), None)
        if found is None:
            raise InvalidValueError(f"There is no run {key!r} in this session")
        return found

    def _request_id(self, key: str) -> str:
        if any(record.request_id == key for record in self.history):
            return key
        return request_of(self._find(key).job, self.history)


_NO_LINES = "The log has no lines of this run yet; AWS shows them some seconds late."
_NO_REQUEST = "The log does not tell yet which call S3 made for it; AWS shows it some seconds late: press Refresh."


def _cause(error: PodpacLambdaError) -> BaseException:
    """What a job has wrapped because it was no error of ours; else the error."""
    return error.__cause__ if type(error) is PodpacLambdaError and error.__cause__ is not None else error
