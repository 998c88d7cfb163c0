"""Answers that nobody waits on the line for: they lie in the bucket when they are ready."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import replace

from podpac_lambda_widgets.clock import Clock
from podpac_lambda_widgets.engine.abandoning import pause
from podpac_lambda_widgets.engine.claims import Place, Sent, payload_of
from podpac_lambda_widgets.engine.events import Listener, RunProgressed
from podpac_lambda_widgets.engine.ports import Account
from podpac_lambda_widgets.engine.results import Result
from podpac_lambda_widgets.engine.runner import Run, named
from podpac_lambda_widgets.errors import (
    AccessDeniedError,
    CancelledError,
    EndpointUnreachableError,
    FunctionTimeoutError,
    PodpacLambdaError,
    ResourceNotFoundError,
    ResultError,
    from_dict,
)
from podpac_lambda_widgets.limits import ASYNC_REQUEST_BYTES
from podpac_lambda_widgets.plan.account import Invocation
from podpac_lambda_widgets.remote import budget
from podpac_lambda_widgets.remote.answers import decode_answer
from podpac_lambda_widgets.remote.arrays import unpack_array
from podpac_lambda_widgets.remote.netcdf import decode_array
from podpac_lambda_widgets.remote.wire import Request, delivery_key, encode_request

#: Seconds between two looks, from the first to the last.
_FIRST_WAIT, _LAST_WAIT = 0.5, 5.0
#: Seconds that a look may take besides the wait; where it has been longer, the computer was asleep.
_LOOK = 60.0
#: Seconds on top of the function's own time limit, for what waits for a place in Lambda's queue.
_QUEUE = 300.0


def send_pipeline(
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
    """Have the function evaluate a request when there is a place for it, and fetch the array when it is ready.

    Nothing is held open meanwhile, so that a connection that breaks or a computer that sleeps loses nothing.

    Parameters
    ----------
    place : Place
        Where the answer comes, and where a request that is too large for a call is left.
    sent : Sent, optional
        How far the run has come, for who goes on with it: what was sent is not sent again.

    Raises
    ------
    PodpacLambdaError
        A typed one for everything that can go wrong, see :mod:`podpac_lambda_widgets.errors`.
    """
    began, sent = clock.monotonic(), sent or Sent()
    sent.name = sent.name or uuid.uuid4().hex
    request = replace(request, delivery=sent.name)
    keys = (delivery_key(place.output, sent.name),)
    with payload_of(account, request, place, ASYNC_REQUEST_BYTES, listener, cancelled, sent) as payload:
        if not sent.is_out:
            sent.request_id = account.send(function_name, payload)
            sent.is_out = True
        listener(RunProgressed("sent", f"{budget.points(request.coordinates):,} points"))
        # The request stays as long: Lambda may run it late, or again.
        seconds = timeout + _QUEUE
        _, frame = await_object(account, place.bucket, keys, seconds=seconds, clock=clock, cancelled=cancelled)
    run = Run(account, function_name, timeout, clock, listener, cancelled, began)
    run.invocation = Invocation(payload=b"", function_error="", log="", request_id=sent.request_id)
    with sent.answered():
        answer = named(lambda: decode_answer(frame), sent.request_id)
    body = run.fetch_if_stored(answer)
    return Result(array=unpack_array(body), **run.told(answer))


def trigger_pipeline(
    account: Account,
    request: Request,
    place: Place,
    *,
    timeout: float,
    clock: Clock,
    listener: Listener,
    cancelled: Callable[[], bool],
    sent: Sent | None = None,
) -> Result:
    """Put a request into the bucket's input folder, from where S3 hands it to the function, and fetch the array.

    Parameters
    ----------
    place : Place
        With the input and output folders.
    sent : Sent, optional
        How far the run has come, for who goes on with it: what was sent is not sent again.

    Raises
    ------
    PodpacLambdaError
        A typed one for everything that can go wrong, see :mod:`podpac_lambda_widgets.errors`.
    """
    began, sent = clock.monotonic(), sent or Sent()
    name = sent.name = sent.name or uuid.uuid4().hex
    if not sent.is_out:
        account.put(place.bucket, f"{place.input}/{pipeline_file(name)}", encode_request(request), place.stack)
        sent.is_out = True
    listener(RunProgressed("sent", f"{budget.points(request.coordinates):,} points"))
    keys = (f"{place.output}/{name}.nc", f"{place.output}/{name}.error.json")
    key, body = await_object(account, place.bucket, keys, seconds=timeout + _QUEUE, clock=clock, cancelled=cancelled)
    if key != keys[0]:
        with sent.answered():
            raise _read_error(body, key)
    elapsed = clock.monotonic() - began
    listener(RunProgressed("done", f"{elapsed:.1f} s"))
    return Result(
        array=decode_array(body), timings={}, versions={}, elapsed=elapsed, request_id="", log="", billed_ms=None,
        memory_mb=None,
    )  # fmt: skip


def pipeline_file(name: str) -> str:
    """The name of the file by which a pipeline is put into the input folder; the log's line of its run has it too."""
    return f"{name}.json"


def _read_error(body: bytes, key: str) -> PodpacLambdaError:
    """The error that the function has left in place of a result."""
    try:
        told = json.loads(body)["error"]
    except (ValueError, TypeError, LookupError):
        told = None
    if isinstance(told, dict):
        return from_dict(told)
    return ResultError(
        "The function failed, and what it wrote about it cannot be read",
        resource=key,
        why=ascii(body[:80]),
        next_step="Look at the function's log.",
    )


def await_object(
    account: Account,
    bucket: str,
    keys: tuple[str, ...],
    *,
    seconds: float,
    clock: Clock,
    cancelled: Callable[[], bool],
) -> tuple[str, bytes]:
    """Wait until one of some objects is there.

    S3 may say that an object is denied where it means that there is none: who may read results need not be allowed to
    list the bucket. A network that is not there is waited for, and the time that the computer sleeps does not count.

    Parameters
    ----------
    keys : tuple of str
        Of which the first that is found is taken.
    seconds : float
        How long to wait while the computer is awake.

    Returns
    -------
    key : str
    body : bytes

    Raises
    ------
    FunctionTimeoutError
        It did not come.
    EndpointUnreachableError
        Nor could it be looked for in the end.
    CancelledError
    """
    waited, wait = 0.0, _FIRST_WAIT
    denied: AccessDeniedError | None = None
    while True:
        began, unreachable = clock.monotonic(), None
        for key in keys:
            try:
                return key, account.fetch(bucket, key, lambda done, total: None, own=True)
            except ResourceNotFoundError:
                denied = None
            except AccessDeniedError as error:
                denied = error
            except EndpointUnreachableError as error:
                unreachable = error
                break
        if cancelled():
            raise CancelledError("The run was cancelled", why="The function may go on until its time limit.")
        if waited + wait > seconds:
            raise unreachable or FunctionTimeoutError(
                "No answer came",
                resource=f"s3://{bucket}/{keys[0]}",
                why=f"after {seconds:,.0f} s" + (f"; S3 says: {denied.what}" if denied else ""),
                next_step="Look at the function's log: it may have run out of time or memory, or still be waiting.",
            )
        pause(wait, clock, cancelled)
        waited += min(clock.monotonic() - began, wait + _LOOK)
        wait = min(1.5 * wait, _LAST_WAIT)
