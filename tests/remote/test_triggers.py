"""The function as Lambda runs it: events in, bytes out, nothing left behind."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.config import Config
from botocore.response import StreamingBody
from botocore.stub import Stubber

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.limits import SYNC_RESPONSE_BYTES
from podpac_lambda_widgets.remote.answers import decode_answer
from podpac_lambda_widgets.remote.arrays import unpack_array
from podpac_lambda_widgets.remote.canonical import node_hash, pipeline_sha256
from podpac_lambda_widgets.remote.triggers import Function
from podpac_lambda_widgets.remote.wire import Answer, Request, encode_request

podpac = pytest.importorskip("podpac")
import podpac.managers  # noqa: E402, F811 - a submodule that podpac does not import itself

HANDLER = Path(__file__).parents[2] / "dist" / "aws" / "handler.py"
SIN = {"SinCoords": {"node": "core.algorithm.utility.SinCoords"}}
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
ENVIRON = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "2048"}


def grid(side: int) -> dict[str, Any]:
    axis = {"start": 0.0, "stop": 1.0, "size": side}
    return {"coords": [{"name": "lat", **axis}, {"name": "lon", **axis}]}


def event(pipeline: Any = SIN, coordinates: Any = None, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(encode_request(Request(pipeline, coordinates or grid(3), **more)))
    return found


def function(lines: list[str] | None = None, **options: Any) -> Function:
    environ = {**ENVIRON, **options.pop("environ", {})}
    return Function(environ, print_line=(lines if lines is not None else []).append, **options)


def test_a_large_answer_goes_to_the_bucket_with_its_checksum() -> None:
    put: list[dict[str, Any]] = []
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    client.meta.events.register("provide-client-params.s3.PutObject", lambda params, **_: put.append(dict(params)))
    stubber = Stubber(client)
    stubber.add_response("put_object", {})
    stubber.activate()
    environ = {"S3_BUCKET_NAME": "stack", "FUNCTION_S3_OUTPUT": "results/", "FUNCTION_STACK": "soil@us-east-1"}
    made = function(environ=environ, s3_client=lambda: client)
    answer = decode_answer(made.handle(event(coordinates=grid(1400))))
    stubber.assert_no_pending_responses()
    (sent,) = put
    assert answer.body is None
    assert answer.stored is not None
    assert sent["Bucket"] == answer.stored.bucket == "stack"
    assert sent["Key"] == answer.stored.key == f"results/{answer.request_sha256}.arrays"
    assert answer.stored.size == len(sent["Body"])
    assert answer.sha256 == answer.stored.sha256 == hashlib.sha256(sent["Body"]).hexdigest()
    assert base64.b64decode(sent["ChecksumSHA256"]).hex() == answer.sha256
    assert sent["Metadata"] == {
        "podpac-lambda-widgets-stack": "soil@us-east-1",
        "podpac-lambda-widgets-sha256": answer.sha256,
        "podpac-lambda-widgets-request": answer.request_sha256,
    }
    assert answer.timings["upload"] > 0
    node = podpac.algorithm.SinCoords()
    expected = node.eval(podpac.Coordinates.from_definition(grid(1400)))
    assert unpack_array(sent["Body"]).values.tobytes() == expected.values.tobytes()


def test_an_answer_that_just_fits_comes_back_inline_and_one_byte_more_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    made = function()
    size = len(made.handle(event()))
    # The timings in the frame have more or fewer digits from call to call.
    monkeypatch.setattr("podpac_lambda_widgets.remote.sending.SYNC_RESPONSE_BYTES", size + 200)
    assert decode_answer(made.handle(event())).body is not None
    monkeypatch.setattr("podpac_lambda_widgets.remote.sending.SYNC_RESPONSE_BYTES", size - 200)
    with pytest.raises(errors.ResultError, match="no bucket"):
        decode_answer(made.handle(event()))


def test_a_bucket_that_refuses_is_a_typed_error() -> None:
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    stubber = Stubber(client)
    stubber.add_client_error("put_object", "AccessDenied", SECRET, 403)
    stubber.activate()
    made = function(environ={"S3_BUCKET_NAME": "stack"}, s3_client=lambda: client)
    with pytest.raises(errors.ResultError, match="AccessDenied") as caught:
        decode_answer(made.handle(event(coordinates=grid(1400))))
    assert SECRET not in str(caught.value)


def test_the_same_request_is_stored_under_the_same_name() -> None:
    made = function()
    names = {decode_answer(made.handle(event(coordinates=grid(side)))).request_sha256 for side in (3, 3, 4)}
    assert len(names) == 2


def test_the_answer_says_where_the_time_went_and_what_computed_it() -> None:
    made = function()
    made.warm()
    first, second = decode_answer(made.handle(event())), decode_answer(made.handle(event()))
    assert set(first.timings) == {"init", "dependencies", "import", "evaluate", "encode", "upload"}
    assert first.timings["init"] > 0
    assert second.timings["init"] == 0
    assert all(value >= 0 for value in first.timings.values())
    assert first.versions["podpac"] == podpac.__version__


def test_too_many_points_are_refused_with_the_number() -> None:
    with pytest.raises(errors.InvalidCoordinatesError, match="10,000 points; this function takes 9,999"):
        decode_answer(function(environ={"FUNCTION_MAX_POINTS": "9999"}).handle(event(coordinates=grid(100))))


@pytest.mark.parametrize("digest", [pipeline_sha256, node_hash])
def test_a_restricted_function_runs_only_what_is_on_its_list(digest: Callable[[Any], str]) -> None:
    made = function(environ={"FUNCTION_RESTRICT_PIPELINES": f" {digest(SIN).upper()} ,other"})
    assert decode_answer(made.handle(event())).body
    with pytest.raises(errors.PipelineRejectedError, match="restricted"):
        decode_answer(made.handle(event({"Arange": {"node": "algorithm.Arange"}})))


def test_a_restricted_function_tells_styles_apart() -> None:
    styled = {"SinCoords": {**SIN["SinCoords"], "style": {"name": "x"}}}
    made = function(environ={"FUNCTION_RESTRICT_PIPELINES": pipeline_sha256(SIN)})
    assert decode_answer(made.handle(event())).body
    with pytest.raises(errors.PipelineRejectedError):
        decode_answer(function(environ={"FUNCTION_RESTRICT_PIPELINES": pipeline_sha256(styled)}).handle(event()))


GENERIC = {**SIN, "x": {"node": "algorithm.Generic", "inputs": {"a": "SinCoords"}, "attrs": {"code": "output = a + 1"}}}


def test_generic_runs_only_where_the_operator_opted_in() -> None:
    with pytest.raises(errors.PipelineRejectedError):
        decode_answer(function().handle(event(GENERIC)))
    for value in ("True", "1", "yes", ""):
        with pytest.raises(errors.PipelineRejectedError):
            decode_answer(function(environ={"FUNCTION_ALLOW_UNSAFE_EVAL": value}).handle(event(GENERIC)))
    answer = decode_answer(function(environ={"FUNCTION_ALLOW_UNSAFE_EVAL": "true"}).handle(event(GENERIC)))
    expected = podpac.algorithm.SinCoords().eval(podpac.Coordinates.from_definition(grid(3))) + 1
    assert answer.body is not None
    assert np.array_equal(unpack_array(answer.body).values, expected.values)


ARITHMETIC = {**SIN, "x": {"node": "algorithm.Arithmetic", "inputs": {"A": "SinCoords"}, "attrs": {"eqn": "A + 1"}}}


@pytest.mark.parametrize("eqn", ["A + 1", "A + where(A, 1, A) + B"])
def test_unsafe_evaluation_is_on_for_one_request_only(eqn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = {**SIN, "x": {**ARITHMETIC["x"], "attrs": {"eqn": eqn}}}
    monkeypatch.delenv("PODPAC_UNSAFE_EVAL", raising=False)
    before = dict(podpac.settings)
    try:
        decode_answer(function().handle(event(pipeline)))
    except errors.PodpacLambdaError:
        assert "B" in eqn
    assert "PODPAC_UNSAFE_EVAL" not in os.environ
    assert not podpac.settings.allow_unsafe_eval
    assert dict(podpac.settings) == before


COPYING = {**SIN, "x": {"node": "algorithm.Generic", "inputs": {"a": "SinCoords"}, "attrs": {"code": "output = a"}}}


def test_the_mark_that_allows_code_is_drawn_for_one_request_told_to_nobody_and_taken_from_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[str] = []

    def look(node: Any, coordinates: Any, **options: Any) -> Any:
        drawn.append(podpac.settings["UNSAFE_EVAL_HASH"])
        return evaluate(node, coordinates, **options)

    evaluate = podpac.Node.eval
    monkeypatch.setattr(podpac.Node, "eval", look)
    lines: list[str] = []
    made = function(lines)
    answers = [made.handle(event(ARITHMETIC)) for _ in range(2)]
    marks = set(drawn)
    assert len(marks) == 2
    assert all(len(mark) == 32 for mark in marks)
    # Nor is it in a log, from where somebody could have it.
    assert not any(mark in "".join(lines) or mark.encode() in bytes(answer) for mark in marks for answer in answers)
    for mark in (*marks, podpac.settings["UNSAFE_EVAL_HASH"]):
        monkeypatch.setenv("PODPAC_UNSAFE_EVAL", mark)
        with pytest.raises(errors.PipelineRejectedError, match="may not set"):
            decode_answer(made.handle(event(settings={"UNSAFE_EVAL_HASH": mark})))
        told = {**podpac.settings, "UNSAFE_EVAL_HASH": mark, "PODPAC_UNSAFE_EVAL": mark}
        with pytest.raises(errors.PipelineRejectedError, match="runs code"):
            made.handle(legacy(pipeline=COPYING, settings=told))
        # PODPAC's own client sends all its settings: its mark is not taken over.
        drawn.clear()
        made.handle(legacy(settings=told))
        assert mark not in drawn


def test_a_setting_of_one_request_is_gone_in_the_next() -> None:
    made = function()
    coordinates = {"coords": [{"name": "lat", "values": [0.0, 1.0]}]}
    crs = {"DEFAULT_CRS": "EPSG:3857"}
    with_setting = decode_answer(made.handle(event(coordinates=coordinates, settings=crs)))
    without = decode_answer(made.handle(event(coordinates=coordinates)))
    assert with_setting.body is not None
    assert without.body is not None
    assert unpack_array(with_setting.body).attrs["crs"] == "EPSG:3857"
    assert "+proj=longlat" in unpack_array(without.body).attrs["crs"]


def legacy(**changes: Any) -> dict[str, Any]:
    settings = {**podpac.settings, "AWS_SECRET_ACCESS_KEY": SECRET, "password@urs.earthdata.nasa.gov": SECRET}
    found = {"pipeline": SIN, "coordinates": grid(3), "output": {"format": "netcdf"}, "settings": settings, **changes}
    loaded: dict[str, Any] = json.loads(json.dumps(found))
    return loaded


def test_no_secret_of_a_legacy_event_is_logged_or_quoted() -> None:
    lines: list[str] = []
    made = function(lines)
    assert made.handle(legacy(), SimpleNamespace(aws_request_id="abc"))[:3] == b"CDF"
    with pytest.raises(errors.PipelineRejectedError) as caught:
        made.handle(legacy(pipeline={"x": {"node": "system", "plugin": "os"}}))
    with pytest.raises(errors.PipelineFailedError) as failed:
        made.handle(legacy(coordinates={"coords": [{"name": "time", "values": ["2018-01-01", "x"]}]}))
    assert SECRET not in "".join(lines) + str(caught.value) + str(failed.value) + repr(made)
    assert [json.loads(line)["outcome"] for line in lines] == ["ok", "PipelineRejectedError", "PipelineFailedError"]
    assert json.loads(lines[0])["request_id"] == "abc"
    assert all(len(line) < 400 for line in lines)


def test_a_legacy_answer_over_the_limit_says_what_to_do() -> None:
    with pytest.raises(errors.ResultError, match=r"podpac_lambda_widgets\.Lambda") as caught:
        function().handle(legacy(coordinates=grid(1400)))
    assert f"{SYNC_RESPONSE_BYTES:,}" in str(caught.value)


@pytest.mark.parametrize(
    "found",
    [
        None, 5, "text", [], {}, {"Records": []}, {"Records": [{"eventSource": "aws:sqs"}]}, {"Records": {}},
        {"requestContext": {}}, {"requestContext": {"http": None}}, {"httpMethod": "POST"}, {"pipeline": SIN}, {**SIN},
        legacy(more=1),
    ],
)  # fmt: skip
def test_an_event_of_nobody_is_a_typed_error(found: object) -> None:
    with pytest.raises(errors.PipelineRejectedError):
        function().handle(found)


def test_an_unforeseen_failure_leaves_no_trace_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError(SECRET)

    monkeypatch.setattr("podpac_lambda_widgets.remote.triggers.evaluate", fail)
    lines: list[str] = []
    with pytest.raises(errors.FunctionCrashedError, match="ZeroDivisionError") as caught:
        decode_answer(function(lines).handle(event()))
    assert SECRET not in str(caught.value) + "".join(lines)


def test_too_little_memory_is_a_typed_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhaust(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("podpac_lambda_widgets.remote.encoders.pack_array", exhaust)
    with pytest.raises(errors.FunctionOutOfMemoryError):
        decode_answer(function().handle(event()))


_LEFT_OUT = """
import json, sys
from podpac_lambda_widgets.remote.triggers import Function
from podpac_lambda_widgets.remote.answers import decode_answer
from podpac_lambda_widgets.errors import DependencyMissingError
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name == "rasterio": raise ModuleNotFoundError("No module named rasterio", name=name)
sys.meta_path.insert(0, Absent())
environ = {"FUNCTION_ALLOWED_BUCKETS": "bucket"}
function = Function(environ, left_out={"rasterio": "no build for this architecture"}, print_line=lambda line: None)
try:
    decode_answer(function.handle(json.load(sys.stdin)))
