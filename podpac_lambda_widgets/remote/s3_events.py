"""Pipelines that were put into the bucket's input folder: each result goes to the same name in the output folder."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import unquote, unquote_plus

from podpac_lambda_widgets.errors import (
    DependencyMissingError,
    FunctionCrashedError,
    InvalidPipelineError,
    InvalidValueError,
    PipelineFailedError,
    PipelineRejectedError,
    PodpacLambdaError,
    ResourceNotFoundError,
    ResultError,
)
from podpac_lambda_widgets.remote.outputs import MEDIA, Encoding
from podpac_lambda_widgets.remote.plain import MAX_BYTES
from podpac_lambda_widgets.remote.requests import read_json, read_request
from podpac_lambda_widgets.remote.results import Evaluates, exhausted
from podpac_lambda_widgets.remote.s3 import StackBucket
from podpac_lambda_widgets.remote.wire import Request, is_ours

#: The longest key that S3 takes, bytes of UTF-8 (S3 user guide, "Naming Amazon S3 objects").
KEY_BYTES = 1024
#: How many records of an event the log names, and how much of each key: its end, for names are made unique there.
_LOGGED, _KEY_END = 5, 64
_SUFFIX = ".json"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
#: PODPAC's client reads the name of its format where others have an extension.
_LEGACY_EXTENSIONS = {"netcdf": "netcdf", "nc": "nc"}
#: What the pipeline itself is the reason of, so that trying again would not help.
_FINAL = (InvalidValueError, PipelineRejectedError, PipelineFailedError, ResultError, DependencyMissingError)


@dataclass(frozen=True)
class Outcome:
    """What became of one record.

    Attributes
    ----------
    key : str
        Of the input, as the event gave it.
    outcome : str
        ``stored``; ``skipped``, because the result is there; ``refused``, which trying again would not change; or
        ``failed``, which it may.
    output : str
        Key of the result, or of the error's description; empty when nothing was written.
    error : PodpacLambdaError or None
    timings : mapping of str to float
        Seconds of the parts of a computation; empty when nothing was computed.
    """

    key: str
    outcome: str
    output: str = ""
    error: PodpacLambdaError | None = None
    timings: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """As plain data, for the answer."""
        error = self.error.to_dict() if self.error else None
        return {
            "key": self.key,
            "outcome": self.outcome,
            "output": self.output or None,
            "error": error,
            "timings": dict(self.timings),
        }


def is_s3_event(event: object) -> bool:
    """Whether an event came from S3."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    return isinstance(records, list) and any(
        isinstance(record, Mapping) and record.get("eventSource") == "aws:s3" for record in records
    )


def output_stem(key: str, input_folder: str, output_folder: str) -> str:
    """Where the result of an input goes: the key in the output folder, still without its extension.

    Parameters
    ----------
    key : str
        Key of the input, decoded.
    input_folder, output_folder : str
        Without a slash at the end.

    Raises
    ------
    PipelineRejectedError
        The key is not one of a pipeline in the input folder, or its result would lie elsewhere than in the output
        folder.
    """
    start = f"{input_folder}/"
    if not input_folder or not output_folder or f"{output_folder}/".startswith(start):
        _refuse(key, "a result there would be taken for another pipeline")
    if start.startswith(f"{output_folder}/"):
        _refuse(key, "the input folder lies in the output folder")
    if not key.startswith(start) or not key.endswith(_SUFFIX):
        _refuse(key, f"the function takes {ascii(start)[1:-1]}*{_SUFFIX}")
    inner = key[len(start) : -len(_SUFFIX)]
    # S3 knows no folders, but what lists or copies a bucket does; some of it decodes a second time.
    for part in (inner, unquote(inner)):
        if _CONTROL.search(part) or {"", ".", ".."} & {*part.replace("\\", "/").split("/")}:
            _refuse(key, "a part of the name is empty, or leads to another folder, or has a control character")
    stem = f"{output_folder}/{inner}"
    longest = max(len(key.encode("utf-8", "replace")), len(f"{stem}.error{_SUFFIX}".encode("utf-8", "replace")))
    if longest > KEY_BYTES:
        _refuse(key, f"the name or that of its result has {longest:,} bytes; S3 takes {KEY_BYTES:,}")
    return stem


def handle_records(
    event: Mapping[str, Any], function: Evaluates, bucket: StackBucket, entry: dict[str, object]
) -> dict[str, object]:
    """Evaluate every pipeline of an S3 event.

    Parameters
    ----------
    event : mapping
        Of S3 (S3 user guide, "Event message structure").
    function : Evaluates
    bucket : StackBucket
    entry : dict
        The line of the log; gets the outcomes.

    Returns
    -------
    dict
        ``{"records": [...]}``, each with key, outcome, output and error.

    Raises
    ------
    PipelineRejectedError
        The function has no S3 trigger.
    ResultError
        Something failed that may succeed when it is tried again, as Lambda then does. What was stored is skipped then.
    """
    if not bucket.name or not bucket.input:
        raise PipelineRejectedError(
            "The function has no S3 trigger",
            why="S3_BUCKET_NAME or FUNCTION_S3_INPUT is not set",
            next_step='Build it with function_triggers=["eval", "S3"]',
        )
    outcomes = [_handle_record(record, function, bucket) for record in event["Records"]]
    entry["records"] = dict(Counter(found.outcome for found in outcomes))
    # By which whoever has put a pipeline there finds the line, and what Lambda says of it.
    entry["keys"] = [ascii(found.key)[1:-1][-_KEY_END:] for found in outcomes if found.key][:_LOGGED]
    failures = [found for found in outcomes if found.error is not None]
    if failures:
        entry["errors"] = [[ascii(found.key)[1:65], type(found.error).__name__] for found in failures[:_LOGGED]]
    failed = [found.error for found in outcomes if found.outcome == "failed" and found.error is not None]
    if failed:
        raise ResultError(
            f"{len(failed)} of {len(outcomes)} pipelines failed",
            resource=failed[0].resource,
            why=f"{failed[0].what}: {failed[0].why}"[:300],
            next_step="Lambda tries again on its own",
        )
    return {"records": [found.to_dict() for found in outcomes]}


