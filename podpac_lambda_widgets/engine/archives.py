"""Finds the archives that a source names, and has them inspected before anything is planned with them."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from podpac_lambda_widgets.engine.inspected import Inspected
from podpac_lambda_widgets.engine.ports import Account
from podpac_lambda_widgets.errors import ArchiveMissingError, InvalidValueError, ResourceNotFoundError
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.packaging.archive import Archive, inspect_package
from podpac_lambda_widgets.packaging.scan import scan_archive
from podpac_lambda_widgets.packaging.target import choose_target
from podpac_lambda_widgets.plan.desired import ArchivePlace, Archives


class ArchiveFinder:
    """Remembers what it has inspected, and looks again when files, objects or wishes have changed."""

    def __init__(self, account: Account, memory: Inspected | None = None) -> None:
        self._account = account
        self._memory = memory or Inspected()
        self._inspected: dict[tuple[object, ...], Archives] = {}

    def find(self, source: Source | None, deployment: Deployment) -> Archives:
        """The archives, inspected for the runtime, architecture, handler and storage of the deployment.

        Raises
        ------
        InvalidValueError
            No archives are named, or not wholly.
        ArchiveError
            They cannot be used.
        """
        if source is None:
            raise InvalidValueError(
                "No archives were named",
                field="function_source_dist_zip",
                next_step="Build them with build_package(), or name the files or the bucket they are in.",
            )
        source.check()
        state = self._state_in_bucket(source) if source.is_bucket else _state_of_files(source)
        known = (*state, *_wishes(deployment))
        if known not in self._inspected:
            found = self._memory.find(known)
            if found is None:
                found = self._inspect(source, deployment)
                self._memory.remember(known, found)
            self._inspected[known] = _with_places(found, source)
        return self._inspected[known]

    def _state_in_bucket(self, source: Source) -> tuple[object, ...]:
        bucket = source.function_source_bucket
        keys = (source.function_source_dist_key, source.function_source_dependencies_key)
        try:
            return (bucket, *keys, *(self._account.inspect_object(bucket, key)["etag"] for key in keys))
        except ResourceNotFoundError as error:
            raise ArchiveMissingError(
                "There is no archive there",
                resource=error.resource,
                why=error.why,
                next_step="Look whether bucket and key are written as they are in S3, or name others.",
                code=error.code,
                request_id=error.request_id,
            ) from None

    def _inspect(self, source: Source, deployment: Deployment) -> Archives:
        if not source.is_bucket:
            return _inspect(*_paths(source), deployment)
        keys = (source.function_source_dist_key, source.function_source_dependencies_key)
        with tempfile.TemporaryDirectory(prefix="podpac-lambda-") as directory:
            paths = (Path(directory) / "podpac_dist.zip", Path(directory) / "podpac_deps.zip")
            for path, key in zip(paths, keys, strict=True):
                path.write_bytes(self._account.fetch(source.function_source_bucket, key, lambda done, total: None))
            return _inspect(*paths, deployment)


def _with_places(found: Archives, source: Source) -> Archives:
    """The archives with where their bytes are."""
    if source.is_bucket:
        bucket = source.function_source_bucket
        return replace(
            found,
            dist=replace(found.dist, bucket=bucket, key=source.function_source_dist_key),
            dependencies=replace(found.dependencies, bucket=bucket, key=source.function_source_dependencies_key),
        )
    dist, dependencies = _paths(source)
    return replace(
        found, dist=replace(found.dist, path=dist), dependencies=replace(found.dependencies, path=dependencies)
    )


def _paths(source: Source) -> tuple[Path, Path]:
    return Path(source.function_source_dist_zip), Path(source.function_source_dependencies_zip)


def _state_of_files(source: Source) -> tuple[object, ...]:
    found = [(path.absolute(), path.stat() if path.is_file() else None) for path in _paths(source)]
    return tuple((str(path), state and (state.st_mtime_ns, state.st_size, state.st_ino)) for path, state in found)


def _wishes(deployment: Deployment) -> tuple[object, ...]:
    return (
        deployment.function_runtime,
        deployment.function_architecture,
        deployment.function_handler,
        deployment.function_ephemeral_storage,
    )


def _inspect(dist: Path, dependencies: Path, deployment: Deployment) -> Archives:
    """Check the archives for the runtime that was asked for, else for the one they say they were built for."""
    manifest = scan_archive(dist).manifest
    target = choose_target(
        deployment.function_runtime or (manifest.runtime if manifest else None),
        deployment.function_architecture or (manifest.architecture if manifest else None),
    )
    package = inspect_package(
        dist,
        dependencies,
        runtime=target.runtime,
        architecture=target.architecture,
        handler=deployment.function_handler,
        ephemeral_storage=deployment.function_ephemeral_storage,
    )
    return Archives(
        dist=_place(package.dist),
        dependencies=_place(package.dependencies),
        runtime=target.runtime,
        architecture=target.architecture,
    )


def _place(archive: Archive) -> ArchivePlace:
    return ArchivePlace(sha256=archive.sha256, size=archive.size)
