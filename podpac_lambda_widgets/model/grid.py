"""A regular grid, as a person fills it in or draws it on a map."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import traitlets as tl

from podpac_lambda_widgets.errors import InvalidValueError
from podpac_lambda_widgets.model.base import StrictHasTraits, WholeNumber, refuse
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.examples import TUTORIAL_LAT, TUTORIAL_LON, TUTORIAL_TIME
from podpac_lambda_widgets.model.times import time_dimension

#: Most points along one side that the fields offer; the function's memory sets the limit that counts.
_SIDE = (1, 1_000_000)
#: West, south, east, north in degrees; the east may lie beyond 180, where a region crosses the date line.
Region = tuple[float, float, float, float]


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
    """A regular grid, as ``podpac.clinspace(first, last, size)`` for latitude and longitude, and times.

    Without ``time_last`` there is one time; with it they are ``podpac.crange(time, time_last, time_step)``.
    """

    lat_first = Degrees(TUTORIAL_LAT[0], largest=90).tag(label="Latitude, first")
    lat_last = Degrees(TUTORIAL_LAT[1], largest=90).tag(label="Latitude, last")
    lat_size = WholeNumber(TUTORIAL_LAT[2], between=_SIDE, unit="points").tag(label="Latitude, points")
    lon_first = Degrees(TUTORIAL_LON[0], largest=540).tag(label="Longitude, first")
    lon_last = Degrees(TUTORIAL_LON[1], largest=540).tag(label="Longitude, last")
    lon_size = WholeNumber(TUTORIAL_LON[2], between=_SIDE, unit="points").tag(label="Longitude, points")
    time = tl.Unicode(TUTORIAL_TIME, help="Such as 2018-01-01; may be empty.").tag(label="Time")
    time_last = tl.Unicode(help="For more than one time.").tag(label="Time, last")
    time_step = tl.Unicode(help="Such as 1,D or 3,h or 1,M.").tag(label="Time, step")

    def coordinates(self) -> CoordinatesDefinition:
        """The grid as coordinates.

        Raises
        ------
        InvalidCoordinatesError
            The times; its ``field`` is the name of a trait.
        """
        return CoordinatesDefinition.grid(
            (self.lat_first, self.lat_last, self.lat_size),
            (self.lon_first, self.lon_last, self.lon_size),
            times=time_dimension(self.time, self.time_last, self.time_step),
        )

    def set_region(self, region: object) -> None:
        """Cover a region with as many points as before, in the same directions.

        Parameters
        ----------
        region : (float, float, float, float)
            West, south, east and north, degrees.

        Raises
        ------
        InvalidValueError
            It is none.
        """
        west, south, east, north = check_region(region)
        lat, lon = (south, north), (west, east)
        if self.lat_first > self.lat_last:
            lat = lat[::-1]
        if self.lon_first > self.lon_last:
            lon = lon[::-1]
        with self.hold_trait_notifications():
            self.lat_first, self.lat_last = lat
            self.lon_first, self.lon_last = lon


def check_region(region: object) -> Region:
    """A region whose west lies between -180 and 180, and whose east is at most one turn further.

    Raises
    ------
    InvalidValueError
        It is none.
    """
    sides = region if isinstance(region, list | tuple) else ()
    if len(sides) != 4 or not all(type(side) in (int, float) and math.isfinite(side) for side in sides):
        raise InvalidValueError("A region is west, south, east and north in degrees", field="lat_first")
    west, south, east, north = (float(side) for side in sides)
    if not -90 <= south <= north <= 90 or not west <= east <= west + 360:
        raise InvalidValueError(
            "This region is not on the Earth",
            field="lat_first",
            why=f"west {west:g}, south {south:g}, east {east:g}, north {north:g}",
            next_step="South is at most north, from -90 to 90; east is at most 360 degrees from west.",
        )
    turns = 360 * math.floor((west + 180) / 360)
    return west - turns, south, east - turns, north


def region_of(coordinates: CoordinatesDefinition) -> Region | None:
    """The region that coordinates lie in; None where they have no latitude and longitude of their own.

    Stacked and rotated ones are read too, as long as they name numbers.
    """
    found: dict[str, list[float]] = {}
    stack: list[Any] = list(coordinates.definition.get("coords", ()))
    while stack:
        item = stack.pop()
        if isinstance(item, list | tuple):
            stack.extend(item)
        elif isinstance(item, Mapping) and item.get("name") in ("lat", "lon"):
            values = item["values"] if "values" in item else [item.get("start"), item.get("stop")]
            if not isinstance(values, list) or not all(type(value) in (int, float) for value in values) or not values:
                return None
            found[item["name"]] = values
    if len(found) < 2:
        return None
    (south, north), (west, east) = ((min(found[name]), max(found[name])) for name in ("lat", "lon"))
    try:
        return check_region((west, south, east, north))
    except InvalidValueError:
        return None


def read_grid(coordinates: CoordinatesDefinition) -> dict[str, Any] | None:
    """The values of a :class:`Grid` that stands for these very coordinates; None where there is none."""
    items = {str(item.get("name")): item for item in coordinates.definition["coords"] if isinstance(item, Mapping)}
    if len(items) != len(coordinates.definition["coords"]) or not {"lat", "lon"} <= items.keys():
        return None
    values: dict[str, Any] = {"time": "", "time_last": "", "time_step": ""}
    for name in ("lat", "lon"):
        side = _side(items[name])
        if side is None:
            return None
        values |= {f"{name}_{part}": value for part, value in zip(("first", "last", "size"), side, strict=True)}
    if time := items.get("time"):
        if "step" in time:
            values |= {"time": time["start"], "time_last": time["stop"], "time_step": time["step"]}
        elif isinstance(time.get("values"), list) and len(time["values"]) == 1:
            values["time"] = time["values"][0]
    try:
        same = Grid(**values).coordinates() == coordinates
    except (tl.TraitError, InvalidValueError):
        return None
    return values if same else None


def _side(item: Mapping[str, Any]) -> tuple[float, float, int] | None:
    values = item.get("values")
    if isinstance(values, list):
        return (values[0], values[0], 1) if len(values) == 1 else None
    try:
        start, stop, step = item["start"], item["stop"], item["step"]
        return start, stop, round((stop - start) / step) + 1
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None
