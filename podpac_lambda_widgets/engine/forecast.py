"""What a run will take, before it is begun: points, bytes, whether it fits, time and cost."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from podpac_lambda_widgets.engine.capacity import Capacity, Way
from podpac_lambda_widgets.engine.history import RunRecord
from podpac_lambda_widgets.errors import InvalidValueError, PodpacLambdaError
from podpac_lambda_widgets.limits import SYNC_RESPONSE_BYTES
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.pipeline import Pipeline
from podpac_lambda_widgets.plan.run_cost import run_cost
from podpac_lambda_widgets.remote import budget, guard
from podpac_lambda_widgets.remote.wire import Request, encode_request

#: Of a result, as podpac computes it.
BYTES_PER_VALUE = 8
#: Runs that an estimate goes by.
_LAST = 20
#: Parts of a run that grow with its points; the others a warm function does once, or not at all.
_GROWING = ("evaluate", "encode", "upload")
_ONCE = ("dependencies", "import")
#: Points of a run whose only purpose is to see how long it takes.
MEASURED_POINTS = 1024


@dataclass(frozen=True)
class Estimate:
    """How long a run will take, by the runs before.

    Parameters
    ----------
    seconds : float
        Of a warm function.
    usd : float
        At AWS's list price.
    runs : int
        That it goes by.
    same : bool
        Whether those were of the same pipeline.
    """

    seconds: float
    usd: float
    runs: int
    same: bool


@dataclass(frozen=True)
class Forecast:
    """What can be said of a run before it is begun.

    Parameters
    ----------
    points, size : int
        Points that are asked for, and bytes of a result of as many values.
    filled : float
        The points as a fraction of those that the function takes.
    problem : PodpacLambdaError or None
        Why it would be refused.
    through_bucket : bool
        Whether the result is too large for an answer, and will come through the bucket.
    estimate : Estimate or None
        None where there is no run to go by.
    """

    points: int
    size: int
    filled: float
    problem: PodpacLambdaError | None
    through_bucket: bool
    estimate: Estimate | None


def forecast(
    pipeline: Pipeline,
    coordinates: CoordinatesDefinition,
    capacity: Capacity,
    way: Way = "eval",
    runs: Sequence[RunRecord] = (),
    same: Collection[str] = (),
) -> Forecast:
    """Say what a run will take. Nothing is asked of AWS.

    Parameters
    ----------
    runs : sequence of RunRecord
        Of this function, newest first.
    same : collection of str
        The request ids of those that were of this pipeline.
    """
    points = coordinates.points
    size = points * BYTES_PER_VALUE
    return Forecast(
        points=points,
        size=size,
        filled=points / capacity.policy.max_points,
        problem=_problem(pipeline, coordinates, capacity, way),
        through_bucket=size > SYNC_RESPONSE_BYTES,
        estimate=estimate(points, capacity, runs, same),
    )


def _problem(
    pipeline: Pipeline, coordinates: CoordinatesDefinition, capacity: Capacity, way: Way
) -> PodpacLambdaError | None:
    request = Request(pipeline=pipeline.definition, coordinates=coordinates.definition)
    try:
        check_way(way, capacity)
        guard.check(request, capacity.policy)
        encode_request(request)
    except PodpacLambdaError as error:
        return error
    return None


def check_way(way: Way, capacity: Capacity) -> None:
    """Refuse a way that the function does not have.

    Raises
    ------
    InvalidValueError
    """
    if way not in capacity.ways:
        raise InvalidValueError(
            "The function has no S3 trigger",
            field="way",
            next_step='Add "S3" to its triggers and build it, or call it directly.',
        )


def estimate(points: int, capacity: Capacity, runs: Sequence[RunRecord], same: Collection[str] = ()) -> Estimate | None:
    """Estimate a run by the last ones: by those of the same pipeline where there are any.

    What grows with the points grows in proportion; where runs of several sizes are known, along the straight line
    through them. What a cold start adds is left out.

    Returns
    -------
    Estimate or None
        None where no run went well.
    """
    # More memory is more speed, too: runs with other memory tell nothing of one with this.
    usable = [
        run
        for run in runs
        if run.outcome == "ok" and run.seconds is not None and run.points and run.memory_size in (None, capacity.memory)
    ]
    mine = [run for run in usable if run.request_id in same]
    chosen = (mine or usable)[:_LAST]
    if not chosen:
        return None
    fixed = statistics.median(max(0.0, (run.seconds or 0.0) - _growing(run) - _once(run)) for run in chosen)
    seconds = fixed + _grown(points, [(float(run.points or 0), _growing(run)) for run in chosen])
    usd = run_cost(math.ceil(seconds * 1000), capacity.memory, capacity.architecture)
    return Estimate(seconds, usd, len(chosen), bool(mine))


def _growing(run: RunRecord) -> float:
    if not run.timings:
        return run.seconds or 0.0
    return min(run.seconds or 0.0, sum(run.timings.get(part, 0.0) for part in _GROWING))


def _once(run: RunRecord) -> float:
    # What Lambda calls the initialisation is not in the duration that it reports.
    return sum(run.timings.get(part, 0.0) for part in _ONCE)


def _grown(points: int, samples: Sequence[tuple[float, float]]) -> float:
    """Seconds of the growing parts: a line through the samples, which neither falls nor begins below zero."""
    mean_x = statistics.fmean(x for x, _ in samples)
    mean_y = statistics.fmean(y for _, y in samples)
    spread = sum((x - mean_x) ** 2 for x, _ in samples)
    proportional = mean_y / mean_x * points
    if spread < (0.1 * mean_x) ** 2 * len(samples):
        return proportional
    slope = sum((x - mean_x) * (y - mean_y) for x, y in samples) / spread
    begin = mean_y - slope * mean_x
    if slope <= 0:
        return mean_y
    return begin + slope * points if begin >= 0 else proportional


def thin(coordinates: CoordinatesDefinition, most: int = MEASURED_POINTS) -> CoordinatesDefinition:
    """The same region with fewer points: every so-many-th of each dimension.

    Parameters
    ----------
    most : int
        Points to be left, roughly.
    """
    coords = coordinates.definition["coords"]
    sizes = [budget.points({"coords": [item]}) for item in coords]
    left, every = float(most), [1] * len(sizes)
    # The small ones first: what they leave is for the others.
    for place, number in enumerate(sorted(range(len(sizes)), key=sizes.__getitem__)):
        side = min(sizes[number], max(1, int(left ** (1 / (len(sizes) - place)))))
        every[number] = -(-sizes[number] // side)
        left /= side
    thinned = [_thin(item, each) for item, each in zip(coords, every, strict=True)]
    return CoordinatesDefinition.parse({**coordinates.definition, "coords": thinned})


def _thin(item: Any, every: int) -> Any:
    if isinstance(item, list):
        return [_thin(inner, every) for inner in item]
    if isinstance(item.get("values"), list):
        return {**item, "values": item["values"][::every]}
    if isinstance(item.get("size"), int):
        return {**item, "size": -(-item["size"] // every)}
    step = item.get("step")
    if isinstance(step, str):
        number, _, unit = step.partition(",")
        return {**item, "step": f"{int(number) * every},{unit}"}
    return {**item, "step": step * every} if isinstance(step, int | float) else item
