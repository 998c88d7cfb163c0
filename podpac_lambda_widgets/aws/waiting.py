"""Waiting for what AWS has no waiter for."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from botocore import exceptions as botocore_errors

from podpac_lambda_widgets.clock import Clock

Answer = TypeVar("Answer")

#: How long a connection, an answer, and an answer to an upload are waited for, in seconds.
CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 60.0
TRANSFER_TIMEOUT = 300.0


def retry(
    call: Callable[[], Answer],
    again: Callable[[Exception], bool],
    clock: Clock,
    *,
    seconds: float = 150.0,
    first_wait: float = 0.5,
) -> Answer:
    """Repeat a call while ``again`` says that its error will pass.

    Waits grow from ``first_wait`` by half each time up to 10 s, with jitter, until ``seconds`` are over; then the last
    error is raised. For what AWS has no waiter for, such as a new role that cannot be assumed yet.
    """
    deadline = clock.monotonic() + seconds
    wait = first_wait
    while True:
        try:
            return call()
        except botocore_errors.ClientError as error:
            if not again(error) or clock.monotonic() + wait > deadline:
                raise
        clock.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret
        wait = min(wait * 1.5, 10.0)
