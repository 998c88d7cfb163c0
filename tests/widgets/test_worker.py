"""One thread works, one thread writes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from podpac_lambda_widgets.errors import CancelledError, PodpacLambdaError
from podpac_lambda_widgets.widgets.worker import BusyError, Task, Worker


def explain(error: BaseException) -> PodpacLambdaError:
    return error if isinstance(error, PodpacLambdaError) else PodpacLambdaError(str(error))


def run_apart(notebook: Coroutine[Any, Any, Any]) -> Any:
    """Run it in a loop of its own, on a thread of its own: the main thread's may be somebody else's."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, notebook).result(30)


def test_work_runs_elsewhere_and_its_end_here() -> None:
    worker, threads = Worker(), {}
    worker.start(
        Task("work"),
        lambda task: threads.setdefault("work", threading.get_ident()),
        lambda value: threads.update(finished=threading.get_ident()),
        explain,
    )
    worker.wait(10)
    assert threads["work"] != threading.get_ident() == threads["finished"]


def test_updates_are_applied_in_order_on_the_owners_thread() -> None:
    worker, seen = Worker(), []

    def work(task: Task) -> None:
        for number in range(100):
            worker.post(lambda number=number: seen.append((number, threading.get_ident())))

    worker.start(Task("work"), work, lambda nothing: seen.append(("end", threading.get_ident())), explain)
    worker.wait(10)
    assert [number for number, _ in seen] == [*range(100), "end"]
    assert {thread for _, thread in seen} == {threading.get_ident()}


def test_a_running_loop_applies_updates_without_anybody_waiting() -> None:
    async def notebook() -> int:
        worker, done = Worker(), asyncio.get_running_loop().create_future()
        worker.start(Task("work"), lambda task: 7, done.set_result, explain)
        return await asyncio.wait_for(done, 10)

    assert run_apart(notebook()) == 7


def test_a_cell_that_waits_inside_the_loop_does_not_hang() -> None:
    async def notebook() -> list[int]:
        worker, seen = Worker(), []
        worker.start(Task("work"), lambda task: 7, seen.append, explain)
        worker.wait(10)
        return seen

    assert run_apart(notebook()) == [7]


def test_waiting_raises_the_error_of_the_task_once() -> None:
    worker = Worker()

    def work(task: Task) -> None:
        raise ValueError("no")

    worker.start(Task("work"), work, lambda nothing: None, explain)
    with pytest.raises(PodpacLambdaError, match="no"):
        worker.wait(10)
    worker.wait(10)


def test_an_error_while_showing_is_shown_too() -> None:
    worker, shown = Worker(), []

    def show(value: int) -> None:
        raise KeyError("picture")

    def failed(error: BaseException) -> PodpacLambdaError:
        shown.append(error)
        return explain(error)

    worker.start(Task("work"), lambda task: 1, show, failed)
    with pytest.raises(PodpacLambdaError):
        worker.wait(10)
    assert [type(error) for error in shown] == [KeyError]


def fail_to_show() -> None:
    raise KeyError("progress")


def test_progress_that_cannot_be_shown_is_the_tasks_error_and_ends_nothing() -> None:
    worker, shown, seen = Worker(), [], []

    def work(task: Task) -> int:
        worker.post(fail_to_show)
        worker.post(lambda: seen.append("more"))
        return 5

    def failed(error: BaseException) -> PodpacLambdaError:
        shown.append((type(error), worker.task is not None))
        return explain(error)

    worker.start(Task("work"), work, seen.append, failed)
    with pytest.raises(PodpacLambdaError, match="progress"):
        worker.wait(10)
    assert (shown, seen, worker.task) == ([(KeyError, True)], ["more", 5], None)
    worker.wait(10)


def test_a_running_loop_goes_on_after_progress_that_cannot_be_shown() -> None:
    async def notebook() -> tuple[int, list[Any]]:
        worker, done, shown = Worker(), asyncio.get_running_loop().create_future(), []

        def failed(error: BaseException) -> PodpacLambdaError:
            shown.append(type(error))
            return explain(error)

        def work(task: Task) -> int:
            worker.post(fail_to_show)
            return 7

        worker.start(Task("work"), work, done.set_result, failed)
        return await asyncio.wait_for(done, 10), shown

    assert run_apart(notebook()) == (7, [KeyError])


def test_a_listener_that_fails_at_the_end_leaves_nothing_waiting() -> None:
    worker = Worker()

    def listen(task: Task | None) -> None:
        if task is None:
            fail_to_show()

    worker.on_task(listen)
    worker.start(Task("work"), lambda task: 1, lambda value: None, explain)
    with pytest.raises(PodpacLambdaError, match="progress"):
        worker.wait(10)
    worker.wait(10)


def test_a_second_task_is_refused_while_one_runs() -> None:
    worker, release = Worker(), threading.Event()
    worker.start(Task("Building"), lambda task: release.wait(10), lambda value: None, explain)
    with pytest.raises(BusyError, match="Building is still running"):
        worker.start(Task("Running"), lambda task: None, lambda value: None, explain)
    release.set()
    worker.wait(10)


def test_a_quiet_task_neither_locks_nor_is_refused() -> None:
    worker, seen = Worker(), []
    worker.on_task(seen.append)
    worker.start(Task("look", quiet=True), lambda task: 1, lambda value: None, explain)
    worker.start(Task("look", quiet=True), lambda task: 1, lambda value: None, explain)
    worker.wait(10)
    assert seen == []


def test_cancelling_reaches_the_work() -> None:
    worker, begun = Worker(), threading.Event()

    def work(task: Task) -> None:
        begun.set()
        if task._cancel.wait(10):
            raise CancelledError("stopped")

    worker.start(Task("work"), work, lambda nothing: None, explain)
    assert begun.wait(10)
    worker.cancel()
    with pytest.raises(CancelledError):
        worker.wait(10)


def test_waiting_too_long_says_what_still_runs() -> None:
    worker, release = Worker(), threading.Event()
    worker.start(Task("Building"), lambda task: release.wait(10), lambda value: None, explain)
    with pytest.raises(TimeoutError, match="Building"):
        worker.wait(0)
    release.set()
    worker.wait(10)


def test_a_call_from_the_owner_is_applied_at_once_and_one_from_elsewhere_later() -> None:
    worker, seen = Worker(), []
    worker.call(lambda: seen.append("here"))
    other = threading.Thread(target=lambda: worker.call(lambda: seen.append(threading.get_ident())))
    other.start()
    other.join()
    assert seen == ["here"]
    worker.wait(10)
    assert seen == ["here", threading.get_ident()]
