"""What the engine asks of the world. ``aws`` fulfils it; tests fulfil it with fakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from podpac_lambda_widgets.plan.changes import Update
from podpac_lambda_widgets.plan.resources import Observed, Resource

#: Called with (done, total) bytes or objects.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Identity:
    """Who we are in AWS, as STS says. ``expires`` is None for credentials that do not."""

    account: str
    arn: str
    region: str
    partition: str
    expires: datetime | None = None


@dataclass(frozen=True)
class Invocation:
    """What came back from a function.

    Parameters
    ----------
    payload : bytes
        The answer's body.
    function_error : str
        Empty, or AWS's mark that the function failed (``Unhandled``).
    log : str
        The tail of the function's log (at most 4 KB).
    request_id : str
        AWS's id of the call.
    """

    payload: bytes
    function_error: str
    log: str
    request_id: str


class Account(Protocol):
    """An AWS account, in one region."""

    def identity(self) -> Identity:
        """Who we are; raises a CredentialsError when AWS does not know us."""

    def read(self, wanted: Resource) -> Observed | None:
        """The resource of that kind and name as AWS has it, or None when there is none."""

    def create(self, wanted: Resource, progress: Progress) -> None:
        """Make it, marked as ours in the creating call where AWS allows."""

    def update(self, change: Update, progress: Progress) -> None:
        """Bring the differing fields to what is wanted."""

    def delete(self, found: Resource, progress: Progress) -> None:
        """Take it away."""

    def inspect_object(self, bucket: str, key: str) -> Mapping[str, str | int]:
        """Size, sha256 (empty when unknown) and version of an object; raises ResourceNotFoundError."""

    def invoke(self, function_name: str, payload: bytes, timeout: float) -> Invocation:
        """Call a function once and wait for at most ``timeout`` seconds."""

    def fetch(self, bucket: str, key: str, progress: Progress) -> bytes:
        """The bytes of an object."""


class Clock(Protocol):
    """Time, so that tests can own it."""

    def monotonic(self) -> float:
        """Seconds from some fixed moment."""

    def sleep(self, seconds: float) -> None:
        """Wait."""
