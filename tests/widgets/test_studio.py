"""The whole Studio, with a backend that keeps a record."""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import xarray as xr

from podpac_lambda_widgets.errors import (
    AccessDeniedError,
    ArchiveMismatchError,
    CancelledError,
    DeployError,
    InvalidValueError,
    NoCredentialsError,
    PodpacLambdaError,
)
from podpac_lambda_widgets.model.base import InvalidTraitError
from podpac_lambda_widgets.plan.changes import Create, Delete, Keep, Plan, Refuse
from podpac_lambda_widgets.plan.resources import LogGroup
from podpac_lambda_widgets.remote.netcdf import decode_array
from podpac_lambda_widgets.remote.policy import Policy
from podpac_lambda_widgets.studio import Studio
from podpac_lambda_widgets.studio.behind import find_archive_directory

GROUP = LogGroup(name="/aws/lambda/<b>x</b>", retention=30, tags={})


def standing(studio: Studio) -> list[str]:
    return [form.standing for form in studio.forms]


def test_the_whole_way_by_the_buttons(studio: Studio, backend: Any, front_end: Any) -> None:
    assert standing(studio) == ["ready", "ready", "waiting", "waiting", "waiting"]
    for form, button in (
        (studio.credentials, "use_embedded_aws"),
        (studio.source, "build_archives"),
        (studio.deploy, "plan"),
        (studio.deploy, "build"),
        (studio.pipeline, "run"),
    ):
        front_end.press(form, button)
        studio.wait(30)
    assert standing(studio) == ["done"] * 5
    np.testing.assert_array_equal(studio.result, backend.result.array)
    front_end.press(studio.deploy, "delete")
    studio.wait(10)
    assert "delete" not in backend.names()
    front_end.press(studio.deploy, "really_delete")
    studio.wait(10)
    assert backend.names()[-1] == "delete"


def test_the_backend_is_only_asked_on_one_other_thread(built: Studio, backend: Any) -> None:
    assert len(backend.threads) == 1
    assert threading.get_ident() not in backend.threads


def test_what_is_typed_while_something_runs_is_for_the_next_time(ready: Studio) -> None:
    stack: Any = ready._stack()
    ready.deploy.deployment.function_name = "other"
    ready.source.source.function_source_dist_zip = "other.zip"
    assert stack.deployment.function_name == "podpac-lambda-autogen"
    assert stack.source.function_source_dist_zip.endswith("podpac_dist.zip")


def test_nothing_is_planned_without_a_connection(studio: Studio, front_end: Any, backend: Any) -> None:
    with pytest.raises(NoCredentialsError):
        studio.deploy.plan()
    front_end.press(studio.deploy, "plan")
    assert studio.deploy.card["what"] == "Not connected to AWS"
    assert "plan" not in backend.names()


def test_nothing_is_planned_while_a_field_is_wrong(ready: Studio, front_end: Any, backend: Any) -> None:
    front_end.type(ready.deploy, "function_timeout", "5400")
    front_end.press(ready.deploy, "plan")
    assert (ready.deploy.standing, ready.deploy.note) == ("failed", "Correct the marked field.")
    assert "plan" not in backend.names()


def test_the_plan_is_a_table_of_text(ready: Studio, backend: Any) -> None:
    backend.planned = Plan("x", "build", (Refuse(GROUP, "is <i>not</i> ours", "Choose another name."),))
    ready.deploy.plan()
    ready.wait(10)
    [row] = ready.deploy.table["rows"]
    assert row["cells"] == [
        "! refuse", "log group", "/aws/lambda/<b>x</b>", ["is <i>not</i> ours", "Choose another name."]
    ]  # fmt: skip


def test_a_plan_that_refuses_cannot_be_built(ready: Studio, backend: Any) -> None:
    backend.planned = Plan("x", "build", (Refuse(GROUP, "is not ours", "Choose another name."),))
    ready.deploy.plan()
    ready.wait(10)
    assert ready.deploy.buttons["build"]["disabled"]
    with pytest.raises(PodpacLambdaError, match="cannot be built"):
        ready.deploy.build()


def test_a_plan_with_nothing_to_do_means_that_the_function_is_there(ready: Studio, backend: Any) -> None:
    backend.planned = Plan("x", "build", (Keep(GROUP),))
    backend.there.add((backend.who.account, "podpac-lambda-autogen"))
    ready.deploy.plan()
    ready.wait(10)
    assert (ready.deploy.standing, ready.pipeline.note) == ("done", "Ready to run")


