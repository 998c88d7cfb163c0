"""What is behind the forms: AWS, the embedded AWS, and the builder of the archives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from podpac_lambda_widgets.engine.jobs import Jobs
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.secret import Secret
from podpac_lambda_widgets.widgets.backend import Cancelled, Connection, StackActions

if TYPE_CHECKING:
    from podpac_lambda_widgets.engine.ports import Account
    from podpac_lambda_widgets.packaging.archive import Package
    from podpac_lambda_widgets.packaging.progress import Listener as BuildListener
    from podpac_lambda_widgets.plan.account import Identity


class Aws:
    """The real thing behind the forms. What it needs is imported when it is used: boto3 takes half a second."""

    def __init__(self) -> None:
        self._jobs = Jobs()

    def profiles(self) -> Sequence[str]:
        """Profiles found on this machine."""
        from podpac_lambda_widgets.aws.session import profiles

        return profiles()

    def regions(self) -> Sequence[tuple[str, str]]:
        """Code and long name of each region."""
        from podpac_lambda_widgets.aws.session import regions

        return regions()

    def connect(
        self,
        *,
        profile: str,
        access_key_id: str,
        secret_access_key: Secret | None,
        session_token: Secret | None,
        region: str,
    ) -> Connection:
        """Get into AWS and ask who we are."""
        from podpac_lambda_widgets.aws.session import connect

        return enter(
            connect(
                profile or None,
                access_key_id=access_key_id or None,
                secret_access_key=secret_access_key,
                session_token=session_token,
                region_name=region or None,
            )
        )

    def connect_embedded(self) -> Connection:
        """Start the embedded AWS and get into it."""
        from podpac_lambda_widgets.aws.account import AwsAccount
        from podpac_lambda_widgets.local.emulator import local_aws

        session = local_aws()
        try:
            account = AwsAccount(session)
            return Connection(account, account.identity(), embedded=True, close=session.stop)
        except BaseException:
            session.stop()
            raise

    def identity(self, connection: Connection) -> Identity:
        """Who we are by now, and how long the credentials last."""
        return connection.account.identity()

    def build_archives(self, directory: Path, runtime: str, listener: BuildListener, cancelled: Cancelled) -> Package:
        """Build the two archives, unless equal ones are there."""
        from podpac_lambda_widgets.packaging.build import build_package

        return build_package(directory, runtime=runtime or None, listener=listener, cancelled=cancelled)

    def stack(self, account: Account, deployment: Deployment, source: Source) -> StackActions:
        """The stack of a deployment in an account."""
        from podpac_lambda_widgets.engine.stack import Stack

        stack = Stack(account, deployment, source)
        # A stack is made for each request; together they run so many pipelines at once, and no more.
        stack.jobs = self._jobs
        return stack


def enter(session: Any) -> Connection:
    """The way in that a boto3 session has: asks AWS who we are."""
    from podpac_lambda_widgets.aws.account import AwsAccount
    from podpac_lambda_widgets.local.session import LocalSession

    account = AwsAccount(session)
    return Connection(account, account.identity(), embedded=isinstance(session, LocalSession))


def find_archive_directory(start: Path) -> Path:
    """Where the archives belong: ``dist/aws`` of the checkout around ``start``, else below ``start``."""
    for folder in (start, *start.parents):
        if (folder / "dist" / "aws" / "handler.py").is_file():
            return folder / "dist" / "aws"
    return start / "dist" / "aws"
