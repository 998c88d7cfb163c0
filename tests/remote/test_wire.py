"""The frame: what goes in comes out, and whatever was damaged on the way is an error."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.remote.answers import decode_answer
from podpac_lambda_widgets.remote.plain import MAX_BYTES, MAX_DEPTH, check_plain, parse_json
from podpac_lambda_widgets.remote.wire import (
    CLAIM,
    CLAIM_VERSION,
    MARK,
    WIRE_VERSION,
    Answer,
    Request,
    StoredAnswer,
    decode_request,
    encode_answer,
    encode_error,
    encode_request,
    is_ours,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
keys = texts.filter(lambda text: not text.startswith("$"))
numbers = st.floats() | st.integers(-(2**63), 2**63 - 1)
plain = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=8,
)
finite = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=8,
)
requests = st.builds(
    Request,
    pipeline=st.dictionaries(keys, plain, max_size=4),
    coordinates=st.dictionaries(keys, finite, max_size=4),
    settings=st.dictionaries(keys, finite, max_size=2),
)
seconds = st.dictionaries(texts, st.floats(0, 1e6), max_size=6)


def answer_of(body: bytes, **more: Any) -> Answer:
    return Answer(body, None, "netcdf3", hashlib.sha256(body).hexdigest(), **more)


answers = st.builds(
    answer_of,
    st.binary(max_size=200),
    timings=seconds,
    versions=st.dictionaries(texts, texts, max_size=3),
    request_sha256=texts,
)
stored_answers = st.builds(
    lambda bucket, key, size: Answer(None, StoredAnswer(bucket, key, "ab" * 32, size), "netcdf4", "ab" * 32),
    texts,
    texts,
    st.integers(0, 2**40),
)


def same(left: object, right: object) -> bool:
    return repr(left) == repr(right)


@given(requests)
def test_a_request_survives_the_wire_with_its_order_and_its_not_numbers(request: Request) -> None:
    payload = encode_request(request)
    event = json.loads(payload, parse_constant=lambda name: pytest.fail(name))
    assert is_ours(event)
    assert same(decode_request(event), request)


@given(answers | stored_answers)
def test_an_answer_survives_the_wire(answer: Answer) -> None:
    assert decode_answer(encode_answer(answer)) == answer


@given(answers, st.data())
def test_an_answer_that_was_cut_short_is_never_a_result(answer: Answer, data: st.DataObject) -> None:
    frame = encode_answer(answer)
    with pytest.raises(errors.ResultError):
        decode_answer(frame[: data.draw(st.integers(0, len(frame) - 1))])


@given(answers.filter(lambda answer: bool(answer.body)), st.data())
def test_a_result_with_one_other_bit_is_never_a_result(answer: Answer, data: st.DataObject) -> None:
    frame = bytearray(encode_answer(answer))
    assert answer.body is not None
    place = len(frame) - 1 - data.draw(st.integers(0, len(answer.body) - 1))
    frame[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(errors.ResultError):
        decode_answer(bytes(frame))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b'"text"',
        b"{}",
        b"\x89PNG\r\n\x1a\n",
        b"CDF\x02",
        b"PLW1",
        b"PLW1\0\0",
        b"PLW1\xff\xff\xff\xff{}",
        b"PLW1\0\0\0\2[]",
    ],
)
def test_something_else_is_never_a_result(payload: bytes) -> None:
    with pytest.raises(errors.ResultError):
        decode_answer(payload)


@given(st.binary(max_size=100))
def test_noise_is_never_a_result(payload: bytes) -> None:
    with pytest.raises(errors.ResultError):
        decode_answer(payload)


@given(finite)
def test_a_frame_with_another_header_is_an_error_of_ours(header: object) -> None:
    encoded = json.dumps(header).encode()
    with pytest.raises(errors.PodpacLambdaError):
        decode_answer(b"PLW1" + struct.pack(">I", len(encoded)) + encoded)


@pytest.mark.parametrize("version", [1, WIRE_VERSION + 1, None, "2"])
def test_a_function_of_another_version_is_recognised(version: object) -> None:
    header = json.dumps({"status": "ok", "version": version, "format": "netcdf3", "sha256": ""}).encode()
    with pytest.raises(errors.ResultError, match="another version"):
        decode_answer(b"PLW1" + struct.pack(">I", len(header)) + header)


@pytest.mark.parametrize(
    "error",
    [
        errors.PipelineRejectedError("a", resource="b", why="c", next_step="d", code="e", request_id="f"),
        errors.InvalidCoordinatesError("a", field="b", why="c", next_step="d"),
        errors.PipelineFailedError("a", remote_type="ValueError", why="c"),
        errors.ResultError("ä\n\u2028"),
    ],
)
def test_an_error_arrives_as_the_same_error(error: errors.PodpacLambdaError) -> None:
    with pytest.raises(type(error)) as caught:
        decode_answer(encode_error(error))
    assert type(caught.value) is type(error)
    assert vars(caught.value) == vars(error)


def test_a_request_over_the_limit_is_refused_before_it_is_sent() -> None:
    with pytest.raises(errors.InvalidPipelineError, match=f"{MAX_BYTES:,}"):
        encode_request(Request({"x": ["x" * 16_000] * 2100}, {}))


@pytest.mark.parametrize(
    "event",
    [
        {MARK: WIRE_VERSION},
        {MARK: WIRE_VERSION, "pipeline": {}},
        {MARK: WIRE_VERSION + 1, "pipeline": {}, "coordinates": {}},
        {MARK: 1, "pipeline": {}, "coordinates": {}},
        {MARK: True, "pipeline": {}, "coordinates": {}},
        {MARK: str(WIRE_VERSION), "pipeline": {}, "coordinates": {}},
        {MARK: WIRE_VERSION, "pipeline": {}, "coordinates": {}, "more": 1},
        {MARK: WIRE_VERSION, "pipeline": {}, "coordinates": {}, CLAIM: "x"},
        {MARK: CLAIM_VERSION, "pipeline": {}, "coordinates": {}},
        {MARK: CLAIM_VERSION, CLAIM: f"{'a' * 32}-{'b' * 64}"},
        {MARK: WIRE_VERSION, "pipeline": [], "coordinates": {}},
        {MARK: WIRE_VERSION, "pipeline": {}, "coordinates": {}, "output": 3},
    ],
)
def test_an_event_of_another_shape_is_refused(event: dict[str, object]) -> None:
    with pytest.raises(errors.PipelineRejectedError):
        decode_request(event)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}', '{"a": NaN}', "[Infinity]", "[-Infinity]", "[1e999]", '["\\ud800"]', '{"\\udc00": 1}', "",
        "{", "[1,]",
        "[" * 100_000, '{"a":' * 5000 + "1" + "}" * 5000,
        b"\xff", "[" + "9" * 400 + "]", '"' + "x" * 20_000 + '"',
    ],
)  # fmt: skip
def test_text_that_is_not_strict_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(errors.InvalidPipelineError):
        parse_json(text)


def test_podpacs_own_definitions_may_have_nan() -> None:
    found = parse_json('{"nan_val": NaN}', finite=False)
    assert isinstance(found, dict)
    assert math.isnan(found["nan_val"])


def test_json_may_be_as_deep_as_the_limit_and_no_deeper() -> None:
    value: object = 1
    for _ in range(MAX_DEPTH):
        value = [value]
    check_plain(value)
    with pytest.raises(errors.InvalidPipelineError, match="deep"):
        check_plain([value])


@pytest.mark.parametrize("value", [{1: 2}, {"a": b"x"}, {"a": {1, 2}}, [object()], 2**63, -(2**63) - 1, [float("nan")]])
def test_what_is_not_plain_json_is_refused(value: object) -> None:
    with pytest.raises(errors.InvalidPipelineError):
        check_plain(value)
