"""The snapshot of podpac's UI spec, and pipelines that are put together by it."""

from __future__ import annotations

from typing import Any

import make_node_specs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpac_lambda_widgets.errors import InvalidPipelineError
from podpac_lambda_widgets.model import pipeline_edits as edits
from podpac_lambda_widgets.model.node_specs import find_spec, is_offered, node_specs, unavailable_nodes
from podpac_lambda_widgets.remote.policy import Policy
from podpac_lambda_widgets.remote.shapes import references

_MEAN = "core.algorithm.stats.Mean"


def test_the_snapshot_is_what_podpac_says() -> None:
    pytest.importorskip("podpac")
    assert make_node_specs.FILE.read_text("utf-8") == make_node_specs.as_text(), "run scripts/make_node_specs.py"


def test_every_node_that_the_guard_knows_has_a_spec_and_no_attribute_it_does_not_know() -> None:
    assert node_specs().keys() == make_node_specs._ALLOWED.keys()
    for spec in node_specs().values():
        assert {each.name for each in spec.attributes} <= spec.rule.attrs.keys()


def test_what_runs_code_is_offered_only_where_the_function_allows_it() -> None:
    generic = node_specs()["core.algorithm.generic.Generic"]
    assert not is_offered(generic, Policy())
    assert is_offered(generic, Policy(allow_unsafe_eval=True))
    assert "WCS" in unavailable_nodes()


@pytest.mark.parametrize("node", [{"node": 3}, {"node": "x.Y"}, {"node": _MEAN, "plugin": "mine"}, None, "text"])
def test_a_node_that_is_not_podpacs_has_no_spec(node: object) -> None:
    assert find_spec(node) is None


def build(*paths: str) -> dict[str, Any]:
    definition: dict[str, Any] = {}
    for path in paths:
        definition, _ = edits.add_node(definition, node_specs()[path])
    return definition


def test_a_node_that_is_added_is_fed_by_the_output() -> None:
    definition = build("core.algorithm.utility.SinCoords", _MEAN, _MEAN)
    assert list(definition) == ["SinCoords", "Mean", "Mean2"]
    assert definition["Mean2"]["inputs"] == {"source": "Mean"}


def test_a_node_that_is_removed_or_renamed_is_so_in_the_inputs_too() -> None:
    definition = build(
        "core.algorithm.utility.SinCoords", _MEAN, "core.compositor.ordered_compositor.OrderedCompositor"
    )
    assert definition["OrderedCompositor"]["inputs"] == {"sources": ["Mean"]}
    renamed = edits.rename_node(definition, "Mean", "Average")
    assert list(renamed) == ["SinCoords", "Average", "OrderedCompositor"]
    assert renamed["OrderedCompositor"]["inputs"] == {"sources": ["Average"]}
    removed = edits.remove_node(renamed, "Average")
    assert removed["OrderedCompositor"]["inputs"] == {}
    assert definition == build(
        "core.algorithm.utility.SinCoords", _MEAN, "core.compositor.ordered_compositor.OrderedCompositor"
    )


@pytest.mark.parametrize("new", ["", "_x", "a\nb", "SinCoords", "podpac_version"])
def test_a_name_that_cannot_be_is_refused(new: str) -> None:
    with pytest.raises(InvalidPipelineError):
        edits.rename_node(build("core.algorithm.utility.SinCoords", _MEAN), "Mean", new)


def test_inputs_of_an_equation_have_names_and_those_of_a_compositor_an_order() -> None:
    sin, add = "core.algorithm.utility.SinCoords", "core.algorithm.generic.Arithmetic"
    definition = build(sin, sin, add)
    definition = edits.connect_node(definition, "Arithmetic", "inputs.B", "SinCoords")
    assert definition["Arithmetic"]["inputs"] == {"A": "SinCoords2", "B": "SinCoords"}
    definition = build(sin, sin, "core.compositor.ordered_compositor.OrderedCompositor")
    definition = edits.connect_node(definition, "OrderedCompositor", "sources.1", "SinCoords")
    assert definition["OrderedCompositor"]["inputs"] == {"sources": ["SinCoords2", "SinCoords"]}
    definition = edits.connect_node(definition, "OrderedCompositor", "sources.0", "")
    assert definition["OrderedCompositor"]["inputs"] == {"sources": ["SinCoords"]}


def test_nodes_do_not_go_round_in_a_circle() -> None:
    definition = build("core.algorithm.utility.SinCoords", _MEAN, _MEAN)
    with pytest.raises(InvalidPipelineError, match="circle"):
        edits.connect_node(definition, "Mean", "source", "Mean2")
    for key, source in (("source", "Mean"), ("source", "nobody"), ("dims", "SinCoords"), ("nothing", "SinCoords")):
        with pytest.raises(InvalidPipelineError):
            edits.connect_node(definition, "Mean", key, source)


_PATHS = st.sampled_from(
    ["core.algorithm.utility.SinCoords", _MEAN, "core.algorithm.generic.Arithmetic", "core.algorithm.generic.Mask",
     "core.compositor.ordered_compositor.OrderedCompositor"]
)  # fmt: skip
_STEPS = st.lists(st.tuples(st.sampled_from(["add", "remove", "rename", "connect"]), _PATHS, st.integers(0, 99)))


@given(_STEPS)
def test_whatever_is_done_each_input_is_an_earlier_node(steps: list[tuple[str, str, int]]) -> None:
    definition: dict[str, Any] = {}
    for what, path, number in steps:
        names = list(definition)
        if what == "add" or not names:
            definition, _ = edits.add_node(definition, node_specs()[path])
            continue
        name, other = names[number % len(names)], names[number // 10 % len(names)]
        if what == "remove":
            definition = edits.remove_node(definition, name)
        elif what == "rename":
            definition = edits.rename_node(definition, name, f"n{number}") if f"n{number}" not in names else definition
        else:
            spec = find_spec(definition[name])
            assert spec is not None
            key = next((each.name for each in spec.attributes if each.kind in ("node", "nodes")), "source")
            try:
                definition = edits.connect_node(definition, name, key if key != "inputs" else "inputs.A", other)
            except InvalidPipelineError:
                continue
    seen: set[str] = set()
    for name, node in definition.items():
        assert set(references(node)) <= seen
        seen.add(name)
