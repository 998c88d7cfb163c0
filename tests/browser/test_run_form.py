"""What only a browser can show of the Run form: drawing on the map, its keys, and the node form."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect


@pytest.fixture
def studio(open_studio: Any) -> Any:
    return open_studio()


def map_frame(studio: Any) -> Any:
    frame = studio.step("Run").get_by_role("application", name="Map of the region")
    frame.scroll_into_view_if_needed()
    expect(frame.locator(".plw-map-land").first).to_be_attached()
    return frame


def drag(lab: Any, frame: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag from one place to another, each as longitude and latitude on a map from -180 to 180."""
    box = frame.locator("svg").bounding_box()

    def pixel(lon: float, lat: float) -> tuple[float, float]:
        return box["x"] + (lon + 180) / 360 * box["width"], box["y"] + (90 - lat) / 180 * box["height"]

    lab.page.mouse.move(*pixel(*start))
    lab.page.mouse.down()
    lab.page.mouse.move(*pixel((start[0] + end[0]) / 2, (start[1] + end[1]) / 2))
    lab.page.mouse.move(*pixel(*end))
    lab.page.mouse.up()


def values(studio: Any) -> list[float]:
    labels = ("Longitude, last", "Latitude, first", "Longitude, first", "Latitude, last")
    return [float(studio.field(label).input_value()) for label in labels]


def near(studio: Any, lab: Any, *wanted: float) -> None:
    """West, south, east and north in the fields are these, to a pixel."""
    for _ in range(50):
        if values(studio) == pytest.approx(wanted, abs=1.5):
            return
        lab.page.wait_for_timeout(100)
    assert values(studio) == pytest.approx(wanted, abs=1.5)


def test_a_region_is_drawn_moved_and_resized_with_the_pointer(lab: Any, studio: Any) -> None:
    frame = map_frame(studio)
    # Outside of the region that is there; to 190 degrees, which is beyond the date line.
    drag(lab, frame, (120, 50), (170, 10))
    near(studio, lab, 120, 10, 170, 50)
    drag(lab, frame, (145, 30), (125, 20))
    near(studio, lab, 100, 0, 150, 40)
    drag(lab, frame, (150, 40), (160, 60))
    near(studio, lab, 100, 0, 160, 60)
    drag(lab, frame, (130, 30), (175, 30))
    near(studio, lab, 145, 0, 205, 60)
    expect(studio.step("Run").get_by_text("crosses the date line")).to_be_visible()
    assert len(frame.locator(".plw-map-region").all()) == 3
    written = json.loads(studio.field("Coordinates").input_value())
    assert written["coords"][1]["start"] == pytest.approx(205, abs=1.5)
    lab.run_code("studio.pipeline.set_region(-10, -20, 30, 40)")
    near(studio, lab, -10, -20, 30, 40)
    expect(studio.step("Run").locator(".plw-map-said")).to_have_text("West −10°, south −20°, east 30°, north 40°")
    assert lab.complaints == []


def test_the_keys_move_and_resize_the_region_and_leave_the_page_where_it_is(lab: Any, studio: Any) -> None:
    lab.run_code("studio.pipeline.set_region(0, 0, 40, 20)")
    near(studio, lab, 0, 0, 40, 20)
    frame = map_frame(studio)
    frame.focus()
    before = frame.bounding_box()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Shift+ArrowRight", "Shift+ArrowDown", "Shift+ArrowDown"):
        lab.page.keyboard.press(key)
    near(studio, lab, 2, 1, 43, 19)
    assert values(studio) == [2, 1, 43, 19]
    assert frame.bounding_box() == before
    expect(
        studio.step("Run").get_by_role("status").filter(has_text="West 2°, south 1°, east 43°, north 19°")
    ).to_have_count(1)
    # No key leads off the Earth.
    for _ in range(100):
        lab.page.keyboard.press("ArrowUp")
    near(studio, lab, 2, 72, 43, 90)
    lab.page.keyboard.press("Tab")
    expect(studio.step("Run").get_by_role("button", name="Centre on 180°")).to_be_focused()


