"""What the Run form consists of, and what it does as Python."""

from __future__ import annotations

import json
import math
import pprint
from collections.abc import Mapping, Sequence
from typing import Any

from podpac_lambda_widgets.engine.capacity import Way
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.examples import EXAMPLES
from podpac_lambda_widgets.model.pipeline import Pipeline
from podpac_lambda_widgets.widgets.code import Code, literal, write_call
from podpac_lambda_widgets.widgets.evaluation import Evaluation
from podpac_lambda_widgets.widgets.fields import action, actions, describe_field, group

_WIDTH = 100


def layout(evaluation: Evaluation, where: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The blocks of the form.

    Parameters
    ----------
    evaluation : Evaluation
    where : sequence of mapping
        The blocks of the coordinates.
    """
    area = {"kind": "area", "span": 12, "mono": True}
    what = [
        actions(*(action(f"example_{n}", each.name, "chip") for n, each in enumerate(EXAMPLES)))
        | {"legend": "Examples"},
        {"block": "nodes"},
        group("", [describe_field(evaluation, "pipeline", rows=12, **area)], grows=True),
    ]
    return [
        {"block": "card"},
        {"block": "columns", "columns": [what, [dict(block) for block in where]]},
        {"block": "facts"},
        {"block": "outlook"},
        group("", [describe_field(evaluation, "way", span=6)]),
        actions(
            action("run", "Run", "primary", "play"),
            action("cancel", "Cancel", "secondary", "stop"),
            action("measure", "Measure", "quiet"),
            action("refresh", "Refresh", "quiet"),
        ),
        {"block": "runs"},
    ]


def run_code(title: str, pipeline: Pipeline, coordinates: CoordinatesDefinition, way: Way) -> Code:
    """Running a pipeline in the function ``cloud``; leaves ``result``."""
    lines, imports = run_lines(pipeline, coordinates, way)
    return Code(title, (*lines, "print(result.array)"), imports)


def run_lines(
    pipeline: Pipeline, coordinates: CoordinatesDefinition, way: Way, prefix: str = ""
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The statements of that, and what they import; their variables' names begin with ``prefix``."""
    values = [pipeline.definition, coordinates.definition]
    finite = all(_is_finite(value) for value in values)
    written = [_set_out(value) if finite else f"json.loads({literal(json.dumps(value))})" for value in values]
    node, where = f"{prefix}node", f"{prefix}coordinates"
    call = f"{node}.run({where})" if way == "eval" else f"{node}.submit({where}, way={literal(way)}).result()"
    arguments = {"source": f"{prefix}pipeline", "session": "session", "function_name": "cloud.function_name"}
    lines = (
        *f"{prefix}pipeline = {written[0]}".splitlines(),
        *f"{where} = {written[1]}".splitlines(),
        # A node's source is fixed when it is made.
        *write_call("plw.Lambda", arguments, variable=node),
        f"{prefix}result = {call}",
    )
    return lines, () if finite else ("import json",)


def _is_finite(value: Any) -> bool:
    """Whether Python can write it without a name: NaN and infinity have none."""
    if isinstance(value, Mapping):
        return all(_is_finite(each) for each in value.values())
    if isinstance(value, list | tuple):
        return all(_is_finite(each) for each in value)
    return not isinstance(value, float) or math.isfinite(value)


def _set_out(value: Mapping[str, Any]) -> str:
    inner = pprint.pformat(dict(value), width=_WIDTH - 4, sort_dicts=False, indent=1)
    return inner if "\n" not in inner else "{\n " + inner[1:-1] + ",\n}"
