"""Requests that come through API Gateway or the function's URL, and their answers.

Both speak in events (API Gateway developer guide, "Lambda proxy integrations in API Gateway"; Lambda developer guide,
"Request and response payloads" of function URLs). Who may ask is decided before, by them.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import NoReturn
from urllib.parse import parse_qsl

from podpac_lambda_widgets.errors import (
    DependencyMissingError,
    FunctionCrashedError,
    InvalidPipelineError,
    InvalidValueError,
    PipelineFailedError,
    PipelineRejectedError,
    PodpacLambdaError,
    ResultFormatError,
)
from podpac_lambda_widgets.limits import SYNC_REQUEST_BYTES, SYNC_RESPONSE_BYTES
from podpac_lambda_widgets.remote.ogc import read_query
from podpac_lambda_widgets.remote.outputs import Encoding
from podpac_lambda_widgets.remote.requests import read_json, read_request
from podpac_lambda_widgets.remote.results import Evaluates, Result, exhausted
from podpac_lambda_widgets.remote.wire import Request, StoredAnswer

_METHODS = ("GET", "POST")
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
#: More parameters than any map has.
_MAX_PARAMETERS = 100
_HOW = (
    "Send a pipeline and coordinates as JSON with POST, or ask with GET for a map: "
    "?SERVICE=WMS&REQUEST=GetMap&VERSION=1.3.0&LAYERS=...&CRS=EPSG:4326&BBOX=...&WIDTH=...&HEIGHT=...&FORMAT=image/png"
)
_STATUS: tuple[tuple[type[PodpacLambdaError], int], ...] = (
    (InvalidValueError, 400),
    (PipelineRejectedError, 403),
    (PipelineFailedError, 422),
    (ResultFormatError, 422),
    (DependencyMissingError, 501),
)


@dataclass(frozen=True)
class _HttpRequest:
    """The parts of a request that count, of either kind of event."""

    method: str
    path_known: bool
    content_type: str
    body: object
    is_base64: bool
    query: Callable[[], list[tuple[str, str]]] = field(repr=False)
    request_id: str = ""


class _HttpError(Exception):
    """A request that is answered with a status of HTTP's own."""

    def __init__(self, status: int, error: PodpacLambdaError, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.error = error
        self.headers = dict(headers or {})


def is_http_event(event: object) -> bool:
    """Whether an event came from API Gateway or from the function's URL."""
    if not isinstance(event, Mapping) or not isinstance(event.get("requestContext"), Mapping):
        return False
    return "httpMethod" in event or isinstance(event["requestContext"].get("http"), Mapping)


def answer_http(
    event: Mapping[str, object],
    function: Evaluates,
    store: Callable[[Result], StoredAnswer],
    entry: dict[str, object],
) -> dict[str, object]:
    """Answer one request; nothing is raised but what nobody foresaw.

    Parameters
    ----------
    event : mapping
        One for which :func:`is_http_event` holds.
    function : Evaluates
    store : callable
        Puts a result that is too large for an answer into the bucket.
    entry : dict
        The line of the log; gets the status, and the type of an error.

    Returns
    -------
    dict
        A proxy answer: ``statusCode``, ``headers``, ``body`` and ``isBase64Encoded``.
    """
    request = _read_event(event)
    entry["method"] = request.method if request.method in _METHODS else "other"
    try:
        answer = _evaluate(request, function, store)
    except _HttpError as stopped:
        answer = _explain(stopped.error, entry, stopped.status, stopped.headers)
    except PodpacLambdaError as error:
        answer = _explain(error, entry)
    except MemoryError:
        answer = _explain(exhausted(), entry)
    except Exception as error:  # noqa: BLE001 - the outermost boundary: nothing of a traceback may leave
        answer = _explain(FunctionCrashedError("The function failed", why=type(error).__name__), entry)
    entry["status"] = answer["statusCode"]
    identifier = request.request_id if _REQUEST_ID.fullmatch(request.request_id) else str(entry.get("request_id", ""))
    return _with_headers(answer, {"X-Request-Id": identifier} if identifier else {})


def _explain(
    error: PodpacLambdaError, entry: dict[str, object], status: int = 0, headers: Mapping[str, str] | None = None
) -> dict[str, object]:
    entry["outcome"] = type(error).__name__
    found = status or next((number for kind, number in _STATUS if isinstance(error, kind)), 500)
    return _json(found, {"status": "error", "error": error.to_dict()}, headers or {})


def _evaluate(request: _HttpRequest, function: Evaluates, store: Callable[[Result], StoredAnswer]) -> dict[str, object]:
    found, encoding = _read(request)
    function.check(found)
    result = function.compute(found, encoding)
    headers = {
        "Content-Type": result.content_type,
        # RFC 9530
        "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(result.sha256)).decode()}:",
        "Server-Timing": ", ".join(f"{name};dur={1000 * value:.3f}" for name, value in result.timings.items()),
    }
    answer = _answer(200, headers, "", is_base64=True)
    # Lambda's limit is one of the whole answer; the request's id is still to come.
    if len(json.dumps(answer)) + 256 + 4 * -(-len(result.body) // 3) <= SYNC_RESPONSE_BYTES:
        return {**answer, "body": base64.b64encode(result.body).decode()}
    began = time.perf_counter()
    stored = store(result)
    pointer = {
        "status": "stored",
        "stored": asdict(stored),
        "format": result.format,
        "request_sha256": result.request_sha256,
        "timings": {**result.timings, "upload": time.perf_counter() - began},
        "versions": dict(result.versions),
    }
    return _json(200, pointer, {})


def _read(request: _HttpRequest) -> tuple[Request, Encoding]:
    if not request.path_known:
        _stop(404, "There is nothing at this path", "", _HOW)
    if request.method not in _METHODS:
        allowed = ", ".join(_METHODS)
        _stop(405, "The method is not allowed", f"allowed: {allowed}", _HOW, {"Allow": allowed})
    if request.method == "GET":
        pairs = request.query()
        if not pairs:
            raise InvalidPipelineError("The request has no query", next_step=_HOW)
        return read_query(pairs)
    document = _document(request)
    try:
        return read_request(document)
    except PipelineRejectedError as error:
        # What is no request at all is a bad one; whether a pipeline is allowed is the guard's to say.
        raise _HttpError(400, error) from None


def _document(request: _HttpRequest) -> object:
    media, _, _ = request.content_type.partition(";")
    media = media.strip().lower()
    if media and media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
        _stop(415, "The body is not JSON", "the Content-Type is another", "Send Content-Type: application/json")
    if not isinstance(request.body, str) or not request.body:
        raise InvalidPipelineError("The request has no body", next_step=_HOW)
    try:
        body = base64.b64decode(request.body, validate=True) if request.is_base64 else request.body.encode()
    except (binascii.Error, ValueError):
        raise InvalidPipelineError("The body cannot be decoded", why="it is neither base64 nor UTF-8") from None
    if len(body) > SYNC_REQUEST_BYTES:
        _stop(413, "The body is too large", f"{len(body):,} bytes; the limit is {SYNC_REQUEST_BYTES:,}", "")
    return read_json(body)


def _read_event(event: Mapping[str, object]) -> _HttpRequest:
    context = _mapping(event.get("requestContext"))
    http = _mapping(context.get("http"))
    is_url = "httpMethod" not in event
    method = http.get("method") if is_url else event.get("httpMethod")
    # A path that a route names was matched before; a function's URL has one route, which takes any path.
    unrouted = is_url and event.get("routeKey", "$default") == "$default"
    path = event.get("rawPath", http.get("path"))
    headers = {str(name).lower(): value for name, value in _mapping(event.get("headers")).items()}
    return _HttpRequest(
        method=_text(method).upper(),
        path_known=not unrouted or path in ("/", "", None),
        content_type=_text(headers.get("content-type")),
        body=event.get("body"),
        is_base64=event.get("isBase64Encoded") is True,
        query=lambda: _url_query(event) if is_url else _proxy_query(event),
        request_id=_text(context.get("requestId")),
    )


def _url_query(event: Mapping[str, object]) -> list[tuple[str, str]]:
    try:
        return parse_qsl(_text(event.get("rawQueryString")), errors="strict", max_num_fields=_MAX_PARAMETERS)
    except ValueError:
        raise InvalidPipelineError(
            "The query cannot be read", why=f"it is not UTF-8, or has more than {_MAX_PARAMETERS} parameters"
        ) from None


def _proxy_query(event: Mapping[str, object]) -> list[tuple[str, str]]:
    """The parameters of a REST API, which has decoded them."""
    several = _mapping(event.get("multiValueQueryStringParameters"))
    single = _mapping(event.get("queryStringParameters"))
    pairs = list(_pairs(several or {name: [value] for name, value in single.items()}))
    if len(pairs) > _MAX_PARAMETERS:
        raise InvalidPipelineError("The query cannot be read", why=f"it has more than {_MAX_PARAMETERS} parameters")
    return pairs


def _pairs(values: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    for name, found in values.items():
        for value in found if isinstance(found, list) else [found]:
            if isinstance(value, str):
                yield name, value


def _stop(status: int, what: str, why: str, next_step: str, headers: Mapping[str, str] | None = None) -> NoReturn:
    raise _HttpError(status, InvalidPipelineError(what, why=why, next_step=next_step), headers)


def _json(status: int, value: object, headers: Mapping[str, str]) -> dict[str, object]:
    return _answer(status, {"Content-Type": "application/json", **headers}, json.dumps(value), is_base64=False)


def _answer(status: int, headers: Mapping[str, str], body: str, *, is_base64: bool) -> dict[str, object]:
    safe = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return {"statusCode": status, "headers": {**safe, **headers}, "body": body, "isBase64Encoded": is_base64}


def _with_headers(answer: dict[str, object], more: Mapping[str, str]) -> dict[str, object]:
    return {**answer, "headers": {**_mapping(answer["headers"]), **more}}


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
