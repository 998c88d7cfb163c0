"""How an answer leaves the function: in the answer of the call, or by the stack's bucket."""

from __future__ import annotations

import time

from podpac_lambda_widgets.errors import AwsError, PipelineRejectedError, ResultError
from podpac_lambda_widgets.limits import SYNC_RESPONSE_BYTES
from podpac_lambda_widgets.remote.results import Result
from podpac_lambda_widgets.remote.s3 import StackBucket
from podpac_lambda_widgets.remote.wire import Answer, StoredAnswer, delivery_key, delivery_of, encode_answer


def deliver(event: object, answer: bytes | dict[str, object], bucket: StackBucket) -> bytes | dict[str, object]:
    """Leave an answer in the bucket where nobody waits for it; then the call itself says nothing.

    The first answer stays: Lambda may bring an event more than once, and by then its request may be gone. What S3 does
    not take is raised: Lambda then runs the whole again, as it does with what nobody waits for.
    """
    try:
        delivery = delivery_of(event)
    except PipelineRejectedError:
        # The answer says so.
        return answer
    if not delivery or not isinstance(answer, bytes):
        return answer
    if not bucket.name:
        raise ResultError("There is no place to leave the answer", why="the function has no bucket")
    key = delivery_key(bucket.output, delivery)
    bucket.put_new(key, answer, content_type="application/octet-stream")
    return b""


def send(result: Result, bucket: StackBucket) -> bytes:
    """A result as our own client gets it: inline where it fits an answer, else left in the bucket.

    Raises
    ------
    ResultError
        There is no bucket, or it does not take it.
    """
    timings = {**result.timings, "upload": 0.0}
    described = (result.format, result.sha256, timings, result.versions, result.request_sha256)
    if len(result.body) <= SYNC_RESPONSE_BYTES:
        frame = encode_answer(Answer(result.body, None, *described))
        if len(frame) <= SYNC_RESPONSE_BYTES:
            return frame
    began = time.perf_counter()
    stored = store(result, bucket)
    timings["upload"] = time.perf_counter() - began
    return encode_answer(Answer(None, stored, *described))


def store(result: Result, bucket: StackBucket) -> StoredAnswer:
    """Leave a result in the output folder, under the name of its computation.

    Raises
    ------
    ResultError
        There is no bucket, or it does not take it.
    """
    if not bucket.name:
        raise ResultError(
            "The result is too large to come back directly",
            why=f"{len(result.body):,} bytes; Lambda's limit is {SYNC_RESPONSE_BYTES:,}, "
            "and the function has no bucket",
            next_step="Build the function with a bucket, or ask for fewer points",
        )
    key = f"{bucket.output}/{result.request_sha256}.{result.extension}"
    try:
        return bucket.put(key, result.body, content_type=result.content_type, request_sha256=result.request_sha256)
    except AwsError as error:
        raise ResultError(error.what, resource=error.resource, why=error.why, next_step=error.next_step) from None


def send_to_podpac(result: Result) -> bytes:
    """A result as PODPAC's own client gets it: nothing but the file.

    Raises
    ------
    ResultError
        It is too large for an answer.
    """
    if len(result.body) > SYNC_RESPONSE_BYTES:
        raise ResultError(
            "The result is too large to come back directly",
            why=f"{len(result.body):,} bytes; Lambda answers with at most {SYNC_RESPONSE_BYTES:,}",
            next_step="Use podpac_lambda_widgets.Lambda, which fetches large results, or ask for fewer points",
        )
    return result.body
