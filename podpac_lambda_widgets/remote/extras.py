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
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from podpac_lambda_widgets.errors import (
    ArchiveCorruptError,
    ArchiveMismatchError,
    ArchiveMissingError,
    ArchiveTooLargeError,
    DependencyMissingError,
)
from podpac_lambda_widgets.remote.extraction import extract
from podpac_lambda_widgets.remote.s3 import aws_reason, make_s3_client

MANIFEST = "podpac_lambda_manifest.json"


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
                except OSError as error:
                    raise ArchiveTooLargeError(
                        "The dependencies could not be extracted",
                        resource=str(self.folder),
                        why=error.strerror or str(error),
                        next_step="Give the function more ephemeral storage, and a TMPDIR that can be written to",
                    ) from None
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
        from boto3.s3.transfer import TransferConfig

        try:
            # On this thread alone: who imports may hold the lock of all imports (the stubs of podpac's lazy_import do),
            # and a thread that then had to import something, were it a codec, would wait for ever.
            config = TransferConfig(use_threads=False)
            self._s3_client().download_file(self.bucket, self.key, str(target), Config=config)
        except Exception as error:  # noqa: BLE001 - botocore's errors, whose types cannot be imported without it
            raise ArchiveMissingError(
                "The dependencies archive could not be fetched",
                resource=f"s3://{self.bucket}/{self.key}",
                why=aws_reason(error),
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
    extras = Extras(names, bucket, key, sha256, folder, s3_client or make_s3_client)
    sys.meta_path.append(extras)
    return extras


def left_out(environ: Mapping[str, str]) -> dict[str, str]:
    """Packages that were left out of both archives, with the reason: those that have no build for the architecture."""
    found = _manifest(_manifest_path(environ)).get("left_out")
    return {str(name): str(reason) for name, reason in found.items()} if isinstance(found, Mapping) else {}


def code_version(environ: Mapping[str, str]) -> str:
    """What tells the function's code from any other: 12 hexadecimal digits; empty where there is no manifest."""
    return str(_manifest(_manifest_path(environ)).get("files_sha256", ""))[:12]


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
