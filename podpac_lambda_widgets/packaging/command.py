"""Running a program: cancellable, quiet, and with its last words in the error."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from podpac_lambda_widgets.errors import BuildError, CancelledError

Cancelled = Callable[[], bool]

#: How often a running program is interrupted to see whether the build was cancelled, seconds.
_POLL_S = 0.2
_LAST_WORDS = 1500
_URL_CREDENTIALS = re.compile(r"(://)[^/\s@]+@")


def check_cancelled(cancelled: Cancelled) -> None:
    """Raise :class:`~podpac_lambda_widgets.errors.CancelledError` if the build was cancelled."""
    if cancelled():
        raise CancelledError("The build was cancelled.", why="The archives that were there before are untouched.")


def run_command(
    command: Sequence[str], *, purpose: str, cancelled: Cancelled, environment: Mapping[str, str] | None = None
) -> str:
    """Run `command` to its end and return what it said.

    Raises
    ------
    BuildError
        If it cannot be started or fails; ``why`` holds its last words, without any password of an index address.
    CancelledError
        If the build was cancelled meanwhile; the program is ended.
    """
    try:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, **(environment or {})},
        )
    except OSError as error:
        raise BuildError(f"{purpose} could not be started.", resource=command[0], why=str(error)) from error
    with process:
        try:
            output = _wait(process, cancelled)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise BuildError(
            f"{purpose} failed.",
            resource=Path(command[0]).name,
            why=f"It ended with status {process.returncode}: {redact_addresses(output)[-_LAST_WORDS:].strip()}",
            next_step="See that the machine can reach its package index, then build again.",
        )
    return output


def _wait(process: subprocess.Popen[str], cancelled: Cancelled) -> str:
    while True:
        check_cancelled(cancelled)
        try:
            output, _ = process.communicate(timeout=_POLL_S)
        except subprocess.TimeoutExpired:
            continue
        return output


def redact_addresses(text: str) -> str:
    """`text` without the user and password of any address in it."""
    return _URL_CREDENTIALS.sub(r"\1***@", text)
