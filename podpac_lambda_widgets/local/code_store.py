"""Extracted archives, each once, shared by all environments that use it."""

from __future__ import annotations

import io
import os
import shutil
import stat
import threading
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath

from podpac_lambda_widgets.local.function import Archive

#: zlib and file writes release the GIL: two threads are about a third faster, more gain nothing on small machines.
_THREADS = 2


@dataclass
class _Entry:
    users: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    extracted: bool = False


class CodeStore:
    """Read-only directories of extracted archives, counted by their users.

    Parameters
    ----------
    directory : Path
        Where the trees are kept; it belongs to the store.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.Lock()

    def acquire(self, archives: tuple[Archive, ...]) -> Path:
        """Return the tree of the archives, one laid over the other, extracting it when nobody uses it yet.

        Raises
        ------
        zipfile.BadZipFile, OSError
            When the archive cannot be extracted; nothing is kept then.
        """
        digest = _digest(archives)
        with self._lock:
            entry = self._entries.setdefault(digest, _Entry())
            entry.users += 1
        try:
            with entry.lock:
                tree = self._directory / digest
                if not entry.extracted:
                    extract([archive.data for archive in archives], tree)
                    entry.extracted = True
                return tree
        except BaseException:
            self.release(archives)
            raise

    def release(self, archives: tuple[Archive, ...]) -> None:
        """Give the tree back; the last user's release removes it."""
        digest = _digest(archives)
        with self._lock:
            entry = self._entries[digest]
            entry.users -= 1
            if entry.users:
                return
            del self._entries[digest]
            # Moved aside under the lock, so that the next user extracts anew while this one is being removed.
            tree = self._directory / digest
            removed = tree.with_name(f"{tree.name}-removed-{id(entry)}")
            if tree.exists():
                tree.rename(removed)
        remove_tree(removed)


def _digest(archives: tuple[Archive, ...]) -> str:
    return sha256("\n".join(archive.digest for archive in archives).encode()).hexdigest()[:32]


def extract(archives: Sequence[bytes], tree: Path) -> None:
    """Extract zip archives, one over the other, into a new directory that is read-only in the end.

    Permissions to execute are kept, as on Lambda. The links of an archive are made after its files, so that none of
    those is written through one.
    """
    tree.mkdir(parents=True)
    try:
        for data in archives:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                entries = archive.infolist()
            links = [entry for entry in entries if stat.S_ISLNK(entry.external_attr >> 16)]
            files = [entry for entry in entries if not stat.S_ISLNK(entry.external_attr >> 16)]
            _make_folders(files, tree)
            with ThreadPoolExecutor(_THREADS) as threads:
                parts = [threads.submit(_extract_files, data, files[n::_THREADS], tree) for n in range(_THREADS)]
                for part in parts:
                    part.result()
            _make_links(data, links, tree)
        _set_writable(tree, False)
    except BaseException:
        remove_tree(tree)
        raise


def remove_tree(tree: Path) -> None:
    """Remove a directory with all that is in it, read-only or not; it may be gone already."""
    _set_writable(tree, True)
    shutil.rmtree(tree, ignore_errors=True)


def _make_folders(entries: list[zipfile.ZipInfo], tree: Path) -> None:
    # Before the threads begin: until Python 3.12, two of them that make the same folder get in each other's way.
    for folder in sorted({PurePosixPath(entry.filename).parent for entry in entries}):
        if not folder.is_absolute() and ".." not in folder.parts:
            (tree / folder).mkdir(parents=True, exist_ok=True)


def _extract_files(data: bytes, entries: list[zipfile.ZipInfo], tree: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in entries:
            written = Path(archive.extract(entry, tree))
            if entry.external_attr >> 16 & stat.S_IXUSR and not entry.is_dir():
                written.chmod(0o755)


def _make_links(data: bytes, entries: list[zipfile.ZipInfo], tree: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in entries:
            place = Path(os.path.normpath(tree / entry.filename))
            if not place.is_relative_to(tree) or not place.parent.resolve().is_relative_to(tree.resolve()):
                raise zipfile.BadZipFile(f"the link {entry.filename!r} lies outside the archive")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.unlink(missing_ok=True)
            place.symlink_to(os.fsdecode(archive.read(entry)))


def _set_writable(tree: Path, writable: bool) -> None:
    # Folders only: they decide what can be added, replaced or removed.
    for folder, _, _ in os.walk(tree):
        Path(folder).chmod(0o755 if writable else 0o555)
