"""Starting and stopping the embedded AWS."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import subprocess
import sys
import time
import urllib.request
import weakref
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import podpac_lambda_widgets
from podpac_lambda_widgets.errors import DependencyMissingError, InvalidValueError, LocalAwsError
from podpac_lambda_widgets.local.code_store import remove_tree
from podpac_lambda_widgets.local.gate import HEALTH_PATH
from podpac_lambda_widgets.local.runtimes import RuntimeClient, identify_interpreter
from podpac_lambda_widgets.local.server import Settings
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.local.state_directory import make_state_directory, sweep_state_directories
from podpac_lambda_widgets.secret import Secret

#: Time to start, seconds. It takes 2 to 4 on an idle machine.
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_LOG_TAIL_BYTES = 2000
_SERVER_MODULE = "podpac_lambda_widgets.local.server"

#: What whoever deploys needs. Broad within each service: the account is its user's own and lasts as long as its
#: process. ministack wants ``*`` as the resource of actions such as ``lambda:CreateFunction``.
_USER_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                f"{service}:*"
                for service in (
                    "apigateway", "budgets", "cloudwatch", "execute-api", "iam", "lambda", "logs", "s3",
                    "servicequotas", "sns", "sqs", "sts", "tag",
                )
            ],
            "Resource": "*",
        }
    ],
}  # fmt: skip


def local_aws(
    *,
    region_name: str = "us-east-1",
    python: Mapping[str, str] | None = None,
    runtime_client: RuntimeClient | None = None,
    isolate: bool | None = None,
) -> LocalSession:
    """Start an AWS of your own, in a process beside this one, and return a session for it.

    It has S3, IAM, STS, Lambda, CloudWatch Logs, API Gateway, Budgets and more, keeps everything in memory and ends
    with this process, with :meth:`LocalSession.stop`, or with the ``with`` block. Lambda functions really run, in
    processes of this machine. The session carries the key of an IAM user made for the occasion.

    Parameters
    ----------
    region_name : str
        Region of the session; the emulator has them all.
    python : mapping, optional
        Interpreters for other Lambda runtimes than this Python's own: ``{"python3.12": "/usr/bin/python3.12"}``.
    runtime_client : {"awslambdaric", "pure"}, optional
        Which runtime client serves this Python's own runtime. By default AWS's where it is installed, else ours.
    isolate : bool, optional
        Give functions Lambda's file system by Linux user namespaces: read-only, with a private ``/tmp`` of the size of
        the function's ephemeral storage. By default where the machine allows it; without, functions get a private
        ``TMPDIR`` without a size limit.

    Raises
    ------
    DependencyMissingError
        ministack is not installed.
    InvalidValueError
        An interpreter in ``python`` is missing or of another version.
    LocalAwsError
        The emulator did not start.
    """
    if find_spec("ministack") is None:
        raise DependencyMissingError(
            "The embedded AWS needs the package ministack.",
            next_step="Install it: pip install podpac-lambda-widgets[local]",
        )
    emulator = Emulator(_check_interpreters(python or {}), runtime_client, isolate)
    try:
        key_id, secret = _make_user(emulator)
    except BaseException:
        emulator.stop()
        raise
    return LocalSession(emulator, emulator.endpoint_url, region_name, key_id, secret)


class Emulator:
    """The emulator's process. It ends with :meth:`stop`, with its last reference, or with this process.

    Attributes
    ----------
    endpoint_url : str
        Its URL, on loopback.
    """

    def __init__(
        self, interpreters: Mapping[str, str], runtime_client: RuntimeClient | None, isolate: bool | None
    ) -> None:
        sweep_state_directories()
        self._directory, self._lock = make_state_directory()
        self.root_secret = Secret(secrets.token_urlsafe(30))
        self.root_key_id = "AKIA" + secrets.token_hex(8).upper()
        self._log = self._directory / "server.log"
        ready, ready_for_child = os.pipe()
        settings = Settings(
            directory=str(self._directory),
            owner=os.getpid(),
            ready=ready_for_child,
            interpreters=dict(interpreters),
            runtime_client=runtime_client,
            isolate=isolate,
        )
        self._process = self._launch(settings)
        os.close(ready_for_child)
        self.stop = weakref.finalize(self, _stop, self._process, self._directory, self._lock, os.getpid())
        try:
            self.endpoint_url = f"http://127.0.0.1:{self._read_port(ready)}"
            self._wait_until_healthy()
        except BaseException:
            self.stop()
            raise
        finally:
            os.close(ready)

    def _launch(self, settings: Settings) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", _SERVER_MODULE, settings.to_argument()]
        home = str(Path(podpac_lambda_widgets.__file__).parents[1])
        inherited = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
        environment = {
            **inherited,
            # Nothing of the user's own AWS, and no home to find it in.
            "HOME": str(self._directory),
            "PYTHONPATH": os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")])),
            "AWS_ACCESS_KEY_ID": self.root_key_id,
            "AWS_SECRET_ACCESS_KEY": self.root_secret.reveal(),
        }
        with self._log.open("wb") as log:
            return subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=(settings.ready, self._lock),
                # Ctrl-C in a terminal is for the owner.
                start_new_session=True,
            )

    def _read_port(self, ready: int) -> int:
        line = b""
        deadline = time.monotonic() + _START_SECONDS
        # Not select(): a notebook's kernel may have descriptors above 1023.
        waiting = select.poll()
        waiting.register(ready, select.POLLIN)
        while not line.endswith(b"\n"):
            readable = waiting.poll(max(0.0, deadline - time.monotonic()) * 1000)
            chunk = os.read(ready, 64) if readable else b""
            if not chunk:
                raise self._start_error("it ended" if readable else f"it was not ready after {_START_SECONDS:.0f} s")
            line += chunk
        return int(line)

    def _wait_until_healthy(self) -> None:
        # It listens already, so this waits in the queue until it serves. No proxy: this is loopback.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(self.endpoint_url + HEALTH_PATH, timeout=_START_SECONDS) as response:
                json.load(response)
        except (OSError, ValueError) as error:
            raise self._start_error(f"the health check failed: {error}") from error

    def _start_error(self, why: str) -> LocalAwsError:
        with contextlib.suppress(OSError):
            tail = self._log.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace").strip()
            why = f"{why}; the end of its log:\n{tail}" if tail else why
        return LocalAwsError("The embedded AWS did not start.", why=why)


def _stop(process: subprocess.Popen[bytes], directory: Path, lock: int, owner: int) -> None:
    if os.getpid() != owner:  # a fork of the owner
        return
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    os.close(lock)
    remove_tree(directory)


def _check_interpreters(python: Mapping[str, str]) -> dict[str, str]:
    checked = {}
    for runtime, path in python.items():
        found = identify_interpreter(path)
        if found is None or found[0] != runtime:
            why = f"{path} is {found[0]}" if found else f"{path} is not a Python that runs here"
            raise InvalidValueError(f"There is no interpreter for {runtime}.", field="python", why=why)
        checked[runtime] = found[1]
    return checked


def _make_user(emulator: Emulator) -> tuple[str, Secret]:
    root = LocalSession(emulator, emulator.endpoint_url, "us-east-1", emulator.root_key_id, emulator.root_secret)
    iam = root.client("iam")
    name = f"podpac-{secrets.token_hex(4)}"
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="deploy", PolicyDocument=json.dumps(_USER_POLICY))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return key["AccessKeyId"], Secret(key["SecretAccessKey"])
