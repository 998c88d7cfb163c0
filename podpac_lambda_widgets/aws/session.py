"""Getting into AWS: whatever credentials there are, as a ``boto3.Session``."""

from __future__ import annotations

import difflib
import functools
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
import botocore.session
from botocore import exceptions as botocore_errors

from podpac_lambda_widgets.aws import sso
from podpac_lambda_widgets.aws.credentials import is_sign_in_over
from podpac_lambda_widgets.aws.log_mask import mask_credentials
from podpac_lambda_widgets.errors import CredentialsError, InvalidValueError
from podpac_lambda_widgets.plan.account import SignIn
from podpac_lambda_widgets.secret import Secret

_PARTITIONS = ("aws", "aws-cn", "aws-us-gov", "aws-eusc")


def connect(
    profile: str | None = None,
    *,
    access_key_id: str | None = None,
    secret_access_key: Secret | str | None = None,
    session_token: Secret | str | None = None,
    region_name: str | None = None,
    sign_in: Callable[[SignIn], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> boto3.Session:
    """Open a session with AWS.

    Without arguments it looks where boto3 looks: environment, shared files, SSO, web identity, instance role.
    Nothing is sent to AWS yet, unless somebody has to sign in; ``AwsAccount(session).identity()`` asks who we are.

    Parameters
    ----------
    profile : str, optional
        A profile of the shared configuration files, SSO and assume-role profiles included.
    access_key_id : str, optional
        A key, with its ``secret_access_key`` and, for temporary ones (``ASIA...``), its ``session_token``. With it
        no profile is read.
    region_name : str, optional
        The region; else the environment's, or the profile's where one is used.
    sign_in : callable, optional
        For a profile with SSO: where its sign-in is missing or over, somebody is asked to sign in by a browser. It is
        told where, and with which code; ``print`` will do. This waits for them, up to ten minutes, and keeps the token
        in memory only: no file has it, and the next process asks again.
    cancelled : callable
        Asked several times a second, while somebody signs in, whether to stop.

    Raises
    ------
    InvalidValueError
        An unknown region, a key that cannot be one, or a key and a profile; ``field`` names which.
    CredentialsError
        There is no such profile, or the files they are in cannot be read, or nobody signed in.
    CancelledError
    """
    mask_credentials()
    # At once, and under the same names: a verbose traceback prints the arguments of every frame.
    secret_access_key, session_token = _hide(secret_access_key), _hide(session_token)
    if access_key_id or secret_access_key or session_token:
        if profile:
            raise InvalidValueError(
                "A profile and a key were given",
                field="profile",
                next_step="Choose a profile or enter a key, not both.",
            )
        return _connect_with_key(access_key_id or "", secret_access_key, session_token, region_name)
    session = _open_profile(profile, region_name)
    check_region(session.region_name)
    if sign_in is not None and is_sign_in_over(session):
        return sso.sign_in(session, sign_in, cancelled)
    return session


def _open_profile(profile: str | None, region_name: str | None) -> boto3.Session:
    with _reading_files():
        try:
            return boto3.Session(profile_name=profile or None, region_name=region_name or None)
        except botocore_errors.ProfileNotFound as error:
            missing = str(error.kwargs["profile"])
        found = profiles()
    close = difflib.get_close_matches(missing, found, n=1)
    step = (
        f"Did you mean {close[0]!r}?" if close else "Choose one of these, or enter a key." if found else "Enter a key."
    )
    raise CredentialsError(
        f"There is no profile {missing!r} on this machine",
        why=f"Found: {', '.join(found) or 'none'}." + ("" if profile else " The environment names it (AWS_PROFILE)."),
        next_step=step if profile else f"{step} Or unset AWS_PROFILE.",
    )


@contextmanager
def _reading_files() -> Iterator[None]:
    try:
        yield
    except botocore_errors.ConfigParseError as error:
        raise CredentialsError(
            "AWS's configuration files cannot be read",
            resource=str(error.kwargs.get("path", "")),
            why="It is not in the form of an INI file.",
            next_step="Mend the file, or enter a key.",
        ) from None


def _connect_with_key(access_key_id: str, secret: Secret, token: Secret, region_name: str | None) -> boto3.Session:
    key = access_key_id.strip()
    if not re.fullmatch(r"[A-Z0-9]{16,128}", key):
        raise InvalidValueError(
            "This cannot be an access key ID",
            field="access_key_id",
            why="It has 16 to 128 capital letters and digits, such as AKIAIOSFODNN7EXAMPLE.",
            next_step="Copy it again from the IAM console.",
        )
    if not secret:
        raise InvalidValueError("The secret access key is missing", field="secret_access_key")
    _check_characters(secret, "secret access key", "secret_access_key")
    if key.startswith("ASIA") and not token:
        raise InvalidValueError(
            "This is a temporary key: its session token is needed too",
            field="session_token",
            why="Access key IDs that begin with ASIA only work with a session token.",
        )
    _check_characters(token, "session token", "session_token")
    isolated = _without_profiles()
    region = region_name or isolated.get_config_variable("region")
    check_region(region)
    return boto3.Session(
        aws_access_key_id=key,
        aws_secret_access_key=secret.reveal().strip(),
        aws_session_token=token.reveal().strip() or None,
        region_name=region,
        botocore_session=isolated,
    )


def _check_characters(secret: Secret, name: str, field: str) -> None:
    if not re.fullmatch(r"[!-~]*", secret.reveal().strip()):
        raise InvalidValueError(
            f"The {name} has a space or a character inside that no {name} has",
            field=field,
            why="Such a character may be invisible; it comes from copying out of a page or a document.",
            next_step="Copy it again as plain text.",
        )


def _without_profiles() -> botocore.session.Session:
    """A session that reads the environment but neither a profile nor the shared files."""
    return botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )


def _hide(value: Secret | str | None) -> Secret:
    return value if isinstance(value, Secret) else Secret(value or "")


def profiles() -> tuple[str, ...]:
    """Names of the profiles found on this machine.

    Raises
    ------
    CredentialsError
        The files they are in cannot be read.
    """
    return tuple(_read_profiles())


def _read_profiles() -> dict[str, Mapping[str, Any]]:
    """Name and settings of each profile; those of the credentials file have none but their keys."""
    # Whichever profile the environment names: it may be one that is gone.
    session = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    with _reading_files():
        settings = session.full_config["profiles"]
        return {name: settings.get(name, {}) for name in session.available_profiles}


#: What tells where a profile's credentials come from, the first that is there.
_KINDS = {
    "sso_session": "SSO",
    "sso_start_url": "SSO",
    "login_session": "signed in",
    "role_arn": "role",
    "credential_process": "program",
    "aws_access_key_id": "key",
}


def describe_profiles() -> tuple[tuple[str, str], ...]:
    """Name of each profile, and in words where its credentials come from and its region.

    Raises
    ------
    CredentialsError
        The files they are in cannot be read.
    """
    return tuple((name, _describe(name, settings)) for name, settings in _read_profiles().items())


def _describe(name: str, settings: Mapping[str, Any]) -> str:
    kind = next((kind for key, kind in _KINDS.items() if key in settings), "")
    return " · ".join(text for text in (name, kind, str(settings.get("region", ""))) if text)


@functools.cache
def regions() -> tuple[tuple[str, str], ...]:
    """Code and long name of every region that has Lambda, in all partitions, as botocore knows them."""
    data = _without_profiles().get_data("endpoints")
    return tuple(
        (code, str(region["description"]))
        for partition in data["partitions"]
        if partition["partition"] in _PARTITIONS
        for code, region in partition["regions"].items()
    )


def check_region(region_name: str | None) -> None:
    """Make sure that there is such a region.

    Raises
    ------
    InvalidValueError
        With the closest name there is.
    """
    if not region_name:
        raise InvalidValueError(
            "No region was chosen", field="region", next_step="Choose where the function should run, such as us-east-1."
        )
    known = [code for code, _ in regions()]
    if region_name in known:
        return
    zone = re.fullmatch(r"([a-z-]+-\d)[a-z]", region_name)
    close = [zone.group(1)] if zone else difflib.get_close_matches(region_name, known, n=1)
    raise InvalidValueError(
        f"There is no region {region_name!r}",
        field="region",
        why="It is an availability zone, not a region." if zone else "This version of botocore does not know it.",
        next_step=f"Did you mean {close[0]}?"
        if close
        else "Choose one of the list; for a very new region, update boto3.",
    )