@pytest.mark.parametrize("change", ["deployment", "source", "connection"])
def test_a_plan_is_forgotten_when_what_it_was_made_from_changes(ready: Studio, change: str) -> None:
    ready.deploy.plan()
    ready.wait(10)
    assert not ready.deploy.buttons["build"]["disabled"]
    if change == "deployment":
        ready.deploy.deployment.function_memory = 4096
    elif change == "source":
        ready.source.source.function_source_dist_zip = "other.zip"
    else:
        ready.credentials.connect()
        ready.wait(10)
    assert ready.deploy.table == {}
    with pytest.raises(InvalidValueError, match="no plan"):
        ready.deploy.build()


def test_archives_that_are_built_anew_outdate_the_plan(ready: Studio) -> None:
    ready.deploy.plan()
    ready.wait(10)
    ready.source.build_archives()
    ready.wait(10)
    assert ready.deploy.table == {}
    assert ready.deploy.buttons["build"]["disabled"]
    with pytest.raises(InvalidValueError, match="no plan"):
        ready.deploy.build()


def test_building_archives_takes_what_was_mistyped_out_of_their_fields(studio: Studio, front_end: Any) -> None:
    front_end.type(studio.source, "function_source_bucket", "My_Bucket")
    assert studio.source.problems == ["function_source_bucket"]
    studio.source.build_archives()
    studio.wait(10)
    assert studio.source.problems == []
    assert studio.source.fields["function_source_bucket"]["value"] == ""


def test_a_plan_that_is_no_longer_true_is_shown_anew_and_not_built(ready: Studio, backend: Any, front_end: Any) -> None:
    front_end.press(ready.deploy, "plan")
    ready.wait(10)
    backend.planned = Plan("x", "build", (Create(GROUP),))
    front_end.press(ready.deploy, "build")
    ready.wait(10)
    assert "build" not in backend.names()
    assert [row["cells"][2] for row in ready.deploy.table["rows"]] == [GROUP.name]
    assert "Nothing was done" in ready.deploy.card["what"]
    assert not ready.deploy.buttons["build"]["disabled"]
    front_end.press(ready.deploy, "build")
    ready.wait(10)
    assert (backend.names()[-1], ready.deploy.standing, ready.deploy.card) == ("build", "done", {})


def test_what_came_to_be_since_the_question_is_asked_about_again(built: Studio, backend: Any, front_end: Any) -> None:
    front_end.press(built.deploy, "delete")
    built.wait(10)
    backend.planned_delete = Plan("x", "delete", (Delete(GROUP),))
    front_end.press(built.deploy, "really_delete")
    built.wait(10)
    assert "delete" not in backend.names()
    assert "Delete 1 resource of" in built.deploy.question
    assert "Nothing was done" in built.deploy.card["what"]
    front_end.press(built.deploy, "really_delete")
    built.wait(10)
    assert backend.names()[-1] == "delete"


def test_what_is_typed_during_a_comparison_makes_it_untrue(ready: Studio, backend: Any, front_end: Any) -> None:
    backend.hold_plan = threading.Event()
    front_end.press(ready.deploy, "plan")
    assert backend.running.wait(10)
    front_end.type(ready.deploy, "function_memory", "4096")
    backend.hold_plan.set()
    ready.wait(10)
    assert (ready.deploy.current_plan, ready.deploy.table) == (None, {})
    assert ready.deploy.note == "Changed during the comparison: press Plan"


def test_a_build_is_said_to_run_whatever_is_typed_meanwhile(ready: Studio, backend: Any, front_end: Any) -> None:
    ready.deploy.plan()
    ready.wait(10)
    backend.hold = threading.Event()
    front_end.press(ready.deploy, "build")
    assert backend.running.wait(10)
    front_end.type(ready.source, "function_source_dist_zip", "other.zip")
    front_end.type(ready.deploy, "function_memory", "4096")
    assert (ready.deploy.standing, ready.deploy.note) == ("working", "Building …")
    backend.hold.set()
    ready.wait(10)
    assert ready.deploy.standing == "done"


def test_nothing_of_the_other_account_stays_after_connecting_elsewhere(built: Studio, backend: Any) -> None:
    built.pipeline.run()
    built.wait(30)
    assert built.deploy.steps
    built.deploy.card = built.pipeline.card = {"what": "No", "tone": "error"}
    assert [row["title"] for row in built.pipeline.runs["rows"]] == ["SinCoords"]
    built.credentials.connect()
    built.wait(10)
    assert built.pipeline.runs["rows"] == []
    for form in (built.deploy, built.pipeline):
        assert (form.steps, form.card, form.standing) == ([], {}, "ready")
    assert built.deploy.note == "Press Plan"


