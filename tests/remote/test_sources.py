"""Where a source leads to is checked while the request is evaluated."""

from __future__ import annotations

import http.server
import importlib
import importlib.util
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import xarray as xr

from podpac_lambda_widgets.errors import PipelineRejectedError
from podpac_lambda_widgets.packaging.node_descriptions import WEB, can_ask_web, describe_node
from podpac_lambda_widgets.packaging.plugin_imports import find_imports
from podpac_lambda_widgets.remote import allowlist, sources
from podpac_lambda_widgets.remote.allowlist import NodeRule
from podpac_lambda_widgets.remote.answers import decode_answer
from podpac_lambda_widgets.remote.arrays import unpack_array
from podpac_lambda_widgets.remote.guard import Policy, check
from podpac_lambda_widgets.remote.triggers import Function
from podpac_lambda_widgets.remote.wire import Request, encode_request

podpac = pytest.importorskip("podpac")

TABLE = b"lat,lon,data\n0,0,42\n1,1,43\n"
POINTS = {"coords": [[{"name": "lat", "values": [0.0, 1.0]}, {"name": "lon", "values": [0.0, 1.0]}]]}
GRID = {"coords": [{"name": "lat", "values": [0.0, 1.0]}, {"name": "lon", "values": [0.0, 1.0]}]}
FIRST = "https://data.example.com/x.csv"


