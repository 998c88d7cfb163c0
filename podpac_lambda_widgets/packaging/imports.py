"""Imports of podpac's modules that are made on first use, and not when podpac starts.

podpac imports at its start what only some of its nodes use. In the archive such an import is taken out of its module,
and what reads the name asks the module for it, which imports it then (PEP 562). There is one rule: this is done to
imports at a module's own level, of what :data:`DEFERRED` names, under a name that nothing else in the module binds. So
a read of that name means the import and nothing else, wherever it stands; one that runs while the module is imported
still gets it then. What a module imports from one package it gets together, because one import may need another's
effect. Others see the same names in the module as before. One thing is given up, and podpac does not use it: that a
package, imported by itself, has a submodule as its attribute because a deferred import has loaded it.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from symtable import SymbolTable, symtable

from podpac_lambda_widgets.errors import BuildError

#: What is imported on first use, a module with all below it or one name of a module; and who needs it.
DEFERRED = {
    "scipy": "Statistics, convolution and interpolation.",
    "podpac.core.registry": "Nodes with units: all definitions of pint.",
    "podpac.core.units.ureg": "The same, under the name by which podpac's modules know it.",
    "podpac.core.data.pydap_source": "OPeNDAP sources, which need pydap.",
    "podpac.core.managers.aws": "PODPAC's own Lambda, which needs boto3.",
}

_ASK = "__getattr__"


def defer_imports(directory: Path, deferred: Collection[str] = tuple(DEFERRED)) -> None:
    """Defer imports in every module of podpac in `directory`; files are replaced, never changed in place.

    Raises
    ------
    BuildError
        If a module is not Python, or is written in a way that this cannot change.
    """
    for path in sorted((directory / "podpac").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        try:
            changed = rewrite_module(source, deferred)
        except (SyntaxError, ValueError) as error:
            raise BuildError(
                "The imports of this podpac cannot be deferred.",
                resource=path.relative_to(directory).as_posix(),
                why=str(error),
                next_step="Lock podpac 4.0.1, or adapt podpac_lambda_widgets/packaging/imports.py.",
            ) from error
        if changed != source:
            path.unlink()
            path.write_text(changed, encoding="utf-8")


def rewrite_module(source: str, deferred: Collection[str]) -> str:
    """The source of a module with its imports of `deferred` made on first use.

    It comes back as it is when there is nothing to defer, else without its comments.

    Raises
    ------
    SyntaxError
        If it is not Python.
    ValueError
        If it has a ``__getattr__`` or ``__dir__`` of its own, and something to defer.
    """
    tree, scopes = ast.parse(source), symtable(source, "module", "exec")
    imported = [_bound_name(alias) for node in ast.walk(tree) for alias in _aliases(node)]
    bound = {name for scope in _walk(scopes) for name in _bound_in(scope)} | _read_in_patterns(tree)
    moved = {
        name: statements
        for name, statements in _find_deferred(tree, deferred).items()
        if name not in bound and len(statements) == imported.count(name)
    }
    # With "*", what is bound cannot be seen; and annotations that are kept as text would be another text.
    if not moved or {"*", "annotations"} & set(imported):
        return source
    if {_ASK, "__dir__"} & set(_bound_in(scopes)):
        raise ValueError("It has a __getattr__ or __dir__ of its own.")
    _take_out(tree, moved)
    return ast.unparse(ast.fix_missing_locations(_Ask(moved).visit(tree))) + "\n"


def _find_deferred(tree: ast.Module, deferred: Collection[str]) -> dict[str, list[ast.stmt]]:
    """Imports at the module's own level, by the name they bind."""
    found: dict[str, list[ast.stmt]] = {}
    for statement in tree.body:
        for alias in _aliases(statement):
            name = f"{statement.module}.{alias.name}" if isinstance(statement, ast.ImportFrom) else alias.name
            if any(f"{name}.".startswith(f"{one}.") for one in deferred):
                found.setdefault(_bound_name(alias), []).append(_only(statement, [alias]))
    return found


def _aliases(node: ast.AST) -> list[ast.alias]:
    return node.names if isinstance(node, ast.Import | ast.ImportFrom) else []


def _bound_name(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]


def _only(statement: ast.stmt, aliases: list[ast.alias]) -> ast.stmt:
    if isinstance(statement, ast.ImportFrom):
        return ast.ImportFrom(statement.module, aliases, statement.level)
    return ast.Import(aliases)


def _walk(scope: SymbolTable) -> Iterator[SymbolTable]:
    yield scope
    for child in scope.get_children():
        yield from _walk(child)


def _bound_in(scope: SymbolTable) -> Iterator[str]:
    """Names that a scope binds, or may; those that the module itself imports do not count."""
    if scope.get_type() == "module":
        yield from (symbol.get_name() for symbol in scope.get_symbols() if symbol.is_assigned())
    elif _ASK in scope.get_identifiers():
        # A class that answers for itself, and would be asked for what it reads.
        yield from scope.get_identifiers()
    else:
        symbols = scope.get_symbols()
        yield from (found.get_name() for found in symbols if found.is_declared_global() or not found.is_global())


def _read_in_patterns(tree: ast.Module) -> set[str]:
    """Names in the patterns of a ``match``, where no call may stand."""
    patterns = (node for node in ast.walk(tree) if isinstance(node, ast.pattern))
    return {node.id for pattern in patterns for node in ast.walk(pattern) if isinstance(node, ast.Name)}


def _take_out(tree: ast.Module, moved: Mapping[str, list[ast.stmt]]) -> None:
    """Take out the imports; where the first was, the module says how it gets them."""
    body: list[ast.stmt] = []
    told = False
    for statement in tree.body:
        aliases = _aliases(statement)
        kept = [alias for alias in aliases if _bound_name(alias) not in moved]
        if len(kept) < len(aliases) and not told:
            body += ast.parse(_write_getattr(moved)).body
            told = True
        if kept or not aliases:
            body.append(_only(statement, kept) if len(kept) < len(aliases) else statement)
    tree.body = body


class _Ask(ast.NodeTransformer):
    """Makes ``name`` into ``__getattr__('name')``."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self._names or not isinstance(node.ctx, ast.Load):
            return node
        return ast.Call(ast.Name(_ASK, ast.Load()), [ast.Constant(node.id)], [])


def _write_getattr(moved: Mapping[str, list[ast.stmt]]) -> str:
    packages: dict[str, list[str]] = {}
    for name, statements in moved.items():
        packages.setdefault(_package_of(statements[0]), []).append(name)
    lines = [f"def {_ASK}(name):", "    known = globals()", "    if name in known:", "        return known[name]"]
    for names in packages.values():
        lines += [f"    if name in {names!r}:", f"        global {', '.join(names)}"]
        lines += [f"        {ast.unparse(statement)}" for name in names for statement in moved[name]]
        lines.append("        return known[name]")
    lines += [
        "    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')",
        "def __dir__():",
        f"    return sorted({{*globals(), {', '.join(map(repr, moved))}}})",
    ]
    return "\n".join(lines)


def _package_of(statement: ast.stmt) -> str:
    module = statement.module if isinstance(statement, ast.ImportFrom) else _aliases(statement)[0].name
    return (module or "").partition(".")[0]
