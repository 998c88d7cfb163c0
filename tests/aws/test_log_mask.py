"""No secret key and no token is in a log, in whatever shape botocore prints it; all other text stays."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable
from urllib.parse import urlencode

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st

from podpac_lambda_widgets.aws.log_mask import mask_credentials, mask_secrets
from podpac_lambda_widgets.local.session import LocalSession

NAMES = (
    "SecretAccessKey",
    "secretAccessKey",
    "SessionToken",
    "sessionToken",
    "WebIdentityToken",
    "accessToken",
    "refreshToken",
    "clientSecret",
    "Token",
    "X-Amz-Security-Token",
    "x-amz-sso_bearer_token",
)
# Keys are base64, tokens that or JSON web tokens; what is around them has other letters, so that none is in it.
SECRETS = st.text("ABCXYZabcxyz0189+/=._-:", min_size=12, max_size=60)
AROUND = st.text("mnopq 234;\n", max_size=20)

SHAPES: dict[str, Callable[[str, str], str]] = {
    "XML": lambda name, secret: f"<Credentials><{name}>{secret}</{name}></Credentials>",
    "XML in bytes": lambda name, secret: repr(f"<A>\n<{name}>{secret}</{name}>\n</A>".encode()),
    "JSON": lambda name, secret: json.dumps({"before": 1, name: secret, "after": 2}),
    "JSON with escaped slashes": lambda name, secret: json.dumps({name: secret}).replace("/", "\\/"),
    "JSON in bytes": lambda name, secret: repr(json.dumps({name: secret, "it's": 1}).encode()),
    "JSON in JSON": lambda name, secret: json.dumps({"body": json.dumps({"x": 1, name: secret})}),
    "a repr": lambda name, secret: repr({"x": 1, name: secret, "after": None}),
    "a repr of bytes": lambda name, secret: repr({name: secret.encode()}),
    "a form": lambda name, secret: urlencode({"Action": "A", name: secret, "Version": "1"}),
    "a form in bytes": lambda name, secret: repr(urlencode({"Action": "A", name: secret}).encode()),
    "a header": lambda name, secret: f"{name.lower()}:{secret}\nhost:x",
    "a header with a space": lambda name, secret: f"{name}: {secret}\r\nhost: x",
    "a bearer": lambda name, secret: repr({"Authorization": f"Bearer {secret}"}),
}


@pytest.mark.parametrize("shape", SHAPES)
@given(name=st.sampled_from(NAMES), secret=SECRETS, before=AROUND, after=AROUND)
def test_a_secret_is_masked_in_every_shape_and_its_surroundings_stay(
    shape: str, name: str, secret: str, before: str, after: str
) -> None:
    shown = SHAPES[shape](name, secret)
    masked = mask_secrets(f"{before}\n{shown}\n{after}")
    assert "********" in masked
    for form in (secret, urlencode({"": secret})[1:], secret.replace("/", "\\/")):
        assert form not in masked
    assert masked.startswith(f"{before}\n")
    assert masked.endswith(f"\n{after}")


@given(st.text(max_size=200))
def test_masking_again_changes_nothing(text: str) -> None:
    once = mask_secrets(text)
    assert mask_secrets(once) == once


@pytest.mark.parametrize(
    "text",
    [
        '{"NextToken": "page-2", "continuation-token": "x", "AccessKeyId": "ASIAX"}',
        "list-type=2&continuation-token=abc",
        "Event before-send: calling handler <function x at 0x1>",
        "",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert mask_secrets(text) == text


def test_the_answer_to_an_assumed_role_is_masked_in_the_debug_log(
    aws: LocalSession, caplog: pytest.LogCaptureFixture
) -> None:
    iam, sts = aws.client("iam"), aws.client("sts")
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="assumed", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    mask_credentials()
    try:
        with caplog.at_level(logging.DEBUG):
            credentials = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
            # What is not signed is refused here; the request is logged all the same.
            with pytest.raises(ClientError):
                sts.assume_role_with_web_identity(
                    RoleArn=role, RoleSessionName="test", WebIdentityToken="planted.web.identity"
                )
    finally:
        iam.delete_role(RoleName="assumed")
    assert credentials["AccessKeyId"] in caplog.text
    for secret in (credentials["SecretAccessKey"], credentials["SessionToken"], "planted.web.identity"):
        assert secret not in caplog.text


@pytest.mark.parametrize(
    ("service", "operation", "protocol", "body"),
    [
        (
            "sts",
            "AssumeRole",
            "query",
            b"<R><AssumeRoleResult><Credentials><SecretAccessKey>PLANTED</SecretAccessKey>"
            b"<SessionToken>PLANTED</SessionToken></Credentials></AssumeRoleResult></R>",
        ),
        (
            "sso",
            "GetRoleCredentials",
            "rest-json",
            b'{"roleCredentials": {"secretAccessKey": "PLANTED", "sessionToken": "PLANTED"}}',
        ),
        ("sso-oidc", "CreateToken", "rest-json", b'{"accessToken": "PLANTED", "refreshToken": "PLANTED"}'),
    ],
)
def test_what_botocore_parses_is_masked(service: str, operation: str, protocol: str, body: bytes) -> None:
    mask_credentials()
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.getLogger("botocore.parsers")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        model = botocore.session.Session().get_service_model(service).operation_model(operation)
        parsed = create_parser(protocol).parse({"body": body, "headers": {}, "status_code": 200}, model.output_shape)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    assert "PLANTED" in str(parsed)
    assert "********" in stream.getvalue()
    assert "PLANTED" not in stream.getvalue()


def test_a_traceback_in_the_log_is_masked() -> None:
    mask_credentials()
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.getLogger("botocore.credentials")
    logger.addHandler(handler)
    try:
        raise ValueError('no JSON: {"SecretAccessKey": "PLANTED"')
    except ValueError:
        logger.error("Error retrieving container metadata", exc_info=True)
    finally:
        logger.removeHandler(handler)
    assert "ValueError: no JSON" in stream.getvalue()
    assert "PLANTED" not in stream.getvalue()
