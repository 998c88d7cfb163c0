"""One name for one computation."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpac_lambda_widgets.remote.canonical import canonical_json, node_hash, pipeline_sha256, request_sha256
from podpac_lambda_widgets.remote.wire import Request

SIN = {"node": "core.algorithm.utility.SinCoords"}
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=15,
)


@given(st.dictionaries(st.text(), values))
def test_the_order_of_keys_changes_nothing(value: dict[str, object]) -> None:
    assert canonical_json(value) == canonical_json(dict(reversed(value.items())))


@given(values)
def test_canonical_json_is_strict_json(value: object) -> None:
    json.loads(canonical_json(value), parse_constant=lambda name: pytest.fail(name))


def test_the_order_of_nodes_and_of_inputs_is_part_of_the_name() -> None:
    pipeline = {"a": SIN, "b": {"node": "x", "inputs": {"p": "a", "q": "a"}}}
    other_nodes = dict(reversed(pipeline.items()))
    other_inputs = {"a": SIN, "b": {"node": "x", "inputs": {"q": "a", "p": "a"}}}
    assert len({pipeline_sha256(found) for found in (pipeline, other_nodes, other_inputs)}) == 3


def test_every_part_of_a_request_is_part_of_its_name() -> None:
    base = Request({"a": SIN}, {"coords": []})
    others = [
        Request({"b": SIN}, {"coords": []}),
        Request({"a": SIN}, {"coords": [1]}),
        Request({"a": SIN}, {"coords": []}, {"format": "nc"}),
        Request({"a": SIN}, {"coords": []}, settings={"ENABLE_UNITS": False}),
        Request({"a": {**SIN, "style": {"name": "x"}}}, {"coords": []}),
    ]
    names = {request_sha256(request, "1") for request in (base, *others)} | {request_sha256(base, "2")}
    assert len(names) == 7
    assert all(len(name) == 64 for name in names)


def test_the_podpac_that_wrote_a_definition_is_no_part_of_the_name() -> None:
    assert pipeline_sha256({"a": SIN, "podpac_version": "4.0.0"}) == pipeline_sha256({"a": SIN})


def test_podpacs_hash_is_found_without_podpac() -> None:
    podpac = pytest.importorskip("podpac")
    array = podpac.data.Array(source=[1.0, float("nan")], coordinates=podpac.Coordinates([[1, 2]], ["lat"]))
    node = podpac.algorithm.Arithmetic(A=podpac.algorithm.SinCoords(), B=array, eqn="A + B")
    assert node_hash(json.loads(node.json)) == node.hash
