"""An AWS as hostile as the real one: rules between us and the embedded AWS, in a time that passes by itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.awsrequest import AWSResponse
from wire import Answer, FakeClock, Wire

#: Status, code, message and headers of a refusal.
Refusal = tuple[int, str, str, dict[str, str]]
Before = Callable[[str, dict[str, Any]], Refusal | None]
After = Callable[[str, dict[str, Any], dict[str, Any]], None]

#: What each service says when it is asked too often: status and code (API references, "Common errors").
THROTTLED = {
    "s3": (503, "SlowDown"),
    "iam": (400, "Throttling"),
    "sts": (400, "Throttling"),
    "lambda": (429, "TooManyRequestsException"),
    "apigateway": (429, "TooManyRequestsException"),
    "logs": (400, "ThrottlingException"),
    "budgets": (400, "ThrottlingException"),
}
_REQUEST_ID = "req-hostile"
_NEXT = "after-the-empty-page"


class _Body:
    """A body that was received already."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """All of it at once."""
        yield self._content

    def read(self, *_: Any) -> bytes:
        """All of it."""
        return self._content


@dataclass
class Overlay(Wire):
    """Rules for calls, by ``service.Operation``; a time that only sleeping lets pass."""

    clock: FakeClock = field(default_factory=FakeClock)
    rules_before: list[Before] = field(default_factory=list)
    rules_after: list[After] = field(default_factory=list)
    storm_until: float = 0.0
    empty_first_pages: bool = False
    #: Operations whose first page was answered empty.
    emptied: set[str] = field(default_factory=set)
    all_calls: list[str] = field(default_factory=list)
    _writing: threading.Lock = field(default_factory=threading.Lock)
    _asking: threading.local = field(default_factory=threading.local)

    def clear(self) -> None:
        """Be friendly again, at the beginning of time."""
        self.rules_before.clear()
        self.rules_after.clear()
        self.emptied.clear()
        self.all_calls.clear()
        self.clock.now, self.storm_until = 0.0, 0.0
        self.pending_polls, self.empty_first_pages = 1, False

    def refuse(
        self,
        operation: str,
        status: int,
        code: str,
        message: str = "said AWS",
        *,
        seconds: float = float("inf"),
        times: float = float("inf"),
        since: str = "",
        headers: dict[str, str] | None = None,
        when: Callable[[dict[str, Any]], bool] = lambda params: True,
    ) -> list[float]:
        """Answer an operation with an error for some seconds or some times, from the first call of ``since`` on.

        Returns the times at which it was refused.
        """
        refused: list[float] = []
        began: list[float] = [] if since else [0.0]

        def before(name: str, params: dict[str, Any]) -> Refusal | None:
            if name == since and not began:
                began.append(self.clock.now)
            if name != operation or not when(params) or not began:
                return None
            if self.clock.now - began[0] >= seconds or len(refused) >= times:
                return None
            refused.append(self.clock.now)
            return status, code, message, headers or {}

        self.rules_before.append(before)
        return refused

    def alter(self, operation: str, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the answers to an operation."""

        def after(name: str, params: dict[str, Any], parsed: dict[str, Any]) -> None:
            if name == operation and "Error" not in parsed:
                change(parsed)

        self.rules_after.append(after)

    def count(self, operation: str) -> int:
        """How often an operation was asked for."""
        return self.all_calls.count(operation)

    def before(self, model: Any, params: dict[str, Any], context: dict[str, Any], **others: Any) -> Answer | None:
        """Handle ``before-call``."""
        name = f"{model.service_model.service_name}.{model.name}"
        with self._writing:
            self.all_calls.append(name)
        # Attempts of one call are made by the thread that makes the call.
        self._asking.call = (name, model.service_model.protocol, context.get("podpac_test_params", {}))
        if context.get("podpac_test_empty_page"):
            self.emptied.add(name)
            parsed = dict(context["podpac_test_empty_page"])
            metadata = {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RequestId": "req-empty"}
            return AWSResponse("https://aws.invalid", 200, {}, None), {**parsed, "ResponseMetadata": metadata}
        return super().before(model, params, context, **others)

    def after(self, model: Any, context: dict[str, Any], parsed: dict[str, Any], **others: Any) -> None:
        """Handle ``after-call``."""
        super().after(model, context, parsed, **others)
        name = f"{model.service_model.service_name}.{model.name}"
        for rule in self.rules_after:
            rule(name, context.get("podpac_test_params", {}), parsed)

    def page(self, params: dict[str, Any], model: Any, context: dict[str, Any], paginators: Any) -> None:
        """Handle ``before-parameter-build``: have the first page of a list be empty, and the second be its first."""
        pages = paginators(model.service_model.service_name, model.name) if self.empty_first_pages else None
        if pages is None:
            return
        inputs, outputs, results = (_listed(pages[key]) for key in ("input_token", "output_token", "result_key"))
        if any(params.get(name) == _NEXT for name in inputs):
            for name in inputs:
                params.pop(name, None)
        elif not any(name in params for name in inputs):
            more = {pages["more_results"]: True} if "more_results" in pages else {}
            # An expression such as "NextMarker || Contents[-1].Key" names the member that AWS sends itself first.
            names = [expression.split(" ||")[0] for expression in outputs]
            context["podpac_test_empty_page"] = {
                **{name: [] for name in results if "." not in name},
                **dict.fromkeys(names, _NEXT),
                **more,
            }

    def send(self, request: Any, **_: Any) -> AWSResponse | None:
        """Handle ``before-send``: every attempt of a call, so that botocore's own retries have their say."""
        name, protocol, params = self._asking.call
        with self._writing:
            refused = self._refusal(name, params)
        if refused is None:
            return None
        status, code, message, headers = refused
        content = b"" if request.method == "HEAD" else _ERRORS[protocol](code, message).encode()
        told = {"x-amzn-errortype": code, "x-amzn-requestid": _REQUEST_ID, "x-amz-request-id": _REQUEST_ID}
        return AWSResponse(
            request.url, status, {**told, "content-length": str(len(content)), **headers}, _Body(content)
        )

    def _refusal(self, name: str, params: dict[str, Any]) -> Refusal | None:
        if self.clock.now < self.storm_until:
            return (*THROTTLED[name.partition(".")[0]], "Rate exceeded", {})
        return next(filter(None, (rule(name, params) for rule in self.rules_before)), None)


def _xml(code: str, message: str) -> str:
    return f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{_REQUEST_ID}</RequestId></Error>"


def _query(code: str, message: str) -> str:
    return f"<ErrorResponse>{_xml(code, message)}<RequestId>{_REQUEST_ID}</RequestId></ErrorResponse>"


def _json(code: str, message: str) -> str:
    return json.dumps({"__type": code, "message": message})


#: How errors look, by the protocol of the service.
_ERRORS = {"rest-xml": _xml, "query": _query, "json": _json, "rest-json": _json}


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
