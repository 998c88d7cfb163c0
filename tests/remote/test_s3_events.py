"""Pipelines in the input folder become results in the output folder, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote_plus

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import assume, given
from hypothesis import strategies as st

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.remote.netcdf import decode_array
from podpac_lambda_widgets.remote.plain import MAX_BYTES
from podpac_lambda_widgets.remote.s3_events import output_stem
from podpac_lambda_widgets.remote.triggers import Function
from podpac_lambda_widgets.remote.wire import Request, encode_request

podpac = pytest.importorskip("podpac")
import podpac.managers  # noqa: E402, F811 - a submodule that podpac does not import itself

BUCKET = "s3-events"
SIN = {"SinCoords": {"node": "core.algorithm.utility.SinCoords"}}
SYSTEM = {"x": {"node": "system", "plugin": "os"}}
ENVIRON = {
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "2048",
    "S3_BUCKET_NAME": BUCKET,
    "FUNCTION_S3_INPUT": "input/soil",
    "FUNCTION_S3_OUTPUT": "output/soil",
    "FUNCTION_STACK": "soil@us-east-1",
}


def grid(side: int = 3) -> dict[str, Any]:
    axis = {"start": 0.0, "stop": 1.0, "size": side}
    return {"coords": [{"name": "lat", **axis}, {"name": "lon", **axis}]}


def pipeline(definition: Any = SIN, **more: Any) -> bytes:
    return json.dumps({**json.loads(encode_request(Request(definition, grid()))), **more}).encode()


def record(key: str, bucket: str = BUCKET, **changes: Any) -> dict[str, Any]:
    stored = {"bucket": {"name": bucket}, "object": {"key": quote_plus(key, safe="/"), "size": 1}}
    return {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": stored, **changes}


def records(*keys: str) -> dict[str, Any]:
    return {"Records": [record(key) for key in keys]}


class Bucket:
    """The stack's bucket, and the function with a log of its calls."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.code = ""
        self.lines: list[str] = []
        self.calls: list[str] = []
        client.meta.events.register(
            "before-call.s3.*", lambda model, params, **_: self.calls.append(f"{model.name} {params['url_path']}")
        )

    def put(self, key: str, body: bytes) -> None:
        self.client.put_object(Bucket=BUCKET, Key=key, Body=body)

    def handle(self, event: object, **environ: str) -> list[dict[str, Any]]:
        self.calls.clear()
        made = Function(
            {**ENVIRON, **environ},
            s3_client=lambda: self.client,
            print_line=self.lines.append,
            code_version=self.code,
        )
        answer = json.loads(json.dumps(made.handle(event)))
        found: list[dict[str, Any]] = answer["records"]
        return found

    def get(self, key: str) -> tuple[bytes, dict[str, Any]]:
        found = self.client.get_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
        return found["Body"].read(), found

    def names(self, folder: str = "") -> list[str]:
        found = self.client.list_objects_v2(Bucket=BUCKET, Prefix=folder).get("Contents", [])
        return [item["Key"] for item in found]


@pytest.fixture
def bucket(aws: LocalSession) -> Iterator[Bucket]:
    client = aws.client("s3")
    client.create_bucket(Bucket=BUCKET)
    made = Bucket(client)
    yield made
    for key in made.names():
        client.delete_object(Bucket=BUCKET, Key=key)
    client.delete_bucket(Bucket=BUCKET)


def test_a_pipeline_becomes_a_result_of_the_same_name(bucket: Bucket) -> None:
    bucket.put("input/soil/tiles/a.json", pipeline())
    (outcome,) = bucket.handle(records("input/soil/tiles/a.json"))
    assert {"evaluate", "upload"} < outcome.pop("timings").keys()
    assert outcome == {
        "key": "input/soil/tiles/a.json", "outcome": "stored", "output": "output/soil/tiles/a.nc", "error": None,
    }  # fmt: skip
    body, found = bucket.get("output/soil/tiles/a.nc")
    expected = podpac.algorithm.SinCoords().eval(podpac.Coordinates.from_definition(grid()))
    assert decode_array(body).values.tobytes() == expected.values.tobytes()
    assert found["ContentType"] == "application/x-netcdf"
    sha256 = hashlib.sha256(body).hexdigest()
    assert base64.b64decode(found["ChecksumSHA256"]).hex() == sha256
    request_sha256 = found["Metadata"].pop("podpac-lambda-widgets-request")
    assert len(request_sha256) == 64
    assert found["Metadata"] == {
        "podpac-lambda-widgets-stack": "soil@us-east-1", "podpac-lambda-widgets-sha256": sha256,
    }  # fmt: skip


