"""Signing in by a browser: as RFC 8628 has it, to the end, and without a token in any file."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import SSOProvider
from botocore.tokens import SSOTokenProvider
from botocore.utils import JSONFileCache, SSOTokenLoader

import podpac_lambda_widgets as plw
from podpac_lambda_widgets import connect, errors
from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.aws.credentials import credentials_expiry
from podpac_lambda_widgets.aws.sso import sign_in
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.plan.account import SignIn

pytestmark = pytest.mark.local_aws

REGION = "us-east-1"
ROLE = "credentials-role"
SECTION = f"[sso-session work]\nsso_region = {REGION}\nsso_start_url = https://start.example\n"
WANTED = "sso_account_id = 000000000000\nsso_role_name = credentials-role\n"
PROFILE = f"[profile field]\nregion = {REGION}\nendpoint_url = URL\nsso_session = work\n{WANTED}{SECTION}"
LEGACY = (
    f"[profile field]\nregion = {REGION}\nendpoint_url = URL\nsso_region = {REGION}\n"
    f"sso_start_url = https://start.example\n{WANTED}"
)
FAR = (
    f"[profile far]\nregion = {REGION}\nendpoint_url = URL\n"
    "role_arn = arn:aws:iam::000000000000:role/credentials-role\nsource_profile = field\n"
)
MINUTES = 10


@dataclass
class QuickClock:
    """Time that passes when somebody waits."""

    now: float = 0.0
    waits: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.waits.append(seconds)


@dataclass
class IdentityCenter:
    """IAM Identity Center, which says of each question for the token what the test tells it to, then gives it."""

    keys: Callable[[], dict[str, str]]
    planted: Any
    #: AWS's codes, one a question; then there is a token.
    codes: list[str] = field(default_factory=list)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    token_seconds: int = 3600
    forbids: bool = False
    valid: set[str] = field(default_factory=set)

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        path = path.partition("?")[0]
        given = json.loads(body or b"{}")
        self.asked.append((path, given))
        status, said = self._answer(path, given, headers)
        return status, json.dumps(said).encode()

    def _answer(self, path: str, given: dict[str, Any], headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if path == "/client/register":
            ends = int((datetime.now(UTC) + timedelta(days=90)).timestamp())
            return 200, {"clientId": "us", "clientSecret": self.planted.secret, "clientSecretExpiresAt": ends}
        if path == "/device_authorization":
            address = "https://device.sso.example/"
            return 200, {
                "deviceCode": self.planted.secret[::-1],
                "userCode": "ABCD-EFGH",
                "verificationUri": address,
                "verificationUriComplete": f"{address}?user_code=ABCD-EFGH",
                "expiresIn": MINUTES * 60,
                "interval": 5,
            }
        if path == "/token":
            if self.codes:
                return 400, {"__type": self.codes.pop(0), "error_description": "said AWS"}
            self.valid.add(self.planted.token)
            return 200, {
                "accessToken": self.planted.token,
                "tokenType": "Bearer",
                "expiresIn": self.token_seconds,
                "refreshToken": self.planted.secret,
            }
        if headers["x-amz-sso_bearer_token"] not in self.valid:
            return 401, {"__type": "UnauthorizedException", "message": "Session token not found or invalid"}
        if self.forbids:
            return 403, {"__type": "ForbiddenException", "message": "No access"}
        keys = self.keys()
        return 200, {
            "roleCredentials": {
                "accessKeyId": keys["AccessKeyId"],
                "secretAccessKey": keys["SecretAccessKey"],
                "sessionToken": keys["SessionToken"],
                "expiration": int((datetime.now(UTC) + timedelta(hours=1)).timestamp() * 1000),
            }
        }

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home of its own; botocore decides where its caches are when it is imported, so it is told anew."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for provider in (SSOProvider, SSOTokenProvider):
        monkeypatch.setattr(provider, "_SSO_TOKEN_CACHE_DIR", str(tmp_path / ".aws" / "sso" / "cache"))
    return tmp_path


@pytest.fixture
def center(
    serve: Any, temporary: Callable[[], dict[str, str]], monkeypatch: pytest.MonkeyPatch, planted: Any, home: Path
) -> IdentityCenter:
    made = IdentityCenter(temporary, planted)
    service = serve(made.answer)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSO", service.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSO_OIDC", service.url)
    return made


def quickly(profile: str, clock: QuickClock, cancelled: Callable[[], bool] = lambda: False) -> tuple[Any, list[SignIn]]:
    """Sign in without waiting; the session, and what the person was told."""
    told: list[SignIn] = []
    return sign_in(connect(profile), told.append, cancelled, clock=clock), told


@pytest.mark.parametrize("profile", [PROFILE, LEGACY])
def test_a_person_who_signs_in_is_in(configure: Callable[[str], None], center: IdentityCenter, profile: str) -> None:
    configure(profile)
    clock = QuickClock()
    center.codes = ["AuthorizationPendingException"] * 3
    _, told = quickly("field", clock)
    [shown] = told
    assert (shown.address, shown.code) == ("https://device.sso.example/", "ABCD-EFGH")
    assert shown.direct == "https://device.sso.example/?user_code=ABCD-EFGH"
    assert shown.until - datetime.now(UTC) == pytest.approx(timedelta(minutes=MINUTES), abs=timedelta(seconds=60))
    assert clock.now == pytest.approx(20)
    assert center.paths() == [
        "/client/register", "/device_authorization", *["/token"] * 4, "/federation/credentials",
    ]  # fmt: skip
    registered, device, *questions = [given for path, given in center.asked if path != "/federation/credentials"]
    assert ("scopes" in registered) == (profile is PROFILE)
    assert device["startUrl"] == "https://start.example"
    assert {each["grantType"] for each in questions} == {"urn:ietf:params:oauth:grant-type:device_code"}


@pytest.mark.parametrize("profile", [PROFILE, LEGACY])
def test_what_comes_of_it_is_a_session_like_any_other(
    configure: Callable[[str], None], center: IdentityCenter, monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    configure(profile)
    monkeypatch.setattr("podpac_lambda_widgets.aws.sso.SystemClock", QuickClock)
    session = connect("field", sign_in=print)
    assert ROLE in AwsAccount(session).identity().arn
    assert (session.profile_name, session.region_name) == ("field", REGION)
    ends = credentials_expiry(session)
    assert ends is not None
    assert ends > datetime.now(UTC)
    asked = len(center.asked)
    session.client("sts").get_caller_identity()
    assert len(center.asked) == asked


def test_a_role_over_a_sign_in_comes_of_it_too(
    configure: Callable[[str], None], center: IdentityCenter, aws: LocalSession
) -> None:
    configure(PROFILE + FAR)
    may = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    iam, policy = aws.client("iam"), json.dumps({"Version": "2012-10-17", "Statement": [may]})
    iam.put_role_policy(RoleName=ROLE, PolicyName="assume", PolicyDocument=policy)
    session, _ = quickly("far", QuickClock())
    assert ROLE in AwsAccount(session).identity().arn
    assert session.get_credentials().method == "assume-role"
    iam.delete_role_policy(RoleName=ROLE, PolicyName="assume")


def test_a_script_prints_what_to_do() -> None:
    noon = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    told = SignIn("https://device.example/", "https://device.example/?user_code=AB-CD", "AB-CD", noon)
    assert str(told) == (
        "Sign in at https://device.example/?user_code=AB-CD and confirm the code AB-CD (until 12:00 UTC)."
    )


def test_who_is_signed_in_is_not_asked(configure: Callable[[str], None], center: IdentityCenter, home: Path) -> None:
    configure(LEGACY)
    folder = home / ".aws" / "sso" / "cache"
    folder.mkdir(parents=True)
    expires = f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    token = {"accessToken": center.planted.token, "expiresAt": expires}
    SSOTokenLoader(JSONFileCache(str(folder))).save_token("https://start.example", token)
    center.valid.add(center.planted.token)
    connect("field", sign_in=lambda told: pytest.fail("asked"))
    assert center.paths() == ["/federation/credentials"]


def test_a_server_that_is_asked_too_often_is_asked_less_often(
    configure: Callable[[str], None], center: IdentityCenter
) -> None:
    configure(PROFILE)
    clock = QuickClock()
    center.codes = ["SlowDownException", "AuthorizationPendingException", "SlowDownException"]
    quickly("field", clock)
    # RFC 8628, section 3.5: five seconds more each time, for this and all questions after it.
    assert clock.now == pytest.approx(5 + 10 + 10 + 15)


@pytest.mark.parametrize(
    ("codes", "error", "said"),
    [
        (["AccessDeniedException"], errors.CredentialsError, "refused"),
        (["AuthorizationPendingException", "ExpiredTokenException"], errors.ExpiredCredentialsError, "ran out"),
        (["AuthorizationPendingException"] * 1000, errors.ExpiredCredentialsError, "ran out"),
        (["InvalidGrantException"], errors.AwsError, "Signing in"),
    ],
)
def test_what_does_not_end_well_is_said(
    configure: Callable[[str], None], center: IdentityCenter, codes: list[str], error: type[Exception], said: str
) -> None:
    configure(PROFILE)
    center.codes = list(codes)
    clock = QuickClock()
    with pytest.raises(error, match=said) as caught:
        quickly("field", clock)
    assert clock.now <= MINUTES * 60
    shown = "".join(traceback.format_exception(caught.value))
    frames = [repr(frame.f_locals) for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    # The test's own frame has it.
    assert center.planted.hits(shown, *frames[1:]) == []


def test_somebody_who_does_not_want_to_is_heard_at_once(
    configure: Callable[[str], None], center: IdentityCenter
) -> None:
    configure(PROFILE)
    center.codes = ["AuthorizationPendingException"] * 1000
    clock = QuickClock()
    with pytest.raises(errors.CancelledError):
        quickly("field", clock, lambda: clock.now > 12)
    assert clock.now < 13


def test_a_role_that_is_not_for_whoever_signed_in_is_said_to_be_that(
    configure: Callable[[str], None], center: IdentityCenter
) -> None:
    configure(PROFILE)
    center.forbids = True
    with pytest.raises(errors.CredentialsError, match="role of the profile 'field' is not for") as caught:
        quickly("field", QuickClock())
    assert caught.value.why == "No access"


@pytest.mark.parametrize("text", ["[profile field]\nregion = us-east-1\n", PROFILE.replace("sso_region", "other")])
def test_a_profile_without_sso_is_not_signed_in_to(configure: Callable[[str], None], text: str) -> None:
    configure(text)
    with pytest.raises(errors.CredentialsError, match="not signed in to by SSO"):
        quickly("field", QuickClock())


def test_the_next_step_says_how(configure: Callable[[str], None], center: IdentityCenter) -> None:
    configure(PROFILE)
    with pytest.raises(errors.ExpiredCredentialsError) as caught:
        AwsAccount(connect("field")).identity()
    assert caught.value.sign_in
    assert "sign_in=print" in caught.value.next_step
    assert "`aws sso login --profile field`" in caught.value.next_step


def test_no_file_and_no_log_has_the_token(
    configure: Callable[[str], None], center: IdentityCenter, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    configure(PROFILE)
    # About to end, so that it is renewed too.
    center.token_seconds = 60
    connect(region_name=REGION)
    with caplog.at_level(logging.DEBUG):
        session, _ = quickly("field", QuickClock())
        AwsAccount(session).identity()
    assert center.paths().count("/token") == 2
    assert "ABCD-EFGH" in caplog.text
    files = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    assert files
    assert center.planted.hits(caplog.text, vars(session), vars(session._session), *files) == []


# The form


@pytest.fixture
def form(configure: Callable[[str], None], center: IdentityCenter, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A Connect form on a machine with the profile, where nobody is signed in."""
    configure(PROFILE)
    monkeypatch.setattr("podpac_lambda_widgets.aws.sso.SystemClock", QuickClock)
    made = plw.CredentialsForm()
    made.wait(20)
    made.enter("profile", "field")
    yield made
    made.close()


