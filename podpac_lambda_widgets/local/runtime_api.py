"""The Lambda Runtime API of one execution environment, on loopback.

Protocol: version 2018-06-01, as published in AWS's Lambda developer guide ("Using the Lambda runtime API").
"""

from __future__ import annotations

import queue
import secrets
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from podpac_lambda_widgets.local.function import Invocation

_VERSION = "/2018-06-01/runtime"


@dataclass(frozen=True)
class Answer:
    """What the runtime client posted for an invocation; ``error`` when it was an error document."""

    request_id: str
    body: bytes = field(repr=False)
    content_type: str
    error: bool


class RuntimeApi:
    """Serves one runtime client.

    Attributes
    ----------
    changed : threading.Condition
        Notified when one of the other attributes changes.
    ready : bool
        The client has asked for its first invocation: initialisation is over.
    init_error : bytes or None
        The error document, when initialisation failed.
    answer : Answer or None
        The newest answer.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.ready = False
        self.init_error: bytes | None = None
        self.answer: Answer | None = None
        self._invocations: queue.SimpleQueue[tuple[Invocation, int] | None] = queue.SimpleQueue()
        self._server = _Server(self)
        threading.Thread(target=self._server.serve_forever, name="runtime-api", daemon=True).start()

    @property
    def address(self) -> str:
        """Host and port, as ``AWS_LAMBDA_RUNTIME_API`` has it."""
        return f"127.0.0.1:{self._server.server_port}"

    def submit(self, invocation: Invocation, deadline_ms: int) -> None:
        """Hand the client its next invocation; ``deadline_ms`` is in milliseconds since the epoch."""
        with self.changed:
            self.answer = None
        self._invocations.put((invocation, deadline_ms))

    def close(self) -> None:
        """Stop serving. Returns at once; the server's threads end by themselves."""
        self._invocations.put(None)
        threading.Thread(target=self._shut_down, name="runtime-api-close", daemon=True).start()

    def _shut_down(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def next_invocation(self) -> tuple[Invocation, int] | None:
        """Wait for the next invocation; None when the environment closes."""
        with self.changed:
            self.ready = True
            self.changed.notify_all()
        return self._invocations.get()

    def post(self, path: str, body: bytes, content_type: str) -> bool:
        """Take what the client posts; False when there is no such path."""
        with self.changed:
            match path.removeprefix(_VERSION).strip("/").split("/"):
                case ["init", "error"]:
                    self.init_error = body
                case ["invocation", request_id, "response" | "error" as kind]:
                    self.answer = Answer(request_id, body, content_type, error=kind == "error")
                case _:
                    return False
            self.changed.notify_all()
        return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, api: RuntimeApi) -> None:
        self.api = api
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is killed drops its connection: nothing to report."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # Each reply in one segment, at once: with Nagle's algorithm it would wait 40 ms for the client's delayed ACK.
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: paths hold request ids, and the log is not ours."""

    def do_GET(self) -> None:
        """``/runtime/invocation/next``: block until there is work."""
        if self.path != f"{_VERSION}/invocation/next":
            return self._reply(HTTPStatus.NOT_FOUND)
        found = self.server.api.next_invocation()
        if found is None:
            self.close_connection = True
            return self._reply(HTTPStatus.INTERNAL_SERVER_ERROR)
        invocation, deadline_ms = found
        self._reply(
            HTTPStatus.OK,
            invocation.payload,
            {
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
                "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)};Sampled=0",
            },
        )

    def do_POST(self) -> None:
        """``/runtime/init/error`` and ``/runtime/invocation/<request id>/{response,error}``."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        known = self.server.api.post(self.path, body, self.headers.get("Content-Type") or "")
        self._reply(HTTPStatus.ACCEPTED if known else HTTPStatus.NOT_FOUND, b'{"status":"OK"}')

    def _reply(self, status: HTTPStatus, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
