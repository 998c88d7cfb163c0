"""Leave a call behind when somebody cancels."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from podpac_lambda_widgets.clock import Clock
from podpac_lambda_widgets.errors import CancelledError

Value = TypeVar("Value")

#: How long it may take until somebody is heard who cancels, in seconds.
_HEARING = 0.1


def abandon_when_cancelled(call: Callable[[Callable[[], bool]], Value], cancelled: Callable[[], bool]) -> Value:
    """Wait for a call in another thread, and leave it behind when somebody cancels: AWS cannot stop a call.

    The thread is a daemon, so that a call that was left behind does not keep the interpreter from ending.

    Parameters
    ----------
    call : callable
        Given a function that says whether it was left behind: nobody takes its value any more.

    Raises
    ------
    CancelledError
    """
    future: Future[Value] = Future()
    left_behind = threading.Event()

    def work() -> None:
        try:
            future.set_result(call(left_behind.is_set))
        except BaseException as error:  # noqa: BLE001 - handed over to the waiting thread, which raises it
            future.set_exception(error)

    threading.Thread(target=work, name="podpac-lambda-run", daemon=True).start()
    try:
        while not wait([future], timeout=_HEARING).done:
            if cancelled():
                raise CancelledError(
                    "The run was cancelled",
                    why="The function may go on until its time limit; its answer is thrown away.",
                )
        return future.result()
    finally:
        # Also when the waiting itself is interrupted, by Ctrl-C.
        left_behind.set()


def pause(seconds: float, clock: Clock, cancelled: Callable[[], bool]) -> None:
    """Wait, and no longer than until somebody cancels."""
    end = clock.monotonic() + seconds
    while not cancelled() and (left := end - clock.monotonic()) > 0:
        clock.sleep(min(left, _HEARING))
