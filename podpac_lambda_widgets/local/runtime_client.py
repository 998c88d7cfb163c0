"""A runtime client in pure Python, for where AWS's own (``awslambdaric``) has no wheel.

Runs inside the execution environment under any CPython the function asks for: standard library only. Speaks the
Lambda Runtime API 2018-06-01 and answers as AWS's client does: bytes as they are, everything else as JSON, errors as
``errorMessage``, ``errorType``, ``requestId`` and ``stackTrace``.
"""

from __future__ import annotations

import http.client
import importlib
import json
import logging
import math
import os
import sys
import time
import traceback
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

_RUNTIME = "/2018-06-01/runtime"
_Handler = Callable[[Any, "Context"], Any]


class RuntimeFault(Exception):
    """An error that Lambda names, rather than the handler."""

    def __init__(self, error_type: str, message: str, trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.trace = trace or []


class Context:
    """The handler's second argument; attributes as in AWS's "Lambda context object in Python"."""

    def __init__(self, request_id: str, function_arn: str, deadline_ms: int) -> None:
        self.aws_request_id = request_id
        self.invoked_function_arn = function_arn
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.client_context = None
        self.identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self._deadline_ms = deadline_ms

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda stops the function."""
        return max(0, self._deadline_ms - int(time.time() * 1000))


def find_handler(name: str) -> _Handler:
    """Import the handler named ``module.function``.

    Raises
    ------
    RuntimeFault
        ``Runtime.MalformedHandlerName``, ``Runtime.BuiltInModuleConflict``, ``Runtime.ImportModuleError``,
        ``Runtime.UserCodeSyntaxError`` or ``Runtime.HandlerNotFound``.
    """
    module_name, dot, function_name = name.rpartition(".")
    if not dot:
        raise RuntimeFault(
            "Runtime.MalformedHandlerName", f"Bad handler '{name}': it is not of the form module.function"
        )
    if module_name.split(".")[0] in sys.builtin_module_names:
        message = f"Cannot use built-in module {module_name} as a handler module"
        raise RuntimeFault("Runtime.BuiltInModuleConflict", message)
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise RuntimeFault("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from error
    except SyntaxError as error:
        place = f'  File "{error.filename}" Line {error.lineno}\n    {error.text}'
        message = f"Syntax error in module '{module_name}': {error}"
        raise RuntimeFault("Runtime.UserCodeSyntaxError", message, [place]) from error
    try:
        handler: _Handler = getattr(module, function_name)
    except AttributeError:
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        raise RuntimeFault("Runtime.HandlerNotFound", message) from None
    return handler


def to_json(value: object) -> str:
    """The value as JSON, decimals as numbers.

    Raises
    ------
    RuntimeFault
        ``Runtime.MarshalError`` for what JSON cannot hold.
    """
    try:
        return json.dumps(value, default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise RuntimeFault("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return math.nan if value.is_nan() else float(value)
    if isinstance(value, bytes):
        return value.decode()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def describe(error: BaseException, request_id: str = "") -> dict[str, object]:
    """The error document for an exception."""
    if isinstance(error, RuntimeFault):
        kind, trace = error.error_type, error.trace
    else:
        frames = traceback.extract_tb(error.__traceback__)
        kind = type(error).__name__
        trace = traceback.format_list([frame for frame in frames if frame.filename != __file__])
    return {"errorMessage": str(error), "errorType": kind, "requestId": request_id, "stackTrace": trace}


def _log(document: dict[str, object]) -> None:
    stack = document["stackTrace"]
    lines = [f"[ERROR] {document['errorType']}: {document['errorMessage']}", "Traceback (most recent call last):"]
    lines += [line for part in stack for line in part.splitlines()] if isinstance(stack, list) else []
    # Lambda keeps lines that are separated by a carriage return in one log event.
    print("\r".join(lines), flush=True)  # noqa: T201 - standard output is the function's log


def _call(api: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None, **headers: str) -> Any:
    api.request(method, _RUNTIME + path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    response = api.getresponse()
    data = response.read()
    if response.status not in (http.client.OK, http.client.ACCEPTED):
        raise ConnectionError(f"the Runtime API answered {response.status}")
    return data, response.headers


def _run(handler: _Handler, body: bytes, context: Context) -> tuple[bytes, str]:
    try:
        event = json.loads(body)
    except ValueError as error:
        raise RuntimeFault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from error
    answer = handler(event, context)
    if isinstance(answer, bytes):
        return answer, "application/unknown"
    return to_json(answer).encode(), "application/json"


def serve(handler: _Handler, api: http.client.HTTPConnection) -> None:
    """Run the handler for each invocation, until the Runtime API goes away."""
    while True:
        body, headers = _call(api, "GET", "/invocation/next")
        request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        os.environ["_X_AMZN_TRACE_ID"] = headers["Lambda-Runtime-Trace-Id"] or ""
        _RequestId.current = request_id
        arn, deadline_ms = headers["Lambda-Runtime-Invoked-Function-Arn"], int(headers["Lambda-Runtime-Deadline-Ms"])
        try:
            answer, content_type = _run(handler, body, Context(request_id, arn, deadline_ms))
        except Exception as error:  # noqa: BLE001 - the boundary: whatever the handler raises becomes its answer
            document = describe(error, request_id)
            _log(document)
            path, answer, content_type = "error", json.dumps(document).encode(), "application/json"
        else:
            path = "response"
        _call(api, "POST", f"/invocation/{request_id}/{path}", answer, Content_Type=content_type)


class _RequestId(logging.Filter):
    current = ""

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self.current
        return True


def set_up_logging() -> None:
    """Send the root logger to the function's log in Lambda's format."""
    formatter = logging.Formatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    output = logging.StreamHandler(sys.stdout)
    output.setFormatter(formatter)
    output.addFilter(_RequestId())
    logging.getLogger().addHandler(output)


def main(handler_name: str) -> None:
    """Import the handler and serve it."""
    sys.stdout.reconfigure(line_buffering=True, write_through=True)  # type: ignore[union-attr]  # a text file here
    set_up_logging()
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = find_handler(handler_name)
    except Exception as error:  # noqa: BLE001 - the boundary: whatever importing the code raises is reported
        document = describe(error)
        _log(document)
        kind = str(document["errorType"])
        _call(api, "POST", "/init/error", json.dumps(document).encode(), Lambda_Runtime_Function_Error_Type=kind)
        sys.exit(1)
    serve(handler, api)


if __name__ == "__main__":
    main(sys.argv[1])
