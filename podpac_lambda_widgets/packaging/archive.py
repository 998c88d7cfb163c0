"""The two archives, inspected before anything is uploaded."""

from __future__ import annotations

import ast
import hashlib
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path

from podpac_lambda_widgets.errors import (
    ArchiveCorruptError,
    ArchiveMismatchError,
    ArchiveMissingError,
    ArchiveTooLargeError,
)
from podpac_lambda_widgets.limits import DIRECT_ARCHIVE_BYTES, EPHEMERAL_STORAGE_MB, MEGABYTE, UNZIPPED_CODE_BYTES
from podpac_lambda_widgets.packaging.binaries import Binary, check_binaries, is_binary_name, read_binary
from podpac_lambda_widgets.packaging.elf import HEADER_BYTES
from podpac_lambda_widgets.packaging.entries import check_entries
from podpac_lambda_widgets.packaging.manifest import MANIFEST_NAME, Manifest, digest_files, parse_manifest
from podpac_lambda_widgets.packaging.target import Target, choose_target

_CHUNK = 1024 * 1024
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
    """

    path: Path
    kind: str
    sha256: str
    size: int
    unzipped_size: int
    manifest: Manifest | None

    @property
    def fits_direct_upload(self) -> bool:
        """Whether Lambda takes it in the call itself; a larger one goes through a bucket."""
        return self.size <= DIRECT_ARCHIVE_BYTES


@dataclass(frozen=True)
class Package:
    """The function's code and its dependencies: two archives that belong together."""

    dist: Archive
    dependencies: Archive

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th scope='row' style='text-align:left'>{_KINDS[archive.kind]}</th>"
            f"<td style='text-align:left'>{escape(archive.path.name)}</td>"
            f"<td>{archive.size / 1e6:,.1f} MB</td><td>{archive.unzipped_size / 1e6:,.1f} MB</td>"
            f"<td style='text-align:left'><code title='{archive.sha256}'>{archive.sha256[:12]}</code></td></tr>"
            for archive in (self.dist, self.dependencies)
        )
        heads = "".join(f"<th scope='col'>{text}</th>" for text in ("", "File", "Size", "Extracted", "SHA-256"))
        return (
            f"<table><caption>{escape(describe_manifest(self.dist.manifest))}</caption>"
            f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        )


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
    target = choose_target(runtime, architecture)
    with ThreadPoolExecutor(2) as pool:
        scans = list(pool.map(_scan_path, (Path(dist_zip), Path(dependencies_zip))))
    dist, dependencies = scans
    _check_kind(dist, "dist")
    _check_kind(dependencies, "dependencies")
    for scan in scans:
        _check_target(scan, target)
    _check_pair(dist, dependencies)
    _check_handler(dist, handler)
    check_code_size(dist.unzipped_size, resource=str(dist.path))
    _check_ephemeral_storage(dependencies, ephemeral_storage)
    return Package(dist.archive("dist"), dependencies.archive("dependencies"))


@dataclass(frozen=True)
class _Scan:
    path: Path
    sha256: str
    size: int
    unzipped_size: int
    manifest: Manifest | None
    names: frozenset[str]
    binaries: tuple[Binary, ...]

    def archive(self, kind: str) -> Archive:
        return Archive(self.path, kind, self.sha256, self.size, self.unzipped_size, self.manifest)


def _scan_path(path: Path) -> _Scan:
    if not path.is_file():
        raise ArchiveMissingError(
            "There is no archive there.", resource=str(path), next_step="Build the archives, or name another file."
        )
    status = path.stat()
    return _scan(path, status.st_size, status.st_mtime_ns, status.st_ino)


@lru_cache(maxsize=8)
def _scan(path: Path, size: int, _modified_ns: int, _inode: int) -> _Scan:
    """Read an archive once through; kept while the file is the same."""
    try:
        with zipfile.ZipFile(path) as archive:
            check_entries(archive.infolist(), resource=str(path), archive_bytes=size)
            _check_readable_size(archive, path)
            digests, binaries = _read_files(archive)
            manifest = _read_manifest(archive, path)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise ArchiveCorruptError(
            "The archive is damaged.", resource=str(path), why=str(error) or type(error).__name__, next_step=_REBUILD
        ) from error
    if manifest is not None and manifest.files_sha256 != digest_files(digests.items()):
        raise ArchiveCorruptError(
            "The archive's files are not those it was built with.",
            resource=str(path),
            why="Their digest differs from the one in the manifest.",
            next_step=f"{_REBUILD} To add files of your own, build from a recipe of your own.",
        )
    total = sum(entry.file_size for entry in archive.infolist())
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return _Scan(path, sha256, size, total, manifest, frozenset(digests), tuple(binaries))


def _check_readable_size(archive: zipfile.ZipFile, path: Path) -> None:
    """Nothing Lambda could extract is larger than its largest disk; do not even read what is."""
    total = sum(entry.file_size for entry in archive.infolist())
    most = EPHEMERAL_STORAGE_MB[1] * MEGABYTE
    if total > most:
        raise ArchiveTooLargeError(
            "The archive is larger than any disk a function can have.",
            resource=str(path),
            why=f"Its files have {total:,} bytes; the largest ephemeral storage is {most:,}.",
            next_step="Leave packages out.",
        )


