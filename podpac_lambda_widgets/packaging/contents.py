"""Our own files in the archives, and what the archives say of their contents."""

from __future__ import annotations

import hashlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import podpac_lambda_widgets
from podpac_lambda_widgets.errors import BuildError
from podpac_lambda_widgets.packaging.manifest import Manifest
from podpac_lambda_widgets.packaging.recipe import PACKAGE_FOLDER, Recipe
from podpac_lambda_widgets.packaging.zipping import measure_files

#: The entry point in the recipe's handler.py.
HANDLER = "handler.handler"
#: Our own modules that run inside Lambda.
_SHIPPED = ("__init__.py", "errors.py", "limits.py", "remote")


def copy_own_files(recipe: Recipe, directory: Path) -> None:
    """Put the recipe's modules and this package's modules that run inside Lambda into `directory`."""
    own = directory / PACKAGE_FOLDER.name
    own.mkdir(parents=True)
    for name in _SHIPPED:
        source = PACKAGE_FOLDER / name
        if source.is_dir():
            shutil.copytree(source, own / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, own / name)
    for path in recipe.modules:
        shutil.copyfile(path, directory / path.name)


def describe_builder(recipe: Recipe | None = None) -> str:
    """This package's version and a digest of its files that make an archive what it is.

    Parameters
    ----------
    recipe : Recipe, optional
        For the code archive: its modules, and ours that run inside Lambda, count too. The dependencies archive
        holds neither, and stays the same when they change.
    """
    shipped = [PACKAGE_FOLDER / name for name in _SHIPPED] if recipe else []
    own = [path for top in (*shipped, PACKAGE_FOLDER / "packaging") for path in _files_below(top)]
    files = [(path.relative_to(PACKAGE_FOLDER.parent).as_posix(), path) for path in own]
    files += [(path.name, path) for path in recipe.modules] if recipe else []
    digest = hashlib.sha256()
    for name, path in sorted(files):
        digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return f"{podpac_lambda_widgets.__version__}+{digest.hexdigest()[:12]}"


def _files_below(top: Path) -> list[Path]:
    if top.is_file():
        return [top]
    return [path for path in top.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def describe_pair(core: Path, extras: Path, common: Manifest, recipe: Recipe) -> tuple[Manifest, Manifest]:
    """The manifests of the two trees.

    Raises
    ------
    BuildError
        If both hold a package of the same name.
    """
    with ThreadPoolExecutor(2) as pool:
        (core_sha256, core_bytes), (extras_sha256, extras_bytes) = pool.map(measure_files, (core, extras))
    provides, dependencies_provides = find_top_level_imports(core), find_top_level_imports(extras)
    both = sorted(set(provides) & set(dependencies_provides))
    if both:
        raise BuildError("A package is in both archives.", resource=", ".join(both), next_step="Write the locks again.")
    dependencies = replace(
        common, files_sha256=extras_sha256, unzipped_bytes=extras_bytes, provides=dependencies_provides
    )
    dist = replace(
        common,
        kind="dist",
        builder_version=describe_builder(recipe),
        files_sha256=core_sha256,
        unzipped_bytes=core_bytes,
        provides=provides,
        handler=HANDLER,
        dependencies_provides=dependencies_provides,
        dependencies_files_sha256=extras_sha256,
    )
    return dist, dependencies


def find_top_level_imports(directory: Path) -> tuple[str, ...]:
    """Names that can be imported with `directory` on the path, sorted."""
    names = set()
    for path in directory.iterdir():
        name = path.name.split(".")[0]
        is_package = path.is_dir() and path.suffix not in (".dist-info", ".libs", ".data")
        if name.isidentifier() and name != "__pycache__" and (is_package or path.suffix in (".py", ".pyc", ".so")):
            names.add(name)
    return tuple(sorted(names))
