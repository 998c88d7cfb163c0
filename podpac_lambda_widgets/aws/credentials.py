"""How long credentials last, and what brings new ones."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import boto3
import botocore.session
from botocore import exceptions as botocore_errors

from podpac_lambda_widgets.aws.sso import find_signed_in_profile, find_sso
from podpac_lambda_widgets.aws.translate import asking
from podpac_lambda_widgets.errors import CredentialsError, ExpiredCredentialsError, PodpacLambdaError

#: Part of what botocore's RefreshableCredentials raise, as a plain RuntimeError.
_STILL_EXPIRED = "still expired"
#: Where the credentials of profiles come from that are, or may be, signed in to; by botocore's names.
_SIGNED_IN = ("sso", "assume-role", "login")


def is_root(arn: str) -> bool:
    """Whether an identity is an account's root user, whom no policy holds back."""
    return re.fullmatch(r"arn:[\w-]+:iam::\d+:root", arn) is not None


def credentials_expiry(session: boto3.Session) -> datetime | None:
    """When the session's credentials end, in UTC; what botocore renews by itself is renewed first where it is due.

    None for credentials without an end, and where it is not known: a session token that was typed or stands in a file
    does not tell.

    Parameters
    ----------
    session : boto3.Session

    Raises
    ------
    CredentialsError
        They cannot be had, or have ended and cannot be renewed.
    EndpointUnreachableError
        What gives them could not be reached.
    """
    with explaining_expiry(session), asking("Getting the credentials"):
        credentials = session.get_credentials()
        if credentials is None:
            raise botocore_errors.NoCredentialsError
        # SSO's and roles' are fetched when they are first used.
        credentials.get_frozen_credentials()
    # botocore has no public name for it.
    expires = getattr(credentials, "_expiry_time", None)
    return expires.astimezone(UTC) if isinstance(expires, datetime) else None


def is_sign_in_over(session: boto3.Session) -> bool:
    """Whether the session has no credentials because nobody is signed in, and signing in by a browser would help."""
    try:
        credentials_expiry(session)
    except ExpiredCredentialsError as error:
        return error.sign_in
    except PodpacLambdaError:
        # Whoever uses the session is told.
        return False
    return False


@contextmanager
def explaining_expiry(session: boto3.Session) -> Iterator[None]:
    """Make errors about credentials inside the block say how to go on with those of this session.

    Parameters
    ----------
    session : boto3.Session
        The one whose credentials are used there.

    Raises
    ------
    ExpiredCredentialsError
        With the next step for this kind of credentials; also where botocore renewed them and got such as have ended.
    CredentialsError
        The program that a profile gets its credentials from answers with something else.
    """
    try:
        yield
    except ExpiredCredentialsError as error:
        error.next_step = renewal_step(session)
        error.sign_in = _method(session) in _SIGNED_IN and find_sso(session.profile_name) is not None
        raise
    except RuntimeError as error:
        if _STILL_EXPIRED not in str(error):
            raise
        raise ExpiredCredentialsError(
            "The credentials have expired", why=str(error), next_step=renewal_step(session)
        ) from None
    except json.JSONDecodeError:
        if not _has_program(session.profile_name):
            raise
        # Without the cause: it has the answer, and that may be credentials.
        raise CredentialsError(
            "AWS credentials could not be read",
            resource=session.profile_name,
            why="The program named there (credential_process) does not answer in JSON.",
            next_step=renewal_step(session),
        ) from None


def renewal_step(session: boto3.Session) -> str:
    """What a person does to get new credentials of the kind that the session has."""
    profile = session.profile_name
    match _method(session):
        case "explicit":
            return "Enter a new key, with its session token."
        case "env":
            return "Put new keys into the environment (AWS_ACCESS_KEY_ID and the others) and connect again."
        case "shared-credentials-file" | "config-file":
            return f"Write new keys into the profile {profile!r} and connect again."
        case method if method in _SIGNED_IN:
            return _sign_in_step(profile)
        case "assume-role-with-web-identity":
            return "Have the file with the web identity token renewed (AWS_WEB_IDENTITY_TOKEN_FILE), and try again."
        case "iam-role" | "container-role":
            return "This machine's role gives new ones by itself: wait a minute and try again; check the clock."
        case "custom-process":
            return f"Sign in again with the program that the profile {profile!r} gets its credentials from."
    return "Get new credentials and connect again."


def _method(session: boto3.Session) -> str | None:
    """Botocore's name for where the credentials come from."""
    try:
        return getattr(session.get_credentials(), "method", None)
    except (botocore_errors.BotoCoreError, json.JSONDecodeError):
        return "custom-process" if _has_program(session.profile_name) else None


def _has_program(profile: str) -> bool:
    profiles: Mapping[str, Mapping[str, Any]] = botocore.session.Session().full_config["profiles"]
    return "credential_process" in profiles.get(profile, {})


def _sign_in_step(profile: str) -> str:
    """For a profile that is signed in to, itself or through the profiles whose credentials it uses."""
    name, settings = find_signed_in_profile(profile)
    if "sso_session" in settings or "sso_start_url" in settings:
        return (
            "Press Sign in in the Connect form (in code: connect(profile, sign_in=print)), or run "
            f"`aws sso login --profile {name}`; then try again."
        )
    if "login_session" in settings:
        return f"Run `aws login --profile {name}`, then try again."
    return f"Renew the credentials of the profile {name!r} and connect again."
