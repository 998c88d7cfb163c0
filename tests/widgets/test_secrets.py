"""A secret that was typed is nowhere but where it is used."""

from __future__ import annotations

import base64
import copy
import logging
import pickle
import threading
import traceback
from typing import Any
from urllib.parse import quote

import nbformat
import pytest
from ipywidgets.embed import embed_snippet
from nbclient import NotebookClient

from podpac_lambda_widgets.errors import PodpacLambdaError, WrongCredentialsError
from podpac_lambda_widgets.studio import Studio
from podpac_lambda_widgets.widgets.credentials_form import CredentialsForm

CANARY = "CANARY/s3cr3t+K3y/0123456789abcdefghijkl"
TOKEN = "T0KEN//canary++of-the-session-0123456789"


def forms_of(secret: str) -> list[str]:
    """The secret and how it might hide: encoded, backwards, in pieces."""
    pieces = [secret[i : i + 8] for i in range(0, len(secret) - 7, 8)]
    return [secret, base64.b64encode(secret.encode()).decode(), quote(secret, safe=""), secret[::-1], *pieces]


NEEDLES = forms_of(CANARY) + forms_of(TOKEN)


def hits(text: str) -> list[str]:
    return [needle for needle in NEEDLES if needle in text]


@pytest.fixture
def typed(studio: Studio, front_end: Any) -> CredentialsForm:
    form = studio.credentials
    front_end.type(form, "access_key_id", "AKIAIOSFODNN7EXAMPLE")
    front_end.type_secret(form, "secret_access_key", CANARY)
    front_end.type_secret(form, "session_token", TOKEN)
    return form


def test_the_search_finds_what_it_looks_for() -> None:
    assert hits(f"x{CANARY}y")
    assert hits(base64.b64encode(CANARY.encode()).decode())
    assert not hits("nothing")


def test_a_typed_secret_is_in_no_state_and_no_repr(studio: Studio, typed: CredentialsForm) -> None:
    seen = [typed.get_state(), vars(typed), typed.trait_values(), repr(typed), repr(studio), studio.get_state()]
    assert not hits(repr(seen))
    assert not hits(embed_snippet(views=[studio]))
    assert typed.fields["secret_access_key"]["value"] == ""
    assert typed.fields["secret_access_key"]["note"]


@pytest.mark.parametrize("copier", [pickle.dumps, copy.deepcopy])
def test_a_typed_secret_cannot_be_copied_out(typed: CredentialsForm, copier: Any) -> None:
    try:
        found = repr(copier(typed))
    except (TypeError, AttributeError, pickle.PicklingError, RuntimeError) as error:
        found = str(error)
    assert not hits(found)


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


def test_an_error_that_carries_the_secret_is_shown_without_it(typed: CredentialsForm, backend: Any) -> None:
    backend.connect_error = lambda secret: RuntimeError(f"bad key {secret.reveal()!r}")
    typed.connect()
    with pytest.raises(PodpacLambdaError) as caught:
        typed.worker.wait(10)
    assert "********" in typed.card["why"]
    assert not hits(repr(typed.get_state()))
    assert not hits("".join(traceback.format_exception(caught.value)))


def test_a_typed_error_that_carries_the_secret_is_shown_without_it(typed: CredentialsForm, backend: Any) -> None:
    backend.connect_error = lambda secret: WrongCredentialsError("No", why=f"SignatureDoesNotMatch {secret.reveal()}")
    typed.connect()
    with pytest.raises(WrongCredentialsError) as caught:
        typed.worker.wait(10)
    assert not hits(repr(typed.get_state()) + str(caught.value) + repr(caught.value.args))


def test_logs_at_debug_do_not_have_it(studio: Studio, front_end: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    front_end.type_secret(studio.credentials, "secret_access_key", CANARY)
    front_end.type(studio.credentials, "access_key_id", "AKIAIOSFODNN7EXAMPLE")
    studio.credentials.connect()
    studio.wait(10)
    assert not hits(caplog.text)


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
    assert not hits(repr(form.get_state()))


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


_NOTEBOOK = f"""
import base64, sys
from podpac_lambda_widgets import Studio
studio = Studio()
studio.wait(60)
secret = base64.b64decode({base64.b64encode(CANARY[::-1].encode()).decode()!r})[::-1]
message = {{"method": "custom", "content": {{"type": "secret", "name": "secret_access_key"}}}}
studio.credentials._handle_msg({{"content": {{"data": message}}, "buffers": [memoryview(secret)]}})
del secret
studio
"""


def test_a_saved_notebook_with_widget_state_does_not_have_it(tmp_path: Any) -> None:
    # The cell itself holds the canary backwards and encoded, once; so only the outputs and the state are searched.
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(_NOTEBOOK),
            nbformat.v4.new_code_cell("%xmode Verbose\nstudio.credentials.enter('no such field', 1)"),
        ]
    )
    client = NotebookClient(
        notebook, kernel_name="python3", allow_errors=True, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    outputs = repr([cell.outputs for cell in notebook.cells])
    state = repr(notebook.metadata.widgets)
    assert "KeyError" in outputs
    assert "secret_access_key" in state
    assert not hits(outputs)
    assert not hits(state)