def _read_files(archive: zipfile.ZipFile) -> tuple[dict[str, str], list[Binary]]:
    """Digest of every file but the manifest, and the compiled modules; zipfile checks each CRC on the way."""
    digests = {}
    binaries = []
    for entry in archive.infolist():
        if entry.is_dir():
            continue
        digest = hashlib.sha256()
        with archive.open(entry) as file:
            head = file.read(HEADER_BYTES)
            digest.update(head)
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        if entry.filename != MANIFEST_NAME:
            digests[entry.filename] = digest.hexdigest()
        if is_binary_name(entry.filename):
            binaries.append(read_binary(entry.filename, head))
    return digests, binaries


def _read_manifest(archive: zipfile.ZipFile, path: Path) -> Manifest | None:
    if MANIFEST_NAME not in archive.namelist():
        return None
    return parse_manifest(archive.read(MANIFEST_NAME), resource=f"{path}: {MANIFEST_NAME}")


def _check_kind(scan: _Scan, kind: str) -> None:
    if scan.manifest is not None and scan.manifest.kind != kind:
        raise ArchiveMismatchError(
            f"This is not a {_KINDS[kind].lower()}.",
            resource=str(scan.path),
            why=f"Its manifest says that it is the {_KINDS[scan.manifest.kind].lower()}.",
            next_step="Exchange the two archives.",
        )


def _check_target(scan: _Scan, target: Target) -> None:
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


def _check_pair(dist: _Scan, dependencies: _Scan) -> None:
    if dist.manifest is None or dependencies.manifest is None:
        return
    for name in ("podpac_version", "python", "lock_sha256", "builder_version"):
        ours, theirs = getattr(dist.manifest, name), getattr(dependencies.manifest, name)
        if ours != theirs:
            raise _not_a_pair(dist, f"{name} is {ours} in one, {theirs} in the other.")
    if dist.manifest.dependencies_provides != dependencies.manifest.provides:
        raise _not_a_pair(dist, "The code expects other packages in the dependencies than are there.")
    if dist.manifest.dependencies_files_sha256 != dependencies.manifest.files_sha256:
        raise _not_a_pair(dist, "The code was built with dependencies of another content.")


def _not_a_pair(dist: _Scan, why: str) -> ArchiveMismatchError:
    return ArchiveMismatchError(
        "The two archives were not built together.", resource=str(dist.path), why=why, next_step=_REBUILD
    )


def _check_handler(dist: _Scan, handler: str) -> None:
    module, _, function = handler.rpartition(".")
    base = module.replace(".", "/")
    source = next((name for name in (f"{base}.py", f"{base}/__init__.py") if name in dist.names), "")
    compiled = {f"{base}.pyc", f"{base}/__init__.pyc"} & dist.names
    if not module or not function or not (source or compiled):
        raise ArchiveMismatchError(
            "The archive lacks the handler.",
            resource=f"{dist.path}: {handler}",
            why=f"There is no module {base}.py in it." if module else "A handler is written module.function.",
            next_step="Name the handler the archive has, or build the archives again.",
        )
    if source:
        with zipfile.ZipFile(dist.path) as archive:
            defined = find_top_level_names(archive.read(source), resource=f"{dist.path}: {source}")
        if function not in defined:
            raise ArchiveMismatchError(
                "The archive lacks the handler.",
                resource=f"{dist.path}: {handler}",
                why=f"{source} does not define {function}.",
                next_step="Name the handler the archive has, or build the archives again.",
            )


def find_top_level_names(source: bytes, *, resource: str) -> set[str]:
    """Names a module's source defines, assigns or imports at its top level; the module is not run.

    Raises
    ------
    ArchiveCorruptError
        If it is not Python.
    """
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError) as error:
        raise ArchiveCorruptError(
            "The handler is not Python.", resource=resource, why=str(error), next_step="Correct it and build again."
        ) from error
    names: set[str] = set()
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(statement.name)
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            names.update(alias.asname or alias.name.split(".")[0] for alias in statement.names)
        else:
            found = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
            names.update(node.id for node in found if isinstance(node.ctx, ast.Store))
    return names


def check_code_size(unzipped: int, *, resource: str) -> None:
    """Raise :class:`ArchiveTooLargeError` if Lambda would not take code of `unzipped` bytes."""
    if unzipped > UNZIPPED_CODE_BYTES:
        raise ArchiveTooLargeError(
            "The function's code is too large once extracted.",
            resource=resource,
            why=f"It has {unzipped:,} bytes; Lambda takes {UNZIPPED_CODE_BYTES:,}.",
            next_step="Move packages from core.in to extras.in, or leave them out.",
        )


def _check_ephemeral_storage(dependencies: _Scan, ephemeral_storage: int) -> None:
    needed = dependencies.size + dependencies.unzipped_size
    if needed > ephemeral_storage * MEGABYTE:
        raise ArchiveTooLargeError(
            "The dependencies do not fit into the function's ephemeral storage.",
            resource=str(dependencies.path),
            why=f"Archive and extracted files need {needed:,} bytes; it has {ephemeral_storage * MEGABYTE:,}.",
            next_step=f"Give the function at least {-(-needed // MEGABYTE)} MB of ephemeral storage.",
        )
