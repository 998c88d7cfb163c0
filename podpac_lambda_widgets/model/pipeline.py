"""A pipeline: PODPAC's own JSON definition of a node, with or without podpac at hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from podpac_lambda_widgets.errors import InvalidPipelineError
from podpac_lambda_widgets.remote.shapes import references


@dataclass(frozen=True)
class Pipeline:
    """A node and all its inputs, as PODPAC writes them down (``node.definition``).

    Parameters
    ----------
    definition : mapping
        Node names to node definitions; the last one is the output. Keys that are not nodes
        (``podpac_version``) are kept.
    """

    definition: Mapping[str, Any]

    @classmethod
    def parse(cls, value: object) -> Pipeline:
        """Read a pipeline from JSON text, a mapping, or anything with a ``definition`` (a podpac node).

        Raises
        ------
        InvalidPipelineError
            Saying where the text stops being JSON, or what of a pipeline is missing.
        """
        if isinstance(value, Pipeline):
            return value
        if isinstance(value, str):
            value = _read_json(value)
        elif not isinstance(value, Mapping) and hasattr(value, "definition") and hasattr(value, "json"):
            # The node's JSON, not its definition: podpac's encoder turns units, arrays and dates into text.
            value = _read_json(str(value.json))
        if not isinstance(value, Mapping):
            raise InvalidPipelineError(
                "This is not a pipeline",
                field="pipeline",
                why=f"It is a {type(value).__name__}, where a JSON object of nodes is expected.",
                next_step="Choose an example, paste a node's .json, or give the name of a variable that holds a node.",
            )
        nodes = [name for name, node in value.items() if isinstance(node, Mapping) and "node" in node]
        if not nodes:
            raise InvalidPipelineError(
                "This pipeline has no node",
                field="pipeline",
                why='No entry has a "node" property.',
                next_step='A pipeline looks like {"SinCoords": {"node": "core.algorithm.utility.SinCoords"}}.',
            )
        for name, node in value.items():
            if isinstance(node, Mapping):
                _check_shape(str(name), node)
        return cls(dict(value))

    @property
    def output(self) -> str:
        """Name of the node whose result is returned: the last one, as in PODPAC."""
        return [name for name, node in self.definition.items() if isinstance(node, Mapping)][-1]

    @property
    def json(self) -> str:
        """The definition as JSON text."""
        return json.dumps(self.definition)


def _check_shape(name: str, node: Mapping[str, Any]) -> None:
    """Make sure that a node has the parts of one; what may be in them says the guard."""
    if not isinstance(node.get("node"), str):
        problem = 'Its "node" is not the name of a class.'
    elif not isinstance(node.get("attrs", {}), Mapping):
        problem = 'Its "attrs" are not a JSON object.'
    elif not isinstance(node.get("inputs", {}), Mapping) or not all(isinstance(each, str) for each in references(node)):
        problem = 'Its "inputs" are not a JSON object of names of nodes.'
    else:
        return
    raise InvalidPipelineError(
        f"The node {name!r} is not complete",
        field="pipeline",
        why=problem,
        next_step='A node looks like {"node": "core.algorithm.stats.Mean", "attrs": {...}, "inputs": {"source": ...}}.',
    )


def _read_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        where = (
            f"line {error.lineno}, column {error.colno}: {error.msg}"
            if isinstance(error, json.JSONDecodeError)
            else str(error)
        )
        raise InvalidPipelineError(
            "This is not JSON", field="pipeline", why=where, next_step="Paste the text of a node's .json property."
        ) from None
