"""Which pipeline, where and when: examples, JSON, and variables of the notebook."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from podpac_lambda_widgets.engine.stack import Stack
from podpac_lambda_widgets.errors import (
    AccessDeniedError,
    InvalidCoordinatesError,
    InvalidPipelineError,
    PodpacLambdaError,
)
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.examples import EXAMPLES, tutorial_coordinates
from podpac_lambda_widgets.plan.account import Identity
from podpac_lambda_widgets.plan.resources import Resource
from podpac_lambda_widgets.studio import Studio
from podpac_lambda_widgets.widgets.cards import UnexpectedError
from podpac_lambda_widgets.widgets.pipeline_form import PipelineForm
from podpac_lambda_widgets.widgets.texts import data_size
from podpac_lambda_widgets.widgets.worker import Worker


class NodeLike:
    """What makes a podpac node, here."""

    definition = {"Sin": {"node": "core.algorithm.utility.SinCoords"}}
    json = json.dumps(definition)


class CoordinatesLike:
    """What makes podpac.Coordinates, here."""

    dims = ("lat",)
    json = json.dumps({"coords": [{"name": "lat", "values": [1, 2, 3]}], "crs": "EPSG:4326"})


VARIABLES: Mapping[str, object] = {"node": NodeLike(), "where": CoordinatesLike(), "number": 3, "text": "hello"}


def refuse_stack() -> Any:
    raise AssertionError("nothing is to be run")


@pytest.fixture
def form() -> PipelineForm:
    return PipelineForm(Worker(), refuse_stack, lambda: VARIABLES)


def test_it_begins_with_the_tutorial(form: PipelineForm) -> None:
    assert form.read_pipeline() == EXAMPLES[0].pipeline
    assert form.read_coordinates() == tutorial_coordinates()
    assert ["Points", "32,400"] in form.facts


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_is_one_press_away_and_marked(form: PipelineForm, front_end: Any, number: int) -> None:
    front_end.press(form, f"example_{number}")
    assert form.read_pipeline() == EXAMPLES[number].pipeline
    assert [form.buttons[f"example_{n}"]["pressed"] for n in range(len(EXAMPLES))] == [
        n == number for n in range(len(EXAMPLES))
    ]


def test_an_example_that_does_not_exist_is_refused(form: PipelineForm) -> None:
    with pytest.raises(InvalidPipelineError, match="no example"):
        form.use_example("nothing")


def test_the_name_of_an_example_stands_for_it(form: PipelineForm, front_end: Any) -> None:
    front_end.type(form, "pipeline", "Mean of an array")
    assert form.read_pipeline() == EXAMPLES[1].pipeline


def test_a_variable_that_holds_a_node_is_a_pipeline(form: PipelineForm, front_end: Any) -> None:
    front_end.type(form, "pipeline", "node")
    assert form.fields["pipeline"]["error"] == ""
    assert form.read_pipeline().definition == NodeLike.definition


def test_a_variable_that_holds_coordinates_is_where(form: PipelineForm, front_end: Any) -> None:
    front_end.type(form, "coordinates", "where")
    assert form.fields["coordinates"]["error"] == ""
    assert ["Points", "3"] in form.facts


@pytest.mark.parametrize("typed", ["number", "text", "absent", "where"])
def test_a_variable_that_holds_no_node_is_refused_beside_the_field(
    form: PipelineForm, front_end: Any, typed: str
) -> None:
    front_end.type(form, "pipeline", typed)
    assert typed in form.fields["pipeline"]["error"]
    assert form.fields["pipeline"]["value"] == typed


@pytest.mark.parametrize(
    "typed",
    ["", "{", '{"a": }', "[]", "3", "null", '{"a": {"attrs": {}}}', "node.json", "os.system('x')", "[" * 100_000],
)
def test_what_is_no_pipeline_is_refused_beside_the_field(form: PipelineForm, front_end: Any, typed: str) -> None:
    front_end.type(form, "pipeline", typed)
    assert form.fields["pipeline"]["error"]
    with pytest.raises(PodpacLambdaError):
        form.run()


@pytest.mark.parametrize("typed", ["", "{}", '{"coords": []}', "number", '{"coords": [{"start": 0}]}', "absent"])
def test_what_is_no_coordinates_is_refused_beside_the_field(form: PipelineForm, front_end: Any, typed: str) -> None:
    front_end.type(form, "coordinates", typed)
    assert form.fields["coordinates"]["error"]
    with pytest.raises(PodpacLambdaError):
        form.run()


def test_the_fields_of_the_grid_write_the_coordinates(form: PipelineForm, front_end: Any) -> None:
    front_end.type(form, "lat_size", "3")
    front_end.type(form, "lon_size", "4")
    front_end.type(form, "time", "")
    assert form.read_coordinates() == CoordinatesDefinition.grid((-90.0, 90.0, 3), (90.0, -90.0, 4))
    assert form.facts == [["Points", "12"], ["Size of the result", "96 bytes"]]


@pytest.mark.parametrize(
    ("name", "typed"), [("lat_first", "91"), ("lon_size", "0"), ("lat_last", "north"), ("lon_last", "nan")]
)
def test_a_grid_that_cannot_be_says_so_beside_its_field(
    form: PipelineForm, front_end: Any, name: str, typed: str
) -> None:
    front_end.type(form, name, typed)
    assert form.fields[name]["error"]
    assert form.fields[name]["value"] == typed
    assert form.read_coordinates() == tutorial_coordinates()


def test_json_is_set_out_over_lines(form: PipelineForm, front_end: Any) -> None:
    front_end.type(form, "pipeline", EXAMPLES[2].pipeline.json)
    assert form.evaluation.pipeline.count("\n") > 5
    assert form.read_pipeline() == EXAMPLES[2].pipeline


def test_html_stays_text(form: PipelineForm, front_end: Any) -> None:
    front_end.type(form, "pipeline", "<img src=x onerror=alert(1)>")
    assert form.fields["pipeline"]["value"] == "<img src=x onerror=alert(1)>"


class Sent(Exception):
    """The function was called: the pipeline was let through."""


class AskedAccount:
    """An account whose function may not be looked at, so that the wish alone counts, and that ends all calls."""

    def identity(self) -> Identity:
        return Identity("123456789012", "arn:aws:iam::123456789012:user/me", "us-east-1", "aws")

    def read(self, wanted: Resource) -> None:
        raise AccessDeniedError("Reading the function is not permitted", resource=wanted.name)

    def invoke(self, function_name: str, payload: bytes, timeout: float) -> None:
        raise Sent(function_name)


@pytest.fixture
def guarded(built: Studio, backend: Any, monkeypatch: pytest.MonkeyPatch) -> Studio:
    """A Studio whose stack is the real one: it looks at what it is given before it calls the function."""
    monkeypatch.setattr(backend, "stack", lambda account, *given: Stack(AskedAccount(), *given))
    return built


def is_sent(studio: Studio, front_end: Any) -> bool:
    front_end.press(studio.pipeline, "run")
    try:
        studio.wait(10)
    except UnexpectedError as error:
        return error.why.startswith("Sent")
    except PodpacLambdaError:
        pass
    return False


@pytest.mark.parametrize(
    "definition",
    [
        {"a": {"node": "subprocess.Popen"}},
        {"a": {"node": "Popen", "plugin": "subprocess"}},
        {"a": {"node": "core.algorithm.utility.SinCoords", "lookup_attrs": {"x": "y"}}},
    ],
)
def test_a_node_that_is_not_allowed_is_refused_before_anything_is_sent(
    guarded: Studio, front_end: Any, definition: dict[str, Any]
) -> None:
    front_end.type(guarded.pipeline, "pipeline", json.dumps(definition))
    assert not is_sent(guarded, front_end)
    assert guarded.pipeline.standing == "failed"
    assert guarded.pipeline.fields["pipeline"]["error"] or guarded.pipeline.card["what"]


def test_more_points_than_fit_are_refused_before_anything_is_sent(guarded: Studio, front_end: Any) -> None:
    front_end.type(guarded.pipeline, "lat_size", "1000000")
    front_end.type(guarded.pipeline, "lon_size", "1000000")
    assert ["Size of the result", "8 TB"] in guarded.pipeline.facts
    assert not is_sent(guarded, front_end)
    assert "points" in guarded.pipeline.fields["coordinates"]["error"]


def test_more_memory_lets_through_what_needed_it(guarded: Studio, front_end: Any) -> None:
    guarded.deploy.deployment.function_memory = 128
    front_end.type(guarded.pipeline, "lat_size", "3000")
    front_end.type(guarded.pipeline, "lon_size", "3000")
    assert not is_sent(guarded, front_end)
    assert "memory" in guarded.pipeline.fields["coordinates"]["error"]
    guarded.deploy.deployment.function_memory = 10_240
    assert is_sent(guarded, front_end)
    assert guarded.pipeline.fields["coordinates"]["error"] == ""


def test_a_pipeline_may_read_the_buckets_that_the_deployment_allows(guarded: Studio, front_end: Any) -> None:
    attrs = {"source": "s3://era5-data/x.zarr", "data_key": "d"}
    front_end.type(guarded.pipeline, "pipeline", json.dumps({"z": {"node": "data.Zarr", "attrs": attrs}}))
    assert not is_sent(guarded, front_end)
    guarded.deploy.deployment.function_allowed_buckets = ["era5-data"]
    assert is_sent(guarded, front_end)


@pytest.mark.parametrize(("field", "value"), [("pipeline", NodeLike()), ("coordinates", CoordinatesLike())])
def test_a_variable_may_be_made_after_its_name_was_typed(
    built: Studio, front_end: Any, backend: Any, monkeypatch: pytest.MonkeyPatch, field: str, value: object
) -> None:
    variables: dict[str, object] = {}
    monkeypatch.setattr(built.pipeline, "_variables", lambda: variables)
    front_end.type(built.pipeline, field, "later")
    front_end.press(built.pipeline, "run")
    assert "no variable later" in built.pipeline.fields[field]["error"]
    assert "run" not in backend.names()
    variables["later"] = value
    front_end.press(built.pipeline, "run")
    built.wait(30)
    assert backend.names()[-1] == "run"
    assert built.pipeline.fields[field]["error"] == ""


def test_a_variable_that_has_gone_since_its_name_was_typed_is_refused(
    built: Studio, front_end: Any, backend: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables: dict[str, object] = {"node": NodeLike()}
    monkeypatch.setattr(built.pipeline, "_variables", lambda: variables)
    front_end.type(built.pipeline, "pipeline", "node")
    variables.clear()
    front_end.press(built.pipeline, "run")
    assert "no variable node" in built.pipeline.fields["pipeline"]["error"]
    assert "run" not in backend.names()


def test_text_that_is_no_text_stays_refused(built: Studio, front_end: Any, backend: Any) -> None:
    front_end.send(built.pipeline, {"type": "input", "name": "pipeline", "value": {"a": 1}})
    for _ in range(2):
        front_end.press(built.pipeline, "run")
    assert built.pipeline.fields["pipeline"]["error"]
    assert "run" not in backend.names()


def test_the_pipeline_that_runs_is_the_one_in_the_field(built: Studio, front_end: Any, backend: Any) -> None:
    front_end.press(built.pipeline, "example_2")
    front_end.press(built.pipeline, "run")
    built.wait(30)
    _, pipeline, coordinates = backend.asked[-1]
    assert (pipeline, coordinates) == (EXAMPLES[2].pipeline, tutorial_coordinates())


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 bytes"), (999, "999 bytes"), (259_200, "259 kB"), (8e12, "8 TB"), (8e18, "8e+06 TB")]
)
def test_sizes_are_written_for_people(count: float, text: str) -> None:
    assert data_size(count) == text


def test_unknown_coordinates_have_no_size(form: PipelineForm, front_end: Any) -> None:
    front_end.type(form, "coordinates", "absent")
    assert form.facts == []
    with pytest.raises(InvalidCoordinatesError):
        form.read_coordinates()
