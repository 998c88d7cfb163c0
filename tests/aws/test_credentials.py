"""Whatever way in there is, it works to the end, says how long it lasts, and what to do when it is over."""

from __future__ import annotations

import hashlib
import json
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest
from botocore.credentials import SSOProvider
from botocore.tokens import SSOTokenProvider
from hypothesis import given, settings
from hypothesis import strategies as st

from podpac_lambda_widgets import connect, errors
from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.aws.credentials import credentials_expiry, explaining_expiry, is_root, renewal_step
from podpac_lambda_widgets.local.session import LocalSession

pytestmark = pytest.mark.local_aws

ACCOUNT = "000000000000"
REGION = "us-east-1"
ROLE = "credentials-role"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET = "CANARY/secret+value0123456789abcdefghijk"

Keys = dict[str, str]
#: What the fixture ``serve`` starts.
Service = Any
#: Method, path, headers and body to status and body.
Handler = Callable[[str, str, dict[str, str], bytes], tuple[int, bytes]]


@pytest.fixture
def permanent(aws: LocalSession) -> Keys:
    """The keys of the embedded AWS's user."""
    found = aws.get_credentials()
    return {"AccessKeyId": found.access_key, "SecretAccessKey": found.secret_key}


@pytest.fixture
def sso_tokens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Writes what ``aws sso login`` writes; botocore decides where when it is imported, so it is told anew."""
    folder = tmp_path / "sso"
    folder.mkdir()
    for provider in (SSOProvider, SSOTokenProvider):
        monkeypatch.setattr(provider, "_SSO_TOKEN_CACHE_DIR", str(folder))

    def sign_in(session: str, token: str, minutes: float) -> None:
        expires = f"{datetime.now(UTC) + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"
        name = hashlib.sha1(session.encode()).hexdigest()
        (folder / f"{name}.json").write_text(
            json.dumps({"accessToken": token, "expiresAt": expires, "startUrl": session, "region": REGION})
        )

    return sign_in


def _who(session: boto3.Session) -> str:
    return AwsAccount(session).identity().arn


def _lasts_about(session: boto3.Session, minutes: float) -> bool:
    expires = credentials_expiry(session)
    assert expires is not None and expires.utcoffset() == timedelta(0)
    return abs(expires - datetime.now(UTC) - timedelta(minutes=minutes)) < timedelta(minutes=2)


def _in_minutes(minutes: float) -> str:
    return f"{datetime.now(UTC) + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


# ---- every way in


def test_a_session_that_there_is_already_is_used_as_it_is(aws: LocalSession) -> None:
    assert ":user/" in _who(aws)
    assert credentials_expiry(aws) is None
    assert AwsAccount(aws).identity().expires is None


def test_a_typed_key_gets_in(aws: LocalSession, permanent: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    session = connect(
        access_key_id=f" {permanent['AccessKeyId']}\n",
        secret_access_key=f"\t{permanent['SecretAccessKey']} ",
        region_name=REGION,
    )
    assert ":user/" in _who(session)
    assert credentials_expiry(session) is None


def test_a_typed_key_with_its_session_token_gets_in(
    aws: LocalSession, temporary: Callable[[], Keys], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    keys = temporary()
    session = connect(
        access_key_id=keys["AccessKeyId"],
        secret_access_key=keys["SecretAccessKey"],
        session_token=keys["SessionToken"],
        region_name=REGION,
    )
    assert f":assumed-role/{ROLE}/temporary" in _who(session)
    assert credentials_expiry(session) is None


def _set_keys(monkeypatch: pytest.MonkeyPatch, keys: Keys) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys["SecretAccessKey"])
    if "SessionToken" in keys:
        monkeypatch.setenv("AWS_SESSION_TOKEN", keys["SessionToken"])


def test_the_environments_keys_get_in(aws: LocalSession, permanent: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    _set_keys(monkeypatch, permanent)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    session = connect(region_name=REGION)
    assert ":user/" in _who(session)
    assert credentials_expiry(session) is None


def test_the_environment_may_say_when_its_keys_end(
    aws: LocalSession, temporary: Callable[[], Keys], monkeypatch: pytest.MonkeyPatch
) -> None:
    _set_keys(monkeypatch, temporary())
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", _in_minutes(60))
    session = connect(region_name=REGION)
    assert ROLE in _who(session)
    assert _lasts_about(session, 60)


def test_a_profiles_keys_get_in(permanent: Keys, configure: Callable[[str], None]) -> None:
    configure(f"[profile field]\nregion = {REGION}\nendpoint_url = URL\n{_lines(permanent)}")
    session = connect("field")
    assert ":user/" in _who(session)
    assert credentials_expiry(session) is None


def _lines(keys: Keys) -> str:
    return f"aws_access_key_id = {keys['AccessKeyId']}\naws_secret_access_key = {keys['SecretAccessKey']}\n"


def test_a_profile_that_assumes_a_role_gets_in_and_says_when_it_ends(
    permanent: Keys, role: str, configure: Callable[[str], None]
) -> None:
    configure(
        f"[profile base]\n{_lines(permanent)}"
        f"[profile field]\nregion = {REGION}\nendpoint_url = URL\nrole_arn = {role}\nsource_profile = base\n"
        "role_session_name = ann\nduration_seconds = 1800\n"
    )
    session = connect("field")
    # Before anything else was asked: these credentials are fetched when they are first used.
    assert _lasts_about(session, 30)
    identity = AwsAccount(session).identity()
    assert identity.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/ann"
    assert identity.expires == credentials_expiry(session)


def test_a_web_identity_gets_in(
    aws: LocalSession,
    temporary: Callable[[], Keys],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    serve: Callable[[Handler], Service],
) -> None:
    (tmp_path / "token").write_text("a-token")

    def answer(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        asked = parse_qs(body.decode())
        if asked["Action"] != ["AssumeRoleWithWebIdentity"]:
            return _forward(f"{aws.endpoint_url}{path}", headers, body)
        # The embedded AWS refuses what is not signed, as this request is.
        assert "authorization" not in headers
        assert (asked["WebIdentityToken"], asked["RoleArn"]) == (["a-token"], [ROLE_ARN])
        return 200, _web_identity_answer(temporary())

    service = serve(answer)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", service.url)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE_ARN)
    session = connect(region_name=REGION)
    assert ROLE in _who(session)
    assert _lasts_about(session, 60)
    assert len(service.requests) == 2


def _forward(url: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
    request = urllib.request.Request(url, data=body, headers=headers)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        return answer.status, answer.read()


def _web_identity_answer(keys: dict[str, Any]) -> bytes:
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    parts = "".join(f"<{name}>{keys[name]}</{name}>" for name in names)
    expiration = f"<Expiration>{_in_minutes(60)}</Expiration>"
    user = f"<AssumedRoleUser><AssumedRoleId>A:x</AssumedRoleId><Arn>{ROLE_ARN}</Arn></AssumedRoleUser>"
    result = f"<Credentials>{parts}{expiration}</Credentials>{user}"
    operation = "AssumeRoleWithWebIdentity"
    return f"<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>".encode()


SSO_PROFILE = (
    f"[profile field]\nregion = {REGION}\nendpoint_url = URL\nsso_session = work\nsso_account_id = {ACCOUNT}\n"
    f"sso_role_name = {ROLE}\n[sso-session work]\nsso_region = {REGION}\nsso_start_url = https://start.example\n"
)


@pytest.fixture
def sso(serve: Callable[[Handler], Service], temporary: Callable[[], Keys], monkeypatch: pytest.MonkeyPatch) -> Service:
    """IAM Identity Center, which takes the token ``good``."""

    def answer(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        if headers["x-amz-sso_bearer_token"] != "good":
            return 401, b'{"__type": "UnauthorizedException", "message": "Session token not found or invalid"}'
        keys = temporary()
        credentials = {
            "accessKeyId": keys["AccessKeyId"],
            "secretAccessKey": keys["SecretAccessKey"],
            "sessionToken": keys["SessionToken"],
            "expiration": int((datetime.now(UTC) + timedelta(hours=1)).timestamp() * 1000),
        }
        return 200, json.dumps({"roleCredentials": credentials}).encode()

    service = serve(answer)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSO", service.url)
    return service


def test_a_profile_that_was_signed_in_to_gets_in(
    configure: Callable[[str], None], sso_tokens: Callable[..., None], sso: Service
) -> None:
    configure(SSO_PROFILE)
    sso_tokens("work", "good", 600)
    session = connect("field")
    assert _lasts_about(session, 60)
    assert ROLE in _who(session)
    assert sso.requests == ["GET /federation/credentials"]


def _metadata(keys: Callable[[], Keys], minutes: Callable[[], float]) -> Handler:
    """An instance's metadata service, in its second version."""

    def answer(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        if (method, path) == ("PUT", "/latest/api/token"):
            return 200, b"metadata-token"
        if headers.get("x-aws-ec2-metadata-token") != "metadata-token":
            return 401, b""
        if path == "/latest/meta-data/iam/security-credentials/":
            return 200, ROLE.encode()
        found = keys()
        answer = {
            "Code": "Success",
            "Type": "AWS-HMAC",
            "AccessKeyId": found["AccessKeyId"],
            "SecretAccessKey": found["SecretAccessKey"],
            "Token": found["SessionToken"],
            "Expiration": _in_minutes(minutes()),
            "LastUpdated": _in_minutes(0),
        }
        return 200, json.dumps(answer).encode()

    return answer


def _on_an_instance(monkeypatch: pytest.MonkeyPatch, service: Service) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", service.url)


def test_an_instances_role_gets_in(
    aws: LocalSession,
    temporary: Callable[[], Keys],
    serve: Callable[[Handler], Service],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = serve(_metadata(temporary, lambda: 60))
    _on_an_instance(monkeypatch, service)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    session = connect(region_name=REGION)
    assert ROLE in _who(session)
    assert _lasts_about(session, 60)
    assert service.requests[0] == "PUT /latest/api/token"


# ---- what has expired


def test_what_can_be_renewed_is_renewed_in_the_same_session(
    temporary: Callable[[], Keys], configure: Callable[[str], None], tmp_path: Path
) -> None:
    answer = tmp_path / "answer"
    answer.write_text(_program_answer(temporary(), 1))
    configure(f"[profile field]\nregion = {REGION}\nendpoint_url = URL\ncredential_process = cat {answer}\n")
    session = connect("field")
    assert session.get_credentials().method == "custom-process"
    answer.write_text(_program_answer(temporary(), 60))
    assert _lasts_about(session, 60)
    assert ROLE in _who(session)


def _program_answer(keys: Keys, minutes: float) -> str:
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    return json.dumps({"Version": 1, "Expiration": _in_minutes(minutes), **{name: keys[name] for name in names}})


def test_a_program_that_answers_with_something_else_is_an_error_that_does_not_show_it(
    configure: Callable[[str], None], tmp_path: Path
) -> None:
    answer = tmp_path / "answer"
    answer.write_text(f"AccessKeyId={KEY} SecretAccessKey={SECRET}")
    configure(f"[profile field]\nregion = {REGION}\nendpoint_url = URL\ncredential_process = cat {answer}\n")
    session = connect("field")
    with pytest.raises(errors.CredentialsError) as caught:
        credentials_expiry(session)
    assert "the program that the profile 'field'" in caught.value.next_step
    assert SECRET not in str(caught.value)
    with pytest.raises(errors.CredentialsError), explaining_expiry(session):
        AwsAccount(session).identity()


def test_a_sign_in_that_is_over_says_so_and_the_same_session_goes_on_after_the_next(
    configure: Callable[[str], None], sso_tokens: Callable[..., None], sso: Service
) -> None:
    configure(SSO_PROFILE)
    sso_tokens("work", "good", -1)
    session = connect("field")
    account = AwsAccount(session)
    with pytest.raises(errors.ExpiredCredentialsError) as caught, explaining_expiry(session):
        account.identity()
    assert "`aws sso login --profile field`" in caught.value.next_step
    assert sso.requests == []
    sso_tokens("work", "good", 600)
    assert ROLE in account.identity().arn
    assert _lasts_about(session, 60)


def test_a_sign_in_that_was_taken_back_is_asked_about_once(
    configure: Callable[[str], None], sso_tokens: Callable[..., None], sso: Service
) -> None:
    configure(SSO_PROFILE)
    sso_tokens("work", "taken-back", 600)
    with pytest.raises(errors.ExpiredCredentialsError) as caught:
        credentials_expiry(connect("field"))
    assert "`aws sso login --profile field`" in caught.value.next_step
    assert len(sso.requests) == 1


def test_a_role_over_a_sign_in_names_the_profile_to_sign_in_to(
    role: str, configure: Callable[[str], None], sso_tokens: Callable[..., None], sso: Service
) -> None:
    configure(f"{SSO_PROFILE}[profile far]\nregion = {REGION}\nrole_arn = {role}\nsource_profile = field\n")
    sso_tokens("work", "good", -1)
    with pytest.raises(errors.ExpiredCredentialsError) as caught:
        credentials_expiry(connect("far"))
    assert "`aws sso login --profile field`" in caught.value.next_step


def test_an_environment_whose_keys_have_ended_says_so(
    aws: LocalSession, temporary: Callable[[], Keys], monkeypatch: pytest.MonkeyPatch
) -> None:
    _set_keys(monkeypatch, temporary())
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", _in_minutes(-1))
    session = connect(region_name=REGION)
    with pytest.raises(errors.ExpiredCredentialsError) as caught:
        credentials_expiry(session)
    assert "environment" in caught.value.next_step
    # As a tool that sets the environment does, and without another session.
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", _in_minutes(60))
    assert _lasts_about(session, 60)


def test_expired_keys_are_tried_once_and_say_what_to_do(
    aws: LocalSession, monkeypatch: pytest.MonkeyPatch, serve: Callable[[Handler], Service]
) -> None:
    expired = b"<ErrorResponse><Error><Code>ExpiredToken</Code><Message>it is over</Message></Error></ErrorResponse>"
    service = serve(lambda *_: (403, expired))
    monkeypatch.setenv("AWS_ENDPOINT_URL", service.url)
    session = connect(
        access_key_id="ASIAIOSFODNN7EXAMPLE", secret_access_key=SECRET, session_token="token", region_name=REGION
    )
    with pytest.raises(errors.ExpiredCredentialsError) as caught, explaining_expiry(session):
        AwsAccount(session).identity()
    assert "Enter a new key" in caught.value.next_step
    assert len(service.requests) == 1


def test_another_error_is_left_as_it_is(aws: LocalSession) -> None:
    with pytest.raises(RuntimeError, match="something else"), explaining_expiry(aws):
        raise RuntimeError("something else")


def test_without_credentials_there_is_no_end_to_know(configure: Callable[[str], None]) -> None:
    configure("")
    session = connect(region_name=REGION)
    with pytest.raises(errors.NoCredentialsError):
        credentials_expiry(session)
    assert renewal_step(session) == "Get new credentials and connect again."


PROFILES = (
    f"[profile keys]\naws_access_key_id = {KEY}\naws_secret_access_key = x\naws_session_token = y\n"
    "[profile program]\ncredential_process = true\n"
    f"[profile role]\nrole_arn = {ROLE_ARN}\nsource_profile = keys\n"
    f"[profile token]\nrole_arn = {ROLE_ARN}\nweb_identity_token_file = /nowhere\n"
    "[profile signed-in]\nsso_start_url = https://start.example\nsso_region = us-east-1\nsso_account_id = 1\n"
    "sso_role_name = x\n"
    f"[profile circle]\nrole_arn = {ROLE_ARN}\nsource_profile = circle\n"
)


@pytest.mark.parametrize(
    ("profile", "step"),
    [
        ("keys", "the profile 'keys'"),
        ("program", "the program that the profile 'program'"),
        ("role", "the profile 'keys'"),
        ("token", "web identity token"),
        ("signed-in", "`aws sso login --profile signed-in`"),
        ("circle", "connect again"),
    ],
)
def test_each_kind_has_its_own_next_step(configure: Callable[[str], None], profile: str, step: str) -> None:
    configure(PROFILES)
    assert step in renewal_step(connect(profile, region_name=REGION))


# ---- where it goes


def test_each_service_is_reached_at_the_endpoint_that_the_environment_names(
    monkeypatch: pytest.MonkeyPatch, serve: Callable[[Handler], Service]
) -> None:
    answer = b"<GetRoleResponse><GetRoleResult><Role/></GetRoleResult></GetRoleResponse>"
    s3, iam, rest = serve(lambda *_: (200, b"")), serve(lambda *_: (200, answer)), serve(lambda *_: (404, b"{}"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", iam.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", rest.url)
    account = AwsAccount(connect(access_key_id=KEY, secret_access_key=SECRET, region_name=REGION))
    account._client("s3").head_bucket(Bucket="a-bucket")
    account._client("iam").get_role(RoleName="a-role")
    with pytest.raises(errors.ResourceNotFoundError):
        list(account.log_lines("a-group", start=None, end=None, request_id=""))
    assert (len(s3.requests), len(iam.requests), len(rest.requests)) == (1, 1, 1)


def test_a_profiles_endpoints_are_used(
    aws: LocalSession, permanent: Keys, configure: Callable[[str], None], serve: Callable[[Handler], Service]
) -> None:
    s3 = serve(lambda *_: (200, b""))
    configure(
        f"[profile field]\nregion = {REGION}\nservices = here\nendpoint_url = URL\n{_lines(permanent)}"
        f"[services here]\ns3 =\n  endpoint_url = {s3.url}\n"
    )
    account = AwsAccount(connect("field"))
    account._client("s3").head_bucket(Bucket="a-bucket")
    assert ":user/" in account.identity().arn
    assert len(s3.requests) == 1


# ---- what is typed


@pytest.mark.parametrize(
    ("arn", "root"),
    [
        (f"arn:aws:iam::{ACCOUNT}:root", True),
        (f"arn:aws-us-gov:iam::{ACCOUNT}:root", True),
        (f"arn:aws:iam::{ACCOUNT}:user/root", False),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/root/x:root", False),
        (f"arn:aws:iam::{ACCOUNT}:user/a:root", False),
    ],
)
def test_root_is_known_by_its_arn(arn: str, root: bool) -> None:
    assert is_root(arn) is root


SPACES = st.text(alphabet=" \t\r\n\u00a0\u2003\u3000", max_size=4)
PRINTABLE = st.text(alphabet=st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=60)
#: What no key, secret or token has: everything but ASCII's visible characters.
INVISIBLE = st.one_of(
    st.sampled_from("  \n\t\r\x00\x7f\u200b\u200d\u2060\ufeff\u00ad\u00a0\u0430"),
    st.characters(blacklist_categories=["Cs"], min_codepoint=0x80),
)


@settings(max_examples=25)  # each opens a session
@given(before=SPACES, after=SPACES, secret=PRINTABLE, token=PRINTABLE)
def test_only_what_is_at_the_edges_of_a_typed_key_is_trimmed(before: str, after: str, secret: str, token: str) -> None:
    session = connect(
        access_key_id=f"{before}{KEY}{after}",
        secret_access_key=f"{before}{secret}{after}",
        session_token=f"{before}{token}{after}",
        region_name=REGION,
    )
    found = session.get_credentials()
    assert (found.access_key, found.secret_key, found.token) == (KEY, secret, token)


@given(left=PRINTABLE, inside=INVISIBLE, right=PRINTABLE, name=st.sampled_from(["secret_access_key", "session_token"]))
def test_a_secret_with_anything_else_inside_is_refused_in_its_field_and_not_shown(
    left: str, inside: str, right: str, name: str
) -> None:
    typed = {"secret_access_key": SECRET, "session_token": "token", name: f"{SECRET}{left}{inside}{right}"}
    with pytest.raises(errors.InvalidValueError) as caught:
        connect(access_key_id=KEY, region_name=REGION, **typed)
    assert caught.value.field == name
    assert SECRET not in str(caught.value)


@given(position=st.integers(1, len(KEY) - 1), inside=INVISIBLE)
def test_a_key_id_with_anything_else_inside_is_refused(position: int, inside: str) -> None:
    with pytest.raises(errors.InvalidValueError) as caught:
        connect(access_key_id=KEY[:position] + inside + KEY[position:], secret_access_key=SECRET, region_name=REGION)
    assert caught.value.field == "access_key_id"
