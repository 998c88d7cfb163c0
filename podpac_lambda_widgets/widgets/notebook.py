"""The variables of the notebook: read, and set where a person asks for it."""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from typing import Any

from podpac_lambda_widgets.errors import InvalidValueError, PodpacLambdaError


def _shell() -> Any:
    from IPython.core.getipython import get_ipython

    return get_ipython()  # type: ignore[no-untyped-call,unused-ignore]  # typed in some versions of IPython only


def read_variables() -> Mapping[str, Any]:
    """The variables of the notebook; none outside of IPython."""
    shell = _shell()
    return dict(shell.user_ns) if shell is not None else {}


def set_variable(name: str, value: object) -> None:
    """Set a variable of the notebook.

    Raises
    ------
    PodpacLambdaError
        There is no notebook.
    """
    shell = _shell()
    if shell is None:
        raise PodpacLambdaError(
            "There is no notebook to put a variable into", next_step="In a script, use studio.result itself."
        )
    shell.user_ns[name] = value


def is_variable_name(name: str) -> bool:
    """Whether Python takes it for a variable."""
    return name.isidentifier() and not keyword.iskeyword(name)


def check_name(name: str, field: str) -> str:
    """The name without spaces around it, if Python takes it for a variable.

    Raises
    ------
    InvalidValueError
        It does not; the error belongs to ``field``.
    """
    name = name.strip()
    if not is_variable_name(name):
        why = "Python keeps this word for itself." if keyword.iskeyword(name) else ""
        raise InvalidValueError(
            f"{name!r} cannot be the name of a variable" if name else "Give the variable a name",
            field=field,
            why=why,
            next_step="Use letters, digits and _, beginning with a letter.",
        )
    return name
