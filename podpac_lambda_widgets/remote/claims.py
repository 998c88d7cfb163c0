"""Requests that are too large for a call: they lie in the stack's bucket, and the call brings a claim to one.

A claim is one strict JSON object, with the mark and the version of claims::

    {"podpac_lambda_widgets": 3, "claim": "<32 hexadecimal digits>-<SHA-256 of the request>", "delivery": "..."}

It names neither a bucket nor a folder: the function looks below its own output folder, and nowhere else.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NoReturn

from podpac_lambda_widgets.errors import AwsError, PipelineRejectedError
from podpac_lambda_widgets.remote.plain import MAX_BYTES, parse_json, require_mapping
from podpac_lambda_widgets.remote.wire import CLAIM, CLAIM_VERSION, MARK, delivery_of, is_ours

if TYPE_CHECKING:
    from podpac_lambda_widgets.remote.s3 import StackBucket

_CLAIM = re.compile(r"[0-9a-f]{32}-[0-9a-f]{64}", re.ASCII)
_KEYS = {MARK, CLAIM, "delivery"}


def name_claim(run: str, payload: bytes) -> str:
    """Name the claim to an encoded request.

    Parameters
    ----------
    run : str
        32 hexadecimal digits that no other run has: the request is taken away when its own run has ended.
    payload : bytes
    """
    return f"{run}-{hashlib.sha256(payload).hexdigest()}"


def claim_key(output: str, claim: str) -> str:
    """Where the request of a claim lies.

    Parameters
    ----------
    output : str
        The output folder, without a slash at the end: the function's role may read there.
    claim : str
    """
    return f"{output}/claims/{claim}.json"


def encode_claim(claim: str, delivery: str = "") -> bytes:
    """Encode a claim as the payload of an invocation; the delivery is that of its request."""
    event = {MARK: CLAIM_VERSION, CLAIM: claim, **({"delivery": delivery} if delivery else {})}
    return json.dumps(event, separators=(",", ":")).encode()


def is_claim(event: Mapping[str, object]) -> bool:
    """Whether an event of our own client brings a claim."""
    return is_ours(event) and CLAIM in event


def redeem(event: Mapping[str, object], bucket: StackBucket) -> Mapping[str, object]:
    """Read the request of a claim from the stack's bucket; nothing is known of it yet but that it was left there.

    Raises
    ------
    PipelineRejectedError
        Not a claim; or what lies there is not what was left, or no request of our own client.
    InvalidPipelineError
        It is too large, or not strict JSON.
    AwsError
        It is not there, or S3 did not give it.
    """
    claim = _read(event)
    if not bucket.name:
        _refuse("There is no place for a request that is too large for a call", "the function has no bucket")
    body = _fetch(claim_key(bucket.output, claim), bucket)
    if hashlib.sha256(body).hexdigest() != claim[-64:]:
        _refuse("The request in the bucket is not the one that was left there", "its SHA-256 is another")
    found = require_mapping(parse_json(body), "The request")
    if not is_ours(found) or is_claim(found):
        _refuse("What lies in the bucket is not a request", "it is a claim again, or of another client")
    if delivery_of(found) != delivery_of(event):
        _refuse("The claim is not one to this request", "they ask for different deliveries")
    return found


def _read(event: Mapping[str, object]) -> str:
    version, claim = event[MARK], event[CLAIM]
    if version != CLAIM_VERSION or isinstance(version, bool):
        _refuse("The function does not know such claims", f"it knows those of version {CLAIM_VERSION}")
    if unknown := sorted(ascii(key) for key in event.keys() - _KEYS):
        _refuse("The claim has an unknown property", ", ".join(unknown)[:200])
    if not isinstance(claim, str) or not _CLAIM.fullmatch(claim):
        _refuse("The claim has no name", "32 hexadecimal digits, a hyphen and 64 more are one")
    delivery_of(event)
    return claim


def _fetch(key: str, bucket: StackBucket) -> bytes:
    try:
        return bucket.read(key, MAX_BYTES)
    except AwsError as error:
        # Of no kind that speaks of the function: it is there.
        raise AwsError(
            "The request could not be read from the bucket",
            resource=error.resource,
            why=error.why,
            next_step="Run again: a request is taken away when its run has ended, or was given up",
        ) from None


def _refuse(what: str, why: str) -> NoReturn:
    raise PipelineRejectedError(what, why=why, next_step="Run again with the package that the function was built with")
