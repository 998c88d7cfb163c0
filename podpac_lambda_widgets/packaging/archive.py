"""The two archives, inspected before anything is uploaded."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import escape
from pathlib import Path

from podpac_lambda_widgets.errors import ArchiveError, ArchiveMismatchError, ArchiveTooLargeError
from podpac_lambda_widgets.limits import DIRECT_ARCHIVE_BYTES, EPHEMERAL_STORAGE_MB, MEGABYTE, UNZIPPED_CODE_BYTES
from podpac_lambda_widgets.packaging.binaries import check_binaries
from podpac_lambda_widgets.packaging.handler import check_handler
from podpac_lambda_widgets.packaging.manifest import Manifest
from podpac_lambda_widgets.packaging.scan import Scan, scan_archive
from podpac_lambda_widgets.packaging.target import Target, choose_target
from podpac_lambda_widgets.remote.allowlist import PLUGIN_NODES, parse_plugin_nodes

_KINDS = {"dist": "Distribution archive", "dependencies": "Dependencies archive"}
_REBUILD = "Build the archives again."


@dataclass(frozen=True)
class Archive:
    """One archive, as it was when it was inspected.

    Attributes
    ----------
    path : Path
    kind : str
        ``"dist"`` (the function's code) or ``"dependencies"``.
    sha256 : str
        Of the archive file, hexadecimal.
    size, unzipped_size : int
        Bytes of the archive, and of its files once extracted.
    manifest : Manifest or None
        None for an archive this package did not build; then only what can be seen in it was checked.
    nodes : tuple of str
        ``plugin.Node`` of the nodes that plugins brought into it, sorted (dist only).
    """

    path: Path
    kind: str
    sha256: str
    size: int
    unzipped_size: int
    manifest: Manifest | None
    nodes: tuple[str, ...] = ()

    @property
    def fits_direct_upload(self) -> bool:
        """Whether Lambda takes it in the call itself; a larger one goes through a bucket."""
        return self.size <= DIRECT_ARCHIVE_BYTES


@dataclass(frozen=True)
class Package:
    """The function's code and its dependencies: two archives that belong together."""

    dist: Archive
    dependencies: Archive

    def __repr__(self) -> str:
        files = (f"  {each.path} ({each.size / 1e6:,.1f} MB)" for each in (self.dist, self.dependencies))
        return "\n".join([f"Package: {describe_manifest(self.dist.manifest)}", *files])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th scope='row' style='text-align:left'>{_KINDS[archive.kind]}</th>"
            f"<td style='text-align:left'>{escape(archive.path.name)}</td>"
            f"<td>{archive.size / 1e6:,.1f} MB</td><td>{archive.unzipped_size / 1e6:,.1f} MB</td>"
            f"<td style='text-align:left'><code title='{archive.sha256}'>{archive.sha256[:12]}</code></td></tr>"
            for archive in (self.dist, self.dependencies)
        )
        heads = "".join(f"<th scope='col'>{text}</th>" for text in ("", "File", "Size", "Extracted", "SHA-256"))
        nodes = f"<br>with your nodes {escape(', '.join(self.dist.nodes))}" if self.dist.nodes else ""
        return (
            f"<table><caption>{escape(describe_manifest(self.dist.manifest))}{nodes}</caption>"
            f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        )


@dataclass(frozen=True)
class Examination:
    """Two archives, and everything for which Lambda could not use them; each problem says its cure."""

    package: Package
    problems: tuple[ArchiveError, ...]


def describe_manifest(manifest: Manifest | None) -> str:
    """One line: what an archive is for."""
    if manifest is None:
        return "Not built by podpac_lambda_widgets"
    return f"podpac {manifest.podpac_version} for {manifest.runtime} on {manifest.architecture}"


def inspect_package(
    dist_zip: Path,
    dependencies_zip: Path,
    *,
    runtime: str | None = None,
    architecture: str | None = None,
    handler: str = "handler.handler",
    ephemeral_storage: int = EPHEMERAL_STORAGE_MB[0],
) -> Package:
    """Check that Lambda could use two archives, and that they belong together.

    Parameters
    ----------
    dist_zip, dependencies_zip : Path
        The function's code, and the extras it extracts when a pipeline needs them.
    runtime, architecture : str, optional
        The function's; the host's own where left out.
    handler : str
        What Lambda is to call, ``"module.function"``.
    ephemeral_storage : int
        The function's ``/tmp``, MB: the dependencies archive and what is extracted from it must fit together.

    Raises
    ------
    ArchiveMissingError
        If there is no such file.
    ArchiveCorruptError
        If an archive does not open, a checksum differs, or its files are not those its manifest was written for.
    ArchiveUnsafeError
        See :func:`~podpac_lambda_widgets.packaging.entries.check_entries`.
    ArchiveMismatchError
        If an archive is for another runtime or architecture, lacks the handler, or the two were not built together.
    ArchiveTooLargeError
        If the code is over Lambda's 250 MB once extracted, or the dependencies over `ephemeral_storage`.
    """
    examined = examine_package(
        dist_zip,
        dependencies_zip,
        choose_target(runtime, architecture),
        handler=handler,
        ephemeral_storage=ephemeral_storage,
    )
    if examined.problems:
        raise examined.problems[0]
    return examined.package


