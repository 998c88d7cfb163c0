"""The main job, as a person does it: from nothing to a plotted array, and back to nothing."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

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
from podpac_lambda_widgets import plots
where = podpac.Coordinates([clinspace(-90, 90, 180), clinspace(90, -90, 180), "2018-01-01"], ["lat", "lon", "time"])
local = podpac.algorithm.SinCoords().eval(where)
print(json.dumps({
    "equal": studio.result.dims == local.dims and studio.result.values.tobytes() == local.values.tobytes(),
    "coordinates": all(np.array_equal(studio.result[dim].values, local[dim].values) for dim in local.dims),
    "values": base64.b64encode(local.values.tobytes()).decode(),
    "png": base64.b64encode(plots.render_png(plots.draw(local.rename("SinCoords")))).decode(),
}))
"""
_FETCH = """async image => {
    const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer());
    let text = '';
    bytes.forEach(byte => { text += String.fromCharCode(byte); });
    return btoa(text);
}"""


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
    lab.page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=image.element_handle())
    local = read_last_line(lab.run_code(_LOCAL))
    assert local["equal"] and local["coordinates"]
    shown = read_pixels(base64.b64decode(image.evaluate(_FETCH)))
    np.testing.assert_array_equal(shown, read_pixels(base64.b64decode(local["png"])))
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
