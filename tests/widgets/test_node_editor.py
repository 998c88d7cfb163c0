"""The node form, played by messages: nodes added, filled in, connected; and what the text of the pipeline says then."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podpac_lambda_widgets.errors import InvalidPipelineError, InvalidValueError
from podpac_lambda_widgets.model.node_specs import node_specs
from podpac_lambda_widgets.remote import guard
from podpac_lambda_widgets.remote.policy import Policy
from podpac_lambda_widgets.remote.wire import Request
from podpac_lambda_widgets.widgets.pipeline_form import PipelineForm
from podpac_lambda_widgets.widgets.worker import Worker

SIN, MEAN = "core.algorithm.utility.SinCoords", "core.algorithm.stats.Mean"
ARITHMETIC, COMPOSITOR = "core.algorithm.generic.Arithmetic", "core.compositor.ordered_compositor.OrderedCompositor"


def refuse_stack() -> Any:
    raise AssertionError("nothing is to be run")


@pytest.fixture
def form() -> PipelineForm:
    return PipelineForm(Worker(), refuse_stack, dict)


def definition(form: PipelineForm) -> Any:
    return json.loads(form.evaluation.pipeline)


def names(form: PipelineForm, part: str = "fields") -> list[str]:
    return [field["name"].removeprefix("node:") for field in form.node_form[part]]


def add(form: PipelineForm, front_end: Any, path: str) -> None:
    front_end.type(form, "node:kind", path)


_NAMES = (
    "A",
    "B",
    "node",
    "attrs",
    "inputs",
    "source",
    "sources",
    "plugin",
    "coords",
    "name",
    "values",
    "start",
    "size",
)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from((*_NAMES, SIN, MEAN, ARITHMETIC, COMPOSITOR)),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), each, max_size=4),
    max_leaves=12,
)
_NODE = st.fixed_dictionaries(
    {"node": st.sampled_from((SIN, MEAN, ARITHMETIC, COMPOSITOR)) | _JSON},
    optional={
        "attrs": _JSON,
        "inputs": _JSON | st.dictionaries(st.sampled_from(_NAMES), st.sampled_from("AB")),
        "plugin": _JSON,
    },
)
_DIMENSION = st.fixed_dictionaries(
    {"name": st.sampled_from(("lat", "lon", "time")) | _JSON},
    optional=dict.fromkeys(("values", "start", "stop", "step", "size"), _JSON),
)


@settings(max_examples=150)
@given(pipeline=st.dictionaries(st.sampled_from("ABC"), _NODE | _JSON) | _JSON, dimensions=st.lists(_DIMENSION | _JSON))
def test_whatever_json_is_typed_the_form_goes_on_and_marks_what_it_cannot_use(pipeline: Any, dimensions: Any) -> None:
    form = PipelineForm(Worker(), refuse_stack, dict)
    for name, typed in (("pipeline", pipeline), ("coordinates", {"coords": dimensions})):
        form.handle_message({"type": "input", "name": name, "value": json.dumps(typed)}, [])
    for name, read in (("pipeline", form.read_pipeline), ("coordinates", form.read_coordinates)):
        try:
            read()
        except InvalidValueError:
            assert name in form.problems and form.fields[name]["error"]
        else:
            assert name not in form.problems


def test_one_input_where_there_may_be_several_is_kept_beside_another(form: PipelineForm, front_end: Any) -> None:
    nodes = {"Sin": {"node": SIN}, "Mean": {"node": MEAN, "inputs": {"source": "Sin"}}}
    both = {"node": COMPOSITOR, "inputs": {"sources": "Mean"}}
    front_end.type(form, "pipeline", json.dumps({**nodes, "Both": both}))
    front_end.send(form, {"type": "node", "name": "select", "key": "Both"})
    assert [form.fields[f"node:sources.{place}"]["value"] for place in (0, 1)] == ["Mean", ""]
    front_end.type(form, "node:sources.1", "Sin")
    assert definition(form)["Both"]["inputs"] == {"sources": ["Mean", "Sin"]}


def test_it_shows_the_pipeline_of_the_text(form: PipelineForm, front_end: Any) -> None:
    front_end.press(form, "example_2")
    rows = form.node_form["nodes"]
    assert [row["name"] for row in rows] == ["SinCoords", "Array", "Interpolate", "Arithmetic"]
    assert [row["output"] for row in rows] == [False, False, False, True]
    assert rows[3]["sources"] == "SinCoords, Interpolate"
    assert form.node_form["selected"] == "SinCoords"
    front_end.send(form, {"type": "node", "name": "select", "key": "Arithmetic"})
    assert names(form) == ["inputs.A", "inputs.B", "inputs.C", "eqn", "params"]
    assert form.fields["node:eqn"]["value"] == "1e10 * A + B"
    assert form.fields["node:inputs.B"]["value"] == "Interpolate"


def test_a_pipeline_is_built_by_the_form_alone_and_the_guard_takes_it(form: PipelineForm, front_end: Any) -> None:
    front_end.type(form, "pipeline", "")
    assert form.node_form["said"] == "Begin with a node."
    add(form, front_end, SIN)
    add(form, front_end, MEAN)
    front_end.send(form, {"type": "input", "name": "node:dims", "value": ["lat", "lon"]})
    add(form, front_end, ARITHMETIC)
    front_end.type(form, "node:inputs.B", "SinCoords")
    front_end.type(form, "node:eqn", "A + B * {scale}")
    front_end.type(form, "node:params", '{"scale": 2}')
    front_end.type(form, "node:name", "Sum of both")
    assert definition(form) == {
        "SinCoords": {"node": SIN},
        "Mean": {"node": MEAN, "inputs": {"source": "SinCoords"}, "attrs": {"dims": ["lat", "lon"]}},
        "Sum of both": {
            "node": ARITHMETIC,
            "inputs": {"A": "Mean", "B": "SinCoords"},
            "attrs": {"eqn": "A + B * {scale}", "params": {"scale": 2}},
        },
    }
    assert form.problems == []
    request = Request(pipeline=form.read_pipeline().definition, coordinates=form.read_coordinates().definition)
    guard.check(request, Policy())


def test_what_is_built_by_methods_is_the_same(form: PipelineForm) -> None:
    form.nodes.add("Mean")
    form.nodes.set("dims", ["lat"])
    assert form.nodes.selected == "Mean"
    form.nodes.rename("SinCoords", "Wave")
    form.nodes.select("Mean")
    assert definition(form)["Mean"] == {"node": MEAN, "inputs": {"source": "Wave"}, "attrs": {"dims": ["lat"]}}
    form.nodes.set("dims", None)
    form.nodes.set("source", None)
    assert definition(form)["Mean"] == {"node": MEAN}
    assert form.fields["node:source"]["warning"] == "Needed."
    form.nodes.remove("Wave")
    assert list(definition(form)) == ["Mean"]


@pytest.mark.parametrize(
    ("path", "field", "typed", "said"),
    [
        ("core.algorithm.stats.Percentile", "percentile", "half", "Must be a number, not 'half'."),
        ("core.data.rasterio_source.Rasterio", "band", "1.5", "Must be a whole number."),
        ("core.data.rasterio_source.Rasterio", "source", "s3://other/x.tif", "bucket"),
        ("core.data.csv_source.CSV", "boundary", "[1]", 'Must be a JSON object, such as {"lat": 0.5}.'),
        ("core.data.array_source.Array", "source", "1 2 3", "Must be a list of numbers, such as [[1, 2], [3, 4]], not"),
        ("core.data.array_source.Array", "source", '[["a"]]', "Must be a list of numbers"),
        ("core.data.array_source.Array", "coordinates", "{}", "coords"),
        ("core.algorithm.signal.Convolution", "kernel_type", "os.system, 3", "window"),
        ("core.algorithm.stats.ResampleReduce", "resample", "1 eternity", "frequency"),
    ],
)
def test_a_wrong_type_shows_a_plain_sentence_beside_its_field(
    form: PipelineForm, front_end: Any, path: str, field: str, typed: str, said: str
) -> None:
    add(form, front_end, path)
    before = definition(form)
    front_end.type(form, f"node:{field}", typed)
    state = form.fields[f"node:{field}"]
    assert said in state["error"] and state["error"]
    assert "Traceback" not in state["error"]
    assert state["value"] == typed
    assert definition(form) == before
    with pytest.raises(Exception, match="Correct what is marked"):
        form.run()
    front_end.type(form, f"node:{field}", "")
    assert form.fields[f"node:{field}"]["error"] == ""
    assert form.problems == []


def test_an_equation_is_marked_until_its_parameters_are_there(form: PipelineForm, front_end: Any) -> None:
    add(form, front_end, ARITHMETIC)
    assert form.fields["node:eqn"]["warning"] == "Needed."
    front_end.type(form, "node:eqn", "A * {scale}")
    assert "scale" in form.fields["node:eqn"]["error"]
    front_end.type(form, "node:params", '{"scale": 2}')
    assert form.fields["node:eqn"]["error"] == ""
    front_end.type(form, "node:eqn", "__import__('os')")
    assert form.fields["node:eqn"]["error"]


def test_what_json_says_wrongly_is_marked_in_the_node_form_too(form: PipelineForm, front_end: Any) -> None:
    wrong = {"P": {"node": "core.algorithm.stats.Percentile", "attrs": {"percentile": "half", "dims": 5}}}
    front_end.type(form, "pipeline", json.dumps(wrong))
    assert "Must be a number" in form.fields["node:percentile"]["error"]
    # What its own control cannot show is shown as JSON.
    kinds = {field["name"]: field["kind"] for field in form.node_form["fields"]}
    assert kinds["node:percentile"] == kinds["node:dims"] == "area"
    assert form.fields["node:dims"]["value"] == "5"


def test_only_nodes_that_the_function_takes_are_offered(form: PipelineForm, front_end: Any) -> None:
    offered = [value for value, _ in form.fields["node:kind"]["choices"]]
    assert "Mean" in offered
    assert "Generic" not in offered
    assert "Generic" in form.node_form["unavailable"] and "WCS" in form.node_form["unavailable"]
    before = definition(form)
    front_end.type(form, "node:kind", "Generic")
    assert "no node" in form.fields["node:kind"]["error"]
    assert definition(form) == before
    form.nodes.policy = Policy(allow_unsafe_eval=True)
    form.nodes.show()
    assert "Generic" in [value for value, _ in form.fields["node:kind"]["choices"]]


def test_a_node_of_a_plugin_is_left_to_the_json(form: PipelineForm, front_end: Any) -> None:
    front_end.type(form, "pipeline", json.dumps({"x": {"node": "soil.Moisture", "plugin": "mine"}}))
    assert form.node_form["fields"] == []
    assert "plugin" in form.node_form["said"]
    with pytest.raises(InvalidPipelineError):
        form.nodes.set("anything", 1)


def test_text_that_is_no_pipeline_has_no_nodes_and_adding_one_does_not_overwrite_it(
    form: PipelineForm, front_end: Any
) -> None:
    front_end.type(form, "pipeline", "{half a")
    assert form.node_form["nodes"] == []
    front_end.type(form, "node:kind", MEAN)
    assert form.evaluation.pipeline == "{half a"
    assert form.fields["node:kind"]["error"]


def test_a_source_that_comes_later_is_put_before(form: PipelineForm, front_end: Any) -> None:
    add(form, front_end, MEAN)
    add(form, front_end, "core.algorithm.utility.Arange")
    front_end.send(form, {"type": "node", "name": "select", "key": "Mean"})
    front_end.type(form, "node:source", "Arange")
    assert list(definition(form)) == ["SinCoords", "Arange", "Mean"]
    front_end.send(form, {"type": "node", "name": "remove", "key": "SinCoords"})
    assert list(definition(form)) == ["Arange", "Mean"]


def test_a_name_that_is_taken_is_refused(form: PipelineForm, front_end: Any) -> None:
    add(form, front_end, MEAN)
    front_end.type(form, "node:name", "SinCoords")
    assert "already" in form.fields["node:name"]["error"]
    assert form.fields["node:name"]["value"] == "SinCoords"


def test_messages_about_what_is_not_there_change_nothing(form: PipelineForm, front_end: Any) -> None:
    before = form.evaluation.pipeline
    for message in (
        {"type": "node", "name": "select", "key": "nobody"},
        {"type": "node", "name": "remove", "key": "nobody"},
        {"type": "node", "name": "add", "key": MEAN},
        {"type": "node"},
        {"type": "input", "name": "node:nothing", "value": "1"},
        {"type": "input", "name": "node:output", "value": {"a": 1}},
    ):
        front_end.send(form, message)
    assert form.evaluation.pipeline == before


def test_every_node_can_be_added_by_its_name_and_shown(form: PipelineForm) -> None:
    assert len({spec.name for spec in node_specs().values()}) == len(node_specs())
    form.nodes.policy = Policy(allow_unsafe_eval=True)
    form.nodes.show()
    for path, _ in form.fields["node:kind"]["choices"][1:]:
        name = form.nodes.add(path)
        assert form.node_form["selected"] == name
        assert {field["name"] for field in form.node_form["fields"]} <= form.fields.keys()
        form.nodes.remove(name)
