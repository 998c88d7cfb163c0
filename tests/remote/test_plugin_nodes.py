"""Nodes that are allowed only where the deployment has them: plugins', and those that it names."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpac_lambda_widgets.errors import ArchiveCorruptError, InvalidValueError, PipelineRejectedError
from podpac_lambda_widgets.remote import allowlist
from podpac_lambda_widgets.remote.allowlist import (
    PLUGIN_NODES,
    NodeRule,
    find_podpac_node,
    is_node_name,
    nodes_on_request,
    read_plugin_nodes,
)
from podpac_lambda_widgets.remote.answers import decode_answer
from podpac_lambda_widgets.remote.arrays import unpack_array
from podpac_lambda_widgets.remote.attributes import KINDS
from podpac_lambda_widgets.remote.guard import Policy, check, needs_unsafe_eval
from podpac_lambda_widgets.remote.triggers import Function
from podpac_lambda_widgets.remote.wire import Request, encode_request

GRID: dict[str, Any] = {"coords": [{"name": "lat", "values": [0.0, 1.0]}, {"name": "lon", "values": [0.0, 1.0]}]}
SIN = {"node": "algorithm.SinCoords"}
RISK = {
    "attrs": {"depth": "float", "source": "node", "coordinates": "coordinates", "units": "units", "name": "text"},
}
PLUGINS = {"my_plugin.Risk": NodeRule(RISK["attrs"])}


def refusal(pipeline: dict[str, Any], **policy: Any) -> str:
    with pytest.raises((PipelineRejectedError, InvalidValueError)) as caught:
        check(Request(pipeline, GRID), Policy(**policy))
    return str(caught.value)


def risk(**properties: Any) -> dict[str, Any]:
    return {"A": SIN, "x": {"plugin": "my_plugin", "node": "Risk", "inputs": {"source": "A"}, **properties}}


def describe(folder: Path, text: str) -> Path:
    (folder / PLUGIN_NODES).write_text(text, encoding="utf-8")
    return folder


def test_a_plugins_node_passes_where_the_archive_has_it() -> None:
    policy = Policy(plugin_nodes=PLUGINS)
    check(Request(risk(attrs={"depth": 1.5, "coordinates": GRID, "units": "m"}), GRID), policy)


@pytest.mark.parametrize(
    "properties",
    [
        {"node": "Other"}, {"plugin": "my_plugins"}, {"node": "Risk.__init__"}, {"plugin": "my_plugin.",
        "node": "Risk"},
        {"attrs": {"depth": "deep"}}, {"attrs": {"other": 1}}, {"attrs": {"units": "m**9**9"}}, {"plugin": ""},
        {"attrs": {"coordinates": {"coords": [{"name": "lat", "start": 0, "stop": 1, "size": 10**12}]}}},
        {"inputs": {"other": "A"}}, {"inputs": {"source": "B"}}, {"plugin": "my_plugin\n"}, {"plugin": 5},
    ],
)  # fmt: skip
def test_a_plugins_node_may_say_no_more_than_is_described(properties: dict[str, Any]) -> None:
    assert "\n" in refusal(risk(**properties), plugin_nodes=PLUGINS)


def test_a_plugins_node_is_refused_where_the_archive_does_not_have_it() -> None:
    assert "my_plugin.Risk" in refusal(risk())


def test_a_client_leaves_a_plugins_node_to_the_function_and_checks_the_rest() -> None:
    check(Request(risk(attrs={"anything": {"a": [1]}}), GRID), Policy(judges_plugins=False))
    for bad in (risk(inputs={"source": "B"}), risk(plugin="os.path."), risk(style=[]), {"x": {"node": "os.system"}}):
        refusal(bad, judges_plugins=False)


@pytest.mark.parametrize("plugin", ["os", "subprocess", "builtins", "importlib.util"])
def test_pythons_own_modules_are_no_plugins(plugin: str) -> None:
    for policy in ({"judges_plugins": False}, {"allowed_nodes": frozenset({f"{plugin}.system"})}):
        refusal({"x": {"plugin": plugin, "node": "system"}}, **policy)


def test_podpacs_own_modules_are_no_plugins() -> None:
    generic = {"x": {"plugin": "podpac.core.algorithm.generic", "node": "Generic", "attrs": {"code": "1"}}}
    for policy in ({"judges_plugins": False}, {"allowed_nodes": frozenset({"podpac.core.algorithm.generic.Generic"})}):
        refusal(generic, **policy)


def test_a_node_that_the_deployment_names_takes_plain_values_only() -> None:
    policy = {"allowed_nodes": frozenset({"my_plugin.Risk"})}
    attrs = {"depth": 1.5, "words": ["a", "b"], "more": {"a": 1}}
    check(Request(risk(attrs=attrs, inputs={"source": "A", "others": ["A", "A"]}), GRID), Policy(**policy))
    for bad in ({"_private": 1}, {"text": "x" * 2000}, {"text": "\x1b[2J"}, {"a b": 1}):
        refusal(risk(attrs=bad), **policy)
    refusal(risk(inputs={"__class__": "A"}), **policy)
    refusal({**risk(), "y": {"plugin": "my_plugin", "node": "Other"}}, **policy)


def test_a_node_on_request_passes_only_where_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = NodeRule({"layer": "text"}, on_request=True)
    monkeypatch.setitem(allowlist._PODPAC_NODES, "core.data.ogc.WCS", rule)
    monkeypatch.setitem(allowlist._ALIASES, "data.WCS", "core.data.ogc.WCS")
    wcs = {"x": {"node": "data.WCS", "attrs": {"layer": "a"}}}
    assert "add core.data.ogc.WCS to function_allowed_nodes" in refusal(wcs)
    check(Request(wcs, GRID), Policy(allowed_nodes=frozenset({"core.data.ogc.WCS"})))
    refusal(wcs, allowed_nodes=frozenset({"data.WCS"}))
    assert "core.data.ogc.WCS" in nodes_on_request()


def test_naming_generic_does_not_let_it_run_code() -> None:
    path, rule = find_podpac_node("algorithm.Generic")
    generic = {"A": SIN, "x": {"node": path, "inputs": {"a": "A"}, "attrs": {"code": "output = a"}}}
    assert rule is not None
    assert "function_allow_unsafe_eval" in refusal(generic, allowed_nodes=frozenset({path}))
    check(Request(generic, GRID), Policy(allow_unsafe_eval=True))


def test_a_plugins_expressions_are_checked_and_evaluated_like_podpacs() -> None:
    policy = Policy(plugin_nodes={"my_plugin.Sum": NodeRule({"eqn": "expression", "params": "parameters"}, True)})
    good = {"A": SIN, "x": {"plugin": "my_plugin", "node": "Sum", "inputs": {"A": "A"}, "attrs": {"eqn": "A + 1"}}}
    check(Request(good, GRID), policy)
    assert needs_unsafe_eval(Request(good, GRID), policy)
    assert not needs_unsafe_eval(Request(risk(), GRID), Policy(plugin_nodes=PLUGINS))
    good["x"]["attrs"] = {"eqn": "A.real"}
    with pytest.raises(PipelineRejectedError, match="expression"):
        check(Request(good, GRID), policy)


def test_the_descriptions_in_the_functions_code_are_read_once(tmp_path: Path) -> None:
    described = {"nodes": {"my_plugin.Risk": {**RISK, "free_inputs": True}}}
    policy = Policy.from_environment({"LAMBDA_TASK_ROOT": str(describe(tmp_path, json.dumps(described)))})
    assert policy.plugin_nodes == {"my_plugin.Risk": NodeRule(RISK["attrs"], free_inputs=True)}
    (tmp_path / PLUGIN_NODES).unlink()
    assert Policy.from_environment({"LAMBDA_TASK_ROOT": str(tmp_path)}).plugin_nodes == {}


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "{}", '{"nodes": []}', '{"nodes": {"Risk": {"attrs": {}}}}', "[" * 100_000,
        '{"nodes": {"a.B": 5}}',
        '{"nodes": {"podpac.core.algorithm.generic.Generic": {"attrs": {}}}}', '{"nodes": {"a.B": {}}}',
        '{"nodes": {"a.B": {"attrs": {"x": "anything"}}}}', '{"nodes": {"a.B": {"attrs": {"x": 5}}}}',
        '{"nodes": {"a.B": {"attrs": {}, "unsafe": "no"}}}', '{"nodes": {"a.B": {"attrs": {}, "evil": true}}}',
        '{"nodes": {"a b.B": {"attrs": {}}}}', '{"nodes": {"a.B": {"attrs": {"x": []}}}}', "9" * 5000,
    ],
)  # fmt: skip
def test_damaged_descriptions_are_a_typed_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(ArchiveCorruptError, match="plugins' nodes are damaged"):
        read_plugin_nodes(describe(tmp_path, text))


def test_descriptions_that_are_not_text_are_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / PLUGIN_NODES).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ArchiveCorruptError):
        read_plugin_nodes(tmp_path)


@given(st.text() | st.from_regex(r"[a-zA-Z_.]{0,20}", fullmatch=True))
def test_a_nodes_name_is_identifiers_and_dots(name: str) -> None:
    if is_node_name(name):
        parts = name.split(".")
        assert len(parts) > 1
        assert all(part.isidentifier() for part in parts)
        assert parts[0] != "podpac"


def test_every_kind_of_the_shipped_list_is_known() -> None:
    assert {kind for rule in allowlist._PODPAC_NODES.values() for kind in rule.attrs.values()} <= KINDS


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The root of a function's code with a plugin, on the path as Lambda puts it there."""
    name = "plugin_of_this_test"
    (tmp_path / f"{name}.py").write_text(
        "import podpac\nimport traitlets as tl\n\n\n"
        "class Risk(podpac.algorithm.Algorithm):\n"
        "    source = podpac.utils.NodeTrait().tag(attr=True)\n"
        "    depth = tl.Float(1.0).tag(attr=True)\n\n"
        "    def algorithm(self, inputs, coordinates):\n"
        "        return inputs['source'] * self.depth\n"
    )
    described = {"nodes": {f"{name}.Risk": {"attrs": {"depth": "float", "source": "node"}}}}
    monkeypatch.syspath_prepend(str(describe(tmp_path, json.dumps(described))))
    yield tmp_path
    sys.modules.pop(name, None)


def test_the_function_evaluates_a_plugins_node(code: Path) -> None:
    podpac = pytest.importorskip("podpac")
    function = Function({"LAMBDA_TASK_ROOT": str(code)}, print_line=lambda line: None)
    pipeline = risk(plugin="plugin_of_this_test", attrs={"depth": 2.5})
    answer = decode_answer(function.handle(json.loads(encode_request(Request(pipeline, GRID)))))
    assert answer.body is not None
    expected = podpac.algorithm.SinCoords().eval(podpac.Coordinates.from_definition(GRID)) * 2.5
    assert unpack_array(answer.body).values.tobytes() == expected.values.tobytes()
