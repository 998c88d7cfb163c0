"""A secret that was typed is used once, and asked for where it is missing."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from podpac_lambda_widgets.errors import WrongCredentialsError
from podpac_lambda_widgets.studio import Studio
from podpac_lambda_widgets.widgets.credentials_form import CredentialsForm

CANARY = "CANARY/s3cr3t+K3y/0123456789abcdefghijkl"
TOKEN = "T0KEN//canary++of-the-session-0123456789"


@pytest.fixture
def typed(studio: Studio, front_end: Any) -> CredentialsForm:
    form = studio.credentials
    front_end.type(form, "access_key_id", "AKIAIOSFODNN7EXAMPLE")
    front_end.type_secret(form, "secret_access_key", CANARY)
    front_end.type_secret(form, "session_token", TOKEN)
    return form


def test_the_backend_gets_the_secret_and_the_form_forgets_it(typed: CredentialsForm, backend: Any) -> None:
    got: list[str] = []

    def refuse(secret: Any) -> Exception:
        got.append(secret.reveal())
        return WrongCredentialsError("AWS does not know this key")

    backend.connect_error = refuse
    typed.connect()
    with pytest.raises(WrongCredentialsError):
        typed.worker.wait(10)
    assert got == [CANARY]
    assert typed.take_secret("secret_access_key") is None
    assert typed.take_secret("session_token") is None


@pytest.mark.parametrize(
    ("key", "secret", "token", "field"),
    [
        ("", CANARY, "", "access_key_id"),
        ("AKIAIOSFODNN7EXAMPLE", "", "", "secret_access_key"),
        ("ASIAIOSFODNN7EXAMPLE", CANARY, "", "session_token"),
        ("", "", TOKEN, "access_key_id"),
        ("AKIA IOSFODNN7EXAMPLE", CANARY, "", "access_key_id"),
        ("AKIAIOSFODNN7\u200bEXAMPLE", CANARY, "", "access_key_id"),
    ],
)
def test_what_is_missing_or_wrong_is_said_beside_its_field(
    studio: Studio, front_end: Any, backend: Any, key: str, secret: str, token: str, field: str
) -> None:
    form = studio.credentials
    front_end.type(form, "access_key_id", key)
    for name, value in (("secret_access_key", secret), ("session_token", token)):
        if value:
            front_end.type_secret(form, name, value)
    front_end.press(form, "connect")
    assert form.fields[field]["error"]
    assert "connect" not in backend.names()
    state = repr(form.get_state())
    assert CANARY not in state and TOKEN not in state


def test_a_connection_that_was_not_tried_keeps_the_secret(studio: Studio, typed: CredentialsForm, backend: Any) -> None:
    typed.enter("profile", "lab")
    typed.perform("connect")
    assert "either a profile or an access key" in typed.fields["access_key_id"]["error"]
    typed.enter("profile", "")
    backend.hold = threading.Event()
    typed.start("Something else", lambda task: backend.hold.wait(10), lambda value: None)
    typed.perform("connect")
    assert "still running" in typed.card["what"]
    backend.hold.set()
    studio.wait(10)
    typed.perform("connect")
    studio.wait(10)
    assert typed.standing == "done"
    assert not typed.has_secret("secret_access_key") and not typed.has_secret("session_token")
