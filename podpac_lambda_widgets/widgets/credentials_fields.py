"""What there is to fill in before connecting, the same as code, and how long credentials last in words."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import traitlets as tl

from podpac_lambda_widgets.errors import PermissionsMissingError
from podpac_lambda_widgets.model.base import StrictHasTraits, Text
from podpac_lambda_widgets.widgets.cards import error_card, policy_to_ask_for
from podpac_lambda_widgets.widgets.code import Code, literal, write_call
from podpac_lambda_widgets.widgets.fields import Choice, action, actions, describe_field, group
from podpac_lambda_widgets.widgets.signing_in import SIGN_IN, sign_in_block

if TYPE_CHECKING:
    from podpac_lambda_widgets.plan.account import Identity


class Credentials(StrictHasTraits):
    """How to get into AWS. The secret parts are not here: see :meth:`Form.take_secret`."""

    profile = tl.Unicode("", help="Profiles of your AWS configuration, SSO included.").tag(label="Profile")
    region = tl.Unicode("", help="Where the function runs. Near your data is best.").tag(label="Region")
    # IAM API reference, AccessKey: AccessKeyId is 16 to 128 characters of \w.
    access_key_id = Text(
        "",
        pattern=r"(?a:\w){16,128}",
        rule="16 to 128 letters and digits, without spaces, such as AKIAIOSFODNN7EXAMPLE.",
        help="Begins with AKIA or ASIA.",
    ).tag(label="Access key ID", placeholder="AKIA…")


NO_PROFILE: Choice = ("", "Found by boto3 (environment, default profile, role)")
NO_REGION: Choice = ("", "The region of the profile or environment")


def credentials_layout(credentials: Credentials) -> list[dict[str, Any]]:
    """The blocks of the Connect form, and of the question it asks."""
    once = "Sent once to the kernel; never saved."
    return [
        {"block": "card"},
        group("", [describe_field(credentials, name, kind="select") for name in ("profile", "region")]),
        group(
            "Or with an access key",
            [
                describe_field(credentials, "access_key_id", span=4, mono=True),
                {
                    "name": "secret_access_key",
                    "label": "Secret access key",
                    "kind": "secret",
                    "help": once,
                    "span": 4,
                },
                {
                    "name": "session_token",
                    "label": "Session token",
                    "kind": "secret",
                    "help": "Only for temporary keys (ASIA).",
                    "span": 4,
                },
            ],
        ),
        actions(
            action("connect", "Connect", "primary"),
            action(SIGN_IN, "Sign in", "primary"),
            action("use_embedded_aws", "Use embedded AWS", note="A private AWS on this machine: no account, no cost."),
        ),
        sign_in_block(),
        {
            "block": "question",
            "actions": [
                action("use_root_keys", "Use the root keys", "danger"),
                action("leave_root_keys", "Leave them"),
            ],
        },
        {"block": "facts"},
    ]


def connect_code(profile: str, access_key_id: str, region: str, *, signs_in: bool = False) -> Code:
    """Getting in by a profile or a key, as Python; the secret, or a sign-in, is asked for where the code runs."""
    given = {"profile": profile, "access_key_id": access_key_id, "region_name": region}
    arguments = {name: literal(value) for name, value in given.items() if value}
    imports: tuple[str, ...] = ()
    if access_key_id:
        imports = ("from getpass import getpass",)
        asked = ["secret_access_key", *(["session_token"] if access_key_id.startswith("ASIA") else [])]
        typed = {name: f'getpass("{name.replace("_", " ").capitalize()}: ")' for name in asked}
        typed["secret_access_key"] += "  # Asked for here: no secret belongs into code."
        arguments = {"access_key_id": arguments.pop("access_key_id"), **typed, **arguments}
    if signs_in:
        arguments["sign_in"] = "print"
    return Code("Connect", write_call("plw.connect", arguments, variable="session"), imports)


def permissions_in_words(missing: tuple[str, ...] | None) -> str:
    """Whether deploying is permitted; None where AWS does not let us ask."""
    if missing is None:
        return "AWS does not let us ask: building will tell"
    return f"{len(missing)} missing for deploying" if missing else "All that deploying takes"


def permissions_card(missing: tuple[str, ...], policy: str) -> dict[str, Any]:
    """What is missing, by name, and the policy to ask for."""
    count = len(missing)
    error = PermissionsMissingError(
        f"{count} permission{'s' if count > 1 else ''} to deploy {'are' if count > 1 else 'is'} missing",
        missing=list(missing),
    )
    return {**error_card(error), "tone": "info", **policy_to_ask_for(policy)}


def time_left(identity: Identity, now: datetime) -> str:
    """How long the credentials last, and until when."""
    left = identity.time_to_expiry(now)
    if identity.expires is None or left is None:
        return "No known end"
    minutes = int(left.total_seconds() // 60)
    if minutes < 0:
        return "Expired"
    if minutes < 120:
        return f"Expire in {minutes or 'less than 1'} min, at {identity.expires:%H:%M %Z}"
    hours = f"{minutes // 60} h {minutes % 60} min" if minutes < 48 * 60 else f"{minutes // 1440} days"
    return f"Expire in {hours}, on {identity.expires:%Y-%m-%d %H:%M %Z}"
