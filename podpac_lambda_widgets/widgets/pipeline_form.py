"""Run: which pipeline, where and when, by which way; what it will take; and what became of it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import traitlets as tl

from podpac_lambda_widgets.engine.capacity import WAYS, Capacity
from podpac_lambda_widgets.engine.forecast import check_way
from podpac_lambda_widgets.errors import InvalidPipelineError, InvalidValueError
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.examples import EXAMPLES
from podpac_lambda_widgets.model.grid import Grid
from podpac_lambda_widgets.model.pipeline import Pipeline
from podpac_lambda_widgets.widgets.backend import StackActions
from podpac_lambda_widgets.widgets.code import Code
from podpac_lambda_widgets.widgets.coordinates_fields import FIELDS, TIMES, CoordinatesFields
from podpac_lambda_widgets.widgets.drawn import PACKED
from podpac_lambda_widgets.widgets.evaluation import WAY_NAMES, Evaluation, Variables, for_field
from podpac_lambda_widgets.widgets.form import Form
from podpac_lambda_widgets.widgets.node_editor import NodeEditor
from podpac_lambda_widgets.widgets.node_fields import PREFIX
from podpac_lambda_widgets.widgets.outlook import Outlook
from podpac_lambda_widgets.widgets.pipeline_fields import layout, run_code
from podpac_lambda_widgets.widgets.result_preparation import Asked, ZarrLink
from podpac_lambda_widgets.widgets.runs_table import RunsTable
from podpac_lambda_widgets.widgets.texts import is_json_of, set_out_json
from podpac_lambda_widgets.widgets.tiled_map import TiledMap
from podpac_lambda_widgets.widgets.worker import Worker

if TYPE_CHECKING:
    from podpac_lambda_widgets.engine.results import Result

_TEXTS = ("pipeline", "coordinates")
_NO_TRIGGER = "This function has no S3 trigger. Add S3 to its triggers in the Deploy step, and build it."


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

    Attributes
    ----------
    nodes : NodeEditor
        Puts the pipeline together of nodes: ``form.nodes.add("Mean")``.
    run_table : RunsTable
        The runs: ``form.run_table.cancel("run-1")``.
    """

    #: The node form: rows of nodes, the fields of the selected one.
    node_form = tl.Dict().tag(**PACKED)
    #: The region on the map: west, south, east, north; empty where there is none to draw.
    map = tl.Dict().tag(**PACKED)
    #: The table of runs: rows and a remark.
    runs = tl.Dict().tag(**PACKED)
    #: What is to be said of a run before it is begun: tone and text.
    outlook = tl.Dict().tag(**PACKED)

    def __init__(
        self,
        worker: Worker,
        stack: Callable[[], StackActions],
        variables: Callable[[], Mapping[str, object]],
    ) -> None:
        self.grid, self.evaluation = Grid(), Evaluation()
        #: Says where a run takes place, as term and value; on the owner's thread, when the run begins.
        self.provenance: Callable[[], Mapping[str, str]] = dict
        #: Called with what was asked, its result, provenance and link; on the worker's thread, to prepare how it looks.
        self.prepare: Callable[[Asked, Result, Mapping[str, str], ZarrLink], Callable[[], None]] = lambda *run: (
            lambda: None
        )
        #: What the function will take once it is built as wished; None where there is no wish.
        self.wished: Callable[[], Capacity | None] = lambda: None
        self._variables = variables
        self._read = Variables(self.evaluation, lambda: self._variables())
        self._where = CoordinatesFields(self, self.grid, self.evaluation, self.read_coordinates)
        self.nodes = NodeEditor(self, self.read_pipeline, functools.partial(self.enter, "pipeline"))
        self.run_table = RunsTable(self, worker, stack)
        self._outlook = Outlook(self)
        self.tiles = TiledMap(self)
        super().__init__(
            worker,
            title="Run",
            purpose="Choose what to compute, and where.",
            icon="play",
            blocks=layout(self.evaluation, self._where.blocks()),
        )
        self._set_up()
        self.use_example(EXAMPLES[0].name)
        self._where.follow_grid()
        self.run_table.show()
        self.stand("waiting", "Connect first")

    def _set_up(self) -> None:
        self.bind(self.grid, FIELDS)
        self.bind(self.evaluation, (*_TEXTS, "way"))
        self.set_choices("way", list(zip(WAYS, WAY_NAMES, strict=True)))
        for number, example in enumerate(EXAMPLES):
            self.on_action(f"example_{number}", functools.partial(self.use_example, example.name))
        self.on_action("run", self.run, disabled=True)
        self.on_action("measure", self.measure, disabled=True)
        self.on_action("refresh", self.run_table.look, disabled=True)
        self.on_action("cancel", self.cancel, disabled=True)
        self.set_button("cancel", stops=True)
        self.grid.observe(self._where.follow_grid, names=list(FIELDS))
        self.evaluation.observe(self._follow_evaluation)

    # What a person does

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
        """Do what the Run button does. The run goes on by itself; others may be begun beside it."""
        self.run_table.begin(*self._checked(), self.evaluation.way)

    def measure(self) -> None:
        """Do what the Measure button does: run at few points, for the estimate."""
        self.run_table.begin(*self._checked(), self.evaluation.way, measures=True)

    def cancel(self) -> None:
        """Do what the Cancel button does: stop waiting for every run that goes on."""
        self.run_table.cancel()

    def set_region(self, west: float, south: float, east: float, north: float) -> None:
        """Do what drawing on the map does; degrees, and an east beyond 180 crosses the date line."""
        self._where.set_region([west, south, east, north])

    def write_code(self) -> Code:
        """The pipeline, the coordinates, and running the one at the other."""
        self.check_fields()
        return run_code(self.title, self.read_pipeline(), self.read_coordinates(), self.evaluation.way)

    def _checked(self) -> tuple[Pipeline, CoordinatesDefinition]:
        # A variable may have been made, or made anew, since its name was typed.
        for name in _TEXTS:
            self._judge(name)
        self.check_fields()
        self.nodes.show()
        capacity = self.capacity()
        if capacity is not None:
            check_way(self.evaluation.way, capacity)
        return self.read_pipeline(), self.read_coordinates()

    def read_pipeline(self) -> Pipeline:
        """The pipeline that the field stands for, see :meth:`Variables.read_pipeline`."""
        return self._read.read_pipeline()

    def read_coordinates(self) -> CoordinatesDefinition:
        """The coordinates that the field stands for, see :meth:`Variables.read_coordinates`."""
        return self._read.read_coordinates()

    def capacity(self) -> Capacity | None:
        """What the function takes: as it was read, else as it is wished."""
        return self.run_table.capacity or self.wished()

    # The front end

    def handle_message(self, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        """Handle one message of the front end; beside those of every form: ``region``, ``tiles``, ``node``, ``run``."""
        kind, name, key = content.get("type"), str(content.get("name", "")), str(content.get("key", ""))
        if kind == "region":
            self._try("lat_first", lambda: self._where.set_region(content.get("region")))
        elif kind == "input" and name.startswith(PREFIX) and name in self.fields:
            self._try(name, lambda: self.nodes.enter(name, content.get("value")))
        elif kind == "tiles":
            self.perform_with("tiles", lambda: self.tiles.show(content.get("view")))
        elif kind == "node" and name in ("select", "remove"):
            self._try("pipeline", lambda: getattr(self.nodes, name)(key))
        elif kind == "run" and name in ("cancel", "again", "show_result", "read_log"):
            self.perform_with(name, lambda: getattr(self.run_table, name)(key))
        else:
            super().handle_message(content, buffers)

    def _try(self, field: str, change: Callable[[], None]) -> None:
        try:
            change()
        except InvalidValueError as error:
            self.mark_problem(field, error)

    def enter(self, name: str, typed: object) -> None:
        """Do what typing into a field does; JSON is set out readably, an example's name stands for the example."""
        if name in _TEXTS and isinstance(typed, str):
            for example in EXAMPLES:
                typed = example.pipeline.json if typed.strip() == example.name and name == "pipeline" else typed
            typed = set_out_json(typed)
        super().enter(name, typed)
        if name in _TEXTS:
            self._judge(name)
        elif name in TIMES:
            self._where.follow_grid()

    def _judge(self, name: str) -> None:
        text = getattr(self.evaluation, name)
        if self.fields[name]["value"] != text:
            return  # The trait refused what is shown, and has said why.
        read: Callable[[], object] = self.read_pipeline if name == "pipeline" else self.read_coordinates
        try:
            read()
        except InvalidValueError as error:
            self._mark_mistyped(name, text, for_field(error, name))
        else:
            self.clear_problem(name)
        self._outlook.show()

    def _follow_evaluation(self, change: Any) -> None:
        if change["name"] == "pipeline":
            for number, example in enumerate(EXAMPLES):
                self.set_button(f"example_{number}", pressed=is_json_of(change["new"], example.pipeline.definition))
            self.nodes.show()
        elif change["name"] == "coordinates":
            self._where.follow_text()
        self._show_way()
        self._outlook.show()

    # What the parts of the form show

    def mark_problem(self, name: str, error: InvalidValueError, shown: object = None) -> None:
        """Say beside a field that it shows what cannot be used, and why."""
        self._mark_mistyped(name, self.fields[name]["value"] if shown is None else shown, error)

    def clear_problem(self, name: str) -> None:
        """Take back what :meth:`mark_problem` said."""
        if name in self.problems:
            if name in self._models:
                self._show_held(name)
            else:
                self._mistyped.discard(name)

    def drop_fields(self, prefix: str, kept: set[str]) -> None:
        """Forget the fields whose names begin with the prefix, but those that are kept."""
        gone = {name for name in self.fields if name.startswith(prefix) and name not in kept}
        self._mistyped -= gone
        self.fields = {name: state for name, state in self.fields.items() if name not in gone}

    def follow_stack(self, exists: bool) -> None:
        """Follow another connection, or another state of the function."""
        for name in ("run", "measure", "refresh"):
            self.set_button(name, disabled=False)
        if not exists or self.standing not in ("working", "done"):
            self.stand("ready", "Ready to run" if exists else "Needs a function that is built")
        self.run_table.capacity = None
        self.follow_capacity()
        self.run_table.look()

    def follow_capacity(self) -> None:
        """Show what depends on what the function takes."""
        capacity = self.capacity()
        if capacity is not None:
            self.nodes.policy = capacity.policy
        self.nodes.show()
        self._show_way()
        self._outlook.show()

    def _show_way(self) -> None:
        capacity, way = self.capacity(), self.evaluation.way
        missing = capacity is not None and way not in capacity.ways
        self.set_field("way", warning=_NO_TRIGGER if missing else "")

    def show_standing(self) -> None:
        """Say how many runs go on, where any does."""
        count = self.run_table.going_on
        self.set_button("cancel", disabled=not count)
        if count:
            self.stand("working", "Running …" if count == 1 else f"Running {count} …")
        elif self.standing == "working":
            self.stand("ready", "Ready to run")
