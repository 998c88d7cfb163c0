"""What an archive says about itself, in a file at its root."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from podpac_lambda_widgets.errors import ArchiveCorruptError

MANIFEST_NAME = "podpac_lambda_manifest.json"
FORMAT = 1


@dataclass(frozen=True)
class Manifest:
    """The manifest of one archive.

    Attributes
    ----------
    kind : str
        ``"dist"`` (the function's code) or ``"dependencies"`` (the extras).
    podpac_version, python, runtime, architecture : str
        What it holds and what it is for: ``"4.0.1"``, ``"3.12"``, ``"python3.12"``, ``"x86_64"``.
    lock_sha256 : str
        Digest of the two lock files.
    builder_version : str
        This package's version and the digest of its files that go into the archive or decide what goes in.
    files_sha256 : str
        Digest of all other files, see :func:`digest_files`.
    unzipped_bytes : int
        Size of all other files once extracted.
    provides : tuple of str
        Top-level names that can be imported from this archive.
    bytecode : str or None
        The Python version (``"3.12"``) the modules were compiled for; None if only sources are in it.
    glibc : str
        The C library version the shared libraries may ask for.
    handler : str
        The handler Lambda is to call (dist only).
    dependencies_provides : tuple of str
        Top-level names found in the dependencies archive (dist only).
    dependencies_files_sha256 : str
        ``files_sha256`` of the dependencies archive it was built with (dist only).
    packages_files : int
        How many of its files, the first ones, are the installed packages; behind them are the handler, this package's
        own modules, and plugins (dist only).
    left_out : dict
        Distributions left out on purpose, each with the reason.
    format : int
        Version of this format.
    """

    kind: str
    podpac_version: str
    python: str
    runtime: str
    architecture: str
    lock_sha256: str
    builder_version: str
    files_sha256: str
    unzipped_bytes: int
    provides: tuple[str, ...]
    bytecode: str | None = None
    glibc: str = ""
    handler: str = ""
    dependencies_provides: tuple[str, ...] = ()
    dependencies_files_sha256: str = ""
    packages_files: int = 0
    left_out: Mapping[str, str] = field(default_factory=dict)
    format: int = FORMAT

    def to_json(self) -> bytes:
        """The manifest as it is stored: sorted keys, so that equal manifests are equal bytes."""
        return (json.dumps(asdict(self), indent=1, sort_keys=True) + "\n").encode()


def parse_manifest(data: bytes, *, resource: str = MANIFEST_NAME) -> Manifest:
    """Read a manifest.

    Raises
    ------
    ArchiveCorruptError
        If it is not JSON, lacks a field, has one of the wrong type, or is of another format.
    """
    try:
        values = json.loads(data)
        known = _checked(values)
    except (ValueError, TypeError, RecursionError) as error:
        raise ArchiveCorruptError(
            "The archive's manifest cannot be read.",
            resource=resource,
            why=str(error),
            next_step="Build the archives again.",
        ) from error
    return Manifest(**known)


def _checked(values: Any) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise TypeError("It is not a JSON object.")
    if values.get("format") != FORMAT:
        raise ValueError(f"Its format is {values.get('format')!r}; this version of the package reads format {FORMAT}.")
    known: dict[str, Any] = {}
    for entry in fields(Manifest):
        if entry.name in values:
            known[entry.name] = _converted(entry.name, str(entry.type), values[entry.name])
    missing = [name for name in ("kind", "podpac_version", "python", "runtime", "architecture", "lock_sha256",
                                 "builder_version", "files_sha256", "unzipped_bytes", "provides")
               if name not in known]  # fmt: skip
    if missing:
        raise ValueError(f"It lacks {', '.join(missing)}.")
    if known["kind"] not in ("dist", "dependencies"):
        raise ValueError(f"Its kind is {known['kind']!r}.")
    return known


def _converted(name: str, declared: str, value: Any) -> Any:
    if declared.startswith("tuple"):
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise TypeError(f"{name} is not a list of names.")
        return tuple(value)
    if declared.startswith("Mapping"):
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            raise TypeError(f"{name} is not an object of texts.")
        return value
    expected: tuple[type, ...] = {"int": (int,), "str": (str,)}.get(declared, (str, type(None)))
    if not isinstance(value, expected) or isinstance(value, bool):
        raise TypeError(f"{name} is {type(value).__name__}, not {declared}.")
    return value


def digest_files(digests: Iterable[tuple[str, str]]) -> str:
    """SHA-256 (hex) over the lines ``<sha256 of the file>  <name>``, sorted by name.

    Parameters
    ----------
    digests : iterable of (name, sha256)
        Every file of the archive but the manifest.
    """
    lines = (f"{sha256}  {name}\n" for name, sha256 in sorted(digests))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
