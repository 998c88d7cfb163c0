"""What the forms ask of the rest of the package. ``studio`` fulfils it with AWS; tests fulfil it with a fake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from podpac_lambda_widgets.secret import Secret

if TYPE_CHECKING:
    from podpac_lambda_widgets.engine.capacity import Capacity, Way
    from podpac_lambda_widgets.engine.events import Listener
    from podpac_lambda_widgets.engine.history import RunRecord
    from podpac_lambda_widgets.engine.jobs import Job
    from podpac_lambda_widgets.engine.ports import Account
    from podpac_lambda_widgets.engine.results import Result
    from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
    from podpac_lambda_widgets.model.deployment import Deployment
    from podpac_lambda_widgets.model.pipeline import Pipeline
    from podpac_lambda_widgets.model.source import Source
    from podpac_lambda_widgets.packaging.archive import Examination, Package
    from podpac_lambda_widgets.packaging.finding import FoundArchive
    from podpac_lambda_widgets.packaging.progress import Listener as BuildListener
    from podpac_lambda_widgets.plan.account import Identity, LogLine, SignIn
    from podpac_lambda_widgets.plan.changes import Plan
    from podpac_lambda_widgets.plan.description import Description
    from podpac_lambda_widgets.plan.permissions import Purpose

Cancelled = Callable[[], bool]


@dataclass(frozen=True)
class Connection:
    """A way into AWS that has been tried.

    Parameters
    ----------
    account : Account
        What a stack is built in.
    identity : Identity
        Who AWS says we are.
    embedded : bool
        Whether it is the AWS of this machine.
    close : callable
        Called when the connection is given up.
    """

    account: Account
    identity: Identity
    embedded: bool = False
    close: Callable[[], None] = lambda: None


class StackActions(Protocol):
    """What the forms do with a stack; see :class:`podpac_lambda_widgets.engine.stack.Stack`."""

    def plan(self) -> Plan:
        """Compare the wish with the account."""

    def build(self, listener: Listener, cancelled: Cancelled, *, expected: Plan) -> Plan:
        """Make the account as the wish says, if that is what is expected; else raise PlanOutdatedError."""

    def plan_delete(self) -> Plan:
        """What deleting would take away."""

    def delete(self, *, confirm: bool | str, listener: Listener, cancelled: Cancelled, expected: Plan) -> Plan:
        """Take away everything of this stack, if that is what is expected; else raise PlanOutdatedError.

        ``confirm`` is the function's name where results would be lost, else True.
        """

    def describe(self) -> Description:
        """What there is of the stack in the account."""

    def missing_for(self, purpose: Purpose) -> tuple[str, ...] | None:
        """Which permissions of the policy are missing, in words; None when AWS does not let us ask."""

    def policy_for(self, purpose: Purpose) -> dict[str, Any]:
        """The smallest policy with which the stack can be deployed, run or destroyed."""

    def capacity(self) -> Capacity:
        """What the function takes."""

    def submit(
        self,
        pipeline: Pipeline,
        coordinates: CoordinatesDefinition,
        way: Way,
        listener: Callable[[Job], None],
    ) -> Job:
        """Begin to evaluate a pipeline in the function; ``listener`` hears of it on another thread."""

    def submit_zarr(
        self,
        pipeline: Pipeline,
        coordinates: CoordinatesDefinition,
        result: Result,
        listener: Callable[[Job], None],
    ) -> Job:
        """Begin to have a result written into the function's bucket as Zarr, see :attr:`Result.zarr`."""

    def resume(self, job: Job) -> Job:
        """Go on with a run that failed after it was sent."""

    def get_runs(self, *, limit: int) -> tuple[RunRecord, ...]:
        """The function's last runs, newest first, as its log tells of them."""

    def get_logs(self, *, request_id: str) -> tuple[LogLine, ...]:
        """The lines of one run in the function's log."""


class Backend(Protocol):
    """Everything behind the forms. Every method may take seconds, and is called on the worker's thread."""

    def profiles(self) -> Sequence[tuple[str, str]]:
        """Name and description of each profile found on this machine."""

    def regions(self) -> Sequence[tuple[str, str]]:
        """Code and long name of each region."""

    def connect(
        self,
        *,
        profile: str,
        access_key_id: str,
        secret_access_key: Secret | None,
        session_token: Secret | None,
        region: str,
        sign_in: Callable[[SignIn], None] | None,
        cancelled: Cancelled,
    ) -> Connection:
        """Get into AWS and ask who we are; ``sign_in`` is told how, where somebody has to sign in by a browser."""

    def connect_embedded(self) -> Connection:
        """Start the embedded AWS and get into it."""

    def identity(self, connection: Connection) -> Identity:
        """Who we are by now: credentials that renew themselves end later and later."""

    def build_archives(self, directory: Path, runtime: str, listener: BuildListener, cancelled: Cancelled) -> Package:
        """Build the two archives for a Lambda runtime, or for this machine's own Python where it is empty."""

    def find_archives(self, folder: Path) -> Sequence[FoundArchive]:
        """The zip files below a folder."""

    def examine_archives(self, source: Source, wish: Deployment | None) -> Examination:
        """Look into two files: what they are, and everything for which the function could not use them."""

    def measure_objects(self, connection: Connection, source: Source) -> list[list[Any]]:
        """The archives in a bucket, as facts of a form: they are looked into when a plan is made."""

    def stack(self, account: Account, deployment: Deployment, source: Source) -> StackActions:
        """The stack of a deployment in an account."""
