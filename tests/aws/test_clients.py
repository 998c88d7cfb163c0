"""Clients are made once, and by one thread at a time: boto3's sessions are not safe to share, its clients are."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from podpac_lambda_widgets.aws.clients import Clients
from podpac_lambda_widgets.clock import SystemClock
from podpac_lambda_widgets.local.session import LocalSession


class WatchedSession:
    """A session that notes how many threads are in it at once."""

    def __init__(self, session: LocalSession) -> None:
        self._session = session
        self._inside = threading.Semaphore(1)
        self.made: list[Any] = []
        self.crowded = False

    def client(self, *args: Any, **kwargs: Any) -> Any:
        if not self._inside.acquire(blocking=False):
            self.crowded = True
            return None
        try:
            self.made.append(self._session.client(*args, **kwargs))
            return self.made[-1]
        finally:
            self._inside.release()


def test_threads_share_one_client_and_never_the_session(aws: LocalSession) -> None:
    session = WatchedSession(aws)
    clients = Clients(session, SystemClock())
    begin = threading.Barrier(8)

    def ask(number: int) -> Any:
        begin.wait()
        return clients(("iam", "lambda")[number % 2])

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(ask, range(8)))
    assert not session.crowded
    assert len(session.made) == len({id(client) for client in found}) == 2
    assert clients("lambda") is clients("lambda")
    # A call that may take long has a client of its own, which is kept too.
    assert clients("lambda", read_timeout=900.0, attempts=1) is clients("lambda", read_timeout=900.0, attempts=1)
    assert len(session.made) == 3
