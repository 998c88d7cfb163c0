"""What the function does with an event."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from podpac_lambda_widgets.errors import FunctionCrashedError, PipelineRejectedError, PodpacLambdaError
from podpac_lambda_widgets.remote import guard
from podpac_lambda_widgets.remote.budget import points
from podpac_lambda_widgets.remote.canonical import node_hash, pipeline_sha256
from podpac_lambda_widgets.remote.claims import is_claim, redeem
from podpac_lambda_widgets.remote.encoders import choose_encoder
from podpac_lambda_widgets.remote.evaluate import evaluate, import_podpac, versions
from podpac_lambda_widgets.remote.http import answer_http, is_http_event
from podpac_lambda_widgets.remote.outputs import Encoding, read_output
from podpac_lambda_widgets.remote.plain import require_mapping
from podpac_lambda_widgets.remote.requests import read_request
from podpac_lambda_widgets.remote.results import Result, exhausted, name_result
from podpac_lambda_widgets.remote.s3 import StackBucket, make_s3_client
from podpac_lambda_widgets.remote.s3_events import handle_records, is_s3_event
from podpac_lambda_widgets.remote.sending import deliver, send, send_to_podpac, store
from podpac_lambda_widgets.remote.wire import Request, encode_error, is_ours

if TYPE_CHECKING:
    from podpac_lambda_widgets.remote.extras import Extras


@dataclass
class Function:
    """One execution environment of the function.

    Parameters
    ----------
    environ : mapping of str to str
        The function's environment variables.
    extras : Extras, optional
        Dependencies that are fetched on demand.
    left_out : mapping of str to str
        Packages that the archives lack, with the reason.
    code_version : str, optional
        What tells its code from any other: a result of other code is not taken for one of this.
    s3_client : callable
        Makes the S3 client when one is needed.
    print_line : callable
        Takes one line of the log.
    """

    environ: Mapping[str, str] = field(repr=False)
    extras: Extras | None = None
    left_out: Mapping[str, str] = field(default_factory=dict, repr=False)
    code_version: str = ""
    s3_client: Callable[[], Any] = field(default_factory=lambda: make_s3_client)
    print_line: Callable[[str], None] = partial(print, flush=True)
    init_seconds: float = 0.0
    import_seconds: float = 0.0

    def __post_init__(self) -> None:
        self.policy = guard.Policy.from_environment(self.environ)
        self.bucket = StackBucket.from_environment(self.environ, self.s3_client)

    def warm(self) -> None:
        """Import podpac and evaluate once, so that the first request need not. No network."""
        began = time.perf_counter()
        import_podpac()
        self.import_seconds = time.perf_counter() - began
        evaluate(_WARMING, unsafe_eval=False, encode=choose_encoder("arrays", {}, self.bucket))
        self.init_seconds = time.perf_counter() - began - self.import_seconds

    def handle(self, event: object, context: object = None) -> bytes | dict[str, object]:
        """Answer one event.

        Returns
        -------
        bytes or dict
            A frame of :mod:`podpac_lambda_widgets.remote.wire` for our own client, which carries errors as data;
            plain netCDF for PODPAC's own client; a proxy answer, errors included, for API Gateway and the function's
            URL; what became of each record for S3.

        Raises
        ------
        PodpacLambdaError
            Only for PODPAC's own client, for unknown events, and for S3 when Lambda is to try again: these read the
            error that Lambda makes of an exception.
        """
        entry: dict[str, object] = {"request_id": str(getattr(context, "aws_request_id", "")), "outcome": "ok"}
        began = time.perf_counter()
        self.bucket.owner = self.bucket.owner or _account(context)
        try:
            return deliver(event, self._try_to_answer(event, entry), self.bucket)
        finally:
            entry["seconds"] = round(time.perf_counter() - began, 6)
            self.print_line(json.dumps(entry))

    def _try_to_answer(self, event: object, entry: dict[str, object]) -> bytes | dict[str, object]:
        try:
            return self._answer(event, entry)
        except PodpacLambdaError as error:
            return self._refuse(error, event, entry)
        except MemoryError:
            return self._refuse(exhausted(), event, entry)
        except Exception as error:  # noqa: BLE001 - the outermost boundary: nothing of a traceback may leave or be logged
            unforeseen = FunctionCrashedError(
                "The function failed",
                why=type(error).__name__,
                next_step="Report this with the version of the function",
            )
            return self._refuse(unforeseen, event, entry)

    def _refuse(self, error: PodpacLambdaError, event: object, entry: dict[str, object]) -> bytes:
        entry["outcome"] = type(error).__name__
        if is_ours(event):
            return encode_error(error)
        raise error from None

    def _answer(self, event: object, entry: dict[str, object]) -> bytes | dict[str, object]:
        found = require_mapping(event, "The event")
        if is_claim(found):
            return self._answer_claim(found, entry)
        if is_ours(found):
            return self._answer_call(found, entry)
        noting = _Noting(self, entry)
        if is_s3_event(found):
            entry["trigger"] = "S3"
            return handle_records(found, noting, self.bucket, entry)
        if is_http_event(found):
            entry["trigger"] = "HTTP"
            return answer_http(found, noting, lambda result: store(result, self.bucket), entry)
        return self._answer_call(found, entry)

    def _answer_claim(self, event: Mapping[str, object], entry: dict[str, object]) -> bytes:
        began = time.perf_counter()
        request = redeem(event, self.bucket)
        before = {"request": time.perf_counter() - began}
        # Told in the log even where the request is then refused.
        entry["timings"] = before
        return self._answer_call(request, entry, before)

    def _answer_call(
        self, event: Mapping[str, object], entry: dict[str, object], before: Mapping[str, float] | None = None
    ) -> bytes:
        request, encoding = read_request(event)
        noting = _Noting(self, entry, before or {})
        if request.delivery:
            entry["delivery"] = request.delivery
        noting.check(request)
        if encoding == "podpac":
            return send_to_podpac(noting.compute(request, encoding))
        return send(noting.compute(request, "arrays" if encoding == "netcdf" else encoding), self.bucket)

    def check(self, request: Request) -> None:
        """Refuse what this deployment does not allow; see :func:`podpac_lambda_widgets.remote.guard.check`."""
        guard.check(request, self.policy)
        allowed = self.policy.restrict_pipelines
        if allowed and not allowed & {pipeline_sha256(request.pipeline), node_hash(request.pipeline)}:
            raise PipelineRejectedError(
                "The function is restricted to other pipelines",
                why=f"{pipeline_sha256(request.pipeline)} is not on its list",
                next_step="Add it to function_restrict_pipelines and build again",
            )

    def name(self, request: Request, encoding: Encoding) -> str:
        """Name the result of a checked request, without computing it."""
        return name_result(request, encoding, self._versions())

    def compute(self, request: Request, encoding: Encoding) -> Result:
        """Evaluate a checked request; see :func:`podpac_lambda_widgets.remote.evaluate.evaluate`."""
        dependencies_before = self.extras.seconds if self.extras else 0.0
        found = evaluate(
            request,
            unsafe_eval=guard.needs_unsafe_eval(request, self.policy),
            allowed_hosts=self.policy.allowed_hosts,
            encode=choose_encoder(encoding, read_output(request.output).options, self.bucket),
            left_out=self.left_out,
        )
        dependencies = (self.extras.seconds if self.extras else 0.0) - dependencies_before
        # Fetched in the middle of the evaluation, or of the encoding when that was the first to need them.
        part = "evaluate" if dependencies <= found.timings["evaluate"] else "encode"
        timings = {
            "init": self.init_seconds,
            "dependencies": dependencies,
            **found.timings,
            "import": self.import_seconds + found.timings["import"],
            part: max(0.0, found.timings[part] - dependencies),
        }
        self.init_seconds = self.import_seconds = 0.0
        return Result(found.body, found.format, self.name(request, encoding), timings, self._versions())

    def _versions(self) -> dict[str, str]:
        code = {"code": self.code_version} if self.code_version else {}
        return {**versions(), **code}


@dataclass(frozen=True)
class _Noting:
    """The function, noting in one line of the log what it evaluates."""

    function: Function
    entry: dict[str, object]
    #: Seconds of what was done before there was a request.
    before: Mapping[str, float] = field(default_factory=dict)

    def check(self, request: Request) -> None:
        self.function.check(request)
        self.entry["points"] = points(request.coordinates)

    def name(self, request: Request, encoding: Encoding) -> str:
        return self.function.name(request, encoding)

    def compute(self, request: Request, encoding: Encoding) -> Result:
        result = self.function.compute(request, encoding)
        result = replace(result, timings={**self.before, **result.timings})
        self.entry["timings"] = dict(result.timings)
        return result


def _account(context: object) -> str:
    """The account that the function is in; empty where there is none to see."""
    account = str(getattr(context, "invoked_function_arn", "")).split(":")[4:5]
    return account[0] if account and re.fullmatch(r"\d{12}", account[0]) else ""


def make_function(environ: Mapping[str, str] | None = None) -> Function:
    """Set up this execution environment: writable folders, dependencies on demand, a warming evaluation.

    Called once, when Lambda loads the handler.
    """
    began = time.perf_counter()
    from podpac_lambda_widgets.remote import extras

    environ = dict(os.environ) if environ is None else environ
    temporary = environ.get("TMPDIR", "/tmp")  # noqa: S108 - the one folder that Lambda lets a function write to
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "MPLCONFIGDIR"):
        os.environ[name] = temporary
    function = Function(
        environ,
        extras=extras.install(environ),
        left_out=extras.left_out(environ),
        code_version=extras.code_version(environ),
    )
    function.warm()
    function.init_seconds = time.perf_counter() - began - function.import_seconds
    return function


_WARMING = Request(
    pipeline={"SinCoords": {"node": "core.algorithm.utility.SinCoords"}},
    coordinates={"coords": [{"name": "lat", "values": [0.0, 1.0]}, {"name": "lon", "values": [0.0, 1.0]}]},
)
