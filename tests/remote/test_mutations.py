"""Requests that were right until a value of them was changed: answered, or refused with a typed error."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from podpac_lambda_widgets.errors import InvalidValueError, PipelineFailedError, PipelineRejectedError, ResultError
from podpac_lambda_widgets.remote.allowlist import find_podpac_node
from podpac_lambda_widgets.remote.answers import decode_answer
from podpac_lambda_widgets.remote.triggers import Function
from podpac_lambda_widgets.remote.wire import MARK, WIRE_VERSION

pytest.importorskip("podpac")


SPACE: dict[str, Any] = {"coords": [{"name": "lat", "values": [0.0, 1.0, 2.0]}, {"name": "lon", "values": [0.0, 1.0]}]}
CUBE: dict[str, Any] = {"coords": [*SPACE["coords"], {"name": "time", "values": ["2018-01-01", "2018-01-02"]}]}
SIN = {"node": "algorithm.SinCoords"}
ARRAY = {"node": "data.Array", "attrs": {"source": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "coordinates": SPACE}}
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 0.1, 1e308, float("nan"), float("inf"), 2**62, "", "x", "lat", "time", "A", "mean",
    "2018-01-01", "1,D", "NaT", "nearest", [], {}, [0], [[]], [None], ["lat"], ["lat", "lat"], [1, 2, 3], [1, 1, 1],
    [[1, 2], [3]], {"a": 1}, {"lat": 1}, "m", "EPSG:3857", [0, 1, 0.5], [1, 0, 0.5], ["-1,D", "1,D", "1,D"],
    [1e300, -1e300],
)  # fmt: skip


def on(kind: str, source: str = "B", **attrs: Any) -> dict[str, Any]:
    return {"A": SIN, "B": ARRAY, "x": {"node": kind, "inputs": {"source": source}, "attrs": attrs}}


EXPRESSION = {"eqn": "A + {b}", "params": {"b": 1}}
PIPELINES = (
    {"A": {**SIN, "attrs": {"units": "m"}, "style": {"name": "a", "clim": [0, 1]}}},
    {"A": SIN, "x": {"node": "algorithm.Arithmetic", "inputs": {"A": "A"}, "attrs": EXPRESSION}},
    {"A": SIN, "B": SIN, "x": {"node": "compositor.OrderedCompositor", "inputs": {"sources": ["A", "B"]}}},
    {"A": SIN, "B": SIN, "x": {"node": "algorithm.Mask", "inputs": {"source": "A", "mask": "B"}}},
    on("algorithm.Mean", dims=["lat"]),
    on("interpolators.Interpolate", interpolation={"method": "nearest", "params": {}}),
    on("algorithm.Convolution", "A", kernel=[[[1.0], [2.0], [1.0]]], kernel_dims=["lat", "lon", "time"]),
    on("algorithm.ExpandCoordinates", lat=[-1, 1, 0.5]),
    on("algorithm.SelectCoordinates", lat=[0, 1, 0.5]),
    on("algorithm.Reproject", coordinates=SPACE, interpolation="bilinear"),
    on("algorithm.GroupReduce", "A", groupby="month", reduce_fn="max"),
    on("algorithm.ResampleReduce", "A", resample="1D", reduce_fn="max"),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to each value inside another."""
    if path:
        yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    parts = {"pipeline": draw(st.sampled_from(PIPELINES)), "coordinates": CUBE, "settings": {"ENABLE_UNITS": True}}
    parts = copy.deepcopy(parts)
    for _ in range(draw(st.integers(1, 3))):
        *path, key = draw(st.sampled_from([place for place in places(parts) if len(place) > 1]))
        holder: Any = parts
        for step in path:
            holder = holder[step]
        if draw(st.booleans()):
            holder[key] = copy.deepcopy(draw(st.sampled_from(VALUES)))
        else:
            del holder[key]
    for node in parts["pipeline"].values():
        name = node.get("node") if isinstance(node, dict) else None
        rule = find_podpac_node(name)[1] if isinstance(name, str) else None
        if rule is not None and draw(st.booleans()) and isinstance(node.setdefault("attrs", {}), dict):
            node["attrs"][draw(st.sampled_from(sorted(rule.attrs)))] = copy.deepcopy(draw(st.sampled_from(VALUES)))
    return {MARK: WIRE_VERSION, **parts}


@pytest.fixture(scope="module")
def function() -> Function:
    return Function({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256"}, print_line=lambda line: None)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mutated())
def test_a_changed_request_is_answered_or_is_a_typed_error(function: Function, event: dict[str, Any]) -> None:
    before = json.dumps(event)
    try:
        answer = function.handle(event)
        assert isinstance(answer, bytes)
        assert decode_answer(answer).body is not None
    except (InvalidValueError, PipelineRejectedError, PipelineFailedError, ResultError) as error:
        assert error.what
        assert "Traceback" not in str(error)
    assert json.dumps(event) == before


def test_the_pipelines_are_right_before_they_are_changed(function: Function) -> None:
    for pipeline in PIPELINES:
        answer = function.handle({MARK: WIRE_VERSION, "pipeline": pipeline, "coordinates": CUBE})
        assert isinstance(answer, bytes)
        assert decode_answer(answer).body is not None
