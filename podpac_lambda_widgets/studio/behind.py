"""What is behind the forms: AWS, the embedded AWS, and the builder of the archives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from podpac_lambda_widgets.engine.jobs import Jobs
from podpac_lambda_widgets.limits import MEGABYTE
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.secret import Secret
from podpac_lambda_widgets.widgets.backend import Cancelled, Connection, StackActions

if TYPE_CHECKING:
    from podpac_lambda_widgets.engine.ports import Account
    from podpac_lambda_widgets.packaging.archive import Examination, Package
    from podpac_lambda_widgets.packaging.finding import FoundArchive
    from podpac_lambda_widgets.packaging.progress import Listener as BuildListener
    from podpac_lambda_widgets.plan.account import Identity, SignIn


class Aws:
    """The real thing behind the forms. What it needs is imported when it is used: boto3 takes half a second."""

    def __init__(self) -> None:
        self._jobs = Jobs()

    def profiles(self) -> Sequence[tuple[str, str]]:
        """Name and description of each profile found on this machine."""
        from podpac_lambda_widgets.aws.session import describe_profiles

        return describe_profiles()

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
        sign_in: Callable[[SignIn], None] | None = None,
        cancelled: Cancelled = lambda: False,
    ) -> Connection:
        """Get into AWS and ask who we are; ``sign_in`` is told how, where somebody has to sign in by a browser."""
        from podpac_lambda_widgets.aws.session import connect

        return enter(
            connect(
                profile or None,
                access_key_id=access_key_id or None,
                secret_access_key=secret_access_key,
                session_token=session_token,
                region_name=region or None,
                sign_in=sign_in,
                cancelled=cancelled,
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

    def find_archives(self, folder: Path) -> Sequence[FoundArchive]:
        """The zip files below a folder."""
        from podpac_lambda_widgets.packaging.finding import find_archives

        return find_archives(folder)

    def examine_archives(self, source: Source, wish: Deployment | None) -> Examination:
        """Look into two files: what they are, and everything for which the function could not use them."""
        from podpac_lambda_widgets.packaging.archive import examine_package
        from podpac_lambda_widgets.packaging.target import choose_target

        wish = wish or Deployment()
        runtime, architecture = wish.function_runtime, wish.function_architecture
        return examine_package(
            Path(source.function_source_dist_zip),
            Path(source.function_source_dependencies_zip),
            choose_target(runtime, architecture or None) if runtime else None,
            handler=wish.function_handler,
            ephemeral_storage=wish.function_ephemeral_storage,
        )

    def measure_objects(self, connection: Connection, source: Source) -> list[list[Any]]:
        """The archives in a bucket, as facts of a form: they are looked into when a plan is made."""
        keys = {
            "Distribution": source.function_source_dist_key,
            "Dependencies": source.function_source_dependencies_key,
        }
        sizes = {
            term: connection.account.inspect_object(source.function_source_bucket, key)["size"]
            for term, key in keys.items()
        }
        return [[term, f"{int(size) / MEGABYTE:,.0f} MB in the bucket"] for term, size in sizes.items()]

    def stack(self, account: Account, deployment: Deployment, source: Source | None) -> StackActions:
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
