"""The way into AWS for a form that stands alone: a session, a Connect form, or what boto3 finds by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from podpac_lambda_widgets.errors import NoCredentialsError
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.studio.behind import Aws, enter
from podpac_lambda_widgets.widgets.code import Code, write_call
from podpac_lambda_widgets.widgets.credentials_fields import connect_code
from podpac_lambda_widgets.widgets.credentials_form import CredentialsForm
from podpac_lambda_widgets.widgets.deploy_fields import node_arguments
from podpac_lambda_widgets.widgets.worker import Task, Worker

if TYPE_CHECKING:
    from podpac_lambda_widgets.widgets.backend import Connection, StackActions
    from podpac_lambda_widgets.widgets.form import Form


class Entrance:
    """Gets into AWS in the background, and gives stacks there.

    Parameters
    ----------
    given : boto3.Session, CredentialsForm or None
    wish : Deployment
        Where nothing was given, a ``Lambda`` has a session of its own.
    """

    def __init__(self, given: Any, wish: Deployment) -> None:
        self._form = given if isinstance(given, CredentialsForm) else None
        self._given, self._wish = given, wish
        self._backend = Aws()
        self._opened: Connection | None = None
        #: Forms that share a way in share what runs, too.
        self.worker = self._form.worker if self._form is not None else Worker()

    @property
    def connection(self) -> Connection | None:
        """The way in, once there is one."""
        return self._form.connection if self._form is not None else self._opened

    def open_for(self, form: Form, entered: Callable[[], None]) -> None:
        """Get in; ``entered`` is called then, and whenever the Connect form gets in elsewhere."""
        if self._form is not None:
            self._form.observe(lambda change: entered(), names="connection")
            if self.connection is not None:
                entered()
            return

        def opened(connection: Connection) -> None:
            self._opened = connection
            entered()

        form.start("Getting into AWS", self._open, opened, quiet=True)

    def _open(self, task: Task) -> Connection:
        from podpac_lambda_widgets.aws.session import connect

        session = self._given or getattr(self._wish, "session", None)
        return enter(connect() if session is None else session)

    def stack(self, wish: Deployment, source: Source | None) -> StackActions:
        """The stack of a wish as it stands: what is typed while something runs is for the next time.

        Raises
        ------
        NoCredentialsError
            There is no way in yet.
        """
        if self.connection is None:
            raise NoCredentialsError(
                "Not connected to AWS",
                next_step="Give the form a session, such as session=connect(profile) or session=local_aws().",
            )
        deployment = Deployment(**{name: getattr(wish, name) for name in Deployment.class_trait_names()})
        copied = source and Source(**{name: getattr(source, name) for name in Source.class_trait_names()})
        return self._backend.stack(self.connection.account, deployment, copied)

    def write_code(self) -> Code:
        """How to get in: as the Connect form did, or a session of the same kind."""
        if self._form is not None:
            return self._form.write_code()
        if self._opened is not None and self._opened.embedded:
            return Code("Connect", write_call("plw.local_aws", {}, variable="session"))
        return session_code(self._given)

    def write_node(self, wish: Deployment) -> Code:
        """The function of a wish, as a node that is there already."""
        return Code("Function", write_call("plw.Lambda", node_arguments(wish, {}), variable="cloud"))


def session_code(session: Any) -> Code:
    """A session like another, with the secret asked for where it has a key of its own; None for boto3's own."""
    if session is None:
        return connect_code("", "", "")
    credentials = session.get_credentials()
    if credentials is not None and credentials.method == "explicit":
        return connect_code("", credentials.access_key, session.region_name)
    profile = "" if session.profile_name == "default" else session.profile_name
    return connect_code(profile, "", session.region_name)
