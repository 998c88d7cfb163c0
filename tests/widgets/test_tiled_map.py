"""The rectangle of ipyleaflet's map and the form's region are the same, whoever moves it."""

from __future__ import annotations

import importlib.util
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpac_lambda_widgets.widgets import tiled_map
from podpac_lambda_widgets.widgets.pipeline_form import PipelineForm
from podpac_lambda_widgets.widgets.tiled_map import region_of_feature
from podpac_lambda_widgets.widgets.worker import Worker


def refuse_stack() -> Any:
    raise AssertionError("nothing is to be run")


@pytest.fixture
def form(front_end: Any) -> PipelineForm:
    """A Run form, in which somebody has asked for the map."""
    form = PipelineForm(Worker(), refuse_stack, dict)
    front_end.send(form, {"type": "tiles", "view": "v"})
    return form


def rectangle(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    ring = [[west, south], [west, north], [east, north], [east, south], [west, south]]
    return {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def drawn(form: PipelineForm) -> list[Any]:
    return [region_of_feature(each) for each in form.tiles._drawing.data]


def draw(form: PipelineForm, *features: object) -> None:
    """Draw as the page tells of it: on a thread of its own."""
    data = list(features)
    message = {"method": "update", "state": {"data": data}, "buffer_paths": []}
    thread = threading.Thread(
        target=form.tiles._drawing._handle_msg, args=({"content": {"data": message}, "buffers": []},)
    )
    thread.start()
    thread.join()
    form.wait(5)


def test_there_is_no_map_before_somebody_asks_for_it() -> None:
    form = PipelineForm(Worker(), refuse_stack, dict)
    assert form.tiles.map is None
    assert "openstreetmap" not in str(form.get_state())


def test_the_map_begins_with_the_region_that_there_is(form: PipelineForm) -> None:
    assert drawn(form) == [[-90, -90, 90, 90]]


def test_what_is_drawn_is_the_region_and_nothing_else_stays(form: PipelineForm) -> None:
    draw(form, *form.tiles._drawing.data, rectangle(-20, 10, 40, 60))
    assert form.map["region"] == [-20, 10, 40, 60]
    assert form.fields["lat_last"]["value"] == "60"
    assert drawn(form) == [[-20, 10, 40, 60]]


def test_numbers_that_are_typed_move_the_rectangle(form: PipelineForm) -> None:
    form.enter("lat_first", "5.123456")
    assert drawn(form) == [[-90, 5.1235, 90, 90]]
    # Nothing was drawn, and nothing is less exact for it.
    draw(form, *form.tiles._drawing.data, "odd")
    assert form.map["region"] == [-90, 5.123456, 90, 90]


def test_a_rectangle_across_the_date_line_goes_on_beyond_it(form: PipelineForm) -> None:
    draw(form, rectangle(-190, -10, -160, 20))
    assert form.map["region"] == [170, -10, 200, 20]


@pytest.mark.parametrize(
    "odd", [None, 5, "<b>", {}, {"geometry": None}, {"geometry": {"coordinates": [[]]}}, rectangle(1, 2, 1, 2)]
)
def test_what_is_no_rectangle_changes_nothing(form: PipelineForm, odd: object) -> None:
    draw(form, odd)
    assert form.map["region"] == [-90, -90, 90, 90]
    assert drawn(form) == [[-90, -90, 90, 90]]


@given(st.floats(-720, 720), st.floats(0.1, 720), st.floats(-120, 120), st.floats(0.1, 200))
def test_every_rectangle_is_a_region_on_the_earth(west: float, wide: float, south: float, high: float) -> None:
    region = region_of_feature(rectangle(west, south, west + wide, south + high))
    if region is None:
        # All of it is beyond a pole.
        assert south > 89.9 or south + high < -89.9
        return
    assert -180 <= region[0] <= 180
    assert region[0] <= region[2] <= region[0] + 360.001
    assert region[1] >= -90
    assert region[3] <= 90


def test_without_ipyleaflet_nothing_of_it_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tiled_map.probe_tile()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert tiled_map.probe_tile() == ""
