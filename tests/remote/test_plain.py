"""Strict JSON: what is read is plain data inside the limits, and anything else is one typed error."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpac_lambda_widgets.errors import InvalidPipelineError
from podpac_lambda_widgets.remote.plain import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_STRING,
    MAX_VALUES,
    check_plain,
    pack_floats,
    parse_json,
    unpack_floats,
)

scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=20)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)


def same(one: Any, other: Any) -> bool:
    return json.dumps(one) == json.dumps(other)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not JSON"), ("nul", "not JSON"), ("{", "not JSON"), ("\ufeff{}", "not JSON"), (b"\xff\xff", "UTF-8"),
        ("[1] 2", "not JSON"), ("{'a': 1}", "not JSON"), (b"\xed\xa0\x80", "JSON|UTF-8"), ("[NaN]", "not finite"),
        ("[-Infinity]", "not finite"), ("[1e999]", "not finite"), ("9" * 5000, "too large"),
        ("-" + "9" * 5000, "too large"),
        (str(2**63), "too large"), ('{"a": {"b": 1, "b": 2}}', "twice"), ("[" * 100_000, "too deeply"),
        ('"' + "x" * (MAX_STRING + 1) + '"', "too long"), ('{"\\ud800": 1}', "Unicode"), ('"\\udfff"', "Unicode"),
        (" " * (MAX_BYTES + 1), "too large"), ('{"a":' * 50 + "1" + "}" * 50, "too deeply"),
    ],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_what_is_not_strict_json_is_refused_with_the_reason(text: str | bytes, why: str) -> None:
    with pytest.raises(InvalidPipelineError, match=why):
        parse_json(text)


@given(st.binary(max_size=60) | st.text(max_size=60) | st.text('[]{}",:0123456789eE+-.truefalsnNI\\', max_size=60))
def test_any_text_is_read_or_refused_with_a_typed_error(text: str | bytes) -> None:
    try:
        found = parse_json(text)
    except InvalidPipelineError as error:
        assert str(error)
        return
    check_plain(found)


@given(values)
def test_all_plain_data_is_read_as_it_was_written(value: Any) -> None:
    assert same(parse_json(json.dumps(value), finite=False), value)


@given(values)
def test_numbers_that_json_lacks_survive_the_way(value: Any) -> None:
    text = json.dumps(pack_floats(value), allow_nan=False)
    assert same(unpack_floats(parse_json(text)), value)


def test_a_key_that_occurs_twice_is_named() -> None:
    with pytest.raises(InvalidPipelineError) as caught:
        parse_json('{"node": 1, "node": 2}')
    assert caught.value.field == "node"


@pytest.mark.parametrize("value", [object(), {1: 2}, {"a": {1, 2}}, b"x", 1j, [math.nan], {"a": [{"b": 2**64}]}])
def test_what_is_no_json_value_is_refused(value: Any) -> None:
    with pytest.raises(InvalidPipelineError):
        check_plain(value)


def test_more_values_than_the_limit_are_refused() -> None:
    check_plain([0] * (MAX_VALUES - 1))
    with pytest.raises(InvalidPipelineError, match="too many values"):
        check_plain([0] * MAX_VALUES)


def test_the_depth_is_counted_without_recursion() -> None:
    deep: Any = 1
    for _ in range(MAX_DEPTH):
        deep = [deep]
    check_plain(deep)
    with pytest.raises(InvalidPipelineError, match=f"more than {MAX_DEPTH} levels"):
        check_plain([deep])
    for _ in range(200_000):
        deep = [deep]
    with pytest.raises(InvalidPipelineError, match="too deeply"):
        check_plain(deep)
