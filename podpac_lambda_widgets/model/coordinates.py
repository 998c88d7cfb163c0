"""Where and when to evaluate: PODPAC's own JSON definition of coordinates, with or without podpac at hand."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from podpac_lambda_widgets.errors import InvalidCoordinatesError
from podpac_lambda_widgets.remote import budget

#: What PODPAC uses when nothing else is said (podpac.settings["DEFAULT_CRS"]).
DEFAULT_CRS = "+proj=longlat +datum=WGS84 +no_defs +vunits=m"


@dataclass(frozen=True)
class CoordinatesDefinition:
    """Coordinates as PODPAC writes them down (``coordinates.definition``).

    Parameters
    ----------
    definition : mapping
        ``{"coords": [...], "crs": "..."}``.
    """

    definition: Mapping[str, Any]

    @classmethod
    def parse(cls, value: object) -> CoordinatesDefinition:
        """Read coordinates from JSON text, a mapping, or a ``podpac.Coordinates``.

        Raises
        ------
        InvalidCoordinatesError
            Saying what is wrong, before anything is sent.
        """
        if isinstance(value, CoordinatesDefinition):
            return value
        if not isinstance(value, Mapping | str) and hasattr(value, "json"):
            value = _definition_of(value)
        if isinstance(value, str):
            value = _read_json(value)
        if isinstance(value, list):
            value = {"coords": value, "crs": DEFAULT_CRS}
        if not isinstance(value, Mapping) or not isinstance(value.get("coords"), list) or not value["coords"]:
            raise InvalidCoordinatesError(
                "These are not coordinates",
                field="coordinates",
                why='A JSON object with a non-empty list "coords" is expected.',
                next_step="Fill in the fields, or paste the .json of podpac.Coordinates.",
            )
        budget.points(value)
        return cls(dict(value))

    @classmethod
    def grid(
        cls,
        lat: tuple[float, float, int],
        lon: tuple[float, float, int],
        time: str = "",
        *,
        times: Mapping[str, Any] | None = None,
    ) -> CoordinatesDefinition:
        """A regular grid: first, last and number of points for latitude and longitude, in degrees; optionally times.

        The grid is the one of ``podpac.clinspace(first, last, size)``. ``time`` is a single one; ``times`` is the
        dimension as :func:`~podpac_lambda_widgets.model.times.time_dimension` gives it.
        """
        coords: list[dict[str, Any]] = [_linspace("lat", *lat), _linspace("lon", *lon)]
        if time:
            coords.append({"values": [time], "name": "time"})
        elif times:
            coords.append(dict(times))
        return cls.parse({"coords": coords, "crs": DEFAULT_CRS})

    @property
    def points(self) -> int:
        """Number of points the result will have."""
        return budget.points(self.definition)

    @property
    def json(self) -> str:
        """The definition as JSON text."""
        return json.dumps(self.definition)


def _linspace(name: str, start: float, stop: float, size: int) -> dict[str, Any]:
    if size < 1:
        raise InvalidCoordinatesError(f"{name} needs at least one point, not {size}", field="coordinates")
    if size == 1 or start == stop:
        return {"values": [start], "name": name}
    # podpac.UniformCoordinates1d writes the step, and reads start, stop and step back to the same points.
    return {"start": start, "stop": stop, "step": (stop - start) / (size - 1), "name": name}


def _definition_of(coordinates: Any) -> Any:
    """What podpac writes of its coordinates, so that reading it gives the very same points again."""
    definition = _read_json(str(coordinates.json))
    if isinstance(definition, Mapping) and isinstance(definition.get("coords"), list):
        return {**definition, "coords": [_steady(item) for item in definition["coords"]]}
    return definition


def _steady(item: Any) -> Any:
    """The step from which podpac computes the last point and the step that it wrote down.

    ``UniformCoordinates1d`` makes the step anew from start, last point and size whenever it is read, and about once in
    a thousand times the new step is a last bit away from the old one. One of the step's neighbours leads back to it.
    """
    if not isinstance(item, Mapping) or not all(isinstance(item.get(k), float) for k in ("start", "stop", "step")):
        return item
    start, stop, step = item["start"], item["stop"], item["step"]
    intervals = round((stop - start) / step) if step else 0
    above, below = math.nextafter(step, math.inf), math.nextafter(step, -math.inf)
    neighbours = (step, above, below, math.nextafter(above, math.inf), math.nextafter(below, -math.inf))
    for candidate in neighbours if intervals > 0 else ():
        last = start + intervals * candidate
        if last == stop and (last - start) / intervals == step:
            return {**item, "step": candidate}
    return item


def _read_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidCoordinatesError(
            "This is not JSON", field="coordinates", why=str(error), next_step="Paste the .json of podpac.Coordinates."
        ) from None
