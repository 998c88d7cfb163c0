"""An AWS account in one region: fulfils the engine's port by one module per service."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from podpac_lambda_widgets.aws import bucket_contents, functions, iam, logs, objects, s3
from podpac_lambda_widgets.aws.log_events import read_log_lines
from podpac_lambda_widgets.aws.log_mask import mask_credentials
from podpac_lambda_widgets.aws.session import check_region
from podpac_lambda_widgets.aws.translate import asking
from podpac_lambda_widgets.aws.waiting import CONNECT_TIMEOUT, READ_TIMEOUT, TRANSFER_TIMEOUT
from podpac_lambda_widgets.clock import Clock, SystemClock
from podpac_lambda_widgets.plan.account import Identity, Invocation, LogLine, Progress
from podpac_lambda_widgets.plan.changes import Update
from podpac_lambda_widgets.plan.resources import (
    Bucket,
    BucketContents,
    Function,
    LogGroup,
    Observed,
    Resource,
    Role,
    StoredObject,
)

_USER_AGENT = "podpac-lambda-widgets"


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

    def __init__(self, session: boto3.Session, clock: Clock | None = None) -> None:
        check_region(session.region_name)
        mask_credentials()
        self.session = session
        self.clock: Clock = clock or SystemClock()
        self._clients: dict[tuple[str, float, int], Any] = {}
        # boto3 sessions are not safe to use from several threads; the clients they make are.
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"AwsAccount(region={self.session.region_name!r})"

    def _client(self, service: str, read_timeout: float = READ_TIMEOUT, attempts: int = 5) -> Any:
        with self._lock:
            key = (service, read_timeout, attempts)
            if key not in self._clients:
                config = Config(
                    read_timeout=read_timeout,
                    connect_timeout=CONNECT_TIMEOUT,
                    retries={"mode": "standard", "total_max_attempts": attempts},
                    tcp_keepalive=True,
                    user_agent_extra=_USER_AGENT,
                )
                with asking(f"Opening {service}"):
                    self._clients[key] = self.session.client(service, config=config)
            return self._clients[key]

    @cached_property
    def _identity(self) -> Identity:
        return self._ask_identity()

    def _ask_identity(self) -> Identity:
        with asking("Asking AWS who we are"):
            answer = self._client("sts").get_caller_identity()
        credentials = self.session.get_credentials()
        expires = getattr(credentials, "_expiry_time", None)
        return Identity(
            account=answer["Account"],
            arn=answer["Arn"],
            region=str(self.session.region_name),
            partition=str(answer["Arn"]).split(":")[1],
            expires=expires,
        )

    def identity(self) -> Identity:
        """Who we are; raises a CredentialsError when AWS does not know us."""
        return self._identity

    def read(self, wanted: Resource) -> Observed | None:
        """The resource of that kind and name as AWS has it, or None when there is none."""
        match wanted:
            case Role():
                return iam.read_role(self._client("iam"), wanted)
            case Bucket():
                return s3.read_bucket(self._client("s3"), wanted, self._identity.account, self._ask_identity)
            case StoredObject():
                return objects.read_object(self._client("s3"), wanted, self._identity.account, self._ask_identity)
            case LogGroup():
                return logs.read_log_group(self._client("logs"), wanted)
            case Function():
                return functions.read_function(self._client("lambda"), wanted)
        raise TypeError(f"no such kind of resource: {wanted.kind}")

    def create(self, wanted: Resource, stack: str, progress: Progress) -> None:
        """Make it, marked as the stack's in the creating call where AWS allows."""
        match wanted:
            case Role():
                iam.create_role(self._client("iam"), wanted)
            case Bucket():
                s3.create_bucket(self._client("s3"), wanted, self._identity.account, self.clock)
            case StoredObject():
                self._put_object(wanted, stack, progress)
            case LogGroup():
                logs.create_log_group(self._client("logs"), wanted)
            case Function():
                functions.create_function(self._client("lambda"), wanted, self.clock)

    def update(self, change: Update, stack: str, progress: Progress) -> None:
        """Bring the differing fields to what is wanted."""
        wanted, fields = change.resource, {difference.field for difference in change.differences}
        match wanted:
            case Role():
                iam.update_role(self._client("iam"), wanted, fields)
            case Bucket():
                s3.update_bucket(self._client("s3"), wanted, fields, self._identity.account)
            case StoredObject():
                self._put_object(wanted, stack, progress)
            case LogGroup():
                arn = self._arn("logs", f"log-group:{wanted.name}")
                logs.update_log_group(self._client("logs"), wanted, fields, arn)
            case Function():
                arn = self._arn("lambda", f"function:{wanted.name}")
                functions.update_function(self._client("lambda"), change, wanted, self.clock, arn)

    def _put_object(self, wanted: StoredObject, stack: str, progress: Progress) -> None:
        client = self._client("s3", TRANSFER_TIMEOUT)
        objects.put_object(client, wanted, stack, self._identity.account, progress, self._ask_identity)

    def _arn(self, service: str, what: str) -> str:
        who = self._identity
        return f"arn:{who.partition}:{service}:{who.region}:{who.account}:{what}"

    def delete(self, found: Resource, stack: str, progress: Progress) -> None:
        """Take it away; gone already is fine."""
        match found:
            case Role():
                iam.delete_role(self._client("iam"), found.name, self.clock)
            case Bucket():
                account = self._identity.account
                bucket_contents.empty_bucket(self._client("s3"), found, stack, account, progress)
                s3.delete_bucket(self._client("s3"), found.name, account, self.clock)
            case BucketContents():
                bucket_contents.empty_bucket(self._client("s3"), found, stack, self._identity.account, progress)
            case StoredObject():
                objects.delete_object(self._client("s3"), found, self._identity.account)
            case LogGroup():
                logs.delete_log_group(self._client("logs"), found.name)
            case Function():
                functions.delete_function(self._client("lambda"), found.name, self.clock)

    def count_objects(self, bucket: Bucket, stack: str) -> tuple[int, int]:
        """How many objects of a bucket are the stack's, and how many are somebody else's."""
        return bucket_contents.count_objects(self._client("s3"), bucket, stack, self._identity.account)

    def inspect_object(self, bucket: str, key: str) -> Mapping[str, str | int]:
        """``size``, ``sha256`` (empty when unknown) and ``etag`` of an object; raises ResourceNotFoundError."""
        return objects.inspect_object(self._client("s3"), bucket, key, self._ask_identity)

    def invoke(self, function_name: str, payload: bytes, timeout: float) -> Invocation:
        """Call a function once and wait for at most ``timeout`` seconds.

        The SDK's own retries are off: after a read timeout they would run the function again.
        """
        client = self._client("lambda", read_timeout=timeout, attempts=1)
        after = "The function may still be running: look at its log before you call it again."
        with asking("Calling the function", function_name, seconds=timeout, after_timeout=after):
            answer = client.invoke(FunctionName=function_name, LogType="Tail", Payload=payload)
            body = answer["Payload"].read()
        log = base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace")
        return Invocation(
            payload=body,
            function_error=answer.get("FunctionError", ""),
            log=log,
            request_id=_run_id(log) or answer["ResponseMetadata"].get("RequestId", ""),
        )

    def log_lines(
        self, group: str, *, start: datetime | None, end: datetime | None, request_id: str
    ) -> Iterator[LogLine]:
        """Lines of a log group, oldest first; raises ResourceNotFoundError where there is none."""
        return read_log_lines(self._client("logs"), group, start=start, end=end, request_id=request_id)

    def fetch(self, bucket: str, key: str, progress: Progress) -> bytes:
        """The bytes of an object."""
        return objects.fetch_object(self._client("s3", TRANSFER_TIMEOUT), bucket, key, progress)


def _run_id(log: str) -> str:
    """The id by which the log knows the run; the answer has one too, but a gateway may put its own there."""
    found = re.search(r"RequestId: ([0-9a-f-]{36})", log)
    return found.group(1) if found else ""
