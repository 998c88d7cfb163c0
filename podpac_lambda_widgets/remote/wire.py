"""The format in which the client and the function speak.

A request is one strict JSON object with the mark ``podpac_lambda_widgets``. An answer is a binary frame, which both
Lambda and its runtime client pass on unchanged:

====================  =======================================================
bytes                 meaning
====================  =======================================================
4                     ``PLW1``
4                     length of the header, unsigned, big-endian
header                JSON object; ``status`` is ``ok``, ``stored`` or ``error``
rest                  the result, when ``status`` is ``ok``
====================  =======================================================

:mod:`.answers` reads them; the function does not need it.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from podpac_lambda_widgets.errors import (
    InvalidPipelineError,
    PipelineRejectedError,
    PodpacLambdaError,
)
from podpac_lambda_widgets.remote.plain import MAX_BYTES, check_plain, pack_floats, require_mapping, unpack_floats

#: Goes up when the other side would misread or lack something: 2 packs results as :mod:`.arrays` says.
WIRE_VERSION = 2
#: The key that marks an event as ours; its value is the version.
MARK = "podpac_lambda_widgets"
#: The version of claims (:mod:`.claims`), never one of requests: a function that does not know them says that it does
#: not speak this client's version.
CLAIM_VERSION = 3
#: The key that marks an event of ours as a claim.
CLAIM = "claim"
MAGIC = b"PLW1"
LENGTH = struct.Struct(">I")
_KEYS = {MARK, "pipeline", "coordinates", "output", "settings", "delivery"}
_DELIVERY = re.compile(r"([0-9a-f]{32})?", re.ASCII)


@dataclass(frozen=True)
class Request:
    """What to evaluate.

    Attributes
    ----------
    pipeline : mapping
        PODPAC node definition (``Node.definition``).
    coordinates : mapping
        PODPAC coordinates definition (``json.loads(Coordinates.json)``).
    output : mapping
        ``{"format": "netcdf"}``.
    settings : mapping
        PODPAC settings for this evaluation; the function accepts a few harmless ones only.
    delivery : str
        Where nobody waits for the answer, the name under which the function leaves it in the bucket, see
        :func:`delivery_key`; 32 hexadecimal digits.
    """

    pipeline: Mapping[str, object]
    coordinates: Mapping[str, object]
    output: Mapping[str, object] = field(default_factory=lambda: {"format": "netcdf"})
    settings: Mapping[str, object] = field(default_factory=dict)
    delivery: str = ""


def delivery_key(output: str, delivery: str) -> str:
    """Where the function leaves an answer that nobody waits for: the frame that the call would have given.

    Parameters
    ----------
    output : str
        The output folder, without a slash at the end.
    delivery : str
        Its name, of the request.
    """
    return f"{output}/deliveries/{delivery}.answer"


@dataclass(frozen=True)
class StoredAnswer:
    """Where an answer is that was too large to come back inline."""

    bucket: str
    key: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Answer:
    """The result of a request.

    Attributes
    ----------
    body : bytes or None
        The encoded result, or None when it was stored.
    stored : StoredAnswer or None
    format : str
        The encoding of the result: ``arrays`` (:mod:`.arrays`) for our own client, or a name of a file format.
    sha256 : str
        SHA-256 of the result, inline or stored, as hexadecimal digits.
    timings : mapping of str to float
        Seconds of ``init``, ``dependencies``, ``import``, ``evaluate``, ``encode`` and ``upload``; of a request that
        came by a claim also ``request``, in which it was read from the bucket.
    versions : mapping of str to str
    request_sha256 : str
        The name of the computation, see :func:`podpac_lambda_widgets.remote.canonical.request_sha256`.
    """

    body: bytes | None
    stored: StoredAnswer | None
    format: str
    sha256: str
    timings: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    request_sha256: str = ""


def encode_request(request: Request) -> bytes:
    """Encode a request as the payload of an invocation.

    Raises
    ------
    InvalidPipelineError
        It is not plain JSON data, or is larger than the function reads. What Lambda takes in a call is less.
    """
    check_plain(request.pipeline, "pipeline", finite=False)
    event = {
        MARK: WIRE_VERSION,
        "pipeline": pack_floats(request.pipeline),
        "coordinates": request.coordinates,
        "output": request.output,
        "settings": request.settings,
        **({"delivery": request.delivery} if request.delivery else {}),
    }
    check_plain(event)
    payload = json.dumps(event, separators=(",", ":"), allow_nan=False, default=dict).encode()
    if len(payload) > MAX_BYTES:
        raise InvalidPipelineError(
            "The request is too large",
            field="pipeline",
            why=f"{len(payload):,} bytes; the limit is {MAX_BYTES:,}",
            next_step="Read large arrays from a bucket instead of writing them into the pipeline",
        )
    return payload


def is_ours(event: object) -> bool:
    """Whether an event came from this package's client."""
    return isinstance(event, Mapping) and MARK in event


