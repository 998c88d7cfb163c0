"""Requests over HTTP: whatever comes, the answer is a well-formed one with a status, and without a trace."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import re
from collections import OrderedDict
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import boto3
import numpy as np
import pytest
from botocore.stub import ANY, Stubber
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.limits import SYNC_REQUEST_BYTES, SYNC_RESPONSE_BYTES
from podpac_lambda_widgets.remote.images import encode_png
from podpac_lambda_widgets.remote.netcdf import decode_array
from podpac_lambda_widgets.remote.ogc import read_query
from podpac_lambda_widgets.remote.triggers import Function
from podpac_lambda_widgets.remote.wire import Request, encode_request

podpac = pytest.importorskip("podpac")

SIN = {"SinCoords": {"node": "core.algorithm.utility.SinCoords"}}
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
ENVIRON = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "2048"}
GET_MAP = {
    "SERVICE": "WMS", "REQUEST": "GetMap", "VERSION": "1.3.0", "LAYERS": "algorithm.SinCoords", "CRS": "EPSG:4326",
    "BBOX": "-10,20,10,60", "WIDTH": "40", "HEIGHT": "30",
}  # fmt: skip


def grid(side: int = 3) -> dict[str, Any]:
    axis = {"start": 0.0, "stop": 1.0, "size": side}
    return {"coords": [{"name": "lat", **axis}, {"name": "lon", **axis}]}


def ours(pipeline: Any = SIN, side: int = 3, **more: Any) -> str:
    return json.dumps({**json.loads(encode_request(Request(pipeline, grid(side)))), **more})


def through_url(method: str = "POST", body: str | None = None, query: Any = "", **changes: Any) -> dict[str, Any]:
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": query if isinstance(query, str) else urlencode(query),
        "headers": {"content-type": "application/json; charset=utf-8"},
        "requestContext": {"http": {"method": method, "path": "/"}, "requestId": "abc-1", "stage": "$default"},
        "isBase64Encoded": False,
    }
    return {**event, **({} if body is None else {"body": body}), **changes}


def through_api(method: str = "POST", body: str | None = None, query: Any = None, **changes: Any) -> dict[str, Any]:
    event = {
        "resource": "/eval",
        "path": "/eval",
        "httpMethod": method,
        "headers": {"Content-Type": "application/json"},
        "multiValueHeaders": {"Content-Type": ["application/json"]},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} if query else None,
        "requestContext": {"stage": "prod", "requestId": "abc-1", "authorizer": None, "path": "/prod/eval"},
        "body": body,
        "isBase64Encoded": False,
    }
    return {**event, **changes}


BOTH = pytest.mark.parametrize("through", [through_url, through_api])


def check(answer: Any) -> dict[str, Any]:
    """What either service takes for a proxy answer; returned as the caller sees it."""
    found: dict[str, Any] = json.loads(json.dumps(answer))
    assert found.keys() == {"statusCode", "headers", "body", "isBase64Encoded"}
    assert type(found["statusCode"]) is int
    assert 200 <= found["statusCode"] < 600
    for name, value in found["headers"].items():
        assert re.fullmatch(r"[A-Za-z-]+", name)
        assert isinstance(value, str)
        assert re.fullmatch(r"[\x20-\x7e]+", value)
        assert not name.lower().startswith("access-control-")
    assert "Content-Type" in found["headers"]
    assert isinstance(found["body"], str)
    assert len(json.dumps(answer)) <= SYNC_RESPONSE_BYTES
    if found["isBase64Encoded"]:
        found["body"] = base64.b64decode(found["body"], validate=True)
    else:
        found["body"] = json.loads(found["body"])
    return found


def ask(event: Any, lines: list[str] | None = None, s3_client: Any = None, **environ: str) -> dict[str, Any]:
    made = Function(
        {**ENVIRON, **environ}, print_line=(lines if lines is not None else []).append, s3_client=lambda: s3_client
    )
    return check(made.handle(event))


def refused(answer: dict[str, Any]) -> tuple[int, str]:
    assert answer["headers"]["Content-Type"] == "application/json"
    assert answer["body"]["status"] == "error"
    assert "Traceback" not in json.dumps(answer)
    return answer["statusCode"], answer["body"]["error"]["type"]


@BOTH
@pytest.mark.parametrize("is_base64", [False, True])
def test_a_posted_request_is_answered_with_netcdf(through: Any, is_base64: bool) -> None:
    body = base64.b64encode(ours().encode()).decode() if is_base64 else ours()
    lines: list[str] = []
    answer = ask(through("POST", body, isBase64Encoded=is_base64), lines)
    expected = podpac.algorithm.SinCoords().eval(podpac.Coordinates.from_definition(grid()))
    assert answer["statusCode"] == 200
    assert decode_array(answer["body"]).values.tobytes() == expected.values.tobytes()
    headers = answer["headers"]
    digest = base64.b64encode(hashlib.sha256(answer["body"]).digest()).decode()
    assert headers["Content-Type"] == "application/x-netcdf"
    assert headers["Repr-Digest"] == f"sha-256=:{digest}:"
    assert headers["X-Request-Id"] == "abc-1"
    assert "evaluate;dur=" in headers["Server-Timing"]
    (line,) = lines
    assert {**json.loads(line), "seconds": 0, "timings": 0} == {
        "request_id": "", "outcome": "ok", "trigger": "HTTP", "method": "POST", "points": 9, "timings": 0,
        "status": 200, "seconds": 0,
    }  # fmt: skip


@BOTH
def test_podpacs_own_form_is_answered_and_its_secrets_are_not_repeated(through: Any) -> None:
    settings = {**podpac.settings, "AWS_SECRET_ACCESS_KEY": SECRET}
    request = {"pipeline": SIN, "coordinates": grid(), "output": {"format": "netcdf"}, "settings": settings}
    lines: list[str] = []
    answer = ask(through("POST", json.dumps(request)), lines)
    opened = podpac.UnitsDataArray.open(answer["body"])
    assert opened.shape == (3, 3)
    failed = ask(through("POST", json.dumps({**request, "pipeline": {"x": {"node": "system"}}})), lines)
    assert refused(failed) == (403, "PipelineRejectedError")
    assert SECRET not in json.dumps(failed) + "".join(lines)


@BOTH
def test_a_result_too_large_for_an_answer_is_pointed_at(through: Any) -> None:
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    put: list[dict[str, Any]] = []
    client.meta.events.register("provide-client-params.s3.PutObject", lambda params, **_: put.append(dict(params)))
    with Stubber(client) as stubber:
        keys = ("Bucket", "Key", "Body", "ContentType", "ChecksumSHA256", "Metadata")
        stubber.add_response("put_object", {}, dict.fromkeys(keys, ANY))
        # 4.9 MB, and so 6.5 MB in base64.
        answer = ask(
            through("POST", ours(side=780)), s3_client=client, S3_BUCKET_NAME="stack", FUNCTION_STACK="soil@here"
        )
    (sent,) = put
    assert len(sent["Body"]) < SYNC_RESPONSE_BYTES
    told = answer["body"]
    assert answer["statusCode"] == 200
    assert told["status"] == "stored"
    sha256 = hashlib.sha256(sent["Body"]).hexdigest()
    assert told["timings"]["upload"] >= 0
    assert told["stored"] == {
        "bucket": "stack", "key": f"output/{told['request_sha256']}.nc", "sha256": sha256, "size": len(sent["Body"]),
    }  # fmt: skip
    assert sent["Metadata"] == {
        "podpac-lambda-widgets-stack": "soil@here",
        "podpac-lambda-widgets-sha256": sha256,
        "podpac-lambda-widgets-request": told["request_sha256"],
    }


def test_a_result_too_large_without_a_bucket_says_so() -> None:
    assert refused(ask(through_url("POST", ours(side=780)))) == (500, "ResultError")


CALLS = {"x": {"node": "algorithm.Arithmetic", "inputs": {}, "attrs": {"eqn": "__import__('os')"}}}
FAILS = {"x": {"node": "data.Array", "attrs": {"source": [1.0, 2.0], "coordinates": grid(2)}}}


@BOTH
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (None, 400),
        ("", 400),
        ("{", 400),
        ("null", 400),
        ('{"a": 1}', 400),
        ("\ud800", 400),
        ('{"a": ' + "1" * 10_000 + "}", 400),
        ("[" * 10_000, 400),
        (ours(more=1), 400),
        (ours(podpac_lambda_widgets=0), 400),
        (ours(side=100_000), 400),
        (ours({}), 400),
        (ours({"x": {"node": "system", "plugin": "os"}}), 403),
        (ours(CALLS), 403),
        (ours(output={"format": "pickle"}), 403),
        (ours(FAILS), 422),
        (ours(side=400, output={"format": "json"}), 422),
        (" " * (SYNC_REQUEST_BYTES + 1), 413),
    ],
)
def test_a_request_that_cannot_be_answered_gets_the_status_that_says_why(through: Any, body: Any, status: int) -> None:
    assert refused(ask(through("POST", body)))[0] == status


@pytest.mark.parametrize("body", ["%", "AAA", "\u00e9"])
def test_a_body_that_is_not_base64_is_a_bad_request(body: str) -> None:
    assert refused(ask(through_url("POST", body, isBase64Encoded=True)))[0] == 400


@BOTH
@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "HEAD", "TRACE", "", "GET\r\nX: y"])
def test_another_method_is_told_which_are_allowed(through: Any, method: str) -> None:
    lines: list[str] = []
    answer = ask(through(method, ours()), lines)
    assert refused(answer)[0] == 405
    assert answer["headers"]["Allow"] == "GET, POST"
    assert json.loads(lines[0])["method"] == "other"


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json"])
def test_another_content_type_is_not_supported(media: str) -> None:
    assert refused(ask(through_url("POST", ours(), headers={"Content-Type": media})))[0] == 415


@pytest.mark.parametrize(
    "headers", [{}, None, {"CONTENT-TYPE": "Application/JSON"}, {"content-type": "application/x+json"}]
)
def test_json_is_supported_however_it_is_written(headers: Any) -> None:
    assert ask(through_url("POST", ours(), headers=headers))["statusCode"] == 200


@pytest.mark.parametrize("path", ["/favicon.ico", "/eval", "//", "/.env", 5])
def test_the_functions_url_has_one_path(path: object) -> None:
    assert refused(ask(through_url("POST", ours(), rawPath=path)))[0] == 404


def test_a_route_of_an_http_api_is_one_it_has_matched() -> None:
    assert ask(through_url("POST", ours(), rawPath="/eval", routeKey="POST /eval"))["statusCode"] == 200


@pytest.mark.parametrize("identifier", ["a\r\nSet-Cookie: x=y", "a b", "x" * 200, "\u00e9", "", None, 5])
def test_no_request_id_can_add_a_header(identifier: object) -> None:
    event = through_url("POST", ours())
    event["requestContext"]["requestId"] = identifier
    assert "X-Request-Id" not in ask(event)["headers"]
    made = Function(ENVIRON, print_line=lambda line: None)
    assert check(made.handle(event, SimpleNamespace(aws_request_id="r-1")))["headers"]["X-Request-Id"] == "r-1"


def test_an_unforeseen_failure_is_a_500_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError(SECRET)

    monkeypatch.setattr("podpac_lambda_widgets.remote.triggers.evaluate", fail)
    lines: list[str] = []
    answer = ask(through_url("POST", ours()), lines)
    assert refused(answer) == (500, "FunctionCrashedError")
    assert SECRET not in json.dumps(answer) + "".join(lines)
    assert json.loads(lines[0])["status"] == 500


def test_too_little_memory_is_a_500(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhaust(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("podpac_lambda_widgets.remote.encoders.encode_array", exhaust)
    assert refused(ask(through_url("POST", ours()))) == (500, "FunctionOutOfMemoryError")


@BOTH
@pytest.mark.parametrize("query", [{}, {"SERVICE": ""}])
def test_a_get_without_a_query_says_what_to_send(through: Any, query: Any) -> None:
    answer = ask(through("GET", query=query))
    assert refused(answer)[0] == 400


def test_the_advice_for_an_empty_get_is_a_query_that_works() -> None:
    advice = ask(through_url("GET"))["body"]["error"]["next_step"]
    named = set(re.findall(r"([A-Z]+)=", advice))
    assert named == {*GET_MAP, "FORMAT"}


@BOTH
def test_a_map_is_answered_in_the_colours_of_podpac(through: Any) -> None:
    answer = ask(through("GET", query=GET_MAP))
    assert answer["statusCode"] == 200
    assert answer["headers"]["Content-Type"] == "image/png"
    array = podpac.algorithm.SinCoords().eval(podpac.Coordinates.from_url({**GET_MAP}))
    assert np.array_equal(pixels(answer["body"]), pixels(array.to_image().read()))


@BOTH
@pytest.mark.parametrize(
    "changes",
    [
        {"SERVICE": "WCS", "REQUEST": "GetCoverage", "COVERAGE": "algorithm.SinCoords", "VERSION": "1.0.0"},
        {"FORMAT": "application/x-netcdf"},
        {"FORMAT": "NetCDF", "VERSION": "1.1.1", "SRS": "EPSG:4326", "CRS": ""},
        {"FORMAT": "nc", "CRS": "EPSG:3857", "BBOX": "-1000,2000,1000.5,6e4"},
        {"FORMAT": "nc", "TIME": "2018-01-01T12:00:00"},
        {"FORMAT": "nc", "PARAMS": '{"time": "2018-01-01"}'},
    ],
)
def test_a_query_means_what_it_means_to_podpac(through: Any, changes: Any) -> None:
    query = {name: value for name, value in {**GET_MAP, **changes}.items() if value}
    found = decode_array(ask(through("GET", query={name.lower(): value for name, value in query.items()}))["body"])
    expected = podpac.algorithm.SinCoords().eval(podpac.Coordinates.from_url(dict(query)))
    assert found.values.tobytes() == expected.values.tobytes()
    for name in expected.dims:
        assert found.coords[name].values.tobytes() == expected.coords[name].values.tobytes()
    assert found.attrs["crs"] == expected.attrs["crs"]


@pytest.mark.parametrize(
    ("layer", "params"),
    [
        ("algorithm.Arange", None),
        ("core.algorithm.utility.SinCoords", {"style": {"colormap": "magma", "clim": [-1, 1]}}),
        ("data.Array", {"source": [[1.0, 2.0], [3.0, 4.0]], "coordinates": grid(2)}),
        ("data.Array", {"attrs": {"source": [[1.0, 2.0], [3.0, 4.0]], "coordinates": grid(2)}, "node": "os.system"}),
        ("%PARAMS%", {**SIN, "x": {"node": "algorithm.Sum", "inputs": {"source": "SinCoords"}}}),
    ],
)
def test_a_layer_is_the_node_that_it_is_to_podpac(layer: str, params: Any) -> None:
    url = {**GET_MAP, "LAYERS": layer, "FORMAT": "nc", "BBOX": "-0.25,-0.25,1.25,1.25"}
    if params is not None:
        url["PARAMS"] = json.dumps(params)
    found = decode_array(ask(through_url("GET", query=url))["body"])
    if layer != "%PARAMS%" and params is not None:
        # As from_url does, but for the type by which podpac recognises coordinates among attributes.
        named = json.loads(json.dumps(params), object_pairs_hook=OrderedDict)
        node = podpac.Node.from_name_params(layer, named)
    else:
        node = podpac.Node.from_url(dict(url))
    expected = node.eval(podpac.Coordinates.from_url(dict(url)))
    assert found.values.tobytes() == expected.values.tobytes()
    assert found.attrs["layer_style"] == expected.attrs["layer_style"].json


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"SERVICE": "WFS"}, 400),
        ({"SERVICE": ""}, 400),
        ({"REQUEST": "GetCapabilities"}, 400),
        ({"VERSION": ""}, 400),
        ({"VERSION": "1.0.0"}, 400),
        ({"SERVICE": "WCS", "REQUEST": "GetCoverage", "COVERAGE": "algorithm.SinCoords", "VERSION": "2.0.1"}, 400),
        ({"LAYERS": ""}, 400),
        ({"LAYERS": "https://example.com/x.json"}, 403),
        ({"LAYERS": "s3://bucket/x.json"}, 403),
        ({"LAYERS": "file:///etc/passwd"}, 403),
        ({"LAYERS": "os.system"}, 403),
        ({"LAYERS": "algorithm.SinCoords,algorithm.Arange"}, 403),
        ({"LAYERS": "algorithm.SinCoords", "PARAMS": '{"plugin": "os"}'}, 403),
        ({"LAYERS": "algorithm.Generic", "PARAMS": '{"code": "output = 1"}'}, 403),
        ({"LAYERS": "%PARAMS%"}, 400),
        ({"LAYERS": "%PARAMS%", "PARAMS": '{"x": {"node": "system", "plugin": "os"}}'}, 403),
        ({"PARAMS": "[]"}, 400),
        ({"PARAMS": "{"}, 400),
        ({"PARAMS": '{"a": 1, "a": 2}'}, 400),
        ({"PARAMS": '{"lat": 5}'}, 400),
        ({"PARAMS": '{"time": "2018-01-01"}', "TIME": "2018-01-01"}, 400),
        ({"PARAMS": '{"time": [1, 2]}'}, 400),
        ({"TIME": "yesterday"}, 400),
        ({"TIME": "2018-01-01/2018-02-01/P1D"}, 400),
        ({"BBOX": ""}, 400),
        ({"BBOX": "1,2,3"}, 400),
        ({"BBOX": "1,2,3,4,5"}, 400),
        ({"BBOX": "nan,0,1,1"}, 400),
        ({"BBOX": "0,0,inf,1"}, 400),
        ({"BBOX": "0,0,1_0,1"}, 400),
        ({"BBOX": "0,0,1e400,1"}, 400),
        ({"BBOX": "-1e308,-1e308,1e308,1e308"}, 400),
        ({"BBOX": "0,0,0,0"}, 400),
        ({"BBOX": "10,10,0,0"}, 400),
        ({"WIDTH": "0"}, 400),
        ({"WIDTH": "-1"}, 400),
        ({"WIDTH": "1e3"}, 400),
        ({"WIDTH": "\u0661"}, 400),
        ({"HEIGHT": ""}, 400),
        ({"HEIGHT": "999999999", "WIDTH": "999999999"}, 400),
        ({"CRS": ""}, 400),
        ({"CRS": "nonsense"}, 400),
        ({"CRS": "+proj=utm +zone=10 +nadgrids=/etc/passwd"}, 403),
        ({"FORMAT": "image/jpeg"}, 400),
        ({"FORMAT": "pickle"}, 400),
    ],
)
def test_a_query_that_cannot_be_answered_says_why(changes: dict[str, str], status: int) -> None:
    answer = ask(through_url("GET", query={**GET_MAP, **changes}))
    assert refused(answer)[0] == status
    if "FORMAT" in changes:
        assert "image/png" in answer["body"]["error"]["why"]


@pytest.mark.parametrize("raw", ["SERVICE=%ff", "&".join(f"a{number}=1" for number in range(101))])
def test_a_query_that_cannot_be_read_is_a_bad_request(raw: str) -> None:
    assert refused(ask(through_url("GET", query=raw)))[0] == 400


def test_a_parameter_given_twice_is_a_bad_request() -> None:
    with pytest.raises(errors.InvalidPipelineError, match="twice"):
        read_query([*GET_MAP.items(), ("width", "41")])


@pytest.mark.parametrize("dims", [("lat", "lon", "time"), ("lat", "time"), ("lat",)])
def test_what_is_not_one_map_is_not_an_image(dims: tuple[str, ...]) -> None:
    xr = pytest.importorskip("xarray")
    with pytest.raises(errors.InvalidCoordinatesError, match="not one map"):
        encode_png(xr.DataArray(np.zeros((2,) * len(dims)), dims=dims))


ENUMERATION = '{"enumeration_colors": {"0": "#ff0000", "3": "#00ff00"}, "clim": [0, 3]}'


def pixels(png: bytes) -> Any:
    with Image.open(io.BytesIO(png)) as image:
        assert image.mode == "RGBA"
        return np.asarray(image)


def array(values: Any, lat: Any, lon: Any, **attrs: Any) -> Any:
    xr = pytest.importorskip("xarray")
    return xr.DataArray(np.asarray(values, float), dims=("lat", "lon"), coords={"lat": lat, "lon": lon}, attrs=attrs)


def test_an_image_has_north_above_and_west_left() -> None:
    upright = array([[0.0, 1.0], [2.0, 3.0]], [1.0, 0.0], [0.0, 1.0])
    expected = pixels(encode_png(upright))
    for turned in (upright[::-1], upright[:, ::-1], upright.transpose("lon", "lat")):
        assert np.array_equal(pixels(encode_png(turned)), expected)


def test_what_is_not_a_number_is_transparent_and_one_value_is_not() -> None:
    found = pixels(encode_png(array([[math.nan, 300.0], [300.0, math.inf]], [1.0, 0.0], [0.0, 1.0])))
    assert found[..., 3].tolist() == [[0, 255], [255, 255]]
    assert (pixels(encode_png(array([[math.nan]], [1.0], [0.0])))[..., 3] == 0).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1)])
def test_an_image_of_one_row_or_column_has_that_size(shape: tuple[int, int]) -> None:
    query = {**GET_MAP, "HEIGHT": str(shape[0]), "WIDTH": str(shape[1])}
    assert pixels(ask(through_url("GET", query=query))["body"]).shape == (*shape, 4)


def test_what_is_no_number_is_not_drawn() -> None:
    xr = pytest.importorskip("xarray")
    dates = xr.DataArray(np.zeros((1, 1), "M8[s]"), dims=("lat", "lon"), coords={"lat": [0.0], "lon": [0.0]})
    with pytest.raises(errors.PipelineFailedError, match="no numbers"):
        encode_png(dates)


def test_the_wms_name_of_longitude_before_latitude_is_understood() -> None:
    query = {**GET_MAP, "FORMAT": "nc"}
    expected = decode_array(ask(through_url("GET", query=query))["body"])
    swapped = {**query, "CRS": "CRS:84", "BBOX": "20,-10,60,10"}
    assert decode_array(ask(through_url("GET", query=swapped))["body"]).values.tobytes() == expected.values.tobytes()


@pytest.mark.parametrize(
    "style", ["{}", ENUMERATION, '{"clim": [0, 2]}', '{"colormap": "magma"}', '{"clim": [null, 5.0]}']
)
def test_an_image_has_the_colours_of_the_style(style: str) -> None:
    found = array(np.arange(12.0).reshape(3, 4), [2.0, 1.0, 0.0], [0.0, 1.0, 2.0, 3.0], layer_style=style)
    assert np.array_equal(pixels(encode_png(found)), pixels(podpac.core.units.to_image(found).read()))


def test_a_style_that_cannot_be_used_is_a_typed_error() -> None:
    with pytest.raises(errors.PipelineFailedError):
        encode_png(array([[1.0]], [0.0], [0.0], layer_style='{"colormap": "no such"}'))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PARAMETERS = st.dictionaries(st.sampled_from([*GET_MAP, "PARAMS", "TIME", "FORMAT", "x"]), st.text(max_size=20))
FIELDS = {
    "httpMethod": st.sampled_from(["GET", "POST", "PUT"]) | JSON,
    "version": JSON,
    "body": JSON | JSON.map(json.dumps) | st.just(ours()),
    "isBase64Encoded": st.booleans() | JSON,
    "headers": JSON | st.dictionaries(st.sampled_from(["Content-Type", "content-type"]), JSON),
    "rawPath": st.just("/") | JSON,
    "routeKey": st.just("$default") | JSON,
    "rawQueryString": st.text() | PARAMETERS.map(lambda found: urlencode({**GET_MAP, **found}, errors="replace")),
    "queryStringParameters": JSON | PARAMETERS.map(lambda found: {**GET_MAP, **found}),
    "multiValueQueryStringParameters": JSON,
}
CONTEXT = st.fixed_dictionaries(
    {"http": st.fixed_dictionaries({}, optional={"method": st.sampled_from(["GET", "POST"]) | JSON, "path": JSON})},
    optional={"requestId": JSON, "stage": JSON},
)


@given(st.fixed_dictionaries({"requestContext": CONTEXT}, optional=FIELDS))
def test_any_http_event_gets_a_well_formed_answer(event: dict[str, Any]) -> None:
    lines: list[str] = []
    answer = ask(event, lines)
    (line,) = lines
    assert json.loads(line)["status"] == answer["statusCode"]
    assert answer["statusCode"] != 500
