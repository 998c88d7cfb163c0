"""A run that nobody waits for on the line: its answer is found in the bucket, and is the same."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.engine.claims import Place
from podpac_lambda_widgets.engine.deliveries import await_object, send_pipeline, trigger_pipeline
from podpac_lambda_widgets.engine.events import ignore
from podpac_lambda_widgets.limits import ASYNC_REQUEST_BYTES
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.remote.answers import decode_answer
from podpac_lambda_widgets.remote.triggers import Function
from podpac_lambda_widgets.remote.wire import MARK, Request, encode_request

podpac = pytest.importorskip("podpac")

BUCKET, OUTPUT, INPUT = "podpac-test-deliveries", "output/soil", "input/soil"
ENVIRON = {
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "2048",
    "S3_BUCKET_NAME": BUCKET,
    "FUNCTION_S3_OUTPUT": OUTPUT,
    "FUNCTION_S3_INPUT": INPUT,
    "FUNCTION_STACK": "soil@us-east-1",
}
PLACE = Place(BUCKET, INPUT, OUTPUT, "soil@us-east-1")
SIN = {"SinCoords": {"node": "core.algorithm.utility.SinCoords"}}
CSV = {"file": {"node": "core.data.csv_source.CSV", "attrs": {"source": "/etc/passwd"}}}


def never() -> bool:
    return False


def grid(side: int = 3) -> dict[str, Any]:
    axis = {"start": 0.0, "stop": 1.0, "size": side}
    return {"coords": [{"name": "lat", **axis}, {"name": "lon", **axis}]}


class Clock:
    """Time that passes only while somebody waits, and lets things happen meanwhile."""

    def __init__(self) -> None:
        self.now = 0.0
        self.meanwhile: list[Callable[[], None]] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        for happen in self.meanwhile:
            happen()
        self.meanwhile.clear()


class Account:
    """A function over a bucket of the embedded AWS, which runs while the client sleeps."""

    def __init__(self, session: LocalSession, clock: Clock) -> None:
        self.client, self.clock = session.client("s3"), clock
        self.function = Function(ENVIRON, s3_client=lambda: self.client, print_line=lambda line: None)
        self.runs = 0

    def _run(self, event: Any) -> None:
        self.runs += 1
        self.function.handle(event, SimpleNamespace(aws_request_id="r-1", invoked_function_arn=""))

    def send(self, function_name: str, payload: bytes) -> str:
        self.clock.meanwhile.append(lambda: self._run(json.loads(payload)))
        return "r-1"

    def put(self, bucket: str, key: str, body: bytes, stack: str) -> None:
        self.client.put_object(Bucket=bucket, Key=key, Body=body)
        if not key.startswith(f"{INPUT}/"):
            return
        place = {"bucket": {"name": bucket}, "object": {"key": key}}
        record = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": place}
        self.clock.meanwhile.append(lambda: self._run({"Records": [record]}))

    def remove(self, bucket: str, key: str) -> None:
        self.client.delete_object(Bucket=bucket, Key=key)

    def fetch(self, bucket: str, key: str, progress: Any, *, own: bool = False) -> bytes:
        try:
            return bytes(self.client.get_object(Bucket=bucket, Key=key)["Body"].read())
        except self.client.exceptions.NoSuchKey:
            raise errors.ResourceNotFoundError("Fetching failed", resource=key) from None


@pytest.fixture
def account(aws: LocalSession) -> Iterator[Account]:
    made = Account(aws, Clock())
    made.client.create_bucket(Bucket=BUCKET)
    yield made
    for item in made.client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        made.client.delete_object(Bucket=BUCKET, Key=item["Key"])
    made.client.delete_bucket(Bucket=BUCKET)


def send(account: Any, request: Request, cancelled: Callable[[], bool] = never) -> Any:
    told: dict[str, Any] = {"timeout": 60.0, "clock": account.clock, "listener": ignore, "cancelled": cancelled}
    return send_pipeline(account, "soil", request, PLACE, **told)


def trigger(account: Any, request: Request) -> Any:
    told: dict[str, Any] = {"timeout": 60.0, "clock": account.clock, "listener": ignore, "cancelled": never}
    return trigger_pipeline(account, request, PLACE, **told)


@pytest.mark.parametrize("run", [send, trigger])
@pytest.mark.parametrize("side", [3, 1400], ids=["small", "large"])
def test_the_array_is_the_same_as_here(account: Account, run: Any, side: int) -> None:
    found = run(account, Request(SIN, grid(side)))
    expected = podpac.algorithm.SinCoords().eval(podpac.Coordinates.from_definition(grid(side)))
    assert found.array.values.tobytes() == expected.values.tobytes()
    assert found.array.dims == expected.dims
    assert account.runs == 1


@pytest.mark.parametrize("run", [send, trigger])
def test_an_error_arrives_with_its_type(account: Account, run: Any) -> None:
    with pytest.raises(errors.PipelineRejectedError, match="source") as raised:
        run(account, Request(CSV, grid()))
    assert "/etc/passwd" not in str(raised.value)


def test_what_never_comes_is_told_with_the_place_and_the_next_step(account: Account) -> None:
    account.send = lambda function_name, payload: "r-1"  # type: ignore[method-assign]  # it is lost
    with pytest.raises(errors.FunctionTimeoutError, match="deliveries") as raised:
        send(account, Request(SIN, grid()))
    assert account.clock.now >= 60
    assert "log" in raised.value.next_step


def test_waiting_can_be_cancelled(account: Account) -> None:
    account.send = lambda function_name, payload: "r-1"  # type: ignore[method-assign]  # it is lost
    with pytest.raises(errors.CancelledError):
        send(account, Request(SIN, grid()), cancelled=lambda: account.clock.now > 5)
    assert account.clock.now < 5.5


def test_who_may_not_list_waits_on_though_s3_says_denied() -> None:
    clock, looks = Clock(), iter([errors.AccessDeniedError("Fetching is not permitted")] * 3)

    def fetch(*_: Any, **__: Any) -> bytes:
        if denied := next(looks, None):
            raise denied
        return b"here"

    place: Any = SimpleNamespace(fetch=fetch)
    assert await_object(place, "b", ("k",), seconds=60, clock=clock, cancelled=never) == ("k", b"here")


@pytest.mark.parametrize("run", [send, trigger])
@pytest.mark.parametrize("body", [b"", b"null", b'"text"', b"{}", b"\x89PNG\r\n", b"PLW1\0\0", b"CDF\x01", b"\0" * 100])
def test_what_is_no_answer_is_never_returned_as_data(account: Account, run: Any, body: bytes) -> None:
    def answer(key: str) -> None:
        account.client.put_object(Bucket=BUCKET, Key=key, Body=body)

    def send_garbage(function_name: str, payload: bytes) -> str:
        account.clock.meanwhile.append(lambda: answer(f"{OUTPUT}/deliveries/{json.loads(payload)['delivery']}.answer"))
        return "r-1"

    def put_garbage(bucket: str, key: str, body: bytes, stack: str) -> None:
        name = key.rpartition("/")[2].removesuffix(".json")
        account.clock.meanwhile.append(lambda: answer(f"{OUTPUT}/{name}.nc"))

    account.send, account.put = send_garbage, put_garbage  # type: ignore[method-assign]
    with pytest.raises(errors.ResultError):
        run(account, Request(SIN, grid()))


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'{"error": 1}', b'{"other": {}}', b"\xff"])
def test_an_error_that_cannot_be_read_is_told_as_such(account: Account, body: bytes) -> None:
    def put_garbage(bucket: str, key: str, request: bytes, stack: str) -> None:
        name = key.rpartition("/")[2].removesuffix(".json")
        put = {"Bucket": BUCKET, "Key": f"{OUTPUT}/{name}.error.json", "Body": body}
        account.clock.meanwhile.append(lambda: account.client.put_object(**put))

    account.put = put_garbage  # type: ignore[method-assign]
    with pytest.raises(errors.ResultError, match="cannot be read") as raised:
        trigger(account, Request(SIN, grid()))
    assert "error.json" in raised.value.resource


def test_a_request_that_lambda_delivers_twice_has_one_answer_the_first(account: Account) -> None:
    event, key = json.loads(encode_request(Request(SIN, grid(), delivery="d" * 32))), f"{OUTPUT}/deliveries/{'d' * 32}"
    account.function.handle(event)
    first = account.fetch(BUCKET, f"{key}.answer", None)
    # Somebody has restricted the function meanwhile, or the request is gone: the answer that was given stays.
    again = Function({**ENVIRON, "FUNCTION_RESTRICT_PIPELINES": "0" * 64}, s3_client=lambda: account.client)
    again.print_line = lambda line: None
    assert again.handle(event) == b""
    assert account.function.handle(event) == b""
    assert account.fetch(BUCKET, f"{key}.answer", None) == first
    assert decode_answer(first).body is not None
    assert [found["Key"] for found in account.client.list_objects_v2(Bucket=BUCKET)["Contents"]] == [f"{key}.answer"]


def large(side: int) -> Request:
    """Values that only the request knows, at their own places."""
    values = np.random.default_rng(side).random((side, side)).tolist()
    array = {"node": "core.data.array_source.Array", "attrs": {"source": values, "coordinates": grid(side)}}
    return Request({"a": array}, grid(side))


def claims(account: Account) -> list[str]:
    found = account.client.list_objects_v2(Bucket=BUCKET, Prefix=f"{OUTPUT}/claims/").get("Contents", [])
    return [item["Key"] for item in found]


@pytest.mark.parametrize("run", [send, trigger])
def test_a_request_that_lambda_does_not_keep_is_left_in_the_bucket(account: Account, run: Any) -> None:
    request, seen = large(250), list[list[str]]()
    assert len(encode_request(request)) > ASYNC_REQUEST_BYTES
    account.clock.meanwhile.append(lambda: seen.append(claims(account)))
    found = run(account, request)
    assert found.array.values.tobytes() == np.array(request.pipeline["a"]["attrs"]["source"]).tobytes()  # type: ignore[index]
    assert account.runs == 1
    assert [len(keys) for keys in seen] == [1 if run is send else 0]
    assert claims(account) == []


def test_a_large_request_that_is_refused_arrives_with_its_type(account: Account) -> None:
    request = large(250)
    with pytest.raises(errors.PipelineRejectedError, match="source"):
        send(account, Request({**CSV, **request.pipeline}, request.coordinates))
    assert claims(account) == []


def test_a_large_request_that_is_given_up_is_taken_away_and_what_comes_late_says_so(account: Account) -> None:
    sent: list[bytes] = []
    account.send = lambda function_name, payload: sent.append(payload) or "r-1"  # type: ignore[method-assign,func-returns-value]
    with pytest.raises(errors.CancelledError):
        send(account, large(250), cancelled=lambda: account.clock.now > 5)
    assert claims(account) == []
    event = json.loads(sent[0])
    assert account.function.handle(event) == b""
    key = f"{OUTPUT}/deliveries/{event['delivery']}.answer"
    with pytest.raises(errors.AwsError, match="could not be read") as raised:
        decode_answer(account.fetch(BUCKET, key, None))
    assert type(raised.value) is errors.AwsError


@pytest.mark.parametrize("delivery", ["../x", "x" * 32, "A" * 32, "a" * 33, 5, ["a" * 32], None])
def test_a_delivery_has_a_plain_name(account: Account, delivery: object) -> None:
    event = json.loads(encode_request(Request(SIN, grid())))
    answer = account.function.handle({**event, "delivery": delivery})
    assert isinstance(answer, bytes)
    with pytest.raises(errors.PipelineRejectedError, match="delivery"):
        decode_answer(answer)
    assert not account.client.list_objects_v2(Bucket=BUCKET).get("Contents")


def test_a_delivery_that_s3_does_not_take_is_raised_so_that_lambda_tries_again(account: Account) -> None:
    made = Function({**ENVIRON, "S3_BUCKET_NAME": "no-such-bucket"}, s3_client=lambda: account.client)
    event = json.loads(encode_request(Request(SIN, grid(), delivery="a" * 32)))
    assert re.fullmatch(r"[0-9]+", str(event[MARK]))
    with pytest.raises(errors.AwsError, match="stored"):
        made.handle(event)
