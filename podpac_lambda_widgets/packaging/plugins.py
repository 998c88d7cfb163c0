"""A local module or package of nodes that goes into the function's code.

Only sources go in, and only those of the module that was named. What a plugin offers is written to
``podpac_lambda_nodes.json`` at the root of the archive, where the guard reads it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import keyword
import os
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from podpac_lambda_widgets.errors import InvalidValueError
from podpac_lambda_widgets.packaging.manifest import digest_files
from podpac_lambda_widgets.packaging.recipe import LEFT_OUT, Recipe
from podpac_lambda_widgets.remote.allowlist import PLUGIN_NODES

#: Modules that Lambda's runtime brings, or that it or Python imports by themselves.
RUNTIME_MODULES = frozenset(
    {*LEFT_OUT[""], "awslambdaric", "bootstrap", "snapshot_restore_py", "sitecustomize", "usercustomize"}
)
_TEST = re.compile(r"tests?|conftest\.py|test_.*\.py|.*_test\.py")
_NAMING = "Name a .py file, a folder with __init__.py, or a module that can be imported."


@dataclass(frozen=True)
class Plugin:
    """The sources of a module or package.

    Attributes
    ----------
    name : str
        What it is imported as: ``"my_nodes"``, or ``"my_package.nodes"`` for a part of a package.
    sources : mapping of str to bytes
        Name in the archive -> content.
    """

    name: str
    sources: Mapping[str, bytes]

    @property
    def top(self) -> str:
        """The name it takes at the root of the archive."""
        return self.name.partition(".")[0]

    @property
    def modules(self) -> tuple[str, ...]:
        """Import names of the modules that may have nodes, sorted."""
        names = map(module_name, self.sources)
        own = (name for name in names if f"{name}.".startswith(f"{self.name}."))
        return tuple(sorted(name for name in own if not name.endswith(".__main__")))

    def sha256(self) -> str:
        """Digest of its sources."""
        return digest_files((name, hashlib.sha256(data).hexdigest()) for name, data in self.sources.items())


def module_name(source: str) -> str:
    """What the file `source` of an archive is imported as."""
    return source.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def find_plugins(named: Sequence[str | Path], recipe: Recipe) -> tuple[Plugin, ...]:
    """Read the plugins that were named, sorted; none of them is imported.

    Parameters
    ----------
    named : sequence of str or Path
        Paths of a ``.py`` file or of a package's folder, or names of modules that can be imported. Of a dotted name,
        only that part of its package is taken, with the ``__init__.py`` above it.
    recipe : Recipe
        Its modules lie at the root of the archive too.

    Raises
    ------
    InvalidValueError
        If there is no such module, it has no sources, or its name is taken.
    """
    if isinstance(named, str | Path):
        raise _refuse(str(named), "Several plugins are named as a list.", "Write plugins=[...].")
    plugins = tuple(sorted((_find(str(one)) for one in named), key=lambda plugin: plugin.name))
    for plugin in plugins:
        check_name(plugin, {path.stem for path in recipe.modules} | _podpac_names() | set(sys.stdlib_module_names))
    tops = [plugin.top for plugin in plugins]
    for top in sorted({top for top in tops if tops.count(top) > 1}):
        raise _refuse(top, "Two plugins have that name.", "Name their package once.")
    return plugins


def check_name(plugin: Plugin, taken: Collection[str]) -> None:
    """Raise :class:`InvalidValueError` if the plugin would be imported in another module's place."""
    if plugin.top in taken or plugin.top in RUNTIME_MODULES:
        raise _refuse(
            plugin.name,
            f"There is another module {plugin.top} in the function, and one would hide the other.",
            "Rename the module.",
        )


