"""Bad input, typed where a person types it: the field keeps it and says why, the model stays as it was."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from podpac_lambda_widgets.errors import ExpiredCredentialsError, InvalidValueError, PodpacLambdaError
from podpac_lambda_widgets.studio import Studio
from podpac_lambda_widgets.studio.behind import Aws

KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
MARKUP = "<script>alert(1)</script>"

REFUSED = [
    *(("credentials", "access_key_id", f"AKIA{inner}IOSFODNN7EXAMPLE") for inner in (" ", "\n", "\u200b", "\t")),
    *(
        ("deploy", "function_s3_bucket", name)
        for name in (
            "My_Bucket", "ab", "a" * 64, "a..b", "192.168.0.1", "xn--x", "x-s3alias", "bucket-", MARKUP,
        )
    ),
    *(
        ("deploy", "function_name", name)
        for name in ("x" * 65, "a/b", "arn:aws:lambda:us-east-1:999999999999:function:soil", MARKUP)
    ),
    *(("deploy", "function_role_name", name) for name in ("x" * 65, "rôle", MARKUP)),
    *(
        ("deploy", "function_memory", size)
        for size in ("127", "10241", "32768", "1769.5", "2 GB", "NaN", "-1", "1e400", "", MARKUP)
    ),
    *(("deploy", "function_timeout", time) for time in ("0", "901", "5400", "inf")),
    ("deploy", "function_tags", "\n".join(f"key{number}=x" for number in range(51))),
    *(
        ("deploy", "function_tags", tag)
        for tag in ("aws:x=1", "AWS:x=1", f"{'k' * 129}=1", f"k={'v' * 257}", "x", MARKUP)
    ),
    *(("deploy", "function_budget_amount", sum_) for sum_ in ("0", "-5", "1e400", "1,000", "NaN", MARKUP)),
    *(("deploy", "function_budget_email", mail) for mail in ("me@", "a b@c.d", f"{MARKUP}@c.d")),
    ("deploy", "function_log_retention", "2"),
    *(("deploy", "function_s3_input", folder) for folder in ("output", "output/in", "", "/", "a/../b", "archives/x")),
    ("deploy", "function_triggers", ["SQS"]),
    ("source", "function_source_bucket", "My_Bucket"),
    ("source", "function_source_dist_key", "/a.zip"),
    ("source", "function_source_dist_key", "a/../b.zip"),
]  # fmt: skip


@pytest.mark.parametrize(("form_name", "field", "typed"), REFUSED, ids=lambda item: repr(item)[:40])
def test_what_cannot_be_is_kept_in_its_field_with_the_reason(
    studio: Studio, front_end: Any, form_name: str, field: str, typed: Any
) -> None:
    form = getattr(studio, form_name)
    model = form._models[field]
    before = getattr(model, field)
    front_end.send(form, {"type": "input", "name": field, "value": typed})
    shown = form.fields[field]
    assert shown["value"] == typed
    assert len(shown["error"]) > 10
    assert getattr(model, field) == before
    assert form.problems == [field]
    with pytest.raises(InvalidValueError):
        form.check_fields()


def test_a_key_is_trimmed_at_its_edges(studio: Studio, front_end: Any) -> None:
    front_end.type(studio.credentials, "access_key_id", f"\t {KEY}\n")
    assert studio.credentials.credentials.access_key_id == KEY


@pytest.mark.parametrize(
    ("fields", "secret", "token", "where"),
    [
        ({"access_key_id": "ASIAIOSFODNN7EXAMPLE"}, SECRET, "", "session_token"),
        ({"access_key_id": KEY}, "", "", "secret_access_key"),
        ({"access_key_id": KEY}, f"{SECRET[:9]}\u200b{SECRET[9:]}", "", "secret_access_key"),
        ({"access_key_id": KEY, "profile": "lab"}, SECRET, "", "access_key_id"),
        ({"access_key_id": KEY, "region": "us-east-1a"}, SECRET, "", "region"),
        ({"access_key_id": KEY, "region": "useast1"}, SECRET, "", "region"),
        ({"access_key_id": KEY, "region": "aws-global"}, SECRET, "", "region"),
        ({"access_key_id": KEY, "region": ""}, SECRET, "", "region"),
    ],
)
def test_a_way_in_that_cannot_be_is_refused_beside_its_field_and_without_the_network(
    studio: Studio,
    backend: Any,
    monkeypatch: pytest.MonkeyPatch,
    fields: dict[str, str],
    secret: str,
    token: str,
    where: str,
) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    backend.connect = Aws().connect
    form = studio.credentials
    for name, value in fields.items():
        setattr(form.credentials, name, value)
    for name, typed in (("secret_access_key", secret), ("session_token", token)):
        if typed:
            form.handle_message({"type": "secret", "name": name}, [typed.encode()])
    form.perform("connect")
    try:
        studio.wait(20)
    except PodpacLambdaError as error:
        assert SECRET[:9] not in str(error)
    assert form.fields[where]["error"]
    assert (form.standing, form.connection) == ("failed", None)


def test_expired_credentials_are_tried_once(studio: Studio, backend: Any, front_end: Any) -> None:
    backend.connect_error = lambda secret: ExpiredCredentialsError("They have expired", next_step="Sign in again.")
    front_end.press(studio.credentials, "connect")
    with pytest.raises(ExpiredCredentialsError):
        studio.wait(10)
    assert backend.names().count("connect") == 1
    assert studio.credentials.card["next_step"] == "Sign in again."


def test_a_second_press_of_build_begins_nothing(ready: Studio, backend: Any, front_end: Any) -> None:
    front_end.press(ready.deploy, "plan")
    ready.wait(10)
    backend.hold = threading.Event()
    front_end.press(ready.deploy, "build")
    assert backend.running.wait(10)
    front_end.press(ready.deploy, "build")
    backend.hold.set()
    ready.wait(10)
    assert backend.names().count("build") == 1
