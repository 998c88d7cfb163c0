"""An AWS account in one region: fulfils the engine's port by one module per service."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property

import boto3

from podpac_lambda_widgets.aws import bucket_contents, objects, simulation
from podpac_lambda_widgets.aws.clients import Clients
from podpac_lambda_widgets.aws.credentials import credentials_expiry, explaining_expiry, is_root
from podpac_lambda_widgets.aws.lock import StackLock
from podpac_lambda_widgets.aws.log_events import read_log_lines
from podpac_lambda_widgets.aws.log_mask import mask_credentials
from podpac_lambda_widgets.aws.quotas import read_bucket_quota, read_lambda_quotas
from podpac_lambda_widgets.aws.resources import Resources
from podpac_lambda_widgets.aws.session import check_region, connect
from podpac_lambda_widgets.aws.stacks import find_buckets, find_own_roles, read_stacks
from podpac_lambda_widgets.aws.translate import asking
from podpac_lambda_widgets.aws.waiting import TRANSFER_TIMEOUT
from podpac_lambda_widgets.clock import Clock, SystemClock
from podpac_lambda_widgets.errors import ResourceExistsError, ResourceNotFoundError
from podpac_lambda_widgets.plan.account import BucketCount, Identity, Invocation, LogLine, Progress, StackRecord, Tagged
from podpac_lambda_widgets.plan.actions import Grant
from podpac_lambda_widgets.plan.changes import Update
from podpac_lambda_widgets.plan.difference import differences
from podpac_lambda_widgets.plan.inventory import Inventory
from podpac_lambda_widgets.plan.quotas import BucketQuota, LambdaQuotas
from podpac_lambda_widgets.plan.resources import Bucket, BucketContents, Observed, Resource, StoredObject

#: How long AWS may take to show what it says is there already, seconds.
_VISIBLE_S = 60.0


class AwsAccount:
    """What the engine asks of AWS, answered with boto3.

    Parameters
    ----------
    session : boto3.Session
        Any session: of :func:`~podpac_lambda_widgets.connect`, of
        :func:`~podpac_lambda_widgets.local_aws`, or your own.
    clock : Clock, optional
        Time, for tests.
    """

    def __init__(
        self, session: boto3.Session, clock: Clock | None = None, wall_clock: Callable[[], float] = time.time
    ) -> None:
        check_region(session.region_name)
        mask_credentials()
        self.session = session
        self.clock: Clock = clock or SystemClock()
        self._wall_clock = wall_clock
        self._client = Clients(session, self.clock)

    def __repr__(self) -> str:
        return f"AwsAccount(region={self.session.region_name!r})"

    @cached_property
    def _identity(self) -> Identity:
        return self._ask_identity()

    def _ask_identity(self) -> Identity:
        with explaining_expiry(self.session), asking("Asking AWS who we are"):
            answer = self._client("sts").get_caller_identity()
        return Identity(
            account=answer["Account"],
            arn=answer["Arn"],
            region=str(self.session.region_name),
            partition=str(answer["Arn"]).split(":")[1],
            is_root=is_root(answer["Arn"]),
        )

    def identity(self) -> Identity:
        """Who we are; raises a CredentialsError when AWS does not know us."""
        # Credentials that renew themselves end later and later.
        return replace(self._identity, expires=credentials_expiry(self.session))

    @cached_property
    def _resources(self) -> Resources:
        return Resources(self._client, self._identity, self._ask_identity, self.clock)

    def read(self, wanted: Resource) -> Observed | None:
        """The resource of that kind and name as AWS has it, or None when there is none."""
        with explaining_expiry(self.session):
            return self._resources.read(wanted)

    def create(self, wanted: Resource, stack: str, progress: Progress) -> None:
        """Make it, marked as the stack's in the creating call where AWS allows.

        One that turns out to be there already is brought to what is wanted when it is the stack's: AWS shows new
        things late, and an answer may have been lost.

        Raises
        ------
        ResourceExistsError
            There is one that is not the stack's.
        """
        with explaining_expiry(self.session):
            deadline = self.clock.monotonic() + _VISIBLE_S
            while True:
                try:
                    return self._create(wanted, stack, progress)
                except ResourceNotFoundError:
                    # What has just been made is not to be found everywhere yet.
                    if self.clock.monotonic() >= deadline:
                        raise
                self.clock.sleep(2.0)

    def _create(self, wanted: Resource, stack: str, progress: Progress) -> None:
        try:
            self._resources.create(wanted, stack, progress)
        except ResourceExistsError as error:
            self._converge(wanted, stack, progress, error)

    def _converge(self, wanted: Resource, stack: str, progress: Progress, error: ResourceExistsError) -> None:
        found = self._read_patiently(wanted)
        if found is None or found.stack != stack:
            error.next_step = f"Choose another name for the {wanted.kind}."
            raise error
        changed = differences(wanted, found.resource)
        if changed:
            self._resources.update(Update(wanted, changed), stack, progress)

    def _read_patiently(self, wanted: Resource) -> Observed | None:
        """Read what AWS says is there until it shows it, its tags too."""
        deadline = self.clock.monotonic() + _VISIBLE_S
        while True:
            found = self._resources.read(wanted)
            if (found is not None and found.stack is not None) or self.clock.monotonic() >= deadline:
                return found
            self.clock.sleep(2.0)

    def update(self, change: Update, stack: str, progress: Progress) -> None:
        """Bring the differing fields to what is wanted."""
        with explaining_expiry(self.session):
            self._resources.update(change, stack, progress)

    def delete(self, found: Resource, stack: str, progress: Progress) -> None:
        """Take it away; gone already is fine."""
        with explaining_expiry(self.session):
            self._resources.delete(found, stack, progress)

    def lock(self, stack: str) -> StackLock:
        """Hold the stack for this builder; raises StackBusyError, which says who is building."""
        function, logs = stack.rpartition("@")[0], self._client("logs")
        with explaining_expiry(self.session):
            return StackLock.acquire(
                logs, function, stack, self._identity, wall_clock=self._wall_clock, clock=self.clock
            )

    def denied(self, grants: Sequence[Grant]) -> tuple[str, ...] | None:
        """Which of the actions we may not do, in words; None when AWS does not let us ask."""
        asked = [(grant.actions, resource, grant.context) for grant in grants for resource in grant.resources]
        with explaining_expiry(self.session):
            found = simulation.denied(self._client("iam"), self._identity.arn, asked)
        return None if found is None else tuple(f"{action} on {resource}" for action, resource in found)

    def quotas(self) -> LambdaQuotas | None:
        """What the account's quotas for Lambda are; None where they may not be read."""
        with explaining_expiry(self.session):
            return read_lambda_quotas(self._client("lambda"))

    def bucket_quota(self) -> BucketQuota | None:
        """How many buckets the account has and may have; None where that is no question, or nobody tells."""
        with explaining_expiry(self.session):
            return read_bucket_quota(self._client("s3"), lambda: self._client("service-quotas"))

    def tagged(self, stack: str) -> Tagged:
        """Names of the buckets and roles that bear the stack's tag; empty too where they may not be looked for."""
        with explaining_expiry(self.session):
            buckets = find_buckets(self._client("resourcegroupstaggingapi"), stack)
            roles = find_own_roles(self._client("iam"), stack)
        unsearched = [("tag:GetResources", buckets), ("iam:ListRoles", roles)]
        return Tagged(buckets or (), roles or (), tuple(action for action, found in unsearched if found is None))

    def stacks(self) -> tuple[StackRecord, ...]:
        """Every stack of ours in the region, with its age, size and calls of this month."""
        now = datetime.fromtimestamp(self._wall_clock(), UTC)
        with explaining_expiry(self.session):
            return read_stacks(self._client, self._identity, now)

    def stored_archives(self, bucket: Bucket) -> tuple[StoredObject, ...]:
        """Our archives in a bucket, those that no function uses any more too."""
        with explaining_expiry(self.session):
            return bucket_contents.list_archives(self._client("s3"), bucket, self._identity.account)

    def count_objects(self, bucket: Bucket | BucketContents, stack: str) -> BucketCount:
        """What is in a bucket."""
        with explaining_expiry(self.session):
            return bucket_contents.count_objects(self._client("s3"), bucket, stack, self._identity.account)

    def inspect_object(self, bucket: str, key: str) -> Mapping[str, str | int]:
        """``size``, ``sha256`` (empty when unknown) and ``etag`` of an object; raises ResourceNotFoundError."""
        with explaining_expiry(self.session):
            return objects.inspect_object(self._client("s3"), bucket, key, self._ask_identity)

    def invoke(self, function_name: str, payload: bytes, timeout: float) -> Invocation:
        """Call a function once and wait for at most ``timeout`` seconds.

        The SDK's own retries are off: after a read timeout they would run the function again.
        """
        client = self._client("lambda", read_timeout=timeout, attempts=1)
        after = "The function may still be running: look at its log before you call it again."
        asked = asking("Calling the function", function_name, seconds=timeout, after_timeout=after)
        with explaining_expiry(self.session), asked:
            answer = client.invoke(FunctionName=function_name, LogType="Tail", Payload=payload)
            body = answer["Payload"].read()
        log = base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace")
        return Invocation(
            payload=body,
            function_error=answer.get("FunctionError", ""),
            log=log,
            request_id=_run_id(log) or answer["ResponseMetadata"].get("RequestId", ""),
        )

    def send(self, function_name: str, payload: bytes) -> str:
        """Have a function called some time soon, and return the id of that run without waiting for it."""
        with explaining_expiry(self.session), asking("Sending to the function", function_name):
            answer = self._client("lambda").invoke(FunctionName=function_name, InvocationType="Event", Payload=payload)
        return str(answer["ResponseMetadata"].get("RequestId", ""))

    def log_lines(
        self, group: str, *, start: datetime | None, end: datetime | None, request_id: str
    ) -> Iterator[LogLine]:
        """Lines of a log group, oldest first; raises ResourceNotFoundError where there is none."""
        with explaining_expiry(self.session):
            yield from read_log_lines(self._client("logs"), group, start=start, end=end, request_id=request_id)

    def fetch(self, bucket: str, key: str, progress: Progress, *, own: bool = False) -> bytes:
        """The bytes of an object; ``own`` refuses a bucket of another account."""
        with explaining_expiry(self.session):
            owner = self._identity.account if own else ""
            return objects.fetch_object(self._client("s3", TRANSFER_TIMEOUT), bucket, key, owner, progress)

    def put(self, bucket: str, key: str, body: bytes, stack: str) -> None:
        """Store a JSON document, marked as the stack's."""
        with explaining_expiry(self.session):
            s3 = self._client("s3", TRANSFER_TIMEOUT)
            objects.put_document(s3, bucket, key, body, stack, self._identity.account)

    def remove(self, bucket: str, key: str) -> None:
        """Take away a document that was put; gone already is fine."""
        with explaining_expiry(self.session):
            objects.remove_document(self._client("s3"), bucket, key, self._identity.account)


def inventory(session: boto3.Session | None = None) -> Inventory:
    """Every stack that this package made in an account's region, so that nothing is forgotten. Reads only.

    Parameters
    ----------
    session : boto3.Session, optional
        Of :func:`~podpac_lambda_widgets.connect` or :func:`~podpac_lambda_widgets.local_aws`, or your own; else boto3's
        own sources.

    Raises
    ------
    PodpacLambdaError
        A typed one, when AWS does not know us or does not let us look (``tag:GetResources``).
    """
    account = AwsAccount(session or connect())
    return Inventory(account.identity(), account.stacks())


def _run_id(log: str) -> str:
    """The id by which the log knows the run; the answer has one too, but a gateway may put its own there."""
    found = re.search(r"RequestId: ([0-9a-f-]{36})", log)
    return found.group(1) if found else ""