def test_deleting_needs_the_question_first(built: Studio, backend: Any) -> None:
    with pytest.raises(InvalidValueError, match="Nobody asked"):
        built.deploy.really_delete()
    built.deploy.delete()
    built.wait(10)
    assert "Delete 2 resources" in built.deploy.question
    built.deploy.keep()
    assert built.deploy.question == ""
    assert "delete" not in backend.names()


def test_the_steps_of_a_build_are_shown_to_their_end(built: Studio) -> None:
    assert [(step["state"], step["detail"]) for step in built.deploy.steps] == [("done", "0.5 s")] * 2


def test_the_built_archives_fill_their_fields(ready: Studio) -> None:
    assert ready.source.source.function_source_dist_zip.endswith("podpac_dist.zip")
    assert ["Distribution", "1 MB zipped, sent in the call itself"] in ready.source.facts


def test_archives_are_built_for_where_they_will_run(studio: Studio, backend: Any) -> None:
    def build() -> str:
        studio.source.build_archives()
        studio.wait(10)
        return str(backend.asked[-1][2])

    own = f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert build() == ""
    studio.credentials.connect()
    studio.wait(10)
    assert build() == ("" if own in ("python3.12", "python3.13") else "python3.12")
    studio.credentials.use_embedded_aws()
    studio.wait(10)
    assert build() == ""
    studio.deploy.deployment.function_runtime = "python3.13"
    assert build() == "python3.13"


def test_what_was_said_of_other_archives_goes(ready: Studio, front_end: Any) -> None:
    front_end.type(ready.source, "function_source_dist_zip", "")
    assert ready.source.facts == []
    assert ready.source.standing == "ready"


def test_an_error_of_another_forms_field_is_shown_there_too(ready: Studio, backend: Any) -> None:
    backend.errors["plan"] = InvalidTraitError("Distribution archive is missing", field="function_source_dist_zip")
    ready.deploy.plan()
    with pytest.raises(InvalidTraitError):
        ready.wait(10)
    assert ready.source.fields["function_source_dist_zip"]["error"] == "Distribution archive is missing."
    assert ready.deploy.card["what"] == "Distribution archive is missing"


@pytest.mark.parametrize(
    ("request_name", "form", "action"),
    [("connect", "credentials", "connect"), ("build_archives", "source", "build_archives"), ("run", "pipeline", "run")],
)
def test_an_error_is_a_card_where_the_button_was_pressed(
    ready: Studio, backend: Any, front_end: Any, request_name: str, form: str, action: str
) -> None:
    backend.errors[request_name] = AccessDeniedError(
        "You may not <b>do</b> this", why="AWS said no", next_step="Ask for it.", action="iam:CreateRole", code="403"
    )
    front_end.press(getattr(ready, form), action)
    with pytest.raises(AccessDeniedError):
        ready.wait(10)
    card = getattr(ready, form).card
    assert (card["what"], card["why"], card["next_step"]) == (
        "You may not <b>do</b> this",
        "AWS said no",
        "Ask for it.",
    )
    assert "iam:CreateRole" in card["details"]
    assert getattr(ready, form).standing == "failed"
    assert not getattr(ready, form).locked


def test_what_another_form_said_of_a_field_goes_with_the_next_attempt(ready: Studio, backend: Any) -> None:
    backend.errors["plan"] = InvalidTraitError("Distribution archive is missing", field="function_source_dist_zip")
    ready.deploy.plan()
    with pytest.raises(InvalidTraitError):
        ready.wait(10)
    del backend.errors["plan"]
    ready.deploy.plan()
    ready.wait(10)
    assert ready.source.fields["function_source_dist_zip"]["error"] == ""


def test_what_was_mistyped_stays_marked_whatever_else_is_done(ready: Studio, front_end: Any) -> None:
    front_end.type(ready.deploy, "function_memory", "64")
    front_end.press(ready.pipeline, "run")
    ready.wait(30)
    assert "not 64" in ready.deploy.fields["function_memory"]["error"]


