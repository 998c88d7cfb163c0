"""Leaving out of the archives what no pipeline loads; each rule with its reason."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from podpac_lambda_widgets.packaging.elf import drop_unloaded_tail

_SHARED_LIBRARY = re.compile(r"\.so(\.[0-9.]+)?$")


@dataclass(frozen=True)
class Rule:
    """Files and folders to leave out: those whose path in the tree matches `pattern` from its start."""

    name: str
    pattern: str
    reason: str

    def matches(self, path: str) -> bool:
        """Whether `path` (POSIX, relative to the tree; a folder's without a trailing slash) is left out."""
        return re.fullmatch(self.pattern, path) is not None


RULES = (
    Rule(
        "tests",
        r".+/(tests?|testsuite)|(numpy|scipy)/.+/(_[a-z_]+_tests|_simd|_ctest|_cytest"
        r"|_test_(ccallback|deprecation_call|deprecation_def|multivariate|internal))\..+",
        "Packages test themselves before they are released.",
    ),
    Rule(
        "sources of compiled code",
        r".+\.(pyi|pxd|pyx|pxi|c|h|hpp|cpp|f|f90|a|lib|in|build|tp)|.+/py\.typed|.+-stubs|.+/include",
        "Type checkers and C compilers read them, Python does not.",
    ),
    Rule(
        "what the installer makes",
        r"bin|share|\.lock|(.+/)?__pycache__|[^/]+\.dist-info/(RECORD|INSTALLER|REQUESTED|(direct_url|uv_\w+)\.json)",
        "It names this machine's folders and its Python: equal inputs would not give equal archives.",
    ),
    Rule(
        "fonts and pictures of windows",
        r"matplotlib/mpl-data/(sample_data|images|fonts/(afm|pdfcorefonts)|fonts/ttf/(?!DejaVuSans\.ttf).+)",
        "A result leaves the function as numbers, or as a PNG, which needs one font.",
    ),
    Rule(
        "AVIF pictures",
        r"PIL/_avif.*|pillow\.libs/libavif.*",
        "Pillow does without; no result is written as AVIF.",
    ),
)


@dataclass(frozen=True)
class Pruned:
    """What a pruning took away, bytes by rule."""

    saved: dict[str, int]

    @property
    def total(self) -> int:
        """All of it, bytes."""
        return sum(self.saved.values())


def prune_tree(directory: Path) -> Pruned:
    """Take from `directory` what :data:`RULES` leave out, and what is in libraries and never loaded.

    Files are replaced, never changed in place: an installer may have linked them to its cache.
    """
    saved = {rule.name: 0 for rule in RULES}
    for path in _walk(directory):
        name = path.relative_to(directory).as_posix()
        rule = next((rule for rule in RULES if rule.matches(name)), None)
        if rule is not None:
            saved[rule.name] += _remove(path)
    saved["parts of libraries that are never loaded"] = sum(_trim_library(path) for path in directory.rglob("*.so*"))
    return Pruned(saved)


def _walk(directory: Path) -> Iterator[Path]:
    """Every path below `directory`, parents first; folders removed meanwhile are not entered."""
    for path in sorted(directory.iterdir()):
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)


def _remove(path: Path) -> int:
    if path.is_dir() and not path.is_symlink():
        size = sum(file.lstat().st_size for file in path.rglob("*") if file.is_file())
        shutil.rmtree(path)
    else:
        size = path.lstat().st_size
        path.unlink()
    return size


def _trim_library(path: Path) -> int:
    if path.is_symlink() or not path.is_file() or not _SHARED_LIBRARY.search(path.name):
        return 0
    data = path.read_bytes()
    kept = drop_unloaded_tail(data)
    return _replace(path, kept) if len(kept) < len(data) else 0


def _replace(path: Path, data: bytes) -> int:
    before = path.stat().st_size
    path.unlink()
    path.write_bytes(data)
    return before - len(data)
