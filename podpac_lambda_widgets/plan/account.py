"""What is known of an account, and what comes back from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

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


@dataclass(frozen=True)
class LogLine:
    """A line of a function's log; ``time`` is in UTC."""

    time: datetime
    stream: str
    message: str

    def __str__(self) -> str:
        return f"{self.time:%Y-%m-%d %H:%M:%S}.{self.time.microsecond // 1000:03d}Z  {self.message}"
