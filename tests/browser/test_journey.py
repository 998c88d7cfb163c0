"""The main job, as a person does it: from nothing to a plotted array, and back to nothing."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from PIL import Image

_INVENTORY = """
import json
session = studio.credentials.connection.account.session
print(json.dumps({
    "buckets": [b["Name"] for b in session.client("s3").list_buckets()["Buckets"]],
    "functions": [f["FunctionName"] for f in session.client("lambda").list_functions()["Functions"]],
    "roles": [r["RoleName"] for r in session.client("iam").list_roles()["Roles"]],
    "policies": [p["PolicyName"] for p in session.client("iam").list_policies(Scope="Local")["Policies"]],
    "logs": [g["logGroupName"] for g in session.client("logs").describe_log_groups()["logGroups"]],
}))
"""
_LOCAL = """
import base64, json
import numpy as np, podpac
from podpac import clinspace
where = podpac.Coordinates([clinspace(-90, 90, 180), clinspace(90, -90, 180), "2018-01-01"], ["lat", "lon", "time"])
local = podpac.algorithm.SinCoords().eval(where)
print(json.dumps({
    "equal": studio.result.dims == local.dims and studio.result.values.tobytes() == local.values.tobytes(),
    "coordinates": all(np.array_equal(studio.result[dim].values, local[dim].values) for dim in local.dims),
    "values": base64.b64encode(local.values.tobytes()).decode(),
}))
"""
#: What is painted on the canvas, without what lies over it.
_FETCH = "canvas => canvas.toDataURL('image/png').split(',')[1]"


def read_last_line(text: str) -> Any:
    return json.loads(text.strip().splitlines()[-1])


def read_pixels(png: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


@pytest.mark.local_aws
@pytest.mark.archive
@pytest.mark.timeout(600)
def test_from_nothing_to_a_plotted_array_and_back(lab: Any, open_notebook: Any) -> None:
    studio = open_notebook("studio.ipynb")
    studio.button("Use embedded AWS").click()
    studio.wait_for("Connect")
    before = read_last_line(lab.run_code(_INVENTORY))
    studio.button("Build archives").click()
    studio.wait_for("Package", timeout=300_000)
    studio.button("Plan").click()
    studio.step("Deploy").get_by_role("cell", name="+ create").first.wait_for(timeout=60_000)
    assert read_last_line(lab.run_code(_INVENTORY)) == before
    studio.button("Build").click()
    studio.wait_for("Deploy")
    assert read_last_line(lab.run_code(_INVENTORY))["functions"] == ["podpac-lambda-autogen"]

    studio.button("Run").click()
    studio.wait_for("Results")
    image = studio.root.get_by_role("img", name="Map of SinCoords")
    image.scroll_into_view_if_needed()
    local = read_last_line(lab.run_code(_LOCAL))
    assert local["equal"] and local["coordinates"]
    values = np.frombuffer(base64.b64decode(local["values"])).reshape(180, 180)
    lab.page.wait_for_function("canvas => canvas.width > 400", arg=image.element_handle())
    check_picture(read_pixels(base64.b64decode(image.evaluate(_FETCH))), values)
    check_colours(read_pixels(image.screenshot()))

    with lab.page.expect_download() as downloading:
        studio.button("Download NetCDF").click()
    assert downloading.value.suggested_filename == "SinCoords.nc"
    with xr.open_dataarray(io.BytesIO(downloading.value.path().read_bytes())) as opened:
        assert opened.values.tobytes() == base64.b64decode(local["values"])
    saved = lab.save("studio.ipynb")
    assert len(saved) < 80_000

    studio.button("Delete").click()
    studio.button("Really delete").click()
    studio.step("Deploy").get_by_text("Deleted: nothing of it is left").wait_for(timeout=60_000)
    assert read_last_line(lab.run_code(_INVENTORY)) == before
    assert lab.complaints == []


def check_picture(pixels: Any, values: Any) -> None:
    """Each pixel has viridis' colour of the value whose cell it lies in: north is up, west is left."""
    height, width, _ = pixels.shape
    rows, columns = (((np.arange(size) + 0.5) * 180 / size).astype(int) for size in (height, width))
    # Latitudes rise in the array, longitudes fall.
    shown = values[np.ix_(179 - rows, 179 - columns)]
    part = (shown - values.min()) / (values.max() - values.min())
    expected = (mpl.colormaps["viridis"](part)[..., :3] * 255).round()
    off = np.abs(pixels - expected).max(axis=2)
    # A pixel whose middle is on the border of two cells may be of either.
    assert (off > 3).mean() < 0.01
    assert np.ptp(pixels, axis=(0, 1)).max() > 200


def check_colours(image: Any) -> None:
    """On the screen, the wave's crests are viridis' yellow and its troughs its purple."""
    height, width, _ = image.shape
    yellow = (np.abs(image - [253, 231, 37]).sum(axis=2) < 40).nonzero()
    purple = (np.abs(image - [68, 1, 84]).sum(axis=2) < 40).nonzero()
    wave = slice(0, int(width * 0.8))
    for rows, columns in (yellow, purple):
        inside = columns < wave.stop
        assert inside.sum() > 0.002 * height * width
        assert (rows[inside] < height / 2).any() and (rows[inside] > height / 2).any()
