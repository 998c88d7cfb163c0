"""Connect: who we are in AWS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import traitlets as tl

from podpac_lambda_widgets.errors import (
    CancelledError,
    CredentialsError,
    EndpointUnreachableError,
    ExpiredCredentialsError,
    InvalidValueError,
    PodpacLambdaError,
)
from podpac_lambda_widgets.widgets.backend import Backend, Connection
from podpac_lambda_widgets.widgets.cards import is_caused_by
from podpac_lambda_widgets.widgets.code import Code, write_call
from podpac_lambda_widgets.widgets.credentials_fields import (
    NO_PROFILE,
    NO_REGION,
    Credentials,
    connect_code,
    credentials_layout,
    time_left,
)
from podpac_lambda_widgets.widgets.fields import Choice
from podpac_lambda_widgets.widgets.form import Form
from podpac_lambda_widgets.widgets.permissions import Permissions
from podpac_lambda_widgets.widgets.signing_in import CANCEL, SIGN_IN, SigningIn
from podpac_lambda_widgets.widgets.worker import Task, Worker

if TYPE_CHECKING:
    from podpac_lambda_widgets.plan.account import Identity, SignIn


class CredentialsForm(Form):
    """Gets into AWS, or starts the embedded one.

    Parameters
    ----------
    worker : Worker
        Runs what takes time.
    backend : Backend
        Gets in.
    now : callable, optional
        The time, with its zone.
    """

    #: When the credentials end, in milliseconds since 1970; 0 for never or not known. The front end counts down.
    expires = tl.Float(0).tag(sync=True)
    #: What we are connected to, or None. Not synced: the front end sees facts only.
    connection = tl.Instance(Connection, allow_none=True)

    def __init__(
        self, worker: Worker, backend: Backend, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._backend = backend
        self.now = now
        #: A way in with the account's root keys, until somebody says whether to take it.
        self._root: Connection | None = None
        #: The code of the way in that is being tried, and of the one that we took.
        self._trying = self._taken = Code("Connect")
        #: Whether somebody is looking how long the credentials last; and whether they are known to have ended.
        self._looking = self._expired = False
        #: Whether deploying is permitted.
        self.permissions = Permissions(self)
        self.credentials = Credentials()
        super().__init__(
            worker,
            title="Connect",
            purpose="Use your AWS account, or try everything on this machine first.",
            icon="key",
            blocks=credentials_layout(self.credentials),
        )
        self.bind(self.credentials, self.credentials.trait_names())
        self.set_choices("profile", [NO_PROFILE])
        self.set_choices("region", [NO_REGION])
        self.add_secret("secret_access_key")
        self.add_secret("session_token")
        self.on_action("expired", self.shown)
        self.on_action("connect", self.connect)
        self.on_action(SIGN_IN, self.sign_in)
        self.on_action(CANCEL, worker.cancel)
        self._signing_in = SigningIn(self)
        self.on_action("use_embedded_aws", self.use_embedded_aws)
        self.on_action("use_root_keys", self.use_root_keys)
        self.on_action("leave_root_keys", self.leave_root_keys)
        self.stand("ready", "Not connected")
        self.start("Look for profiles", self._look_around, self._offer, quiet=True)

    def connect(self) -> None:
        """Do what the Connect button does. The secrets are forgotten here as soon as they are used."""
        self._connect()

    def sign_in(self) -> None:
        """Do what the Sign in button does: connect by a profile with SSO, where somebody signs in by a browser first.

        The form shows the address and the code. The token is kept in memory only.
        """
        self._connect(self._signing_in.show)

    def _connect(self, sign_in: Callable[[SignIn], None] | None = None) -> None:
        self.check_fields()
        given = self.credentials.trait_values()
        self._check_complete(given, self.has_secret("secret_access_key"), self.has_secret("session_token"))
        self.worker.check_free()
        self._forget_root()
        self._trying = self._fields_as_code(signs_in=sign_in is not None)
        secret, token = self.take_secret("secret_access_key"), self.take_secret("session_token")
        self.start(
            "Connecting to AWS",
            lambda task: self._backend.connect(
                **given, secret_access_key=secret, session_token=token, sign_in=sign_in, cancelled=task.cancelled
            ),
            self._connected,
            hide=[each for each in (secret, token) if each is not None],
        )

    def use_embedded_aws(self) -> None:
        """Do what the Use embedded AWS button does."""
        self.worker.check_free()
        self._forget_root()
        self._trying = Code("Connect", write_call("plw.local_aws", {}, variable="session"))
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
        self._signing_in.offer(error)
        if self.connection is not None and isinstance(error, CancelledError):
            self.stand("done", f"Connected to {self._place(self.connection)}")
        elif self.connection is not None:
            self.stand("failed", f"{error.what.rstrip('.')}. Still connected to {self._place(self.connection)}.")

    def _look_around(self, task: Task) -> tuple[Sequence[Choice], Sequence[Choice]]:
        return self._backend.profiles(), self._backend.regions()

    def _offer(self, found: tuple[Sequence[Choice], Sequence[Choice]]) -> None:
        profiles, regions = found
        self.set_choices("profile", [NO_PROFILE, *profiles])
        self.set_choices("region", [NO_REGION, *((code, f"{name} · {code}") for code, name in regions)])

    def _connected(self, connection: Connection) -> None:
        # The embedded AWS has nothing that could be lost.
        if not connection.identity.is_root or connection.embedded:
            self._enter(connection)
            return
        # IAM user guide, "Root user best practices".
        self._root = connection
        self.question = (
            f"These are the account's root keys: they may do everything in account {connection.identity.account}, and "
            "nothing can limit them. Better make an IAM user or role for this work. Go on with them all the same?"
        )
        self.stand("ready", "Waiting for your word")

    def use_root_keys(self) -> None:
        """Do what the Use the root keys button does: go on with them, now that it was said what they are."""
        connection = self._root
        if connection is None:
            raise InvalidValueError("There are no root keys to use", next_step="Press Connect first.")
        self.worker.check_free()
        self._root, self.question = None, ""
        self._enter(connection)

    def leave_root_keys(self) -> None:
        """Do what the Leave them button does: stay where we were."""
        self._forget_root()
        if self.connection is None:
            self.stand("ready", "Not connected")
        else:
            self.stand("done", f"Connected to {self._place(self.connection)}")

    def _forget_root(self) -> None:
        left, self._root = self._root, None
        self.question = ""
        if left is not None:
            self._close(left)

    def _enter(self, connection: Connection) -> None:
        previous, self.connection, self._taken = self.connection, connection, self._trying
        if previous is not None:
            self._close(previous)
        self._expired = False
        self.permissions.forget()
        self._signing_in.withdraw()
        self._show_identity(connection.identity)
        for name in ("access_key_id", "secret_access_key", "session_token"):
            self.set_field(name, error="")
        self.stand("done", f"Connected to {self._place(connection)}")
        self.permissions.ask()

    def _close(self, connection: Connection) -> None:
        self.start("Leave the other account", lambda task: connection.close(), lambda nothing: None, quiet=True)

    def write_code(self) -> Code:
        """How we got in; before that, how the fields say to."""
        if self.connection is not None:
            return self._taken
        self.check_fields()
        return self._fields_as_code()

    def _fields_as_code(self, *, signs_in: bool = False) -> Code:
        given = self.credentials
        return connect_code(given.profile, given.access_key_id, given.region, signs_in=signs_in)

    # How long the credentials last

    def shown(self) -> None:
        """Say how long the credentials last by now."""
        connection = self.connection
        if connection is None or connection.identity.expires is None or self._looking:
            return
        self._looking = True

        def look(task: Task) -> Identity | None:
            try:
                return self._backend.identity(connection)
            except EndpointUnreachableError:
                return connection.identity
            except CredentialsError:
                return None

        self.start(
            "Look how long the credentials last", look, lambda found: self._looked(connection, found), quiet=True
        )

    def _looked(self, connection: Connection, identity: Identity | None) -> None:
        self._looking = False
        if connection is not self.connection:
            return
        left = None if identity is None else identity.time_to_expiry(self.now())
        if identity is None or (left is not None and left <= timedelta()):
            self.show_expired()
        else:
            self._show_identity(identity)
            if self._expired and self.standing == "failed":
                self._expired = False
                self.stand("done", f"Connected to {self._place(connection)}")

    def follow_error(self, error: PodpacLambdaError) -> None:
        """Say that the credentials have ended, when that is why something failed in any form."""
        if is_caused_by(error, ExpiredCredentialsError) and self.connection is not None:
            self.show_expired()
            self._signing_in.offer(error)

    def show_expired(self) -> None:
        """Say that the credentials have ended. What was typed anywhere stays, for when new ones are there."""
        self._expired = True
        self.expires = 0
        self.facts = [["Credentials", "Expired"] if fact[0] == "Credentials" else fact for fact in self.facts]
        if self.standing != "working":
            self.stand("failed", "The credentials have expired: connect again")

    def _show_identity(self, identity: Identity) -> None:
        self.facts = [
            ["Account", identity.account],
            ["Identity", identity.arn],
            ["Region", identity.region],
            ["Credentials", time_left(identity, self.now())],
            *self.permissions.fact,
        ]
        self.expires = identity.expires.timestamp() * 1000 if identity.expires else 0

    def _follow_task(self, task: Task | None) -> None:
        super()._follow_task(task)
        if task is None:
            self._signing_in.end()

    @staticmethod
    def _place(connection: Connection) -> str:
        place = "the embedded AWS" if connection.embedded else f"account {connection.identity.account}"
        return f"{place}, {connection.identity.region}"
