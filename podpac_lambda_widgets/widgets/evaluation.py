"""What to run, as it stands in the form: text that is JSON, or names a variable of the notebook."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import traitlets as tl

from podpac_lambda_widgets.engine.capacity import WAYS
from podpac_lambda_widgets.errors import InvalidCoordinatesError, InvalidPipelineError, InvalidValueError
from podpac_lambda_widgets.model.base import OneOf, StrictHasTraits
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.pipeline import Pipeline

#: What a person calls the ways, in the order of WAYS.
WAY_NAMES = ("Direct call", "Asynchronous call", "S3 trigger")


class Evaluation(StrictHasTraits):
    """A pipeline, coordinates, and the way to the function."""

    pipeline = tl.Unicode(help="JSON of a podpac node, or the name of a variable that holds one.").tag(label="Pipeline")
    coordinates = tl.Unicode(help="Follows the fields above; or podpac's JSON, or the name of a variable.").tag(
        label="Coordinates"
    )
    way = OneOf(
        list(WAYS),
        default_value="eval",
        help="A direct call keeps the connection open until the answer is there; the other two leave the result in the "
        "bucket.",
    ).tag(label="Way to the function")


class Variables:
    """The texts of an evaluation, read: as JSON, or as the name of a variable.

    Parameters
    ----------
    evaluation : Evaluation
    variables : callable
        The variables of the notebook.
    """

    def __init__(self, evaluation: Evaluation, variables: Callable[[], Mapping[str, object]]) -> None:
        self._evaluation, self._variables = evaluation, variables

    def read_pipeline(self) -> Pipeline:
        """The pipeline that the field stands for.

        Raises
        ------
        InvalidPipelineError
            Neither JSON of a pipeline nor a variable that holds a node.
        """
        text = self._evaluation.pipeline.strip()
        if not text.isidentifier():
            return Pipeline.parse(text)
        value = self._variables().get(text)
        if isinstance(value, Pipeline) or (hasattr(value, "definition") and hasattr(value, "json")):
            return Pipeline.parse(value)
        raise InvalidPipelineError(
            f"The variable {text} holds no podpac node" if value is not None else f"There is no variable {text}",
            field="pipeline",
            next_step="Make the node in a cell, then give the name of its variable; or paste its .json.",
        )

    def read_coordinates(self) -> CoordinatesDefinition:
        """The coordinates that the field stands for.

        Raises
        ------
        InvalidCoordinatesError
            Neither JSON of coordinates nor a variable that holds them; or none are in them.
        """
        text = self._evaluation.coordinates.strip()
        if not text.isidentifier():
            return _not_empty(CoordinatesDefinition.parse(text))
        value = self._variables().get(text)
        if isinstance(value, CoordinatesDefinition) or (hasattr(value, "json") and hasattr(value, "dims")):
            return _not_empty(CoordinatesDefinition.parse(value))
        raise InvalidCoordinatesError(
            f"The variable {text} holds no podpac.Coordinates" if value is not None else f"There is no variable {text}",
            field="coordinates",
            next_step="Make them in a cell, then give the name of their variable; or fill in the fields.",
        )


def _not_empty(coordinates: CoordinatesDefinition) -> CoordinatesDefinition:
    if coordinates.points == 0:
        raise InvalidCoordinatesError(
            "The coordinates are empty: they name no point",
            field="coordinates",
            next_step="Give each dimension at least one value.",
        )
    return coordinates


def for_field(error: InvalidValueError, name: str) -> InvalidValueError:
    """The same error, belonging to a field of the form: deeper code names a place inside the JSON."""
    if error.field not in ("", name):
        error.why = ": ".join(part for part in (error.field, error.why) if part)
    error.field = name
    return error
