"""Extraction of a zip archive that nothing in it can misuse."""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from podpac_lambda_widgets.errors import ArchiveCorruptError, ArchiveTooLargeError, ArchiveUnsafeError

#: Entries of an archive, far above any real one.
_MAX_ENTRIES = 100_000
#: deflate cannot shrink more than this, so more is a lie.
_MAX_RATIO = 1100
#: What must stay free beside the extracted tree, bytes.
_MARGIN = 16 * 1024 * 1024


def extract(archive: Path, target: Path) -> None:
    """Extract a checked archive with two threads, which share the time of decompression and of writing.

    Parameters
    ----------
    archive, target : Path
        `target` is made.

    Raises
    ------
    ArchiveCorruptError
        Not a zip archive, or damaged.
    ArchiveUnsafeError
        An absolute entry, one with ``..``, a link, or the same name twice.
    ArchiveTooLargeError
        More than there is room for.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            files = _checked(opened, shutil.disk_usage(archive.parent).free)
    except zipfile.BadZipFile as error:
        raise ArchiveCorruptError("The dependencies archive does not open", why=str(error)) from None
    target.mkdir()
    for folder in sorted({str(PurePosixPath(entry.filename).parent) for entry in files}):
        (target / folder).mkdir(parents=True, exist_ok=True)
    halves = (files[::2], files[1::2])
    with ThreadPoolExecutor(len(halves)) as pool:
        for done in [pool.submit(_extract_files, archive, half, target) for half in halves]:
            done.result()


def _checked(archive: zipfile.ZipFile, room: int) -> list[zipfile.ZipInfo]:
    entries = archive.infolist()
    if len(entries) > _MAX_ENTRIES:
        raise ArchiveTooLargeError(
            "The dependencies archive has too many files", why=f"{len(entries):,}; the limit is {_MAX_ENTRIES:,}"
        )
    names: set[str] = set()
    for entry in entries:
        name = entry.filename
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if name.startswith("/") or "\\" in name or "\0" in name or ".." in name.split("/") or ":" in name.split("/")[0]:
            raise ArchiveUnsafeError("An entry would leave the folder", resource=ascii(name)[:200])
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise ArchiveUnsafeError(
                "An entry is neither a file nor a folder", resource=ascii(name)[:200], why="a link or a device"
            )
        if name in names:
            raise ArchiveUnsafeError("An entry occurs twice", resource=ascii(name)[:200])
        if entry.file_size > _MAX_RATIO * entry.compress_size + 1024:
            raise ArchiveUnsafeError(
                "An entry grows too much", resource=ascii(name)[:200], why=f"{entry.file_size:,} bytes"
            )
        names.add(name)
    size = sum(entry.file_size for entry in entries)
    if size + _MARGIN > room:
        raise ArchiveTooLargeError(
            "The dependencies do not fit",
            why=f"{size:,} bytes extracted; {room:,} are free",
            next_step="Give the function more ephemeral storage",
        )
    return [entry for entry in entries if not entry.is_dir()]


def _extract_files(archive: Path, entries: Sequence[zipfile.ZipInfo], target: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        for entry in entries:
            path = target / entry.filename
            try:
                with opened.open(entry) as source, path.open("xb") as file:
                    shutil.copyfileobj(source, file, 1 << 20)
            except (zipfile.BadZipFile, zlib.error, EOFError) as error:
                raise ArchiveCorruptError(
                    "A file in the dependencies archive is damaged", resource=entry.filename, why=str(error)
                ) from None
            if entry.external_attr >> 16 & stat.S_IXUSR:
                os.chmod(path, 0o755)  # noqa: S103, PTH101 - an executable of a package
