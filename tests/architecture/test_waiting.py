"""Nothing waits but on a clock that can be exchanged, or on something that happens."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

#: The clock itself.
CLOCK = "clock.py"


def sleeps(source: str) -> Iterator[int]:
    """Lines that call ``time.sleep``, or import it."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(value=ast.Name(id="time"), attr="sleep"):
                yield node.lineno
            case ast.ImportFrom(module="time", names=names) if any(alias.name == "sleep" for alias in names):
                yield node.lineno


def test_only_the_clock_sleeps(repository: Path) -> None:
    package = repository / "podpac_lambda_widgets"
    found = {
        path.relative_to(package).as_posix(): lines
        for path in package.rglob("*.py")
        if (lines := list(sleeps(path.read_text("utf-8"))))
    }
    assert list(found) == [CLOCK]


def test_a_sleep_is_found_however_it_is_written() -> None:
    assert list(sleeps("import time\ntime.sleep(10)")) == [2]
    assert list(sleeps("from time import monotonic, sleep")) == [1]
    assert list(sleeps("clock.sleep(1)")) == []
