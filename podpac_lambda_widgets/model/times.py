"""Times as a person types them: one, or a first and a last with a step, as ``podpac.crange`` takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from podpac_lambda_widgets.errors import InvalidCoordinatesError
from podpac_lambda_widgets.remote import budget

_EXAMPLE = "Write it as 2018-01-01, or 2018-01-01T12:00."
_STEP_EXAMPLE = "Write it as 1,D for a day, 3,h for three hours, 1,M for a month."


def time_dimension(first: str, last: str = "", step: str = "") -> dict[str, Any] | None:
    """The time dimension of a coordinates definition; None where no time is given.

    Parameters
    ----------
    first, last : str
        Such as ``2018-01-01``; without the last, the first is the only one.
    step : str
        A number and one of numpy's units, such as ``1,D``.

    Raises
    ------
    InvalidCoordinatesError
        Its ``field`` is ``time``, ``time_last`` or ``time_step``.
    """
    first, last, step = first.strip(), last.strip(), step.replace(" ", "")
    if not first and not last and not step:
        return None
    if not first:
        raise InvalidCoordinatesError("The first time is missing", field="time", next_step=_EXAMPLE)
    _check_time(first, "time")
    if not last and not step:
        return {"values": [first], "name": "time"}
    if not last:
        raise InvalidCoordinatesError(
            "There is a step, and no last time", field="time_last", next_step="Give one, or empty the step."
        )
    _check_time(last, "time_last")
    if not step:
        raise InvalidCoordinatesError("The step is missing", field="time_step", next_step=_STEP_EXAMPLE)
    found = {"start": first, "stop": last, "step": step, "name": "time"}
    try:
        if "," not in step:
            raise InvalidCoordinatesError("Not a step", next_step=_STEP_EXAMPLE)
        budget.points({"coords": [found]})
    except InvalidCoordinatesError as error:
        advice = _STEP_EXAMPLE if error.what == "Not a step" else "Give one that leads from the first time to the last."
        raise InvalidCoordinatesError(error.what, field="time_step", next_step=advice) from None
    return found


def _check_time(text: str, field: str) -> None:
    try:
        budget.as_number(text, "")
    except InvalidCoordinatesError as error:
        raise InvalidCoordinatesError("This is not a time", field=field, why=error.why, next_step=_EXAMPLE) from None


def count_times(item: Mapping[str, Any]) -> str:
    """How many times a time dimension has, in words; months and years have no fixed length, so theirs are bounded."""
    size = budget.points({"coords": [item]})
    bound = "up to " if str(item.get("step", "")).endswith((",M", ",Y")) else ""
    return f"{bound}{size:,} time{'' if size == 1 else 's'}"
