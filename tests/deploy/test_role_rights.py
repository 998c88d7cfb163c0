"""Each right of the function's role is needed: without it, a run that is wished for does not work."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.engine.stack import Stack
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.examples import EXAMPLES, tutorial_coordinates
from podpac_lambda_widgets.model.pipeline import Pipeline
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.packaging.archive import Package
from podpac_lambda_widgets.plan.names import stack_names
from podpac_lambda_widgets.plan.policies import POLICY_NAME
from podpac_lambda_widgets.remote.wire import Request, encode_request

pytestmark = [pytest.mark.local_aws, pytest.mark.archive]

NAME, DATA = "role-rights", "podpac-test-role-rights-data"
TABLE = b"lat,lon,data\n0,0,1\n1,1,2\n"
POINTS = CoordinatesDefinition.grid((0.0, 1.0, 2), (0.0, 1.0, 2), "2018-01-01")
LARGE = CoordinatesDefinition.grid((-90.0, 90.0, 1400), (-180.0, 180.0, 1400), "2018-01-01")


def read_table(key: str) -> Pipeline:
    """A pipeline that reads a table of the data bucket."""
    columns = {"lat_key": "lat", "lon_key": "lon", "data_key": "data"}
    source = {"node": "core.data.csv_source.CSV", "attrs": {"source": f"s3://{DATA}/{key}", **columns}}
    return Pipeline({"table": source})


@dataclass
class Cloud:
    """A built function, and hands on its role."""

    session: LocalSession
    stack: Stack
    changes: int = 0

    def without(self, statement: str, action: str) -> None:
        """Take one action from the role's policy (all are there again the next time), and the function's warm state."""
        iam, client = self.session.client("iam"), self.session.client("lambda")
        names = stack_names(self.stack.deployment, self.stack.account.identity())
        rest = [_without(each, action) if each["Sid"] == statement else each for each in self.policy["Statement"]]
        document = {**self.policy, "Statement": [each for each in rest if each["Action"]]}
        iam.put_role_policy(RoleName=names.role, PolicyName=POLICY_NAME, PolicyDocument=json.dumps(document))
        self.changes += 1
        client.update_function_configuration(FunctionName=NAME, Description=f"change {self.changes}")
        client.get_waiter("function_updated_v2").wait(FunctionName=NAME)

    def keep_policy(self) -> None:
        """Remember the policy as it was built."""
        names = stack_names(self.stack.deployment, self.stack.account.identity())
        iam = self.session.client("iam")
        self.policy = iam.get_role_policy(RoleName=names.role, PolicyName=POLICY_NAME)["PolicyDocument"]


def _without(statement: dict[str, Any], action: str) -> dict[str, Any]:
    return {**statement, "Action": [each for each in _listed(statement["Action"]) if each != action]}


def _listed(actions: str | list[str]) -> list[str]:
    return [actions] if isinstance(actions, str) else actions


@pytest.fixture(scope="module")
def cloud(aws: LocalSession, package: Package) -> Iterator[Cloud]:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=DATA)
    s3.put_object(Bucket=DATA, Key="table.csv", Body=TABLE)
    deployment = Deployment(
        function_name=NAME, function_triggers=["eval", "S3"], function_allowed_buckets=[DATA], function_memory=3008
    )
    source = Source(
        function_source_dist_zip=package.dist.path, function_source_dependencies_zip=package.dependencies.path
    )
    made = Cloud(aws, Stack(AwsAccount(aws), deployment, source))
    made.stack.build()
    made.keep_policy()
    yield made
    made.stack.delete(confirm=NAME)
    s3.delete_object(Bucket=DATA, Key="table.csv")
    s3.delete_bucket(Bucket=DATA)


def log(cloud: Cloud) -> str:
    """Run, and read the run's lines."""
    result = cloud.stack.run(EXAMPLES[0].pipeline, tutorial_coordinates())
    return "worked" if cloud.stack.get_logs(request_id=result.request_id) else "no lines"


def large_result(cloud: Cloud) -> str:
    """A result that comes through the bucket."""
    return _outcome(lambda: cloud.stack.run(EXAMPLES[0].pipeline, LARGE))


def table(cloud: Cloud) -> str:
    """Data of an allowed bucket, by packages of the dependencies archive."""
    return _outcome(lambda: cloud.stack.run(read_table("table.csv"), POINTS))


def missing_table(cloud: Cloud) -> str:
    """Data that are not there, which is said."""
    told = _outcome(lambda: cloud.stack.run(read_table("missing.csv"), POINTS))
    return "worked" if "FileNotFoundError" in told else told


def tile(cloud: Cloud) -> str:
    """A part of a Zarr array, whose description is there already the second time."""
    chunks = {"lat": 2, "lon": 2, "time": 1}
    output = {"format": "zarr", "store": "rights", "grid": POINTS.definition, "chunks": chunks}
    return _outcome(lambda: [cloud.stack.run_to_file(EXAMPLES[0].pipeline, POINTS, output) for _ in range(2)])


def trigger(cloud: Cloud) -> str:
    """A pipeline that is put into the input folder."""
    account, s3 = cloud.stack.account, cloud.session.client("s3")
    names = stack_names(cloud.stack.deployment, account.identity())
    key = f"{names.input}/run-{cloud.changes}.json"
    body = encode_request(Request(EXAMPLES[0].pipeline.definition, POINTS.definition))
    s3.put_object(Bucket=names.bucket, Key=key, Body=body)
    place = {"bucket": {"name": names.bucket}, "object": {"key": key}}
    record = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": place}
    answer = account.invoke(NAME, json.dumps({"Records": [record]}).encode(), 60.0)
    told = json.loads(answer.payload)
    # S3 has told the function too, and may have been first.
    return "worked" if told.get("records", [{}])[0].get("outcome") in ("stored", "skipped") else str(told)


def _outcome(run: Callable[[], object]) -> str:
    try:
        run()
    except errors.PodpacLambdaError as error:
        return f"{error!r} {error}"
    return "worked"


RIGHTS = [
    ("WriteLog", "logs:CreateLogStream", log),
    ("WriteLog", "logs:PutLogEvents", log),
    ("ReadDependencies", "s3:GetObject", table),
    ("ReadResults", "s3:GetObject", tile),
    ("WriteResults", "s3:PutObject", large_result),
    ("ReadInput", "s3:GetObject", trigger),
    ("ReadData", "s3:GetObject", table),
    ("ListData", "s3:ListBucket", missing_table),
]


def test_with_all_its_rights_everything_works(cloud: Cloud) -> None:
    runs = (log, large_result, table, missing_table, tile, trigger)
    assert {run.__name__: run(cloud) for run in runs} == {run.__name__: "worked" for run in runs}


def test_these_are_all_the_rights_there_are(cloud: Cloud) -> None:
    statements = cloud.policy["Statement"]
    given = {(each["Sid"], action) for each in statements for action in _listed(each["Action"])}
    assert given == {(statement, action) for statement, action, _ in RIGHTS}


@pytest.mark.parametrize(("statement", "action", "run"), RIGHTS, ids=lambda item: getattr(item, "__name__", item))
def test_without_one_right_a_run_does_not_work(
    cloud: Cloud, statement: str, action: str, run: Callable[[Cloud], str]
) -> None:
    cloud.without(statement, action)
    assert run(cloud) != "worked"
