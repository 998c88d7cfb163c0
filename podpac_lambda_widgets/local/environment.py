"""One execution environment: a process that runs one function, one invocation at a time."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from podpac_lambda_widgets.limits import SYNC_RESPONSE_BYTES
from podpac_lambda_widgets.local import gdal, memory, sandbox
from podpac_lambda_widgets.local.function import Function, Invocation, Outcome, error_document
from podpac_lambda_widgets.local.process_output import ProcessOutput
from podpac_lambda_widgets.local.runtime_api import RuntimeApi
from podpac_lambda_widgets.local.runtimes import Runtime

#: Lambda's limit for initialisation on demand; what takes longer is charged to the first invocation's time limit.
INIT_SECONDS = 10
#: How often the process and its memory are looked at while it works, seconds.
_WATCH_SECONDS = 0.05
_TASK_ROOT, _RUNTIME_ROOT, _LAYERS_ROOT = "/var/task", "/var/runtime", "/opt"

#: Calls what it is given, which starts a process. Linux kills that when the calling thread ends: use a lasting one.
Spawn = Callable[[Callable[[], "subprocess.Popen[bytes]"]], "subprocess.Popen[bytes]"]


@dataclass(frozen=True)
class Failure:
    """Why an invocation has no answer from the runtime client; ``status`` is the REPORT line's."""

    error_type: str
    message: str
    status: str


@dataclass(frozen=True)
class Places:
    """Where the parts of an environment lie on the host; ``layers`` is None when there are none."""

    code: Path
    layers: Path | None
    tmp: Path


