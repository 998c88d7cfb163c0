"""What the client reads of an answer, whose format :mod:`.wire` describes; the function never imports this."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import NoReturn

from podpac_lambda_widgets.errors import ResultError, from_dict
from podpac_lambda_widgets.remote.wire import LENGTH, MAGIC, WIRE_VERSION, Answer, StoredAnswer

_HEADER_LIMIT = 1024 * 1024


def decode_answer(payload: bytes) -> Answer:
    """Read a frame.

    Raises
    ------
    PodpacLambdaError
        The function answered with an error: the same type here as there.
    ResultError
        It is not a frame of ours, or is damaged.
    """
    header, body = _split(payload)
    if header.get("version") != WIRE_VERSION:
        _refuse(
            "The function speaks another version",
            f"version {header.get('version')!r}; this client speaks {WIRE_VERSION}",
        )
    status = header.get("status")
    if status == "error":
        error = header.get("error")
        if not isinstance(error, dict):
            _refuse("The function answered with an error it does not describe", f"error is {type(error).__name__}")
        raise from_dict(error)
    if status not in ("ok", "stored"):
        _refuse("The answer has an unknown status", repr(status)[:80])
    sha256 = _text(header, "sha256")
    stored = _stored(header, sha256) if status == "stored" else None
    if stored is None and hashlib.sha256(body).hexdigest() != sha256:
        _refuse(
            "The result was damaged on its way", f"SHA-256 of its {len(body):,} bytes differs from the one announced"
        )
    return Answer(
        body=body if stored is None else None,
        stored=stored,
        format=_text(header, "format"),
        sha256=sha256,
        timings={str(k): float(v) for k, v in _mapping(header, "timings").items() if isinstance(v, int | float)},
        versions={str(k): str(v) for k, v in _mapping(header, "versions").items()},
        request_sha256=_text(header, "request_sha256"),
    )


def _split(payload: bytes) -> tuple[dict[str, object], bytes]:
    start = len(MAGIC) + LENGTH.size
    if not payload:
        _refuse("The function answered with nothing", "0 bytes")
    if payload[: len(MAGIC)] != MAGIC or len(payload) < start:
        _refuse(
            "The function answered with something else than a result",
            f"{len(payload):,} bytes, beginning {payload[:16]!r}",
        )
    (length,) = LENGTH.unpack_from(payload, len(MAGIC))
    if length > min(_HEADER_LIMIT, len(payload) - start):
        _refuse("The answer was cut short", f"{len(payload):,} bytes, of which the header needs {length:,}")
    try:
        header = json.loads(payload[start : start + length])
    except (ValueError, RecursionError):
        _refuse("The answer's header is damaged", "it is not JSON")
    if not isinstance(header, dict):
        _refuse("The answer's header is damaged", f"it is {type(header).__name__}")
    return header, payload[start + length :]


def _stored(header: Mapping[str, object], sha256: str) -> StoredAnswer:
    found = _mapping(header, "stored")
    size = found.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        _refuse("The answer's header is damaged", "the size of the stored result is missing")
    stored = StoredAnswer(_text(found, "bucket"), _text(found, "key"), _text(found, "sha256"), size)
    if stored.sha256 != sha256:
        _refuse("The answer's header is damaged", "it names two different SHA-256")
    return stored


def _mapping(header: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = header.get(key)
    if not isinstance(value, dict):
        _refuse("The answer's header is damaged", f"{key} is {type(value).__name__}")
    return value


def _text(header: Mapping[str, object], key: str) -> str:
    value = header.get(key)
    if not isinstance(value, str):
        _refuse("The answer's header is damaged", f"{key} is {type(value).__name__}")
    return value


def _refuse(what: str, why: str) -> NoReturn:
    raise ResultError(what, why=why, next_step="Run again; if it persists, build the function again and read its logs")
