"""Archives that are on this machine already."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

#: How many folders are looked into, and how deep: a home folder may have a million.
_FOLDERS = 2000
_DEPTH = 5
_PASSED_OVER = {"node_modules", "__pycache__", "site-packages"}


@dataclass(frozen=True)
class FoundArchive:
    """A zip file below a folder.

    Attributes
    ----------
    path : Path
        Relative to that folder.
    size : int
        Bytes.
    """

    path: Path
    size: int


def find_archives(folder: Path) -> tuple[FoundArchive, ...]:
    """The zip files below a folder, by name; not in hidden folders, behind links to folders, or where none may look."""
    return tuple(sorted(_walk(folder), key=lambda each: str(each.path)))


def _walk(top: Path) -> Iterator[FoundArchive]:
    for number, (folder, folders, files) in enumerate(os.walk(top)):
        depth = len(Path(folder).relative_to(top).parts)
        if number >= _FOLDERS:
            return
        kept = [each for each in sorted(folders) if not each.startswith(".") and each not in _PASSED_OVER]
        folders[:] = kept if depth < _DEPTH else []
        for name in files:
            path = Path(folder) / name
            if path.suffix.lower() != ".zip":
                continue
            try:
                status = path.stat()
            except OSError:
                # A link to nowhere, or in a folder that may be listed and not entered.
                continue
            if S_ISREG(status.st_mode):
                yield FoundArchive(path.relative_to(top), status.st_size)
