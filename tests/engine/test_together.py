"""Whole stacks on the embedded AWS: two builders, what is there, what runs left in the log."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.aws.account import AwsAccount, inventory
from podpac_lambda_widgets.engine.capacity import WAYS
from podpac_lambda_widgets.engine.events import ChangeStarted, Event
from podpac_lambda_widgets.engine.stack import Stack
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.examples import EXAMPLES, tutorial_coordinates
from podpac_lambda_widgets.model.pipeline import Pipeline
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.packaging.archive import Package
from podpac_lambda_widgets.plan.account import Identity, StackRecord
from podpac_lambda_widgets.plan.inventory import Inventory
from podpac_lambda_widgets.plan.resources import RestApi
from podpac_lambda_widgets.remote.netcdf import decode_array
from podpac_lambda_widgets.remote.wire import Request, encode_request

pytestmark = [pytest.mark.local_aws, pytest.mark.archive]


@pytest.fixture
def source(package: Package) -> Source:
    return Source(
        function_source_dist_zip=package.dist.path, function_source_dependencies_zip=package.dependencies.path
    )


@pytest.fixture
def stack(account: AwsAccount, source: Source) -> Iterator[Stack]:
    stack = Stack(account, Deployment(function_name="together"), source)
    yield stack
    stack.delete(confirm="together")


def test_of_two_builders_one_wins_and_the_other_is_told(stack: Stack, aws: LocalSession, source: Source) -> None:
    begun, told = threading.Event(), threading.Event()

    def wait_inside(event: Event) -> None:
        if isinstance(event, ChangeStarted):
            begun.set()
            assert told.wait(60)

    first = threading.Thread(target=stack.build, args=(wait_inside,))
    first.start()
    try:
        assert begun.wait(60)
        second = Stack(AwsAccount(aws), Deployment(function_name="together"), source)
        with pytest.raises(errors.StackBusyError) as caught:
            second.build()
        assert caught.value.next_step
    finally:
        told.set()
        first.join(120)
    assert second.plan().is_empty
    groups = aws.client("logs").describe_log_groups(logGroupNamePrefix="/podpac-lambda-widgets")["logGroups"]
    assert groups == []


def test_nothing_that_was_built_is_forgotten(stack: Stack, aws: LocalSession) -> None:
    assert "together@us-east-1" not in str(inventory(aws))
    stack.build()
    stack.run(EXAMPLES[0].pipeline, tutorial_coordinates())
    found = inventory(aws)
    record = next(each for each in found.stacks if each.stack == "together@us-east-1")
    assert (record.invocations, record.stored_objects) == (1, 2)
    assert record.code_bytes is not None
    assert record.created is not None
    assert (datetime.now(UTC) - record.created).total_seconds() < 3600
    assert "together@us-east-1" in found._repr_html_()


TOO_FEW = {
    "node": "core.data.array_source.Array",
    "attrs": {
        "source": [1.0, 2.0],
        "coordinates": {"coords": [{"values": [1.0, 2.0, 3.0], "name": "lat"}], "crs": "EPSG:4326"},
    },
}


def test_every_job_shows_its_own_lines_and_no_others(stack: Stack) -> None:
    stack.deployment.function_triggers = ("eval", "S3")
    stack.build()
    asked = [*((EXAMPLES[0].pipeline, way) for way in WAYS), (Pipeline({"few": TOO_FEW}), "S3")]
    jobs = [stack.submit(pipeline, tutorial_coordinates(), way) for pipeline, way in asked]
    for job in jobs:
        with suppress(errors.PipelineFailedError):
            job.result(120)
    assert [job.state for job in jobs] == ["done", "done", "done", "failed"]
    found: list[str] = []
    deadline = time.monotonic() + 60
    for job in jobs:
        while not any(line.message.startswith("REPORT") for line in job.get_logs()) and time.monotonic() < deadline:
            time.sleep(0.2)
        lines = [line.message for line in job.get_logs()]
        (start,) = [line for line in lines if line.startswith("START RequestId: ")]
        found.append(start.split()[2])
        assert all(found[-1] in line for line in lines)
    assert len(set(found)) == len(jobs)
    result = stack.run(EXAMPLES[0].pipeline, tutorial_coordinates())
    assert result.request_id not in found
    while not (lines_of_run := result.get_logs()) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert lines_of_run
    assert all(result.request_id in line.message for line in lines_of_run)


def test_an_inventory_says_what_may_not_be_read_and_shows_markup_as_text() -> None:
    record = StackRecord("<b>soil</b>@eu-west-1", "soil", (), None, None, None, None, None)
    identity: Any = Identity("123456789012", "arn:aws:iam::123456789012:user/me", "eu-west-1", "aws")
    shown = Inventory(identity, (record,))
    assert str(shown).count("may not be read") == 4
    assert "<b>" not in shown._repr_html_()
    assert "No stack in account 123456789012" in str(Inventory(identity, ()))


def _post(url: str, body: bytes, session: Any = None) -> tuple[int, bytes]:
    signed = AWSRequest("POST", url, data=body, headers={"Content-Type": "application/json", "Accept": "*/*"})
    if session is not None:
        SigV4Auth(session.get_credentials(), "execute-api", session.region_name).add_auth(signed)
    request = urllib.request.Request(url, data=body, headers=dict(signed.headers), method="POST")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_what_is_put_into_the_bucket_and_what_is_posted_is_run(stack: Stack, aws: LocalSession) -> None:
    stack.deployment.function_triggers = ("S3", "APIGateway")
    stack.build()
    direct = stack.run(EXAMPLES[0].pipeline, tutorial_coordinates()).array
    body = encode_request(Request(EXAMPLES[0].pipeline.definition, tutorial_coordinates().definition))
    s3, found = aws.client("s3"), {each.resource.kind: each.resource for each in stack.describe().found}
    bucket = found["bucket"].name
    s3.put_object(Bucket=bucket, Key="input/together/a map/x+1.json", Body=body)
    s3.get_waiter("object_exists").wait(
        Bucket=bucket, Key="output/together/a map/x+1.nc", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    stored = s3.get_object(Bucket=bucket, Key="output/together/a map/x+1.nc")["Body"].read()
    assert decode_array(stored).identical(direct)
    api = found["API"]
    assert isinstance(api, RestApi)
    url = f"{aws.endpoint_url}/_aws/execute-api/{api.api_id}/prod/eval"
    assert _post(url, body)[0] == 403
    status, answer = _post(url, body, aws)
    assert status == 200
    assert decode_array(answer).identical(direct)
    with pytest.raises(errors.ConfirmationRequiredError, match="1 result"):
        stack.delete(confirm=True)
    # What somebody else put into the bucket is theirs: it stays, and the bucket with it.
    plan = stack.delete(confirm="together")
    assert "1 object that is not ours" in str(plan)
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["input/together/a map/x+1.json"]
    s3.delete_object(Bucket=bucket, Key="input/together/a map/x+1.json")