def test_every_record_is_handled_whatever_becomes_of_the_others(bucket: Bucket) -> None:
    bucket.put("input/soil/bad.json", pipeline(SYSTEM))
    bucket.put("input/soil/good.json", pipeline())
    event = records("input/soil/gone.json", "input/soil/bad.json", "other/x.json", "input/soil/good.json")
    event["Records"][:0] = [None, 5, {}, {"eventSource": "aws:sqs"}, record("input/soil/good.json", "other-bucket")]
    outcomes = bucket.handle(event)
    assert [found["outcome"] for found in outcomes] == ["refused"] * 8 + ["stored"]
    assert bucket.names("output") == ["output/soil/bad.error.json", "output/soil/good.nc"]
    (line,) = bucket.lines
    assert json.loads(line)["records"] == {"refused": 8, "stored": 1}
    assert json.loads(line)["keys"] == [
        "input/soil/gone.json", "input/soil/bad.json", "other/x.json", "input/soil/good.json",
    ]  # fmt: skip


def test_the_log_names_what_began_it_by_the_end_of_its_key(bucket: Bucket) -> None:
    key = f"input/soil/{'x' * 80}/é{'0' * 32}.json"
    bucket.put(key, pipeline())
    bucket.handle(records(key))
    [named] = json.loads(bucket.lines[0])["keys"]
    assert len(named) == 64
    assert named.endswith(f"{'0' * 32}.json")


def test_a_refused_pipeline_leaves_its_error_beside_the_results(bucket: Bucket) -> None:
    bucket.put("input/soil/bad.json", pipeline(SYSTEM))
    (outcome,) = bucket.handle(records("input/soil/bad.json"))
    body, found = bucket.get("output/soil/bad.error.json")
    told = json.loads(body)
    assert outcome["output"] == "output/soil/bad.error.json"
    assert told["error"] == outcome["error"]
    assert told["error"]["type"] == "PipelineRejectedError"
    assert told["input"] == {"bucket": BUCKET, "key": "input/soil/bad.json"}
    assert found["Metadata"]["podpac-lambda-widgets-stack"] == "soil@us-east-1"
    assert found["ContentType"] == "application/json"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "InvalidPipelineError"),
        (b"[1]", "PipelineRejectedError"),
        (b"\xff\xfe", "InvalidPipelineError"),
        (b'{"pipeline": {}, "pipeline": {}, "coordinates": {}}', "InvalidPipelineError"),
        (b'{"pipeline": ' + b"[" * 10_000, "InvalidPipelineError"),
        (b'{"pipeline": ' + b"1" * 10_000 + b"}", "InvalidPipelineError"),
        (pipeline(force_compute="yes"), "InvalidPipelineError"),
        (pipeline(more=1), "PipelineRejectedError"),
        (pipeline(SIN, coordinates=grid(100_000)), "InvalidCoordinatesError"),
    ],
)
def test_what_is_no_pipeline_is_described_and_not_tried_again(bucket: Bucket, body: bytes, error: str) -> None:
    bucket.put("input/soil/x.json", body)
    (outcome,) = bucket.handle(records("input/soil/x.json"))
    assert (outcome["outcome"], outcome["error"]["type"]) == ("refused", error)
    assert bucket.names("output") == ["output/soil/x.error.json"]


def test_an_object_over_the_limit_is_refused_by_its_length(bucket: Bucket) -> None:
    bucket.put("input/soil/x.json", b" " * (MAX_BYTES + 1))
    (outcome,) = bucket.handle(records("input/soil/x.json"))
    assert outcome["outcome"] == "refused"
    assert f"{MAX_BYTES:,}" in outcome["error"]["why"]


