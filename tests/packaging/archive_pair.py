"""Archives made by hand: small, and whole unless a test breaks them."""

from __future__ import annotations

import dataclasses
import hashlib
import struct
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from podpac_lambda_widgets.packaging.archive import Package, inspect_package
from podpac_lambda_widgets.packaging.manifest import MANIFEST_NAME, Manifest, digest_files

X86_64, AARCH64 = 62, 183
HANDLER = b"def handler(event, context):\n    return event\n"


def library(machine: int = X86_64, tail: bytes = b"") -> bytes:
    """The smallest ELF file: a header, one loaded segment that covers it, and `tail` behind."""
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, 120, 120, 4096)
    identity = b"\x7fELF\2\1\1".ljust(16, b"\0")
    sections_at = 120 + len(tail)
    header = identity + struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, sections_at, 0, 64, 56, 1, 64, 3, 2)
    return header + segment + tail


def manifest_of(files: Mapping[str, bytes], **changes: Any) -> Manifest:
    """A manifest that fits `files`."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    manifest = Manifest(
        kind="dist",
        podpac_version="4.0.1",
        python=python,
        runtime=f"python{python}",
        architecture="x86_64",
        lock_sha256="0" * 64,
        builder_version="0",
        files_sha256=digest_files((name, hashlib.sha256(data).hexdigest()) for name, data in files.items()),
        unzipped_bytes=sum(map(len, files.values())),
        provides=("numpy",),
        dependencies_provides=("rasterio",),
        handler="handler.handler",
    )
    return dataclasses.replace(manifest, **changes)


def write_zip(path: Path, files: Mapping[str, bytes], manifest: Manifest | bytes | None = None) -> Path:
    """A zip of `files`, with a manifest if one is given."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        if manifest is not None:
            archive.writestr(MANIFEST_NAME, manifest if isinstance(manifest, bytes) else manifest.to_json())
    return path


class Pair:
    """Two archives that belong together; a test changes what it is about."""

    def __init__(self, folder: Path) -> None:
        self.dist_files = {"handler.py": HANDLER, "numpy/core.so": library()}
        self.dependencies_files = {"rasterio/__init__.py": b"", "rasterio.libs/libgdal.so.36": library()}
        self.dist_changes: dict[str, Any] = {}
        self.dependencies_changes: dict[str, Any] = {}
        self.dist = folder / "podpac_dist.zip"
        self.dependencies = folder / "podpac_deps.zip"

    def write(self) -> None:
        """Put both on disk."""
        dependencies = manifest_of(
            self.dependencies_files, kind="dependencies", provides=("rasterio",), dependencies_provides=(), handler=""
        )
        dependencies = dataclasses.replace(dependencies, **self.dependencies_changes)
        dist = manifest_of(
            self.dist_files, **{"dependencies_files_sha256": dependencies.files_sha256, **self.dist_changes}
        )
        write_zip(self.dist, self.dist_files, dist)
        write_zip(self.dependencies, self.dependencies_files, dependencies)

    def inspect(self, **options: Any) -> Package:
        """Write both and inspect them."""
        self.write()
        chosen = {"architecture": "x86_64", **options}
        return inspect_package(self.dist, self.dependencies, **chosen)
