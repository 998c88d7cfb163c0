"""Leave a call behind when somebody cancels."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from podpac_lambda_widgets.errors import CancelledError

Value = TypeVar("Value")


def abandon_when_cancelled(call: Callable[[], Value], cancelled: Callable[[], bool]) -> Value:
    """Wait for a call in another thread, and leave it behind when somebody cancels: AWS cannot stop a call.

    The thread is a daemon, so that a call that was left behind does not keep the interpreter from ending.

    Raises
    ------
    CancelledError
    """
    future: Future[Value] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - handed over to the waiting thread, which raises it
            future.set_exception(error)

    threading.Thread(target=work, name="podpac-lambda-run", daemon=True).start()
    while not wait([future], timeout=0.1).done:
        if cancelled():
            raise CancelledError(
                "The run was cancelled",
                why="The function may go on until its time limit; its answer is thrown away.",
            )
    return future.result()
