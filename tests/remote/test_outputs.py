"""Results in the format that was asked for: the same values, whoever reads them."""

from __future__ import annotations

import io
import itertools
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import given
from hypothesis import strategies as st

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.remote import geotiff
from podpac_lambda_widgets.remote.answers import decode_answer
from podpac_lambda_widgets.remote.geotiff import encode_geotiff
from podpac_lambda_widgets.remote.json_arrays import MAX_VALUES, decode_json, encode_json
from podpac_lambda_widgets.remote.outputs import MAX_CHUNKS, read_output
from podpac_lambda_widgets.remote.triggers import Function
from podpac_lambda_widgets.remote.wire import Request, encode_request
from podpac_lambda_widgets.remote.zarr_region import missing_chunks

podpac = pytest.importorskip("podpac")

SIN = {"SinCoords": {"node": "core.algorithm.utility.SinCoords"}}
BUCKET = "podpac-test-outputs"
ENVIRON = {
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "2048",
    "S3_BUCKET_NAME": BUCKET,
    "FUNCTION_S3_OUTPUT": "output/soil",
    "FUNCTION_STACK": "soil@us-east-1",
}
LAT, LON = np.linspace(50.0, 40.0, 11), np.linspace(170.0, 180.0, 11)


def coordinates(lat: Any = LAT, lon: Any = LON, **others: Any) -> dict[str, Any]:
    given_axes = {"lat": lat, "lon": lon, **others}
    return {"coords": [{"name": name, "values": list(values)} for name, values in given_axes.items()]}


def evaluated(**axes: Any) -> Any:
    """What podpac computes here."""
    return podpac.algorithm.SinCoords().eval(podpac.Coordinates.from_definition(coordinates(**axes)))


