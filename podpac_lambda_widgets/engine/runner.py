"""Runs a pipeline in a function: check, send, follow, decode."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from podpac_lambda_widgets.clock import Clock
from podpac_lambda_widgets.engine.events import Listener, RunProgressed
from podpac_lambda_widgets.engine.ports import Account
from podpac_lambda_widgets.engine.results import Result, check_stored, read_report
from podpac_lambda_widgets.errors import (
    CancelledError,
    FunctionCrashedError,
    FunctionOutOfMemoryError,
    FunctionTimeoutError,
    PodpacLambdaError,
    ResultError,
    RunError,
    ThrottledError,
)
from podpac_lambda_widgets.plan.account import Invocation
from podpac_lambda_widgets.remote import budget
from podpac_lambda_widgets.remote.arrays import unpack_array
from podpac_lambda_widgets.remote.wire import Answer, Request, decode_answer, encode_request

Value = TypeVar("Value")

#: Seconds we go on knocking while AWS says that too many calls are running.
_THROTTLE_DEADLINE = 120.0
#: Seconds on top of the function's own time limit: starting an environment and sending the answer.
_MARGIN = 30.0


def run_pipeline(
    account: Account,
    function_name: str,
    request: Request,
    *,
    timeout: float,
    clock: Clock,
    listener: Listener,
    cancelled: Callable[[], bool],
) -> Result:
    """Have the function evaluate a request, and bring the array here.

    Parameters
    ----------
    timeout : float
        The function's own time limit, seconds.

    Raises
    ------
    PodpacLambdaError
        A typed one for everything that can go wrong, see :mod:`podpac_lambda_widgets.errors`.
    """
    payload = encode_request(request)
    began = clock.monotonic()
    listener(RunProgressed("sent", f"{budget.points(request.coordinates):,} points"))
    invocation = _abandon_when_cancelled(
        lambda: _invoke(account, function_name, payload, timeout + _MARGIN, clock), cancelled
    )
    answer = _read_answer(invocation, function_name)
    body = answer.body
    if answer.stored is not None:
        stored = answer.stored
        listener(RunProgressed("fetching", f"{stored.size:,} bytes"))
        body = _abandon_when_cancelled(
            lambda: check_stored(account.fetch(stored.bucket, stored.key, lambda done, total: None), stored), cancelled
        )
    if body is None:
        raise ResultError("The function answered without a result", resource=function_name)
    array = unpack_array(body)
    elapsed = clock.monotonic() - began
    listener(RunProgressed("done", f"{elapsed:.1f} s"))
    billed_ms, memory_mb = read_report(invocation.log)
    return Result(
        array=array,
        timings=answer.timings,
        versions=answer.versions,
        elapsed=elapsed,
        request_id=invocation.request_id,
        log=invocation.log,
        billed_ms=billed_ms,
        memory_mb=memory_mb,
    )


def _abandon_when_cancelled(call: Callable[[], Value], cancelled: Callable[[], bool]) -> Value:
    """Wait for a call in another thread, and leave it behind when somebody cancels: AWS cannot stop a call.

    The thread is a daemon, so that a call that was left behind does not keep the interpreter from ending.
    """
    future: Future[Value] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - handed over to the waiting thread, which raises it
            future.set_exception(error)

    threading.Thread(target=work, name="podpac-lambda-run", daemon=True).start()
    while not wait([future], timeout=0.1).done:
        if cancelled():
            raise CancelledError(
                "The run was cancelled",
                why="The function may go on until its time limit; its answer is thrown away.",
            )
    return future.result()


def _invoke(account: Account, function_name: str, payload: bytes, timeout: float, clock: Clock) -> Invocation:
    deadline = clock.monotonic() + _THROTTLE_DEADLINE
    pause = 0.5
    while True:
        try:
            return account.invoke(function_name, payload, timeout)
        except ThrottledError:
            if clock.monotonic() + pause > deadline:
                raise
        clock.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
        pause = min(pause * 2, 10.0)


def _read_answer(invocation: Invocation, function_name: str) -> Answer:
    if invocation.function_error:
        raise function_failure(invocation, function_name)
    try:
        return decode_answer(invocation.payload)
    except PodpacLambdaError as error:
        error.request_id = error.request_id or invocation.request_id
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