def examine_package(
    dist_zip: Path,
    dependencies_zip: Path,
    target: Target | None = None,
    *,
    handler: str = "handler.handler",
    ephemeral_storage: int = EPHEMERAL_STORAGE_MB[0],
) -> Examination:
    """Look into two archives, and find everything for which Lambda could not use them.

    Parameters
    ----------
    target : Target, optional
        The function's runtime and architecture; those that the code was built for where left out.

    Raises
    ------
    ArchiveMissingError, ArchiveCorruptError, ArchiveUnsafeError
        One of them cannot be looked into at all.
    """
    with ThreadPoolExecutor(2) as pool:
        dist, dependencies = pool.map(scan_archive, (Path(dist_zip), Path(dependencies_zip)))
    if target is None:
        said = dist.manifest
        target = choose_target(said.runtime, said.architecture) if said else choose_target(None, None)
    checks: list[Callable[[], None]] = [
        lambda: _check_kind(dist, "dist"),
        lambda: _check_kind(dependencies, "dependencies"),
        lambda: _check_target(dist, target),
        lambda: _check_target(dependencies, target),
        lambda: _check_pair(dist, dependencies),
        lambda: check_handler(dist, handler),
        lambda: check_code_size(dist.unzipped_size, resource=str(dist.path)),
        lambda: _check_ephemeral_storage(dependencies, ephemeral_storage),
    ]
    problems: list[ArchiveError] = []
    for check in checks:
        try:
            check()
        except ArchiveError as problem:
            problems.append(problem)
    return Examination(
        Package(_describe(dist, "dist", _read_nodes(dist)), _describe(dependencies, "dependencies")), tuple(problems)
    )


def _describe(scan: Scan, kind: str, nodes: tuple[str, ...] = ()) -> Archive:
    return Archive(scan.path, kind, scan.sha256, scan.size, scan.unzipped_size, scan.manifest, nodes)


def _read_nodes(dist: Scan) -> tuple[str, ...]:
    if PLUGIN_NODES not in dist.names:
        return ()
    with zipfile.ZipFile(dist.path) as archive:
        return tuple(sorted(parse_plugin_nodes(archive.read(PLUGIN_NODES))))


def _check_kind(scan: Scan, kind: str) -> None:
    if scan.manifest is not None and scan.manifest.kind != kind:
        raise ArchiveMismatchError(
            f"This is not a {_KINDS[kind].lower()}.",
            resource=str(scan.path),
            why=f"Its manifest says that it is the {_KINDS[scan.manifest.kind].lower()}.",
            next_step="Exchange the two archives.",
        )


def _check_target(scan: Scan, target: Target) -> None:
    manifest = scan.manifest
    if manifest is not None and (manifest.runtime, manifest.architecture) != (target.runtime, target.architecture):
        raise ArchiveMismatchError(
            "The archive is for another function.",
            resource=str(scan.path),
            why=f"It was built for {manifest.runtime} on {manifest.architecture}; "
            f"the function is {target.runtime} on {target.architecture}.",
            next_step=f"Build archives for {target.runtime} on {target.architecture}, or change the function.",
        )
    check_binaries(scan.binaries, target, resource=str(scan.path))


def _check_pair(dist: Scan, dependencies: Scan) -> None:
    if dist.manifest is None or dependencies.manifest is None:
        return
    for name in ("podpac_version", "python", "lock_sha256"):
        ours, theirs = getattr(dist.manifest, name), getattr(dependencies.manifest, name)
        if ours != theirs:
            raise _not_a_pair(dist, f"{name} is {ours} in one, {theirs} in the other.")
    if dist.manifest.dependencies_provides != dependencies.manifest.provides:
        raise _not_a_pair(dist, "The code expects other packages in the dependencies than are there.")
    if dist.manifest.dependencies_files_sha256 != dependencies.manifest.files_sha256:
        raise _not_a_pair(dist, "The code was built with dependencies of another content.")


def _not_a_pair(dist: Scan, why: str) -> ArchiveMismatchError:
    return ArchiveMismatchError(
        "The two archives were not built together.", resource=str(dist.path), why=why, next_step=_REBUILD
    )


def check_code_size(unzipped: int, *, resource: str) -> None:
    """Raise :class:`ArchiveTooLargeError` if Lambda would not take code of `unzipped` bytes."""
    if unzipped > UNZIPPED_CODE_BYTES:
        raise ArchiveTooLargeError(
            "The function's code is too large once extracted.",
            resource=resource,
            why=f"It has {unzipped:,} bytes; Lambda takes {UNZIPPED_CODE_BYTES:,}.",
            next_step="Move packages from core.in to extras.in, or leave them out.",
        )


def _check_ephemeral_storage(dependencies: Scan, ephemeral_storage: int) -> None:
    needed = dependencies.size + dependencies.unzipped_size
    if needed > ephemeral_storage * MEGABYTE:
        raise ArchiveTooLargeError(
            "The dependencies do not fit into the function's ephemeral storage.",
            resource=str(dependencies.path),
            why=f"Archive and extracted files need {needed:,} bytes; it has {ephemeral_storage * MEGABYTE:,}.",
            next_step=f"Give the function at least {-(-needed // MEGABYTE)} MB of ephemeral storage.",
        )
