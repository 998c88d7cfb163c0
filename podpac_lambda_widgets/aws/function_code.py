"""The code of a function: as it is sent, and as Lambda says that it took it."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from podpac_lambda_widgets.errors import ArchiveCorruptError, ArchiveMissingError
from podpac_lambda_widgets.plan.resources import Function


def code_arguments(function: Function) -> dict[str, Any]:
    """Where Lambda gets the code: the bytes of a file here, or an object.

    Raises
    ------
    ArchiveMissingError
        The file cannot be read.
    ArchiveCorruptError
        The file is not the one that was wanted.
    """
    if function.code_path is None:
        return {"S3Bucket": function.code_bucket, "S3Key": function.code_key}
    return {"ZipFile": _read_archive(function.code_path, function.code_sha256)}


def _read_archive(path: Path, sha256: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArchiveMissingError(
            "The function's code cannot be read",
            resource=str(path),
            why=error.strerror or str(error),
            next_step="Build the archive anew, then the function.",
        ) from None
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ArchiveCorruptError(
            "The archive is another than when the plan was made",
            resource=str(path),
            why=f"Its SHA-256 is {found}, that of the plan {sha256}.",
            next_step="Look at a new plan, then build.",
        )
    return content


def check_code(answer: Mapping[str, Any], function: Function) -> None:
    """Raise ArchiveCorruptError when Lambda took other code than was wanted."""
    taken = hexadecimal(str(answer.get("CodeSha256", "")))
    if taken == function.code_sha256:
        return
    place, step = str(function.code_path), "Something has changed it on the way: build again."
    if function.code_path is None:
        place = f"s3://{function.code_bucket}/{function.code_key}"
        step = f"Somebody has changed the object: delete {place} and build again."
    raise ArchiveCorruptError(
        "Lambda took other code than was wanted",
        resource=place,
        why=f"Its SHA-256 is {taken or 'unknown'}, that of the archive {function.code_sha256}.",
        next_step=step,
    )


def hexadecimal(base64_digest: str) -> str:
    """A digest as Lambda gives it, in hexadecimal; as it is when it is no base64."""
    try:
        return base64.b64decode(base64_digest, validate=True).hex()
    except binascii.Error:
        return base64_digest
