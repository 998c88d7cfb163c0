"""One thread for the work, one thread for the traits.

JupyterLab delivers comm messages on whatever thread last published on that comm, so a trait may not be written where
the work happens. The work runs on one daemon thread; each update is queued and applied on the thread that made the
worker, by its event loop, or by :meth:`Worker.wait` where there is none (a script) or where it is blocked (a cell that
waits).
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from podpac_lambda_widgets.errors import PodpacLambdaError

Update = Callable[[], None]
T = TypeVar("T")


class BusyError(PodpacLambdaError):
    """Something else is still running."""


@dataclass
class Task:
    """A piece of work, while it runs.

    Parameters
    ----------
    name : str
        What is being done, for a person.
    quiet : bool
        Whether it runs in the background, without locking the forms.
    """

    name: str
    quiet: bool = False
    _cancel: threading.Event = field(default_factory=threading.Event)

    def cancel(self) -> None:
        """Ask the work to stop at its next step."""
        self._cancel.set()

    def cancelled(self) -> bool:
        """Whether somebody asked to stop."""
        return self._cancel.is_set()


class Worker:
    """Runs one task after the other on a thread of its own.

    Make it on the thread that owns the widgets: in a notebook cell.
    """

    def __init__(self) -> None:
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        self._owner = threading.get_ident()
        self._jobs: queue.SimpleQueue[Update] = queue.SimpleQueue()
        self._updates: queue.SimpleQueue[Update] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._pending = 0
        self._idle = threading.Event()
        self._idle.set()
        self._listeners: list[Callable[[Task | None], None]] = []
        self._error: BaseException | None = None
        self._failed: Callable[[BaseException], PodpacLambdaError] | None = None
        #: The task that runs, unless it is a quiet one. Only read and written on the owner's thread.
        self.task: Task | None = None

    def on_task(self, listener: Callable[[Task | None], None]) -> None:
        """Call ``listener`` with the task when one begins, and with None when it has ended."""
        self._listeners.append(listener)

    def start(
        self,
        task: Task,
        work: Callable[[Task], T],
        finished: Callable[[T], None],
        failed: Callable[[BaseException], PodpacLambdaError],
    ) -> None:
        """Run ``work`` on the worker's thread, then ``finished`` or ``failed`` on the owner's.

        Parameters
        ----------
        task : Task
            Given to ``work``, which asks it whether to stop.
        work, finished, failed : callable
            ``failed`` shows the error and returns it in the form in which :meth:`wait` may raise it.

        Raises
        ------
        BusyError
            If another task is running and this one is not quiet.
        """
        if not task.quiet:
            self.check_free()
            self._error, self._failed = None, failed
            self._set_task(task)
        self._pending += 1
        self._idle.clear()
        self._jobs.put(lambda: self._work(task, work, finished, failed))
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="podpac-lambda-widgets", daemon=True)
            self._thread.start()

    def begin(self) -> Callable[[PodpacLambdaError | None], None]:
        """Count work that goes on elsewhere, so that :meth:`wait` waits for it.

        Returns
        -------
        callable
            To be called on the owner's thread when it has ended, once, with its error or None.
        """
        if not self._pending:
            self._error = None
        self._pending += 1
        self._idle.clear()

        def end(error: PodpacLambdaError | None) -> None:
            self._error = error or self._error
            self._count_down()

        return end

    def check_free(self) -> None:
        """Raise BusyError while a task is running that is not quiet."""
        if self.task is not None:
            raise BusyError(f"{self.task.name} is still running", next_step="Wait for it, or stop it.")

    def cancel(self) -> None:
        """Ask the running task to stop."""
        if self.task is not None:
            self.task.cancel()

    def post(self, update: Update) -> None:
        """Have ``update`` applied on the owner's thread, soon. From any thread.

        An update that raises while a task runs does not end it: the error is shown as the task's, and :meth:`wait`
        raises it when the task has ended.
        """
        self._updates.put(update)
        if self._loop is not None:
            # A closed loop means that the kernel is going away, and nobody is left to see the update.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._apply_updates)

    def call(self, update: Update) -> None:
        """Apply ``update`` at once on the owner's thread, or post it from any other."""
        if threading.get_ident() == self._owner:
            update()
        else:
            self.post(update)

    def wait(self, timeout: float | None = None) -> None:
        """Return when nothing is left to do.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most.

        Raises
        ------
        TimeoutError
            When something is still running by then.
        PodpacLambdaError
            The error of the last task, if it failed.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while self._pending or (self._applies_here and not self._updates.empty()):
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not self._wait_once(left):
                raise TimeoutError(f"{self.task.name if self.task else 'Something'} is still running")
        error, self._error = self._error, None
        if error is not None:
            raise error

    @property
    def _applies_here(self) -> bool:
        return self._loop is None or threading.get_ident() == self._owner

    def _wait_once(self, left: float | None) -> bool:
        if not self._applies_here:
            return self._idle.wait(left)
        try:
            update = self._updates.get(timeout=left)
        except queue.Empty:
            return False
        self._apply(update)
        return True

    def _serve(self) -> None:
        while True:
            self._jobs.get()()

    def _work(
        self,
        task: Task,
        work: Callable[[Task], T],
        finished: Callable[[T], None],
        failed: Callable[[BaseException], PodpacLambdaError],
    ) -> None:
        outcome: Update
        try:
            value = work(task)
        except BaseException as error:  # noqa: BLE001 - the boundary of the thread: whatever it is, the form shows it
            caught = error
            outcome = lambda: self._fail(task, failed, caught)  # noqa: E731
        else:
            outcome = lambda: finished(value)  # noqa: E731
        self.post(lambda: self._finish(task, outcome, failed))

    def _finish(self, task: Task, outcome: Update, failed: Callable[[BaseException], PodpacLambdaError]) -> None:
        try:
            if not task.quiet:
                self._failed = None
                self._set_task(None)
            outcome()
        except Exception as error:  # noqa: BLE001 - the boundary of the loop: an error in showing must be shown too
            self._fail(task, failed, error)
        finally:
            self._count_down()

    def _count_down(self) -> None:
        self._pending -= 1
        if not self._pending:
            self._idle.set()

    def _fail(self, task: Task, failed: Callable[[BaseException], PodpacLambdaError], error: BaseException) -> None:
        shown = failed(error)
        if not task.quiet:
            self._error = shown

    def _set_task(self, task: Task | None) -> None:
        self.task = task
        for listener in self._listeners:
            listener(task)

    def _apply_updates(self, *_: Any) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._apply(self._updates.get_nowait())

    def _apply(self, update: Update) -> None:
        try:
            update()
        except Exception as error:  # the boundary of the loop: what a running task posted is the task's to show
            if self._failed is None:
                raise
            self._error = self._failed(error)
