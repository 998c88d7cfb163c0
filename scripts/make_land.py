"""Make podpac_lambda_widgets/widgets/static/land.json of the file land-110m.json of the npm package world-atlas 2.0.2.

    npm pack world-atlas@2.0.2 && tar -xzf world-atlas-2.0.2.tgz package/land-110m.json
    python scripts/make_land.py package/land-110m.json

The outline is Natural Earth's (public domain), 1:110,000,000; the package is under the ISC licence.

In the file are SVG paths in hundredths of degrees, east and north. What crosses the 180th meridian is cut there, and
left open: filling closes it along the meridian, and a stroke draws no coast where there is none. ``cap`` is the rest of
Antarctica, between its cut and the pole, to be filled only.
"""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

Point = tuple[float, float]

_TARGET = Path(__file__).parent.parent / "podpac_lambda_widgets" / "widgets" / "static" / "land.json"
_ABOUT = {
    "title": "Land, 1:110,000,000",
    "source": "Natural Earth, by way of the npm package world-atlas 2.0.2 (land-110m.json)",
    "licence": "Natural Earth is in the public domain; world-atlas: ISC, copyright 2013-2019 Michael Bostock",
    "unit": 0.01,
}


def read_rings(topology: dict[str, Any]) -> list[list[Point]]:
    """Closed rings in degrees, of a TopoJSON of polygons (format: the TopoJSON specification, "Arcs")."""
    (scale_x, scale_y), (x_0, y_0) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for step_x, step_y in arc:
            x, y = x + step_x, y + step_y
            points.append((x * scale_x + x_0, y * scale_y + y_0))
        arcs.append(points)
    polygons = [polygon for part in topology["objects"]["land"]["geometries"] for polygon in part["arcs"]]
    rings = []
    for ring in (ring for polygon in polygons for ring in polygon):
        parts = [arcs[number] if number >= 0 else arcs[~number][::-1] for number in ring]
        rings.append(parts[0] + [point for part in parts[1:] for point in part[1:]])
    return rings


def cut(ring: list[Point]) -> list[tuple[list[Point], bool]]:
    """The ring as it is, or its lines between the crossings of the 180th meridian; with each whether it is closed."""
    lines: list[list[Point]] = [[ring[0]]]
    for (x, y), (to_x, to_y) in pairwise(ring):
        # A ring may also run to the meridian and stay on it: 180 and -180 are the same place.
        if abs(to_x - x) > 180:
            edge = 180.0 if x > 0 else -180.0
            beyond = to_x + 2 * edge
            at = y if beyond == x else y + (to_y - y) * (edge - x) / (beyond - x)
            lines[-1].append((edge, at))
            lines.append([(-edge, at)])
        lines[-1].append((to_x, to_y))
    if len(lines) == 1:
        return [(ring[:-1], True)]
    lines[0] = lines.pop() + lines[0][1:]
    return [(line, False) for line in lines]


def path(line: list[Point], closed: bool) -> str:
    """An SVG path in whole hundredths, without points that round to the one before and without coasts along 180."""
    rounded = [(round(x * 100), round(y * 100)) for x, y in line]
    while len(rounded) > 1 and not closed and _is_seam(rounded[0], rounded[1]):
        rounded.pop(0)
    while len(rounded) > 1 and not closed and _is_seam(rounded[-1], rounded[-2]):
        rounded.pop()
    steps = [(to_x - x, to_y - y) for (x, y), (to_x, to_y) in pairwise(rounded) if (x, y) != (to_x, to_y)]
    if len(steps) < 2:
        return ""
    numbers = " ".join(f"{x} {y}" for x, y in steps).replace(" -", "-")
    return f"M{rounded[0][0]} {rounded[0][1]}l{numbers}{'z' if closed else ''}".replace(" -", "-")


def _is_seam(point: tuple[int, int], neighbour: tuple[int, int]) -> bool:
    return abs(point[0]) == 18000 and point[0] == neighbour[0]


def main(source: Path) -> None:
    lines = [each for ring in read_rings(json.loads(source.read_text("utf-8"))) for each in cut(ring)]
    # Antarctica alone goes round the world.
    around = [line for line, closed in lines if not closed and {line[0][0], line[-1][0]} == {-180.0, 180.0}]
    (first, *_, last) = sorted(around[0], key=lambda point: point[0])
    cap = [(-180.0, -90.0), (-180.0, first[1]), (180.0, last[1]), (180.0, -90.0)]
    land = {**_ABOUT, "land": "".join(path(*line) for line in lines), "cap": path(cap, True)}
    _TARGET.write_text(json.dumps(land, indent=1) + "\n", "utf-8")
    print(f"{_TARGET.name}: {_TARGET.stat().st_size:,} bytes")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
