"""A form follows its model, and the model its form."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.studio import Studio
from podpac_lambda_widgets.widgets.fields import inner_blocks, label_of
from podpac_lambda_widgets.widgets.form import Form
from podpac_lambda_widgets.widgets.page import Page
from podpac_lambda_widgets.widgets.worker import Worker

#: The names of the issue, by form.
NAMES = {
    "credentials": [
        "Profile", "Access key ID", "Secret access key", "Session token", "Region", "Connect", "Use embedded AWS",
    ],
    "source": [
        "Build archives", "Distribution archive", "Dependencies archive", "Source bucket", "Distribution key",
        "Dependencies key",
    ],
    "deploy": [
        "Function name", "Role name", "Bucket name", "Memory (MB)", "Timeout (s)", "Plan", "Build", "Delete",
        "Triggers", "Public endpoint", "Input folder", "Calls at once", "Storage (MB)", "Keep results (days)",
        "Keep logs (days)", "Budget", "Currency", "Budget e-mail", "Tags",
    ],
    "pipeline": ["Pipeline", "Coordinates", "Run", "Cancel"],
    "results": ["Download NetCDF", "Download GeoTIFF", "Download PNG", "Download CSV", "Put into the notebook"],
}  # fmt: skip


def labels(form: Any) -> list[str]:
    return [
        item["label"]
        for block in inner_blocks(form.blocks)
        for part in ("fields", "actions")
        for item in block.get(part, ())
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_control_has_its_name_once(studio: Studio, name: str) -> None:
    found = labels(getattr(studio, name))
    assert {label: found.count(label) for label in NAMES[name]} == dict.fromkeys(NAMES[name], 1)


def test_what_goes_wrong_with_a_message_unforeseen_is_seen(
    studio: Studio, front_end: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = studio.pipeline
    monkeypatch.setattr(form.nodes, "show", lambda: 1 / 0)
    front_end.type(form, "pipeline", '{"A": {"node": "core.algorithm.utility.Arange"}}')
    assert form.card["what"] == "Pipeline stopped unexpectedly"
    assert form.card["why"].startswith("ZeroDivisionError") and "Traceback" in form.card["details"]
    monkeypatch.undo()
    front_end.press(form, "example_0")
    assert form.problems == []


@pytest.mark.parametrize("name", NAMES)
def test_every_control_that_is_drawn_does_something(studio: Studio, name: str) -> None:
    form = getattr(studio, name)
    for block in inner_blocks(form.blocks):
        for field in block.get("fields", ()):
            assert field["name"] in form.fields
        for button in block.get("actions", ()):
            assert button["name"] in form._actions


def test_labels_and_help_come_from_the_traits(studio: Studio) -> None:
    fields = {item["name"]: item for block in studio.deploy.blocks for item in block.get("fields", ())}
    memory = Deployment.function_memory.metadata
    assert fields["function_memory"]["label"] == memory["label"]
    assert fields["function_memory"]["help"] == memory["help"]


def test_what_is_typed_reaches_the_model(studio: Studio, front_end: Any) -> None:
    front_end.type(studio.deploy, "function_memory", " 512 ")
    assert studio.deploy.deployment.function_memory == 512
    assert studio.deploy.fields["function_memory"]["value"] == "512"


def test_a_trait_set_in_code_moves_the_form(studio: Studio) -> None:
    studio.deploy.deployment.function_name = "soil-moisture"
    assert studio.deploy.fields["function_name"]["value"] == "soil-moisture"


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("function_memory", "127"),
        ("function_memory", "10241"),
        ("function_memory", "2 GB"),
        ("function_memory", "1769.5"),
        ("function_memory", "NaN"),
        ("function_memory", ""),
        ("function_timeout", "0"),
        ("function_timeout", "901"),
        ("function_name", "a/b"),
        ("function_name", "x" * 65),
        ("function_role_name", "é"),
        ("function_s3_bucket", "My_Bucket"),
        ("function_s3_bucket", "192.168.0.1"),
        ("function_s3_bucket", "<script>alert(1)</script>"),
    ],
)
def test_what_cannot_be_used_stays_in_the_field_with_the_reason(
    studio: Studio, front_end: Any, field: str, typed: str
) -> None:
    before = getattr(studio.deploy.deployment, field)
    front_end.type(studio.deploy, field, typed)
    shown = studio.deploy.fields[field]
    assert shown["value"] == typed
    assert len(shown["error"]) > 10
    assert not shown["error"].startswith(label_of(studio.deploy.blocks, field))
    assert getattr(studio.deploy.deployment, field) == before


def test_the_reason_goes_when_the_field_is_corrected(studio: Studio, front_end: Any) -> None:
    front_end.type(studio.deploy, "function_memory", "1")
    front_end.type(studio.deploy, "function_memory", "2048")
    assert studio.deploy.fields["function_memory"]["error"] == ""


def test_the_reason_goes_when_code_sets_the_trait(studio: Studio, front_end: Any) -> None:
    front_end.type(studio.deploy, "function_memory", "1")
    studio.deploy.deployment.function_memory = 300
    assert studio.deploy.fields["function_memory"] | {"revision": 0} == {
        "value": "300",
        "error": "",
        "choices": [],
        "revision": 0,
    }


def test_a_value_that_comes_out_the_same_is_drawn_again(studio: Studio, front_end: Any) -> None:
    before = studio.deploy.fields["function_name"]["revision"]
    front_end.type(studio.deploy, "function_name", " podpac-lambda-autogen ")
    assert studio.deploy.fields["function_name"]["revision"] > before


@pytest.mark.parametrize(
    "content",
    [
        {"type": "input", "name": "nothing", "value": "1"},
        {"type": "input", "name": "function_handler", "value": "1"},
        {"type": "action", "name": "__init__"},
        {"type": "secret", "name": "function_name"},
        {"type": "nothing"},
        {},
        {"type": "input", "name": ["a"], "value": None},
    ],
)
def test_a_message_that_names_nothing_of_ours_changes_nothing(
    studio: Studio, front_end: Any, content: dict[str, Any]
) -> None:
    before = studio.deploy.get_state()
    front_end.send(studio.deploy, content)
    assert studio.deploy.get_state() == before


def test_a_value_of_another_type_is_refused_and_not_lost(studio: Studio, front_end: Any) -> None:
    front_end.send(studio.deploy, {"type": "input", "name": "function_name", "value": {"a": 1}})
    assert studio.deploy.fields["function_name"]["error"]


def test_a_message_on_another_thread_is_handled_on_the_owners(studio: Studio, front_end: Any) -> None:
    seen: list[int] = []
    studio.deploy.deployment.observe(lambda change: seen.append(threading.get_ident()), names="function_memory")
    thread = threading.Thread(target=front_end.type, args=(studio.deploy, "function_memory", "256"))
    thread.start()
    thread.join()
    studio.wait(10)
    assert seen == [threading.get_ident()]


def test_a_form_alone_is_a_page_of_its_own(studio: Studio) -> None:
    shown = studio.deploy._repr_mimebundle_()
    bundle = shown[0] if isinstance(shown, tuple) else shown
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_names_that_will_be_made_are_shown_where_none_is_given(ready: Studio) -> None:
    ready.deploy.deployment.function_name = "soil"
    assert ready.deploy.fields["function_role_name"]["placeholder"] == ready.deploy.deployment.role_name("eu-west-1")
    assert ready.deploy.fields["function_s3_bucket"]["placeholder"].startswith("podpac-soil-123456789012")


def test_a_saved_page_holds_neither_script_nor_stylesheet() -> None:
    page = Page([Form(Worker(), title="Any")])
    sent: list[tuple[dict[str, Any], list[bytes]]] = []
    page.send = lambda content, buffers=(): sent.append((content, list(buffers)))
    page._handle_custom_msg({"type": "assets"}, [])
    ((content, (script, style)),) = sent
    assert content == {"type": "assets"}
    assert b"export default" in script
    assert b".plw-panel" in style
    assert "_css" not in page.get_state() or not page.get_state()["_css"]
    assert len(json.dumps(page.get_state(), default=str)) < 4000
