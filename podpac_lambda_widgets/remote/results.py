"""A computed result, and what computes it: what the triggers share."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from podpac_lambda_widgets.errors import FunctionOutOfMemoryError
from podpac_lambda_widgets.remote.canonical import request_sha256
from podpac_lambda_widgets.remote.outputs import MEDIA, Encoding

if TYPE_CHECKING:
    from podpac_lambda_widgets.remote.wire import Request


@dataclass(frozen=True)
class Result:
    """An encoded result.

    Attributes
    ----------
    body : bytes
    format : str
        See :data:`podpac_lambda_widgets.remote.outputs.MEDIA`.
    request_sha256 : str
        The name of the computation, see :func:`name_result`.
    timings : mapping of str to float
        Seconds of ``init``, ``dependencies``, ``import``, ``evaluate`` and ``encode``.
    versions : mapping of str to str
    """

    body: bytes
    format: str
    request_sha256: str
    timings: Mapping[str, float]
    versions: Mapping[str, str]

    @property
    def sha256(self) -> str:
        """SHA-256 of the body, 64 hexadecimal digits."""
        return hashlib.sha256(self.body).hexdigest()

    @property
    def content_type(self) -> str:
        """The media type of the body."""
        return MEDIA[self.format][0]

    @property
    def extension(self) -> str:
        """How the name of a file with this body ends."""
        return MEDIA[self.format][1]


class Evaluates(Protocol):
    """What the triggers need of the function."""

    def check(self, request: Request) -> None:
        """Refuse what the function may not evaluate."""

    def name(self, request: Request, encoding: Encoding) -> str:
        """Name the result of a checked request, without computing it."""

    def compute(self, request: Request, encoding: Encoding) -> Result:
        """Evaluate a checked request."""


def name_result(request: Request, encoding: Encoding, versions: Mapping[str, str]) -> str:
    """Name the result of a request: 64 hexadecimal digits, other ones for another encoding or other versions."""
    code: dict[str, str] = {**versions} if encoding == "netcdf" else {**versions, "encoding": encoding}
    return request_sha256(request, json.dumps(code, sort_keys=True))


def exhausted() -> FunctionOutOfMemoryError:
    """The error that a MemoryError becomes."""
    return FunctionOutOfMemoryError(
        "The function ran out of memory", next_step="Ask for fewer points, or give the function more memory"
    )
