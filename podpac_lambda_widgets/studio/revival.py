"""A page that was left without its kernel, made again when the person asks for it.

What a page was made with is told by names: the variables of the notebook that hold it. Where those are not there yet,
the person is told which cell to run first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, MutableMapping
from typing import Any

import podpac_lambda_widgets
from podpac_lambda_widgets.widgets.notebook import is_variable_name

#: What can be made again, and what it may be made with.
KINDS: dict[str, tuple[str, ...]] = {
    "Studio": ("directory",),
    "CredentialsForm": (),
    "SourceForm": ("directory", "source"),
    "DeployForm": ("deployment", "source", "session"),
    "PipelineForm": ("deployment", "session", "results"),
    "ResultView": ("result", "name"),
}
#: What is told as it is. Everything else is told by the variable that holds it.
_PLAIN = ("directory", "name")


def describe_revival(variables: Mapping[str, Any], made: object, **given: Any) -> dict[str, str]:
    """How to make something again: kind, variable, and what it was given; empty where no variable holds that.

    Parameters
    ----------
    variables : mapping of str to object
        The notebook's.
    made : object
        Of one of :data:`KINDS`.
    **given
        The arguments it was made with; what is None or empty was not given.
    """
    told: dict[str, str] = {}
    for name, value in given.items():
        if value is None or (isinstance(value, str) and not value):
            continue
        told[name] = str(value) if name in _PLAIN else find_variable(variables, value)
    # Of a class that somebody has made of ours nothing is known.
    if "" in told.values() or type(made).__name__ not in KINDS:
        return {}
    return {
        "kind": type(made).__name__,
        "variable": find_variable(variables, made),
        "given": json.dumps(told) if told else "",
    }


def revive(variables: MutableMapping[str, Any], kind: str, variable: str, given: str) -> Any:
    """Give what a page was the face of: the one that the variable holds by now, else a new one.

    The loader of the page calls it, by a text of its own that has these arguments as data.

    Parameters
    ----------
    variables : mapping of str to object
        The notebook's.
    kind : str
        One of :data:`KINDS`.
    variable : str
        The variable that held it; empty when none did.
    given : str
        What it was made with, as :func:`describe_revival` tells it.

    Raises
    ------
    ValueError
        There is no such kind, or it is not made with that.
    LookupError
        A variable that it was made with is not there.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind!r} cannot be made again")
    wanted = getattr(podpac_lambda_widgets, kind)
    found = variables.get(variable)
    if isinstance(found, wanted):
        return found
    made = wanted(**_read(variables, kind, given))
    if is_variable_name(variable):
        variables[variable] = made
    return made


def _read(variables: Mapping[str, Any], kind: str, given: str) -> dict[str, Any]:
    told = json.loads(given or "{}")
    if not isinstance(told, dict) or not set(told) <= set(KINDS[kind]):
        raise ValueError(f"{kind} is not made with {given!r}")
    missing = [value for name, value in told.items() if name not in _PLAIN and value not in variables]
    if missing:
        raise LookupError(
            f"there is no {' and no '.join(missing)} yet: run the cell that makes it, or reconnect it there"
        )
    return {name: value if name in _PLAIN else variables[value] for name, value in told.items()}


def find_variable(variables: Mapping[str, Any], held: object) -> str:
    """The name of the variable that holds an object; of several, one that a person gave rather than IPython."""
    names = [name for name, value in variables.items() if value is held and not name.startswith("_")]
    return names[0] if names else ""
