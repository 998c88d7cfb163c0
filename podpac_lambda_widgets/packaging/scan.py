"""Reading an archive: its entries, checksums, manifest and compiled modules."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from podpac_lambda_widgets.errors import ArchiveCorruptError, ArchiveMissingError, ArchiveTooLargeError
from podpac_lambda_widgets.limits import EPHEMERAL_STORAGE_MB, MEGABYTE
from podpac_lambda_widgets.packaging.binaries import Binary, is_binary_name, read_binary
from podpac_lambda_widgets.packaging.elf import HEADER_BYTES
from podpac_lambda_widgets.packaging.entries import check_entries
from podpac_lambda_widgets.packaging.manifest import MANIFEST_NAME, Manifest, digest_files, parse_manifest

_CHUNK = 1024 * 1024
_REBUILD = "Build the archives again."


@dataclass(frozen=True)
class Scan:
    """An archive read once through.

    Attributes
    ----------
    sha256 : str
        Of the archive file, hexadecimal.
    size, unzipped_size : int
        Bytes of the archive, and of its files once extracted.
    digests : mapping of str to str
        SHA-256 of each of its files, without the manifest; by name.
    binaries : tuple of Binary
        Its compiled modules and shared libraries.
    """

    path: Path
    sha256: str
    size: int
    unzipped_size: int
    manifest: Manifest | None
    digests: Mapping[str, str]
    binaries: tuple[Binary, ...]

    @property
    def names(self) -> Set[str]:
        """Its files, without the manifest."""
        return self.digests.keys()


def scan_archive(path: Path) -> Scan:
    """Read the archive at `path`; what was read is kept while the file is the same.

    Raises
    ------
    ArchiveMissingError, ArchiveCorruptError, ArchiveUnsafeError, ArchiveTooLargeError
        As :func:`podpac_lambda_widgets.packaging.archive.inspect_package` says.
    """
    if not path.is_file():
        raise ArchiveMissingError(
            "There is no archive there.", resource=str(path), next_step="Build the archives, or name another file."
        )
    status = path.stat()
    return _scan(path, status.st_size, status.st_mtime_ns, status.st_ino)


@lru_cache(maxsize=8)
def _scan(path: Path, size: int, _modified_ns: int, _inode: int) -> Scan:
    try:
        with zipfile.ZipFile(path) as archive:
            check_entries(archive.infolist(), resource=str(path), archive_bytes=size)
            _check_readable_size(archive, path)
            digests, binaries = _read_files(archive)
            manifest = _read_manifest(archive, path)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise ArchiveCorruptError(
            "The archive is damaged.", resource=str(path), why=str(error) or type(error).__name__, next_step=_REBUILD
        ) from error
    if manifest is not None and manifest.files_sha256 != digest_files(digests.items()):
        raise ArchiveCorruptError(
            "The archive's files are not those it was built with.",
            resource=str(path),
            why="Their digest differs from the one in the manifest.",
            next_step=f"{_REBUILD} To add files of your own, build from a recipe of your own.",
        )
    total = sum(entry.file_size for entry in archive.infolist())
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Scan(path, sha256, size, total, manifest, digests, tuple(binaries))


def _check_readable_size(archive: zipfile.ZipFile, path: Path) -> None:
    """Nothing Lambda could extract is larger than its largest disk; do not even read what is."""
    total = sum(entry.file_size for entry in archive.infolist())
    most = EPHEMERAL_STORAGE_MB[1] * MEGABYTE
    if total > most:
        raise ArchiveTooLargeError(
            "The archive is larger than any disk a function can have.",
            resource=str(path),
            why=f"Its files have {total:,} bytes; the largest ephemeral storage is {most:,}.",
            next_step="Leave packages out.",
        )


def _read_files(archive: zipfile.ZipFile) -> tuple[dict[str, str], list[Binary]]:
    """Digest of every file but the manifest, and the compiled modules; zipfile checks each CRC on the way."""
    digests = {}
    binaries = []
    for entry in archive.infolist():
        if entry.is_dir():
            continue
        digest = hashlib.sha256()
        with archive.open(entry) as file:
            head = file.read(HEADER_BYTES)
            digest.update(head)
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        if entry.filename != MANIFEST_NAME:
            digests[entry.filename] = digest.hexdigest()
        if is_binary_name(entry.filename):
            binaries.append(read_binary(entry.filename, head))
    return digests, binaries


def _read_manifest(archive: zipfile.ZipFile, path: Path) -> Manifest | None:
    if MANIFEST_NAME not in archive.namelist():
        return None
    return parse_manifest(archive.read(MANIFEST_NAME), resource=f"{path}: {MANIFEST_NAME}")
