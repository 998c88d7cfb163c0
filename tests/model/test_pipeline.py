"""Pipelines and coordinates are PODPAC's own definitions, wherever they come from."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podpac_lambda_widgets.errors import InvalidCoordinatesError, InvalidPipelineError
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.examples import EXAMPLES, Example, tutorial_coordinates
from podpac_lambda_widgets.model.pipeline import Pipeline

NODE = {"A": {"node": "core.algorithm.utility.SinCoords"}}


def test_text_and_mapping_give_the_same_pipeline() -> None:
    assert Pipeline.parse(json.dumps(NODE)) == Pipeline.parse(NODE)
    assert Pipeline.parse(NODE).output == "A"


@pytest.mark.parametrize("value", ["", "{", "[1]", "{}", '{"a": 1}', 7, None, "[" * 100_000])
def test_what_is_no_pipeline_is_refused_with_the_reason(value: object) -> None:
    with pytest.raises(InvalidPipelineError) as caught:
        Pipeline.parse(value)
    assert caught.value.why or caught.value.next_step


@pytest.mark.parametrize(
    ("node", "part"),
    [
        ({"attrs": {}}, "node"),
        ({"node": 5}, "node"),
        ({"node": "Mean", "attrs": [1]}, "attrs"),
        ({"node": "Mean", "inputs": ["A"]}, "inputs"),
        ({"node": "Mean", "inputs": {"source": {"node": "x"}}}, "inputs"),
        ({"node": "Mean", "inputs": {"sources": ["A", None]}}, "inputs"),
    ],
)
def test_a_node_that_lacks_a_part_is_named_with_it(node: object, part: str) -> None:
    with pytest.raises(InvalidPipelineError, match="'B'") as caught:
        Pipeline.parse({**NODE, "B": node})
    assert f'"{part}"' in caught.value.why


@pytest.mark.parametrize("value", ["", "[]", "{}", '{"coords": []}', '{"coords": 3}', 7, None, '{"coords": [1]}'])
def test_what_are_no_coordinates_is_refused(value: object) -> None:
    with pytest.raises(InvalidCoordinatesError):
        CoordinatesDefinition.parse(value)


def test_the_tutorial_grid_is_podpacs(podpac_tutorial_json: str) -> None:
    assert tutorial_coordinates().definition == json.loads(podpac_tutorial_json)
    assert tutorial_coordinates().points == 180 * 180


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_every_example_is_a_node_that_podpac_can_make(example: Example, podpac: Any) -> None:
    node = podpac.Node.from_json(example.pipeline.json)
    assert Pipeline.parse(node).output == example.pipeline.output


@pytest.fixture
def podpac_tutorial_json(podpac: Any) -> str:
    grid = [podpac.clinspace(-90, 90, 180), podpac.clinspace(90, -90, 180), "2018-01-01"]
    return str(podpac.Coordinates(grid, ["lat", "lon", "time"]).json)


@given(
    start=st.floats(-180, 180, allow_subnormal=False),
    width=st.floats(1e-3, 360),
    size=st.integers(2, 5000),
    down=st.booleans(),
)
@settings(max_examples=2000)
def test_uniform_coordinates_come_back_bit_for_bit(
    podpac: Any, start: float, width: float, size: int, down: bool
) -> None:
    given_ones = podpac.Coordinates([podpac.clinspace(start, start + (-width if down else width), size)], ["lat"])
    sent = CoordinatesDefinition.parse(given_ones)
    read = podpac.Coordinates.from_json(sent.json)
    assert read["lat"].coordinates.tobytes() == given_ones["lat"].coordinates.tobytes()
    assert sent.points == given_ones.size
