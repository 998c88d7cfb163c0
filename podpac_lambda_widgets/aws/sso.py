"""Signing in to AWS by a browser, here or elsewhere: the device flow (RFC 8628) of IAM Identity Center.

The token stays in this process. ``aws sso login`` writes its token into ``~/.aws/sso/cache``, and boto3 reads it there;
what is signed in here reads that file no more, writes none, and ends with the session.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore.session
from botocore import UNSIGNED
from botocore import exceptions as botocore_errors
from botocore.config import Config
from botocore.credentials import AssumeRoleProvider, CredentialResolver, ProfileProviderBuilder
from botocore.utils import SSOTokenLoader

from podpac_lambda_widgets.aws.error_codes import error_code, error_message
from podpac_lambda_widgets.aws.translate import asking
from podpac_lambda_widgets.aws.waiting import CONNECT_TIMEOUT, READ_TIMEOUT
from podpac_lambda_widgets.clock import Clock, SystemClock
from podpac_lambda_widgets.errors import CancelledError, CredentialsError, ExpiredCredentialsError
from podpac_lambda_widgets.plan.account import SignIn

_CLIENT = "podpac-lambda-widgets"
_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
#: What a token must be for to be renewed without signing in again; for profiles with an ``sso-session`` section only.
_SCOPE = "sso:account:access"
#: Seconds between two questions where the server names none, and by how many more where it asks to slow down: RFC 8628,
#: sections 3.2 and 3.5.
_INTERVAL = _SLOWER = 5.0
#: How long it may take until somebody is heard who does not want to wait any more, in seconds.
_HEARING = 0.25
#: Profiles that take their credentials from one another; AWS's tools stop at a circle, so does this.
_PROFILE_CHAIN = 10


class _Hidden(dict[str, Any]):
    """An answer with a secret in it: a verbose traceback prints what variables hold."""

    def __repr__(self) -> str:
        return "{********}"


@dataclass(frozen=True)
class SsoProfile:
    """Where the profile of that name is signed in to.

    ``session_name`` is None for one that has its start URL itself, which AWS calls legacy.
    """

    name: str
    start_url: str
    region: str
    session_name: str | None
    scopes: tuple[str, ...]


def find_signed_in_profile(profile: str) -> tuple[str, Mapping[str, Any]]:
    """The profile that is signed in to so that another has credentials, and its settings; the last looked at, if none.

    That is the profile itself, or one of those whose credentials it uses.
    """
    profiles = botocore.session.Session().full_config["profiles"]
    for _ in range(_PROFILE_CHAIN):
        settings = profiles.get(profile, {})
        if {"sso_session", "sso_start_url", "login_session"} & set(settings):
            break
        source = settings.get("source_profile", profile)
        if source == profile:
            break
        profile = source
    return profile, profiles.get(profile, {})


def find_sso(profile: str) -> SsoProfile | None:
    """Where to sign in for a profile, or None when that is not by IAM Identity Center."""
    name, settings = find_signed_in_profile(profile)
    session_name = settings.get("sso_session")
    sections = botocore.session.Session().full_config.get("sso_sessions", {})
    section = sections.get(session_name, {}) if session_name else settings
    if not section.get("sso_start_url") or not section.get("sso_region"):
        return None
    scopes = [each.strip() for each in str(section.get("sso_registration_scopes", _SCOPE)).split(",")]
    return SsoProfile(
        name, section["sso_start_url"], section["sso_region"], session_name, tuple(scopes) if session_name else ()
    )


def sign_in(
    session: boto3.Session,
    show: Callable[[SignIn], None],
    cancelled: Callable[[], bool] = lambda: False,
    *,
    clock: Clock | None = None,
) -> boto3.Session:
    """Have a person sign in, and open a session like another with what comes of it.

    Parameters
    ----------
    session : boto3.Session
        Of a profile with SSO, its own or that of a profile whose credentials it uses.
    show : callable
        Told where the person goes, which code they find there, and until when.
    cancelled : callable
        Asked several times a second whether to stop.

    Returns
    -------
    boto3.Session
        Its credentials renew themselves as long as the sign-in lasts. The token is in memory only.

    Raises
    ------
    CredentialsError
        The person refused, or may not have the profile's role, or the profile is not signed in to by SSO.
    ExpiredCredentialsError
        Nobody signed in before the code ran out.
    CancelledError
    EndpointUnreachableError
    """
    found = find_sso(session.profile_name)
    if found is None:
        raise CredentialsError(
            f"The profile {session.profile_name!r} is not signed in to by SSO",
            why="It has neither an sso_session nor an sso_start_url with its sso_region.",
            next_step="Choose another profile, or complete this one with `aws configure sso`.",
        )
    token = _fetch_token(session, found, show, cancelled, clock or SystemClock())
    tokens = _Hidden()
    SSOTokenLoader(cache=tokens).save_token(found.start_url, token, session_name=found.session_name)
    opened = _open(session.profile_name, session.region_name, tokens)
    _fetch_credentials(opened, found)
    return opened


def _fetch_credentials(session: boto3.Session, found: SsoProfile) -> None:
    """Have the session fetch its credentials: only now it is known whether the person may have those of the role."""
    with asking("Getting the credentials"):
        try:
            session.get_credentials().get_frozen_credentials()
        except botocore_errors.ClientError as error:
            if error.operation_name != "GetRoleCredentials":
                raise
            raise CredentialsError(
                f"The role of the profile {found.name!r} is not for whoever signed in",
                why=error_message(error),
                next_step="Choose another profile, or ask who administers IAM Identity Center for this role.",
                code=error_code(error),
            ) from None


def _fetch_token(
    session: boto3.Session,
    found: SsoProfile,
    show: Callable[[SignIn], None],
    cancelled: Callable[[], bool],
    clock: Clock,
) -> _Hidden:
    """The token, as botocore keeps one."""
    config = Config(signature_version=UNSIGNED, connect_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT)
    with asking("Signing in"):
        client = session.client("sso-oidc", region_name=found.region, config=config)
        scopes = {"scopes": list(found.scopes)} if found.scopes else {}
        registered = _Hidden(client.register_client(clientName=_CLIENT, clientType="public", **scopes))
        known = _Hidden(clientId=registered["clientId"], clientSecret=registered["clientSecret"])
        device = _Hidden(client.start_device_authorization(startUrl=found.start_url, **known))
        address = str(device["verificationUri"])
        show(
            SignIn(
                address=address,
                direct=str(device.get("verificationUriComplete") or address),
                code=str(device["userCode"]),
                until=datetime.now(UTC) + timedelta(seconds=device["expiresIn"]),
            )
        )
        answer = _poll(client, known, device, clock, cancelled)
    token = _Hidden(
        startUrl=found.start_url,
        region=found.region,
        accessToken=answer["accessToken"],
        expiresAt=_written(datetime.now(UTC) + timedelta(seconds=answer["expiresIn"])),
        registrationExpiresAt=_written(datetime.fromtimestamp(registered["clientSecretExpiresAt"], UTC)),
        **known,
    )
    if answer.get("refreshToken"):
        token["refreshToken"] = answer["refreshToken"]
    return token


def _written(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def _poll(client: Any, known: _Hidden, device: _Hidden, clock: Clock, cancelled: Callable[[], bool]) -> _Hidden:
    """Ask until the person has signed in."""
    deadline = clock.monotonic() + float(device["expiresIn"])
    wait = float(device.get("interval") or _INTERVAL)
    while clock.monotonic() + wait <= deadline:
        _wait(wait, clock, cancelled)
        try:
            return _Hidden(client.create_token(grantType=_GRANT, deviceCode=device["deviceCode"], **known))
        except botocore_errors.ClientError as error:
            code = error_code(error)
            if code == "AccessDeniedException":
                raise CredentialsError(
                    "The sign-in was refused", why="Somebody declined it in the browser.", next_step="Sign in again."
                ) from None
            if code == "ExpiredTokenException":
                break
            if code not in ("AuthorizationPendingException", "SlowDownException"):
                raise
            wait += _SLOWER if code == "SlowDownException" else 0.0
    raise ExpiredCredentialsError(
        "Nobody signed in before the code ran out", next_step="Sign in again: it gives a new code."
    )


def _wait(seconds: float, clock: Clock, cancelled: Callable[[], bool]) -> None:
    end = clock.monotonic() + seconds
    while (left := end - clock.monotonic()) > 0:
        if cancelled():
            raise CancelledError("The sign-in was cancelled")
        clock.sleep(min(left, _HEARING))


def _open(profile: str, region_name: str | None, tokens: _Hidden) -> boto3.Session:
    """A session whose credentials come as botocore gets them, with these tokens instead of those in files."""
    inner = botocore.session.Session(profile=profile)

    def create_client(service: str, **given: Any) -> Any:
        return inner.create_client(service, **({"region_name": region_name} | given))

    builder = ProfileProviderBuilder(inner, cache={}, region_name=region_name, sso_token_cache=tokens)
    role = AssumeRoleProvider(
        load_config=lambda: inner.full_config,
        client_creator=create_client,
        cache={},
        profile_name=profile,
        profile_provider_builder=builder,
    )
    resolver = CredentialResolver([role, *builder.providers(profile, disable_env_vars=True)])
    inner.register_component("credential_provider", resolver)
    return boto3.Session(botocore_session=inner, region_name=region_name)
