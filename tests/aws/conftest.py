"""Faults, put between us and the embedded AWS by botocore's own event hooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
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
