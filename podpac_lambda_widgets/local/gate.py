"""What the emulator checks before ministack sees a request: limits of Invoke, signatures, administration."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from podpac_lambda_widgets.limits import ASYNC_REQUEST_BYTES, SYNC_REQUEST_BYTES

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

HEALTH_PATH = "/_ministack/health"
#: Served to callers without credentials when their owner wishes so: API Gateway's stages.
_PUBLIC_PATHS = ("/_aws/execute-api/", "/restapis/")
#: Signature Version 4 in a header or a query, and the older one of S3, with the access key id.
_HEADER_KEY = re.compile(r"(?:Credential=|^AWS )(\w+)")
_QUERY_KEYS = ("X-Amz-Credential", "AWSAccessKeyId")
#: Keys of users and of temporary sessions; any other form means root to ministack, whatever the secret.
_KEY_ID = re.compile(r"A[KS]IA[A-Z0-9]{12,}")
_UNSIGNED_ACTIONS = ("AssumeRoleWithWebIdentity", "AssumeRoleWithSAML")
_OWNER_HEADERS = ("x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner")
_XML_SERVICES = ("s3", "iam", "sts")


class Gate:
    """An ASGI application around ministack's, for one account.

    - ministack's administration (reset, configuration) is closed, but for the health check.
    - A request that is not signed with the key of a user or a session is refused: ministack lets anybody use S3, and
      takes ``test`` and every account number for root. Any page in a browser can send requests to loopback. STS's
      calls that bring a token instead pass.
    - A bucket is not that of another account: ministack does not look at ``ExpectedBucketOwner``.
    - Invoke refuses what Lambda refuses: a request above the limit of its kind with 413, what is not JSON with 400.
      Source: errors and limits of ``Invoke`` in AWS's Lambda API reference.
    """

    def __init__(self, inner: Application, account: str) -> None:
        self._inner = inner
        self._account = account

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI asks."""
        if scope["type"] == "lifespan":
            return await self._inner(scope, receive, send)
        # AWS is reached by TLS only, and policies may insist on it (aws:SecureTransport); loopback stands in for it.
        scope = {**scope, "scheme": "https"}
        path = scope["path"]
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if path.startswith(("/_ministack/", "/_localstack/")) and path != HEALTH_PATH:
            return await _refuse(send, 404, "UnknownOperationException", "There is no such operation.")
        if path != HEALTH_PATH and not _public(path, headers):
            refusal = _signature_refusal(scope, headers)
            if refusal is not None and path == "/" and scope["method"] == "POST":
                body = await _read(receive)
                receive = _replay(body, receive)
                refusal = None if _needs_no_signature(body) else refusal
            if refusal is not None:
                return await _refuse(send, *refusal, xml=_wants_xml(headers))
        if any(headers.get(name, self._account) != self._account for name in _OWNER_HEADERS):
            return await _refuse(send, 403, "AccessDenied", "Access Denied", xml=True)
        if path.startswith("/2015-03-31/functions/") and path.endswith("/invocations"):
            body = await _read(receive)
            refusal = _invoke_refusal(body, headers.get("x-amz-invocation-type", "RequestResponse"))
            if refusal is not None:
                return await _refuse(send, *refusal)
            receive = _replay(body, receive)
        return await self._inner(scope, receive, send)


def _signature_refusal(scope: Message, headers: dict[str, str]) -> tuple[int, str, str] | None:
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    found = _HEADER_KEY.search(headers.get("authorization", ""))
    keys = [found[1]] if found else [query[name][0].partition("/")[0] for name in _QUERY_KEYS if name in query]
    if not keys:
        return 403, "AccessDenied", "The request is not signed."
    if not _KEY_ID.fullmatch(keys[0]):
        return 403, "InvalidClientTokenId", "The security token included in the request is invalid."
    return None


def _needs_no_signature(body: bytes) -> bool:
    # Those who ask for their first credentials have none to sign with: their token stands for them.
    return parse_qs(body.decode("latin-1")).get("Action", [""])[0] in _UNSIGNED_ACTIONS


def _wants_xml(headers: dict[str, str]) -> bool:
    # Without a signature nothing but the host and path tell the service: S3 is the one used that way.
    scope = headers.get("authorization", "/s3/aws4_request")
    return any(f"/{service}/aws4_request" in scope for service in _XML_SERVICES)


def _public(path: str, headers: dict[str, str]) -> bool:
    if path.startswith(_PUBLIC_PATHS[0]):
        return True
    if path.startswith(_PUBLIC_PATHS[1]) and "/_user_request_" in path:
        return True
    return ".lambda-url." in headers.get("host", "")


def _invoke_refusal(body: bytes, kind: str) -> tuple[int, str, str] | None:
    limit = ASYNC_REQUEST_BYTES if kind == "Event" else SYNC_REQUEST_BYTES
    if len(body) > limit:
        message = f"{len(body)} byte payload is too large for the {kind} invocation type (limit {limit} bytes)"
        return 413, "RequestTooLargeException", message
    try:
        json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        return 400, "InvalidRequestContentException", f"Could not parse request body into json: {error}"
    return None


async def _read(receive: Receive) -> bytes:
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return messages.pop() if messages else await receive()

    return receive_again


async def _refuse(send: Send, status: int, code: str, message: str, *, xml: bool = False) -> None:
    if xml:
        error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        body, content_type = f"<ErrorResponse>{error}</ErrorResponse>".encode(), b"text/xml"
    else:
        body, content_type = (
            json.dumps({"Type": "User", "Code": code, "message": message}).encode(),
            b"application/json",
        )
    headers = [
        (b"content-type", content_type),
        (b"content-length", str(len(body)).encode()),
        (b"x-amzn-errortype", code.encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