def pack_plugins(plugins: Sequence[Plugin], nodes: Mapping[str, object], directory: Path) -> None:
    """Write the plugins' sources and what they offer to the root of the tree in `directory`; nothing without any."""
    if not plugins:
        return
    for plugin in plugins:
        write_sources(plugin, directory)
    described = json.dumps({"nodes": nodes}, indent=1, sort_keys=True)
    (directory / PLUGIN_NODES).write_text(f"{described}\n", encoding="utf-8")


def write_sources(plugin: Plugin, directory: Path) -> None:
    """Write the plugin's sources so that it can be imported with `directory` on the path."""
    for name, data in plugin.sources.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _find(named: str) -> Plugin:
    # Not resolved: a link's own name is the module's.
    path = Path.cwd() / Path(named).expanduser()
    if path.is_file() or (path / "__init__.py").is_file():
        path = path.parent.resolve() / path.name if path.name else path.resolve()
        return _read(named, (path.name.removesuffix(".py"),), path)
    parts = tuple(named.split("."))
    if not all(map(_is_module_name, parts)):
        raise _refuse(named, "There is no such file or package, and it is not a module's name.", _NAMING)
    try:
        found = importlib.util.find_spec(parts[0])
    except (ImportError, ValueError):
        found = None
    origin = Path(found.origin) if found and found.origin and found.has_location else Path()
    if origin.suffix != ".py":
        raise _refuse(named, "No Python source of that name can be imported here.", _NAMING)
    top = origin.parent if origin.name == "__init__.py" else origin
    path = top.joinpath(*parts[1:])
    return _read(named, parts, path if path.is_dir() or path == top else path.with_name(f"{path.name}.py"))


def _read(named: str, parts: tuple[str, ...], path: Path) -> Plugin:
    """Read the module at `path`, which is imported by the name of these parts."""
    if not all(map(_is_module_name, parts)):
        raise _refuse(named, f"{'.'.join(parts)} cannot be the name of a module.", _NAMING)
    root = path.parents[len(parts) - 1]
    chosen = [path / "__init__.py", *_find_sources(path, named)] if path.is_dir() else [path]
    chosen += [root.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts))]
    sources = {}
    for source in sorted({*chosen}):
        if source.suffix != ".py" or not source.is_file():
            raise _refuse(named, f"There is no Python source {source}.", _NAMING)
        if source.is_symlink() and source != path and not source.resolve().is_relative_to((root / parts[0]).resolve()):
            raise _refuse(named, f"{source} is a link that leads out of it.", "Put a copy of the file there.")
        sources[source.relative_to(root).as_posix()] = source.read_bytes()
    return Plugin(".".join(parts), sources)


def _find_sources(directory: Path, named: str) -> list[Path]:
    """Modules of a package, without tests, caches and hidden files."""
    found = []
    for folder, folders, names in os.walk(directory):
        folders[:] = [name for name in folders if _is_module_name(name) and not _TEST.fullmatch(name)]
        for name in folders:
            if Path(folder, name).is_symlink():
                raise _refuse(named, f"{Path(folder, name)} is a link to a folder.", "Put a copy of the folder there.")
        modules = [name for name in names if name.endswith(".py") and _is_module_name(name.removesuffix(".py"))]
        found += [Path(folder, name) for name in modules if not _TEST.fullmatch(name)]
    return found


def _is_module_name(name: str) -> bool:
    return name.isidentifier() and name.isascii() and not keyword.iskeyword(name) and name != "__pycache__"


def _podpac_names() -> set[str]:
    """podpac, and the first parts of the names that the guard takes for podpac's own nodes."""
    shipped = json.loads(files("podpac_lambda_widgets.remote").joinpath("allowlist.json").read_text("utf-8"))
    listed = (*shipped["nodes"], *shipped["aliases"])
    return {"podpac", "podpac_lambda_widgets", *(name.partition(".")[0] for name in listed)}


def _refuse(named: str, why: str, next_step: str) -> InvalidValueError:
    return InvalidValueError(f"{named!r} cannot be a plugin.", field="plugins", why=why, next_step=next_step)
