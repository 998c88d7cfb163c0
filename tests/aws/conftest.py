"""Faults, put between us and the embedded AWS by botocore's own event hooks."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from podpac_lambda_widgets.local.session import LocalSession

Handler = Callable[..., Any]


@dataclass
class Faults:
    """Hooks of a session; a client made while they are there keeps them."""

    session: LocalSession
    hooks: list[tuple[str, Handler]] = field(default_factory=list)

    def hook(self, event: str, handler: Handler) -> None:
        """Call the handler at an event, such as ``after-call.s3.HeadBucket``."""
        self.session.events.register(event, handler)
        self.hooks.append((event, handler))

    def answer(
        self,
        operation: str,
        status: int,
        code: str = "",
        message: str = "said AWS",
        headers: Mapping[str, str] | None = None,
        after: int = 0,
    ) -> list[dict[str, Any]]:
        """Answer an operation (``s3.HeadBucket``) instead of AWS when ``after`` have passed; returns the requests."""
        asked: list[dict[str, Any]] = []

        def handler(params: dict[str, Any], **_: Any) -> Any:
            asked.append(params)
            return self.refusal(status, code, message, headers) if len(asked) > after else None

        self.hook(f"before-call.{operation}", handler)
        return asked

    def refusal(
        self, status: int, code: str = "", message: str = "said AWS", headers: Mapping[str, str] | None = None
    ) -> tuple[AWSResponse, dict[str, Any]]:
        """What a ``before-call`` handler returns to refuse a call."""
        metadata = {"HTTPStatusCode": status, "HTTPHeaders": dict(headers or {}), "RequestId": "req-1"}
        parsed = {"Error": {"Code": code or str(status), "Message": message}, "ResponseMetadata": metadata}
        return AWSResponse("https://refused", status, {}, None), parsed

    def count(self, operation: str) -> list[dict[str, Any]]:
        """Let an operation pass, and return its requests as they come."""
        asked: list[dict[str, Any]] = []
        self.hook(f"before-call.{operation}", lambda params, **_: asked.append(params))
        return asked

    def change(self, operation: str, **values: Any) -> None:
        """Write other values into the answers to an operation."""
        self.hook(f"after-call.{operation}", lambda parsed, **_: parsed.update(values))


@pytest.fixture
def faults(aws: LocalSession) -> Iterator[Faults]:
    """Faults for the clients that are made in the test; make the account after them."""
    made = Faults(aws)
    yield made
    for event, handler in made.hooks:
        aws.events.unregister(event, handler)


# For what gives credentials

ACCOUNT = "000000000000"
ROLE = "credentials-role"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
Keys = dict[str, str]
#: Method, path, headers and body to status and body.
HttpHandler = Callable[[str, str, dict[str, str], bytes], tuple[int, bytes]]


@dataclass
class Service:
    """A small HTTP server on loopback; ``requests`` are method and path of what it was asked."""

    handler: HttpHandler
    requests: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.requests.append(f"{request.command} {request.path.partition('?')[0]}")
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in request.headers.items()}
        status, answer = self.handler(request.command, request.path, headers, body)
        request.send_response(status)
        request.send_header("Content-Length", str(len(answer)))
        # IMDSv2 wants it of the request; botocore reads it of the answer.
        request.send_header("x-aws-ec2-metadata-token-ttl-seconds", "300")
        request.end_headers()
        request.wfile.write(answer)


@pytest.fixture
def serve() -> Iterator[Callable[[HttpHandler], Service]]:
    """Starts servers, and stops them at the end."""
    running: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def start(handler: HttpHandler) -> Service:
        service = Service(handler)

        class Request(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.answer(self)

            do_HEAD = do_PUT = do_POST = do_GET

            def log_message(self, *args: object) -> None:
                """Nothing on the terminal."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Request)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        running.append((server, thread))
        service.url = f"http://127.0.0.1:{server.server_port}"
        return service

    yield start
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def role(aws: LocalSession) -> Iterator[str]:
    """A role that everybody in the account may assume, and that may do nothing."""
    iam = aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=document)
    yield ROLE_ARN
    iam.delete_role(RoleName=ROLE)


@pytest.fixture
def temporary(aws: LocalSession, role: str) -> Callable[[], Keys]:
    """Makes temporary keys, each time others."""
    return lambda: aws.client("sts").assume_role(RoleArn=role, RoleSessionName="temporary")["Credentials"]


@pytest.fixture
def configure(aws: LocalSession, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Writes the configuration file, in which ``URL`` stands for the embedded AWS."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    def write(text: str) -> None:
        path = tmp_path / "config"
        path.write_text(text.replace("URL", aws.endpoint_url))
        monkeypatch.setenv("AWS_CONFIG_FILE", str(path))

    return write
