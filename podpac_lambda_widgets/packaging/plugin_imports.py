"""Whether everything a plugin imports is in the archives."""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterator

from podpac_lambda_widgets.errors import BuildError
from podpac_lambda_widgets.packaging.plugins import RUNTIME_MODULES, Plugin

#: Around an import, these say that the module can do without.
_FORGIVING = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


def check_imports(plugin: Plugin, provided: Collection[str]) -> None:
    """Raise if the plugin imports a module that the function would not have.

    An import that is inside ``try`` with an ``except ImportError``, or under ``if TYPE_CHECKING``, may be missing.

    Parameters
    ----------
    provided : collection of str
        Top-level names that can be imported from the two archives, other plugins among them.

    Raises
    ------
    BuildError
        Naming the file, the line and the module; or if a file is not Python.
    """
    available = {*provided, *sys.stdlib_module_names, *RUNTIME_MODULES, plugin.top}
    for name, source in plugin.sources.items():
        for module, line in find_imports(source, resource=name):
            if module not in available:
                raise BuildError(
                    "A plugin imports a module that is in neither archive.",
                    resource=f"{name}, line {line}",
                    why=f"There is no {module} in the function.",
                    next_step=f"Add its distribution to locks/extras.in of a recipe, or make {module} a plugin too.",
                )


def find_imports(source: bytes, *, resource: str) -> list[tuple[str, int]]:
    """Top-level names of the modules that a source needs, each with the line; relative imports are not among them.

    Raises
    ------
    BuildError
        If it is not Python.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BuildError("A plugin is not Python.", resource=resource, why=str(error)) from error
    return sorted(_imports_below(tree))


def _imports_below(node: ast.AST) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.Import):
        yield from ((alias.name.partition(".")[0], node.lineno) for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
        yield node.module.partition(".")[0], node.lineno
    for child in _needed_children(node):
        yield from _imports_below(child)


def _needed_children(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, ast.Try) and any(_forgives(handler) for handler in node.handlers):
        return [*node.handlers, *node.orelse, *node.finalbody]
    if isinstance(node, ast.If) and _names_in(node.test) == {"TYPE_CHECKING"}:
        return list(node.orelse)
    return list(ast.iter_child_nodes(node))


def _forgives(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or bool(_names_in(handler.type) & _FORGIVING)


def _names_in(expression: ast.expr) -> set[str]:
    """Last parts of the names in it: ``typing.TYPE_CHECKING`` counts as ``TYPE_CHECKING``."""
    attributes = {node.attr for node in ast.walk(expression) if isinstance(node, ast.Attribute)}
    inner = {node.value for node in ast.walk(expression) if isinstance(node, ast.Attribute)}
    return attributes | {node.id for node in ast.walk(expression) if isinstance(node, ast.Name) and node not in inner}
