"""Run: which pipeline, where and when."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import traitlets as tl

from podpac_lambda_widgets.errors import InvalidCoordinatesError, InvalidPipelineError, InvalidValueError
from podpac_lambda_widgets.model.base import StrictHasTraits, WholeNumber, refuse
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.examples import EXAMPLES
from podpac_lambda_widgets.model.pipeline import Pipeline
from podpac_lambda_widgets.widgets.backend import StackActions
from podpac_lambda_widgets.widgets.fields import action, actions, describe_field, group
from podpac_lambda_widgets.widgets.form import Form
from podpac_lambda_widgets.widgets.texts import data_size, is_json_of, set_out_json
from podpac_lambda_widgets.widgets.worker import Task, Worker

if TYPE_CHECKING:
    from podpac_lambda_widgets.engine.events import RunProgressed
    from podpac_lambda_widgets.engine.results import Result

_TEXTS = ("pipeline", "coordinates")
_GRID = ("lat_first", "lat_last", "lat_size", "lon_first", "lon_last", "lon_size", "time")
#: Most points along one side that the fields offer; the function's memory sets the limit that counts.
_SIDE = (1, 1_000_000)
_BYTES_PER_VALUE = 8
#: PODPAC's tutorial grid.
_LAT = (-90.0, 90.0, 180)
_LON = (90.0, -90.0, 180)
_TIME = "2018-01-01"


class Degrees(tl.Float[float, float]):
    """An angle, at most ``largest`` either way."""

    def __init__(self, default_value: float, *, largest: float, **kwargs: Any) -> None:
        self.largest = largest
        super().__init__(default_value, **kwargs)

    def validate(self, obj: Any, value: Any) -> float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not -self.largest <= value <= self.largest:
            refuse(obj, self, f"must be a number from {-self.largest:g} to {self.largest:g} degrees.")
        return float(value)


class Grid(StrictHasTraits):
    """A regular grid, as ``podpac.clinspace(first, last, size)`` for latitude and longitude, and one time."""

    lat_first = Degrees(_LAT[0], largest=90).tag(label="Latitude, first")
    lat_last = Degrees(_LAT[1], largest=90).tag(label="Latitude, last")
    lat_size = WholeNumber(_LAT[2], between=_SIDE, unit="points").tag(label="Latitude, points")
    lon_first = Degrees(_LON[0], largest=360).tag(label="Longitude, first")
    lon_last = Degrees(_LON[1], largest=360).tag(label="Longitude, last")
    lon_size = WholeNumber(_LON[2], between=_SIDE, unit="points").tag(label="Longitude, points")
    time = tl.Unicode(_TIME, help="Such as 2018-01-01; may be empty.").tag(label="Time")

    def coordinates(self) -> CoordinatesDefinition:
        """The grid as coordinates."""
        return CoordinatesDefinition.grid(
            (self.lat_first, self.lat_last, self.lat_size),
            (self.lon_first, self.lon_last, self.lon_size),
            self.time.strip(),
        )


class Evaluation(StrictHasTraits):
    """What to run, as it stands in the form: text that is JSON or names a variable."""

    pipeline = tl.Unicode(help="JSON of a podpac node, or the name of a variable that holds one.").tag(label="Pipeline")
    coordinates = tl.Unicode(help="Follows the fields above; or podpac's JSON, or the name of a variable.").tag(
        label="Coordinates"
    )


class PipelineForm(Form):
    """Runs a pipeline in the function.

    Parameters
    ----------
    worker : Worker
        Runs what takes time.
    stack : callable
        Gives the stack of the present connection, or raises what is missing.
    variables : callable
        The variables of the notebook.
    """

    def __init__(
        self,
        worker: Worker,
        stack: Callable[[], StackActions],
        variables: Callable[[], Mapping[str, object]],
    ) -> None:
        self._stack, self._variables = stack, variables
        self.grid, self.evaluation = Grid(), Evaluation()
        #: Says where a run takes place, as term and value; on the owner's thread, when the run begins.
        self.provenance: Callable[[], Mapping[str, str]] = dict
        #: Called with the pipeline, its result and its provenance; on the worker's thread, to prepare how it looks.
        self.prepare: Callable[[Pipeline, Result, Mapping[str, str]], Callable[[], None]] = lambda *run: lambda: None
        super().__init__(
            worker,
            title="Run",
            purpose="Choose what to compute, and where.",
            icon="play",
            blocks=self._layout(),
        )
        self.bind(self.grid, _GRID)
        self.bind(self.evaluation, ("pipeline", "coordinates"))
        for number, example in enumerate(EXAMPLES):
            self.on_action(f"example_{number}", functools.partial(self.use_example, example.name))
        self.on_action("run", self.run, disabled=True)
        self.on_action("cancel", worker.cancel)
        self.set_button("cancel", disabled=True, stops=True)
        self.grid.observe(self._grid_changed, names=list(_GRID))
        self.evaluation.observe(self._evaluation_changed)
        self.use_example(EXAMPLES[0].name)
        self._grid_changed()
        self.stand("waiting", "Connect first")

    def _layout(self) -> list[dict[str, Any]]:
        def fields(*names: str, span: int = 4) -> list[dict[str, Any]]:
            return [describe_field(self.grid, name, span=span, narrow=span) for name in names]

        area = {"kind": "area", "span": 12, "mono": True}
        what = [
            actions(*(action(f"example_{n}", each.name, "chip") for n, each in enumerate(EXAMPLES)))
            | {"legend": "Examples"},
            group("", [describe_field(self.evaluation, "pipeline", rows=15, **area)]),
        ]
        where = [
            group("", [*fields(*_GRID[:3]), *fields(*_GRID[3:6]), *fields("time", span=12)]),
            group("", [describe_field(self.evaluation, "coordinates", rows=5, **area)]),
        ]
        return [
            {"block": "card"},
            {"block": "columns", "columns": [what, where]},
            {"block": "facts"},
            actions(action("run", "Run", "primary", "play"), action("cancel", "Cancel", "secondary", "stop")),
            {"block": "steps"},
        ]

    def use_example(self, name: str) -> None:
        """Put an example into the Pipeline field.

        Raises
        ------
        InvalidPipelineError
            There is no example of that name.
        """
        found = [example for example in EXAMPLES if example.name == name]
        if not found:
            known = ", ".join(example.name for example in EXAMPLES)
            raise InvalidPipelineError(
                f"There is no example {name!r}", field="pipeline", next_step=f"There are: {known}."
            )
        self.enter("pipeline", found[0].pipeline.json)

    def run(self) -> None:
        """Do what the Run button does."""
        # A variable may have been made, or made anew, since its name was typed.
        for name in _TEXTS:
            self._judge(name)
        self.check_fields()
        pipeline, coordinates = self.read_pipeline(), self.read_coordinates()
        stack, provenance = self._stack(), self.provenance()

        def work(task: Task) -> Callable[[], None]:
            result = stack.run(pipeline, coordinates, self._listen, task.cancelled)
            return self.prepare(pipeline, result, provenance)

        self.start("Running", work, self._ran)
        self.set_button("cancel", disabled=False)
        self.set_step("Send the pipeline to the function", "working", key="sent")

    def cancel(self) -> None:
        """Do what the Cancel button does."""
        self.worker.cancel()

    def read_pipeline(self) -> Pipeline:
        """The pipeline that the field stands for.

        Raises
        ------
        InvalidPipelineError
            Neither JSON of a pipeline nor a variable that holds a node.
        """
        text = self.evaluation.pipeline.strip()
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
            Neither JSON of coordinates nor a variable that holds them.
        """
        text = self.evaluation.coordinates.strip()
        if not text.isidentifier():
            return CoordinatesDefinition.parse(text)
        value = self._variables().get(text)
        if isinstance(value, CoordinatesDefinition) or (hasattr(value, "json") and hasattr(value, "dims")):
            return CoordinatesDefinition.parse(value)
        raise InvalidCoordinatesError(
            f"The variable {text} holds no podpac.Coordinates" if value is not None else f"There is no variable {text}",
            field="coordinates",
            next_step="Make them in a cell, then give the name of their variable; or fill in the fields.",
        )

    def enter(self, name: str, typed: object) -> None:
        """Do what typing into a field does; JSON is set out readably, an example's name stands for the example."""
        if name in _TEXTS and isinstance(typed, str):
            for example in EXAMPLES:
                typed = example.pipeline.json if typed.strip() == example.name and name == "pipeline" else typed
            typed = set_out_json(typed)
        super().enter(name, typed)
        if name in _TEXTS:
            self._judge(name)

    def _judge(self, name: str) -> None:
        text = getattr(self.evaluation, name)
        if self.fields[name]["value"] != text:
            return  # The trait refused what is shown, and has said why.
        read: Callable[[], object] = self.read_pipeline if name == "pipeline" else self.read_coordinates
        try:
            read()
        except InvalidValueError as error:
            self._mark_mistyped(name, text, _for_field(error, name))
        else:
            if name in self.problems:
                self._show_held(name)
        self._show_size()

    def _grid_changed(self, change: Any = None) -> None:
        self.evaluation.coordinates = set_out_json(self.grid.coordinates().json)
        self._show_size()

    def _evaluation_changed(self, change: Any) -> None:
        if change["name"] == "pipeline":
            for number, example in enumerate(EXAMPLES):
                self.set_button(f"example_{number}", pressed=is_json_of(change["new"], example.pipeline.definition))
        elif change["name"] == "coordinates":
            self._show_size()

    def _show_size(self) -> None:
        try:
            points = self.read_coordinates().points
        except InvalidValueError:
            self.facts = []
            return
        self.facts = [["Points", f"{points:,}"], ["Size of the result", data_size(points * _BYTES_PER_VALUE)]]

    def _listen(self, event: object) -> None:
        self.worker.post(lambda: self._show_event(event))

    def _show_event(self, event: Any) -> None:
        progress: RunProgressed = event
        self._finish_steps()
        texts = {"sent": "Evaluate in the function", "fetching": "Fetch the result from the bucket"}
        if progress.phase in texts:
            self.set_step(texts[progress.phase], "working", key=progress.phase, detail=progress.detail)
        else:
            self.set_step("Draw the plot", "working", key="draw")

    def _finish_steps(self) -> None:
        for step in self.steps:
            if step["state"] == "working":
                self.set_step(step["text"], "done", key=step["key"])

    def _ran(self, show: Callable[[], None]) -> None:
        self._finish_steps()
        show()
        self.stand("done", "The result is below")

    def _follow_task(self, task: Task | None) -> None:
        super()._follow_task(task)
        if task is None:
            self.set_button("cancel", disabled=True)


def _for_field(error: InvalidValueError, name: str) -> InvalidValueError:
    """The same error, belonging to a field of the form: deeper code names a place inside the JSON."""
    if error.field not in ("", name):
        error.why = ": ".join(part for part in (error.field, error.why) if part)
    error.field = name
    return error
