"""Connect: who we are in AWS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import traitlets as tl

from podpac_lambda_widgets.errors import InvalidValueError, PodpacLambdaError
from podpac_lambda_widgets.model.base import StrictHasTraits, Text
from podpac_lambda_widgets.widgets.backend import Backend, Connection
from podpac_lambda_widgets.widgets.fields import Choice, action, actions, describe_field, group
from podpac_lambda_widgets.widgets.form import Form
from podpac_lambda_widgets.widgets.worker import Task, Worker


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


_NO_PROFILE: Choice = ("", "Found by boto3 (environment, default profile, role)")
_NO_REGION: Choice = ("", "The region of the profile or environment")


class CredentialsForm(Form):
    """Gets into AWS, or starts the embedded one.

    Parameters
    ----------
    worker : Worker
        Runs what takes time.
    backend : Backend
        Gets in.
    """

    #: What we are connected to, or None. Not synced: the front end sees facts only.
    connection = tl.Instance(Connection, allow_none=True)

    def __init__(self, worker: Worker, backend: Backend) -> None:
        self._backend = backend
        self.credentials = Credentials()
        super().__init__(
            worker,
            title="Connect",
            purpose="Use your AWS account, or try everything on this machine first.",
            icon="key",
            blocks=self._layout(),
        )
        self.bind(self.credentials, self.credentials.trait_names())
        self.set_choices("profile", [_NO_PROFILE])
        self.set_choices("region", [_NO_REGION])
        self.add_secret("secret_access_key")
        self.add_secret("session_token")
        self.on_action("connect", self.connect)
        self.on_action("use_embedded_aws", self.use_embedded_aws)
        self.stand("ready", "Not connected")
        self.start("Look for profiles", self._look_around, self._offer, quiet=True)

    def _layout(self) -> list[dict[str, Any]]:
        once = "Sent once to the kernel; never saved."
        return [
            {"block": "card"},
            group("", [describe_field(self.credentials, name, kind="select") for name in ("profile", "region")]),
            group(
                "Or with an access key",
                [
                    describe_field(self.credentials, "access_key_id", span=4, mono=True),
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
                action(
                    "use_embedded_aws", "Use embedded AWS", note="A private AWS on this machine: no account, no cost."
                ),
            ),
            {"block": "facts"},
        ]

    def connect(self) -> None:
        """Do what the Connect button does. The secrets are forgotten here as soon as they are used."""
        self.check_fields()
        given = self.credentials.trait_values()
        self._check_complete(given, self.has_secret("secret_access_key"), self.has_secret("session_token"))
        self.worker.check_free()
        secret, token = self.take_secret("secret_access_key"), self.take_secret("session_token")
        self.start(
            "Connecting to AWS",
            lambda task: self._backend.connect(**given, secret_access_key=secret, session_token=token),
            self._connected,
            hide=[each for each in (secret, token) if each is not None],
        )

    def use_embedded_aws(self) -> None:
        """Do what the Use embedded AWS button does."""
        self.start("Starting the embedded AWS", lambda task: self._backend.connect_embedded(), self._connected)

    def _check_complete(self, given: dict[str, Any], secret: bool, token: bool) -> None:
        if given["access_key_id"] and not secret:
            raise InvalidValueError(
                "Type the secret access key that belongs to this key ID.", field="secret_access_key"
            )
        if (secret or token) and not given["access_key_id"]:
            raise InvalidValueError("Type the access key ID that belongs to the secret.", field="access_key_id")
        if given["access_key_id"].startswith("ASIA") and not token:
            raise InvalidValueError("This is a temporary key: its session token is needed too.", field="session_token")
        if given["access_key_id"] and given["profile"]:
            raise InvalidValueError("Use either a profile or an access key.", field="access_key_id")

    def show_error(self, error: PodpacLambdaError) -> None:
        """Show an error; what was connected before stays connected, and is said so."""
        super().show_error(error)
        if self.connection is not None:
            self.stand("failed", f"{error.what} Still connected to {self._place(self.connection)}.")

    def _look_around(self, task: Task) -> tuple[Sequence[str], Sequence[tuple[str, str]]]:
        return self._backend.profiles(), self._backend.regions()

    def _offer(self, found: tuple[Sequence[str], Sequence[tuple[str, str]]]) -> None:
        profiles, regions = found
        self.set_choices("profile", [_NO_PROFILE, *((name, name) for name in profiles)])
        self.set_choices("region", [_NO_REGION, *((code, f"{name} · {code}") for code, name in regions)])

    def _connected(self, connection: Connection) -> None:
        previous, self.connection = self.connection, connection
        if previous is not None:
            self.start("Leave the other account", lambda task: previous.close(), lambda nothing: None, quiet=True)
        identity = connection.identity
        expires = f"{identity.expires:%Y-%m-%d %H:%M %Z}" if identity.expires else "Does not expire"
        self.facts = [
            ["Account", identity.account],
            ["Identity", identity.arn],
            ["Region", identity.region],
            ["Credentials", expires],
        ]
        for name in ("access_key_id", "secret_access_key", "session_token"):
            self.set_field(name, error="")
        self.stand("done", f"Connected to {self._place(connection)}")
        # IAM user guide, "Root user best practices".
        if identity.arn.endswith(":root"):
            self.card = {
                "tone": "info",
                "what": "This is the key of the account's root user",
                "why": "It may do everything, and nothing can limit it.",
                "next_step": "Make an IAM user or role for this work, and connect with that.",
                "details": "",
            }

    @staticmethod
    def _place(connection: Connection) -> str:
        place = "the embedded AWS" if connection.embedded else f"account {connection.identity.account}"
        return f"{place}, {connection.identity.region}"
