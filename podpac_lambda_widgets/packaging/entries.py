"""Whether the entries of an archive are safe to extract, judged before any byte of them is read."""

from __future__ import annotations

import re
import stat
import zipfile
from collections.abc import Iterable

from podpac_lambda_widgets.errors import ArchiveUnsafeError

#: Extracted bytes per byte of the whole archive above which it is taken for a bomb; ours stay below 4.
RATIO = 100
_DRIVE = re.compile(r"[A-Za-z]:")
_LINK_OR_DEVICE = (stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK)
_ENCRYPTED = 0x1


def find_unsafe_name(name: str) -> str:
    """Why the entry name `name` would not stay in its folder; empty if it would.

    The rules are those of the zip format (APPNOTE 4.4.17: relative, forward slashes), and what Windows and Linux would
    make of the name.
    """
    if not name:
        return "It has no name."
    if "\0" in name or any(ord(character) < 32 for character in name):
        return "It has a control character."
    if "\\" in name:
        return "It has a backslash."
    if name.startswith("/"):
        return "It is an absolute path."
    if _DRIVE.match(name):
        return "It names a drive."
    if any(part in ("..", ".", "") for part in name.removesuffix("/").split("/")):
        return "It has an empty, '.' or '..' part."
    return ""


def check_entries(entries: Iterable[zipfile.ZipInfo], *, resource: str, archive_bytes: int) -> None:
    """Raise if extracting `entries` could write outside a folder, or fill the disk.

    Raises
    ------
    ArchiveUnsafeError
        For an unsafe name, a symbolic link or device, an encrypted entry, a duplicate name, a file where another entry
        needs a folder, or a compression ratio above :data:`RATIO`.
    """
    files: set[str] = set()
    folders: set[str] = set()
    total = 0
    for entry in entries:
        name = entry.orig_filename
        plain = name.removesuffix("/")
        why = find_unsafe_name(name) or _find_unsafe_kind(entry)
        if not why and not entry.is_dir() and plain in files:
            why = "The name is there twice."
        if why:
            raise _unsafe(f"{resource}: {name!r}", why)
        (folders if entry.is_dir() else files).add(plain)
        folders.update(_parents(plain))
        total += entry.file_size
    for name in sorted(files & folders):
        raise _unsafe(f"{resource}: {name!r}", "It is a file and a folder at once.")
    if total > RATIO * archive_bytes:
        raise _unsafe(
            resource, f"{archive_bytes:,} bytes become {total:,}; more than {RATIO} times as much is a zip bomb."
        )


def _find_unsafe_kind(entry: zipfile.ZipInfo) -> str:
    if stat.S_IFMT(entry.external_attr >> 16) in _LINK_OR_DEVICE:
        return "It is a symbolic link or a device."
    if entry.flag_bits & _ENCRYPTED:
        return "It is encrypted."
    return ""


def _parents(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _unsafe(resource: str, why: str) -> ArchiveUnsafeError:
    return ArchiveUnsafeError(
        "The archive is not safe to extract.", resource=resource, why=why,
        next_step="Build the archives again, or find out who made this one.",
    )  # fmt: skip