def test_a_result_that_is_there_is_not_computed_again_unless_forced(bucket: Bucket) -> None:
    bucket.put("input/soil/a.json", pipeline())
    assert [bucket.handle(records("input/soil/a.json"))[0]["outcome"] for _ in range(2)] == ["stored", "skipped"]
    assert not any(call.startswith("PutObject") for call in bucket.calls)
    bucket.put("input/soil/a.json", pipeline(force_compute=True))
    assert bucket.handle(records("input/soil/a.json"))[0]["outcome"] == "stored"


@pytest.mark.parametrize(
    "change",
    [
        lambda bucket: bucket.put("input/soil/a.json", pipeline(coordinates=grid(4))),
        lambda bucket: bucket.put("output/soil/a.nc", b"somebody else's"),
        lambda bucket: bucket.client.delete_object(Bucket=BUCKET, Key="output/soil/a.nc"),
    ],
    ids=["another request", "another object", "nothing"],
)
def test_a_result_of_something_else_is_replaced(bucket: Bucket, change: Callable[[Bucket], None]) -> None:
    bucket.put("input/soil/a.json", pipeline())
    bucket.handle(records("input/soil/a.json"))
    change(bucket)
    assert bucket.handle(records("input/soil/a.json"))[0]["outcome"] == "stored"


def test_a_result_of_other_code_is_replaced(bucket: Bucket) -> None:
    bucket.put("input/soil/a.json", pipeline())
    outcomes = []
    for code in ("of Monday", "of Monday", "of Tuesday"):
        bucket.code = code
        outcomes.append(bucket.handle(records("input/soil/a.json"))[0]["outcome"])
    assert outcomes == ["stored", "skipped", "stored"]


def test_a_result_in_the_form_of_the_other_client_is_replaced(bucket: Bucket) -> None:
    bucket.put("input/soil/a.json", pipeline(output={"format": "nc"}))
    bucket.handle(records("input/soil/a.json"))
    legacy = {"pipeline": SIN, "coordinates": grid(), "output": {"format": "nc"}}
    bucket.put("input/soil/a.json", json.dumps(legacy).encode())
    assert [bucket.handle(records("input/soil/a.json"))[0]["outcome"] for _ in range(2)] == ["stored", "skipped"]
    assert bucket.names("output") == ["output/soil/a.nc"]


def test_a_result_whose_bytes_are_not_those_promised_is_replaced(bucket: Bucket) -> None:
    bucket.put("input/soil/a.json", pipeline())
    bucket.handle(records("input/soil/a.json"))
    _, found = bucket.get("output/soil/a.nc")
    bucket.client.put_object(
        Bucket=BUCKET, Key="output/soil/a.nc", Body=b"damaged", Metadata=found["Metadata"], ChecksumAlgorithm="SHA256"
    )
    assert bucket.handle(records("input/soil/a.json"))[0]["outcome"] == "stored"


def test_a_request_that_is_no_longer_allowed_does_not_get_the_old_result(bucket: Bucket) -> None:
    bucket.put("input/soil/a.json", pipeline())
    bucket.handle(records("input/soil/a.json"))
    (outcome,) = bucket.handle(records("input/soil/a.json"), FUNCTION_RESTRICT_PIPELINES="other")
    assert outcome["outcome"] == "refused"


class PodpacSession(boto3.Session):
    """Its S3 client is the embedded AWS's; what is put calls the function, as a notification would."""

    def __init__(self, bucket: Bucket) -> None:
        super().__init__(aws_access_key_id="x", aws_secret_access_key="x", region_name="us-east-1")
        self._bucket = bucket

    def client(self, service_name: Any, *args: Any, **options: Any) -> Any:
        return self if service_name == "s3" else super().client(service_name, *args, **options)

    def put_object(self, **options: Any) -> None:
        self._bucket.client.put_object(**options)
        self._bucket.handle(records(options["Key"]))

    def get_object(self, **options: Any) -> Any:
        return self._bucket.client.get_object(**options)

    def get_waiter(self, name: str) -> Any:
        return self._bucket.client.get_waiter(name)


