"""Which interpreter serves a Lambda runtime, and what it finds besides the function's code."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

from podpac_lambda_widgets.local import gdal, runtime_client

RuntimeClient = Literal["awslambdaric", "pure"]

#: Runs the client as ``python -m`` would, with the names that ``site`` adds to the built-ins, which -S leaves out.
_START = (
    "import runpy, site, sys; site.setquit(); sys.path[0] = {root!r}; "
    "runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
)
_PURE_MODULE = "lambda_runtime_client"


def host_runtime() -> str:
    """Lambda's name for the Python that runs this process, such as ``python3.11``."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


def choose_client(runtime: str) -> RuntimeClient:
    """AWS's client where it is installed for this runtime, ours elsewhere: its extension is compiled for one Python."""
    if runtime != host_runtime():
        return "pure"
    try:
        metadata.distribution("awslambdaric")
    except metadata.PackageNotFoundError:
        return "pure"
    return "awslambdaric"


@dataclass(frozen=True)
class Runtime:
    """An interpreter with its runtime client.

    Attributes
    ----------
    name : str
        ``python3.11`` and so on.
    interpreter : str
        Path of the Python.
    directory : Path
        Links to what Lambda's runtime ships: boto3 and the client, with their dependencies. Beside them is what tells
        GDAL where S3 is.
    """

    name: str
    interpreter: str
    directory: Path
    client: RuntimeClient

    def command(self, task_root: str, handler: str) -> list[str]:
        """The command that serves a handler. -S keeps the host's site-packages out, -s the user's."""
        module = "awslambdaric" if self.client == "awslambdaric" else _PURE_MODULE
        return [self.interpreter, "-S", "-s", "-c", _START.format(root=task_root, module=module), handler]

    def needs(self) -> tuple[str, ...]:
        """Directories that the interpreter and the links lead to."""
        interpreter = Path(self.interpreter)
        prefixes = {interpreter.parent.parent, interpreter.resolve().parent.parent}
        targets = {link.resolve().parent for link in self.directory.iterdir() if link.is_symlink()}
        return tuple(sorted(str(path) for path in prefixes | targets))


class Runtimes:
    """The runtimes that this emulator can serve.

    Parameters
    ----------
    directory : Path
        Where to put the links.
    interpreters : mapping
        Runtime name to interpreter, besides the host's own.
    endpoint : str
        URL that functions' AWS clients speak to.
    client : {"awslambdaric", "pure"}, optional
        Use this client for the host's runtime rather than the best one there is.
    """

    def __init__(
        self, directory: Path, interpreters: Mapping[str, str], endpoint: str, client: RuntimeClient | None = None
    ) -> None:
        self._runtimes: dict[str, Runtime] = {}
        for name, interpreter in {host_runtime(): sys.executable, **interpreters}.items():
            # An interpreter named by the user may be a build that AWS's compiled client does not fit.
            found = "pure" if name in interpreters else client or choose_client(name)
            links = directory / name
            _link_packages(links, ["boto3", "awslambdaric"] if found == "awslambdaric" else ["boto3"])
            (links / f"{_PURE_MODULE}.py").symlink_to(runtime_client.__file__)
            gdal.write_configuration(links, endpoint)
            self._runtimes[name] = Runtime(name, interpreter, links, found)

    def __iter__(self) -> Iterator[Runtime]:
        return iter(self._runtimes.values())

    def find(self, name: str) -> Runtime | None:
        """The runtime of that name, if it is served."""
        return self._runtimes.get(name)


def _link_packages(links: Path, packages: list[str]) -> None:
    links.mkdir(parents=True)
    for distribution in _with_dependencies(packages):
        tops = {file.parts[0] for file in distribution.files or () if file.parts[0] not in ("..", "__pycache__")}
        for top in tops:
            target = Path(str(distribution.locate_file(top)))
            if not (links / top).exists() and target.exists():
                (links / top).symlink_to(target)


def _with_dependencies(packages: list[str]) -> Iterator[metadata.Distribution]:
    seen: set[str] = set()
    left = list(packages)
    while left:
        name = re.sub(r"[-_.]+", "-", left.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        distribution = metadata.distribution(name)
        yield distribution
        needs = [Requirement(text) for text in distribution.requires or ()]
        left += [need.name for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]


def identify_interpreter(path: str) -> tuple[str, str] | None:
    """Ask a Python, given by path or name, what it is.

    Returns
    -------
    tuple of str or None
        Lambda's name for it, and the path of its own executable, which may lie behind a wrapper such as pyenv's. None
        when it does not run.
    """
    question = "import sys; print('python%d.%d' % sys.version_info[:2]); print(sys.executable)"
    try:
        asked = subprocess.run(
            [path, "-I", "-S", "-c", question], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    lines = asked.stdout.splitlines()
    return (lines[0], lines[1]) if len(lines) == 2 else None
