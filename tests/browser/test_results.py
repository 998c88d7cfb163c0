"""The Results form in a real page, without AWS: what is painted, moved, read and saved."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

MAKE = """
import numpy as np, xarray as xr
from podpac_lambda_widgets.widgets.result_view import ResultView
rng = np.random.default_rng(0)
lat, lon = np.linspace(80, -80, 17), np.linspace(-170, 170, 35)
times = np.array(["2018-01-01", "2018-01-02", "2018-02-01"], "datetime64[ns]")
cube = xr.DataArray(rng.random((3, 17, 35)), {"time": times, "lat": lat, "lon": lon}, ("time", "lat", "lon"), "soil")
cube.attrs["units"] = "mm"
view = ResultView()
view.show_array(cube)
"""
#: What is painted on the canvas, without what lies over it.
_PAINTED = "canvas => canvas.toDataURL('image/png').split(',')[1]"


def painted(canvas: Any) -> Any:
    png = base64.b64decode(canvas.evaluate(_PAINTED))
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA")).astype(int)


def expected(values: Any, shape: tuple[int, int], low: float, high: float, name: str = "viridis") -> Any:
    """Colours of the cells (north first) under the middles of so many pixels."""
    rows, columns = (
        ((np.arange(size) + 0.5) * count / size).astype(int) for size, count in zip(shape, values.shape, strict=True)
    )
    part = (values[np.ix_(rows, columns)] - low) / (high - low)
    return (mpl.colormaps[name](part)[..., :3] * 255).round()


def check_painted(canvas: Any, values: Any, low: float, high: float, name: str = "viridis") -> None:
    image = painted(canvas)
    off = np.abs(image[..., :3] - expected(values, image.shape[:2], low, high, name)).max(axis=2)
    # A pixel on the border of two cells may be of either, and a value on that of two colours too.
    assert (off > 4).mean() < 0.01
    assert np.ptp(image[..., :3], axis=(0, 1)).max() > 150


def find_barriers(page: Any) -> list[Any]:
    """What axe-core finds serious or critical in the forms."""
    found = Axe().run(page, context=".plw").response["violations"]
    return [
        (each["id"], [node["html"][:200] for node in each["nodes"]])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


@pytest.fixture
def cube() -> Any:
    return np.random.default_rng(0).random((3, 17, 35))


@pytest.fixture
def form(lab: Any) -> Any:
    """A notebook with a result, twice; the first view of it."""
    lab.write("results.ipynb", MAKE, "view", "view")
    lab.open("results.ipynb")
    assert lab.run_all()
    root = lab.page.locator(".jp-OutputArea .plw").first
    root.locator("canvas").wait_for(timeout=30_000)
    lab.page.wait_for_function("canvas => canvas.width > 300", arg=root.locator("canvas").element_handle())
    return root


def moved(lab: Any, form: Any, text: str) -> None:
    expect(form.locator(".plw-slider output")).to_have_text(text)


def test_a_result_is_painted_moved_read_and_saved(lab: Any, form: Any, cube: Any) -> None:
    canvas = form.get_by_role("img", name="Map of soil over time, lat and lon")
    low, high = cube.min(), cube.max()
    check_painted(canvas, cube[0], low, high)

    # By the keyboard alone: another time, in both views.
    slider = form.get_by_role("slider", name="Time")
    slider.focus()
    lab.page.keyboard.press("ArrowRight")
    moved(lab, form, "2018-01-02")
    assert slider.get_attribute("aria-valuetext") == "2018-01-02"
    check_painted(canvas, cube[1], low, high)
    second = lab.page.locator(".jp-OutputArea .plw").nth(1)
    second.scroll_into_view_if_needed()
    moved(lab, second, "2018-01-02")
    check_painted(second.locator("canvas"), cube[1], low, high)
    form.scroll_into_view_if_needed()

    # Other colours, by the field and by code.
    form.get_by_label("Colour map", exact=True).select_option("cividis")
    expect(form.get_by_label("Reversed", exact=True)).not_to_be_checked()
    lab.run_code("view.display.reversed = True")
    expect(form.get_by_label("Reversed", exact=True)).to_be_checked()
    check_painted(canvas, cube[1], low, high, "cividis_r")

    # A value under the pointer; the lines through it; from there on by the arrow keys.
    box = canvas.bounding_box()
    lab.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    inspected = form.locator(".plw-inspected")
    expect(inspected).to_contain_text(f"{cube[1, 8, 17]:.6g} mm")
    lab.page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    profile = form.get_by_role("img", name="soil (mm) along Time")
    expect(profile).to_be_visible()
    assert profile.locator(".plw-dot").count() == 3
    form.locator(".plw-surface").focus()
    lab.page.keyboard.press("ArrowRight")
    expect(inspected).to_contain_text(f"{cube[1, 8, 18]:.6g} mm")
    lab.page.keyboard.press("ArrowUp")
    expect(inspected).to_contain_text(f"{cube[1, 7, 18]:.6g} mm")
    expect(form.locator(".plw-result [role=status]")).to_contain_text("Latitude 10° N, Longitude 10° E")
    assert find_barriers(lab.page) == []
    lab.page.keyboard.press("Escape")
    expect(profile).to_have_count(0)

    # The coast lies over a map, and goes when it is not wanted.
    land = form.locator("[data-part=land] path")
    expect(land.first).to_be_attached()
    form.get_by_label("Coastline", exact=True).uncheck()
    expect(land).to_have_count(0)

    # A file comes by a buffer, and the notebook stays as small as it was.
    before = len(lab.save("results.ipynb"))
    with lab.page.expect_download() as downloading:
        form.get_by_role("button", name="Download CSV").click()
    table = pd.read_csv(downloading.value.path(), comment="#")
    assert downloading.value.suggested_filename == "soil.csv"
    np.testing.assert_allclose(table.soil.values.reshape(cube.shape), cube, rtol=1e-9)
    assert len(lab.save("results.ipynb")) < before + 200

    # Where it lies in the bucket, to be copied; here in none.
    link = form.get_by_role("button", name="Zarr link")
    expect(link).to_have_attribute("aria-disabled", "true")
    lab.run_code("view.zarr = 's3://b/x.zarr'")
    expect(form.locator(".plw-zarr pre")).to_have_text(["s3://b/x.zarr", 'xarray.open_zarr("s3://b/x.zarr")'])
    expect(form.get_by_role("button", name="Copy the address")).to_be_visible()
    lab.run_code("view.zarr = ''")
    expect(form.locator(".plw-zarr")).to_be_hidden()

    # The array becomes a variable; one that is there is not replaced unasked.
    form.get_by_role("button", name="Put into the notebook").click()
    expect(form.locator(".plw-status")).to_contain_text("In the notebook as result")
    assert lab.run_code("print(result.identical(cube))").strip() == "True"
    lab.run_code("result = 'mine'")
    form.get_by_role("button", name="Put into the notebook").click()
    expect(form.get_by_role("button", name="Keep it")).to_be_focused()
    lab.page.keyboard.press("Escape")
    assert lab.run_code("print(result)").strip() == "mine"
    assert lab.complaints == []


def test_what_results_there_are_and_a_page_that_is_loaded_again(lab: Any, form: Any, cube: Any) -> None:
    values = "view.show_array(xr.DataArray({}))"
    for array, sentence in {
        "np.zeros((0, 3)), dims=('lat', 'lon')": "The result has no values: lat has no points.",
        "np.full((2, 2), np.nan), dims=('lat', 'lon')": "Every value of the result is missing (NaN).",
        "['a'], dims='x'": "which are no numbers",
    }.items():
        lab.run_code(values.format(array))
        expect(form.locator(".plw-empty")).to_contain_text(sentence)
        expect(form.locator("canvas")).to_be_hidden()
    lab.run_code(values.format("3.25, name='depth', attrs={'units': 'm'}"))
    expect(form.locator(".plw-value")).to_have_text("3.25 m")
    expect(form.get_by_text("The result has one point.")).to_be_visible()
    lab.run_code(values.format("np.arange(1000.) ** 2, dims='x', name='line'"))
    line = form.get_by_role("img", name="Line plot of line over x, from 0 to 998001.")
    expect(line.locator(".plw-line")).to_be_visible()
    lab.run_code(values.format("np.ones((2, 3, 4, 5, 6)), dims=list('abcde')"))
    expect(form.get_by_role("slider")).to_have_count(3)
    expect(form.get_by_text("Two of the 5 dimensions are drawn; sliders go through the others.")).to_be_visible()
    assert (
        lab.page.evaluate(
            "Math.max(...[...document.querySelectorAll('.plw *')].map(n => n.getBoundingClientRect().right))"
        )
        < 1400
    )

    # Uneven cells: the first of three points is a tenth as wide as the last.
    lab.run_code(values.format("[[0., 1, 2], [0, 1, 2]], {'y': [0, 1], 'x': [0., 1, 11]}, ('y', 'x')"))
    canvas = form.locator("canvas")
    expect(canvas).to_be_visible()
    lab.page.wait_for_function(
        "canvas => canvas.getContext('2d').getImageData(1, 1, 1, 1).data[0] === 68", arg=canvas.element_handle()
    )
    row = painted(canvas)[5, :, :3]
    widths = [int((np.abs(row - colour).max(axis=1) < 3).sum()) for colour in ([68, 1, 84], [253, 231, 37])]
    assert widths[1] / widths[0] == pytest.approx(10, rel=0.06)

    lab.run_code("view.show_array(cube)")
    lab.save("results.ipynb")
    lab.open("results.ipynb")
    again = lab.page.locator(".jp-OutputArea .plw").first
    lab.page.wait_for_function("canvas => canvas.width > 300", arg=again.locator("canvas").element_handle())
    expect(again.get_by_role("slider", name="Time")).to_be_visible()
    check_painted(again.locator("canvas"), cube[0], cube.min(), cube.max())
    saved = json.loads((lab.server.root / "results.ipynb").read_text())
    assert len(json.dumps(saved)) < 20_000
    assert lab.complaints == []
