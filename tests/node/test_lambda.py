"""The documented uses, word for word, and what must never happen on the way."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import xarray as xr
from IPython.core.ultratb import VerboseTB

import podpac_lambda_widgets as plw
from podpac_lambda_widgets import errors
from podpac_lambda_widgets.local.emulator import local_aws
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.model.examples import EXAMPLES, Example

if TYPE_CHECKING:
    from podpac_lambda_widgets.node import Lambda

pytestmark = [pytest.mark.local_aws, pytest.mark.archive]

NAME = "node-tests"
CANARY = "CANARYs3cr3tVALUEneverToBeSeen0123456789"


def on(cloud: Lambda, source: Any, **traits: Any) -> Lambda:
    """The built function with a pipeline."""
    return plw.Lambda(source=source, session=cloud.session, function_name=NAME, **traits)


def assert_equal(found: xr.DataArray, expected: xr.DataArray) -> None:
    """Values bit for bit, dimensions, coordinates and attributes."""
    assert found.dims == expected.dims
    assert found.dtype == expected.dtype
    assert found.values.tobytes() == expected.values.tobytes()
    assert list(found.coords) == list(expected.coords)
    for name in expected.coords:
        assert found[name].dtype.kind == expected[name].dtype.kind
        assert np.array_equal(found[name].values, expected[name].values)
    assert set(found.attrs) == set(expected.attrs)
    for name, value in expected.attrs.items():
        same = found.attrs[name].json == value.json if name == "layer_style" else found.attrs[name] == value
        assert same, name


def test_podpacs_tutorial_gives_the_local_values_bit_for_bit(cloud: Lambda, grid: Any, podpac: Any) -> None:
    node = podpac.algorithm.SinCoords()
    output = on(cloud, node).eval(grid)
    assert isinstance(output, podpac.UnitsDataArray)
    assert output.shape == (180, 180, 1)
    assert_equal(output, node.eval(grid))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_every_example_gives_the_local_values(cloud: Lambda, grid: Any, example: Example, podpac: Any) -> None:
    node = podpac.Node.from_json(example.pipeline.json)
    with_permission = podpac.settings.allow_unsafe_eval
    podpac.settings.allow_unrestricted_code_execution(True)
    try:
        expected = node.eval(grid)
    finally:
        podpac.settings.allow_unrestricted_code_execution(with_permission)
    assert_equal(on(cloud, example.pipeline).eval(grid), expected)


def test_podpacs_own_client_evaluates_through_our_function(cloud: Lambda, grid: Any, podpac: Any) -> None:
    node = podpac.algorithm.SinCoords()
    client = podpac.managers.aws.Lambda(source=node, session=cloud.session, function_name=NAME)
    output = client.eval(grid)
    assert np.array_equal(output.values, node.eval(grid).values)
    assert output.dims == ("lat", "lon", "time")


def test_a_node_may_take_a_lambda_as_its_source(cloud: Lambda, grid: Any, podpac: Any) -> None:
    node = podpac.algorithm.SinCoords()
    assert isinstance(cloud, podpac.Node)
    mean = podpac.algorithm.Mean(source=on(cloud, node), dims=["lat"])
    assert np.array_equal(mean.eval(grid).values, podpac.algorithm.Mean(source=node, dims=["lat"]).eval(grid).values)


def test_a_result_over_the_inline_limit_comes_through_the_bucket(cloud: Lambda, podpac: Any) -> None:
    dims = [podpac.clinspace(-90, 90, 1400), podpac.clinspace(-180, 180, 1400), "2018-01-01"]
    large = podpac.Coordinates(dims, ["lat", "lon", "time"])
    node = podpac.algorithm.SinCoords()
    result = on(cloud, node).run(large)
    assert result.timings["upload"] > 0
    assert result.array.values.tobytes() == node.eval(large).values.tobytes()


def test_building_again_writes_nothing(cloud: Lambda) -> None:
    assert cloud.plan().is_empty
    assert cloud.build().is_empty
    assert cloud.validate()


def test_drift_is_named_and_mended(cloud: Lambda, aws: LocalSession) -> None:
    aws.client("lambda").update_function_configuration(FunctionName=NAME, MemorySize=1024)
    aws.client("logs").put_retention_policy(logGroupName=f"/aws/lambda/{NAME}", retentionInDays=1)
    assert not cloud.validate()
    with pytest.raises(errors.DeployError, match="memory: 1024 → 2048"):
        cloud.validate(raise_exceptions=True)
    cloud.build()
    assert cloud.validate()


def test_describe_tells_what_there_is(cloud: Lambda) -> None:
    text = str(cloud.describe())
    assert "memory 2048" in text
    assert "not there" not in text
    assert "<table" in cloud.describe()._repr_html_()


@pytest.mark.parametrize("region", ["eu-west-1"])
def test_archives_in_a_bucket_build_evaluate_and_go_without_a_trace(
    archives: dict[str, str], grid: Any, region: str, podpac: Any
) -> None:
    with local_aws(region_name=region) as session:
        s3 = session.client("s3")
        s3.create_bucket(Bucket="my-bucket", CreateBucketConfiguration={"LocationConstraint": region})
        s3.upload_file(archives["function_source_dist_zip"], "my-bucket", "directory/podpac_dist.zip")
        s3.upload_file(archives["function_source_dependencies_zip"], "my-bucket", "directory/podpac_deps.zip")
        before = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
        node = podpac.algorithm.SinCoords()
        cloud = plw.Lambda(
            source=node,
            session=session,
            function_source_bucket="my-bucket",
            function_source_dist_key="directory/podpac_dist.zip",
            function_source_dependencies_key="directory/podpac_deps.zip",
            function_triggers=["eval", "S3", "APIGateway", "URL"],
            function_budget_amount=20.0,
            function_budget_email="me@example.org",
        )
        cloud.build()
        assert cloud.plan().is_empty
        assert cloud.validate()
        assert f".execute-api.{region}.amazonaws.com/prod/eval" in str(cloud.describe())
        assert_equal(cloud.eval(grid), node.eval(grid))
        cloud.delete(confirm=True)
        assert session.client("lambda").list_functions()["Functions"] == []
        assert session.client("apigateway").get_rest_apis()["items"] == []
        assert session.client("logs").describe_log_groups()["logGroups"] == []
        assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == before
        keys = [found["Key"] for found in s3.list_objects_v2(Bucket="my-bucket")["Contents"]]
        assert keys == ["directory/podpac_deps.zip", "directory/podpac_dist.zip"]


def test_deleting_leaves_the_account_as_it_was(
    aws: LocalSession, archives: dict[str, str], grid: Any, inventory: Callable[[], dict[str, Any]], podpac: Any
) -> None:
    before = inventory()
    cloud = plw.Lambda(source=podpac.algorithm.SinCoords(), session=aws, function_name="short-lived", **archives)
    cloud.build()
    cloud.eval(grid)
    assert inventory() != before
    with pytest.raises(errors.ConfirmationRequiredError):
        cloud.delete()
    cloud.delete(confirm=True)
    assert inventory() == before


def test_foreign_resources_of_our_names_are_refused_before_anything_is_made(
    aws: LocalSession, archives: dict[str, str], inventory: Callable[[], dict[str, Any]]
) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="somebody-elses-data")
    s3.put_object(Bucket="somebody-elses-data", Key="data.nc", Body=b"precious")
    before = inventory()
    try:
        cloud = plw.Lambda(session=aws, function_name="newcomer", function_s3_bucket="somebody-elses-data", **archives)
        with pytest.raises(errors.PlanRefusedError, match="somebody-elses-data"):
            cloud.build()
        assert inventory() == before
        cloud.delete(confirm=True)
        assert inventory() == before
    finally:
        s3.delete_object(Bucket="somebody-elses-data", Key="data.nc")
        s3.delete_bucket(Bucket="somebody-elses-data")


def test_an_adopted_bucket_is_used_and_left(
    aws: LocalSession, archives: dict[str, str], grid: Any, inventory: Callable[[], dict[str, Any]], podpac: Any
) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="lab-bucket")
    s3.put_object(Bucket="lab-bucket", Key="output/guest/thesis.nc", Body=b"theirs")
    before = inventory()
    node = podpac.algorithm.SinCoords()
    cloud = plw.Lambda(
        source=node,
        session=aws,
        function_name="guest",
        function_s3_bucket="lab-bucket",
        adopt=["lab-bucket"],
        **archives,
    )
    try:
        cloud.build()
        assert_equal(cloud.eval(grid), node.eval(grid))
        cloud.delete(confirm=True)
        assert inventory() == before
    finally:
        s3.delete_object(Bucket="lab-bucket", Key="output/guest/thesis.nc")
        s3.delete_bucket(Bucket="lab-bucket")


def test_names_and_keys_come_from_settings_and_nothing_is_written_back(
    aws: LocalSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = aws.get_credentials()
    from podpac_lambda_widgets.node import settings

    given = {
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_REGION_NAME": "eu-central-1",
        "S3_BUCKET_NAME": "bucket-of-settings",
        "FUNCTION_NAME": "function-of-settings",
        "FUNCTION_ROLE_NAME": "role-of-settings",
    }
    for name, value in given.items():
        monkeypatch.setitem(settings, name, value)
    before = dict(settings)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    cloud = plw.Lambda()
    assert (cloud.function_name, cloud.role_name("eu-central-1")) == ("function-of-settings", "role-of-settings")
    assert cloud.bucket_name("1" * 12, "eu-central-1") == "bucket-of-settings"
    assert cloud.stack.account.identity().region == "eu-central-1"
    assert dict(settings) == before
    assert keys.secret_key not in repr(cloud.__dict__)


BAD_RUNS: list[tuple[str, Any, type[errors.PodpacLambdaError]]] = [
    ("not JSON", "{", errors.InvalidPipelineError),
    ("no node", "{}", errors.InvalidPipelineError),
    ("no pipeline", None, errors.InvalidPipelineError),
    ("a process", {"x": {"plugin": "os", "node": "system", "attrs": {}}}, errors.PipelineRejectedError),
    ("unknown node", {"x": {"node": "core.algorithm.utility.Nothing"}}, errors.PipelineRejectedError),
    (
        "a local file",
        {"x": {"node": "core.data.csv_source.CSVRaw", "attrs": {"source": "/proc/self/environ"}}},
        errors.PipelineRejectedError,
    ),
]


@pytest.mark.parametrize(("source", "kind"), [case[1:] for case in BAD_RUNS], ids=[case[0] for case in BAD_RUNS])
def test_a_bad_pipeline_is_refused_before_anything_is_sent(
    cloud: Lambda, grid: Any, source: Any, kind: type[errors.PodpacLambdaError]
) -> None:
    elsewhere = plw.Lambda(source=source, session=cloud.session, function_name="there-is-no-such-function")
    with pytest.raises(kind):
        elsewhere.eval(grid)


def test_too_many_points_are_refused_with_their_number(cloud: Lambda, podpac: Any) -> None:
    huge = {"coords": [{"start": 0, "stop": 1e6, "step": 1e-6, "name": "lat"}], "crs": "EPSG:4326"}
    with pytest.raises(errors.InvalidCoordinatesError, match=r"1,000,000,\d{3},\d{3} points"):
        on(cloud, podpac.algorithm.SinCoords()).eval(huge)


def test_a_pipeline_that_fails_in_podpac_says_so(cloud: Lambda, grid: Any) -> None:
    coords = {"coords": [{"values": [1.0, 2.0, 3.0], "name": "lat"}], "crs": "EPSG:4326"}
    failing = {"A": {"node": "core.data.array_source.Array", "attrs": {"source": [1.0, 2.0], "coordinates": coords}}}
    with pytest.raises(errors.PipelineFailedError) as caught:
        on(cloud, failing).eval(grid)
    assert caught.value.remote_type


def test_a_function_that_is_not_built_says_what_to_do(aws: LocalSession, grid: Any, podpac: Any) -> None:
    with pytest.raises(errors.ResourceNotFoundError, match="Build the function first"):
        plw.Lambda(source=podpac.algorithm.SinCoords(), session=aws, function_name="not-built").eval(grid)


@pytest.mark.parametrize(
    ("content", "kind"),
    [(None, errors.ArchiveMissingError), (b"PK\x03\x04 cut", errors.ArchiveCorruptError)],
    ids=["missing", "truncated"],
)
def test_an_archive_that_cannot_be_used_stops_the_build_before_anything_is_made(
    aws: LocalSession,
    archives: dict[str, str],
    tmp_path: Path,
    inventory: Callable[[], dict[str, Any]],
    content: bytes | None,
    kind: type[errors.ArchiveError],
) -> None:
    before = inventory()
    bad = tmp_path / "podpac_dist.zip"
    if content is not None:
        bad.write_bytes(content)
    cloud = plw.Lambda(session=aws, function_name="never", **{**archives, "function_source_dist_zip": str(bad)})
    with pytest.raises(kind):
        cloud.build()
    assert inventory() == before


def test_an_archive_for_another_architecture_is_refused(aws: LocalSession, archives: dict[str, str]) -> None:
    other = {"x86_64": "arm64", "arm64": "x86_64"}[
        plw.Lambda(session=aws, **archives).plan().writes[-1].resource.architecture
    ]
    with pytest.raises(errors.ArchiveMismatchError):
        plw.Lambda(session=aws, function_architecture=other, **archives).plan()


def test_nothing_of_a_node_can_be_pickled_with_its_credentials(cloud: Lambda) -> None:
    secret = cloud.session.get_credentials().secret_key
    try:
        pickled = pickle.dumps(cloud)
    except (TypeError, AttributeError, pickle.PicklingError):
        return
    assert secret.encode() not in pickled


def test_a_secret_of_podpacs_settings_reaches_neither_payload_nor_log_nor_environment(
    cloud: Lambda,
    aws: LocalSession,
    grid: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    podpac: Any,
) -> None:
    monkeypatch.setitem(podpac.settings, "password@urs.earthdata.nasa.gov", CANARY)
    monkeypatch.setitem(podpac.settings, "AWS_SECRET_ACCESS_KEY", CANARY)
    sent: list[bytes] = []
    session = cloud.session
    ours = on(cloud, podpac.algorithm.SinCoords())
    client = ours.stack.account._client("lambda", 630.0, attempts=1)
    client.meta.events.register("before-call.lambda.Invoke", lambda params, **_: sent.append(params["body"]))
    with caplog.at_level("DEBUG", logger="podpac_lambda_widgets"):
        result = ours.run(grid)
    assert sent
    assert CANARY.encode() not in b"".join(sent)
    # PODPAC's own client does send it; our function must not write it down.
    podpac.managers.aws.Lambda(source=podpac.algorithm.SinCoords(), session=session, function_name=NAME).eval(grid)
    events = aws.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{NAME}")["events"]
    configuration = aws.client("lambda").get_function_configuration(FunctionName=NAME)
    s3 = aws.client("s3")
    bucket = configuration["Environment"]["Variables"]["S3_BUCKET_NAME"]
    heads = [
        (found["Key"], s3.head_object(Bucket=bucket, Key=found["Key"])["Metadata"])
        for found in s3.list_objects_v2(Bucket=bucket)["Contents"]
    ]
    results = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key, _ in heads if not key.endswith(".zip")]
    texts = (
        result.log,
        json.dumps(events),
        json.dumps(configuration, default=str),
        caplog.text,
        repr(ours),
        repr(heads),
    )
    for secret in (CANARY, session.get_credentials().secret_key):
        assert not [text for text in texts if secret in text]
        assert not [body for body in (*results, result.netcdf) if secret.encode() in body]


def test_a_verbose_traceback_of_a_failing_run_shows_no_secret(cloud: Lambda, grid: Any) -> None:
    secret = cloud.session.get_credentials().secret_key
    stream = io.StringIO()
    try:
        on(cloud, {"x": {"plugin": "os", "node": "system"}}).eval(grid)
    except errors.PipelineRejectedError as error:
        text = VerboseTB(theme_name="nocolor", ostream=stream).text(type(error), error, error.__traceback__)
    assert "PipelineRejectedError" in text
    assert secret not in text


def test_every_run_can_show_its_own_lines(cloud: Lambda, grid: Any, podpac: Any) -> None:
    ours = on(cloud, podpac.algorithm.SinCoords())
    first, second = ours.run(grid), ours.run(grid)
    lines = ours.get_logs(request_id=second.request_id)
    assert lines
    assert all(second.request_id in line.message for line in lines)
    assert any(line.message.startswith("REPORT") for line in lines)
    assert len(ours.get_logs(limit=2)) == 2
    assert [line for line in ours.get_logs() if first.request_id in line.message]
    assert all(line.time.utcoffset() is not None for line in lines)


def test_a_whole_result_lies_in_the_bucket_as_zarr(cloud: Lambda, grid: Any, podpac: Any) -> None:
    """Read as zarr reads a folder: the objects below the address, and nothing that we have written about them."""
    zarr = pytest.importorskip("zarr")
    node = podpac.algorithm.SinCoords()
    written = on(cloud, node).run_to_zarr(grid)
    bucket, _, prefix = written.address.removeprefix("s3://").partition("/")
    s3 = cloud.session.client("s3")
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/")["Contents"]
    keys = [each["Key"] for each in listed]
    store = {key.removeprefix(f"{prefix}/"): s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
    group = zarr.open_consolidated(store, mode="r")
    expected = node.eval(grid)
    assert group["data"].attrs["_ARRAY_DIMENSIONS"] == ["lat", "lon", "time"]
    assert group["data"][:].tobytes() == expected.values.tobytes()
    assert np.array_equal(group["lat"][:], expected["lat"].values)
    assert on(cloud, node).run_to_zarr(grid).address == written.address
    with pytest.raises(errors.ResultError, match="lies nowhere else"):
        _ = on(cloud, node).run_to_file(grid, "json").address
