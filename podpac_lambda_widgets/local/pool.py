"""All execution environments: one for each invocation that runs at the same time, kept warm in between."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
import zipfile
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

from podpac_lambda_widgets.local import sandbox
from podpac_lambda_widgets.local.code_store import CodeStore, remove_tree
from podpac_lambda_widgets.local.environment import ExecutionEnvironment, Places
from podpac_lambda_widgets.local.function import Function, Invocation, Outcome, error_document
from podpac_lambda_widgets.local.runtimes import Runtimes

#: How long an environment stays warm without work, seconds. Lambda keeps them for some minutes, and says no number.
IDLE_SECONDS = 300.0


def can_isolate() -> bool:
    """Whether this machine lets us use user namespaces with mounts (Linux only, and not everywhere)."""
    if sys.platform != "linux":
        return False
    places = {"/var/task": "/usr"}
    keep = (sys.prefix, sys.base_prefix)
    specification = sandbox.Specification("/var/task", isolate=True, tmp_mb=1, mounts=places, keep=keep)
    command = [
        sys.executable,
        "-I",
        "-S",
        sandbox.__file__,
        specification.to_argument(),
        sys.executable,
        "-I",
        "-S",
        "-c",
        "",
    ]
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0
    return False


class Pool:
    """Runs functions.

    Parameters
    ----------
    directory : Path
        For extracted code and temporary files; it belongs to the pool.
    endpoint : str
        URL that functions' AWS clients speak to.
    isolate : bool
        See :class:`~podpac_lambda_widgets.local.environment.ExecutionEnvironment`.
    clock : callable
        Seconds, for the age of idle environments.
    """

    def __init__(
        self,
        directory: Path,
        runtimes: Runtimes,
        *,
        endpoint: str,
        isolate: bool,
        idle_seconds: float = IDLE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._runtimes = runtimes
        self._endpoint = endpoint
        self._isolate = isolate
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._codes = CodeStore(directory / "code")
        self._lock = threading.Lock()
        #: Each environment with what has to be done when it closes.
        self._all: dict[ExecutionEnvironment, contextlib.ExitStack] = {}
        self._idle: dict[str, list[tuple[float, ExecutionEnvironment]]] = defaultdict(list)
        self._configurations: dict[str, str] = {}
        self._numbers = count(1)
        self._closed = threading.Event()
        # Linux ends a process with the thread that started it: one thread, as old as the pool, starts them all.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="environment-starter")
        threading.Thread(target=self._reap_until_closed, name="environment-reaper", daemon=True).start()

    def invoke(self, function: Function, invocation: Invocation) -> Outcome:
        """Run one invocation in a warm environment, or a new one."""
        served = [runtime.name for runtime in self._runtimes]
        if function.runtime not in served:
            message = (
                f"The runtime {function.runtime} needs an interpreter of that version; this embedded AWS has "
                f"{', '.join(served)}. Choose one of those, or give local_aws() its path as python={{...}}."
            )
            return Outcome(error_document("Runtime.InvalidRuntime", message), "application/json", True, "")
        environment = self._take_idle(function)
        if environment is None:
            try:
                environment = self._start(function)
            except (zipfile.BadZipFile, OSError) as error:
                document = error_document("Runtime.InvalidCode", f"The code cannot be extracted: {error}")
                return Outcome(document, "application/json", True, "")
        try:
            return environment.invoke(invocation)
        finally:
            self._give_back(environment)

    def reap(self) -> None:
        """Close the environments that were idle for too long."""
        oldest = self._clock() - self._idle_seconds
        with self._lock:
            expired = [environment for idle in self._idle.values() for since, environment in idle if since <= oldest]
            for name, idle in self._idle.items():
                self._idle[name] = [(since, environment) for since, environment in idle if since > oldest]
        for environment in expired:
            self._close(environment)

    def close(self) -> None:
        """Close all environments, the busy ones too."""
        self._closed.set()
        with self._lock:
            environments = list(self._all)
            self._idle.clear()
        for environment in environments:
            self._close(environment)
        self._starter.shutdown(wait=False)

    def _reap_until_closed(self) -> None:
        while not self._closed.wait(self._idle_seconds / 10):
            self.reap()

    def _take_idle(self, function: Function) -> ExecutionEnvironment | None:
        """An idle environment of just this configuration; those of an older one are closed."""
        name = function.qualified_name
        with self._lock:
            outdated: list[ExecutionEnvironment] = []
            if self._configurations.get(name) != function.configuration:
                self._configurations[name] = function.configuration
                outdated = [environment for _, environment in self._idle.pop(name, [])]
            idle = self._idle[name]
            found = None
            while idle and found is None:
                _, environment = idle.pop()
                if environment.usable:
                    found = environment
                else:
                    outdated.append(environment)
        for environment in outdated:
            self._close(environment)
        return found

    def _start(self, function: Function) -> ExecutionEnvironment:
        runtime = self._runtimes.find(function.runtime)
        if runtime is None:
            raise LookupError(function.runtime)
        with contextlib.ExitStack() as undo:
            code = self._codes.acquire((function.code,))
            undo.callback(self._codes.release, (function.code,))
            layers = self._codes.acquire(function.layers) if function.layers else None
            if layers is not None:
                undo.callback(self._codes.release, function.layers)
            tmp = self._directory / f"tmp-{next(self._numbers)}"
            tmp.mkdir()
            undo.callback(remove_tree, tmp)
            environment = ExecutionEnvironment(
                function,
                runtime,
                Places(code, layers, tmp),
                endpoint=self._endpoint,
                isolate=self._isolate,
                spawn=lambda launch: self._starter.submit(launch).result(),
            )
            undo.callback(environment.close)
            with self._lock:
                if self._closed.is_set():
                    raise RuntimeError("the embedded AWS is stopping")
                self._all[environment] = undo.pop_all()
        return environment

    def _give_back(self, environment: ExecutionEnvironment) -> None:
        function = environment.function
        with self._lock:
            current = self._configurations.get(function.qualified_name) == function.configuration
            keep = current and environment.usable and not self._closed.is_set()
            if keep:
                self._idle[function.qualified_name].append((self._clock(), environment))
        if not keep:
            self._close(environment)

    def _close(self, environment: ExecutionEnvironment) -> None:
        with self._lock:
            belongings = self._all.pop(environment, None)
        if belongings is not None:
            belongings.close()