def test_a_pipeline_is_put_together_in_the_node_form(lab: Any, studio: Any) -> None:
    run = studio.step("Run")
    run.locator("summary").filter(has_text="NodesSinCoords").click()
    studio.field("Add a node").select_option("Mean")
    expect(run.get_by_role("button", name="Mean of SinCoords output")).to_have_attribute("aria-current", "true")
    expect(studio.field("source")).to_have_value("SinCoords")
    run.get_by_role("checkbox", name="lon").check()
    expect(studio.field("Pipeline")).to_have_value(re.compile('"dims"'))
    assert json.loads(studio.field("Pipeline").input_value()) == {
        "SinCoords": {"node": "core.algorithm.utility.SinCoords"},
        "Mean": {
            "node": "core.algorithm.stats.Mean",
            "inputs": {"source": "SinCoords"},
            "attrs": {"dims": ["lon"]},
        },
    }
    # The focus stays where it is when the fields are drawn anew.
    studio.field("Add a node").select_option("Arithmetic")
    studio.field("B").focus()
    studio.field("B").select_option("SinCoords")
    expect(studio.field("C")).to_be_visible()
    expect(studio.field("B")).to_be_focused()
    studio.type("eqn", "A + B * <img src=x onerror=window.attacked=1>")
    expect(studio.field("eqn")).to_have_attribute("aria-invalid", "true")
    studio.type("eqn", "A + B")
    expect(studio.field("eqn")).to_have_attribute("aria-invalid", "false")
    studio.type("Name of this node", "<b>Both</b>")
    expect(run.get_by_role("button", name="Remove <b>Both</b>")).to_be_visible()
    run.get_by_role("button", name="Remove Mean").click()
    expect(run.locator(".plw-nodes > li")).to_have_count(2)
    expect(studio.field("Pipeline")).not_to_have_value(re.compile("Mean"))
    # What is typed as JSON is in the node form at once.
    studio.type("Pipeline", '{"Wave": {"node": "core.algorithm.utility.SinCoords"}}')
    expect(run.locator(".plw-node-name")).to_have_text(["Wave"])
    assert lab.page.evaluate("() => window.attacked") is None
    assert lab.complaints == []


def _blue_tile() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (256, 256), (170, 211, 223)).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_map_with_tiles_is_there_for_who_asks_and_can_reach_them(lab: Any, studio: Any) -> None:
    lab.keep = False
    asked: list[str] = []
    tile = _blue_tile()
    reachable = False

    def answer(route: Any) -> None:
        asked.append(route.request.url)
        if reachable:
            route.fulfill(body=tile, content_type="image/png")
        else:
            route.abort()

    lab.page.route("https://tile.openstreetmap.org/**", answer)
    run = studio.step("Run")
    frame, choice = map_frame(studio), run.get_by_role("button", name="Map with tiles")
    assert asked == []
    choice.click()
    expect(run.get_by_text("The tile server cannot be reached from here.")).to_be_visible()
    expect(frame).to_be_visible()
    assert len(asked) == 1
    reachable = True
    choice.click()
    leaflet = run.locator(".leaflet-container")
    expect(leaflet).to_be_visible()
    expect(frame).to_be_hidden()
    expect(leaflet.locator("path.leaflet-interactive").first).to_be_attached()
    run.get_by_role("link", name="Draw a rectangle").click()
    box = leaflet.bounding_box()
    for x, y in ((0.2, 0.5), (0.3, 0.6), (0.4, 0.7)):
        lab.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        if x == 0.2:
            lab.page.mouse.down()
    lab.page.mouse.up()
    expect(studio.field("Longitude, first")).not_to_have_value("90")
    west, south, east, north = values(studio)
    assert -180 < west < east < 0
    assert -90 < south < north < 30
    lab.run_code("studio.pipeline.set_region(0, 0, 40, 20)")
    near(studio, lab, 0, 0, 40, 20)
    expect(leaflet.locator("path.leaflet-interactive")).to_have_count(1)
    choice.click()
    expect(frame).to_be_visible()
    expect(leaflet).to_be_hidden()
    assert lab.complaints == []