except DependencyMissingError as error:
    print(error.why)
"""


def test_a_package_that_was_left_out_is_named_with_the_reason() -> None:
    found = event({"x": {"node": "data.Rasterio", "attrs": {"source": "s3://bucket/x.tif"}}})
    done = subprocess.run(
        [sys.executable, "-c", _LEFT_OUT], input=json.dumps(found), capture_output=True, text=True, check=False
    )
    assert done.stdout == "no build for this architecture\n", done.stderr


class FunctionSession(boto3.Session):
    """Its Lambda client is answered by the function in this process, through the runtime client's marshaller."""

    def __init__(self, answering: Function) -> None:
        super().__init__(aws_access_key_id="x", aws_secret_access_key=SECRET, region_name="us-east-1")
        self._answering = answering

    def client(self, service_name: Any, *args: Any, config: Config | None = None, **options: Any) -> Any:
        client = super().client(service_name, *args, config=config, **options)
        if service_name == "lambda":
            client.meta.events.register("before-call.lambda.Invoke", self._invoke)
        return client

    def _invoke(self, params: dict[str, Any], **_: object) -> tuple[Any, dict[str, Any]]:
        marshaller = pytest.importorskip("awslambdaric.lambda_runtime_marshaller").LambdaMarshaller()
        more: dict[str, str] = {}
        try:
            body, kind = marshaller.marshal_response(
                self._answering.handle(marshaller.unmarshal_request(params["body"]))
            )
            assert kind == "application/unknown"
        except errors.PodpacLambdaError as error:
            described = {"errorType": type(error).__name__, "errorMessage": str(error), "stackTrace": []}
            body, more = json.dumps(described).encode(), {"FunctionError": "Unhandled"}
        payload = StreamingBody(io.BytesIO(body), len(body))
        return SimpleNamespace(status_code=200, headers={}), {"StatusCode": 200, "Payload": payload, **more}


