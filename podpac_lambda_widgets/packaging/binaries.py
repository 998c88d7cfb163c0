"""Compiled modules and shared libraries in an archive: which Python and which machine they are for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from podpac_lambda_widgets.errors import ArchiveMismatchError
from podpac_lambda_widgets.packaging.elf import read_header
from podpac_lambda_widgets.packaging.target import Target, architecture_of

_NAME = re.compile(r"\.so(\.[0-9.]+)?$|\.(pyd|dylib|dll)$")
_TAG = re.compile(r"\.cpython-(\d)(\d+)[a-z]*-[^/]*\.so$")


@dataclass(frozen=True)
class Binary:
    """One of them: ``e_machine`` of its ELF header (None if it has none), and the Python in its name's tag."""

    name: str
    machine: int | None
    python: str


def is_binary_name(name: str) -> bool:
    """Whether `name` is that of a compiled module or shared library."""
    return _NAME.search(name) is not None


def read_binary(name: str, head: bytes) -> Binary:
    """Judge a file by its name and its first 64 bytes."""
    header = read_header(head)
    tag = _TAG.search(name)
    return Binary(name, header.machine if header else None, f"{tag[1]}.{tag[2]}" if tag else "")


def check_binaries(binaries: Iterable[Binary], target: Target, *, resource: str) -> None:
    """Raise if one of them cannot be loaded on `target`.

    Raises
    ------
    ArchiveMismatchError
        Naming the file, what it is for, and what is needed.
    """
    cure = f"Build archives for {target.runtime} on {target.architecture}."
    for binary in binaries:
        if binary.machine != target.elf_machine:
            raise ArchiveMismatchError(
                "The archive is for another architecture.",
                resource=f"{resource}: {binary.name}",
                why=f"It is a library for {architecture_of(binary.machine)}; the function is {target.architecture}.",
                next_step=cure,
            )
        if binary.python and binary.python != target.python:
            raise ArchiveMismatchError(
                "The archive is for another runtime.",
                resource=f"{resource}: {binary.name}",
                why=f"It is a module for Python {binary.python}; the function is {target.runtime}.",
                next_step=cure,
            )