class Inside(http.server.BaseHTTPRequestHandler):
    """A server of the machine itself, like Lambda's runtime API."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(TABLE)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    monkeypatch.setenv("NO_PROXY", "*")
    handler = type("Handler", (Inside,), {"asked": asked})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/2018-06-01/runtime/invocation/next", asked
        server.shutdown()
        thread.join()


def answer_at(monkeypatch: pytest.MonkeyPatch, answers: dict[str, str | bytes]) -> None:
    """Let `answers` be what is found at https addresses: a redirect (text) or a body."""
    send = requests.adapters.HTTPAdapter.send

    def answering(self: Any, request: Any, **options: Any) -> Any:
        found = answers.get(request.url)
        if found is None:
            return send(self, request, **options)
        response = requests.Response()
        response.url, response.request = request.url, request
        response.status_code = 302 if isinstance(found, str) else 200
        response._content = b"" if isinstance(found, str) else found
        if isinstance(found, str):
            response.headers["Location"] = found
        return response

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", answering)


def read_table(hosts: str) -> list[float]:
    node = {"node": "data.CSV", "attrs": {"source": FIRST, "data_key": "data"}}
    function = Function({"FUNCTION_ALLOWED_HOSTS": hosts}, print_line=lambda line: None)
    answer = decode_answer(function.handle(json.loads(encode_request(Request({"x": node}, POINTS)))))
    assert answer.body is not None
    values: list[float] = unpack_array(answer.body).values.tolist()
    return values


def test_a_redirect_into_the_machine_is_refused_and_not_followed(
    monkeypatch: pytest.MonkeyPatch, inside: tuple[str, list[str]]
) -> None:
    address, asked = inside
    answer_at(monkeypatch, {FIRST: address})
    with pytest.raises(PipelineRejectedError, match="led to"):
        read_table("data.example.com")
    assert asked == []
    # It would have been followed: the server is there.
    assert requests.get(FIRST).content == TABLE
    assert len(asked) == 1


def test_a_redirect_to_another_allowed_host_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    answer_at(monkeypatch, {FIRST: "https://other.example.com/y.csv", "https://other.example.com/y.csv": TABLE})
    assert read_table("data.example.com,other.example.com") == [42.0, 43.0]
    with pytest.raises(PipelineRejectedError, match=r"other\.example\.com"):
        read_table("data.example.com")


class Forecast(podpac.algorithm.SinCoords):  # type: ignore[misc] # podpac has no types
    """A node that needs no address: it knows one."""

    address = ""

    def algorithm(self, inputs: Any, coordinates: Any) -> Any:
        requests.get(self.address)
        return super().algorithm(inputs, coordinates)


@pytest.mark.parametrize("flagged", [True, False])
def test_a_node_that_knows_an_address_by_itself_is_held_by_what_its_class_is(
    monkeypatch: pytest.MonkeyPatch, inside: tuple[str, list[str]], flagged: bool
) -> None:
    address, asked = inside
    monkeypatch.setattr(Forecast, "address", address)
    monkeypatch.setattr(podpac.core.algorithm.utility, "Forecast", Forecast, raising=False)
    described = describe_node(Forecast).to_dict()
    # The second time, to see that the first is refused for the flag alone.
    rule = NodeRule(**{**described, "asks_web": described["asks_web"] and flagged})
    monkeypatch.setitem(allowlist._PODPAC_NODES, "core.algorithm.utility.Forecast", rule)
    payload = encode_request(Request({"x": {"node": "core.algorithm.utility.Forecast"}}, GRID))
    function = Function({"FUNCTION_ALLOWED_HOSTS": "data.example.com"}, print_line=lambda line: None)
    assert b"//" not in payload
    if flagged:
        with pytest.raises(PipelineRejectedError, match="led to"):
            decode_answer(function.handle(json.loads(payload)))
        assert asked == []
    else:
        decode_answer(function.handle(json.loads(payload)))
        assert len(asked) == 1


def test_podpacs_nodes_that_ask_the_web_are_known_by_their_modules() -> None:
    expected = {f"core.data.{name}" for name in ("csv_source.CSV", "dataset_source.Dataset", "h5py_source.H5PY")}
    expected |= {"core.data.rasterio_source.Rasterio", "core.data.zarr_source.Zarr"}
    assert {name for name, rule in allowlist._PODPAC_NODES.items() if rule.asks_web} == expected
    # Not offered, but they would be seen.
    assert can_ask_web(podpac.core.data.ogc.WCS)
    assert can_ask_web(podpac.core.data.pydap_source.PyDAP)
    assert not can_ask_web(podpac.algorithm.SinCoords)


def test_no_node_that_seems_quiet_imports_a_library_of_the_web_inside_a_function() -> None:
    for path in [path for path, rule in allowlist._PODPAC_NODES.items() if not rule.asks_web]:
        module, _, name = path.rpartition(".")
        bases = getattr(importlib.import_module(f"podpac.{module}"), name).__mro__
        for module in {base.__module__ for base in bases if base.__module__.startswith("podpac.")}:
            found = {
                name for name, _ in find_imports(Path(sys.modules[module].__file__ or "").read_bytes(), resource="")
            }
            assert not found & {name for name in WEB if "." not in name}, module


@pytest.mark.parametrize(
    ("node", "holds"),
    [
        ({"node": "SinCoords"}, True),  # not a full name, so not known
        ({"node": "core.algorithm.utility.SinCoords"}, False),
        ({"plugin": "podpac", "node": "algorithm.SinCoords"}, False),
        ({"plugin": "my_plugin", "node": "algorithm.SinCoords"}, True),
        ({"node": "data.Array", "attrs": {"source": [1.0]}, "style": {"name": "https://a"}}, False),
        ({"node": "data.CSV", "attrs": {"source": "s3://bucket/x.csv"}}, True),
    ],
)
def test_requests_are_held_only_where_a_node_can_make_one(
    monkeypatch: pytest.MonkeyPatch, node: dict[str, object], holds: bool
) -> None:
    monkeypatch.setattr(sources, "_forget_listings", lambda: None)
    send = requests.Session.send
    with sources.limited_sources({"x": node, "podpac_version": "4.0.1"}, ()):
        assert (requests.Session.send is not send) == holds
    assert requests.Session.send is send


def test_a_netcdf_file_of_an_allowed_host_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    made = xr.Dataset({"data": ("lat", [4.0, 5.0])}, coords={"lat": [0.0, 1.0]})
    answer_at(monkeypatch, {FIRST: bytes(made.to_netcdf(engine="scipy"))})
    node = {"node": "data.Dataset", "attrs": {"source": FIRST, "data_key": "data"}}
    coordinates = {"coords": [{"name": "lat", "values": [0.0, 1.0]}]}
    event = json.loads(encode_request(Request({"x": node}, coordinates)))
    function = Function({"FUNCTION_ALLOWED_HOSTS": "data.example.com"}, print_line=lambda line: None)
    answer = decode_answer(function.handle(event))
    assert answer.body is not None
    assert unpack_array(answer.body).values.tolist() == [4.0, 5.0]
    answer_at(monkeypatch, {FIRST: TABLE})
    with pytest.raises(PipelineRejectedError, match="neither HDF5 nor netCDF"):
        decode_answer(function.handle(event))


_RASTERS = """
import json, sys
from podpac_lambda_widgets.errors import PipelineRejectedError
from podpac_lambda_widgets.remote.evaluate import evaluate_array
from podpac_lambda_widgets.remote.wire import Request
import numpy, rasterio
with rasterio.open("secret.tif", "w", driver="GTiff", width=2, height=2, count=1, dtype="float64",
                   transform=rasterio.Affine(1, 0, 0, 0, -1, 2), crs="EPSG:4326") as made:
    made.write(numpy.arange(4.0).reshape(1, 2, 2))
open("secret", "wb").write(b"SECRETS!" * 8)
open("index", "wb").write(bytes(15) + bytes([64]))
open("vrt.tif", "w").write(
    '<VRTDataset rasterXSize="2" rasterYSize="2"><VRTRasterBand dataType="Float64" band="1"><SimpleSource>'
    '<SourceFilename>secret.tif</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>')
