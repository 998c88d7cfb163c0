"""What the function does with an event."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from podpac_lambda_widgets.errors import (
    FunctionCrashedError,
    FunctionOutOfMemoryError,
    PipelineRejectedError,
    PodpacLambdaError,
    ResultError,
)
from podpac_lambda_widgets.limits import SYNC_RESPONSE_BYTES
from podpac_lambda_widgets.remote import guard
from podpac_lambda_widgets.remote.budget import points
from podpac_lambda_widgets.remote.canonical import node_hash, pipeline_sha256, request_sha256
from podpac_lambda_widgets.remote.evaluate import Evaluation, evaluate, import_podpac, versions
from podpac_lambda_widgets.remote.plain import check_plain, require_mapping
from podpac_lambda_widgets.remote.s3 import aws_reason, make_s3_client
from podpac_lambda_widgets.remote.wire import (
    Answer,
    Request,
    StoredAnswer,
    decode_request,
    encode_answer,
    encode_error,
    is_ours,
)

if TYPE_CHECKING:
    from podpac_lambda_widgets.remote.extras import Extras

_LEGACY_KEYS = {"pipeline", "output", "coordinates", "settings"}


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
    s3_client : callable
        Makes the S3 client when one is needed.
    print_line : callable
        Takes one line of the log.
    """

    environ: Mapping[str, str] = field(repr=False)
    extras: Extras | None = None
    left_out: Mapping[str, str] = field(default_factory=dict, repr=False)
    s3_client: Callable[[], Any] = field(default_factory=lambda: make_s3_client)
    print_line: Callable[[str], None] = partial(print, flush=True)
    init_seconds: float = 0.0
    import_seconds: float = 0.0

    def __post_init__(self) -> None:
        self.policy = guard.Policy.from_environment(self.environ)

    def warm(self) -> None:
        """Import podpac and evaluate once, so that the first request need not. No network."""
        began = time.perf_counter()
        import_podpac()
        self.import_seconds = time.perf_counter() - began
        evaluate(_WARMING, unsafe_eval=False)
        self.init_seconds = time.perf_counter() - began - self.import_seconds

    def handle(self, event: object, context: object = None) -> bytes:
        """Answer one event.

        Returns
        -------
        bytes
            A frame of :mod:`podpac_lambda_widgets.remote.wire` for our own client, which carries errors as data;
            plain netCDF for PODPAC's own client.

        Raises
        ------
        PodpacLambdaError
            Only for PODPAC's own client and unknown events: that client reads the error Lambda makes of an exception.
        """
        entry: dict[str, object] = {"request_id": str(getattr(context, "aws_request_id", "")), "outcome": "ok"}
        began = time.perf_counter()
        try:
            return self._answer(event, entry)
        except PodpacLambdaError as error:
            return self._refuse(error, event, entry)
        except MemoryError:
            exhausted = FunctionOutOfMemoryError(
                "The function ran out of memory", next_step="Ask for fewer points, or give the function more memory"
            )
            return self._refuse(exhausted, event, entry)
        except Exception as error:  # noqa: BLE001 - the outermost boundary: nothing of a traceback may leave or be logged
            unforeseen = FunctionCrashedError(
                "The function failed",
                why=type(error).__name__,
                next_step="Report this with the version of the function",
            )
            return self._refuse(unforeseen, event, entry)
        finally:
            entry["seconds"] = round(time.perf_counter() - began, 6)
            self.print_line(json.dumps(entry))

    def _refuse(self, error: PodpacLambdaError, event: object, entry: dict[str, object]) -> bytes:
        entry["outcome"] = type(error).__name__
        if is_ours(event):
            return encode_error(error)
        raise error from None

    def _answer(self, event: object, entry: dict[str, object]) -> bytes:
        ours = is_ours(event)
        found = require_mapping(event, "The event")
        request = decode_request(found) if ours else _legacy_request(found)
        guard.check(request, self.policy)
        entry["points"] = points(request.coordinates)
        self._check_restriction(request)
        dependencies_before = self.extras.seconds if self.extras else 0.0
        result = evaluate(
            request,
            unsafe_eval=guard.needs_unsafe_eval(request),
            allowed_hosts=self.policy.allowed_hosts,
            for_podpac=not ours,
            left_out=self.left_out,
        )
        dependencies = (self.extras.seconds if self.extras else 0.0) - dependencies_before
        # Fetched in the middle of the evaluation, or of the encoding when that was the first to need them.
        part = "evaluate" if dependencies <= result.timings["evaluate"] else "encode"
        timings = {
            "init": self.init_seconds,
            "dependencies": dependencies,
            **result.timings,
            "import": self.import_seconds + result.timings["import"],
            part: max(0.0, result.timings[part] - dependencies),
        }
        self.init_seconds = self.import_seconds = 0.0
        entry["timings"] = timings
        return self._inline_or_stored(request, result, timings) if ours else _legacy_answer(result)

    def _check_restriction(self, request: Request) -> None:
        allowed = self.policy.restrict_pipelines
        if allowed and not allowed & {pipeline_sha256(request.pipeline), node_hash(request.pipeline)}:
            raise PipelineRejectedError(
                "The function is restricted to other pipelines",
                why=f"{pipeline_sha256(request.pipeline)} is not on its list",
                next_step="Add it to function_restrict_pipelines and build again",
            )

    def _inline_or_stored(self, request: Request, result: Evaluation, timings: dict[str, float]) -> bytes:
        used = versions()
        name = request_sha256(request, json.dumps(used, sort_keys=True))
        sha256 = hashlib.sha256(result.body).hexdigest()
        answer = Answer(result.body, None, result.format, sha256, {**timings, "upload": 0.0}, used, name)
        frame = encode_answer(answer)
        if len(frame) <= SYNC_RESPONSE_BYTES:
            return frame
        began = time.perf_counter()
        stored = self._store(result.body, name, sha256)
        timings["upload"] = time.perf_counter() - began
        return encode_answer(Answer(None, stored, result.format, sha256, timings, used, name))

    def _store(self, body: bytes, name: str, sha256: str) -> StoredAnswer:
        bucket = self.environ.get("S3_BUCKET_NAME", "")
        if not bucket:
            raise ResultError(
                "The result is too large to come back directly",
                why=f"{len(body):,} bytes; Lambda's limit is {SYNC_RESPONSE_BYTES:,}, and the function has no bucket",
                next_step="Build the function with a bucket, or ask for fewer points",
            )
        key = f"{self.environ.get('FUNCTION_S3_OUTPUT', 'output').strip('/')}/{name}.nc"
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        try:
            self.s3_client().put_object(
                Bucket=bucket, Key=key, Body=body, ContentType="application/x-netcdf", ChecksumSHA256=checksum
            )
        except Exception as error:  # noqa: BLE001 - botocore's errors, whose types cannot be imported without it
            raise ResultError(
                "The result could not be stored",
                resource=f"s3://{bucket}/{key}",
                why=aws_reason(error),
                next_step="Check that the function's role may put objects there",
            ) from None
        return StoredAnswer(bucket, key, sha256, len(body))


