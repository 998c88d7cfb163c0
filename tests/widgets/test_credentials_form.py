"""The Connect form: root keys, how long credentials last, and going on when they have ended."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from podpac_lambda_widgets.errors import (
    DeployError,
    EndpointUnreachableError,
    ExpiredCredentialsError,
    InvalidValueError,
    NoCredentialsError,
)
from podpac_lambda_widgets.studio import Studio

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def noon(studio: Studio) -> None:
    studio.credentials.now = lambda: NOON


def connect(studio: Studio) -> None:
    studio.credentials.connect()
    studio.wait(10)


def credentials_fact(studio: Studio) -> str:
    [value] = [value for term, value in studio.credentials.facts if term == "Credentials"]
    return str(value)


# Root keys


@pytest.fixture
def root(studio: Studio, backend: Any) -> Studio:
    """A Studio that was given root keys."""
    arn = "arn:aws:iam::123456789012:root"
    backend.who = replace(backend.who, arn=arn, is_root=True)
    connect(studio)
    return studio


def test_root_keys_are_asked_about_before_they_are_used(root: Studio, front_end: Any, backend: Any) -> None:
    form = root.credentials
    assert form.question.startswith("These are the account's root keys")
    assert (form.connection, form.facts) == (None, [])
    with pytest.raises(NoCredentialsError):
        root.deploy.plan()
    front_end.press(form, "use_root_keys")
    root.wait(10)
    assert (form.standing, form.question) == ("done", "")
    assert form.connection.identity.is_root
    root.deploy.plan()
    root.wait(10)
    assert backend.names()[-1] == "plan"


def test_root_keys_may_be_left(root: Studio, front_end: Any, backend: Any) -> None:
    front_end.press(root.credentials, "leave_root_keys")
    root.wait(10)
    assert (root.credentials.question, root.credentials.connection) == ("", None)
    assert root.credentials.note == "Not connected"
    assert backend.closed == ["aws"]
    with pytest.raises(InvalidValueError, match="no root keys"):
        root.credentials.use_root_keys()


def test_connecting_otherwise_leaves_root_keys(root: Studio, backend: Any) -> None:
    root.credentials.use_embedded_aws()
    root.wait(10)
    assert root.credentials.question == ""
    assert root.credentials.connection.embedded
    assert backend.closed == ["aws"]


def test_who_leaves_root_keys_stays_where_they_were(ready: Studio, backend: Any) -> None:
    before = ready.credentials.connection
    backend.who = replace(backend.who, is_root=True)
    connect(ready)
    assert ready.credentials.connection is before
    ready.credentials.leave_root_keys()
    ready.wait(10)
    assert ready.credentials.note == "Connected to the embedded AWS, eu-west-1"


# How long they last


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (None, "No known end"),
        (timedelta(seconds=40), "Expire in less than 1 min, at 12:00 UTC"),
        (timedelta(minutes=43, seconds=59), "Expire in 43 min, at 12:43 UTC"),
        (timedelta(hours=11, minutes=30), "Expire in 11 h 30 min, on 2026-11-24 23:30 UTC"),
        (timedelta(days=3), "Expire in 3 days, on 2026-11-27 12:00 UTC"),
        (timedelta(seconds=-1), "Expired"),
    ],
)
def test_how_long_credentials_last_is_said(studio: Studio, backend: Any, left: timedelta | None, said: str) -> None:
    backend.who = replace(backend.who, expires=None if left is None else NOON + left)
    connect(studio)
    assert credentials_fact(studio) == said


@pytest.fixture
def lasting(studio: Studio, backend: Any) -> Studio:
    """A Studio that is connected for an hour."""
    backend.who = replace(backend.who, expires=NOON + timedelta(hours=1))
    connect(studio)
    return studio


def test_the_time_left_is_said_anew_when_the_page_is_shown(lasting: Studio, backend: Any, front_end: Any) -> None:
    lasting.credentials.now = lambda: NOON + timedelta(minutes=17)
    front_end.send(lasting, {"type": "hello"})
    lasting.wait(10)
    assert credentials_fact(lasting) == "Expire in 43 min, at 13:00 UTC"
    assert not any(form.locked for form in lasting.forms)


def test_credentials_that_renew_themselves_last_longer(lasting: Studio, backend: Any) -> None:
    lasting.credentials.now = lambda: NOON + timedelta(hours=2)
    backend.who = replace(backend.who, expires=NOON + timedelta(hours=3))
    lasting.credentials.shown()
    lasting.wait(10)
    assert credentials_fact(lasting) == "Expire in 60 min, at 15:00 UTC"
    assert lasting.credentials.standing == "done"


def test_credentials_that_have_ended_are_said_to_have_and_renewed_ones_to_be_good_again(
    lasting: Studio, backend: Any
) -> None:
    backend.errors["identity"] = ExpiredCredentialsError("Expired")
    lasting.credentials.shown()
    lasting.wait(10)
    assert credentials_fact(lasting) == "Expired"
    assert lasting.credentials.note == "The credentials have expired: connect again"
    del backend.errors["identity"]
    lasting.credentials.shown()
    lasting.wait(10)
    assert credentials_fact(lasting).startswith("Expire in 60 min")
    assert lasting.credentials.standing == "done"


def test_without_a_network_what_is_known_is_said(lasting: Studio, backend: Any) -> None:
    backend.errors["identity"] = EndpointUnreachableError("No network")
    lasting.credentials.now = lambda: NOON + timedelta(minutes=30)
    lasting.credentials.shown()
    lasting.wait(10)
    assert credentials_fact(lasting).startswith("Expire in 30 min")
    assert lasting.credentials.card == {}


def test_many_looks_at_the_page_ask_once(lasting: Studio, backend: Any, front_end: Any) -> None:
    before = backend.names().count("identity")
    for _ in range(5):
        front_end.send(lasting, {"type": "hello"})
    lasting.wait(10)
    assert backend.names().count("identity") == before + 1


def test_where_no_end_is_known_nobody_is_asked(ready: Studio, backend: Any, front_end: Any) -> None:
    front_end.send(ready, {"type": "hello"})
    ready.wait(10)
    assert "identity" not in backend.names()


# Going on when they have ended


@pytest.mark.parametrize(
    ("step", "form", "presses"),
    [("plan", "deploy", ["plan"]), ("build", "deploy", ["plan", "build"]), ("run", "pipeline", ["run"])],
)
@pytest.mark.parametrize("on_the_way", [False, True])
def test_credentials_that_end_during_work_are_replaced_without_losing_anything(
    studio: Studio, backend: Any, front_end: Any, step: str, form: str, presses: list[str], on_the_way: bool
) -> None:
    connect(studio)
    studio.source.build_archives()
    studio.wait(10)
    front_end.type(studio.deploy, "function_name", "soil")
    front_end.type(studio.deploy, "function_tags", "project=soil")
    wish = studio.deploy.deployment
    expired = ExpiredCredentialsError("The security token has expired", next_step="Enter a new key.")
    if on_the_way:
        stopped = DeployError("It stopped: the security token has expired", next_step="Enter a new key.")
        stopped.__cause__ = expired
    backend.errors[step] = stopped if on_the_way else expired
    for press in presses:
        front_end.press(getattr(studio, form), press)
        with pytest.raises((ExpiredCredentialsError, DeployError)) if press == step else nullcontext():
            studio.wait(10)
    assert getattr(studio, form).card["next_step"] == "Enter a new key."
    assert (studio.credentials.standing, credentials_fact(studio)) == ("failed", "Expired")
    assert "connect again" in studio.credentials.note

    del backend.errors[step]
    connect(studio)
    assert (studio.credentials.standing, getattr(studio, form).card) == ("done", {})
    assert studio.deploy.deployment is wish
    assert (wish.function_name, wish.function_tags) == ("soil", {"project": "soil"})
    for press in presses:
        front_end.press(getattr(studio, form), press)
        studio.wait(30)
    assert backend.names()[-1] == step


@pytest.mark.parametrize(
    ("asks", "form", "press"), [("describe", "deploy", "look"), ("capacity", "pipeline", "refresh")]
)
def test_credentials_that_end_while_somebody_only_looks_are_asked_for_again(
    studio: Studio, backend: Any, front_end: Any, asks: str, form: str, press: str
) -> None:
    connect(studio)
    backend.errors[asks] = ExpiredCredentialsError("The security token has expired")
    front_end.press(getattr(studio, form), press)
    studio.wait(10)
    assert (studio.credentials.standing, credentials_fact(studio)) == ("failed", "Expired")
    del backend.errors[asks]
    connect(studio)
    assert studio.credentials.standing == "done"


def test_new_credentials_for_the_same_account_leave_what_was_built_ready_to_run(studio: Studio, backend: Any) -> None:
    connect(studio)
    studio.deploy.plan()
    studio.wait(10)
    studio.deploy.build()
    studio.wait(10)
    connect(studio)
    assert studio.pipeline.note == "Ready to run"
    backend.who = replace(backend.who, account="210987654321")
    connect(studio)
    assert studio.pipeline.note == "Needs a function that is built"


def test_what_may_not_be_done_is_said_by_name_with_the_policy_to_ask_for(studio: Studio, backend: Any) -> None:
    backend.missing = ("iam:CreateRole on arn:<b>x</b>", "iam:TagRole on arn:x")
    connect(studio)
    form = studio.credentials
    assert form.standing == "done"
    assert ["Permissions", "2 missing for deploying"] in form.facts
    assert form.card["what"] == "2 permissions to deploy are missing"
    assert form.card["why"] == "iam:CreateRole, iam:TagRole"
    assert "iam:CreateRole on arn:<b>x</b>" in form.card["details"]
    assert '"Sid": "deploy"' in form.card["copy"]["text"]
    backend.missing = ()
    connect(studio)
    assert ["Permissions", "All that deploying takes"] in form.facts
    assert form.card == {}
    backend.missing = None
    connect(studio)
    assert ["Permissions", "AWS does not let us ask: building will tell"] in form.facts
    backend.errors["missing_for"] = EndpointUnreachableError("Asking IAM failed: AWS could not be reached")
    connect(studio)
    assert ["Permissions", "Could not be asked: Asking IAM failed: AWS could not be reached"] in form.facts
    assert (form.standing, form.card) == ("done", {})


def test_another_wish_asks_for_other_permissions(studio: Studio, backend: Any, front_end: Any) -> None:
    studio.deploy.deployment.function_name = "before"
    studio.wait(10)
    assert backend.permissions_of == []
    backend.missing = ("iam:CreateRole on arn:x",)
    connect(studio)
    form = studio.credentials
    assert form.card["what"] == "1 permission to deploy is missing"
    backend.missing = ("iam:CreateRole on arn:x", "lambda:CreateFunctionUrlConfig on arn:y")
    front_end.type(studio.deploy, "function_name", "soil")
    studio.wait(10)
    assert backend.permissions_of == ["before", "soil"]
    assert form.card["what"] == "2 permissions to deploy are missing"
    backend.missing = ()
    studio.source.source.function_source_bucket = "my-archives"
    studio.wait(10)
    assert ["Permissions", "All that deploying takes"] in form.facts
    assert form.card == {}


def test_a_wish_that_changes_while_aws_is_asked_is_asked_about_once_more(
    studio: Studio, backend: Any, front_end: Any
) -> None:
    connect(studio)
    backend.permissions_of.clear()
    backend.hold_permissions = threading.Event()
    backend.running.clear()
    front_end.type(studio.deploy, "function_name", "one")
    assert backend.running.wait(10)
    # Nobody waits for the answer.
    for name in ("two", "three", "four"):
        front_end.type(studio.deploy, "function_name", name)
    backend.missing = ("iam:CreateRole on arn:x",)
    backend.hold_permissions.set()
    studio.wait(10)
    assert backend.permissions_of == ["one", "four"]
    assert ["Permissions", "1 missing for deploying"] in studio.credentials.facts


def test_what_else_the_form_tells_stays(studio: Studio, backend: Any) -> None:
    connect(studio)
    card = {"tone": "error", "what": "Something else"}
    studio.credentials.card = card
    backend.missing = ("iam:CreateRole on arn:x",)
    studio.deploy.deployment.function_name = "soil"
    studio.wait(10)
    assert studio.credentials.card == card


def test_the_page_knows_when_to_count_down_to(studio: Studio, backend: Any, front_end: Any) -> None:
    studio.credentials.now = lambda: datetime.now(UTC)
    ends = datetime.now(UTC) + timedelta(minutes=30)
    backend.who = replace(backend.who, expires=ends)
    connect(studio)
    assert studio.credentials.expires == pytest.approx(ends.timestamp() * 1000)
    backend.who = replace(backend.who, expires=datetime.now(UTC) - timedelta(minutes=1))
    # The page sends it when its count is at an end: only AWS knows whether they have been renewed.
    front_end.press(studio.credentials, "expired")
    studio.wait(10)
    assert studio.credentials.expires == 0
    assert ["Credentials", "Expired"] in studio.credentials.facts
