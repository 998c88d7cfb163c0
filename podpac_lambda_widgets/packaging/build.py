"""Building the two archives."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

from podpac_lambda_widgets.errors import ArchiveError, BuildError
from podpac_lambda_widgets.limits import EPHEMERAL_STORAGE_MB
from podpac_lambda_widgets.packaging.archive import Package, check_code_size, inspect_package
from podpac_lambda_widgets.packaging.bytecode import compile_tree, find_interpreter
from podpac_lambda_widgets.packaging.command import Cancelled, check_cancelled
from podpac_lambda_widgets.packaging.contents import HANDLER, copy_own_files, describe_builder, describe_pair
from podpac_lambda_widgets.packaging.imports import defer_imports
from podpac_lambda_widgets.packaging.install import find_uv, install_pins
from podpac_lambda_widgets.packaging.manifest import Manifest
from podpac_lambda_widgets.packaging.patches import apply_patches
from podpac_lambda_widgets.packaging.progress import Listener, Reporter, ignore_progress
from podpac_lambda_widgets.packaging.prune import prune_tree
from podpac_lambda_widgets.packaging.recipe import Recipe, Selection, find_recipe, select_pins
from podpac_lambda_widgets.packaging.target import GLIBC, Target, choose_target
from podpac_lambda_widgets.packaging.zipping import write_archive

DIST_NAME = "podpac_dist.zip"
DEPENDENCIES_NAME = "podpac_deps.zip"

_KEEP_SOURCES = ("podpac", "podpac_lambda_widgets")
#: What tracebacks show: where Lambda keeps a function's code; and the archive for what is extracted later.
_CODE_FOLDER = "/var/task"
_POLL_S = 0.1


def _never() -> bool:
    return False


def build_package(
    directory: Path,
    *,
    runtime: str | None = None,
    architecture: str | None = None,
    recipe: Path | None = None,
    listener: Listener = ignore_progress,
    cancelled: Callable[[], bool] = _never,
    force: bool = False,
) -> Package:
    """Build ``podpac_dist.zip`` and ``podpac_deps.zip`` in `directory`.

    Equal inputs give equal bytes. Archives already there are returned as they are when they were built from the same
    inputs and are whole. A build that fails or is cancelled leaves them untouched.

    Parameters
    ----------
    runtime, architecture : str, optional
        What to build for; the host's own where left out.
    recipe : Path, optional
        Folder with ``handler.py`` and ``locks/``; the one that comes with this package where left out.
    listener : callable
        Told the progress, in the thread that builds.
    cancelled : callable
        Asked several times a second, from any thread; True ends the build.
    force : bool
        Build even if equal archives are there.

    Raises
    ------
    BuildError
        If an input is missing or a step fails.
    InvalidValueError
        If Lambda has no such runtime or architecture.
    ArchiveTooLargeError
        If the code would be over Lambda's 250 MB once extracted.
    CancelledError
        If `cancelled` said so.
    """
    build = _Build(
        Path(directory), choose_target(runtime, architecture), find_recipe(recipe), Reporter(listener), cancelled
    )
    try:
        return build.run(force)
    except OSError as error:
        raise BuildError(
            "The archives could not be written.",
            resource=str(error.filename or directory),
            why=error.strerror or str(error),
            next_step="See that the folder can be written and that the disk has 2 GB free.",
        ) from error


class _Build:
    def __init__(
        self, directory: Path, target: Target, recipe: Recipe, reporter: Reporter, cancelled: Cancelled
    ) -> None:
        self.directory = directory
        self.target = target
        self.recipe = recipe
        self.reporter = reporter
        self.cancelled = cancelled
        self.uv = find_uv()

    def run(self, force: bool) -> Package:
        self.reporter.tell("recipe", "Reading the locks")
        selection = select_pins(self.recipe, self.target)
        interpreter = find_interpreter(self.target.python, uv=self.uv)
        common = self._manifest(selection, interpreter)
        if not force:
            present = self._find_present(common)
            if present is not None:
                self.reporter.tell("inspect", "The archives there are up to date", 1.0)
                return present
        self.directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="podpac-archives-") as scratch:
            core, extras = Path(scratch) / "core", Path(scratch) / "extras"
            self._install(selection, core, extras)
            self._prune(core, extras)
            if interpreter is not None:
                self._compile(core, extras, interpreter)
            return self._write(core, extras, common)

    def _manifest(self, selection: Selection, interpreter: Path | None) -> Manifest:
        return Manifest(
            kind="dependencies",
            podpac_version=selection.version_of("podpac"),
            python=self.target.python,
            runtime=self.target.runtime,
            architecture=self.target.architecture,
            lock_sha256=self.recipe.lock_sha256(),
            builder_version=describe_builder(),
            files_sha256="",
            unzipped_bytes=0,
            provides=(),
            bytecode=self.target.python if interpreter is not None else None,
            glibc=f"{GLIBC[0]}.{GLIBC[1]}",
            left_out=selection.left_out,
        )

    def _find_present(self, wanted: Manifest) -> Package | None:
        try:
            package = self._inspect(self.directory)
        except ArchiveError:
            return None
        present = package.dependencies.manifest
        if present is None or package.dist.manifest is None:
            return None
        inputs = replace(present, files_sha256="", unzipped_bytes=0, provides=())
        same_code = package.dist.manifest.builder_version == describe_builder(self.recipe)
        return package if inputs == wanted and same_code else None

    def _install(self, selection: Selection, core: Path, extras: Path) -> None:
        how = "uv" if self.uv else "pip"
        for fraction, pins, folder in ((0.0, selection.core, core), (0.7, selection.extras, extras)):
            self.reporter.tell("install", f"Installing {len(pins)} packages with {how}", fraction)
            folder.mkdir()
            install_pins(pins, folder, self.target, cancelled=self.cancelled, uv=self.uv)
        copy_own_files(self.recipe, core)

    def _prune(self, core: Path, extras: Path) -> None:
        apply_patches(core)
        for fraction, folder in ((0.0, core), (0.6, extras)):
            check_cancelled(self.cancelled)
            self.reporter.tell("prune", "Leaving out what no pipeline loads", fraction)
            prune_tree(folder)
        defer_imports(core)

    def _compile(self, core: Path, extras: Path, interpreter: Path) -> None:
        keep = (*_KEEP_SOURCES, *(path.name for path in self.recipe.modules))
        for fraction, folder, prefix in ((0.0, core, _CODE_FOLDER), (0.8, extras, DEPENDENCIES_NAME)):
            self.reporter.tell("compile", f"Compiling for Python {self.target.python}", fraction)
            compile_tree(folder, interpreter, prefix=prefix, keep_sources=keep, cancelled=self.cancelled)

    def _write(self, core: Path, extras: Path, common: Manifest) -> Package:
        self.reporter.tell("compress", "Compressing")
        dist, dependencies = describe_pair(core, extras, common, self.recipe)
        check_code_size(dist.unzipped_bytes + len(dist.to_json()), resource=DIST_NAME)
        with tempfile.TemporaryDirectory(prefix=".podpac-archives-", dir=self.directory) as scratch:
            dist_zip, dependencies_zip = Path(scratch) / DIST_NAME, Path(scratch) / DEPENDENCIES_NAME
            self._compress(((core, dist_zip, dist), (extras, dependencies_zip, dependencies)))
            self.reporter.tell("inspect", "Inspecting the archives")
            self._inspect(Path(scratch))
            check_cancelled(self.cancelled)
            dependencies_zip.replace(self.directory / DEPENDENCIES_NAME)
            dist_zip.replace(self.directory / DIST_NAME)
        package = self._inspect(self.directory)
        self.reporter.tell("inspect", "Built the archives", 1.0)
        return package

    def _inspect(self, directory: Path) -> Package:
        return inspect_package(
            directory / DIST_NAME,
            directory / DEPENDENCIES_NAME,
            runtime=self.target.runtime,
            architecture=self.target.architecture,
            handler=HANDLER,
            ephemeral_storage=EPHEMERAL_STORAGE_MB[1],
        )

    def _compress(self, jobs: Iterable[tuple[Path, Path, Manifest]]) -> None:
        jobs = list(jobs)
        total = sum(manifest.unzipped_bytes for _, _, manifest in jobs)
        done: list[int] = []

        def advance(count: int) -> None:
            check_cancelled(self.cancelled)
            done.append(count)

        with ThreadPoolExecutor(len(jobs)) as pool:
            pending: set[Future[None]] = {
                pool.submit(write_archive, folder, path, manifest, advanced=advance) for folder, path, manifest in jobs
            }
            while pending:
                finished, pending = wait(pending, timeout=_POLL_S, return_when=FIRST_EXCEPTION)
                for future in finished:
                    future.result()
                self.reporter.tell("compress", f"Compressed {sum(done) / 1e6:,.0f} of {total / 1e6:,.0f} MB",
                                   sum(done) / total)  # fmt: skip
