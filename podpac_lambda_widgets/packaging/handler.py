"""Whether an archive has the handler that Lambda is to call."""

from __future__ import annotations

import ast
import zipfile

from podpac_lambda_widgets.errors import ArchiveCorruptError, ArchiveMismatchError
from podpac_lambda_widgets.packaging.scan import Scan


def check_handler(dist: Scan, handler: str) -> None:
    """Raise if `dist` has no `handler`.

    Parameters
    ----------
    handler : str
        What Lambda is to call, ``"module.function"``; the module may be in a package (``"folder/module.function"``).

    Raises
    ------
    ArchiveMismatchError
        If the module is not there, or its source defines no such function.
    ArchiveCorruptError
        If its source is not Python.
    """
    module, _, function = handler.rpartition(".")
    base = module.replace(".", "/")
    source = next((name for name in (f"{base}.py", f"{base}/__init__.py") if name in dist.names), "")
    compiled = {f"{base}.pyc", f"{base}/__init__.pyc"} & dist.names
    if not module or not function or not (source or compiled):
        raise ArchiveMismatchError(
            "The archive lacks the handler.",
            resource=f"{dist.path}: {handler}",
            why=f"There is no module {base}.py in it." if module else "A handler is written module.function.",
            next_step="Name the handler the archive has, or build the archives again.",
        )
    if source:
        with zipfile.ZipFile(dist.path) as archive:
            defined = find_top_level_names(archive.read(source), resource=f"{dist.path}: {source}")
        if function not in defined:
            raise ArchiveMismatchError(
                "The archive lacks the handler.",
                resource=f"{dist.path}: {handler}",
                why=f"{source} does not define {function}.",
                next_step="Name the handler the archive has, or build the archives again.",
            )


def find_top_level_names(source: bytes, *, resource: str) -> set[str]:
    """Names a module's source defines, assigns or imports at its top level; the module is not run.

    Raises
    ------
    ArchiveCorruptError
        If it is not Python.
    """
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError) as error:
        raise ArchiveCorruptError(
            "The handler is not Python.", resource=resource, why=str(error), next_step="Correct it and build again."
        ) from error
    names: set[str] = set()
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(statement.name)
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            names.update(alias.asname or alias.name.split(".")[0] for alias in statement.names)
        else:
            found = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
            names.update(node.id for node in found if isinstance(node.ctx, ast.Store))
    return names
