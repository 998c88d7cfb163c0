"""Where and when: the fields of a grid, the map and the text, each of which follows the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from podpac_lambda_widgets.errors import InvalidCoordinatesError, InvalidValueError
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.grid import Grid, read_grid, region_of
from podpac_lambda_widgets.model.times import count_times
from podpac_lambda_widgets.widgets.evaluation import Evaluation
from podpac_lambda_widgets.widgets.fields import describe_field, group
from podpac_lambda_widgets.widgets.texts import set_out_json
from podpac_lambda_widgets.widgets.tiled_map import probe_tile

if TYPE_CHECKING:
    from podpac_lambda_widgets.widgets.pipeline_form import PipelineForm

LAT, LON = ("lat_first", "lat_last", "lat_size"), ("lon_first", "lon_last", "lon_size")
TIMES = ("time", "time_last", "time_step")
FIELDS = (*LAT, *LON, *TIMES)
_IN_PLACE = "These are in effect, in place of the fields above."
_CROSSES = "The region crosses the date line; a source whose longitudes end there has no values beyond it."


class CoordinatesFields:
    """Keeps the grid, the map and the text of the Run form in step.

    Parameters
    ----------
    form : PipelineForm
        Whose fields they are.
    grid : Grid
    evaluation : Evaluation
    read : callable
        The coordinates that the text stands for.
    """

    def __init__(
        self,
        form: PipelineForm,
        grid: Grid,
        evaluation: Evaluation,
        read: Callable[[], CoordinatesDefinition],
    ) -> None:
        self._form, self._grid, self._evaluation, self._read = form, grid, evaluation, read
        #: Whether what changes is only brought into step, and is nobody's wish.
        self._following = False

    def blocks(self) -> list[dict[str, Any]]:
        """What there is to see."""

        def row(*names: str, narrow: int = 4) -> list[dict[str, Any]]:
            return [describe_field(self._grid, name, span=4, narrow=narrow) for name in names]

        area = describe_field(self._evaluation, "coordinates", rows=5, kind="area", span=12, mono=True)
        return [
            {"block": "map", "tile": probe_tile()},
            group("", [*row(*LAT), *row(*LON), *row(*TIMES, narrow=6)]),
            group("", [area]),
        ]

    def follow_grid(self, change: Any = None) -> None:
        """Write the grid into the text, or say beside a field what of it cannot be."""
        if self._following:
            return
        for name in TIMES:
            self._form.clear_problem(name)
        try:
            coordinates = self._grid.coordinates()
        except InvalidCoordinatesError as error:
            # The text keeps what it says, which is not what the fields say: the mark keeps it from being run.
            self._form.mark_problem(error.field, error)
            return
        self._following = True
        try:
            self._evaluation.coordinates = set_out_json(coordinates.json)
        finally:
            self._following = False
        self.show()

    def follow_text(self) -> None:
        """Bring the fields into step with the text, where a grid says the same."""
        if not self._following:
            try:
                values = read_grid(self._read())
            except InvalidValueError:
                values = None
            if values is not None:
                self._take(values)
        self.show()

    def _take(self, values: Mapping[str, Any]) -> None:
        self._following = True
        try:
            for name in FIELDS:
                self._form.clear_problem(name)
            with self._grid.hold_trait_notifications():
                for name, value in values.items():
                    setattr(self._grid, name, value)
        finally:
            self._following = False

    def show(self) -> None:
        """Show the region on the map, how many times there are, and which of fields and text is in effect."""
        try:
            coordinates = self._read()
        except InvalidValueError:
            self._form.map = {**self._form.map, "region": [], "warning": ""}
            return
        region = region_of(coordinates)
        crosses = region is not None and region[2] > 180
        self._form.map = {**self._form.map, "region": list(region or ()), "warning": _CROSSES if crosses else ""}
        same = read_grid(coordinates) is not None
        self._form.set_field("coordinates", warning="" if same else _IN_PLACE)
        times = [item for item in coordinates.definition["coords"] if isinstance(item, Mapping) and "step" in item]
        said = [count_times(item) for item in times if item.get("name") == "time"]
        self._form.set_field("time_step", note=said[0] if same and said else "")

    def set_region(self, region: object) -> None:
        """Do what drawing on the map does.

        Parameters
        ----------
        region : sequence of float
            West, south, east, north in degrees; the east may lie beyond 180.

        Raises
        ------
        InvalidValueError
            It is no region.
        """
        for name in (*LAT[:2], *LON[:2]):
            self._form.clear_problem(name)
        before = self._grid.trait_values()
        self._grid.set_region(region)
        if before == self._grid.trait_values():
            # The text may say something else.
            self.follow_grid()