open("mrf.tif", "w").write(
    '<MRF_META><Raster><Size x="8" y="8" c="1"/><PageSize x="8" y="8" c="1"/><Compression>NONE</Compression>'
    '<DataType>Byte</DataType><DataFile>secret</DataFile><IndexFile>index</IndexFile></Raster></MRF_META>')
open("isis.tif", "w").write('''Object = IsisCube
  Object = Core
    ^Core = secret
    StartByte = 1
    Format = BandSequential
    Group = Dimensions
      Samples = 8
      Lines = 8
      Bands = 1
    End_Group
    Group = Pixels
      Type = UnsignedByte
      ByteOrder = Lsb
      Base = 0.0
      Multiplier = 1.0
    End_Group
  End_Object
End_Object
End
''')
with rasterio.open("overviews.tif", "w", driver="GTiff", width=4, height=4, count=1, dtype="float64",
                   transform=rasterio.Affine(1, 0, 0, 0, -1, 4), crs="EPSG:4326") as made:
    made.write(numpy.zeros((1, 4, 4)))
    made.update_tags(ns="OVERVIEWS", OVERVIEW_FILE="secret.tif")
with rasterio.open("own.tif", "w", driver="GTiff", width=4, height=4, count=1, dtype="float64",
                   transform=rasterio.Affine(1, 0, 0, 0, -1, 4), crs="EPSG:4326") as made:
    made.write(numpy.full((1, 4, 4), 7.0))
    made.build_overviews([2])
grid = {"coords": [{"name": "lat", "values": [0.5, 1.5]}, {"name": "lon", "values": [0.5, 1.5]}]}
coarse = {"coords": [{"name": "lat", "values": [1.0, 3.0]}, {"name": "lon", "values": [1.0, 3.0]}]}
found = {}
for name in ("vrt.tif", "mrf.tif", "isis.tif"):
    with rasterio.open(name) as opened: found["before " + name] = opened.driver
for name in ("overviews.tif", "own.tif"):
    try:
        node = {"x": {"node": "data.Rasterio", "attrs": {"source": name, "prefer_overviews": True}}}
        found[name] = evaluate_array(Request(node, coarse), unsafe_eval=False).values.tolist()
    except PipelineRejectedError as error:
        found[name] = error.why
for name in ("secret.tif", "vrt.tif", "mrf.tif", "isis.tif"):
    try:
        node = {"x": {"node": "data.Rasterio", "attrs": {"source": name}}}
        found[name] = evaluate_array(Request(node, grid), unsafe_eval=False).values.tolist()
    except rasterio.errors.RasterioIOError as error:
        found[name] = "refused"
from rasterio.warp import reproject
target = numpy.zeros((2, 2))
where = {"src_transform": rasterio.Affine(1, 0, 0, 0, -1, 2), "dst_transform": rasterio.Affine(1, 0, 0, 0, -1, 2)}
reproject(numpy.ones((2, 2)), target, src_crs="EPSG:4326", dst_crs="EPSG:4326", **where)
with rasterio.Env() as env: found["drivers"] = sorted(env.drivers())
print(json.dumps([found, target.tolist()]))
"""


def test_a_raster_that_refers_to_another_file_is_not_opened(tmp_path: Path) -> None:
    if importlib.util.find_spec("rasterio") is None:
        pytest.skip("rasterio is not installed")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _RASTERS],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found, computed = json.loads(done.stdout)
    assert found == {
        "before vrt.tif": "VRT",
        "before mrf.tif": "MRF",
        "before isis.tif": "ISIS3",
        "overviews.tif": "it names another file as its overviews",
        "own.tif": [[7.0] * 4] * 4,
        "secret.tif": [[0.0, 1.0], [2.0, 3.0]],
        "vrt.tif": "refused",
        "mrf.tif": "refused",
        "isis.tif": "refused",
        "drivers": ["COG", "GTiff", "JP2OpenJPEG", "JPEG", "MEM", "PNG"],
    }
    assert computed == [[1.0, 1.0], [1.0, 1.0]]


@pytest.mark.parametrize("bucket", ["soil-data", "3dep-data"])
def test_a_zarr_of_which_podpac_would_read_another_bucket_is_refused(bucket: str) -> None:
    policy = Policy(allowed_buckets=frozenset({bucket, "my-bucket"}))
    node = {"node": "data.Zarr", "attrs": {"source": "s3://my-bucket/x.zarr"}}
    check(Request({"x": node}, POINTS), policy)
    node = {"node": "data.Zarr", "attrs": {"source": f"s3://{bucket}/x.zarr"}}
    with pytest.raises(PipelineRejectedError, match=f"would read {bucket.lstrip('s3')}"):
        check(Request({"x": node}, POINTS), policy)
