"""A page that was left without its kernel, made again when the person asks for it."""

from __future__ import annotations

import keyword
from collections.abc import Mapping, MutableMapping
from typing import Any

import podpac_lambda_widgets

#: What can be made again as it was begun: nothing was given to it that a page could not tell.
KINDS = ("Studio", "CredentialsForm", "SourceForm")


def revive(variables: MutableMapping[str, Any], kind: str, variable: str, directory: str) -> Any:
    """Give what a page was the face of: the one that the variable holds by now, else a new one.

    The loader of the page calls it, by a text of its own that has these arguments as data.

    Parameters
    ----------
    variables : mapping of str to object
        The notebook's.
    kind : {"Studio", "CredentialsForm", "SourceForm"}
    variable : str
        The variable that held it; empty when none did.
    directory : str
        What it was made with; empty for nothing.

    Raises
    ------
    ValueError
        There is no such kind.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind!r} cannot be made again")
    wanted = getattr(podpac_lambda_widgets, kind)
    found = variables.get(variable)
    if isinstance(found, wanted):
        return found
    made = wanted(directory) if directory and kind != "CredentialsForm" else wanted()
    if variable.isidentifier() and not keyword.iskeyword(variable):
        variables[variable] = made
    return made


def find_variable(variables: Mapping[str, Any], held: object) -> str:
    """The name of the variable that holds an object; of several, one that a person gave rather than IPython."""
    names = [name for name, value in variables.items() if value is held and not name.startswith("_")]
    return names[0] if names else ""
