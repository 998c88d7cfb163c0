"""What nodes a plugin offers, found by importing it in a process of its own.

Run as ``python -m podpac_lambda_widgets.packaging.plugin_nodes FOLDER ANSWER MODULE...`` in that process.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import os
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from podpac_lambda_widgets.errors import BuildError, DependencyMissingError
from podpac_lambda_widgets.packaging.command import Cancelled, run_command
from podpac_lambda_widgets.packaging.plugins import Plugin, write_sources
from podpac_lambda_widgets.packaging.recipe import PACKAGE_FOLDER

#: Characters of a plugin's own error that are shown.
_LAST_WORDS = 500


def describe_plugins(plugins: Sequence[Plugin], *, cancelled: Cancelled) -> dict[str, dict[str, Any]]:
    """Import the plugins, from their packed sources alone, and describe the nodes they define.

    Returns
    -------
    dict
        ``"<module>.<class>"`` -> its description, as the guard reads it.

    Raises
    ------
    BuildError
        If one cannot be imported, or defines no subclass of ``podpac.Node``.
    DependencyMissingError
        If podpac is not installed here.
    CancelledError
        If the build was cancelled meanwhile.
    """
    described: dict[str, dict[str, Any]] = {}
    if plugins and importlib.util.find_spec("podpac") is None:
        raise DependencyMissingError(
            "A plugin's nodes can be described only where podpac is installed.",
            next_step="Install the 'podpac' extra, then build again.",
        )
    with tempfile.TemporaryDirectory(prefix="podpac-plugins-") as scratch:
        folder = Path(scratch) / "sources"
        for plugin in plugins:
            write_sources(plugin, folder)
        for plugin in plugins:
            answer = _ask(plugin, folder, Path(scratch) / "answer.json", cancelled)
            if "error" in answer:
                raise BuildError(
                    "A plugin cannot be imported.",
                    resource=answer["module"],
                    why=answer["error"],
                    next_step="It is imported from the files that would be packed alone: name its whole package, "
                    "and other modules of yours as plugins too.",
                )
            if not answer["nodes"]:
                raise BuildError(
                    "A plugin has no node.",
                    resource=plugin.name,
                    why="None of its modules defines a public subclass of podpac.Node.",
                )
            described |= answer["nodes"]
    return described


def _ask(plugin: Plugin, folder: Path, answer: Path, cancelled: Cancelled) -> dict[str, Any]:
    path = os.pathsep.join(filter(None, (str(PACKAGE_FOLDER.parent), os.environ.get("PYTHONPATH"))))
    answer.unlink(missing_ok=True)
    # -P keeps the current folder out of the path: what is not packed must not be found.
    run_command(
        [sys.executable, "-P", "-B", "-m", __spec__.name, str(folder), str(answer), *plugin.modules],
        purpose=f"Importing the plugin {plugin.name}",
        cancelled=cancelled,
        environment={"PYTHONPATH": path},
    )
    if not answer.is_file():
        return {"module": plugin.name, "error": "It ended the process that imported it."}
    found: dict[str, Any] = json.loads(answer.read_text("utf-8"))
    return found


def import_and_describe(modules: Sequence[str]) -> dict[str, Any]:
    """Import modules and describe the nodes they define: what the child process answers."""
    # Here and not above: Lambda's own image, in which the archives can be built too, has no traitlets.
    from podpac_lambda_widgets.packaging.node_descriptions import describe_node

    nodes: dict[str, Any] = {}
    for name in modules:
        try:
            module = importlib.import_module(name)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - somebody else's code may raise anything
            return {"module": name, "error": f"{type(error).__name__}: {error}"[:_LAST_WORDS]}
        for kind in _find_nodes(module):
            nodes[f"{name}.{kind.__name__}"] = describe_node(kind).to_dict()
    return {"nodes": nodes}


def _find_nodes(module: Any) -> list[type[Any]]:
    """Public node classes that `module` itself defines, under their own names."""
    import podpac

    return [
        kind
        for name, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, podpac.Node)
        and kind.__module__ == module.__name__
        and kind.__name__ == name
        and not name.startswith("_")
    ]


def _main(folder: str, answer: str, *modules: str) -> None:
    warnings.simplefilter("ignore")
    sys.path.insert(0, folder)
    Path(answer).write_text(json.dumps(import_and_describe(modules)), encoding="utf-8")


if __name__ == "__main__":
    _main(*sys.argv[1:])
