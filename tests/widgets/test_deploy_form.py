"""The Deploy form: what is folded, what is asked before results are lost, what is said of a plan and of a denial."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpac_lambda_widgets.errors import (
    AccessDeniedError,
    DeployError,
    EndpointUnreachableError,
    InvalidValueError,
    PermissionsMissingError,
    StackBusyError,
)
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.plan.changes import Create, Delete, Keep, Plan
from podpac_lambda_widgets.plan.difference import plan_build
from podpac_lambda_widgets.plan.resources import Bucket, BucketContents, Function, LogGroup, StoredObject
from podpac_lambda_widgets.studio import Studio
from podpac_lambda_widgets.widgets.deploy_fields import TRAITS
from podpac_lambda_widgets.widgets.fields import inner_blocks, read_input, write_value

GROUP = LogGroup(name="/aws/lambda/x", retention=30, tags={})
NAME = "podpac-lambda-autogen"


def bucket_with(results: int) -> Bucket:
    return Bucket(
        name="podpac-x",
        region="eu-west-1",
        tags={},
        public_access_blocked=True,
        policy={},
        own_objects=results + 2,
        results=results,
    )


def losing(results: int) -> Plan:
    return Plan(NAME, "delete", (Delete(bucket_with(results)), Delete(GROUP)))


@pytest.fixture
def asked(built: Studio, backend: Any, front_end: Any) -> Studio:
    """A Studio that asks whether three results may be lost."""
    backend.planned_delete = losing(3)
    front_end.press(built.deploy, "delete")
    built.wait(10)
    return built


# Before results are lost


def test_losing_results_asks_for_the_functions_name(asked: Studio, backend: Any, front_end: Any) -> None:
    assert "3 results are in its bucket and nowhere else" in asked.deploy.question
    assert not asked.deploy.fields["confirmation"]["hidden"]
    front_end.type(asked.deploy, "confirmation", NAME)
    front_end.press(asked.deploy, "really_delete")
    asked.wait(10)
    assert backend.asked[-1] == ("delete", NAME)


def test_what_others_stored_in_the_bucket_is_told_and_takes_the_functions_name_too(
    built: Studio, backend: Any, front_end: Any
) -> None:
    contents, kept = BucketContents(name="podpac-x"), replace(bucket_with(0), foreign_objects=2)
    backend.planned_delete = Plan(NAME, "delete", (Delete(GROUP), Delete(contents), Keep(kept, "holds 2 objects")))
    front_end.press(built.deploy, "delete")
    built.wait(10)
    assert "2 objects that somebody else has stored there" in built.deploy.question
    assert not built.deploy.fields["confirmation"]["hidden"]
    front_end.type(built.deploy, "confirmation", NAME)
    front_end.press(built.deploy, "really_delete")
    built.wait(10)
    assert backend.asked[-1] == ("delete", NAME)


@pytest.mark.parametrize("typed", ["", "podpac-lambda", NAME.upper(), "True"])
def test_another_name_deletes_nothing_and_says_so_beside_the_field(
    asked: Studio, backend: Any, front_end: Any, typed: str
) -> None:
    front_end.type(asked.deploy, "confirmation", typed)
    front_end.press(asked.deploy, "really_delete")
    asked.wait(10)
    assert "delete" not in backend.names()
    assert NAME in asked.deploy.fields["confirmation"]["error"]
    assert asked.deploy.question and asked.deploy.card == {}
    front_end.type(asked.deploy, "confirmation", f" {NAME} ")
    assert asked.deploy.fields["confirmation"]["error"] == ""
    front_end.press(asked.deploy, "really_delete")
    asked.wait(10)
    assert backend.names()[-1] == "delete"


def test_where_nothing_is_lost_no_name_is_asked_for(built: Studio, backend: Any) -> None:
    built.deploy.delete()
    built.wait(10)
    assert built.deploy.fields["confirmation"]["hidden"]
    built.deploy.really_delete()
    built.wait(10)
    assert backend.asked[-1] == ("delete", True)


def test_a_result_that_comes_after_the_question_is_asked_about_too(built: Studio, backend: Any) -> None:
    backend.planned_delete = losing(0)
    built.deploy.delete()
    built.wait(10)
    backend.planned_delete = losing(1)
    built.deploy.really_delete()
    built.wait(10)
    assert "delete" not in backend.names()
    assert "1 result is in its bucket" in built.deploy.question
    assert not built.deploy.fields["confirmation"]["hidden"]
    assert "Nothing was done" in built.deploy.card["what"]


def test_what_was_typed_for_one_question_does_not_answer_the_next(asked: Studio, backend: Any, front_end: Any) -> None:
    front_end.type(asked.deploy, "confirmation", NAME)
    asked.deploy.keep()
    asked.deploy.delete()
    asked.wait(10)
    assert asked.deploy.fields["confirmation"]["value"] == ""
    with pytest.raises(InvalidValueError, match="not the function's name"):
        asked.deploy.really_delete()
    assert "delete" not in backend.names()


# What the wish says


@pytest.mark.parametrize("name", TRAITS)
def test_every_field_is_drawn_once_and_shows_its_trait(studio: Studio, name: str) -> None:
    drawn = [item["name"] for block in inner_blocks(studio.deploy.blocks) for item in block.get("fields", ())]
    assert drawn.count(name) == 1
    assert studio.deploy.fields[name]["value"] == write_value(getattr(studio.deploy.deployment, name))


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("function_triggers", ["eval", "S3"], ("eval", "S3")),
        ("function_triggers", [], ()),
        ("function_reserved_concurrency", " 5 ", 5),
        ("function_reserved_concurrency", "", None),
        ("function_ephemeral_storage", "1024", 1024),
        ("function_s3_output_expiration", "0", 0),
        ("function_log_retention", "365", 365),
        ("function_budget_amount", "7.50", 7.5),
        ("function_budget_amount", " ", None),
        ("function_budget_currency", "EUR", "EUR"),
        ("function_budget_email", "ada@example.org", "ada@example.org"),
        ("function_tags", "project = soil\n\nterm=a=b\nempty=", {"project": "soil", "term": "a=b", "empty": ""}),
    ],
)  # fmt: skip
def test_what_is_typed_into_the_folded_part_reaches_the_model(
    studio: Studio, front_end: Any, name: str, typed: Any, value: Any
) -> None:
    front_end.type(studio.deploy, name, typed)
    assert getattr(studio.deploy.deployment, name) == value
    assert studio.deploy.fields[name]["error"] == ""
    assert studio.deploy.fields[name]["value"] == write_value(value)


@pytest.mark.parametrize(
    ("name", "typed", "reason"),
    [
        ("function_triggers", ["eval", "telepathy"], "one of eval, S3"),
        ("function_triggers", "S3", "a list"),
        ("function_public_endpoint", "yes", "boolean"),
        ("function_reserved_concurrency", "-1", "from 0"),
        ("function_reserved_concurrency", "a few", "not 'a few'"),
        ("function_ephemeral_storage", "", "from 512"),
        ("function_log_retention", "31", "one of 1"),
        ("function_budget_amount", "0", "above zero"),
        ("function_budget_amount", "inf", "above zero"),
        ("function_budget_currency", "", "hree capital letters"),
        ("function_budget_email", "ada", "you@example.org"),
        ("function_s3_input", "output/in", "overlap"),
        ("function_tags", "project", "Line 1 has no ="),
        ("function_tags", "a=1\n a =2", "Line 2 has the key 'a' again"),
        ("function_tags", "aws:x=1", "is reserved"),
        ("function_tags", "=1", "must have 1 to"),
    ],
)
def test_what_the_folded_part_cannot_use_stays_with_its_reason(
    studio: Studio, front_end: Any, name: str, typed: Any, reason: str
) -> None:
    before = getattr(studio.deploy.deployment, name)
    front_end.type(studio.deploy, name, typed)
    assert reason in studio.deploy.fields[name]["error"]
    assert studio.deploy.fields[name]["value"] == typed
    assert getattr(studio.deploy.deployment, name) == before


_WORDS = st.text("aZ9é_.:/=+-@", max_size=20)


@given(st.dictionaries(_WORDS.filter(lambda key: key and not key.lower().startswith("aws:")), _WORDS, max_size=5))
def test_tags_come_back_from_their_field_as_they_were(tags: dict[str, str]) -> None:
    assert read_input(Deployment.function_tags, write_value(tags)) == tags


def test_a_trait_of_the_folded_part_set_in_code_moves_the_form(studio: Studio) -> None:
    wish = studio.deploy.deployment
    wish.function_triggers = ("URL",)
    wish.function_tags = {"a=b": "c", "d": "e"}
    wish.function_budget_amount = 25
    assert studio.deploy.fields["function_triggers"]["value"] == ["URL"]
    assert studio.deploy.fields["function_tags"]["value"] == "a\\=b=c\nd=e"
    assert studio.deploy.fields["function_budget_amount"]["value"] == "25"


def test_a_direct_call_cannot_be_taken_away_in_the_form(studio: Studio) -> None:
    fields = {item["name"]: item for block in inner_blocks(studio.deploy.blocks) for item in block.get("fields", ())}
    assert fields["function_triggers"]["always"] == ["eval"]
    assert ["eval", "Direct call (always on)"] in studio.deploy.fields["function_triggers"]["choices"]


def test_public_is_only_offered_with_an_endpoint_and_warned_of(studio: Studio, front_end: Any) -> None:
    def public() -> tuple[bool, bool, bool]:
        field = studio.deploy.fields["function_public_endpoint"]
        return field["disabled"], field["value"], "you pay for it" in field["warning"]

    assert public() == (True, False, False)
    for endpoint in ("APIGateway", "URL"):
        front_end.type(studio.deploy, "function_triggers", ["eval", endpoint])
        assert public() == (False, False, False)
        front_end.type(studio.deploy, "function_public_endpoint", True)
        assert public() == (False, True, True)
        front_end.type(studio.deploy, "function_triggers", ["eval"])
        assert public() == (True, False, False)
    assert studio.deploy.deployment.function_public_endpoint is False


def test_code_may_wish_in_any_order(studio: Studio) -> None:
    wish = studio.deploy.deployment
    wish.function_public_endpoint = True
    wish.function_triggers = ("eval", "URL")
    assert wish.function_public_endpoint
    assert studio.deploy.fields["function_public_endpoint"]["warning"]


def test_the_input_folder_is_shown_with_the_s3_trigger(studio: Studio, front_end: Any) -> None:
    assert studio.deploy.fields["function_s3_input"]["hidden"]
    front_end.type(studio.deploy, "function_triggers", ["eval", "S3"])
    assert not studio.deploy.fields["function_s3_input"]["hidden"]


def test_the_folded_part_says_what_it_holds(studio: Studio) -> None:
    assert studio.deploy.folded["more"] == "Direct call · no budget · results kept 90 days"
    wish = studio.deploy.deployment
    wish.function_triggers = ("S3", "URL")
    wish.function_public_endpoint = True
    wish.function_budget_amount = 7.5
    wish.function_s3_output_expiration = 0
    said = "Direct call, objects in S3, own URL · public · budget 7.5 USD · results kept"
    assert studio.deploy.folded["more"] == said


# What is said of a plan


def test_under_the_plan_are_its_idle_cost_and_its_calls(ready: Studio, backend: Any) -> None:
    archive = StoredObject(name="b/k", bucket="b", key="k", sha256="0" * 64, size=100_000_000)
    plan = Plan("x", "build", (Create(archive), Create(GROUP)))
    backend.planned = plan
    ready.deploy.plan()
    ready.wait(10)
    table = ready.deploy.table
    assert table["remark"] == str(plan.idle_cost)
    assert "100 MB in S3" in table["remark"]
    assert table["calls"]["summary"] == f"{len(plan.calls)} AWS calls that write"
    lines = table["calls"]["lines"]
    assert [f"s3.UploadPart × {sum(call.operation == 's3.UploadPart' for call in plan.calls)}", str(archive)] in lines
    assert not [line for line in lines if line[0].startswith("lock.")]


def test_a_plan_to_delete_costs_nothing_and_one_with_nothing_to_do_calls_nothing(built: Studio, backend: Any) -> None:
    built.deploy.delete()
    built.wait(10)
    assert built.deploy.table["remark"] == ""
    backend.planned = Plan("x", "build", (Keep(GROUP),))
    built.deploy.plan()
    built.wait(10)
    assert built.deploy.table["calls"] == {}


def test_contents_of_an_adopted_bucket_are_results_too(built: Studio, backend: Any) -> None:
    contents = BucketContents(name="mine", **{"results": 2, "own_objects": 2, "own_prefixes": ("output/",)})
    backend.planned_delete = Plan("x", "delete", (Delete(contents),))
    built.deploy.delete()
    built.wait(10)
    assert "2 results are" in built.deploy.question


# What is not permitted

MISSING = [f"iam:{name} on arn:aws:iam::123456789012:role/x" for name in ("CreateRole", "TagRole", "PassRole", "Put")]


@pytest.mark.parametrize(
    ("step", "purpose"), [("plan", "deploy"), ("build", "deploy"), ("plan_delete", "destroy"), ("delete", "destroy")]
)
def test_a_denial_comes_with_the_policy_to_ask_for(
    ready: Studio, backend: Any, front_end: Any, step: str, purpose: str
) -> None:
    presses = {"plan": ["plan"], "build": ["plan", "build"]}.get(step) or ["delete", "really_delete"][
        : 1 + (step == "delete")
    ]
    backend.errors[step] = PermissionsMissingError(
        "4 permissions are missing", missing=MISSING, why="; ".join(MISSING), next_step="Send policy_for('deploy')"
    )
    for press in presses[:-1]:
        front_end.press(ready.deploy, press)
        ready.wait(10)
    front_end.press(ready.deploy, presses[-1])
    with pytest.raises(PermissionsMissingError):
        ready.wait(10)
    card = ready.deploy.card
    assert card["why"] == "iam:CreateRole, iam:TagRole, iam:PassRole and 1 more"
    assert card["details"].splitlines()[:4] == MISSING
    assert card["next_step"].startswith("Send the policy below")
    assert json.loads(card["copy"]["text"])["Statement"] == [{"Sid": purpose}]


def test_a_denial_on_the_way_comes_with_the_policy_too(ready: Studio, backend: Any) -> None:
    stopped = DeployError("Build stopped", failed="create role x", taken_back=["log group y"])
    stopped.__cause__ = AccessDeniedError("Denied", action="iam:CreateRole")
    ready.deploy.plan()
    ready.wait(10)
    backend.errors["build"] = stopped
    ready.deploy.build()
    with pytest.raises(DeployError):
        ready.wait(10)
    assert "Taken back: log group y" in ready.deploy.card["details"]
    assert "deploy" in ready.deploy.card["copy"]["text"]


def test_without_the_policy_the_denial_is_shown_as_it_is(ready: Studio, backend: Any) -> None:
    backend.errors |= {
        "plan": AccessDeniedError("You may not read this", next_step="Ask for it."),
        "policy_for": EndpointUnreachableError("AWS could not be reached"),
    }
    ready.deploy.plan()
    with pytest.raises(AccessDeniedError):
        ready.wait(10)
    assert (ready.deploy.card["what"], ready.deploy.card["next_step"]) == ("You may not read this", "Ask for it.")
    assert "copy" not in ready.deploy.card


def test_the_policy_of_one_denial_is_not_shown_with_the_next_error(ready: Studio, backend: Any) -> None:
    backend.errors["plan"] = AccessDeniedError("You may not read this")
    ready.deploy.plan()
    with pytest.raises(AccessDeniedError):
        ready.wait(10)
    backend.errors["plan"] = StackBusyError("Somebody else is building", next_step="Wait.")
    ready.deploy.plan()
    with pytest.raises(StackBusyError):
        ready.wait(10)
    assert (ready.deploy.card["what"], "copy" in ready.deploy.card) == ("Somebody else is building", False)


@pytest.mark.parametrize("embedded", [False, True])
def test_what_holds_for_aws_alone_is_not_said_of_the_embedded_one(studio: Studio, backend: Any, embedded: bool) -> None:
    function = Function(
        name="f", role="r", runtime="python3.11", architecture="x86_64", handler="handler.handler", description="",
        memory=2048, timeout=600, storage=512, environment={}, tags={}, code_sha256="",
    )  # fmt: skip
    [cautioned] = plan_build("f@us-east-1", [(function, None)]).changes
    caution = cautioned.note
    assert "python3.12 or later" in caution
    backend.planned = Plan("f", "build", (cautioned, Create(LogGroup(name="g", retention=30, tags={}), "stays")))
    (studio.credentials.use_embedded_aws if embedded else studio.credentials.connect)()
    studio.wait(10)
    studio.deploy.plan()
    studio.wait(10)
    details = [row["cells"][-1] for row in studio.deploy.table["rows"]]
    assert details == [[] if embedded else [caution], ["stays"]]