def test_a_result_says_where_it_was_run_and_not_what_was_typed_since(
    built: Studio, backend: Any, front_end: Any
) -> None:
    backend.hold = threading.Event()
    front_end.press(built.pipeline, "run")
    assert backend.running.wait(10)
    front_end.type(built.deploy, "function_name", "another")
    backend.hold.set()
    built.wait(30)
    assert ["Function", "podpac-lambda-autogen"] in built.results.origin
    assert ["Ran on", "Embedded AWS, eu-west-1"] in built.results.origin
    assert ["Account", "********9012"] in built.results.origin


def test_a_stopped_build_says_what_was_done_and_what_was_not(ready: Studio, backend: Any) -> None:
    backend.errors["build"] = DeployError("It stopped", done=["role a"], failed="bucket b", left=["function c"])
    ready.deploy.plan()
    ready.wait(10)
    ready.deploy.build()
    with pytest.raises(DeployError):
        ready.wait(10)
    assert "Done: role a" in ready.deploy.card["details"]
    assert "Not begun: function c" in ready.deploy.card["details"]


def test_an_error_nobody_thought_of_is_shown_with_its_details(ready: Studio, backend: Any) -> None:
    backend.errors["run"] = ZeroDivisionError("by zero")
    ready.pipeline.run()
    with pytest.raises(PodpacLambdaError, match="Running stopped unexpectedly"):
        ready.wait(10)
    assert ready.pipeline.card["why"] == "ZeroDivisionError: by zero"
    assert "Traceback" in ready.pipeline.card["details"]


def test_an_error_goes_with_the_next_attempt(ready: Studio, backend: Any) -> None:
    backend.errors["run"] = ArchiveMismatchError("no")
    ready.pipeline.run()
    with pytest.raises(ArchiveMismatchError):
        ready.wait(10)
    del backend.errors["run"]
    ready.pipeline.run()
    ready.wait(30)
    assert (ready.pipeline.card, ready.pipeline.standing) == ({}, "done")


def test_cancel_stops_a_run(ready: Studio, backend: Any, front_end: Any) -> None:
    backend.hold = threading.Event()
    front_end.press(ready.pipeline, "run")
    assert backend.running.wait(10)
    assert not ready.pipeline.buttons["cancel"]["disabled"]
    front_end.press(ready.pipeline, "cancel")
    with pytest.raises(CancelledError):
        ready.wait(10)
    assert ready.pipeline.note.startswith("Stopped")
    assert ready.pipeline.buttons["cancel"]["disabled"]
    assert ready.result is None


def test_a_second_press_while_something_is_planned_begins_nothing(ready: Studio, backend: Any, front_end: Any) -> None:
    backend.hold_plan = threading.Event()
    front_end.press(ready.deploy, "plan")
    assert backend.running.wait(10)
    assert [form.locked for form in ready.forms] == [True] * 5
    front_end.press(ready.deploy, "plan")
    front_end.press(ready.pipeline, "run")
    assert "still running" in ready.deploy.card["what"]
    assert "still running" in ready.pipeline.card["what"]
    backend.hold_plan.set()
    ready.wait(30)
    assert backend.names().count("plan") == 1
    assert "run" not in backend.names()


def test_a_run_locks_nothing_and_others_go_on_beside_it(ready: Studio, backend: Any, front_end: Any) -> None:
    backend.hold = threading.Event()
    front_end.press(ready.pipeline, "run")
    assert backend.running.wait(10)
    assert [form.locked for form in ready.forms] == [False] * 5
    front_end.press(ready.pipeline, "run")
    assert [row["state"] for row in ready.pipeline.runs["rows"]][1] == "running"
    assert (ready.pipeline.standing, ready.pipeline.note) == ("working", "Running 2 …")
    backend.hold.set()
    ready.wait(30)
    assert backend.names().count("run") == 2
    assert [row["state"] for row in ready.pipeline.runs["rows"]] == ["done", "done"]
    assert ready.pipeline.standing == "done"


def test_connecting_elsewhere_leaves_the_other_account(ready: Studio, backend: Any) -> None:
    ready.credentials.connect()
    ready.wait(10)
    assert backend.closed == ["embedded"]
    assert "account 123456789012" in ready.credentials.note


def test_failing_to_connect_elsewhere_keeps_the_connection_and_says_so(ready: Studio, backend: Any) -> None:
    backend.errors["connect"] = NoCredentialsError("No credentials were found")
    ready.credentials.connect()
    with pytest.raises(NoCredentialsError):
        ready.wait(10)
    assert ready.credentials.connection is not None
    assert "Still connected to the embedded AWS" in ready.credentials.note
    assert backend.closed == []


