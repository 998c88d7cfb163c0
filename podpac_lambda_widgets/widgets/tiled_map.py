"""A map of tiles to draw the region on, beside our own: for who has ipyleaflet and the tile server, and asks for it."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from podpac_lambda_widgets.widgets.pipeline_form import PipelineForm

_TILES = "https://tile.openstreetmap.org/{z}/{x}/{y}.png"
_ATTRIBUTION = "© OpenStreetMap contributors"
#: Of degrees, ten metres on the ground: no pointer is as exact.
_DIGITS = 4
_STYLE = {"shapeOptions": {"color": "#0f766e", "weight": 2, "fillOpacity": 0.14}}


def probe_tile() -> str:
    """The address of a tile, by which a page finds out whether there are any; empty where ipyleaflet is not installed.

    Nobody asks for it before a person has chosen this map.
    """
    return _TILES.format(z=0, x=0, y=0) if importlib.util.find_spec("ipyleaflet") else ""


class TiledMap:
    """Makes the map when it is first asked for, and keeps its rectangle and the form's region the same.

    Parameters
    ----------
    form : PipelineForm
        Has the region; what is drawn here comes to it as what is drawn on its own map does.
    """

    def __init__(self, form: PipelineForm) -> None:
        self._form = form
        self._drawing: Any = None
        #: The ipyleaflet map, once it was asked for.
        self.map: Any = None

    def show(self, view: object) -> None:
        """Have a view of the page show the map."""
        if self.map is None:
            self._make()
        self._form.send({"type": "tiles", "view": view, "model": self.map.model_id})

    def _make(self) -> None:
        # Half a second, and not everybody has it.
        import ipyleaflet

        tiles = ipyleaflet.TileLayer(url=_TILES, attribution=_ATTRIBUTION, no_wrap=False)
        self.map = ipyleaflet.Map(layers=[tiles], zoom=1, scroll_wheel_zoom=True, center=(20, 0), min_zoom=1)
        self._drawing = ipyleaflet.DrawControl(
            rectangle=_STYLE, polyline={}, polygon={}, circlemarker={}, remove=False, edit=True
        )
        self.map.add(self._drawing)
        self.map.layout.height = "320px"
        self._follow()
        self._form.observe(lambda change: self._follow(), names="map")
        # On whatever thread the kernel chose; see worker.py.
        self._drawing.observe(lambda change: self._form.worker.call(self._take), names="data")

    def _follow(self) -> None:
        """Draw the form's region, and nothing else."""
        data = self._wanted()
        if [region_of_feature(each) for each in self._drawing.data] != [region_of_feature(each) for each in data]:
            self._drawing.data = data

    def _wanted(self) -> list[dict[str, Any]]:
        region = self._form.map.get("region")
        return [_feature(region)] if region else []

    def _take(self) -> None:
        """Give the form what was drawn last: a rectangle is drawn beside the one that is there."""
        known = [None, *map(region_of_feature, self._wanted())]
        drawn = [region for each in self._drawing.data if (region := region_of_feature(each)) not in known]
        if drawn:
            self._form.handle_message({"type": "region", "region": drawn[-1]}, ())
        self._follow()


def _feature(region: Sequence[float]) -> dict[str, Any]:
    west, south, east, north = region
    ring = [[west, south], [west, north], [east, north], [east, south], [west, south]]
    return {
        "type": "Feature",
        "properties": {"style": _STYLE["shapeOptions"]},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def region_of_feature(feature: object) -> list[float] | None:
    """West, south, east and north of a rectangle in GeoJSON, the west between -180 and 180, or None."""
    try:
        [ring] = feature["geometry"]["coordinates"]  # type: ignore[index]  # whatever the page has sent
        lons, lats = zip(*((float(lon), float(lat)) for lon, lat, *_ in ring), strict=True)
    except (TypeError, KeyError, ValueError):
        return None
    turns = 360 * ((min(lons) + 180) // 360)
    west, east = min(lons) - turns, min(max(lons), min(lons) + 360) - turns
    south, north = max(-90.0, min(lats)), min(90.0, max(lats))
    west, south, east, north = (round(each, _DIGITS) for each in (west, south, east, north))
    return [west, south, east, north] if west < east and south < north else None
