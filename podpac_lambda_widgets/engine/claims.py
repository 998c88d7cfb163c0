"""What a call carries: the request, or a claim to one that was left in the bucket because it is too large."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields

from podpac_lambda_widgets.engine.abandoning import abandon_when_cancelled
from podpac_lambda_widgets.engine.events import Listener, RunProgressed
from podpac_lambda_widgets.engine.ports import Account
from podpac_lambda_widgets.errors import InvalidPipelineError, PodpacLambdaError
from podpac_lambda_widgets.plan.account import Invocation
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


@dataclass
class Sent:
    """How far a run has come, for who goes on with it after it was cut off.

    Parameters
    ----------
    place : Place or None
        Where the function's files were when it was sent.
    is_out : bool
        Whether the function has it, or has answered it.
    name : str
        By which its answer is found in the bucket.
    former : str
        The name before it began anew.
    request_id : str
    claim : str
        Key of the request, where that was left in the bucket and not taken away yet.
    invocation : Invocation or None
        The answer of a direct call.
    """

    place: Place | None = None
    is_out: bool = False
    name: str = ""
    former: str = ""
    request_id: str = ""
    claim: str = ""
    invocation: Invocation | None = None

    @property
    def last_name(self) -> str:
        """The name under which it was sent the last time."""
        return self.name or self.former

    @contextmanager
    def answered(self) -> Iterator[None]:
        """Read the answer inside: after one that is an error, the run begins anew."""
        try:
            yield
        except PodpacLambdaError:
            self.begin_anew()
            raise

    def begin_anew(self) -> None:
        """Have it sent again by who goes on with it."""
        former = self.last_name
        for each in fields(self):
            setattr(self, each.name, each.default)
        self.former = former


@contextmanager
def payload_of(
    account: Account,
    request: Request,
    place: Place,
    limit: int,
    listener: Listener,
    cancelled: Callable[[], bool],
    sent: Sent | None = None,
) -> Iterator[bytes]:
    """What to call the function with, for as long as the call and its repetitions take.

    A request that is too large is left in the bucket, and taken away in the end. What cannot be taken away goes with
    the results: by the bucket's lifecycle, or when the stack is deleted.

    Parameters
    ----------
    limit : int
        The largest request that a call of this kind takes, bytes.
    sent : Sent, optional
        How far the run has come: of one that was sent the payload is empty.

    Raises
    ------
    PodpacLambdaError
        The request is too large even so; or S3 does not take it.
    """
    sent = sent or Sent()
    try:
        yield b"" if sent.is_out else _leave_if_large(account, request, place, limit, listener, cancelled, sent)
    finally:
        _take_away(account, place, sent)


def _leave_if_large(
    account: Account,
    request: Request,
    place: Place,
    limit: int,
    listener: Listener,
    cancelled: Callable[[], bool],
    sent: Sent,
) -> bytes:
    payload = encode_request(request)
    if len(payload) <= limit:
        return payload
    if not place.bucket:
        raise InvalidPipelineError(
            "The request is too large",
            field="pipeline",
            why=f"{len(payload):,} bytes; Lambda takes {limit:,}, and the function has no bucket for a larger one",
            next_step="Build the function with a bucket, or read large arrays from one.",
        )
    claim = name_claim(uuid.uuid4().hex, payload)
    sent.claim = claim_key(place.output, claim)

    def leave(key: str, left_behind: Callable[[], bool]) -> None:
        account.put(place.bucket, key, payload, place.stack)
        if left_behind():
            # Nobody waited for the end of the upload.
            _take_away(account, place, Sent(claim=key))

    listener(RunProgressed("leaving", f"{len(payload):,} bytes"))
    key = sent.claim
    abandon_when_cancelled(lambda left_behind: leave(key, left_behind), cancelled)
    return encode_claim(claim, request.delivery)


def _take_away(account: Account, place: Place, sent: Sent) -> None:
    if sent.claim:
        with suppress(PodpacLambdaError):
            account.remove(place.bucket, sent.claim)
            sent.claim = ""
