"""The light says what AWS said, when it said so, and nothing that is remembered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from podpac_lambda_widgets.errors import AccessDeniedError
from podpac_lambda_widgets.plan.changes import Keep
from podpac_lambda_widgets.plan.description import Description
from podpac_lambda_widgets.plan.resources import LogGroup, Observed
from podpac_lambda_widgets.studio import Studio
from podpac_lambda_widgets.widgets.stack_light import describe_light

NAME = "podpac-lambda-autogen"
GROUP = LogGroup(name=f"/aws/lambda/{NAME}", retention=30, tags={})


def light(studio: Studio) -> tuple[str, str]:
    return studio.deploy.light["tone"], studio.deploy.light["text"]


def test_before_there_is_a_connection_nothing_is_known(studio: Studio) -> None:
    assert light(studio) == ("unknown", "Not connected: nothing is known of it")


def test_it_follows_what_is_built_and_deleted(ready: Studio) -> None:
    assert light(ready) == ("off", "Nothing of it is in AWS")
    ready.deploy.plan()
    ready.wait(10)
    ready.deploy.build()
    ready.wait(10)
    assert light(ready) == ("on", "In AWS: function, log group")
    ready.deploy.delete()
    ready.wait(10)
    ready.deploy.really_delete()
    ready.wait(10)
    assert light(ready) == ("off", "Nothing of it is in AWS")
    assert ready.pipeline.note == "Needs a function that is built"


def test_what_somebody_else_built_or_deleted_is_seen(ready: Studio, backend: Any, front_end: Any) -> None:
    backend.there.add((backend.who.account, NAME))
    front_end.press(ready.deploy, "look")
    ready.wait(10)
    assert light(ready)[0] == "on"
    assert ready.pipeline.note == "Ready to run"
    backend.there.clear()
    front_end.press(ready.deploy, "look")
    ready.wait(10)
    assert light(ready)[0] == "off"
    assert ready.pipeline.note == "Needs a function that is built"


def test_another_name_is_another_stack(built: Studio, front_end: Any) -> None:
    front_end.type(built.deploy, "function_name", "another")
    assert light(built) == ("unknown", "Asking AWS …")
    built.wait(10)
    assert light(built)[0] == "off"


def test_an_answer_about_another_name_is_not_shown(built: Studio, front_end: Any, backend: Any) -> None:
    front_end.type(built.deploy, "function_name", "another")
    front_end.type(built.deploy, "function_name", NAME)
    built.wait(10)
    assert light(built)[0] == "on"


def test_showing_the_form_asks_again_once_the_answer_is_old(built: Studio, backend: Any) -> None:
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    built.deploy.light_switch.now = lambda: now
    built.deploy.light_switch.look()
    built.wait(10)
    assert built.deploy.light["when"] == "read at 12:00:00 UTC"
    asked = backend.described
    built.deploy.shown()
    assert backend.described == asked
    now += timedelta(seconds=30)
    backend.there.clear()
    built.deploy.shown()
    built.wait(10)
    assert (light(built)[0], built.deploy.light["when"]) == ("off", "read at 12:00:30 UTC")


def test_a_build_that_broke_off_is_looked_at(ready: Studio, backend: Any) -> None:
    asked = backend.described
    backend.errors["build"] = AccessDeniedError("No")
    ready.deploy.plan()
    ready.wait(10)
    ready.deploy.build()
    with pytest.raises(AccessDeniedError):
        ready.wait(10)
    ready.wait(10)
    assert backend.described > asked


def test_that_aws_could_not_be_asked_is_said_and_no_card(ready: Studio, backend: Any) -> None:
    backend.errors["describe"] = AccessDeniedError("<b>You</b> may not look")
    ready.deploy.light_switch.look()
    ready.wait(10)
    assert light(ready) == ("bad", "AWS could not be asked: <b>You</b> may not look")
    assert ready.deploy.card == {}


def test_what_could_not_be_seen_is_not_said_to_be_missing(backend: Any) -> None:
    found = Description("s", backend.who, (GROUP,), (Observed(GROUP, "s"),), (Keep(GROUP, "no"),))
    assert describe_light(found) == (
        {"tone": "part", "text": "In AWS: log group. May not be looked at: log group"}, False
    )  # fmt: skip
    part = Description("s", backend.who, (GROUP,), (Observed(GROUP, "s"),))
    assert describe_light(part) == ({"tone": "part", "text": "In AWS: log group; no function"}, False)