def test_the_form_offers_to_sign_in_and_ends_connected(form: Any, center: IdentityCenter, aws: LocalSession) -> None:
    cards: list[dict[str, Any]] = []
    form.observe(lambda change: cards.append(change["new"]), names="card")
    assert form.buttons["sign_in"]["hidden"]
    form.connect()
    with pytest.raises(errors.ExpiredCredentialsError):
        form.wait(20)
    assert not form.buttons["sign_in"]["hidden"]
    assert "Sign in" in form.card["next_step"]
    form.perform("sign_in")
    form.wait(20)
    assert form.standing == "done"
    assert ROLE in dict(fact[:2] for fact in form.facts)["Identity"]
    [shown] = [card["sign_in"] for card in cards if "sign_in" in card]
    assert (shown["code"], shown["address"]) == ("ABCD-EFGH", "https://device.sso.example/")
    assert "sign_in" not in form.card
    assert form.buttons["sign_in"]["hidden"]
    assert form.buttons["cancel_sign_in"]["hidden"]
    assert 'plw.connect(profile="field", sign_in=print)' in form.as_code()
    assert center.planted.hits(form.get_state(), cards) == []


def test_a_sign_in_is_stopped_in_the_form(form: Any, center: IdentityCenter) -> None:
    center.codes = ["AuthorizationPendingException"] * 10_000
    seen: list[str] = []

    def stop(change: Any) -> None:
        if "sign_in" in change["new"]:
            seen.append(form.note)
            assert not form.buttons["cancel_sign_in"]["hidden"]
            form.perform("cancel_sign_in")

    form.observe(stop, names="card")
    form.perform("sign_in")
    with pytest.raises(errors.CancelledError):
        form.wait(20)
    assert seen
    assert (form.standing, form.card) == ("ready", {})
    assert form.buttons["cancel_sign_in"]["hidden"]
    assert not form.buttons["sign_in"]["hidden"]
    assert form.connection is None
