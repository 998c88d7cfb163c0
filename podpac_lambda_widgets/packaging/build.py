"""Building the two archives."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from podpac_lambda_widgets.errors import BuildError
from podpac_lambda_widgets.limits import EPHEMERAL_STORAGE_MB
from podpac_lambda_widgets.packaging.archive import Package, check_code_size, inspect_package
from podpac_lambda_widgets.packaging.bytecode import compile_tree, find_interpreter
from podpac_lambda_widgets.packaging.command import Cancelled, check_cancelled
from podpac_lambda_widgets.packaging.contents import (
    HANDLER,
    copy_own_files,
    describe_builder,
    describe_dependencies,
    describe_dist,
)
from podpac_lambda_widgets.packaging.earlier import DEPENDENCIES_NAME, DIST_NAME, Earlier, find_earlier
from podpac_lambda_widgets.packaging.imports import defer_imports
from podpac_lambda_widgets.packaging.install import find_uv, install_pins
from podpac_lambda_widgets.packaging.manifest import Manifest
from podpac_lambda_widgets.packaging.patches import apply_patches
from podpac_lambda_widgets.packaging.plugin_imports import check_imports
from podpac_lambda_widgets.packaging.plugin_nodes import describe_plugins
from podpac_lambda_widgets.packaging.plugins import Plugin, check_name, find_plugins, pack_plugins
from podpac_lambda_widgets.packaging.progress import Listener, Reporter, ignore_progress
from podpac_lambda_widgets.packaging.prune import prune_tree
from podpac_lambda_widgets.packaging.recipe import Recipe, Selection, find_recipe, own_recipe_folder, select_pins
from podpac_lambda_widgets.packaging.target import GLIBC, Target, choose_target
from podpac_lambda_widgets.packaging.zipping import extend_archive, measure_files, write_archives

__all__ = ["DEPENDENCIES_NAME", "DIST_NAME", "build_package"]

#: Of installed packages, those whose sources tracebacks show. Of our own files, and of plugins, all do.
_KEEP_SOURCES = ("podpac",)
#: What tracebacks show: where Lambda keeps a function's code; and the archive for what is extracted later.
_CODE_FOLDER = "/var/task"


def _never() -> bool:
    return False


def build_package(
    directory: Path,
    *,
    runtime: str | None = None,
    architecture: str | None = None,
    recipe: Path | None = None,
    plugins: Sequence[str | Path] = (),
    listener: Listener = ignore_progress,
    cancelled: Callable[[], bool] = _never,
    force: bool = False,
) -> Package:
    """Build ``podpac_dist.zip`` and ``podpac_deps.zip`` in `directory`.

    Equal inputs give equal bytes. Archives already there are returned as they are when they were built from the same
    inputs and are whole. Where only the handler, this package or the plugins differ from those of archives in
    `directory`, in the recipe's folder or in the one that comes with this package, their packages are taken as they
    are. A build that fails or is cancelled leaves the archives that were there untouched.

    Parameters
    ----------
    runtime, architecture : str, optional
        What to build for; the host's own where left out.
    recipe : Path, optional
        Folder with ``handler.py`` and ``locks/``; the one that comes with this package where left out.
    plugins : sequence of str or Path, optional
        Modules of yours that define nodes: paths of a ``.py`` file or of a package's folder, or names of modules that
        can be imported. Their sources go into the function's code, and the function allows their nodes. They are
        imported here once, to see what nodes they have.
    listener : callable
        Told the progress, in the thread that builds.
    cancelled : callable
        Asked several times a second, from any thread; True ends the build.
    force : bool
        Build everything, even if equal archives are there.

    Raises
    ------
    BuildError
        If an input is missing or a step fails, or a plugin cannot be imported, has no node or needs what is not there.
    InvalidValueError
        If Lambda has no such runtime or architecture, or there is no such plugin.
    ArchiveTooLargeError
        If the code would be over Lambda's 250 MB once extracted.
    CancelledError
        If `cancelled` said so.
    DependencyMissingError
        If there are plugins and podpac is not installed here.
    """
    chosen = find_recipe(recipe)
    build = _Build(
        Path(directory), choose_target(runtime, architecture), chosen, find_plugins(plugins, chosen),
        Reporter(listener), cancelled,
    )  # fmt: skip
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
        self,
        directory: Path,
        target: Target,
        recipe: Recipe,
        plugins: Sequence[Plugin],
        reporter: Reporter,
        cancelled: Cancelled,
    ) -> None:
        self.directory = directory
        self.target = target
        self.recipe = recipe
        self.plugins = plugins
        self.reporter = reporter
        self.cancelled = cancelled
        self.uv = find_uv()

    def run(self, force: bool) -> Package:
        self.reporter.tell("recipe", "Reading the locks")
        selection = select_pins(self.recipe, self.target)
        interpreter = find_interpreter(self.target.python, uv=self.uv)
        common = self._manifest(selection, interpreter)
        earlier = None if force else self._find_earlier(common)
        if earlier is not None and self._is_up_to_date(earlier):
            self.reporter.tell("inspect", "The archives there are up to date", 1.0)
            return earlier.package
        with tempfile.TemporaryDirectory(prefix="podpac-archives-") as scratch:
            core, extras, own = (Path(scratch) / name for name in ("core", "extras", "own"))
            self._collect(own, {pin.name.replace("-", "_") for pin in (*selection.core, *selection.extras)})
            if earlier is None:
                self._install(selection, core, extras)
                self._prune(core, extras)
            self._compile(core, extras, own, interpreter)
            return self._write(core, extras, own, common, earlier)

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

    def _version(self) -> str:
        return describe_builder(self.recipe, self.plugins)

    def _find_earlier(self, wanted: Manifest) -> Earlier | None:
        folders = (self.directory, self.recipe.directory, own_recipe_folder())
        return find_earlier(folders, wanted, handler=HANDLER, target=self.target)

    def _is_up_to_date(self, earlier: Earlier) -> bool:
        is_here = earlier.package.dist.path.parent == self.directory.resolve()
        return is_here and earlier.dist.builder_version == self._version()

    def _collect(self, own: Path, taken: Collection[str]) -> None:
        """Put what is not an installed package into `own`."""
        for plugin in self.plugins:
            check_name(plugin, taken)
        described = describe_plugins(self.plugins, cancelled=self.cancelled)
        copy_own_files(self.recipe, own)
        pack_plugins(self.plugins, described, own)

    def _install(self, selection: Selection, core: Path, extras: Path) -> None:
        how = "uv" if self.uv else "pip"
        for fraction, pins, folder in ((0.0, selection.core, core), (0.7, selection.extras, extras)):
            self.reporter.tell("install", f"Installing {len(pins)} packages with {how}", fraction)
            folder.mkdir()
            install_pins(pins, folder, self.target, cancelled=self.cancelled, uv=self.uv)
        self.recipe.put_podpac(core)

    def _prune(self, core: Path, extras: Path) -> None:
        apply_patches(core)
        for fraction, folder in ((0.0, core), (0.6, extras)):
            check_cancelled(self.cancelled)
            self.reporter.tell("prune", "Leaving out what no pipeline loads", fraction)
            prune_tree(folder)
        defer_imports(core)

    def _compile(self, core: Path, extras: Path, own: Path, interpreter: Path | None) -> None:
        if interpreter is None:
            return
        ours = [path.name for path in own.iterdir()]
        trees = ((0.0, core, _CODE_FOLDER, _KEEP_SOURCES), (0.8, extras, DEPENDENCIES_NAME, ()),
                 (0.99, own, _CODE_FOLDER, ours))  # fmt: skip
        for fraction, folder, prefix, keep in trees:
            if folder.is_dir():
                self.reporter.tell("compile", f"Compiling for Python {self.target.python}", fraction)
                compile_tree(folder, interpreter, prefix=prefix, keep_sources=keep, cancelled=self.cancelled)

    def _write(self, core: Path, extras: Path, own: Path, common: Manifest, earlier: Earlier | None) -> Package:
        self.reporter.tell("compress", "Compressing")
        packages = earlier.packages if earlier else measure_files(core)
        dependencies = earlier.dependencies if earlier else describe_dependencies(measure_files(extras), common)
        dist = describe_dist(packages, measure_files(own), dependencies, self._version())
        for plugin in self.plugins:
            check_imports(plugin, (*dist.provides, *dependencies.provides))
        check_code_size(dist.unzipped_bytes + len(dist.to_json()), resource=DIST_NAME)
        self.directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".podpac-archives-", dir=self.directory) as scratch:
            dist_zip, dependencies_zip = Path(scratch) / DIST_NAME, Path(scratch) / DEPENDENCIES_NAME
            if earlier is not None:
                shutil.copyfile(earlier.package.dist.path, dist_zip)
                shutil.copyfile(earlier.package.dependencies.path, dependencies_zip)
            else:
                jobs = ((core, dist_zip, None), (extras, dependencies_zip, dependencies))
                write_archives(jobs, packages.size + dependencies.unzipped_bytes, self._compressed, self.cancelled)
            extend_archive(dist_zip, dist.packages_files, own, dist)
            return self._publish(Path(scratch))

    def _compressed(self, done: int, total: int) -> None:
        self.reporter.tell("compress", f"Compressed {done / 1e6:,.0f} of {total / 1e6:,.0f} MB", done / total)

    def _publish(self, scratch: Path) -> Package:
        """Inspect the new archives, and put them in the place of those that were there."""
        self.reporter.tell("inspect", "Inspecting the archives")
        package = inspect_package(
            scratch / DIST_NAME, scratch / DEPENDENCIES_NAME, runtime=self.target.runtime,
            architecture=self.target.architecture, handler=HANDLER, ephemeral_storage=EPHEMERAL_STORAGE_MB[1],
        )  # fmt: skip
        check_cancelled(self.cancelled)
        for archive in (package.dependencies, package.dist):
            archive.path.replace(self.directory / archive.path.name)
        self.reporter.tell("inspect", "Built the archives", 1.0)
        dist, dependencies = (
            replace(archive, path=self.directory / archive.path.name)
            for archive in (package.dist, package.dependencies)
        )
        return Package(dist, dependencies)