def decode_request(event: Mapping[str, object]) -> Request:
    """Read a request of our own client, checking its shape and limits but not its meaning.

    Raises
    ------
    PipelineRejectedError
        Another version, an unknown or missing key; or a claim, where only requests are read.
    InvalidPipelineError
        Not plain JSON data.
    """
    if CLAIM in event:
        raise PipelineRejectedError("A claim is not a request", why="only a call of the function may bring a claim")
    version = event.get(MARK)
    if version != WIRE_VERSION or isinstance(version, bool):
        raise PipelineRejectedError(
            "The function does not speak this client's version",
            why=f"the function speaks version {WIRE_VERSION}",
            next_step="Build the function again with the package the client uses",
        )
    if unknown := sorted(ascii(key) for key in event.keys() - _KEYS):
        raise PipelineRejectedError("The request has an unknown property", why=", ".join(unknown)[:200])
    if missing := sorted({"pipeline", "coordinates"} - event.keys()):
        raise PipelineRejectedError("The request is incomplete", why=f"{', '.join(missing)} missing")
    check_plain(event)
    return Request(
        pipeline=require_mapping(unpack_floats(event["pipeline"]), "The pipeline"),
        coordinates=require_mapping(event["coordinates"], "The coordinates definition"),
        output=require_mapping(event.get("output", {"format": "netcdf"}), "The output"),
        settings=require_mapping(event.get("settings", {}), "The settings"),
        delivery=delivery_of(event),
    )


def delivery_of(event: object) -> str:
    """The name of the delivery that an event of ours asks for; empty when it asks for none.

    Raises
    ------
    PipelineRejectedError
        It is no name.
    """
    found = event.get("delivery", "") if isinstance(event, Mapping) and is_ours(event) else ""
    if not isinstance(found, str) or not _DELIVERY.fullmatch(found):
        raise PipelineRejectedError("The delivery has no name", why="32 hexadecimal digits are one")
    return found


def encode_answer(answer: Answer) -> bytes:
    """Encode an answer as a frame."""
    header = {
        "status": "ok" if answer.stored is None else "stored",
        "version": WIRE_VERSION,
        "format": answer.format,
        "sha256": answer.sha256,
        "stored": asdict(answer.stored) if answer.stored else None,
        "timings": dict(answer.timings),
        "versions": dict(answer.versions),
        "request_sha256": answer.request_sha256,
    }
    return _frame(header, answer.body or b"")


def encode_error(error: PodpacLambdaError) -> bytes:
    """Encode an error as a frame, so that it travels as data and not as a stack trace."""
    return _frame({"status": "error", "version": WIRE_VERSION, "error": error.to_dict()}, b"")


def _frame(header: Mapping[str, object], body: bytes) -> bytes:
    encoded = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    return b"".join((MAGIC, LENGTH.pack(len(encoded)), encoded, body))
