"""Fields, map and text say the same of where and when, or which of them is in effect."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podpac_lambda_widgets.errors import InvalidValueError
from podpac_lambda_widgets.model.coordinates import DEFAULT_CRS
from podpac_lambda_widgets.widgets.pipeline_form import PipelineForm
from podpac_lambda_widgets.widgets.worker import Worker


def refuse_stack() -> Any:
    raise AssertionError("nothing is to be run")


@pytest.fixture
def form() -> PipelineForm:
    return PipelineForm(Worker(), refuse_stack, dict)


def draw(form: PipelineForm, front_end: Any, *region: float) -> None:
    front_end.send(form, {"type": "region", "region": list(region)})


def test_the_map_begins_with_the_tutorials_region(form: PipelineForm) -> None:
    assert form.map["region"] == [-90, -90, 90, 90]


def test_a_drawn_region_is_in_the_fields_and_in_the_text(form: PipelineForm, front_end: Any) -> None:
    draw(form, front_end, -20, 10, 40, 60)
    assert [form.fields[name]["value"] for name in ("lat_first", "lat_last", "lon_first", "lon_last")] == [
        "10", "60", "40", "-20",
    ]  # fmt: skip
    lat, lon, time = json.loads(form.evaluation.coordinates)["coords"]
    assert (lat["start"], lat["stop"], lon["start"], lon["stop"]) == (10, 60, 40, -20)
    assert time["values"] == ["2018-01-01"]
    assert form.map["region"] == [-20, 10, 40, 60]
    assert ["Points", "32,400"] in form.facts


def test_numbers_that_are_typed_move_the_region(form: PipelineForm, front_end: Any) -> None:
    front_end.type(form, "lat_first", "5")
    front_end.type(form, "lon_last", "-10")
    assert form.map["region"] == [-10, 5, 90, 90]


def test_traits_that_are_set_move_it_too(form: PipelineForm) -> None:
    form.grid.lat_first = 0
    form.set_region(0, 0, 10, 20)
    assert form.map["region"] == [0, 0, 10, 20]
    with pytest.raises(InvalidValueError, match="not on the Earth"):
        form.set_region(0, 0, 10, 95)


def test_a_region_across_the_date_line_goes_on_beyond_it_and_says_so(form: PipelineForm, front_end: Any) -> None:
    draw(form, front_end, 170, -10, 200, 20)
    assert {form.grid.lon_first, form.grid.lon_last} == {170, 200}
    assert "date line" in form.map["warning"]
    assert form.map["region"] == [170, -10, 200, 20]
    draw(form, front_end, 0, -10, 20, 20)
    assert form.map["warning"] == ""
    front_end.type(form, "lon_first", "-190")
    assert form.map["region"] == [170, -10, 360, 20] or form.map["region"] == [170, -10, 380, 20]


@pytest.mark.parametrize(
    "region", [None, "x", [1, 2], [0, 0, 0, 91], [0, 5, 1, 4], [float("nan"), 0, 1, 1], [0, 0, 999, 1]]
)
def test_a_region_that_is_none_is_refused_beside_the_fields(form: PipelineForm, front_end: Any, region: Any) -> None:
    before = form.evaluation.coordinates
    front_end.send(form, {"type": "region", "region": region})
    assert form.fields["lat_first"]["error"]
    assert form.evaluation.coordinates == before
    draw(form, front_end, 0, 0, 10, 10)
    assert form.fields["lat_first"]["error"] == ""


def test_text_that_a_grid_can_say_fills_in_the_fields(form: PipelineForm, front_end: Any) -> None:
    coords = [
        {"start": 0.0, "stop": 10.0, "step": 2.5, "name": "lat"},
        {"values": [3.0], "name": "lon"},
        {"start": "2018-01-01", "stop": "2018-01-31", "step": "1,D", "name": "time"},
    ]
    front_end.type(form, "coordinates", json.dumps({"coords": coords, "crs": DEFAULT_CRS}))
    assert (form.grid.lat_size, form.grid.lon_first, form.grid.lon_size) == (5, 3, 1)
    assert form.fields["time_step"]["note"] == "31 times"
    assert form.fields["coordinates"]["warning"] == ""
    assert json.loads(form.evaluation.coordinates)["coords"] == coords
    assert ["Points", "155"] in form.facts


def test_text_that_no_grid_can_say_is_in_effect_and_says_so(form: PipelineForm, front_end: Any) -> None:
    coords = [{"values": [1, 2, 50], "name": "lat"}, {"values": [4, 9], "name": "lon"}]
    front_end.type(form, "coordinates", json.dumps({"coords": coords, "crs": "EPSG:4326"}))
    assert "in place of the fields" in form.fields["coordinates"]["warning"]
    assert form.map["region"] == [4, 1, 9, 50]
    assert form.read_coordinates().points == 6
    # Drawing or typing takes over again.
    draw(form, front_end, -90, -90, 90, 90)
    assert form.fields["coordinates"]["warning"] == ""
    assert form.read_coordinates().points == 180 * 180


def test_a_range_of_times_says_how_many_they_are(form: PipelineForm, front_end: Any) -> None:
    front_end.type(form, "time_last", "2018-12-31")
    assert "step is missing" in form.fields["time_step"]["error"]
    with pytest.raises(InvalidValueError, match="Time, step"):
        form.run()
    front_end.type(form, "time_step", "7,D")
    assert (form.fields["time_step"]["error"], form.fields["time_step"]["note"]) == ("", "53 times")
    assert ["Points", f"{53 * 32_400:,}"] in form.facts
    front_end.type(form, "time_step", "1,week")
    assert "Not a step" in form.fields["time_step"]["error"]
    assert form.fields["time_step"]["value"] == "1,week"
    front_end.type(form, "time_last", "")
    front_end.type(form, "time_step", "")
    assert form.problems == []
    assert form.fields["time_step"]["note"] == ""


def test_a_time_that_is_none_is_refused_beside_its_field(form: PipelineForm, front_end: Any) -> None:
    before = form.evaluation.coordinates
    front_end.type(form, "time", "the day before yesterday")
    assert "This is not a time" in form.fields["time"]["error"]
    assert form.evaluation.coordinates == before
    front_end.type(form, "time", "2019-01-01T12:00")
    assert form.fields["time"]["error"] == ""


@pytest.mark.parametrize("coords", [[{"name": "lat", "values": []}, {"name": "lon", "values": [1]}], [[]]])
def test_empty_coordinates_say_so(form: PipelineForm, front_end: Any, coords: Any) -> None:
    front_end.type(form, "coordinates", json.dumps({"coords": coords, "crs": DEFAULT_CRS}))
    assert "empty" in form.fields["coordinates"]["error"]
    with pytest.raises(InvalidValueError):
        form.run()
