"""Dependencies that are fetched from the bucket when a pipeline first needs one.

The function's code holds what an ordinary pipeline needs. The rest is an archive in the bucket. A finder at the end of
``sys.meta_path`` answers for the top-level names of that archive; the archive is fetched when one of them is
executed, not when somebody only asks whether it exists.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import os
import shutil
import stat
import sys
import tempfile
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

from podpac_lambda_widgets.errors import (
    ArchiveCorruptError,
    ArchiveMismatchError,
    ArchiveMissingError,
    ArchiveTooLargeError,
    ArchiveUnsafeError,
    DependencyMissingError,
)

MANIFEST = "podpac_lambda_manifest.json"
#: Entries of an archive, far above any real one.
_MAX_ENTRIES = 100_000
#: deflate cannot shrink more than this, so more is a lie.
_MAX_RATIO = 1100
#: What must stay free beside the extracted tree, bytes.
_MARGIN = 16 * 1024 * 1024


class Extras(MetaPathFinder):
    """Finds modules of the dependencies archive.

    Parameters
    ----------
    names : iterable of str
        Top-level names in the archive.
    bucket, key, sha256 : str
        The archive, and its SHA-256 as hexadecimal digits.
    folder : Path
        Writable; the archive is extracted to ``podpac-deps-<sha256>`` in it.
    s3_client : callable
        Makes the S3 client.
    """

    def __init__(
        self, names: Iterable[str], bucket: str, key: str, sha256: str, folder: Path, s3_client: Callable[[], Any]
    ) -> None:
        self.names = frozenset(names)
        self.bucket, self.key, self.sha256 = bucket, key, sha256.lower()
        self.folder = folder
        self.seconds = 0.0
        self._s3_client = s3_client
        self._lock = threading.RLock()
        self._root: Path | None = None

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Answer for a top-level name of the archive. Fetches nothing."""
        if path is not None or fullname not in self.names:
            return None
        if self._root is not None:
            return PathFinder.find_spec(fullname, [str(self._root)], target)
        return ModuleSpec(fullname, _FetchingLoader(self), origin=f"s3://{self.bucket}/{self.key}", is_package=True)

    def fetch(self) -> Path:
        """Fetch, check and extract the archive once.

        Returns
        -------
        Path
            The extracted tree, which is on ``sys.path`` from then on.

        Raises
        ------
        ArchiveError
            It is missing, damaged, unsafe or does not fit.
        """
        with self._lock:
            if self._root is None:
                began = time.perf_counter()
                try:
                    self._root = self._extracted()
                finally:
                    self.seconds += time.perf_counter() - began
                sys.path.append(str(self._root))
                importlib.invalidate_caches()
            return self._root

    def _extracted(self) -> Path:
        final = self.folder / f"podpac-deps-{self.sha256}"
        if final.is_dir():
            # Only ever made by a rename of a complete tree.
            return final
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".podpac-deps-", dir=self.folder) as working:
            archive = Path(working) / "deps.zip"
            self._download(archive)
            tree = Path(working) / "tree"
            extract(archive, tree)
            archive.unlink()
            try:
                tree.rename(final)
            except OSError:
                if not final.is_dir():
                    raise
        return final

    def _download(self, target: Path) -> None:
        try:
            self._s3_client().download_file(self.bucket, self.key, str(target))
        except Exception as error:  # noqa: BLE001 - botocore's errors, whose types cannot be imported without it
            raise ArchiveMissingError(
                "The dependencies archive could not be fetched",
                resource=f"s3://{self.bucket}/{self.key}",
                why=_reason(error),
                next_step="Build the function again, and check that its role may read the archive",
            ) from None
        digest = hashlib.sha256()
        with target.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        if digest.hexdigest() != self.sha256:
            raise ArchiveMismatchError(
                "The dependencies archive is not the one the function was built with",
                resource=f"s3://{self.bucket}/{self.key}",
                why=f"its SHA-256 is {digest.hexdigest()[:16]}..., not {self.sha256[:16]}...",
                next_step="Build the function again",
            )


class _FetchingLoader(Loader):
    """Stands in for a module until it is executed."""

    def __init__(self, extras: Extras) -> None:
        self._extras = extras

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Fetch the archive, then become the real module."""
        root = self._extras.fetch()
        name = module.__name__
        spec = PathFinder.find_spec(name, [str(root)])
        if spec is None or spec.loader is None:
            raise DependencyMissingError(
                f"The dependencies archive has no {name}",
                why="its manifest names it",
                next_step="Build the archives again",
            )
        # The import system holds this very object in sys.modules, so the real module is executed in it.
        module.__spec__, module.__loader__, module.__file__ = spec, spec.loader, spec.origin
        if spec.submodule_search_locations is None:
            del module.__path__
        else:
            module.__path__ = spec.submodule_search_locations
            module.__package__ = name
        spec.loader.exec_module(module)


def install(environ: Mapping[str, str], s3_client: Callable[[], Any] | None = None) -> Extras | None:
    """Put a finder for the dependencies archive at the end of ``sys.meta_path``.

    Parameters
    ----------
    environ : mapping of str to str
        The function's environment; ``LAMBDA_TASK_ROOT`` holds the manifest of the function's code.
    s3_client : callable, optional

    Returns
    -------
    Extras or None
        None when the function has no such archive.
    """
    manifest = _manifest(_manifest_path(environ))
    names = manifest.get("dependencies_provides") or ()
    bucket, key, sha256 = (environ.get(f"FUNCTION_DEPENDENCIES_{name}", "") for name in ("BUCKET", "KEY", "SHA256"))
    if not (names and bucket and key and sha256):
        return None
    folder = Path(environ.get("TMPDIR", tempfile.gettempdir()))
    extras = Extras(names, bucket, key, sha256, folder, s3_client or _make_s3_client)
    sys.meta_path.append(extras)
    return extras


def left_out(environ: Mapping[str, str]) -> dict[str, str]:
    """Packages that were left out of both archives, with the reason: those that have no build for the architecture."""
    found = _manifest(_manifest_path(environ)).get("left_out")
    return {str(name): str(reason) for name, reason in found.items()} if isinstance(found, Mapping) else {}


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


def _manifest_path(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("LAMBDA_TASK_ROOT", ".")) / MANIFEST


def _manifest(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ArchiveCorruptError(
            "The manifest of the function's code is damaged", resource=path.name, why=str(error)
        ) from None
    return found if isinstance(found, dict) else {}


def _reason(error: Exception) -> str:
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code", "") if isinstance(response, dict) else ""
    return str(code) or type(error).__name__


def _make_s3_client() -> Any:
    import boto3

    return boto3.client("s3")