def _handle_record(record: object, function: Evaluates, bucket: StackBucket) -> Outcome:
    name = ""
    try:
        name, key = _key(record, bucket.name)
        stem = output_stem(key, bucket.input, bucket.output)
    except PodpacLambdaError as error:
        return Outcome(name, "refused", error=error)
    return _evaluate(name, key, stem, function, bucket)


def _evaluate(name: str, key: str, stem: str, function: Evaluates, bucket: StackBucket) -> Outcome:
    try:
        try:
            return _store_result(name, key, stem, function, bucket)
        except _FINAL as error:
            return Outcome(name, "refused", _describe(error, key, stem, bucket), error)
        except MemoryError:
            return Outcome(name, "refused", _describe(exhausted(), key, stem, bucket), exhausted())
    except ResourceNotFoundError as gone:
        return Outcome(name, "refused", error=gone)
    except PodpacLambdaError as error:
        return Outcome(name, "failed", error=error)
    except Exception as error:  # noqa: BLE001 - one record's failure must not stop the others, nor leave a trace
        return Outcome(name, "failed", error=FunctionCrashedError("The function failed", why=type(error).__name__))


def _store_result(name: str, key: str, stem: str, function: Evaluates, bucket: StackBucket) -> Outcome:
    # The newest version, which the role may read, and not the one that the event names: events may come late or twice.
    request, encoding, extension, forced = _read(bucket.read(key, MAX_BYTES))
    function.check(request)
    output = f"{stem}.{extension}"
    # What a tile has written lies in many objects, which its own does not tell of.
    if not forced and encoding != "zarr" and bucket.has_result(output, function.name(request, encoding)):
        return Outcome(name, "skipped", output)
    result = function.compute(request, encoding)
    began = time.perf_counter()
    bucket.put(output, result.body, content_type=result.content_type, request_sha256=result.request_sha256)
    upload = time.perf_counter() - began
    return Outcome(name, "stored", output, timings={**result.timings, "upload": upload})


def _read(body: bytes) -> tuple[Request, Encoding, str, bool]:
    document = read_json(body)
    if not isinstance(document, dict):
        raise PipelineRejectedError("The request is not a JSON object", why=f"type {type(document).__name__}")
    ours = is_ours(document)
    settings = document.get("settings")
    if ours:
        forced = document.pop("force_compute", False)
    else:
        forced = settings.get("FUNCTION_FORCE_COMPUTE") if isinstance(settings, dict) else False
    if forced is not None and not isinstance(forced, bool):
        raise InvalidPipelineError("Neither true nor false", field="force_compute", why=type(forced).__name__)
    request, encoding = read_request(document)
    return request, encoding, _extension(request, encoding), bool(forced)


def _extension(request: Request, encoding: Encoding) -> str:
    if encoding == "podpac":
        return _LEGACY_EXTENSIONS.get(str(request.output.get("format")), "nc")
    # Apart from the description of an error, which ends in .error.json.
    return {"netcdf": "nc", "json": "result.json"}.get(encoding) or MEDIA[encoding][1]


def _describe(error: PodpacLambdaError, key: str, stem: str, bucket: StackBucket) -> str:
    output = f"{stem}.error{_SUFFIX}"
    described = {"status": "error", "input": {"bucket": bucket.name, "key": key}, "error": error.to_dict()}
    bucket.put(output, json.dumps(described, indent=1).encode(), content_type="application/json")
    return output


def _key(record: object, bucket: str) -> tuple[str, str]:
    """The key of a record, as it came and decoded."""
    name = _text(record, "s3", "object", "key")
    event = _text(record, "eventName")
    if _text(record, "eventSource") != "aws:s3" or not event.startswith(("ObjectCreated:", "s3:ObjectCreated:")):
        _refuse(name, "the record does not tell of an object that was put")
    if _text(record, "s3", "bucket", "name") != bucket:
        _refuse(name, "it lies in another bucket than the function's")
    try:
        key = unquote_plus(name, errors="strict")
        key.encode()
    except UnicodeError:
        _refuse(name, "the name is not UTF-8")
    return ascii(name)[1:-1], key


def _text(found: object, *path: str) -> str:
    for part in path:
        found = found.get(part) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""


def _refuse(key: str, why: str) -> NoReturn:
    raise PipelineRejectedError(
        "The object is not a pipeline for this function", resource=ascii(key)[1:-1][:200], why=why
    )
