"""Getting in: what cannot be right is refused before AWS is asked, in the field it belongs to."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from podpac_lambda_widgets import connect, errors
from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.aws.session import describe_profiles, profiles, regions
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.secret import Secret

KEY = "AKIAIOSFODNN7EXAMPLE"
CANARY = "CANARY/secret+value0123456789abcdefghijk"


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"access_key_id": "AKIA IOSFODNN7EXAMPLE"}, "access_key_id"),
        ({"access_key_id": "AKIA\u200bIOSFODNN7EXAMPLE"}, "access_key_id"),
        ({"access_key_id": "short"}, "access_key_id"),
        ({"access_key_id": KEY, "secret_access_key": ""}, "secret_access_key"),
        ({"access_key_id": KEY, "secret_access_key": "a b"}, "secret_access_key"),
        ({"access_key_id": "ASIAIOSFODNN7EXAMPLE"}, "session_token"),
        ({"access_key_id": KEY, "secret_access_key": f"{CANARY}\u200b{CANARY}"}, "secret_access_key"),
        ({"access_key_id": KEY, "secret_access_key": f"{CANARY}\u200b"}, "secret_access_key"),
        ({"access_key_id": KEY, "secret_access_key": f"{CANARY}\u0430"}, "secret_access_key"),
        ({"access_key_id": KEY, "secret_access_key": f"{CANARY}\x00"}, "secret_access_key"),
        ({"access_key_id": KEY, "session_token": f"{CANARY}\ufeff"}, "session_token"),
        ({"access_key_id": KEY, "session_token": f"{CANARY}\n{CANARY}"}, "session_token"),
        ({"access_key_id": KEY, "profile": "field-work"}, "profile"),
        ({"session_token": CANARY}, "access_key_id"),
        ({"access_key_id": KEY, "region_name": "us-east-1a"}, "region"),
        ({"access_key_id": KEY, "region_name": "useast1"}, "region"),
        ({"access_key_id": KEY, "region_name": "aws-global"}, "region"),
        ({"access_key_id": KEY, "region_name": ""}, "region"),
    ],
)
def test_what_cannot_be_right_is_refused_in_its_field(arguments: dict[str, str], field: str) -> None:
    given = {"secret_access_key": CANARY, "region_name": "us-east-1", **arguments}
    with pytest.raises(errors.InvalidValueError) as caught:
        connect(**given)
    assert caught.value.field == field
    assert CANARY not in str(caught.value)


def test_spaces_at_the_edges_of_a_key_are_trimmed() -> None:
    session = connect(access_key_id=f" {KEY}\n", secret_access_key=Secret(f" {CANARY} "), region_name="eu-west-1")
    credentials = session.get_credentials()
    assert (credentials.access_key, credentials.secret_key) == (KEY, CANARY)


def test_a_failure_shows_no_secret_even_with_local_variables() -> None:
    try:
        connect(access_key_id=KEY, secret_access_key=CANARY, session_token=CANARY, region_name="nowhere-1")
    except errors.InvalidValueError as error:
        ours = [
            frame
            for frame in traceback.walk_tb(error.__traceback__)
            if "podpac_lambda_widgets" in frame[0].f_code.co_filename
        ]
        assert ours
        assert not [frame for frame, _ in ours if CANARY in repr(frame.f_locals)]


def test_an_unknown_profile_names_those_there_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    configuration = tmp_path / "config"
    configuration.write_text("[profile field-work]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(configuration))
    assert profiles() == ("field-work",)
    assert connect("field-work").region_name == "eu-west-1"
    with pytest.raises(errors.CredentialsError, match="field-work"):
        connect("fieldwork")


def test_a_profile_says_where_its_credentials_come_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    configuration, keys = tmp_path / "config", tmp_path / "credentials"
    configuration.write_text(
        "[profile lab]\nsso_session = us\nregion = eu-west-1\n[profile field]\nrole_arn = arn:x\nsource_profile = lab\n"
        "[profile tool]\ncredential_process = /bin/tool\n[profile <b>bare</b>]\nregion = us-east-1\n"
    )
    keys.write_text("[old]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(configuration))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(keys))
    assert dict(describe_profiles()) == {
        "lab": "lab · SSO · eu-west-1",
        "field": "field · role",
        "tool": "tool · program",
        "<b>bare</b>": "<b>bare</b> · us-east-1",
        "old": "old · key",
    }


def test_a_profile_that_the_environment_names_and_is_gone_is_a_typed_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    configuration = tmp_path / "config"
    configuration.write_text("[profile field-work]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(configuration))
    monkeypatch.setenv("AWS_PROFILE", "field-wrok")
    with pytest.raises(errors.CredentialsError, match="'field-wrok'") as caught:
        connect(region_name="us-east-1")
    assert "AWS_PROFILE" in str(caught.value)
    assert "'field-work'" in caught.value.next_step
    assert profiles() == ("field-work",)
    assert connect("field-work").region_name == "eu-west-1"


@pytest.mark.parametrize("text", ["[default\nregion = eu-west-1", "no section"])
def test_a_key_does_not_read_profiles_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    configuration = tmp_path / "config"
    configuration.write_text(text)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(configuration))
    monkeypatch.setenv("AWS_PROFILE", "gone")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    session = connect(access_key_id=KEY, secret_access_key=CANARY)
    assert session.region_name == "eu-north-1"
    assert session.get_credentials().access_key == KEY
    assert session.client("s3").meta.region_name == "eu-north-1"


def test_a_keys_region_is_not_that_of_a_profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    configuration = tmp_path / "config"
    configuration.write_text("[default]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(configuration))
    with pytest.raises(errors.InvalidValueError, match="No region"):
        connect(access_key_id=KEY, secret_access_key=CANARY)


@pytest.mark.parametrize("call", [lambda: connect(region_name="us-east-1"), lambda: connect("x"), profiles])
@pytest.mark.parametrize("variable", ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"])
def test_a_configuration_that_cannot_be_parsed_is_a_typed_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, call: Callable[[], object], variable: str
) -> None:
    broken = tmp_path / "broken"
    broken.write_text(f"[default\naws_secret_access_key = {CANARY}\n")
    monkeypatch.setenv(variable, str(broken))
    with pytest.raises(errors.CredentialsError) as caught:
        AwsAccount(call()).identity()
    assert str(broken) in str(caught.value)
    assert CANARY not in str(caught.value)


def test_no_credentials_at_all_are_a_typed_error() -> None:
    with pytest.raises(errors.NoCredentialsError):
        AwsAccount(connect(region_name="us-east-1")).identity()


def test_an_endpoint_that_is_not_there_is_a_typed_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    session = connect(access_key_id=KEY, secret_access_key=Secret(CANARY), region_name="us-east-1")
    with pytest.raises(errors.EndpointUnreachableError) as caught:
        AwsAccount(session).identity()
    assert CANARY not in str(caught.value)


def test_every_region_has_a_long_name() -> None:
    assert dict(regions())["us-east-1"].startswith("US East")
    assert "cn-north-1" in dict(regions())


def test_a_debug_log_of_everything_shows_neither_secret_nor_token(
    aws: LocalSession, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    session = connect(
        access_key_id="ASIAIOSFODNN7EXAMPLE",
        secret_access_key=Secret(CANARY),
        session_token=Secret(CANARY[::-1]),
        region_name="us-east-1",
    )
    with caplog.at_level(logging.DEBUG):
        with pytest.raises(errors.WrongCredentialsError):
            AwsAccount(session).identity()
        with pytest.raises(errors.PodpacLambdaError):
            AwsAccount(session).inspect_object("bucket", "key")
    assert "x-amz-security-token:********" in caplog.text
    assert "X-Amz-Security-Token': b'********" in caplog.text
    for secret in (CANARY, CANARY[::-1]):
        assert secret not in caplog.text


def test_the_regions_are_known_whatever_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "gone")
    assert "us-east-1" in dict(regions())
