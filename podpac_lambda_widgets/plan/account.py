"""What is known of an account, and what comes back from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

#: Called with (done, total) bytes or objects.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Identity:
    """Who we are in AWS, as STS says.

    ``expires`` is None for credentials that do not, and where it is not known. ``is_root`` says whether it is the
    account's root user, whom no policy holds back.
    """

    account: str
    arn: str
    region: str
    partition: str
    expires: datetime | None = None
    is_root: bool = False

    def time_to_expiry(self, now: datetime) -> timedelta | None:
        """How long the credentials still last; None when they have no end that is known."""
        return None if self.expires is None else self.expires - now


@dataclass(frozen=True)
class SignIn:
    """What a person does to sign in by a browser, on this machine or any other.

    Parameters
    ----------
    address : str
        Where they type the code.
    direct : str
        The same with the code in it, which they then compare only.
    code : str
    until : datetime
        When the code runs out, in UTC.
    """

    address: str
    direct: str
    code: str
    until: datetime

    def __str__(self) -> str:
        return f"Sign in at {self.direct} and confirm the code {self.code} (until {self.until:%H:%M} UTC)."


@dataclass(frozen=True)
class BucketCount:
    """What is in a bucket.

    Parameters
    ----------
    own, foreign : int
        How many objects, versions and delete markers are the stack's, and how many are somebody else's.
    results : int
        How many of its own are results, and not archives.
    uploads : int
        How many of its own uploads were broken off.
    """

    own: int
    foreign: int
    results: int = 0
    uploads: int = 0


@dataclass(frozen=True)
class Tagged:
    """Names of what bears a stack's tag, whatever it was named after."""

    buckets: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    #: The actions that were not permitted, so that nothing was found.
    unsearched: tuple[str, ...] = ()


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


@dataclass(frozen=True)
class LogLine:
    """A line of a function's log; ``time`` is in UTC."""

    time: datetime
    stream: str
    message: str

    def __str__(self) -> str:
        return f"{self.time:%Y-%m-%d %H:%M:%S}.{self.time.microsecond // 1000:03d}Z  {self.message}"


@dataclass(frozen=True)
class StackRecord:
    """A stack as it stands in an account. None is what may not be read, or is not there to be read.

    Parameters
    ----------
    stack : str
        Its name, the value of its tag.
    function_name : str
        The function it is about, there or not.
    resources : tuple of str
        ARNs of all that bears its tag.
    created : datetime or None
        The oldest time known of: when its log groups and buckets were made and its function last changed.
    code_bytes : int or None
        The function's archive.
    stored_objects, stored_bytes : int or None
        What is in its own buckets: how many objects, and their size without older versions.
    invocations : int or None
        Calls of the function since the month began, in UTC.
    """

    stack: str
    function_name: str
    resources: tuple[str, ...]
    created: datetime | None
    code_bytes: int | None
    stored_objects: int | None
    stored_bytes: int | None
    invocations: int | None
