"""A value that must not be seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, SupportsIndex


class Secret:
    """A string that hides itself: masked in ``repr``, ``str`` and ``format``, and impossible to pickle or copy.

    Examples
    --------
    >>> Secret("abc")
    Secret('********')
    """

    __slots__ = ("_read",)

    _read: Callable[[], str]

    def __init__(self, value: str) -> None:
        # Kept as a closure: a verbose traceback or a debugger prints attributes and slots, not cells.
        self._read = lambda: value

    def reveal(self) -> str:
        """Return the secret itself. Keep the result out of local variables: verbose tracebacks print those."""
        return self._read()

    def __bool__(self) -> bool:
        return bool(self._read())

    def __repr__(self) -> str:
        return "Secret('********')"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied")
