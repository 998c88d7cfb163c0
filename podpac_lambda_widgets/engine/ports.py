"""What the engine asks of the world. ``aws`` fulfils it; tests fulfil it with fakes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from podpac_lambda_widgets.plan.account import BucketCount, Identity, Invocation, LogLine, Progress, StackRecord, Tagged
from podpac_lambda_widgets.plan.actions import Grant
from podpac_lambda_widgets.plan.changes import Update
from podpac_lambda_widgets.plan.quotas import BucketQuota, LambdaQuotas
from podpac_lambda_widgets.plan.resources import Bucket, BucketContents, Observed, Resource, StoredObject


class Lock(Protocol):
    """A stack held for one builder, until the block ends; see :meth:`Account.lock`."""

    def renew_if_needed(self) -> None:
        """Go on holding it; raises StackBusyError when somebody else has taken it over."""

    def __enter__(self) -> Self:
        """Hold it."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let it go; failing at that hides no other error."""


class Account(Protocol):
    """An AWS account, in one region."""

    def identity(self) -> Identity:
        """Who we are; raises a CredentialsError when AWS does not know us."""

    def read(self, wanted: Resource) -> Observed | None:
        """The resource of that kind and name as AWS has it, or None when there is none."""

    def create(self, wanted: Resource, stack: str, progress: Progress) -> None:
        """Make it, marked as the stack's in the creating call where AWS allows."""

    def update(self, change: Update, stack: str, progress: Progress) -> None:
        """Bring the differing fields to what is wanted."""

    def delete(self, found: Resource, stack: str, progress: Progress) -> None:
        """Take it away; gone already is fine."""

    def lock(self, stack: str) -> Lock:
        """Hold the stack for this builder; raises StackBusyError, which says who is building."""

    def denied(self, grants: Sequence[Grant]) -> tuple[str, ...] | None:
        """Which of the actions we may not do, in words; None when AWS does not let us ask."""

    def quotas(self) -> LambdaQuotas | None:
        """What the account's quotas for Lambda are; None where they may not be read."""

    def bucket_quota(self) -> BucketQuota | None:
        """How many buckets the account has and may have; None where that is no question, or nobody tells."""

    def tagged(self, stack: str) -> Tagged:
        """Names of the buckets and roles that bear the stack's tag; empty too where they may not be looked for."""

    def stacks(self) -> tuple[StackRecord, ...]:
        """Every stack of ours in the region."""

    def stored_archives(self, bucket: Bucket) -> tuple[StoredObject, ...]:
        """Our archives in a bucket, those that no function uses any more too."""

    def count_objects(self, bucket: Bucket | BucketContents, stack: str) -> BucketCount:
        """What is in a bucket."""

    def inspect_object(self, bucket: str, key: str) -> Mapping[str, str | int]:
        """``size``, ``sha256`` (empty when unknown) and ``etag`` of an object; raises ResourceNotFoundError."""

    def invoke(self, function_name: str, payload: bytes, timeout: float) -> Invocation:
        """Call a function once and wait for at most ``timeout`` seconds."""

    def send(self, function_name: str, payload: bytes) -> str:
        """Have a function called some time soon, and return the id of that run without waiting for it."""

    def put(self, bucket: str, key: str, body: bytes, stack: str) -> None:
        """Store a JSON document, marked as the stack's."""

    def remove(self, bucket: str, key: str) -> None:
        """Take away a document that was put; gone already is fine."""

    def log_lines(
        self, group: str, *, start: datetime | None, end: datetime | None, request_id: str
    ) -> Iterator[LogLine]:
        """Lines of a log group, oldest first; raises ResourceNotFoundError where there is none."""

    def fetch(self, bucket: str, key: str, progress: Progress, *, own: bool = False) -> bytes:
        """The bytes of an object; ``own`` refuses a bucket of another account."""
