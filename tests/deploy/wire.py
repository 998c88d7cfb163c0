"""The wire between us and the embedded AWS, which can be cut at any call, and a clock that nobody waits for."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import botocore.session
import botocore.waiter
from botocore import exceptions as botocore_errors
from botocore.awsrequest import AWSResponse

from podpac_lambda_widgets.local.session import LocalSession

#: What a killed process ends with; see :meth:`Wire.kill`.
KILLED = 9
_URL = "https://aws.invalid"
#: What leaves a function Pending or InProgress, and what tells of it.
_UNSETTLING = ("CreateFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration")
_TELLING = ("GetFunction", "GetFunctionConfiguration")
Answer = tuple[AWSResponse, dict[str, Any]]


@dataclass(frozen=True)
class Call:
    """One call of an operation: ``s3.HeadBucket``, with its parameters as they were given to botocore."""

    name: str
    params: dict[str, Any]


@dataclass(frozen=True)
class Cut:
    """What happens at a call: before its effect, or after it with its answer lost."""

    name: str
    after: bool
    #: Returns an answer in place of AWS's, raises, or does not come back.
    happen: Callable[[str], Answer | None]

    def __str__(self) -> str:
        return self.name


def refusal(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Answer:
    """An answer that says no, as a ``before-call`` handler gives it."""
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": headers or {}, "RequestId": "req-cut"}
    parsed = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}
    return AWSResponse(_URL, status, {}, None), parsed


def _answer(status: int, code: str, message: str) -> Callable[[str], Answer]:
    def happen(operation: str) -> Answer:
        # The answer to a HEAD has no body, and so no code but the status.
        told = str(status) if operation.startswith("s3.Head") else code
        return refusal(status, told, message.format(action=operation.replace(".", ":")))

    return happen


def _raise(error: Exception) -> Callable[[str], None]:
    def happen(operation: str) -> None:
        raise error

    return happen


def _kill(operation: str) -> None:
    # No finally block runs, nothing is flushed: as kill -9 does it.
    os._exit(KILLED)


_DENIED = "User: arn:aws:iam::000000000000:user/u is not authorized to perform: {action} on resource: r"
_RESET = botocore_errors.ConnectionClosedError(endpoint_url=_URL)
_UNREACHABLE = botocore_errors.EndpointConnectionError(endpoint_url=_URL)
_TIMEOUT = botocore_errors.ReadTimeoutError(endpoint_url=_URL)
CUTS = (
    Cut("403", False, _answer(403, "AccessDenied", _DENIED)),
    Cut("429", False, _answer(429, "TooManyRequestsException", "Rate exceeded")),
    Cut("500", False, _answer(500, "InternalError", "We encountered an internal error.")),
    Cut("reset", False, _raise(_RESET)),
    Cut("unreachable", False, _raise(_UNREACHABLE)),
    Cut("timeout", False, _raise(_TIMEOUT)),
    Cut("answer lost: reset", True, _raise(_RESET)),
    Cut("answer lost: timeout", True, _raise(_TIMEOUT)),
    Cut("killed before", False, _kill),
    Cut("killed after", True, _kill),
)


#: Gets the number of a call, and whether it has had its effect.
Choose = Callable[[int, bool], Cut | None]


@dataclass
class Wire:
    """Sees every call of a :class:`WiredSession`, numbers them from 0, and cuts those that are chosen."""

    calls: list[Call] = field(default_factory=list)
    _choose: Choose | None = None
    #: How often a function that was written is told to be Pending; None: as long as it is, half a second.
    pending_polls: int | None = 1
    #: How often it will be told yet.
    pending: int = 0
    # An upload sends from threads of its own.
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def recording(self, choose: Choose | None = None) -> Iterator[list[Call]]:
        """Number the calls of the block from 0; ``choose`` says of each, before and after its effect, how it is cut."""
        self.calls, self._choose = [], choose
        try:
            yield self.calls
        finally:
            self.calls, self._choose = [], None

    def before(self, model: Any, params: dict[str, Any], context: dict[str, Any], **_: Any) -> Answer | None:
        """Handle ``before-call``."""
        name = f"{model.service_model.service_name}.{model.name}"
        with self._lock:
            number = len(self.calls)
            self.calls.append(Call(name, context.get("podpac_test_params", {})))
        context["podpac_test_number"] = number
        cut = self._choose(number, False) if self._choose else None
        return cut.happen(name) if cut else None

    def after(self, model: Any, context: dict[str, Any], parsed: dict[str, Any], **_: Any) -> None:
        """Handle ``after-call``."""
        self._settle(model.name, parsed)
        cut = self._choose(context["podpac_test_number"], True) if self._choose else None
        if cut:
            cut.happen(f"{model.service_model.service_name}.{model.name}")

    def _settle(self, operation: str, parsed: dict[str, Any]) -> None:
        if self.pending_polls is None:
            return
        if operation in _UNSETTLING:
            self.pending = self.pending_polls
        elif operation in _TELLING and "Error" not in parsed:
            going = {"State": "Pending", "LastUpdateStatus": "InProgress"}
            done = {"State": "Active", "LastUpdateStatus": "Successful"}
            parsed.get("Configuration", parsed).update(going if self.pending else done)
            self.pending = max(0, self.pending - 1)

    @staticmethod
    def keep_params(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        """Handle ``before-parameter-build``: remember what was asked for, before it becomes a request."""
        context["podpac_test_params"] = dict(params)


class WiredSession(boto3.Session):  # type: ignore[misc]  # boto3 has no types
    """A session of the embedded AWS whose calls pass a :class:`Wire`; it makes each client once."""

    def __init__(self, aws: LocalSession, wire: Wire) -> None:
        credentials = aws.get_credentials().get_frozen_credentials()
        nothing, no_file = (None, None, None, None), (None, None, os.devnull, None)
        isolated = {"profile": nothing, "config_file": no_file, "credentials_file": no_file}
        super().__init__(
            credentials.access_key,
            credentials.secret_key,
            region_name=aws.region_name,
            botocore_session=botocore.session.Session(session_vars=isolated),
        )
        self._endpoint_url = aws.endpoint_url
        self._made: dict[Any, Any] = {}
        self.events.register_last("before-parameter-build", wire.keep_params)
        self.events.register_first("before-call", wire.before)
        self.events.register_first("after-call", wire.after)

    def client(self, service_name: str, *args: Any, **kwargs: Any) -> Any:
        """Make a client, or give the one that was made alike."""
        config = kwargs.get("config")
        key = (service_name, config and (config.read_timeout, str(config.retries)))
        if key not in self._made:
            kwargs.setdefault("endpoint_url", self._endpoint_url)
            self._made[key] = super().client(service_name, *args, **kwargs)
        return self._made[key]

    def forget(self) -> None:
        """Make every client anew when it is asked for."""
        self.hang_up()
        self._made.clear()

    def hang_up(self) -> None:
        """Close all connections: a forked process must not speak on those of its parent."""
        for client in self._made.values():
            client.close()


class Observer:
    """A session that makes each client once, and that nothing is cut of."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._made: dict[str, Any] = {}

    def client(self, name: str) -> Any:
        """Make a client, or give the one that was made."""
        if name not in self._made:
            self._made[name] = self._session.client(name)
        return self._made[name]


class FakeClock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        """Seconds from 0."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.now += seconds