def test_profiles_and_regions_are_offered_with_their_names(studio: Studio) -> None:
    fields = studio.credentials.fields
    assert ["lab", "lab · SSO"] in fields["profile"]["choices"]
    assert ["eu-west-1", "Europe (Ireland) · eu-west-1"] in fields["region"]["choices"]


def test_the_result_is_sent_when_asked_for_and_not_kept_in_the_notebook(
    built: Studio, backend: Any, front_end: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    built.pipeline.run()
    built.wait(30)
    sent: list[tuple[dict[str, Any], list[bytes]]] = []
    monkeypatch.setattr(built.results, "send", lambda content, buffers=None: sent.append((content, buffers)))
    front_end.send(built.results, {"type": "picture", "width": 800, "height": 480, "view": "v-1"})
    front_end.send(built.results, {"type": "action", "name": "download_netcdf", "view": "v-1"})
    built.wait(30)
    (picture, [values, *_]), (file, [netcdf]) = sent
    assert picture["kind"] == "raster" and picture["shape"] == [2, 3]
    shown = np.frombuffer(values, np.float32).reshape(2, 3) * picture["scale"] + picture["offset"]
    np.testing.assert_allclose(shown, backend.result.array.values, atol=1e-6)
    assert file == {"type": "file", "name": "SinCoords.nc", "mime": "application/x-netcdf", "view": "v-1"}
    opened = decode_array(netcdf)
    assert opened.equals(backend.result.array)
    assert opened.attrs["provenance_account"] == "********9012"
    assert len(json.dumps(built.results.get_state(), default=str)) < 20_000
    assert built.results.picture["alt"].startswith("Map of SinCoords over lat and lon")


def test_the_result_can_be_saved_without_a_browser(built: Studio, backend: Any, tmp_path: Any) -> None:
    with pytest.raises(PodpacLambdaError, match="no result"):
        built.results.save(tmp_path / "a.nc")
    built.pipeline.run()
    built.wait(30)
    assert decode_array(built.results.save(tmp_path / "a.nc").read_bytes()).equals(backend.result.array)


def test_the_page_answers_that_a_kernel_is_there(
    studio: Studio, front_end: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(studio, "send", sent.append)
    front_end.send(studio, {"type": "hello"})
    assert sent == [{"type": "welcome"}]


def test_archives_belong_into_the_checkout(repository: Any, tmp_path: Any) -> None:
    assert find_archive_directory(repository / "notebooks") == repository / "dist" / "aws"
    assert find_archive_directory(tmp_path) == tmp_path / "dist" / "aws"


def test_a_result_gets_a_zarr_link_by_another_run(built: Studio, backend: Any, front_end: Any) -> None:
    results = built.results
    assert results.buttons["zarr"]["disabled"]
    built.pipeline.run()
    built.wait(10)
    assert "computes it once more" in results.buttons["zarr"]["note"]
    assert "run_to_zarr" not in built.as_code()
    backend.hold = threading.Event()
    front_end.press(results, "zarr")
    assert results.standing == "working" and results.buttons["zarr"]["disabled"]
    backend.hold.set()
    built.wait(10)
    assert results.zarr == "s3://bucket/output/sin.zarr"
    assert (results.standing, results.note) == ("done", "In the bucket as Zarr")
    assert results.buttons["zarr"] == {"disabled": True, "note": ""}
    assert sorted(row["title"] for row in built.pipeline.runs["rows"]) == ["SinCoords", "SinCoords, as Zarr"]
    assert backend.names().count("zarr") == 1
    assert built.as_code().rstrip().endswith("print(node.run_to_zarr(coordinates).address)")
    # Another result has its own, and the first keeps its.
    built.pipeline.run()
    built.wait(10)
    assert results.zarr == ""
    built.pipeline.run_table.show_result("run-1")
    assert results.zarr == "s3://bucket/output/sin.zarr"


def test_the_code_of_a_difference_to_an_earlier_run_runs_that_again(
    built: Studio, backend: Any, front_end: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for last in ("10", "20"):
        front_end.type(built.pipeline, "lat_last", last)
        built.pipeline.run()
        built.wait(10)
    built.results.display.compare = "result 0"
    built.wait(10)
    code = built.results.write_code()
    ran: list[Any] = []

    class Cloud:
        """The function, whose runs differ by their number."""

        function_name = "f"

        def __init__(self, source: Any = None, **_: Any) -> None:
            self.source = source

        def run(self, coordinates: Any) -> Any:
            ran.append((self.source, coordinates))
            return replace(backend.result, array=backend.result.array + 1)

    monkeypatch.chdir(tmp_path)
    exec(
        "\n".join((*code.imports, *code.lines)),
        {"plw": SimpleNamespace(Lambda=Cloud), "cloud": Cloud(), "session": None, "result": backend.result},
    )
    [(pipeline, coordinates)] = ran
    assert pipeline == built.pipeline.read_pipeline().definition
    assert coordinates["coords"][0]["stop"] == 10.0
    assert list(tmp_path.glob("*-difference.png"))


def test_what_keeps_a_zarr_link_away_is_said_where_it_was_asked_for(
    built: Studio, backend: Any, front_end: Any
) -> None:
    built.pipeline.run()
    built.wait(10)
    backend.errors["zarr"] = AccessDeniedError("s3:PutObject is denied", next_step="Ask for it.")
    front_end.press(built.results, "zarr")
    with pytest.raises(AccessDeniedError):
        built.wait(10)
    assert built.results.card["what"] == "s3:PutObject is denied"
    assert built.pipeline.card == {}
    assert built.results.zarr == "" and not built.results.buttons["zarr"]["disabled"]


def test_the_writing_of_a_zarr_array_is_cancelled_like_a_run(built: Studio, backend: Any, front_end: Any) -> None:
    built.pipeline.run()
    built.wait(10)
    backend.hold = threading.Event()
    front_end.press(built.results, "zarr")
    assert backend.running.wait(10)
    built.pipeline.cancel()
    with pytest.raises(CancelledError):
        built.wait(10)
    assert (built.results.standing, built.results.zarr) == ("ready", "")
    assert not built.results.buttons["zarr"]["disabled"]


def test_the_environment_may_say_what_runtime_to_build_for(monkeypatch: pytest.MonkeyPatch, backend: Any) -> None:
    monkeypatch.setenv("FUNCTION_RUNTIME", "python3.13")
    assert Studio(backend=backend).deploy.deployment.function_runtime == "python3.13"


def test_what_forms_are_made_of_is_asked_for_and_in_no_notebook(
    studio: Studio, front_end: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(studio, "send", lambda content, buffers=None: sent.append(content))
    front_end.send(studio, {"type": "forms"})
    [answer] = sent
    assert [each["title"] for each in answer["forms"]] == [form.title for form in studio.forms]
    assert [each["blocks"] for each in answer["forms"]] == [form.blocks for form in studio.forms]
    constant = {"title", "purpose", "icon", "blocks"}
    assert not [form for form in studio.forms if constant & set(form.get_state())]


def test_a_page_that_asked_once_knows_what_every_field_offers(
    studio: Studio, front_end: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The choices are in no saved notebook: they come with the answer, and from then on when they change."""
    known = {form: dict(form.describe()["choices"]) for form in studio.forms}
    for form in studio.forms:
        take = lambda content, buffers=None, mine=known[form]: mine.update(content.get("choices", {}))  # noqa: E731
        monkeypatch.setattr(form, "send", take)
        assert "choices" not in form.get_state()["fields"]

    def check(said: str) -> None:
        for form in studio.forms:
            offered = {name: state.get("choices", []) for name, state in form.fields.items()}
            assert {name: known[form].get(name, []) for name in offered} == offered, said

    check("as it begins")
    studio.credentials.use_embedded_aws()
    studio.wait(10)
    check("after connecting")
    for node in ("Mean", "Arithmetic"):
        front_end.type(studio.pipeline, "node:kind", node)
        check(f"with {node}")
    studio.pipeline.nodes.remove("Arithmetic")
    check("with a node less")
    studio.pipeline.nodes.policy = Policy(allow_unsafe_eval=True)
    studio.pipeline.nodes.show()
    check("with another policy")
    for dims in (("a", "b", "c"), ("a", "b")):
        studio.results.show_array(xr.DataArray(np.zeros((2,) * len(dims)), dims=dims))
        check(f"with a result of {dims}")


def test_what_a_notebook_keeps_of_a_studio_with_a_result_is_small(built: Studio, backend: Any) -> None:
    built.pipeline.run()
    built.wait(10)
    assert standing(built) == ["done"] * 5
    # As in the file, whose JSON is set out by single spaces.
    states = [each.get_state() for each in (built, *built.forms)]
    assert 5_000 < len(json.dumps(states, indent=1, default=str, ensure_ascii=False)) < 17_000
