"""What is done with a function once it is there: run pipelines, read its log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import date
from typing import Any, TypeVar

from podpac_lambda_widgets.clock import Clock, SystemClock
from podpac_lambda_widgets.engine.capacity import WAYS, Capacity, Way, deployed_capacity, wished_capacity
from podpac_lambda_widgets.engine.claims import Place
from podpac_lambda_widgets.engine.events import Listener, ignore
from podpac_lambda_widgets.engine.history import RunRecord, read_runs
from podpac_lambda_widgets.engine.jobs import Job, Jobs
from podpac_lambda_widgets.engine.logs import follow_logs, read_logs
from podpac_lambda_widgets.engine.ports import Account
from podpac_lambda_widgets.engine.results import Answered, FileResult, Result
from podpac_lambda_widgets.engine.runner import run_pipeline, run_to_file
from podpac_lambda_widgets.engine.submission import Submission
from podpac_lambda_widgets.engine.zarr_output import zarr_output
from podpac_lambda_widgets.errors import AccessDeniedError, InvalidValueError, ResourceNotFoundError
from podpac_lambda_widgets.limits import TIMEOUT_S
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.pipeline import Pipeline
from podpac_lambda_widgets.plan.account import LogLine
from podpac_lambda_widgets.plan.desired import named_function
from podpac_lambda_widgets.plan.names import StackNames, extras_of, stack_names
from podpac_lambda_widgets.plan.resources import Function
from podpac_lambda_widgets.plan.snapshot import named_snapshot
from podpac_lambda_widgets.remote import guard
from podpac_lambda_widgets.remote.wire import Request

AnyAnswered = TypeVar("AnyAnswered", bound=Answered)


def never() -> bool:
    """Nobody cancels."""
    return False


class Invoking:
    """One function in one account, by its name.

    Parameters
    ----------
    account : Account
        Such as ``AwsAccount(session)``.
    deployment : Deployment
        The wish, of which the names are used.
    clock : Clock, optional
        Time, for tests.
    """

    def __init__(self, account: Account, deployment: Deployment, clock: Clock | None = None) -> None:
        self.account = account
        self.deployment = deployment
        self._clock: Clock = clock or SystemClock()
        self._deployed: Function | None = None
        #: The runs that were submitted here.
        self.jobs = Jobs(clock=self._clock)

    def capacity(self) -> Capacity:
        """What the function takes: as it is deployed; or as it is wished, where it is not there or may not be read."""
        return self._capacity(self._read_deployed()[0])

    def _names(self) -> StackNames:
        return stack_names(self.deployment, self.account.identity())

    def run(
        self,
        pipeline: Pipeline,
        coordinates: CoordinatesDefinition,
        listener: Listener = ignore,
        cancelled: Callable[[], bool] = never,
    ) -> Result:
        """Evaluate a pipeline at coordinates in the function.

        The function checks the same things again; checking here first saves the call.
        """
        request = Request(pipeline=pipeline.definition, coordinates=coordinates.definition)
        with self.calling(request) as told:
            result = run_pipeline(self.account, request=request, listener=listener, cancelled=cancelled, **told)
        return self.complete(result)

    def run_to_file(
        self,
        pipeline: Pipeline,
        coordinates: CoordinatesDefinition,
        output: Mapping[str, object],
        listener: Listener = ignore,
        cancelled: Callable[[], bool] = never,
    ) -> FileResult:
        """Evaluate a pipeline into a format of one's choice.

        Parameters
        ----------
        output : mapping
            ``{"format": name, option: value, ...}``, see :func:`podpac_lambda_widgets.remote.outputs.read_output`.
        """
        request = Request(pipeline=pipeline.definition, coordinates=coordinates.definition, output=output)
        with self.calling(request) as told:
            result = run_to_file(self.account, request=request, listener=listener, cancelled=cancelled, **told)
        return self.complete(result)

    def run_to_zarr(
        self,
        pipeline: Pipeline,
        coordinates: CoordinatesDefinition,
        listener: Listener = ignore,
        cancelled: Callable[[], bool] = never,
    ) -> FileResult:
        """Evaluate a pipeline into a Zarr array of the function's bucket, of which the result tells the address."""
        return self.run_to_file(pipeline, coordinates, zarr_output(pipeline, coordinates), listener, cancelled)

    def submit_zarr(
        self,
        pipeline: Pipeline,
        coordinates: CoordinatesDefinition,
        result: Result,
        listener: Callable[[Job], None] | None = None,
    ) -> Job:
        """Begin to have a result computed once more, and written into the function's bucket as a Zarr array.

        Parameters
        ----------
        result : Result
            What the pipeline gave at the coordinates.
        listener : callable, optional
            As for :meth:`submit`.

        Returns
        -------
        Job
            Its result is the same, with :attr:`Result.zarr`, and tells of this run.
        """

        def work(progress: Listener, cancelled: Callable[[], bool]) -> Result:
            written = self.run_to_zarr(pipeline, coordinates, progress, cancelled)
            told = {each.name: getattr(written, each.name) for each in fields(Answered)}
            return Result(array=result.array, zarr=written.address, **told)

        return self.jobs.submit(pipeline.output, work, listener)

    def submit(
        self,
        pipeline: Pipeline,
        coordinates: CoordinatesDefinition,
        way: Way = "eval",
        listener: Callable[[Job], None] | None = None,
    ) -> Job:
        """Begin a run, and go on with something else.

        Parameters
        ----------
        way : {"eval", "async", "S3"}
            A direct call; a call that Lambda keeps until there is a place for it; or an object that is put into the
            bucket, for which the function needs its S3 trigger.
        listener : callable, optional
            Called with the job at every change, on the job's own thread.

        Raises
        ------
        InvalidValueError
            Another way.
        """
        if way not in WAYS:
            raise InvalidValueError(f"There is no way {way!r}", field="way", next_step=f"Use {', '.join(WAYS)}.")
        return self.jobs.submit(pipeline.output, Submission(self, pipeline, coordinates, way), listener)

    def resume(self, job: Job) -> Job:
        """Go on with a run that failed, such as one whose credentials have expired or whose network broke.

        What was sent is not sent again: its answer is waited for, or fetched where it is there. A direct call is
        called again where its answer got lost, and so is what the function has answered with an error.

        Parameters
        ----------
        job : Job
            Of this or of another connection to the same function.

        Raises
        ------
        InvalidValueError
            It has not failed.
        """
        if not isinstance(job.work, Submission):
            raise InvalidValueError("This is no run of a function")
        return self.jobs.resume(job, replace(job.work, by=self))

    def _place(self, deployed: Function | None) -> Place:
        """Where the function's files are: as it says itself, else as wished."""
        names = self._names()
        if deployed is None:
            input_folder = names.input if "S3" in self.deployment.function_triggers else ""
            return Place(names.bucket, input_folder, names.output, names.stack)
        environment = deployed.environment
        return Place(
            bucket=environment.get("S3_BUCKET_NAME", names.bucket),
            input=environment.get("FUNCTION_S3_INPUT", ""),
            output=environment.get("FUNCTION_S3_OUTPUT", names.output),
            stack=names.stack,
        )

    @contextmanager
    def calling(self, request: Request) -> Iterator[dict[str, Any]]:
        """What calling the function takes besides the request, once that was checked."""
        deployed, readable = self._read_deployed()
        guard.check(request, self._capacity(deployed).policy)
        try:
            if deployed is None and readable:
                raise ResourceNotFoundError("There is no such function", resource=self.deployment.function_name)
            yield {
                "function_name": self._called(deployed),
                "place": self._place(deployed),
                "timeout": float(deployed.timeout if deployed else TIMEOUT_S[1]),
                "clock": self._clock,
            }
        except ResourceNotFoundError as error:
            # Somebody may have changed by what name it is called.
            self._forget_deployed()
            error.next_step = "Build the function first."
            raise

    def complete(self, result: AnyAnswered) -> AnyAnswered:
        """A result with what the function, and not its answer, tells of the run."""
        return replace(
            result,
            architecture=self._capacity(self._deployed).architecture,
            read_log=lambda: self.get_logs(request_id=result.request_id),
        )

    def get_runs(self, *, start: date | str | None = None, limit: int = 50) -> tuple[RunRecord, ...]:
        """The function's last runs, newest first, as its log tells of them: whoever asked for them, from wherever.

        Parameters
        ----------
        start : datetime, date or str, optional
            Only those since then; without a time zone it is taken to be UTC.
        limit : int
            How many runs at the most.
        """
        deployed, _ = self._read_deployed()
        # A run has about five lines.
        lines = self.get_logs(start=start, limit=10 * limit)
        return read_runs(lines, deployed.architecture if deployed else "x86_64")[:limit]

    def get_logs(
        self,
        *,
        start: date | str | None = None,
        end: date | str | None = None,
        request_id: str = "",
        limit: int = 1000,
    ) -> tuple[LogLine, ...]:
        """The last lines of the function's log, oldest first.

        Parameters
        ----------
        start, end : datetime, date or str, optional
            Without a time zone they are taken to be UTC; ``end`` is not included.
        request_id : str, optional
            Only the lines of one run (``result.request_id``).
        limit : int
            How many lines at the most.
        """
        group = self._names().log_group
        return read_logs(self.account, group, start=start, end=end, request_id=request_id, limit=limit)

    def follow_logs(
        self, *, start: date | str | None = None, request_id: str = "", cancelled: Callable[[], bool] = never
    ) -> Iterator[LogLine]:
        """Lines of the function's log as they come, until ``cancelled()``."""
        group = self._names().log_group
        return follow_logs(
            self.account, group, start=start, request_id=request_id, clock=self._clock, cancelled=cancelled
        )

    def _read_deployed(self) -> tuple[Function | None, bool]:
        """The function as it is deployed, which need not be as it is wished here; and whether it may be read at all."""
        if self._deployed is None:
            try:
                found = self.account.read(named_function(self._names()))
            except AccessDeniedError:
                return None, False
            if found is not None and isinstance(found.resource, Function):
                self._deployed = found.resource
        return self._deployed, True

    def _forget_deployed(self) -> None:
        """Read the function anew the next time: it may have been changed."""
        self._deployed = None

    def _called(self, deployed: Function | None) -> str:
        """The name to call the function by: that of its snapshot, where it has one."""
        extras = extras_of(deployed) if deployed else None
        wished = extras.snapshot if extras else self.deployment.function_snap_start
        return named_snapshot(self._names()).name if wished else self.deployment.function_name

    def _capacity(self, deployed: Function | None) -> Capacity:
        """By the function's own environment where that is known, else by the wish."""
        return deployed_capacity(deployed) if deployed else wished_capacity(self.deployment)