class Functions:
    """The function, over a bucket of the embedded AWS."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def ask(self, output: Any, where: Any = None, pipeline: Any = SIN) -> Any:
        made = Function(ENVIRON, s3_client=lambda: self.client, print_line=lambda line: None)
        event = json.loads(encode_request(Request(pipeline, where or coordinates(), output=output)))
        return decode_answer(made.handle(event))

    def keys(self) -> list[str]:
        found = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return [item["Key"] for item in found]

    def store(self, name: str) -> dict[str, bytes]:
        """A Zarr store of the bucket, as zarr opens it."""
        prefix = f"output/soil/{name}.zarr/"
        return {
            key.removeprefix(prefix): self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
            for key in self.keys()
            if key.startswith(prefix)
        }


@pytest.fixture
def functions(aws: LocalSession) -> Iterator[Functions]:
    client = aws.client("s3")
    client.create_bucket(Bucket=BUCKET)
    made = Functions(client)
    yield made
    for key in [*made.keys()]:
        client.delete_object(Bucket=BUCKET, Key=key)
    client.delete_bucket(Bucket=BUCKET)


REFUSED: list[dict[str, Any]] = [
    {"format": "pickle"}, {"format": "zarr_part"}, {"format": "zarr_part", "source": "s3://other/x"}, {"format": None},
    {"format": "to_netcdf"}, {"format": "to_netcdf", "path": "/tmp/x"}, {"format": "unknown"}, {"format": ""},
    {"format": "netcdf", "source": "s3://other/x"}, {"format": "netcdf", "engine": "h5netcdf"},
    {"format": ["netcdf"]}, {"format": "netCDF "},
    {"format": "netcdf", "path": "/tmp/x"}, {"format": "json", "indent": 2}, {"format": "png", "colormap": "a.b"},
    {"format": "png", "colormap": "__class__"}, {"format": "png", "colormap": 5}, {"format": "png", "vmin": "0"},
    {"format": "png", "vmin": True}, {"format": "png", "vmin": 2, "vmax": 1}, {"format": "geotiff", "compress": "lzma"},
    {"format": "geotiff", "driver": "VRT"}, {"format": "zarr"}, {"format": "zarr", "store": "x"},
    *({"format": "zarr", "store": name, "grid": coordinates(), "chunks": {"lat": 5, "lon": 5}}
      for name in ("../x", "/x", "x/../y", "x//y", "", "x.zarr", "%2e%2e", "a" * 65, "a/b/c/d/e", 5, "x\n")),
    *({"format": "zarr", "store": "x", "grid": coordinates(), "chunks": chunks}
      for chunks in ({"lat": 5}, {"lat": 5, "lon": 5, "time": 1}, {"lat": 0, "lon": 5}, {"lat": 1.5, "lon": 5},
                     {"lat": True, "lon": 5}, [5, 5])),
    {"format": "zarr", "store": "x", "grid": {"coords": [{"name": "lat", "start": 0, "stop": 1, "size": 10**9}]},
     "chunks": {"lat": 5}},
    {"format": "zarr", "store": "x", "chunks": {"lat": 1, "lon": 1},
     "grid": {"coords": [{"name": n, "start": 0, "stop": 1, "size": MAX_CHUNKS // 500} for n in ("lat", "lon")]}},
]  # fmt: skip


@pytest.mark.parametrize("output", REFUSED, ids=str)
def test_another_format_or_option_is_refused(output: dict[str, Any]) -> None:
    with pytest.raises(errors.PipelineRejectedError, match="output"):
        read_output(output)


def test_every_answer_has_its_parts_in_seconds(functions: Functions) -> None:
    wanted = {"init", "dependencies", "import", "evaluate", "encode", "upload"}
    zarr = {"format": "zarr", "store": "s", "grid": coordinates(), "chunks": {"lat": 11, "lon": 11}}
    for output in ({"format": "netcdf"}, {"format": "json"}, {"format": "png"}, {"format": "geotiff"}, zarr):
        assert set(functions.ask(output).timings) == wanted, output


# JSON


def test_json_is_what_xarray_reads(functions: Functions) -> None:
    answer = functions.ask({"format": "json"})
    assert answer.format == "json"
    told = json.loads(answer.body)
    found = xr.DataArray.from_dict(told)
    expected = evaluated()
    np.testing.assert_array_equal(found.values, expected.values)
    assert found.dims == expected.dims
    assert found.attrs["crs"] == expected.attrs["crs"]
    exact = decode_json(answer.body)
    assert exact.values.tobytes() == expected.values.tobytes()
    assert exact.lat.values.tobytes() == expected.lat.values.tobytes()


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), min_size=1, max_size=12),
    st.sampled_from(["f4", "f8", "i2", "i8", "u1", "?", "M8[ns]", "M8[D]", "m8[s]", "<U3"]),
)
def test_json_gives_the_same_values_back(numbers: list[float], dtype: str) -> None:
    kind = np.dtype(dtype).kind
    finite = [0 if not math.isfinite(number) else int(number) % 100 for number in numbers]
    values = np.array(numbers if kind == "f" else finite, "f8" if kind == "f" else "i8").astype(dtype)
    if kind in "mM":
        values[:1] = "NaT"
    array = xr.DataArray(values, dims="x", coords={"x": np.arange(len(values))}, name="n", attrs={"a": (1.0, math.nan)})
    found = decode_json(encode_json(array))
    np.testing.assert_array_equal(found.values, array.values)
    assert found.dtype == array.dtype
    assert (found.name, found.attrs) == ("n", {"a": [1.0, None]})
    json.loads(encode_json(array), parse_constant=lambda name: pytest.fail(name))


def test_json_is_for_small_results(functions: Functions) -> None:
    with pytest.raises(errors.ResultError, match=f"{MAX_VALUES:,}"):
        functions.ask({"format": "json"}, coordinates(np.linspace(0, 1, 400), np.linspace(0, 1, 300)))


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"coords": {}, "dims": ["x"]}', b"\xff", b"[" * 5000])
def test_json_of_others_is_a_typed_error(body: bytes) -> None:
    with pytest.raises(errors.ResultError):
        decode_json(body)


# PNG


def test_a_png_is_drawn_in_the_colours_asked_for(functions: Functions) -> None:
    from PIL import Image

    plain, wanted = (
        np.asarray(Image.open(io.BytesIO(functions.ask({"format": "png", **more}).body)))
        for more in ({}, {"colormap": "viridis", "vmin": -100, "vmax": 100})
    )
    assert plain.shape == wanted.shape == (11, 11, 4)
    # Values near zero between -100 and 100 are viridis's middle.
    assert np.abs(wanted[..., :3].astype(int) - (33, 145, 140)).max() < 5
    assert np.abs(plain.astype(int) - wanted).max() > 50


def test_a_colormap_that_is_none_is_told(functions: Functions) -> None:
    with pytest.raises(errors.PipelineFailedError):
        functions.ask({"format": "png", "colormap": "nosuchmap"})


# GeoTIFF


@contextmanager
def opened(body: bytes) -> Iterator[Any]:
    from rasterio.io import MemoryFile

    with MemoryFile(body) as file, file.open() as dataset:
        yield dataset


@pytest.mark.parametrize("lat", [LAT, LAT[::-1]], ids=["falling", "rising"])
@pytest.mark.parametrize("lon", [LON, LON[::-1]], ids=["rising", "falling"])
def test_a_geotiff_has_the_same_values_in_the_same_places(functions: Functions, lat: Any, lon: Any) -> None:
    expected = evaluated(lat=lat, lon=lon)
    with opened(functions.ask({"format": "geotiff"}, coordinates(lat, lon)).body) as found:
        band = found.read(1)
        assert found.crs.to_epsg() == 4326
        assert math.isnan(found.nodata)
        for row, column in itertools.product((0, 3, 10), repeat=2):
            x, y = found.xy(row, column)
            there = expected.sel(lat=y, lon=x, method="nearest")
            assert (float(there.lat), float(there.lon)) == pytest.approx((y, x))
            assert band[row, column] == there.values
        assert found.bounds == pytest.approx((169.5, 39.5, 180.5, 50.5))


def test_a_geotiff_has_a_band_for_each_time(functions: Functions) -> None:
    times = ["2018-01-01", "2018-01-02"]
    expected = evaluated(time=times)
    with opened(functions.ask({"format": "geotiff"}, coordinates(time=times)).body) as found:
        assert found.count == 2
        assert [text.split(", ")[-1] for text in found.descriptions] == ["time=2018-01-01", "time=2018-01-02"]
        np.testing.assert_array_equal(found.read(2), expected.values[:, :, 1])


def raster(values: Any, **attrs: Any) -> xr.DataArray:
    values = np.asarray(values)
    lat, lon = np.arange(values.shape[0], 0, -1.0), np.arange(float(values.shape[1]))
    return xr.DataArray(values, dims=("lat", "lon"), coords={"lat": lat, "lon": lon}, attrs=attrs, name="data")


@pytest.mark.parametrize("compress", ["deflate", "none"])
@pytest.mark.parametrize(
    "dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "f2", "?", ">f4", "c8", "c16"]
)
def test_a_geotiff_keeps_type_and_bits(dtype: str, compress: str) -> None:
    values = np.random.default_rng(1).integers(0, 100, (7, 5)).astype(dtype)
    with opened(encode_geotiff(raster(values, units="mm", crs="EPSG:32633"), {"compress": compress})) as found:
        np.testing.assert_array_equal(found.read(1), values)
        assert np.dtype(found.dtypes[0]).kind == {"?": "u"}.get(dtype, np.dtype(dtype).kind)
        assert found.crs.to_epsg() == 32633
        assert found.units == ("mm",)
        assert found.tags()["name"] == "data"


@pytest.mark.parametrize("dtype", ["f8", "i2", "c16"])
def test_the_order_of_dimensions_and_points_makes_no_other_geotiff(dtype: str) -> None:
    times = np.array(["2018-01-01", "2018-02-01T06:30"], "datetime64[ns]")
    array = raster(np.arange(12).reshape(3, 4)).astype(dtype).expand_dims(time=times)
    array = (array + array.time.dt.month.astype(dtype)).rename("data")
    body = encode_geotiff(array, {})
    for turned in (array[:, ::-1, ::-1], array.transpose("lon", "time", "lat")):
        assert encode_geotiff(turned, {}) == body
    with opened(body) as found:
        np.testing.assert_array_equal(found.read(), array.values)
        assert found.descriptions == ("data, time=2018-01-01", "data, time=2018-02-01T06:30")
        assert found.bounds == (-0.5, 0.5, 3.5, 3.5)


@pytest.mark.parametrize(
    ("lat", "lon", "crs", "bounds"),
    [
        ([7.0], [5.0], "", (4.5, 6.5, 5.5, 7.5)),
        ([7.0], [1.0, 3.0], "", (0, 6, 4, 8)),
        ([4.0, 0.0], [5.0], "", (3, -2, 7, 6)),
        ([1.0, 0.0], [179.5, -179.5], "", (179, -0.5, 181, 1.5)),
        ([200.0, 0.0], [-200.0, 0.0], "EPSG:32633", (-300, -100, 100, 300)),
    ],
    ids=["point", "row", "column", "date line", "metres"],
)
def test_where_a_geotiff_lies(lat: list[float], lon: list[float], crs: str, bounds: tuple[float, ...]) -> None:
    values = np.arange(float(len(lat) * len(lon))).reshape(len(lat), len(lon))
    with opened(encode_geotiff(raster(values, crs=crs).assign_coords(lat=lat, lon=lon), {})) as found:
        assert found.bounds == bounds
        np.testing.assert_array_equal(found.read(1), values)


def test_what_is_told_of_an_array_is_in_its_geotiff() -> None:
    attrs = {"long name": "soil <moisture>", "provenance_function": "f", "of=two": 1, "crs": "EPSG:4326"}
    with opened(encode_geotiff(raster([[5.0]], **attrs), {})) as found:
        assert found.descriptions == ("data",)
        told = {"long name": "soil <moisture>", "provenance_function": "f", "name": "data", "AREA_OR_POINT": "Area"}
        assert found.tags() == told


BAD_MAPS = [
    (xr.DataArray([1.0, 2.0], dims="lat", coords={"lat": [0.0, 1.0]}), "no dimension lon"),
    (xr.DataArray(np.zeros((2, 2)), dims=("lat", "lon")), "points along lat are no rising or falling numbers"),
    (raster(np.zeros((3, 3))).assign_coords(lat=[0.0, 1.0, 5.0]), "steps along lat differ: from 1 to 4"),
    (raster(np.zeros((2, 3))).assign_coords(lon=[1.0, 1.0, 1.0]), "points along lon are no rising"),
    (raster(np.zeros((2, 2))).assign_coords(lon=[1.0, np.nan]), "points along lon are no rising"),
    (raster(np.zeros((2, 3))).assign_coords(lon=list("abc")), "points along lon are no rising"),
    (raster(np.zeros((0, 3))), "no values"),
    (raster(np.zeros((2, 2))).expand_dims(time=np.arange(5000)), "5,000 bands"),
    (raster(np.zeros((2, 2))).astype("datetime64[ns]"), "no type for datetime64"),
    (raster([["a", "b"]]), "no type for <U1"),
    (raster(np.zeros((2, 2)), crs="no such thing"), "CRS is unknown: no such thing"),
    (raster(np.zeros((2, 2)), crs="+proj=peirce_q +lon_0=25 +shape=square"), "cannot hold its CRS, +proj=peirce_q"),
]


@pytest.mark.parametrize(("array", "why"), BAD_MAPS)
def test_what_does_not_fit_into_a_geotiff_says_why(array: xr.DataArray, why: str) -> None:
    with pytest.raises(errors.ResultFormatError) as caught:
        encode_geotiff(array, {})
    assert why in caught.value.why and "netCDF" in caught.value.next_step


def test_a_crs_of_a_newer_proj_than_gdal_has_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geotiff, "_text", lambda crs: "EPSG:999999")
    with pytest.raises(errors.ResultFormatError) as caught:
        encode_geotiff(raster([[5.0]]), {})
    assert "does not know its CRS, EPSG:999999" in caught.value.why


# Zarr

TIMES = ["2018-01-01", "2018-01-02", "2018-01-03"]
CHUNKS = {"lat": 4, "lon": 5, "time": 2}


def tiles(lat: Any, lon: Any) -> list[dict[str, Any]]:
    """Tiles of a chunk and more, the last of each row smaller."""
    rows = [lat[:4], lat[4:8], lat[8:]]
    columns = [lon[:10], lon[10:]]
    return [
        {"lat": row, "lon": column, "time": time}
        for row in rows for column in columns for time in (TIMES[:2], TIMES[2:])
    ]  # fmt: skip


def wanted(lat: Any, lon: Any, **more: Any) -> dict[str, Any]:
    return {"format": "zarr", "store": "a/tiles", "grid": coordinates(lat, lon, time=TIMES), "chunks": CHUNKS, **more}


@pytest.mark.parametrize(
    ("lat", "lon"), [(LAT, LON), (LAT[::-1], np.linspace(175.0, 185.0, 11))], ids=["falling", "dateline"]
)
def test_tiles_in_any_order_and_twice_make_the_whole(functions: Functions, lat: Any, lon: Any) -> None:
    made = tiles(lat, lon)
    order = np.random.default_rng(0).permutation(len(made)).tolist()
    told = []
    for number in [*order, *order[:3]]:
        answer = functions.ask(wanted(lat, lon), coordinates(**made[number]))
        told.append(json.loads(answer.body))
    expected = evaluated(lat=lat, lon=lon, time=TIMES)
    group = zarr.open_consolidated(functions.store("a/tiles"))
    found = group["data"]
    assert found[...].tobytes() == np.ascontiguousarray(expected.values).tobytes()
    assert tuple(found.attrs["_ARRAY_DIMENSIONS"]) == expected.dims
    assert found.attrs["crs"] == expected.attrs["crs"]
    for dim in expected.dims:
        axis = xr.Variable(dim, group[dim][...], dict(group[dim].attrs))
        axis.attrs.pop("_ARRAY_DIMENSIONS")
        decoded = xr.conventions.decode_cf_variable(dim, axis).values
        np.testing.assert_array_equal(decoded, expected[dim].values)
    assert told[0]["store"] == f"s3://{BUCKET}/output/soil/a/tiles.zarr"
    assert len({key for each in told for key in each["chunks"]}) == 3 * 3 * 2
    chunks = {
        key: body for key, body in functions.store("a/tiles").items() if key.startswith("data/") and key[5].isdigit()
    }
    assert len(chunks) == 3 * 3 * 2
    assert sum(each["bytes"] for each in told[: len(made)]) == sum(map(len, chunks.values()))


def test_what_is_missing_is_told_from_what_is_not_a_number(functions: Functions) -> None:
    masked = {
        "Sin": SIN["SinCoords"],
        "x": {"node": "core.algorithm.generic.Arithmetic", "inputs": {"A": "Sin"}, "attrs": {"eqn": "A / 0 - A / 0"}},
    }
    functions.ask(wanted(LAT, LON), coordinates(**tiles(LAT, LON)[0]), masked)
    store = functions.store("a/tiles")
    missing = missing_chunks(json.loads(store["data/.zarray"]), "data", store.keys())
    assert len(missing) == 3 * 3 * 2 - 2
    assert np.isnan(zarr.open_group(store)["data"][:4, :10, :2]).all()


MISPLACED = [
    {"lat": LAT[:3], "lon": LON[:5], "time": TIMES[:2]},
    {"lat": LAT[1:5], "lon": LON[:5], "time": TIMES[:2]},
    {"lat": LAT[:4] + 1e-9, "lon": LON[:5], "time": TIMES[:2]},
    {"lat": LAT[:4][::-1], "lon": LON[:5], "time": TIMES[:2]},
    {"lat": LAT[:4], "lon": LON[:5]},
    {"lat": [60.0, 59.0, 58.0, 57.0], "lon": LON[:5], "time": TIMES[:2]},
]


@pytest.mark.parametrize("tile", MISPLACED)
def test_a_tile_that_does_not_fit_is_refused_and_writes_nothing(functions: Functions, tile: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidCoordinatesError):
        functions.ask(wanted(LAT, LON), coordinates(**tile))
    assert functions.keys() == []


def test_another_array_of_that_name_is_never_overwritten(functions: Functions) -> None:
    functions.ask(wanted(LAT, LON), coordinates(**tiles(LAT, LON)[0]))
    before = functions.store("a/tiles")
    with pytest.raises(errors.ResultError, match="Another array"):
        functions.ask(wanted(LAT, LON, chunks={**CHUNKS, "time": 1}), coordinates(**tiles(LAT, LON)[0]))
    assert functions.store("a/tiles") == before


def test_without_a_bucket_there_is_no_zarr() -> None:
    made = Function({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "2048"}, print_line=lambda line: None)
    event = json.loads(encode_request(Request(SIN, coordinates(**tiles(LAT, LON)[0]), output=wanted(LAT, LON))))
    with pytest.raises(errors.ResultError, match="no place"):
        decode_answer(made.handle(event))
