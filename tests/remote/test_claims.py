"""A claim leads to the one request that was left for it, and to nothing else."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.remote.answers import decode_answer
from podpac_lambda_widgets.remote.arrays import unpack_array
from podpac_lambda_widgets.remote.claims import claim_key, encode_claim, name_claim, redeem
from podpac_lambda_widgets.remote.plain import MAX_BYTES
from podpac_lambda_widgets.remote.s3 import StackBucket
from podpac_lambda_widgets.remote.triggers import Function
from podpac_lambda_widgets.remote.wire import CLAIM, CLAIM_VERSION, MARK, WIRE_VERSION, Request
from podpac_lambda_widgets.remote.wire import encode_request as encode

podpac = pytest.importorskip("podpac")

BUCKET, OUTPUT, RUN = "podpac-test-claims", "output/soil", "a" * 32
ENVIRON = {
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "2048",
    "S3_BUCKET_NAME": BUCKET,
    "FUNCTION_S3_OUTPUT": OUTPUT,
    "FUNCTION_S3_INPUT": "input/soil",
    "FUNCTION_STACK": "soil@us-east-1",
}
SIN = {"SinCoords": {"node": "core.algorithm.utility.SinCoords"}}
AXIS = {"start": 0.0, "stop": 1.0, "size": 3}
GRID: dict[str, Any] = {"coords": [{"name": "lat", **AXIS}, {"name": "lon", **AXIS}]}
REQUEST = encode(Request(SIN, GRID))


class Shelf:
    """A function over a bucket of the embedded AWS."""

    def __init__(self, session: LocalSession) -> None:
        self.client = session.client("s3")
        self.lines: list[str] = []
        self.function = Function(ENVIRON, s3_client=lambda: self.client, print_line=self.lines.append)

    def leave(self, body: bytes, claim: str = "") -> str:
        claim = claim or name_claim(RUN, body)
        self.client.put_object(Bucket=BUCKET, Key=claim_key(OUTPUT, claim), Body=body)
        return claim

    def ask(self, event: Any) -> Any:
        context = SimpleNamespace(aws_request_id="r-1", invoked_function_arn="")
        frame = self.function.handle(json.loads(event) if isinstance(event, bytes) else event, context)
        assert isinstance(frame, bytes)
        return decode_answer(frame)


@pytest.fixture
def shelf(aws: LocalSession) -> Iterator[Shelf]:
    made = Shelf(aws)
    made.client.create_bucket(Bucket=BUCKET)
    yield made
    for item in made.client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        made.client.delete_object(Bucket=BUCKET, Key=item["Key"])
    made.client.delete_bucket(Bucket=BUCKET)


def test_a_claim_gives_what_the_request_itself_gives(shelf: Shelf) -> None:
    found = shelf.ask(encode_claim(shelf.leave(REQUEST)))
    expected = shelf.ask(REQUEST)
    assert found.request_sha256 == expected.request_sha256
    assert unpack_array(found.body).identical(unpack_array(expected.body))


def test_the_answer_and_the_log_say_how_long_it_took_to_read_the_request(shelf: Shelf) -> None:
    [found, direct] = [shelf.ask(each).timings for each in (encode_claim(shelf.leave(REQUEST)), REQUEST)]
    assert 0 < found["request"] < 60
    assert found.keys() - direct.keys() == {"request"}
    told = [json.loads(line)["timings"] for line in shelf.lines]
    assert [each.get("request") for each in told] == [found["request"], None]
    # Of one that is refused too.
    with pytest.raises(errors.PipelineRejectedError):
        shelf.ask(encode_claim(shelf.leave(encode(Request({"x": {"node": "system", "plugin": "os"}}, GRID)))))
    assert json.loads(shelf.lines[-1])["timings"].keys() == {"request"}


def test_nothing_that_was_left_passes_by_the_guard(shelf: Shelf) -> None:
    node = {"x": {"node": "system", "plugin": "os"}}
    with pytest.raises(errors.PipelineRejectedError, match="node is not allowed"):
        shelf.ask(encode_claim(shelf.leave(encode(Request(node, GRID)))))


def test_what_is_not_there_is_said(shelf: Shelf) -> None:
    with pytest.raises(errors.AwsError, match="could not be read from the bucket") as caught:
        shelf.ask(encode_claim(name_claim(RUN, b"nothing")))
    # A missing function would be told so.
    assert not isinstance(caught.value, errors.ResourceNotFoundError)
    assert "claims/" in caught.value.resource


def test_a_request_that_was_changed_is_not_evaluated(shelf: Shelf) -> None:
    claim = shelf.leave(REQUEST.replace(b"SinCoords", b"SinCoordz"), name_claim(RUN, REQUEST))
    with pytest.raises(errors.PipelineRejectedError, match="SHA-256"):
        shelf.ask(encode_claim(claim))


def test_a_request_over_the_limit_is_refused_by_its_length(shelf: Shelf) -> None:
    with pytest.raises(errors.InvalidPipelineError, match=f"{MAX_BYTES:,}"):
        shelf.ask(encode_claim(shelf.leave(b" " * (MAX_BYTES + 1))))


OUTER = encode_claim(name_claim(RUN, REQUEST))
LEGACY = json.dumps({"pipeline": SIN, "coordinates": GRID, "output": {"format": "netcdf"}, "settings": {}}).encode()


@pytest.mark.parametrize(
    ("body", "kind", "why"),
    [
        (OUTER, errors.PipelineRejectedError, "claim again"),
        (LEGACY, errors.PipelineRejectedError, "another client"),
        (b"[]", errors.PipelineRejectedError, "JSON object"),
        (b"", errors.InvalidPipelineError, "not JSON"),
        (b"\x89PNG", errors.InvalidPipelineError, "UTF-8"),
        (REQUEST.replace(b"0.0", b"NaN"), errors.InvalidPipelineError, "not finite"),
        (b'{"podpac_lambda_widgets":2,"podpac_lambda_widgets":2}', errors.InvalidPipelineError, "twice"),
        (b"[" * 100_000, errors.InvalidPipelineError, "deep"),
        (encode(Request(SIN, GRID, delivery="b" * 32)), errors.PipelineRejectedError, "deliver"),
        (REQUEST.replace(b'"podpac_lambda_widgets":2', b'"podpac_lambda_widgets":1'), errors.RunError, "version"),
    ],
)
def test_what_is_no_request_is_refused_with_its_type(shelf: Shelf, body: bytes, kind: Any, why: str) -> None:
    with pytest.raises(kind, match=why):
        shelf.ask(encode_claim(shelf.leave(body)))


NAME = name_claim(RUN, REQUEST)


@pytest.mark.parametrize(
    "event",
    [
        {CLAIM: f"../{NAME}"}, {CLAIM: f"{NAME}/../x"}, {CLAIM: f"a/{NAME[2:]}"}, {CLAIM: f"%2e%2e%2f{NAME[9:]}"},
        {CLAIM: NAME.upper()}, {CLAIM: NAME[:-1]}, {CLAIM: f"{NAME}0"}, {CLAIM: f"{NAME}\n"}, {CLAIM: NAME[33:]},
        {CLAIM: "\uff11" * 32 + NAME[32:]}, {CLAIM: [NAME]}, {CLAIM: None}, {CLAIM: 5}, {CLAIM: ""},
        {CLAIM: NAME, "bucket": "other"}, {CLAIM: NAME, "key": "x"}, {CLAIM: NAME, "pipeline": SIN},
        {CLAIM: NAME, MARK: WIRE_VERSION}, {CLAIM: NAME, MARK: CLAIM_VERSION + 1}, {CLAIM: NAME, MARK: True},
        {CLAIM: NAME, MARK: str(CLAIM_VERSION)}, {CLAIM: NAME, "delivery": "../x"}, {CLAIM: NAME, "delivery": 5},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_claim_is_refused_before_s3_is_asked(event: dict[str, Any]) -> None:
    def no_client() -> Any:
        raise AssertionError("S3 was asked")

    made = Function(ENVIRON, s3_client=no_client, print_line=lambda line: None)
    frame = made.handle({MARK: CLAIM_VERSION, **event})
    assert isinstance(frame, bytes)
    with pytest.raises(errors.PipelineRejectedError):
        decode_answer(frame)


class Watched(StackBucket):
    """A bucket that says what it is asked for."""

    def read(self, key: str, limit: int) -> bytes:
        raise errors.ResultError(key)


@given(st.from_regex(r"[0-9a-f]{31,33}[-/.][0-9a-f]{63,65}", fullmatch=True) | st.text(max_size=110))
def test_a_claim_leads_nowhere_but_into_its_own_folder(claim: str) -> None:
    bucket = Watched(BUCKET, "", OUTPUT, "soil@us-east-1")
    with pytest.raises((errors.ResultError, errors.PipelineRejectedError)) as caught:
        redeem({MARK: CLAIM_VERSION, CLAIM: claim}, bucket)
    if isinstance(caught.value, errors.ResultError):
        assert re.fullmatch(r"output/soil/claims/[0-9a-f]{32}-[0-9a-f]{64}\.json", caught.value.what, re.ASCII)


def test_without_a_bucket_a_claim_is_refused() -> None:
    made = Function({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "2048"}, print_line=lambda line: None)
    frame = made.handle(json.loads(OUTER))
    assert isinstance(frame, bytes)
    with pytest.raises(errors.PipelineRejectedError, match="no bucket"):
        decode_answer(frame)


def test_a_claim_comes_by_a_call_alone(shelf: Shelf) -> None:
    shelf.leave(REQUEST)
    http = {
        "version": "2.0", "routeKey": "$default", "rawPath": "/", "rawQueryString": "", "isBase64Encoded": False,
        "headers": {"content-type": "application/json"}, "body": OUTER.decode(),
        "requestContext": {"http": {"method": "POST", "path": "/"}, "requestId": "r-1", "stage": "$default"},
    }  # fmt: skip
    answer = shelf.function.handle(http)
    assert isinstance(answer, dict)
    assert answer["statusCode"] == 400
    assert json.loads(str(answer["body"]))["error"]["what"] == "A claim is not a request"


def test_a_claim_that_is_put_into_the_input_folder_is_refused(shelf: Shelf) -> None:
    shelf.leave(REQUEST)
    shelf.client.put_object(Bucket=BUCKET, Key="input/soil/x.json", Body=OUTER)
    place = {"bucket": {"name": BUCKET}, "object": {"key": "input/soil/x.json"}}
    answer = shelf.function.handle(
        {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": place}]}
    )
    assert isinstance(answer, dict)
    (record,) = answer["records"]  # type: ignore[misc,attr-defined]  # plain data
    assert (record["outcome"], record["error"]["what"]) == ("refused", "A claim is not a request")


def test_the_name_of_a_claim_is_the_runs_and_the_digest() -> None:
    assert name_claim(RUN, b"x") == f"{RUN}-{hashlib.sha256(b'x').hexdigest()}"
