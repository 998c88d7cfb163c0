"""Our own files in the archives, and what the archives say of their contents."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import podpac_lambda_widgets
from podpac_lambda_widgets.errors import BuildError
from podpac_lambda_widgets.packaging.manifest import Manifest
from podpac_lambda_widgets.packaging.plugins import Plugin
from podpac_lambda_widgets.packaging.recipe import PACKAGE_FOLDER, Recipe
from podpac_lambda_widgets.packaging.zipping import Contents

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


def describe_builder(recipe: Recipe | None = None, plugins: Sequence[Plugin] = ()) -> str:
    """This package's version and a digest of its files that make an archive what it is.

    Parameters
    ----------
    recipe : Recipe, optional
        For the code archive: its modules, and ours that run inside Lambda, count too. The dependencies archive
        holds neither, and stays the same when they change.
    plugins : sequence of Plugin, optional
        For the code archive: what else is packed into it.
    """
    shipped = [PACKAGE_FOLDER / name for name in _SHIPPED] if recipe else []
    own = [path for top in (*shipped, PACKAGE_FOLDER / "packaging") for path in _files_below(top)]
    files = [(path.relative_to(PACKAGE_FOLDER.parent).as_posix(), path) for path in own]
    files += [(path.name, path) for path in recipe.modules] if recipe else []
    digests = [(name, hashlib.sha256(path.read_bytes()).hexdigest()) for name, path in files]
    digests += [(f"plugin {plugin.name}", plugin.sha256()) for plugin in plugins]
    digest = hashlib.sha256("".join(f"{name}\0{found}\n" for name, found in sorted(digests)).encode())
    return f"{podpac_lambda_widgets.__version__}+{digest.hexdigest()[:12]}"


def _files_below(top: Path) -> list[Path]:
    if top.is_file():
        return [top]
    return [path for path in top.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def describe_dependencies(extras: Contents, common: Manifest) -> Manifest:
    """The manifest of the dependencies archive."""
    return replace(
        common,
        files_sha256=extras.files_sha256,
        unzipped_bytes=extras.size,
        provides=find_top_level_imports(extras.digests),
    )


def describe_dist(packages: Contents, own: Contents, dependencies: Manifest, builder_version: str) -> Manifest:
    """The manifest of the code archive.

    Parameters
    ----------
    packages, own : Contents
        The installed packages, which come first in it; the handler, our own modules and plugins.
    dependencies : Manifest
        That of the archive it belongs to.

    Raises
    ------
    BuildError
        If a module is there twice: in two of the three.
    """
    shipped, ours = find_top_level_imports(packages.digests), find_top_level_imports(own.digests)
    twice = {*shipped} & {*ours} | ({*shipped} | {*ours}) & {*dependencies.provides}
    if twice:
        raise BuildError(
            "A module is in the archives twice.",
            resource=", ".join(sorted(twice)),
            next_step="Rename the module beside the handler, or write the locks again.",
        )
    everything = packages + own
    return replace(
        dependencies,
        kind="dist",
        builder_version=builder_version,
        files_sha256=everything.files_sha256,
        unzipped_bytes=everything.size,
        provides=tuple(sorted((*shipped, *ours))),
        handler=HANDLER,
        dependencies_provides=dependencies.provides,
        dependencies_files_sha256=dependencies.files_sha256,
        packages_files=len(packages.digests),
    )


def find_top_level_imports(names: Iterable[str]) -> tuple[str, ...]:
    """What can be imported when files of these names lie in a folder on the path, sorted."""
    found = set()
    for top, rest in {(first, bool(rest)) for first, _, rest in (name.partition("/") for name in names)}:
        suffix = PurePosixPath(top).suffix
        is_module = suffix not in (".dist-info", ".libs", ".data") if rest else suffix in (".py", ".pyc", ".so")
        name = top.partition(".")[0]
        if is_module and name.isidentifier() and name != "__pycache__":
            found.add(name)
    return tuple(sorted(found))