@pytest.mark.parametrize("force", [False, True])
def test_podpacs_own_client_evaluates_through_the_bucket(bucket: Bucket, force: bool) -> None:
    node = podpac.algorithm.SinCoords()
    coordinates = podpac.Coordinates([podpac.clinspace(0, 9, 10), podpac.clinspace(9, 0, 10)], ["lat", "lon"])
    client = podpac.managers.aws.Lambda(
        source=node, session=PodpacSession(bucket), function_name="soil", function_eval_trigger="S3",
        function_s3_bucket=BUCKET, force_compute=force,
    )  # fmt: skip
    client.function_s3_input, client.function_s3_output = "input/soil", "output/soil"
    for _ in range(2):
        assert client.eval(coordinates).equals(node.eval(coordinates))
    outcomes = [next(iter(json.loads(line)["records"])) for line in bucket.lines]
    assert outcomes == ["stored", "stored" if force else "skipped"]


@pytest.mark.parametrize(
    "key",
    [
        "input/soil/../deps/x.json", "input/soil/./x.json", "input/soil//x.json", "input/soil/.json",
        "input/soil/%2e%2e/x.json", "input/soil/..%2f..%2fx.json", "input/soil/a\\..\\x.json", "input/soil/a\nb.json",
        "input/soil/a\0.json", "input/soilx.json", "input/soils/x.json", "input/x.json", "output/soil/x.json", "x.json",
        "input/soil/x.nc", "input/soil/x.JSON", "input/soil/", "", "/input/soil/x.json", "input/soil/x.json/",
        "input/soil/" + "x" * 1009 + ".json", "input/soil/" + "é" * 504 + ".json",
    ],
)  # fmt: skip
def test_a_name_that_is_no_pipelines_is_refused_and_nothing_is_read(bucket: Bucket, key: str) -> None:
    (outcome,) = bucket.handle(records(key))
    assert outcome["outcome"] == "refused"
    assert bucket.calls == []
    assert "\n" not in bucket.lines[0]


@pytest.mark.parametrize("raw", ["input/soil/%ff.json", "input/soil/\ud800.json", "input/soil/%ed%a0%80.json"])
def test_a_name_that_is_not_utf8_is_refused(bucket: Bucket, raw: str) -> None:
    found = record("x")
    found["s3"]["object"]["key"] = raw
    assert bucket.handle({"Records": [found]})[0]["outcome"] == "refused"
    assert bucket.calls == []


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("a b+c.json", "a b+c.nc"),
        ("x.json.json", "x.json.nc"),
        ("caf\u00e9.json", "caf\u00e9.nc"),
        ("cafe\u0301.json", "cafe\u0301.nc"),
        ("...json", None),
        ("a..b/c.d.json", "a..b/c.d.nc"),
        ("input/soil/x.json", "input/soil/x.nc"),
        ("50%.json", "50%.nc"),
    ],
)
def test_an_unusual_name_is_kept_as_it_is(bucket: Bucket, name: str, result: str | None) -> None:
    bucket.put(f"input/soil/{name}", pipeline())
    (outcome,) = bucket.handle(records(f"input/soil/{name}"))
    assert outcome["outcome"] == ("stored" if result else "refused")
    assert bucket.names("output") == ([f"output/soil/{result}"] if result else [])


@pytest.mark.parametrize("name", ["ObjectRemoved:Delete", "ObjectRestore:Completed", "", None, 5])
def test_only_an_object_that_was_put_counts(bucket: Bucket, name: object) -> None:
    bucket.put("input/soil/a.json", pipeline())
    assert bucket.handle({"Records": [record("input/soil/a.json", eventName=name)]})[0]["outcome"] == "refused"


@pytest.mark.parametrize("missing", ["S3_BUCKET_NAME", "FUNCTION_S3_INPUT"])
def test_a_function_without_the_trigger_refuses_the_event(missing: str) -> None:
    made = Function({**ENVIRON, missing: ""}, print_line=lambda line: None)
    with pytest.raises(errors.PipelineRejectedError, match="no S3 trigger"):
        made.handle(records("input/soil/a.json"))


def stubbed() -> tuple[Stubber, Function]:
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    stubber = Stubber(client)
    stubber.activate()
    return stubber, Function(ENVIRON, s3_client=lambda: client, print_line=lambda line: None)


