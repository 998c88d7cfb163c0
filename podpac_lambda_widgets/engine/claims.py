"""What a call carries: the request, or a claim to one that was left in the bucket because it is too large."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from podpac_lambda_widgets.engine.abandoning import abandon_when_cancelled
from podpac_lambda_widgets.engine.events import Listener, RunProgressed
from podpac_lambda_widgets.engine.ports import Account
from podpac_lambda_widgets.errors import InvalidPipelineError, PodpacLambdaError
from podpac_lambda_widgets.remote.claims import claim_key, encode_claim, name_claim
from podpac_lambda_widgets.remote.wire import Request, encode_request


@dataclass(frozen=True)
class Place:
    """Where the function's files are.

    Parameters
    ----------
    bucket : str
        Empty where the function has none.
    input, output : str
        Folders, without a slash at the end; the first is empty where the function has no S3 trigger.
    stack : str
        What the objects are marked with.
    """

    bucket: str
    input: str
    output: str
    stack: str


@contextmanager
def payload_of(
    account: Account,
    request: Request,
    place: Place,
    limit: int,
    listener: Listener,
    cancelled: Callable[[], bool],
) -> Iterator[bytes]:
    """What to call the function with, for as long as the call and its repetitions take.

    A request that is too large is left in the bucket, and taken away in the end. What cannot be taken away goes with
    the results: by the bucket's lifecycle, or when the stack is deleted.

    Parameters
    ----------
    limit : int
        The largest request that a call of this kind takes, bytes.

    Raises
    ------
    PodpacLambdaError
        The request is too large even so; or S3 does not take it.
    """
    payload = encode_request(request)
    if len(payload) <= limit:
        yield payload
        return
    if not place.bucket:
        raise InvalidPipelineError(
            "The request is too large",
            field="pipeline",
            why=f"{len(payload):,} bytes; Lambda takes {limit:,}, and the function has no bucket for a larger one",
            next_step="Build the function with a bucket, or read large arrays from one.",
        )
    claim = name_claim(uuid.uuid4().hex, payload)
    key = claim_key(place.output, claim)

    def leave() -> None:
        account.put(place.bucket, key, payload, place.stack)
        if cancelled():
            # Nobody waited for the end of the upload.
            remove()

    def remove() -> None:
        with suppress(PodpacLambdaError):
            account.remove(place.bucket, key)

    listener(RunProgressed("leaving", f"{len(payload):,} bytes"))
    try:
        abandon_when_cancelled(leave, cancelled)
        yield encode_claim(claim, request.delivery)
    finally:
        remove()
