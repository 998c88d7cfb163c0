"""Runs a pipeline in a function: check, send, follow, decode."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any, TypeVar

from podpac_lambda_widgets.clock import Clock
from podpac_lambda_widgets.engine.abandoning import abandon_when_cancelled, pause
from podpac_lambda_widgets.engine.claims import Place, Sent, payload_of
from podpac_lambda_widgets.engine.events import Listener, RunProgressed
from podpac_lambda_widgets.engine.ports import Account
from podpac_lambda_widgets.engine.results import FileResult, Result, check_stored, read_report
from podpac_lambda_widgets.errors import (
    CancelledError,
    FunctionCrashedError,
    FunctionOutOfMemoryError,
    FunctionTimeoutError,
    PodpacLambdaError,
    ResourceNotFoundError,
    ResultError,
    RunError,
    ThrottledError,
)
from podpac_lambda_widgets.limits import SYNC_REQUEST_BYTES
from podpac_lambda_widgets.plan.account import Invocation
from podpac_lambda_widgets.remote import budget
from podpac_lambda_widgets.remote.answers import decode_answer
from podpac_lambda_widgets.remote.arrays import unpack_array
from podpac_lambda_widgets.remote.netcdf import encode_array
from podpac_lambda_widgets.remote.outputs import encoding_of
from podpac_lambda_widgets.remote.wire import Answer, Request, StoredAnswer

Value = TypeVar("Value")

#: Seconds we go on knocking while AWS says that too many calls are running.
_THROTTLE_DEADLINE = 120.0
#: Seconds on top of the function's own time limit: starting an environment and sending the answer.
_MARGIN = 30.0


def run_pipeline(
    account: Account,
    function_name: str,
    request: Request,
    place: Place,
    *,
    timeout: float,
    clock: Clock,
    listener: Listener,
    cancelled: Callable[[], bool],
    sent: Sent | None = None,
) -> Result:
    """Have the function evaluate a request, and bring the array here.

    Parameters
    ----------
    place : Place
        Where a request that is too large for a call is left for the function.
    timeout : float
        The function's own time limit, seconds.
    sent : Sent, optional
        How far the run has come, for who goes on with it: what was answered is not asked again.

    Raises
    ------
    PodpacLambdaError
        A typed one for everything that can go wrong, see :mod:`podpac_lambda_widgets.errors`.
    """
    run = Run(account, function_name, timeout, clock, listener, cancelled)
    body, answer = run.ask(request, place, sent or Sent())
    if answer.format != ARRAYS:
        raise ResultError(
            "The function answered in another format",
            resource=function_name,
            why=ascii(answer.format)[:40],
            next_step="Build the function again",
        )
    array = unpack_array(body)
    return Result(array=array, **run.told(answer))


def run_to_file(
    account: Account,
    function_name: str,
    request: Request,
    place: Place,
    *,
    timeout: float,
    clock: Clock,
    listener: Listener,
    cancelled: Callable[[], bool],
) -> FileResult:
    """Have the function evaluate a request into the format that it names; parameters as for :func:`run_pipeline`.

    Raises
    ------
    PodpacLambdaError
        A typed one for everything that can go wrong, see :mod:`podpac_lambda_widgets.errors`.
    """
    run = Run(account, function_name, timeout, clock, listener, cancelled)
    body, answer = run.ask(request, place, Sent())
    if answer.format == ARRAYS:
        # netCDF, as our own client gets it.
        body, format_ = encode_array(unpack_array(body), for_podpac=True)
    else:
        format_ = answer.format
    encoding = encoding_of(request.output)
    if format_ not in ("netcdf3", "netcdf4") if encoding == "netcdf" else format_ != encoding:
        raise ResultError(
            "The function answered in another format", resource=function_name, why=ascii(answer.format)[:40]
        )
    return FileResult(body=body, format=format_, **run.told(answer))


#: What the function calls the format of a result that our own client gets as it is.
ARRAYS = "arrays"


class Run:
    """One request on its way; parameters as for :func:`run_pipeline`, ``began`` is when it set out."""

    def __init__(
        self,
        account: Account,
        function_name: str,
        timeout: float,
        clock: Clock,
        listener: Listener,
        cancelled: Callable[[], bool],
        began: float | None = None,
    ) -> None:
        self._account, self._name, self._timeout = account, function_name, timeout
        self._clock, self._listener, self._cancelled = clock, listener, cancelled
        self._began = clock.monotonic() if began is None else began
        self.invocation: Invocation | None = None

    def ask(self, request: Request, place: Place, sent: Sent) -> tuple[bytes, Answer]:
        """Send the request, unless it was answered before; the body and the answer it came with."""
        told = (self._account, request, place, SYNC_REQUEST_BYTES, self._listener, self._cancelled, sent)
        with payload_of(*told) as payload:
            if sent.invocation is None:
                self._listener(RunProgressed("sent", f"{budget.points(request.coordinates):,} points"))
                sent.invocation = abandon_when_cancelled(
                    lambda left_behind: _invoke(
                        self._account, self._name, payload, self._timeout + _MARGIN, self._clock, left_behind
                    ),
                    self._cancelled,
                )
                sent.is_out = True
        self.invocation = sent.invocation
        with sent.answered():
            answer = _read_answer(self.invocation, self._name)
        return self.fetch_if_stored(answer), answer

    def fetch_if_stored(self, answer: Answer) -> bytes:
        """The body of an answer, from the bucket where it lies there."""
        body = answer.body
        if answer.stored is not None:
            stored = answer.stored
            self._listener(RunProgressed("fetching", f"{stored.size:,} bytes"))
            body = abandon_when_cancelled(lambda _: check_stored(self._fetch(stored), stored), self._cancelled)
        if body is None:
            raise ResultError("The function answered without a result", resource=self._name)
        return body

    def _fetch(self, stored: StoredAnswer) -> bytes:
        try:
            return self._account.fetch(stored.bucket, stored.key, lambda done, total: None, own=True)
        except ResourceNotFoundError as error:
            raise ResultError(
                "The result is not in the bucket any more",
                resource=f"s3://{stored.bucket}/{stored.key}",
                why="It was deleted, or has expired, since the function wrote it.",
                next_step="Run the pipeline again.",
                code=error.code,
                request_id=error.request_id,
            ) from None

    def told(self, answer: Answer) -> dict[str, Any]:
        """What is known of the run, once its result is here."""
        assert self.invocation is not None  # it was asked
        elapsed = self._clock.monotonic() - self._began
        self._listener(RunProgressed("done", f"{elapsed:.1f} s"))
        return {
            "timings": answer.timings,
            "versions": answer.versions,
            "elapsed": elapsed,
            "request_id": self.invocation.request_id,
            "log": self.invocation.log,
            **read_report(self.invocation.log),
        }


def _invoke(
    account: Account,
    function_name: str,
    payload: bytes,
    timeout: float,
    clock: Clock,
    left_behind: Callable[[], bool],
) -> Invocation:
    deadline = clock.monotonic() + _THROTTLE_DEADLINE
    patience = 0.5
    while True:
        try:
            return account.invoke(function_name, payload, timeout)
        except ThrottledError:
            if clock.monotonic() + patience > deadline:
                raise
        pause(patience * random.uniform(0.5, 1.5), clock, left_behind)  # noqa: S311 - jitter, not a secret
        if left_behind():
            # Nobody waits: what AWS has not taken yet is not to run, and to cost, behind their back.
            raise CancelledError("The run was cancelled", why="AWS had not taken the call.")
        patience = min(patience * 2, 10.0)


def _read_answer(invocation: Invocation, function_name: str) -> Answer:
    if invocation.function_error:
        raise function_failure(invocation, function_name)
    return named(lambda: decode_answer(invocation.payload), invocation.request_id)


def named(read: Callable[[], Value], request_id: str) -> Value:
    """What is read; an error gets the run's id, by which its log is found."""
    try:
        return read()
    except PodpacLambdaError as error:
        error.request_id = error.request_id or request_id
        raise


