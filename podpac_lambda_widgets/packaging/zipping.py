"""Writing an archive that is the same, byte for byte, whenever it holds the same files."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from podpac_lambda_widgets.packaging.command import Cancelled, check_cancelled
from podpac_lambda_widgets.packaging.manifest import MANIFEST_NAME, Manifest, digest_files

#: The oldest time a zip entry can have.
_TIME = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644
_UNIX = 3
#: Level 9 takes three times as long for half a per cent.
_LEVEL = 6
#: How often somebody who waits is told how far it is, seconds.
_POLL_S = 0.1


@dataclass(frozen=True)
class Contents:
    """What files there are in a tree, or in a part of an archive.

    Attributes
    ----------
    digests : mapping of str to str
        Name in the archive -> SHA-256, hexadecimal.
    size : int
        Bytes of all of them together.
    """

    digests: Mapping[str, str]
    size: int

    @property
    def files_sha256(self) -> str:
        """The digest that a manifest has of them."""
        return digest_files(self.digests.items())

    def __add__(self, other: Contents) -> Contents:
        return Contents({**self.digests, **other.digests}, self.size + other.size)


def measure_files(directory: Path) -> Contents:
    """What the files under `directory` are."""
    digests = {}
    size = 0
    for name, path in list_files(directory):
        data = path.read_bytes()
        size += len(data)
        digests[name] = hashlib.sha256(data).hexdigest()
    return Contents(digests, size)


def list_files(directory: Path) -> list[tuple[str, Path]]:
    """Every regular file under `directory` with its name in the archive, sorted by that name."""
    files = ((path.relative_to(directory).as_posix(), path) for path in directory.rglob("*") if path.is_file())
    return sorted(files)


def write_archive(
    directory: Path, archive: Path, manifest: Manifest | None, *, advanced: Callable[[int], None]
) -> None:
    """Write the files under `directory`, and their `manifest` if there is one, to `archive`.

    Parameters
    ----------
    advanced : callable
        Told the bytes of each file once it is in; may raise to stop.
    """
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        _add(target, directory, manifest, advanced)


def write_archives(
    jobs: Iterable[tuple[Path, Path, Manifest | None]],
    total: int,
    told: Callable[[int, int], None],
    cancelled: Cancelled,
) -> None:
    """Write several archives at once, each as :func:`write_archive` does.

    Parameters
    ----------
    total : int
        Bytes of all files.
    told : callable
        Told, in this thread, the bytes that are in, and `total`.
    """
    done: list[int] = []

    def advance(count: int) -> None:
        check_cancelled(cancelled)
        done.append(count)

    jobs = list(jobs)
    with ThreadPoolExecutor(len(jobs)) as pool:
        pending: set[Future[None]] = {pool.submit(write_archive, *job, advanced=advance) for job in jobs}
        while pending:
            finished, pending = wait(pending, timeout=_POLL_S, return_when=FIRST_EXCEPTION)
            for future in finished:
                future.result()
            told(sum(done), total)


def extend_archive(archive: Path, kept: int, directory: Path, manifest: Manifest) -> None:
    """Put the files under `directory` and the `manifest` behind the first `kept` entries of `archive`.

    What is behind those now is taken away. They stay compressed as they are: an archive takes a hundredth of the time
    that it takes to write it anew, and has the same bytes.
    """
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as target:
        for entry in target.filelist[kept:]:
            del target.NameToInfo[entry.filename]
        if len(target.filelist) > kept:
            # Where zipfile writes next; entries are written one behind the other.
            target.start_dir = target.filelist[kept].header_offset
        del target.filelist[kept:]
        _add(target, directory, manifest)


def _add(
    target: zipfile.ZipFile,
    directory: Path,
    manifest: Manifest | None,
    advanced: Callable[[int], None] = lambda count: None,
) -> None:
    for name, path in list_files(directory):
        data = path.read_bytes()
        target.writestr(_entry(name), data, compresslevel=_LEVEL)
        advanced(len(data))
    if manifest is not None:
        target.writestr(_entry(MANIFEST_NAME), manifest.to_json(), compresslevel=_LEVEL)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = _UNIX
    entry.external_attr = _MODE << 16
    return entry
