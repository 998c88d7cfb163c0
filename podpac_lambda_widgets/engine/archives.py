"""Finds the archives that a source names, and has them inspected before anything is planned with them."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from podpac_lambda_widgets.engine.ports import Account
from podpac_lambda_widgets.errors import InvalidValueError
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.packaging.archive import Archive, inspect_package
from podpac_lambda_widgets.packaging.scan import scan_archive
from podpac_lambda_widgets.packaging.target import choose_target
from podpac_lambda_widgets.plan.desired import ArchivePlace, Archives


class ArchiveFinder:
    """Remembers what it has inspected, and looks again when files, objects or wishes have changed."""

    def __init__(self, account: Account) -> None:
        self._account = account
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
            inspect = self._inspect_bucket if source.is_bucket else _inspect_files
            self._inspected[known] = inspect(source, deployment)
        return self._inspected[known]

    def _state_in_bucket(self, source: Source) -> tuple[object, ...]:
        bucket = source.function_source_bucket
        keys = (source.function_source_dist_key, source.function_source_dependencies_key)
        return (bucket, *keys, *(self._account.inspect_object(bucket, key)["etag"] for key in keys))

    def _inspect_bucket(self, source: Source, deployment: Deployment) -> Archives:
        bucket = source.function_source_bucket
        keys = (source.function_source_dist_key, source.function_source_dependencies_key)
        with tempfile.TemporaryDirectory(prefix="podpac-lambda-") as directory:
            paths = (Path(directory) / "podpac_dist.zip", Path(directory) / "podpac_deps.zip")
            for path, key in zip(paths, keys, strict=True):
                path.write_bytes(self._account.fetch(bucket, key, lambda done, total: None))
            found = _inspect(*paths, deployment)
        return replace(
            found,
            dist=replace(found.dist, path=None, bucket=bucket, key=keys[0]),
            dependencies=replace(found.dependencies, path=None, bucket=bucket, key=keys[1]),
        )


def _paths(source: Source) -> tuple[Path, Path]:
    return Path(source.function_source_dist_zip), Path(source.function_source_dependencies_zip)


def _state_of_files(source: Source) -> tuple[object, ...]:
    found = [(path, path.stat() if path.is_file() else None) for path in _paths(source)]
    return tuple((path, state and (state.st_mtime_ns, state.st_size, state.st_ino)) for path, state in found)


def _wishes(deployment: Deployment) -> tuple[object, ...]:
    return (
        deployment.function_runtime,
        deployment.function_architecture,
        deployment.function_handler,
        deployment.function_ephemeral_storage,
    )


def _inspect_files(source: Source, deployment: Deployment) -> Archives:
    return _inspect(*_paths(source), deployment)


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
    return ArchivePlace(sha256=archive.sha256, size=archive.size, path=archive.path)