def test_podpacs_own_client_evaluates_through_the_function() -> None:
    node = podpac.algorithm.SinCoords()
    coordinates = podpac.Coordinates(
        [podpac.clinspace(-90, 90, 180), podpac.clinspace(90, -90, 180), "2018-01-01"], ["lat", "lon", "time"]
    )
    client = podpac.managers.aws.Lambda(source=node, session=FunctionSession(function()), function_name="f")
    found, expected = client.eval(coordinates), node.eval(coordinates)
    assert found.equals(expected)
    assert found.attrs["layer_style"].json == expected.attrs["layer_style"].json


def test_podpacs_own_client_shows_our_error() -> None:
    node = podpac.algorithm.Generic(code="output = a", a=podpac.algorithm.SinCoords())
    client = podpac.managers.aws.Lambda(source=node, session=FunctionSession(function()), function_name="f")
    with pytest.raises(Exception, match="runs code"):
        client.eval(podpac.Coordinates([[1.0, 2.0]], ["lat"]))


_RUN = """
import json, os, sys
from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller
import importlib.util
spec = importlib.util.spec_from_file_location("handler", sys.argv[1])
handler = importlib.util.module_from_spec(spec)
spec.loader.exec_module(handler)
marshaller = LambdaMarshaller()
class Context: aws_request_id = "r-1"
for line in sys.stdin:
    body, kind = marshaller.marshal_response(handler.handler(marshaller.unmarshal_request(line), Context()))
    print("ANSWER", kind, body.hex())
import podpac
print("STATE", json.dumps({"home": os.environ["HOME"], "crs": podpac.settings["DEFAULT_CRS"], "cwd": os.listdir(".")}))
"""


