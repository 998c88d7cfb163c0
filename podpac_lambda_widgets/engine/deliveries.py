"""Answers that nobody waits on the line for: they lie in the bucket when they are ready."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from podpac_lambda_widgets.clock import Clock
from podpac_lambda_widgets.engine.claims import Place, payload_of
from podpac_lambda_widgets.engine.events import Listener, RunProgressed
from podpac_lambda_widgets.engine.ports import Account
from podpac_lambda_widgets.engine.results import Result
from podpac_lambda_widgets.engine.runner import Run, named
from podpac_lambda_widgets.errors import (
    AccessDeniedError,
    CancelledError,
    FunctionTimeoutError,
    ResourceNotFoundError,
    from_dict,
)
from podpac_lambda_widgets.limits import ASYNC_REQUEST_BYTES
from podpac_lambda_widgets.plan.account import Invocation
from podpac_lambda_widgets.remote import budget
from podpac_lambda_widgets.remote.arrays import unpack_array
from podpac_lambda_widgets.remote.netcdf import decode_array
from podpac_lambda_widgets.remote.wire import Request, decode_answer, delivery_key, encode_request

#: Seconds between two looks, from the first to the last.
_FIRST_WAIT, _LAST_WAIT = 0.5, 5.0
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
) -> Result:
    """Have the function evaluate a request when there is a place for it, and fetch the array when it is ready.

    Nothing is held open meanwhile, so that a connection that breaks or a computer that sleeps loses nothing.

    Parameters
    ----------
    place : Place
        Where the answer comes, and where a request that is too large for a call is left.

    Raises
    ------
    PodpacLambdaError
        A typed one for everything that can go wrong, see :mod:`podpac_lambda_widgets.errors`.
    """
    began = clock.monotonic()
    request = replace(request, delivery=uuid.uuid4().hex)
    keys = (delivery_key(place.output, request.delivery),)
    with payload_of(account, request, place, ASYNC_REQUEST_BYTES, listener, cancelled) as payload:
        request_id = account.send(function_name, payload)
        listener(RunProgressed("sent", f"{budget.points(request.coordinates):,} points"))
        # The request stays as long: Lambda may run it late, or again.
        seconds = timeout + _QUEUE
        _, frame = await_object(account, place.bucket, keys, seconds=seconds, clock=clock, cancelled=cancelled)
    answer = named(lambda: decode_answer(frame), request_id)
    run = Run(account, function_name, timeout, clock, listener, cancelled, began)
    run.invocation = Invocation(payload=b"", function_error="", log="", request_id=request_id)
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
) -> Result:
    """Put a request into the bucket's input folder, from where S3 hands it to the function, and fetch the array.

    Parameters
    ----------
    place : Place
        With the input and output folders.

    Raises
    ------
    PodpacLambdaError
        A typed one for everything that can go wrong, see :mod:`podpac_lambda_widgets.errors`.
    """
    began = clock.monotonic()
    name = uuid.uuid4().hex
    account.put(place.bucket, f"{place.input}/{name}.json", encode_request(request), place.stack)
    listener(RunProgressed("sent", f"{budget.points(request.coordinates):,} points"))
    keys = (f"{place.output}/{name}.nc", f"{place.output}/{name}.error.json")
    key, body = await_object(account, place.bucket, keys, seconds=timeout + _QUEUE, clock=clock, cancelled=cancelled)
    if key != keys[0]:
        raise from_dict(_mapping(json.loads(body)).get("error", {}))
    elapsed = clock.monotonic() - began
    listener(RunProgressed("done", f"{elapsed:.1f} s"))
    return Result(
        array=decode_array(body), timings={}, versions={}, elapsed=elapsed, request_id="", log="", billed_ms=None,
        memory_mb=None,
    )  # fmt: skip


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


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
    list the bucket.

    Parameters
    ----------
    keys : tuple of str
        Of which the first that is found is taken.
    seconds : float
        How long to wait.

    Returns
    -------
    key : str
    body : bytes

    Raises
    ------
    FunctionTimeoutError
        It did not come.
    CancelledError
    """
    deadline, wait = clock.monotonic() + seconds, _FIRST_WAIT
    denied: AccessDeniedError | None = None
    while True:
        for key in keys:
            try:
                return key, account.fetch(bucket, key, lambda done, total: None, own=True)
            except ResourceNotFoundError:
                denied = None
            except AccessDeniedError as error:
                denied = error
        if cancelled():
            raise CancelledError("The run was cancelled", why="The function may go on until its time limit.")
        if clock.monotonic() + wait > deadline:
            raise FunctionTimeoutError(
                "No answer came",
                resource=f"s3://{bucket}/{keys[0]}",
                why=f"after {seconds:,.0f} s" + (f"; S3 says: {denied.what}" if denied else ""),
                next_step="Look at the function's log: it may have run out of time or memory, or still be waiting.",
            )
        clock.sleep(wait)
        wait = min(1.5 * wait, _LAST_WAIT)
