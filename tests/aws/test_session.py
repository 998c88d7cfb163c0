"""Getting in: what cannot be right is refused before AWS is asked, in the field it belongs to."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import pytest

from podpac_lambda_widgets import connect, errors
from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.aws.session import profiles, regions
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
