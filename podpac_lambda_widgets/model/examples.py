"""Pipelines and coordinates that are ready to run. Each is what the named podpac code gives as ``.json``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.pipeline import Pipeline


@dataclass(frozen=True)
class Example:
    """A named pipeline with a sentence that says what it shows."""

    name: str
    description: str
    pipeline: Pipeline


def _grid(lat: list[float], lon: list[float]) -> dict[str, Any]:
    return {
        "coords": [{"values": lat, "name": "lat"}, {"values": lon, "name": "lon"}],
        "crs": "+proj=longlat +datum=WGS84 +no_defs +vunits=m",
    }


_ARRAY = {
    "node": "core.data.array_source.Array",
    "attrs": {
        "source": [
            [2.0, 4.0, 8.0, 4.0, 2.0],
            [4.0, 9.0, 16.0, 9.0, 4.0],
            [8.0, 16.0, 25.0, 16.0, 8.0],
            [4.0, 9.0, 16.0, 9.0, 4.0],
            [2.0, 4.0, 8.0, 4.0, 2.0],
        ],
        "coordinates": _grid([-90.0, -45.0, 0.0, 45.0, 90.0], [-90.0, -45.0, 0.0, 45.0, 90.0]),
    },
}
_SMOOTH = {
    "node": "core.interpolation.interpolation.Interpolate",
    "inputs": {"source": "Array"},
    "attrs": {"interpolation": "bilinear"},
}
_SIN = {"node": "core.algorithm.utility.SinCoords"}

EXAMPLES = (
    Example("SinCoords", "A wave over the globe: PODPAC's tutorial.", Pipeline({"SinCoords": _SIN})),
    Example(
        "Mean of an array",
        "Five by five values, interpolated, then averaged over longitude.",
        Pipeline(
            {
                "Array": _ARRAY,
                "Interpolate": _SMOOTH,
                "Mean": {
                    "node": "core.algorithm.stats.Mean",
                    "inputs": {"source": "Interpolate"},
                    "attrs": {"dims": ["lon"]},
                },
            }
        ),
    ),
    Example(
        "Arithmetic of two sources",
        "A wave on top of an interpolated array.",
        Pipeline(
            {
                "SinCoords": _SIN,
                "Array": _ARRAY,
                "Interpolate": _SMOOTH,
                "Arithmetic": {
                    "node": "core.algorithm.generic.Arithmetic",
                    "inputs": {"A": "SinCoords", "B": "Interpolate"},
                    "attrs": {"eqn": "1e10 * A + B"},
                },
            }
        ),
    ),
)

#: PODPAC's tutorial grid, 180 x 180 points at one time: first, last and number of each axis.
TUTORIAL_LAT = (-90.0, 90.0, 180)
TUTORIAL_LON = (90.0, -90.0, 180)
TUTORIAL_TIME = "2018-01-01"


def tutorial_coordinates() -> CoordinatesDefinition:
    """PODPAC's tutorial grid as coordinates."""
    return CoordinatesDefinition.grid(TUTORIAL_LAT, TUTORIAL_LON, TUTORIAL_TIME)
