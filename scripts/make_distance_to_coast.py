"""Make notebooks/data/distance-to-coast.tif of the outline in podpac_lambda_widgets/widgets/static/land.json.

    python scripts/make_distance_to_coast.py

A raster of one degree: kilometres along the Earth's surface from the middle of each cell to the nearest coast, negative
on land. The coast is Natural Earth's at 1:110,000,000, so it is good for a tutorial and not for a ship.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from matplotlib.path import Path as Outline
from scipy.spatial import cKDTree

_HERE = Path(__file__).parent.parent
_LAND = _HERE / "podpac_lambda_widgets" / "widgets" / "static" / "land.json"
_TARGET = _HERE / "notebooks" / "data" / "distance-to-coast.tif"
#: IUGG's mean radius of the Earth, km.
_RADIUS = 6371.0088
#: Degrees between the points that stand for the coast.
_STEP = 0.1


def read_outlines(text: str, unit: float) -> list[Any]:
    """Points of each part of an SVG path of relative lines, shape (points, 2): longitude, latitude."""
    parts = []
    for part in re.findall(r"M[^M]+", text):
        points = np.array([int(each) for each in re.findall(r"-?\d+", part)]).reshape(-1, 2).cumsum(axis=0) * unit
        parts.append(np.vstack([points, points[:1]]) if part.endswith("z") else points)
    return parts


def on_sphere(lon: Any, lat: Any) -> Any:
    """Unit vectors, shape (points, 3)."""
    lon, lat = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def densify(points: Any) -> Any:
    """Points along a line, at most a step apart."""
    lengths = np.concatenate([[0], np.abs(np.diff(points, axis=0)).max(axis=1).cumsum()])
    along = np.linspace(0, lengths[-1], int(lengths[-1] / _STEP) + 2)
    return np.stack([np.interp(along, lengths, points[:, axis]) for axis in (0, 1)], axis=-1)


def main() -> None:
    """Write the raster."""
    book = json.loads(_LAND.read_text("utf-8"))
    coast = read_outlines(book["land"], book["unit"])
    lon, lat = np.meshgrid(np.arange(-179.5, 180), np.arange(89.5, -90, -1))
    cells = np.stack([lon.ravel(), lat.ravel()], axis=-1)
    crossings = sum(Outline(each).contains_points(cells) for each in coast + read_outlines(book["cap"], book["unit"]))
    chords, _ = cKDTree(on_sphere(*np.vstack([densify(each) for each in coast]).T)).query(on_sphere(*cells.T))
    distances = 2 * np.arcsin(chords / 2) * _RADIUS * np.where(crossings % 2, -1, 1)
    _TARGET.parent.mkdir(exist_ok=True)
    profile = {
        "driver": "GTiff", "width": 360, "height": 180, "count": 1, "dtype": "int16", "crs": "EPSG:4326",
        "transform": rasterio.Affine(1, 0, -180, 0, -1, 90), "compress": "deflate", "predictor": 2,
    }  # fmt: skip
    with rasterio.open(_TARGET, "w", **profile) as made:
        made.write(distances.round().astype(np.int16).reshape(180, 360), 1)
        made.update_tags(source=book["source"], licence="public domain", units="km")
    print(f"{_TARGET.name}: {_TARGET.stat().st_size:,} bytes")  # noqa: T201


if __name__ == "__main__":
    main()