def run_handler(tmp_path: Path, *events: dict[str, Any]) -> tuple[list[Answer], dict[str, Any], str]:
    (tmp_path / "task").mkdir()
    (tmp_path / "tmp").mkdir()
    (tmp_path / "task" / "settings.json").write_text(json.dumps({"AUTOSAVE_SETTINGS": True, "DEFAULT_CACHE": ["disk"]}))
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": "/nowhere",
        "TMPDIR": str(tmp_path / "tmp"),
        "LAMBDA_TASK_ROOT": str(tmp_path / "task"),
        "AWS_SECRET_ACCESS_KEY": SECRET,
        **ENVIRON,
    }
    done = subprocess.run(
        [sys.executable, "-c", _RUN, str(HANDLER)],
        input="".join(json.dumps(found) + "\n" for found in events),
        cwd=tmp_path / "task",
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    frames = [line.split() for line in lines if line.startswith("ANSWER")]
    assert {frame[1] for frame in frames} == {"application/unknown"}
    state: dict[str, Any] = json.loads(next(line for line in lines if line.startswith("STATE")).removeprefix("STATE "))
    log = "\n".join([line for line in lines if not line.startswith(("ANSWER", "STATE"))] + done.stderr.splitlines())
    return [decode_answer(bytes.fromhex(frame[2])) for frame in frames], state, log


def test_the_handler_runs_under_the_runtime_client_and_logs_one_line_a_request(tmp_path: Path) -> None:
    pytest.importorskip("awslambdaric")
    answers, state, log = run_handler(tmp_path, event(), event(ARITHMETIC))
    expected = podpac.algorithm.SinCoords().eval(podpac.Coordinates.from_definition(grid(3)))
    assert answers[0].body is not None
    assert unpack_array(answers[0].body).values.tobytes() == expected.values.tobytes()
    assert answers[0].timings["import"] > 0
    assert state["home"] == str(tmp_path / "tmp")
    assert state["cwd"] == ["settings.json"]
    assert len(log.splitlines()) == 2
    assert all(json.loads(line)["request_id"] == "r-1" for line in log.splitlines())
    assert SECRET not in log
