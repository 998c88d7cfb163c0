"""What an execution environment has to know about a function."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Archive:
    """A zip archive and the name it is shared under.

    Attributes
    ----------
    digest : str
        Identifies the content: a SHA-256, or the ARN of a layer version (those never change).
    data : bytes
        The archive itself.
    """

    digest: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Function:
    """One version of a function, as configured when it is invoked.

    Attributes
    ----------
    revision : str
        Changes with every update, and when the function is made anew.
    timeout : float
        Seconds.
    memory_mb, ephemeral_storage_mb : int
        Megabytes of 1024 * 1024 bytes.
    credentials : mapping
        The execution role's session, as the three ``AWS_...`` variables Lambda sets.
    """

    name: str
    version: str
    revision: str
    region: str
    account: str
    runtime: str
    handler: str
    role: str
    code: Archive
    layers: tuple[Archive, ...]
    variables: Mapping[str, str] = field(repr=False)
    credentials: Mapping[str, str] = field(repr=False)
    timeout: float
    memory_mb: int
    ephemeral_storage_mb: int
    log_group: str

    @property
    def qualified_name(self) -> str:
        """Name of this version, unique in the emulator."""
        return f"{self.account}:{self.region}:{self.name}:{self.version}"

    @property
    def configuration(self) -> str:
        """Everything that asks for new environments when it changes, as text."""
        return json.dumps(
            [
                self.qualified_name,
                self.revision,
                self.runtime,
                self.handler,
                self.role,
                self.code.digest,
                [layer.digest for layer in self.layers],
                sorted(self.variables.items()),
                self.timeout,
                self.memory_mb,
                self.ephemeral_storage_mb,
                self.log_group,
            ]
        )


@dataclass(frozen=True)
class Invocation:
    """One request to run a function; ``function_arn`` is the one the caller named, qualifier included."""

    request_id: str
    function_arn: str
    payload: bytes = field(repr=False)


@dataclass(frozen=True)
class Outcome:
    """What came of an invocation.

    Attributes
    ----------
    payload : bytes
        The handler's answer, or Lambda's error document when ``error`` is true.
    content_type : str
        ``application/json``, or ``application/unknown`` for an answer that the handler gave as bytes.
    log : str
        Platform lines and the function's output.
    """

    payload: bytes = field(repr=False)
    content_type: str
    error: bool
    log: str = field(repr=False)


def error_document(error_type: str, message: str) -> bytes:
    """Lambda's own error document, for errors that do not come from the handler."""
    return json.dumps({"errorType": error_type, "errorMessage": message}).encode()