def function_failure(invocation: Invocation, function_name: str) -> RunError:
    """The typed error for a function that ended without an answer of ours.

    AWS describes it as a JSON object with ``errorType`` and ``errorMessage``; a timeout may lack the type.
    """
    try:
        found = json.loads(invocation.payload)
    except ValueError:
        found = {}
    described = found if isinstance(found, dict) else {}
    kind, message = str(described.get("errorType") or ""), str(described.get("errorMessage") or "")
    where = {"resource": function_name, "code": kind, "request_id": invocation.request_id}
    if kind == "Sandbox.Timedout" or "Task timed out" in message:
        return FunctionTimeoutError(
            "The function ran out of time",
            why=message,
            next_step="Give it more time or memory (more memory is also faster), or ask for fewer points.",
            **where,
        )
    if kind == "Runtime.OutOfMemory" or "signal: killed" in message:
        return FunctionOutOfMemoryError(
            "The function ran out of memory",
            why=message,
            next_step="Give it more memory, or ask for fewer points.",
            **where,
        )
    if kind == "Function.ResponseSizeTooLarge":
        return ResultError(
            "The result is too large to come back in the answer",
            why=message,
            next_step="Build the function again: the present one does not send large results through the bucket.",
            **where,
        )
    return FunctionCrashedError(
        "The function could not run",
        why=message or f"{len(invocation.payload):,} bytes that describe no error.",
        next_step="Look at its log; when the code could not be loaded, build the archives again.",
        **where,
    )
