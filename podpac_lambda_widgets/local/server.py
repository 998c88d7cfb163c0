"""Main program of the emulator's process: ``python -m podpac_lambda_widgets.local.server SETTINGS``."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import resource
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from podpac_lambda_widgets.local import ministack_seam
from podpac_lambda_widgets.local.code_store import remove_tree
from podpac_lambda_widgets.local.gate import Application, Gate
from podpac_lambda_widgets.local.pool import Pool, can_isolate
from podpac_lambda_widgets.local.runtimes import RuntimeClient, Runtimes

#: Time for requests in flight when the emulator stops, seconds; then they are dropped.
_GRACE_SECONDS = 0.5
#: After this the process ends whatever hangs, seconds.
_STOP_SECONDS = 5.0


@dataclass(frozen=True)
class Settings:
    """What the owner asks for.

    Attributes
    ----------
    owner : int
        Process id; the emulator ends with that process, and when its standard input closes.
    ready : int
        Descriptor to write the port to, once it listens.
    interpreters : dict
        Runtime name to interpreter, besides the host's own.
    runtime_client, isolate
        Force a runtime client, or namespaces on or off; None chooses what works best here.
    """

    directory: str
    owner: int
    ready: int
    interpreters: dict[str, str]
    runtime_client: RuntimeClient | None
    isolate: bool | None

    def to_argument(self) -> str:
        """The settings as the program's argument."""
        return json.dumps(asdict(self))


def _watch_owner(owner: int, on_end: Callable[[], None]) -> None:
    """Call back when standard input closes or the owner's process ends, whichever is first."""
    waiting = select.poll()
    waiting.register(sys.stdin, select.POLLIN)
    if hasattr(os, "pidfd_open"):
        try:
            # A process that the owner forked may hold the pipe open: this one does not depend on it.
            waiting.register(os.pidfd_open(owner), select.POLLIN)
        except ProcessLookupError:
            on_end()
            return
        except OSError:  # an old kernel: the pipe has to do
            logging.getLogger(__name__).warning("this kernel cannot watch the owner's process")
    waiting.poll()
    on_end()


def _listen() -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # Accepted connections inherit it.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(256)
    return listener


async def _serve(application: Application, listener: socket.socket, owner: int, on_stop: Callable[[], None]) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.graceful_timeout = _GRACE_SECONDS
    config.shutdown_timeout = _GRACE_SECONDS
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop_soon() -> None:
        on_stop()
        loop.call_soon_threadsafe(stop.set)

    loop.add_signal_handler(signal.SIGTERM, stop_soon)
    threading.Thread(target=_watch_owner, args=(owner, stop_soon), name="owner-watch", daemon=True).start()
    await serve(application, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]  # hypercorn names each event


def main(argument: str) -> None:
    """Serve until the owner ends, then leave nothing behind."""
    settings = Settings(**json.loads(argument))
    directory = Path(settings.directory)
    listener = _listen()
    port = listener.getsockname()[1]
    key_id, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    os.environ.update(ministack_seam.settings(port, settings.directory, key_id, secret))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    endpoint = f"http://127.0.0.1:{port}"
    runtimes = Runtimes(directory / "runtimes", settings.interpreters, endpoint, settings.runtime_client)
    isolate = can_isolate() if settings.isolate is None else settings.isolate
    pool = Pool(directory, runtimes, endpoint=endpoint, isolate=isolate)
    application = Gate(ministack_seam.install(pool), ministack_seam.ACCOUNT)

    def leave() -> None:
        pool.close()
        remove_tree(directory)
        # ministack's own threads may still be at work; nothing of theirs is to be kept.
        os._exit(0)

    def stop_functions() -> None:
        # First, so that no request in flight waits for one.
        pool.close()
        deadline = threading.Timer(_STOP_SECONDS, leave)
        deadline.daemon = True
        deadline.start()

    os.write(settings.ready, f"{port}\n".encode())
    os.close(settings.ready)
    asyncio.run(_serve(application, listener, settings.owner, stop_functions))
    leave()


if __name__ == "__main__":
    main(sys.argv[1])
