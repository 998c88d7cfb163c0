"""Goes on asking while AWS says that it is busy, for longer than botocore does."""

from __future__ import annotations

import random
from typing import Any

from podpac_lambda_widgets.clock import Clock

#: AWS is busy, or is still at another change of the same resource: nothing was done, and it will pass.
PASSING = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "EC2ThrottledException",
        "SlowDown",
        "503",
        "OperationAborted",
        "OperationAbortedException",
        "ConcurrentModification",
        "ConcurrentModificationException",
    }
)
_SINCE = "podpac_lambda_widgets_busy_since"


class Patience:
    """A handler for botocore's ``needs-retry`` event, to stand before botocore's own.

    botocore gives up after some attempts, about ten seconds. This goes on for ``seconds``, with waits that grow by half
    each time up to ten seconds, with jitter.

    Parameters
    ----------
    clock : Clock
        Tells how long it has been; botocore itself does the waiting.
    seconds : float, optional
        How long one call is repeated.
    """

    def __init__(self, clock: Clock, seconds: float = 120.0) -> None:
        self._clock = clock
        self._seconds = seconds

    def __call__(
        self, response: tuple[Any, dict[str, Any]] | None, attempts: int, request_dict: dict[str, Any], **_: object
    ) -> float | None:
        """Seconds to wait before the next attempt; None leaves it to botocore."""
        code = response[1].get("Error", {}).get("Code") if response else None
        if str(code) not in PASSING:
            return None
        context = request_dict.setdefault("context", {})
        since = context.setdefault(_SINCE, self._clock.monotonic())
        if self._clock.monotonic() - since >= self._seconds:
            return None
        return min(float(1.5**attempts), 10.0) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
