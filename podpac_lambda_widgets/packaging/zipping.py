"""Writing an archive that is the same, byte for byte, whenever it holds the same files."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

from podpac_lambda_widgets.packaging.manifest import MANIFEST_NAME, Manifest, digest_files

#: The oldest time a zip entry can have.
_TIME = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644
_UNIX = 3
#: Level 9 takes three times as long for half a per cent.
_LEVEL = 6


def measure_files(directory: Path) -> tuple[str, int]:
    """``files_sha256`` and the total bytes of the files under `directory`."""
    digests = []
    total = 0
    for name, path in list_files(directory):
        data = path.read_bytes()
        total += len(data)
        digests.append((name, hashlib.sha256(data).hexdigest()))
    return digest_files(digests), total


def list_files(directory: Path) -> list[tuple[str, Path]]:
    """Every regular file under `directory` with its name in the archive, sorted by that name."""
    files = ((path.relative_to(directory).as_posix(), path) for path in directory.rglob("*") if path.is_file())
    return sorted(files)


def write_archive(directory: Path, archive: Path, manifest: Manifest, *, advanced: Callable[[int], None]) -> None:
    """Write the files under `directory` and their `manifest` to `archive`.

    Parameters
    ----------
    advanced : callable
        Told the bytes of each file once it is in; may raise to stop.
    """
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr(_entry(MANIFEST_NAME), manifest.to_json(), compresslevel=_LEVEL)
        for name, path in list_files(directory):
            data = path.read_bytes()
            target.writestr(_entry(name), data, compresslevel=_LEVEL)
            advanced(len(data))


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = _UNIX
    entry.external_attr = _MODE << 16
    return entry
