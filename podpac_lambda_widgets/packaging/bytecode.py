"""Compiling modules ahead, because a function's folder is read-only and would compile at every cold start."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

from podpac_lambda_widgets.packaging.command import Cancelled, run_command

_ASK_VERSION = "import sys; print('%d.%d' % sys.version_info[:2], sys.implementation.name)"
_ASK_DEADLINE_S = 20


def find_interpreter(python: str, *, uv: Path | None = None) -> Path | None:
    """A CPython of version `python` (``"3.12"``) on this machine, or None; nothing is downloaded."""
    return next((path for path in _candidates(python, uv) if _is_cpython(path, python)), None)


def _candidates(python: str, uv: Path | None) -> Iterator[Path]:
    if python == f"{sys.version_info.major}.{sys.version_info.minor}":
        yield Path(sys.executable)
    found = shutil.which(f"python{python}")
    if found:
        yield Path(found)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob(f"versions/{python}.*/bin/python{python}"), reverse=True)
    if uv is not None:
        answer = subprocess.run(
            [str(uv), "python", "find", python],
            capture_output=True, text=True, check=False, env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"},
        )  # fmt: skip
        if answer.returncode == 0 and answer.stdout.strip():
            yield Path(answer.stdout.strip())


def _is_cpython(path: Path, python: str) -> bool:
    try:
        answer = subprocess.run(
            [str(path), "-I", "-c", _ASK_VERSION], capture_output=True, text=True, check=False, timeout=_ASK_DEADLINE_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.stdout.split() == [python, "cpython"]


def compile_tree(
    directory: Path, interpreter: Path, *, prefix: str, keep_sources: Collection[str], cancelled: Cancelled
) -> None:
    """Compile every module under `directory`.

    A module below one of the top-level names in `keep_sources` keeps its source and gets an unchecked-hash file in
    ``__pycache__``; of all others the compiled module takes the source's place, which saves a third of their size.
    A file that does not compile keeps its source.

    Parameters
    ----------
    prefix : str
        What tracebacks show instead of `directory`.
    keep_sources : collection of str
        Top-level names, such as ``"podpac"`` or ``"handler.py"``.

    Raises
    ------
    BuildError
        If the interpreter fails without compiling anything.
    CancelledError
        If the build was cancelled.
    """
    tops = sorted(path for path in directory.iterdir() if path.is_dir() or path.suffix == ".py")
    kept = [path for path in tops if path.name in keep_sources]
    replaced = [path for path in tops if path.name not in keep_sources]
    for paths, options in ((kept, []), (replaced, ["-b"])):
        if paths:
            # The status of compileall only says that some file is not for this Python; such files keep their source.
            run_command(
                [
                    str(interpreter), "-I", "-c", _COMPILE, "-q", "-q", "-j", str(os.cpu_count() or 1), *options,
                    "-s", str(directory), "-p", prefix, "--invalidation-mode", "unchecked-hash", "--",
                    *map(str, paths),
                ],
                purpose="Compiling the modules",
                cancelled=cancelled,
            )  # fmt: skip
    for top in replaced:
        for source in [top] if top.is_file() else list(top.rglob("*.py")):
            if source.with_suffix(".pyc").is_file():
                source.unlink()


_COMPILE = "import compileall; compileall.main()"
