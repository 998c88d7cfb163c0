"""The Results form without a browser: what it shows, says, compares and hands out."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr
from PIL import Image

from podpac_lambda_widgets import plots
from podpac_lambda_widgets.engine.results import Result
from podpac_lambda_widgets.errors import (
    ConfirmationRequiredError,
    DependencyMissingError,
    InvalidValueError,
    ResultError,
)
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.pipeline import Pipeline
from podpac_lambda_widgets.remote.encoders import choose_encoder
from podpac_lambda_widgets.remote.netcdf import decode_array
from podpac_lambda_widgets.remote.outputs import read_output
from podpac_lambda_widgets.remote.s3 import StackBucket
from podpac_lambda_widgets.widgets.result_files import write_csv, write_netcdf
from podpac_lambda_widgets.widgets.result_origin import describe_origin, mask_account, origin_attrs
from podpac_lambda_widgets.widgets.result_preparation import Asked
from podpac_lambda_widgets.widgets.result_view import ResultView, prepare_result

TIMES = np.array(["2018-01-01", "2018-01-02", "2018-02-01"], "datetime64[ns]")
LAT, LON = [60.0, 20.0, -20.0, -60.0], [0.0, 30.0, 60.0, 90.0, 120.0]


def cube(name: str = "soil") -> xr.DataArray:
    values = np.arange(60.0).reshape(3, 4, 5)
    return xr.DataArray(values, {"time": TIMES, "lat": LAT, "lon": LON}, ("time", "lat", "lon"), name, {"units": "mm"})


class Front:
    """A page: what it sends, and what it was sent."""

    def __init__(self, view: ResultView) -> None:
        self.view = view
        self.got: list[tuple[dict[str, Any], list[bytes]]] = []
        view.send = self._receive

    def _receive(self, content: dict[str, Any], buffers: Any = None) -> None:
        # What a field offers comes unasked.
        if content["type"] != "choices":
            self.got.append((content, buffers or []))

    def ask(self, kind: str, **more: Any) -> tuple[dict[str, Any], list[bytes]]:
        """Send a message, and return the last that came."""
        self.got.clear()
        self.view.handle_message({"type": kind, "view": "v", **more}, [])
        self.view.worker.wait(30)
        return self.got[-1]

    def raster(self, width: int = 100, height: int = 100) -> Any:
        content, buffers = self.ask("picture", width=width, height=height)
        values = np.frombuffer(buffers[0], np.float32).reshape(content["shape"])
        return values * content["scale"] + content["offset"]


@pytest.fixture
def variables() -> dict[str, Any]:
    return {}


@pytest.fixture
def view(variables: dict[str, Any]) -> ResultView:
    return ResultView(variables=lambda: variables, set_variable=variables.__setitem__)


@pytest.fixture
def front(view: ResultView) -> Front:
    return Front(view)


@pytest.fixture
def make_result() -> Any:
    """Makes a result as a run gives it."""

    def make_result(**told: Any) -> Result:
        return Result(
            array=cube(), timings={}, versions={"podpac": "4.0.1"}, elapsed=1.25, request_id="r-1", log="",
            billed_ms=900, memory_mb=128, **told,
        )  # fmt: skip

    return make_result


def hidden(view: ResultView, name: str) -> bool:
    return bool(view.fields[name].get("hidden"))


def test_without_a_result_every_output_is_off_and_says_why(view: ResultView) -> None:
    assert view.standing == "waiting" and view.picture == {}
    assert all(view.buttons[name]["disabled"] for name in ("download_netcdf", "download_csv", "put"))
    for attempt in (lambda: view.encode("png"), lambda: view.put("a"), lambda: view.slide("time", 1)):
        with pytest.raises(ResultError, match="no result yet"):
            attempt()


def test_a_slider_moves_the_plane(view: ResultView, front: Front) -> None:
    view.show_array(cube())
    content, _ = front.ask("picture", width=50, height=50)
    [slider] = content["sliders"]
    assert slider == {"dim": "time", "label": "Time", "size": 3, "index": 0, "text": "2018-01-01"}
    moved, _ = front.ask("slide", dim="time", index=2)
    assert moved["sliders"][0]["text"] == "2018-02-01"
    np.testing.assert_allclose(front.raster()[::-1], cube().values[2], atol=1e-4)


def test_what_a_page_makes_up_is_ignored(view: ResultView, front: Front) -> None:
    view.show_array(cube())
    for message in (
        {"type": "slide", "dim": "height", "index": 1},
        {"type": "slide", "dim": "time", "index": "many"},
        {"type": "picture", "width": -5, "height": float("nan")},
        {"type": "picture", "width": 10**9, "height": 10**12},
        {"type": "inspect", "column": 10**8, "row": -(10**8)},
        {"type": "inspect", "x": None},
        {"type": "inspect", "x": {"a": 1}, "y": [2]},
        {"type": "inspect", "x": float("nan"), "y": float("inf")},
    ):
        view.handle_message(message, [])
    assert front.raster(2048, 2048).shape == (4, 5)


def test_colours_are_sent_alone_when_only_they_change(view: ResultView, front: Front) -> None:
    view.show_array(cube())
    front.ask("picture", width=50, height=50)
    front.got.clear()
    view.display.colour_map = "cividis"
    [(content, [table])] = front.got
    assert content["type"] == "colours" and len(table) == 768
    view.display.limits = "robust"
    assert front.got[-1][0]["low"] == pytest.approx(np.percentile(cube().values, 2))
    view.display.set_trait("low", 10.0)
    view.display.set_trait("high", 20.0)
    view.display.limits = "own"
    assert (front.got[-1][0]["low"], front.got[-1][0]["high"]) == (10, 20)
    assert (front.got[-1][0]["below"], front.got[-1][0]["above"]) == (True, True)


def test_form_and_model_move_each_other(view: ResultView) -> None:
    view.show_array(cube())
    view.handle_message({"type": "input", "name": "colour_map", "value": "magma"}, [])
    assert view.display.colour_map == "magma"
    view.display.reversed = True
    assert view.fields["reversed"]["value"] is True
    view.handle_message({"type": "input", "name": "colour_map", "value": "<script>"}, [])
    assert view.display.colour_map == "magma" and view.fields["colour_map"]["error"]


def test_limits_the_wrong_way_round_are_said_beside_the_field_and_not_drawn(view: ResultView, front: Front) -> None:
    view.show_array(cube())
    front.ask("picture", width=50, height=50)
    view.display.low, view.display.high = 9.0, 3.0
    front.got.clear()
    view.display.limits = "own"
    assert "above the lowest" in view.fields["high"]["warning"]
    assert front.got == []
    assert not hidden(view, "low") and not hidden(view, "high")


def test_fields_show_only_where_they_mean_something(view: ResultView) -> None:
    view.show_array(cube())
    assert [hidden(view, name) for name in ("coastline", "plane", "colour_map", "compare")] == [
        False,
        False,
        False,
        True,
    ]
    view.show_array(cube().isel(lat=0, lon=0), "line")
    assert [hidden(view, name) for name in ("coastline", "plane", "colour_map", "compare")] == [True, True, True, False]
    view.show_array(xr.DataArray([[1, 2], [2, 3]], dims=("y", "x")))
    assert [hidden(view, name) for name in ("coastline", "limits", "colour_map")] == [True, True, False]


def test_another_plane_can_be_chosen(view: ResultView, front: Front) -> None:
    view.show_array(cube())
    assert not hidden(view, "coastline")
    view.display.plane = "time × lon"
    assert hidden(view, "coastline")
    content, _ = front.ask("picture", width=50, height=50)
    assert (content["y"]["kind"], content["x"]["kind"]) == ("time", "lon")
    assert [slider["dim"] for slider in content["sliders"]] == ["lat"]
    assert view.picture["map"] is False


def test_a_point_is_read_by_place_and_by_cell(view: ResultView, front: Front) -> None:
    view.show_array(cube())
    by_place, _ = front.ask("inspect", x=31, y=19)
    by_cell, _ = front.ask("inspect", column=by_place["column"], row=by_place["row"])
    assert by_place == by_cell
    assert by_place["values"] == [["soil", "6 mm"]]
    assert ["Latitude", "20° N"] in by_place["places"]
    assert view.inspect(31, 19).value == [("soil", "6 mm")]


def test_lines_through_a_point_are_sent_to_the_view_that_asked(view: ResultView, front: Front) -> None:
    view.show_array(cube())
    content, [x, y] = front.ask("profile", x=31, y=19)
    assert content["view"] == "v" and [line["x"]["kind"] for line in content["lines"]] == ["time"]
    assert np.frombuffer(y).tolist() == [6, 26, 46]
    assert np.frombuffer(x)[0] == 1514764800000


def test_one_dimension_is_a_line_and_none_a_value(view: ResultView, front: Front) -> None:
    view.show_array(cube().isel(lat=0, lon=1))
    content, [_, y] = front.ask("picture", width=50, height=50)
    assert content["kind"] == "line" and np.frombuffer(y).tolist() == [1, 21, 41]
    view.show_array(cube().isel(lat=[0], lon=[1], time=[2]))
    content, _ = front.ask("picture", width=50, height=50)
    assert (content["kind"], content["text"]) == ("value", "41 mm")


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (xr.DataArray(np.zeros((0, 3)), dims=("lat", "lon")), "The result has no values: lat has no points."),
        (xr.DataArray(np.full((2, 2), np.nan), dims=("lat", "lon")), "Every value of the result is missing (NaN)."),
        (xr.DataArray(["a", "b"], dims="x"), "The result holds <U1 values, which are no numbers."),
    ],
)
def test_what_cannot_be_drawn_is_said_in_a_sentence(
    view: ResultView, front: Front, array: xr.DataArray, sentence: str
) -> None:
    view.show_array(array)
    assert view.picture["kind"] == "sentence"
    assert view.picture["sentence"].startswith(sentence)
    assert view.standing == "done"
    view.handle_message({"type": "picture", "width": 9, "height": 9}, [])
    assert front.got == []


@pytest.mark.parametrize(
    ("array", "remark"),
    [
        (cube() * (1 + 1j), "The values are complex: drawn is their magnitude."),
        (
            xr.DataArray(TIMES, dims="x", name="when"),
            "The values are dates: the earliest is at the low end.",
        ),
        (
            xr.DataArray(TIMES - TIMES[0], dims="x", name="since"),
            "The values are spans of time: drawn are their seconds.",
        ),
        (cube()[:1, :1, :1], "The result has one point."),
        (xr.DataArray(3.25), "The result has one point."),
        (
            xr.DataArray(np.zeros((2, 2, 2, 2, 2)), dims=list("abcde")),
            "Two of the 5 dimensions are drawn; sliders go through the others.",
        ),
        (cube().where(cube() > 3, np.inf), "Infinite values are drawn as missing ones are."),
        (
            cube().assign_coords(lat=[60.0, 20.0, 10.0, -60.0]),
            "The points along lat are unevenly spaced, and so are their cells.",
        ),
        (cube().assign_coords(lon=[120.0, 90.0, 60.0, 30.0, 0.0]), "lon falls in the result, and is drawn rising."),
        (
            cube().assign_coords(lat=[1.0, 3.0, 2.0, 4.0]),
            "The points along lat are in no order: they stand side by side.",
        ),
        (cube(), ""),
        (cube().isel(time=0, lat=0), ""),
    ],
)
def test_what_the_picture_does_not_say_is_said_beside_it(view: ResultView, array: xr.DataArray, remark: str) -> None:
    view.show_array(array)
    assert view.picture["kind"] == "picture"
    assert view.picture["remark"] == remark


def test_an_array_of_no_run_says_what_a_zarr_link_would_take(view: ResultView) -> None:
    view.show_array(cube())
    assert view.buttons["zarr"]["disabled"]
    assert view.buttons["zarr"]["note"] == "Only the result of a run has one: its function writes it into its bucket."
    with pytest.raises(ResultError, match="Only the result of a run"):
        view.write_zarr()


def test_five_dimensions_are_a_plane_with_three_sliders(view: ResultView, front: Front) -> None:
    array = xr.DataArray(np.arange(720.0).reshape(2, 3, 4, 5, 6), dims=list("abcde"))
    view.show_array(array)
    content, _ = front.ask("picture", width=50, height=50)
    assert [slider["dim"] for slider in content["sliders"]] == ["a", "b", "c"]
    for dim, index in (("a", 1), ("b", 2), ("c", 3)):
        front.ask("slide", dim=dim, index=index)
    np.testing.assert_allclose(front.raster(), array.values[1, 2, 3], atol=1e-3)


def test_a_plane_without_values_says_so_and_the_next_is_shown(view: ResultView, front: Front) -> None:
    array = cube()
    array[0] = np.nan
    view.show_array(array)
    assert front.ask("picture", width=50, height=50)[0]["empty"] is True
    assert front.ask("slide", dim="time", index=1)[0]["empty"] is False


def test_a_difference_has_its_own_colours_and_both_values(
    view: ResultView, front: Front, variables: dict[str, Any]
) -> None:
    view.show_array(cube())
    variables["other"] = cube() - 2
    view.shown()
    view.display.compare = "variable other"
    view.worker.wait(30)
    assert view.display.shown == "difference" and view.display.map_name == "RdBu_r"
    assert ["Largest difference", "2 mm"] in view.facts
    content, _ = front.ask("picture", width=50, height=50)
    assert content["low"] == -content["high"]
    point, _ = front.ask("inspect", x=0, y=60)
    assert point["values"] == [["soil", "0 mm"], ["other", "-2 mm"], ["Difference", "2 mm"]]
    view.display.compare = ""
    assert view.display.shown == "values" and view.display.map_name == "viridis"
    view.display.compare = "variable other"
    view.worker.wait(30)
    view.show_array(cube())
    assert view.display.shown == "values" and view.display.map_name == "viridis"


def test_the_result_before_can_be_compared_with(view: ResultView) -> None:
    view.show_array(cube())
    view.show_array(cube() + 1)
    [_, (choice, text)] = view.display.offered["compare"]
    assert text.startswith("soil, result of")
    view.display.compare = choice
    view.worker.wait(30)
    assert ["Mean difference", "1 mm"] in view.facts


def test_what_cannot_be_compared_is_a_card(view: ResultView, variables: dict[str, Any]) -> None:
    view.show_array(cube())
    variables["other"] = xr.DataArray([1.0, 2.0], dims="x")
    view.shown()
    view.display.compare = "variable other"
    view.worker.wait(30)
    assert "different dimensions" in view.card["why"]
    assert view.display.shown == "values"


def test_an_image_is_sent_as_colours(view: ResultView, front: Front) -> None:
    colours = np.random.default_rng(0).integers(0, 255, (4, 5, 3)).astype(np.uint8)
    view.show_array(xr.DataArray(colours, dims=("y", "x", "band")))
    content, [pixels, *_] = front.ask("picture", width=50, height=50)
    assert content["kind"] == "photo" and content["sliders"] == []
    shown = np.frombuffer(pixels, np.uint8).reshape(4, 5, 4)
    np.testing.assert_array_equal(shown[::-1, :, :3], colours)
    png = Image.open(io.BytesIO(view.encode("png")))
    np.testing.assert_array_equal(np.asarray(png)[..., :3], colours)
    view.display.shown = "values"
    assert front.ask("picture", width=50, height=50)[0]["kind"] == "raster"


def test_the_array_becomes_a_variable_and_replaces_none_unasked(view: ResultView, variables: dict[str, Any]) -> None:
    view.show_array(cube())
    view.handle_message({"type": "action", "name": "put"}, [])
    assert variables["result"].identical(cube()) and view.note == "In the notebook as result"
    variables["result"] = "mine"
    view.handle_message({"type": "action", "name": "put"}, [])
    assert variables["result"] == "mine" and "Replace it" in view.question
    view.handle_message({"type": "action", "name": "keep"}, [])
    assert variables["result"] == "mine" and view.question == ""
    with pytest.raises(ConfirmationRequiredError):
        view.put("result")
    view.handle_message({"type": "action", "name": "put"}, [])
    view.handle_message({"type": "action", "name": "replace"}, [])
    assert variables["result"].identical(cube())


@pytest.mark.parametrize("name", ["", "1st", "class", "a b", "a.b", "__import__('os')"])
def test_a_name_that_is_none_is_refused_beside_the_field(
    view: ResultView, variables: dict[str, Any], name: str
) -> None:
    view.show_array(cube())
    view.handle_message({"type": "input", "name": "variable", "value": name}, [])
    view.handle_message({"type": "action", "name": "put"}, [])
    assert view.fields["variable"]["error"]
    assert variables == {}
    with pytest.raises(InvalidValueError):
        view.put(name)


@pytest.mark.parametrize("name", ["netcdf", "geotiff", "png", "csv"])
def test_a_file_goes_to_the_view_that_asked_and_not_into_the_notebook(
    view: ResultView, front: Front, name: str
) -> None:
    view.show_array(cube())
    before = len(json.dumps(view.get_state(), default=str))
    file, [body] = front.ask("action", name=f"download_{name}")
    assert file["type"] == "file" and file["view"] == "v"
    assert file["name"] == "soil" + {"netcdf": ".nc", "geotiff": ".tif", "png": ".png", "csv": ".csv"}[name]
    assert body == view.encode(name)
    assert len(json.dumps(view.get_state(), default=str)) < before + 100


def test_a_file_that_cannot_be_made_says_why_where_the_button_is(view: ResultView) -> None:
    view.show_array(xr.DataArray([1.0, 2.0], dims="x"))
    view.handle_message({"type": "action", "name": "download_geotiff"}, [])
    view.worker.wait(30)
    assert "no dimension lat" in view.card["why"] and "netCDF" in view.card["next_step"]


def test_the_ending_of_a_name_says_which_kind_of_file(view: ResultView, tmp_path: Any) -> None:
    view.show_array(cube())
    assert decode_array(view.save(tmp_path / "a.nc").read_bytes()).equals(cube())
    assert view.save(tmp_path / "a.TIF").read_bytes()[:2] == b"II"
    with pytest.raises(ResultError, match="no kind of file"):
        view.save(tmp_path / "a.docx")


def test_the_png_shows_what_is_shown(view: ResultView) -> None:
    view.show_array(cube())
    view.slide("time", 2)
    view.display.colour_map = "cividis"
    image = np.asarray(Image.open(io.BytesIO(view.encode("png"))).convert("RGB"))
    expected = plots.draw(cube().isel(time=[2]), colour_map="cividis", limits=(0, 59))
    np.testing.assert_array_equal(image, np.asarray(Image.open(io.BytesIO(plots.render_png(expected))).convert("RGB")))


def test_where_a_result_comes_from_is_shown_and_in_every_file(
    view: ResultView, make_result: Any, variables: dict[str, Any]
) -> None:
    where = {"Function": "f", "Ran on": "AWS, eu-west-1", "Account": mask_account("123456789012")}
    asked = Asked(Pipeline({"a": {}}), CoordinatesDefinition({"coords": []}), "eval")
    view.show(prepare_result("sin", make_result(), where, asked=asked))
    told = dict(tuple(pair) for pair in view.origin)
    assert told["Account"] == "********9012" and told["Pipeline"] == '{"a": {}}' and told["Billed"] == "0.9 s"
    assert "f · AWS, eu-west-1 · 1.2 s" in view.folded["origin"]
    view.put("kept")
    assert variables["kept"].attrs["provenance_account"] == "********9012"
    assert decode_array(view.encode("netcdf")).attrs["provenance_ran_on"] == "AWS, eu-west-1"
    assert b"# provenance_function: f\n" in view.encode("csv")
    with rasterio.MemoryFile(view.encode("geotiff")) as memory, memory.open() as opened:
        assert opened.tags()["provenance_pipeline"] == '{"a": {}}'
    for text in (json.dumps(view.get_state(), default=str), str(variables)):
        assert "123456789012" not in text


def test_cost_is_that_of_the_memory_the_function_has(make_result: Any) -> None:
    origin = describe_origin(make_result(memory_size=2048), {}, "", datetime(2026, 1, 2, tzinfo=UTC))
    assert "2048 MB" in origin["Cost on AWS"] and origin["Arrived"] == "2026-01-02 00:00:00 UTC"
    on_arm = make_result(memory_size=2048, architecture="arm64")
    cheaper = describe_origin(on_arm, {}, "", datetime(2026, 1, 2, tzinfo=UTC))
    assert cheaper["Cost on AWS"] != origin["Cost on AWS"]
    assert set(origin_attrs(origin)) >= {"provenance_cost_on_aws", "provenance_time_taken"}


@pytest.mark.parametrize("dtype", ["float64", "int16", "complex128", "bool"])
def test_a_downloaded_geotiff_is_the_one_that_the_function_writes(view: ResultView, dtype: str) -> None:
    array = cube().astype(dtype)
    view.show_array(array)
    output = read_output({"format": "geotiff"})
    encode = choose_encoder(output.encoding, output.options, StackBucket("", "", "", ""))
    assert (view.encode("geotiff"), "geotiff") == encode(array)


def test_without_rasterio_a_geotiff_says_what_to_install(view: ResultView, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rasterio.io", None)
    view.show_array(cube())
    with pytest.raises(DependencyMissingError, match="pip install rasterio"):
        view.encode("geotiff")


def test_a_table_has_a_row_for_each_value() -> None:
    table = pd.read_csv(io.BytesIO(write_csv(cube())), comment="#")
    assert list(table.columns) == ["time", "lat", "lon", "soil"] and len(table) == 60
    row = table[(table.lat == 20) & (table.lon == 30) & table.time.str.startswith("2018-02-01")]
    assert row.soil.tolist() == [46]
    with pytest.raises(ResultError, match="too large"):
        write_csv(xr.DataArray(np.broadcast_to(np.float32(0), (3000, 2000)), dims=("a", "b")))


def test_netcdf_keeps_every_bit() -> None:
    assert decode_array(write_netcdf(cube())).identical(cube())


def test_the_code_draws_what_is_shown(view: ResultView, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "draw" not in view.as_code()
    view.show_array(cube())
    view.slide("time", 1)
    view.display.reversed = True
    view.display.limits = "robust"
    code = view.as_code()
    assert 'array.isel({"time": [1]})' in code and 'colour_map="viridis_r"' in code
    monkeypatch.chdir(tmp_path)
    exec(code, {"array": cube()})
    assert (tmp_path / "soil.png").read_bytes().startswith(b"\x89PNG")
    assert decode_array((tmp_path / "soil.nc").read_bytes()).identical(cube())


def test_the_code_of_a_run_takes_what_the_run_left(
    view: ResultView, make_result: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    view.show(prepare_result("soil", make_result(), {}))
    view.slide("time", 2)
    monkeypatch.chdir(tmp_path)
    exec(view.as_code(), {"result": make_result()})
    assert decode_array((tmp_path / "soil.nc").read_bytes()).identical(cube())
    drawn = plots.render_png(plots.draw(cube().isel(time=[2])))
    size = Image.open(io.BytesIO(drawn)).size
    saved = Image.open(io.BytesIO((tmp_path / "soil.png").read_bytes()))
    assert saved.width == pytest.approx(size[0] * 100 / 192, abs=2)


def test_the_code_of_a_difference_draws_the_difference(
    view: ResultView, variables: dict[str, Any], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables["before"] = cube() * 0.5
    view.show_array(cube())
    view.display.compare = "variable before"
    view.wait(30)
    view.slide("time", 1)
    code = view.as_code()
    assert "other = before  # a variable of the notebook" in code and 'found.isel({"time": [1]})' in code
    monkeypatch.chdir(tmp_path)
    exec(code, {"array": cube(), "before": variables["before"]})
    saved, shown = (Image.open(png) for png in (tmp_path / "soil-difference.png", io.BytesIO(view.encode("png"))))
    # The same picture, at another resolution.
    same = saved.convert("RGB").resize((200, 120)), shown.convert("RGB").resize((200, 120))
    assert np.abs(np.subtract(*(np.asarray(each).astype(int) for each in same))).mean() < 3
    view.display.shown = "values"
    assert "difference" not in view.as_code()
    # An array that was shown before, and is nowhere else.
    view.show_array(cube() + 1)
    view.display.compare = "result 0"
    view.wait(30)
    assert view.display.shown == "difference"
    assert "difference" not in view.as_code() and "draw(array)" in view.as_code()


def test_markup_in_names_and_attributes_stays_text(view: ResultView, front: Front) -> None:
    attack = "<img src=x onerror=alert(1)>"
    view.show_array(cube(attack).assign_attrs(units=attack, long_name=attack))
    content, _ = front.ask("picture", width=50, height=50)
    assert content["label"].startswith("<img")
    file, _ = front.ask("action", name="download_csv")
    assert file["name"] == "img_src_x_onerror_alert_1.csv"


def test_of_a_large_plane_only_as_many_values_are_sent_as_there_are_pixels(view: ResultView, front: Front) -> None:
    values = np.broadcast_to(np.random.default_rng(0).random((2000, 2000)), (3, 2000, 2000))
    view.show_array(xr.DataArray(values, dims=("time", "lat", "lon")))
    front.ask("picture", width=800, height=480)
    content, [body, *_] = front.ask("slide", dim="time", index=1)
    assert len(body) == 800 * 480 * 4
    assert content["thinned"] == "480 × 800 of 2,000 × 2,000 points are drawn, one for each pixel."