@pytest.mark.parametrize(
    ("call", "code", "status"), [("get_object", "SlowDown", 503), ("get_object", "AccessDenied", 403)]
)
def test_what_may_succeed_later_is_raised_after_all_were_handled(call: str, code: str, status: int) -> None:
    stubber, made = stubbed()
    for _ in range(2):
        stubber.add_client_error(call, code, "quotes a secret", status)
    with pytest.raises(errors.ResultError, match=f"(?s)2 of 2 pipelines failed.*{code}") as caught:
        made.handle(records("input/soil/a.json", "input/soil/b.json"))
    assert "secret" not in str(caught.value)
    stubber.assert_no_pending_responses()


def test_every_call_names_the_account_that_the_bucket_belongs_to(bucket: Bucket) -> None:
    owners: list[object] = []
    bucket.client.meta.events.register(
        "provide-client-params.s3.*", lambda params, **_: owners.append(params.get("ExpectedBucketOwner"))
    )
    bucket.put("input/soil/a.json", pipeline())
    owners.clear()
    made = Function(ENVIRON, s3_client=lambda: bucket.client, print_line=bucket.lines.append)
    arn = "arn:aws:lambda:us-east-1:000000000000:function:soil"
    made.handle(records("input/soil/a.json"), SimpleNamespace(invoked_function_arn=arn, aws_request_id=""))
    assert json.loads(bucket.lines[0])["records"] == {"stored": 1}
    assert owners == ["000000000000"] * 3


class Reading:
    """What S3's answer has as its body."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def __enter__(self) -> Reading:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read(self) -> bytes:
        return self.body


def test_a_result_that_cannot_be_looked_for_is_computed_and_one_that_cannot_be_put_is_tried_again() -> None:
    stubber, made = stubbed()
    stubber.add_response("get_object", {"Body": Reading(pipeline()), "ContentLength": 10})
    stubber.add_client_error("head_object", "403", "", 403)
    stubber.add_client_error("put_object", "AccessDenied", "", 403)
    with pytest.raises(errors.ResultError, match="could not be stored"):
        made.handle(records("input/soil/a.json"))
    stubber.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (ZeroDivisionError("secret"), "ZeroDivisionError"),
        (errors.ArchiveMissingError("No dependencies", why="SlowDown"), "SlowDown"),
    ],
)
def test_a_failure_of_the_function_itself_is_tried_again(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, raised: Exception, told: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr("podpac_lambda_widgets.remote.triggers.evaluate", fail)
    bucket.put("input/soil/a.json", pipeline())
    with pytest.raises(errors.ResultError, match=told) as caught:
        bucket.handle(records("input/soil/a.json"))
    assert "secret" not in str(caught.value) + "".join(bucket.lines)
    assert bucket.names("output") == []


def test_too_little_memory_is_not_tried_again(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhaust(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("podpac_lambda_widgets.remote.encoders.encode_array", exhaust)
    bucket.put("input/soil/a.json", pipeline())
    assert bucket.handle(records("input/soil/a.json"))[0]["error"]["type"] == "FunctionOutOfMemoryError"


FOLDERS = st.text(st.sampled_from("ab/.%2"), max_size=6)
PARTS = st.sampled_from(
    ["..", ".", "/", "\\", "%2e", "%2F", "%252e", "a", ".json", ".error", "\u00e9", "e\u0301", "\0"]
)
NAMES = st.one_of(st.text(max_size=30), st.lists(PARTS, max_size=12).map("".join))


@given(NAMES, FOLDERS, FOLDERS)
def test_a_result_lies_in_the_output_folder_and_never_in_the_input_folder(name: str, one: str, other: str) -> None:
    for key in (name, f"{one}/{name}", f"{one}/{name}.json"):
        try:
            stem = output_stem(key, one, other)
        except errors.PipelineRejectedError:
            continue
        for result in (f"{stem}.nc", f"{stem}.netcdf", f"{stem}.error.json"):
            assert result.startswith(f"{other}/")
            assert not result.startswith(f"{one}/")
            assert not {"", ".", ".."} & {*result.removeprefix(f"{other}/").split("/")}
            assert len(result.encode()) <= 1024


@given(NAMES, NAMES)
def test_two_names_never_share_a_result(one: str, other: str) -> None:
    assume(one != other)
    stems = []
    for name in (one, other):
        try:
            stems.append(output_stem(f"input/{name}.json", "input", "output"))
        except errors.PipelineRejectedError:
            return
    assert stems[0] != stems[1]
