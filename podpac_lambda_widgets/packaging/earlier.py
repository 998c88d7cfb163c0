"""Archives of an earlier build, whose packages are those that are wanted now."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from podpac_lambda_widgets.errors import ArchiveError
from podpac_lambda_widgets.limits import EPHEMERAL_STORAGE_MB
from podpac_lambda_widgets.packaging.archive import Package, inspect_package
from podpac_lambda_widgets.packaging.manifest import Manifest
from podpac_lambda_widgets.packaging.scan import scan_archive
from podpac_lambda_widgets.packaging.target import Target
from podpac_lambda_widgets.packaging.zipping import Contents

DIST_NAME = "podpac_dist.zip"
DEPENDENCIES_NAME = "podpac_deps.zip"


@dataclass(frozen=True)
class Earlier:
    """What an earlier build left.

    Attributes
    ----------
    package : Package
        Its archives, inspected.
    packages : Contents
        The installed packages in its code archive.
    dist, dependencies : Manifest
    """

    package: Package
    packages: Contents
    dist: Manifest
    dependencies: Manifest


def find_earlier(folders: Iterable[Path], wanted: Manifest, *, handler: str, target: Target) -> Earlier | None:
    """The first of `folders` with whole archives that were built from the inputs which `wanted` names, or None.

    Parameters
    ----------
    wanted : Manifest
        The dependencies archive's, without what is known of its content only once it is built.
    """
    for folder in dict.fromkeys(path.resolve() for path in folders):
        try:
            package = inspect_package(
                folder / DIST_NAME, folder / DEPENDENCIES_NAME, runtime=target.runtime,
                architecture=target.architecture, handler=handler, ephemeral_storage=EPHEMERAL_STORAGE_MB[1],
            )  # fmt: skip
        except ArchiveError:
            continue
        dist, dependencies = package.dist.manifest, package.dependencies.manifest
        if dist is None or dependencies is None or not dist.packages_files:
            continue
        if replace(dependencies, files_sha256="", unzipped_bytes=0, provides=()) == wanted:
            return Earlier(package, _read_packages(package.dist.path, dist.packages_files), dist, dependencies)
    return None


def _read_packages(path: Path, count: int) -> Contents:
    digests = scan_archive(path).digests
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()[:count]
    return Contents({entry.filename: digests[entry.filename] for entry in entries}, sum(e.file_size for e in entries))
