"""What a run will take, shown before it is begun."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podpac_lambda_widgets.engine.capacity import Capacity
from podpac_lambda_widgets.engine.forecast import BYTES_PER_VALUE, Forecast, forecast
from podpac_lambda_widgets.errors import InvalidValueError
from podpac_lambda_widgets.plan.run_cost import cost_text
from podpac_lambda_widgets.widgets.fields import problem_of
from podpac_lambda_widgets.widgets.texts import data_size

if TYPE_CHECKING:
    from podpac_lambda_widgets.widgets.pipeline_form import PipelineForm

_NO_RUN = (
    "There is no run to go by yet with the memory that the function has. Measure runs the pipeline once at about a "
    "thousand points of the region."
)


class Outlook:
    """Writes the facts and the line below them.

    Parameters
    ----------
    form : PipelineForm
    """

    def __init__(self, form: PipelineForm) -> None:
        self._form = form

    def show(self) -> None:
        """Bring facts and line up to date."""
        form, capacity = self._form, self._form.capacity()
        try:
            coordinates = form.read_coordinates()
        except InvalidValueError:
            form.facts, form.outlook = [], {}
            return
        points = coordinates.points
        form.facts = [["Points", f"{points:,}"], ["Size of the result", data_size(points * BYTES_PER_VALUE)]]
        form.outlook = {}
        try:
            pipeline = form.read_pipeline()
        except InvalidValueError:
            return
        if capacity is None:
            return
        table = form.run_table
        found = forecast(
            pipeline, coordinates, capacity, form.evaluation.way, table.records(), table.of_pipeline(pipeline)
        )
        form.facts = [*form.facts, *_facts(found, capacity)]
        form.outlook = _line(found, capacity)


def _facts(found: Forecast, capacity: Capacity) -> list[list[object]]:
    share = "over 100 %" if found.filled > 1 else "under 1 %" if found.filled < 0.01 else f"{100 * found.filled:.0f} %"
    facts: list[list[object]] = [
        [f"Of what fits {capacity.memory:,} MB", share, found.filled],
        ["Comes back", "through the bucket" if found.through_bucket else "in the answer"],
    ]
    if found.estimate is not None:
        facts += [["Time, about", _seconds(found.estimate.seconds)], ["Cost, about", cost_text(found.estimate.usd)]]
    return facts


def _seconds(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:,.0f} s"


def _line(found: Forecast, capacity: Capacity) -> dict[str, str]:
    if found.problem is not None:
        return {"tone": "warn", "text": f"This would be refused. {problem_of(found.problem, '')}"}
    guess = found.estimate
    if guess is None:
        return {"tone": "", "text": _NO_RUN}
    if guess.seconds > capacity.timeout:
        return {
            "tone": "warn",
            "text": f"This may take longer than the function's time limit of {capacity.timeout} s. "
            "Give it more time or memory, or ask for fewer points.",
        }
    runs = "1 run" if guess.runs == 1 else f"{guess.runs} runs"
    of = f"{runs} of this pipeline" if guess.same else f"{runs} of other pipelines or earlier sessions"
    return {
        "tone": "",
        "text": f"Time and cost go by {of}, in proportion to the points; of a warm function with "
        f"{capacity.memory:,} MB, at AWS's list price without the free tier.",
    }