def _legacy_request(event: Mapping[str, object]) -> Request:
    """Read the event of ``podpac.managers.aws.Lambda``, whose settings hold the caller's secrets."""
    if not {"pipeline", "coordinates"} <= event.keys() or event.keys() - _LEGACY_KEYS:
        raise PipelineRejectedError(
            "The event is not a request", why="it is neither of this package's client nor of podpac.managers.aws.Lambda"
        )
    check_plain(event["pipeline"], "pipeline", finite=False)
    check_plain(event["coordinates"], "coordinates")
    output = require_mapping(event.get("output") or {}, "The output")
    settings = require_mapping(event.get("settings") or {}, "The settings")
    return Request(
        pipeline=require_mapping(event["pipeline"], "The pipeline"),
        coordinates=require_mapping(event["coordinates"], "The coordinates definition"),
        output={"format": output.get("format", "netcdf")},
        settings=guard.harmless(settings),
    )


def _legacy_answer(result: Evaluation) -> bytes:
    if len(result.body) > SYNC_RESPONSE_BYTES:
        raise ResultError(
            "The result is too large to come back directly",
            why=f"{len(result.body):,} bytes; Lambda answers with at most {SYNC_RESPONSE_BYTES:,}",
            next_step="Use podpac_lambda_widgets.Lambda, which fetches large results, or ask for fewer points",
        )
    return result.body


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
    function = Function(environ, extras=extras.install(environ), left_out=extras.left_out(environ))
    function.warm()
    function.init_seconds = time.perf_counter() - began - function.import_seconds
    return function


_WARMING = Request(
    pipeline={"SinCoords": {"node": "core.algorithm.utility.SinCoords"}},
    coordinates={"coords": [{"name": "lat", "values": [0.0, 1.0]}, {"name": "lon", "values": [0.0, 1.0]}]},
)
