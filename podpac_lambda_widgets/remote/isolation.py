"""One evaluation apart from all others in the same process: what podpac keeps, writes and prints."""

from __future__ import annotations

import io
import logging
import os
import sys
import uuid
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

_UNSAFE_EVAL = "PODPAC_UNSAFE_EVAL"


class _Nowhere(io.TextIOBase):
    """Takes text and forgets it."""

    def write(self, text: str) -> int:
        return len(text)


@contextmanager
def quiet() -> Iterator[None]:
    """No log, warnings or prints: podpac's quote definitions and addresses, and would end in the function's log."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stdout(_Nowhere()), redirect_stderr(_Nowhere()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


@contextmanager
def isolated(chosen: Mapping[str, object], *, unsafe_eval: bool) -> Iterator[None]:
    """PODPAC's default settings without caches, plus the chosen ones, for one evaluation; nothing of it stays.

    Parameters
    ----------
    chosen : mapping
        Settings that the request may choose.
    unsafe_eval : bool
        Let podpac evaluate expressions.
    """
    from podpac.core.settings import DEFAULT_SETTINGS, settings

    before, hash_before = dict(settings), os.environ.pop(_UNSAFE_EVAL, None)
    now: dict[str, Any] = {**DEFAULT_SETTINGS, "DEFAULT_CACHE": [], "ENABLE_CACHE": False, **chosen}
    # A fresh value, because podpac allows whoever knows it to run code.
    now["UNSAFE_EVAL_HASH"] = uuid.uuid4().hex
    try:
        _replace(settings, now)
        if unsafe_eval:
            os.environ[_UNSAFE_EVAL] = now["UNSAFE_EVAL_HASH"]
        yield
    finally:
        os.environ.pop(_UNSAFE_EVAL, None)
        if hash_before is not None:
            os.environ[_UNSAFE_EVAL] = hash_before
        _replace(settings, before)
        _forget_texts()


@contextmanager
def quick_equality() -> Iterator[None]:
    """Let a node equal itself at once.

    traitlets compares each input of a node with itself, and podpac 4.0.1 compares the hashes of two definitions, made
    anew each time: a chain of 500 nodes took more than a minute.
    """
    from podpac import Node

    equals, differs = Node.__eq__, Node.__ne__

    def is_equal(self: Any, other: object) -> Any:
        return self is other or equals(self, other)

    def is_different(self: Any, other: object) -> Any:
        return self is not other and differs(self, other)

    Node.__eq__, Node.__ne__ = is_equal, is_different
    try:
        yield
    finally:
        Node.__eq__, Node.__ne__ = equals, differs


def _replace(settings: dict[str, Any], values: Mapping[str, Any]) -> None:
    # The methods of dict: podpac's own item assignment may write a settings file.
    dict.clear(settings)
    dict.update(settings, values)


def _forget_texts() -> None:
    """Empty the caches of pint and numexpr, which keep the units and expressions of every caller, pint without end.

    Neither has a public way to do so.
    """
    registry = getattr(_variables("podpac.core.units").get("ureg"), "_cache", None)
    for name in ("parse_unit", "conversion_factor"):
        getattr(registry, name, {}).clear()
    if "ParserHelper" in (units := _variables("pint.util")):
        units["ParserHelper"].from_string.cache_clear()
    compiler = _variables("numexpr.necompiler")
    for name in ("_names_cache", "_numexpr_cache"):
        if name in compiler:
            vars(compiler[name]).clear()


def _variables(module: str) -> dict[str, Any]:
    # Not imported here: a pipeline that needs it does that.
    return vars(sys.modules[module]) if module in sys.modules else {}