class ExecutionEnvironment:
    """A warm process. Not for use by two threads at once, but for :meth:`close`.

    Parameters
    ----------
    isolate : bool
        Use namespaces: Lambda's paths, a read-only file system and a size limit for ``/tmp``. Without them the
        function's temporary directory (``TMPDIR``) is private, and that is all.
    endpoint : str
        URL that the function's AWS clients speak to.
    clock : callable
        Seconds since the epoch.
    """

    def __init__(
        self,
        function: Function,
        runtime: Runtime,
        places: Places,
        *,
        endpoint: str,
        isolate: bool,
        spawn: Spawn,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.function = function
        self._runtime = runtime
        self._places = places
        self._isolate = isolate
        self._endpoint = endpoint
        self._clock = clock
        self._api = RuntimeApi()
        self._peak_mb = 0
        self._cold = True
        self._started = clock()
        try:
            self._process = spawn(self._launch)
        except BaseException:
            self._api.close()
            raise
        self._output = ProcessOutput(self._process)

    @property
    def usable(self) -> bool:
        """Whether the process can take another invocation."""
        return self._process.poll() is None

    def invoke(self, invocation: Invocation) -> Outcome:
        """Run one invocation, initialising first if need be. Afterwards look at :attr:`usable`."""
        init_ms, init_output, failure = self._initialise(invocation.request_id)
        started = self._clock()
        if failure is None and self._api.init_error is None:
            # Initialisation beyond Lambda's limit for it counts as part of the invocation.
            begun = started if init_ms is None else min(started, self._started + INIT_SECONDS)
            failure = self._run(invocation, begun + self.function.timeout)
        duration_ms = (self._clock() - started) * 1000
        payload, content_type, error = self._result(failure)
        output = self._output.take()
        self._peak_mb = max(self._peak_mb, memory.peak_mb(self._process.pid))
        if failure is not None:
            self.kill()
        log = init_output + self._log(invocation.request_id, output, failure, duration_ms, init_ms)
        return Outcome(payload, content_type, error, log)

    def kill(self) -> None:
        """End the process and its children."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """End the process and the Runtime API."""
        self.kill()
        self._api.close()

    def _initialise(self, request_id: str) -> tuple[float | None, str, Failure | None]:
        if not self._cold:
            return None, "", None
        self._cold = False
        limit = self._started + INIT_SECONDS + self.function.timeout
        failure = self._wait(lambda: self._api.ready or self._api.init_error is not None, limit, request_id)
        if self._api.init_error is not None:
            self._process.wait()
        return (self._clock() - self._started) * 1000, self._output.take(), failure

    def _run(self, invocation: Invocation, limit: float) -> Failure | None:
        self._api.submit(invocation, int(limit * 1000))
        return self._wait(lambda: self._answered(invocation.request_id), limit, invocation.request_id)

    def _answered(self, request_id: str) -> bool:
        return self._api.answer is not None and self._api.answer.request_id == request_id

    def _wait(self, done: Callable[[], bool], limit: float, request_id: str) -> Failure | None:
        with self._api.changed:
            while True:
                # Asked in this order: what a process posts is here before it can end.
                exit_code = self._process.poll()
                if done():
                    return None
                if exit_code is not None:
                    return _exit_failure(exit_code, request_id)
                self._peak_mb = max(self._peak_mb, memory.resident_mb(self._process.pid))
                if self._peak_mb > self.function.memory_mb:
                    message = f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
                    return Failure("Runtime.OutOfMemory", message, "error")
                left = limit - self._clock()
                if left <= 0:
                    message = f"RequestId: {request_id} Error: Task timed out after {self.function.timeout:.2f} seconds"
                    return Failure("Sandbox.Timedout", message, "timeout")
                self._api.changed.wait(min(_WATCH_SECONDS, left))

    def _result(self, failure: Failure | None) -> tuple[bytes, str, bool]:
        if failure is not None:
            return error_document(failure.error_type, failure.message), "application/json", True
        if self._api.init_error is not None:
            return self._api.init_error, "application/json", True
        answer = self._api.answer
        if answer is None:
            raise RuntimeError("an invocation ended without an answer and without a failure")
        if len(answer.body) > SYNC_RESPONSE_BYTES:
            limit = f"exceeded maximum allowed payload size ({SYNC_RESPONSE_BYTES} bytes)."
            return error_document("Function.ResponseSizeTooLarge", f"Response payload size {limit}"), "", True
        return answer.body, answer.content_type, answer.error

    def _log(
        self, request_id: str, output: str, failure: Failure | None, duration_ms: float, init_ms: float | None
    ) -> str:
        function = self.function
        timed_out = failure is not None and failure.status == "timeout"
        if timed_out:
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
            output += f"{now}Z {request_id} Task timed out after {function.timeout:.2f} seconds\n\n"
        report = {
            "REPORT RequestId": request_id,
            "Duration": f"{duration_ms:.2f} ms",
            "Billed Duration": f"{int(duration_ms + (init_ms or 0)) + 1} ms",
            "Memory Size": f"{function.memory_mb} MB",
            "Max Memory Used": f"{min(self._peak_mb, function.memory_mb)} MB",
        }
        if init_ms is not None:
            report["Init Duration"] = f"{init_ms:.2f} ms"
        if failure is not None:
            report["Status"] = failure.status
            if not timed_out:
                report["Error Type"] = failure.error_type
        lines = "\t".join(f"{name}: {value}" for name, value in report.items())
        start = f"START RequestId: {request_id} Version: {function.version}\n"
        return f"{start}{output}END RequestId: {request_id}\n{lines}\t\n"

    def _launch(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command(),
            env=self._variables(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _command(self) -> list[str]:
        places, keep, mounts = self._places, set(self._runtime.needs()), {}
        if self._isolate:
            mounts = {_TASK_ROOT: str(places.code), _RUNTIME_ROOT: str(self._runtime.directory)}
            if places.layers is not None:
                mounts[_LAYERS_ROOT] = str(places.layers)
        specification = sandbox.Specification(
            directory=self._task_root,
            isolate=self._isolate,
            tmp_mb=self.function.ephemeral_storage_mb,
            mounts=mounts,
            keep=tuple(sorted(keep)),
        )
        launch = [sys.executable, "-I", "-S", sandbox.__file__, specification.to_argument()]
        return launch + self._runtime.command(self._task_root, self.function.handler)

    @property
    def _task_root(self) -> str:
        return _TASK_ROOT if self._isolate else str(self._places.code)

    def _variables(self) -> dict[str, str]:
        """The environment, as AWS's "Defined runtime environment variables" lists it; reserved names win."""
        function = self.function
        runtime_root = _RUNTIME_ROOT if self._isolate else str(self._runtime.directory)
        layers = [] if self._places.layers is None else [_LAYERS_ROOT if self._isolate else str(self._places.layers)]
        packages = [f"{layer}/python/lib/{function.runtime}/site-packages" for layer in layers]
        path = [self._task_root, *packages, *(f"{layer}/python" for layer in layers), runtime_root]
        user = dict(function.variables)
        path += [user.pop("PYTHONPATH")] if user.get("PYTHONPATH") else []
        private_tmp = {} if self._isolate else {"TMPDIR": str(self._places.tmp)}
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TZ": ":UTC",
            # Does not exist, so that nothing reads the host's settings; Lambda's user has no home either.
            "HOME": "/home/sbx_user1051",
            "NO_PROXY": "127.0.0.1",
            "AWS_ENDPOINT_URL": self._endpoint,
            gdal.VARIABLE: f"{runtime_root}/{gdal.FILE_NAME}",
            **private_tmp,
            **user,
            "PYTHONPATH": os.pathsep.join(path),
            "_HANDLER": function.handler,
            "AWS_DEFAULT_REGION": function.region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": function.version,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": f"{datetime.now(UTC):%Y/%m/%d}/[{function.version}]{uuid4().hex}",
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "AWS_REGION": function.region,
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            "LAMBDA_RUNTIME_DIR": runtime_root,
            "LAMBDA_TASK_ROOT": self._task_root,
            **function.credentials,
        }


def _exit_failure(code: int, request_id: str) -> Failure:
    if code == 0:
        why = "Runtime exited without providing a reason"
    elif code > 0:
        why = f"Runtime exited with error: exit status {code}"
    else:
        name = signal.strsignal(-code) or str(-code)
        why = f"Runtime exited with error: signal: {name.lower()}"
    return Failure("Runtime.ExitError", f"RequestId: {request_id} Error: {why}", "error")
