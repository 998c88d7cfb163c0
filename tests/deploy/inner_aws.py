"""The embedded AWS inside this process: no socket and no thread, so that a fork has the whole account to itself.

It is the application that :mod:`podpac_lambda_widgets.local.server` serves; only the way of a request is another.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import re
import secrets
import sys
import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
import botocore.session
from botocore.awsrequest import AWSResponse
from urllib3 import HTTPResponse

from podpac_lambda_widgets.local import emulator, ministack_seam
from podpac_lambda_widgets.local.gate import Gate, Message

_PORT = 4566
_HERE = ("127.0.0.1", _PORT)
_ENDPOINT = "http://127.0.0.1:4566"
#: What starts threads, which would not outlive a fork.
_THREADED = ("lambda_svc", "s3")
#: As ministack makes them: of APIs and what is in them, of roles, of URLs, of revisions. Digests are longer.
_ID = re.compile(
    r"\b(?:[0-9a-f]{8}|[0-9a-f]{10}|AROA[0-9A-Z]+|[0-9a-z]{32}(?=\.)|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b"
)
_TIME = re.compile(r"\b(?:\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+\d+)?|1[789]\d{8}(?:\.\d+|\d{3})?)\b")
Answer = tuple[int, dict[str, str], bytes]


class _NoInvoker:
    """Building and deleting run no function."""

    def invoke(self, function: object, invocation: object) -> Any:
        raise AssertionError("a function was called")


class _AtOnce:
    """A thread whose work is done when it is started."""

    def __init__(
        self, target: Callable[..., object], args: tuple[Any, ...] = (), kwargs: Any = None, **_: object
    ) -> None:
        self._work = lambda: target(*args, **(kwargs or {}))

    def start(self) -> None:
        """Do it."""
        self._work()


class InnerAws:
    """An account of one user.

    Parameters
    ----------
    directory : Path
        For what ministack keeps on disk, which is nothing.
    """

    endpoint_url = _ENDPOINT
    region_name = "us-east-1"

    def __init__(self, directory: Path) -> None:
        key, secret = "AKIA" + secrets.token_hex(8).upper(), secrets.token_urlsafe(30)
        os.environ.update(ministack_seam.settings(_PORT, str(directory), key, secret))
        self._application = Gate(ministack_seam.install(_NoInvoker()), ministack_seam.ACCOUNT)
        self._loops: dict[int, asyncio.AbstractEventLoop] = {}
        services = {name: import_module(f"ministack.services.{name}") for name in _THREADED}
        for service in services.values():
            service.threading = SimpleNamespace(**{**vars(threading), "Thread": _AtOnce})
        services["lambda_svc"]._LAMBDA_STATE_TRANSITION_DELAY = 0.0
        self._credentials = key, secret
        iam = self.client("iam")
        iam.create_user(UserName="builder")
        iam.put_user_policy(UserName="builder", PolicyName="deploy", PolicyDocument=json.dumps(emulator._USER_POLICY))
        made = iam.create_access_key(UserName="builder")["AccessKey"]
        self._credentials = made["AccessKeyId"], made["SecretAccessKey"]
        self._session = self._make_session()

    def _make_session(self) -> boto3.Session:
        nothing, no_file = (None, None, None, None), (None, None, os.devnull, None)
        isolated = {"profile": nothing, "config_file": no_file, "credentials_file": no_file}
        core = botocore.session.Session(session_vars=isolated)
        session = boto3.Session(*self._credentials, region_name=self.region_name, botocore_session=core)
        session.events.register_last("before-send", self.send)
        return session

    def get_credentials(self) -> Any:
        """The user's, as a session has them."""
        return self._session.get_credentials()

    def client(self, name: str) -> Any:
        """A client of the user's."""
        return self._make_session().client(name, endpoint_url=_ENDPOINT)

    def send(self, request: Any, **_: object) -> AWSResponse:
        """Handle ``before-send``: answer in place of the network."""
        pid = os.getpid()
        if pid not in self._loops:
            # One for each process: forks share a loop's descriptors.
            self._loops[pid] = asyncio.new_event_loop()
        # Reading tells the progress of an upload, which may call AWS again.
        sent = _read(request.body)
        status, headers, body = self._loops[pid].run_until_complete(self._exchange(request, sent))
        raw = HTTPResponse(io.BytesIO(body), headers, status, preload_content=False, request_method=request.method)
        return AWSResponse(request.url, status, headers, raw)

    async def _exchange(self, request: Any, body: bytes) -> Answer:
        url, answer = urlsplit(request.url), list[Message]()
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        headers = {"host": url.netloc, "content-length": str(len(body)), **headers}
        # hypercorn answers it itself.
        headers.pop("expect", None)
        scope: Message = {
            "type": "http",
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": unquote(url.path),
            "raw_path": url.path.encode(),
            "query_string": url.query.encode(),
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
            "client": _HERE,
            "server": _HERE,
        }
        messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            return messages.pop() if messages else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            answer.append(message)

        await self._application(scope, receive, send)
        told = {_text(name): _text(value) for name, value in answer[0]["headers"]}
        return answer[0]["status"], told, b"".join(message.get("body", b"") for message in answer[1:])

    def fingerprint(self) -> str:
        """All that the account holds, ids and times included, as a digest."""
        return hashlib.sha256(self._state().encode()).hexdigest()

    def likeness(self) -> str:
        """The same for any account that differs in nothing but the ids that AWS gives, and in times."""
        seen: dict[str, str] = {}
        text = _TIME.sub("time", self._state())
        return hashlib.sha256(
            _ID.sub(lambda found: seen.setdefault(found[0], f"#{len(seen)}"), text).encode()
        ).hexdigest()

    def _state(self) -> str:
        """Whatever ministack keeps for each account."""
        return "".join(
            f"{name}.{store}={_dump(_without_zeros(kept._data))}\n"
            for name in sorted(module for module in sys.modules if module.startswith("ministack.services."))
            for store, kept in sorted(vars(sys.modules[name]).items())
            if type(kept).__name__.endswith("ScopedDict")
        )


def _without_zeros(store: dict[Any, Any]) -> dict[Any, Any]:
    """A count of nothing is as good as none."""
    return {key: value for key, value in store.items() if value != 0}


def _read(body: Any) -> bytes:
    if hasattr(body, "read"):
        body = body.read()
    return body.encode() if isinstance(body, str) else bytes(body or b"")


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _dump(value: Any) -> str:
    if isinstance(value, Mapping):
        pairs = sorted((repr(key), _dump(each)) for key, each in value.items())
        return "{" + ",".join(f"{key}:{each}" for key, each in pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_dump, value)) + "]"
    if isinstance(value, set | frozenset):
        return "[" + ",".join(sorted(map(_dump, value))) + "]"
    if isinstance(value, bytes | bytearray):
        # Of an archive the hash is known already.
        return f"bytes {len(value)} {hash(bytes(value))}"
    if type(value).__name__.endswith("ScopedDict"):
        return _dump(value._data)
    if hasattr(value, "__dict__"):
        return f"{type(value).__name__}{_dump(vars(value))}"
    return repr(value)
