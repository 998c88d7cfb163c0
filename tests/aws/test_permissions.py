"""The policies we ask an administrator for are enough, tried by a user who has nothing else, and no more than that."""

from __future__ import annotations

import json
import random
import runpy
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.engine.stack import Stack
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.deployment import TRIGGERS, Deployment
from podpac_lambda_widgets.model.examples import EXAMPLES, tutorial_coordinates
from podpac_lambda_widgets.model.pipeline import Pipeline
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.packaging.archive import Package
from podpac_lambda_widgets.plan.permissions import Purpose
from podpac_lambda_widgets.remote.wire import Request, encode_request

pytestmark = [pytest.mark.local_aws, pytest.mark.archive]

NAME = "least-privilege"
#: What AWS does not let be limited to one resource.
UNLIMITED = {"logs:DescribeLogGroups", "iam:ListRoles", "lambda:GetAccountSettings", "tag:GetResources"}
#: ministack asks for these on every resource, where AWS takes the one they are done to.
OVER_DENIED = ("logs:DescribeLogGroups", "lambda:CreateFunction")

#: ministack looks for a role that is named in a call without its path, where AWS finds the role itself.
ROLE_PATH = ":role/podpac-lambda-widgets/"
#: ministack knows budgets by the names of the calls, and asks for them on every resource, where IAM has one name for
#: all that read and one for all that write; and it takes reading one alias for listing them.
OTHERWISE_NAMED = {
    "budgets:ViewBudget": [
        "budgets:DescribeBudget",
        "budgets:DescribeNotificationsForBudget",
        "budgets:DescribeSubscribersForNotification",
    ],
    "budgets:ModifyBudget": ["budgets:CreateBudget", "budgets:DeleteBudget"],
    "lambda:GetAlias": ["lambda:ListAliases"],
}


def _listed(actions: str | list[str]) -> list[str]:
    return [actions] if isinstance(actions, str) else actions


class RestrictedSession(boto3.Session):
    """A session of another user of the same embedded AWS."""

    endpoint_url = ""

    def client(self, *args: Any, **kwargs: Any) -> Any:
        return super().client(*args, **{"endpoint_url": self.endpoint_url, **kwargs})


@pytest.fixture
def user_with(aws: LocalSession) -> Iterator[Callable[[dict[str, Any]], AwsAccount]]:
    """Makes IAM users who may do what a policy says, and nothing else."""
    iam = aws.client("iam")
    made: list[tuple[str, str]] = []

    def make(policy: dict[str, Any]) -> AwsAccount:
        name = f"restricted-{len(made)}"
        given = [action for statement in policy["Statement"] for action in _listed(statement["Action"])]
        pathless = [
            {**statement, "Sid": f"Pathless{number}", "Resource": [each.replace(ROLE_PATH, ":role/") for each in named]}
            for number, statement in enumerate(policy["Statement"])
            if (named := [each for each in _listed(statement["Resource"]) if ROLE_PATH in each])
        ]
        policy = {**policy, "Statement": [*policy["Statement"], *pathless]}
        wider = [action for action in OVER_DENIED if action in given]
        wider += [action for action in given if action.startswith("budgets:")]
        wider += [name for action, names in OTHERWISE_NAMED.items() if action in given for name in names]
        widened = {"Effect": "Allow", "Action": wider, "Resource": "*"}
        if widened["Action"]:
            policy = {**policy, "Statement": [*policy["Statement"], widened]}
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        made.append((name, key["AccessKeyId"]))
        session = RestrictedSession(key["AccessKeyId"], key["SecretAccessKey"], region_name=aws.region_name)
        session.endpoint_url = aws.endpoint_url
        return AwsAccount(session)

    yield make
    for name, key_id in made:
        iam.delete_access_key(UserName=name, AccessKeyId=key_id)
        iam.delete_user_policy(UserName=name, PolicyName="only")
        iam.delete_user(UserName=name)


@pytest.fixture
def source(package: Package) -> Source:
    return Source(
        function_source_dist_zip=package.dist.path, function_source_dependencies_zip=package.dependencies.path
    )


WISHES: dict[str, dict[str, Any]] = {
    "eval": {},
    "everything": {
        "function_triggers": TRIGGERS,
        "function_budget_amount": 25,
        "function_budget_email": "me@example.org",
        "function_reserved_concurrency": 5,
        "function_role_policy_arns": ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
    },
}


@pytest.mark.parametrize("wish", WISHES.values(), ids=WISHES)
def test_each_policy_is_enough_for_its_purpose_and_for_no_other(
    wish: dict[str, Any],
    account: AwsAccount,
    source: Source,
    user_with: Callable[[dict[str, Any]], AwsAccount],
    inventory: Callable[[], dict[str, Any]],
) -> None:
    before = inventory()
    deployment = Deployment(function_name=NAME, **wish)
    administrator = Stack(account, deployment, source)
    policies = {purpose: administrator.policy_for(purpose) for purpose in ("deploy", "run", "destroy")}
    deployer, runner, destroyer = (user_with(policy) for policy in policies.values())
    try:
        Stack(deployer, deployment, source).build()
        assert Stack(deployer, deployment, source).plan().is_empty
        result = Stack(runner, deployment).run(EXAMPLES[0].pipeline, tutorial_coordinates())
        assert result.array.shape == (180, 180, 1)
        assert Stack(runner, deployment).get_logs()
        with pytest.raises(errors.AccessDeniedError):
            Stack(destroyer, deployment).run(EXAMPLES[0].pipeline, tutorial_coordinates())
        with pytest.raises(errors.DeployError):
            Stack(deployer, deployment).delete(confirm=True)
        with pytest.raises(errors.AccessDeniedError):
            Stack(runner, deployment, source).plan()
        Stack(destroyer, deployment).delete(confirm=True)
        assert inventory() == before
    finally:
        administrator.delete(confirm=True)


WIDTH = 500


def request_of(size: int) -> tuple[Pipeline, CoordinatesDefinition, bytes]:
    """A request of exactly so many bytes, and the values in it."""
    digits = random.Random(size)
    # Each value has 15 digits, and a comma; the last ones get as many as are missing.
    full = (size - 20_000) // (WIDTH * 18 + 2)
    values = [[float(f"0.{digits.randrange(10**13, 10**14) * 10 + 1}") for _ in range(WIDTH)] for _ in range(full)]
    values += [[0.5] * WIDTH for _ in range(4)]
    missing = size - len(_encode(values))
    for number in range(4 * WIDTH):
        more = min(14, missing)
        values[-1 - number // WIDTH][number % WIDTH] = float("0." + "5" * (1 + more))
        missing -= more
    assert len(_encode(values)) == size
    return _array(values), _grid(values), array("d", (value for row in values for value in row)).tobytes()


def _encode(rows: list[list[float]]) -> bytes:
    return encode_request(Request(_array(rows).definition, _grid(rows).definition))


def _grid(rows: list[list[float]]) -> CoordinatesDefinition:
    sides = (("lat", len(rows)), ("lon", WIDTH))
    return CoordinatesDefinition.parse(
        {"coords": [{"name": n, "start": 0.0, "stop": 1.0, "size": s} for n, s in sides]}
    )


def _array(rows: list[list[float]]) -> Pipeline:
    attrs = {"source": rows, "coordinates": _grid(rows).definition}
    return Pipeline.parse({"values": {"node": "core.data.array_source.Array", "attrs": attrs}})


def test_the_policy_is_enough_for_requests_too_large_for_a_call(
    account: AwsAccount, source: Source, user_with: Callable[[dict[str, Any]], AwsAccount], aws: LocalSession
) -> None:
    deployment = Deployment(function_name=NAME)
    administrator = Stack(account, deployment, source)
    administrator.build()
    runner = Stack(user_with(administrator.policy_for("run")), deployment)
    s3, bucket = aws.client("s3"), deployment.bucket_name(account.identity().account, "us-east-1")
    s3.put_object(Bucket=bucket, Key=f"output/{NAME}/claims/of-somebody-else.json", Body=b"{}")
    try:
        pipeline, grid, expected = request_of(6_291_557)
        assert runner.run(pipeline, grid).array.values.tobytes() == expected
        pipeline, grid, expected = request_of(1_048_577)
        job = runner.submit(pipeline, grid, way="async")
        assert job.result(timeout=120).array.values.tobytes() == expected
        found = s3.list_objects_v2(Bucket=bucket, Prefix=f"output/{NAME}/claims/")["Contents"]
        assert [each["Key"] for each in found] == [f"output/{NAME}/claims/of-somebody-else.json"]
        # What a client that was ended has left is ours, and what was there before is not.
        runner.account.put(bucket, f"output/{NAME}/claims/left.json", b"{}", f"{NAME}@us-east-1")
        administrator.delete(confirm=NAME)
        found = s3.list_objects_v2(Bucket=bucket)["Contents"]
        assert [each["Key"] for each in found] == [f"output/{NAME}/claims/of-somebody-else.json"]
    finally:
        administrator.delete(confirm=NAME)
        s3.delete_object(Bucket=bucket, Key=f"output/{NAME}/claims/of-somebody-else.json")
        s3.delete_bucket(Bucket=bucket)


def test_the_policy_is_enough_for_snapshots(
    account: AwsAccount, tmp_path: Path, user_with: Callable[[dict[str, Any]], AwsAccount]
) -> None:
    pair = runpy.run_path(str(Path(__file__).parents[1] / "packaging" / "conftest.py"))["Pair"](tmp_path)
    for changes in (pair.dist_changes, pair.dependencies_changes):
        changes.update(python="3.12", runtime="python3.12")
    pair.write()
    source = Source(function_source_dist_zip=pair.dist, function_source_dependencies_zip=pair.dependencies)
    deployment = Deployment(function_name=NAME, function_snap_start=True)
    administrator = Stack(account, deployment, source)
    deployer, destroyer = (user_with(administrator.policy_for(purpose)) for purpose in ("deploy", "destroy"))
    try:
        for memory in (512, 1024):
            deployment.function_memory = memory
            Stack(deployer, deployment, source).build()
            assert Stack(deployer, deployment, source).plan().is_empty
        Stack(destroyer, deployment).delete(confirm=True)
    finally:
        administrator.delete(confirm=True)


def test_the_policy_is_enough_for_archives_in_a_bucket_and_for_no_other_object_of_it(
    account: AwsAccount, aws: LocalSession, tmp_path: Path, user_with: Callable[[dict[str, Any]], AwsAccount]
) -> None:
    pair = runpy.run_path(str(Path(__file__).parents[1] / "packaging" / "conftest.py"))["Pair"](tmp_path)
    pair.write()
    s3, bucket = aws.client("s3"), "least-privilege-archives"
    s3.create_bucket(Bucket=bucket)
    for key, path in (("dist.zip", pair.dist), ("deps.zip", pair.dependencies)):
        s3.upload_file(str(path), bucket, key)
    s3.put_object(Bucket=bucket, Key="thesis.txt", Body=b"years of work")
    source = Source(
        function_source_bucket=bucket, function_source_dist_key="dist.zip", function_source_dependencies_key="deps.zip"
    )
    deployment = Deployment(function_name=NAME)
    administrator = Stack(account, deployment, source)
    deployer = user_with(administrator.policy_for("deploy"))
    try:
        Stack(deployer, deployment, source).build()
        assert Stack(deployer, deployment, source).plan().is_empty
        with pytest.raises(errors.AccessDeniedError):
            deployer.fetch(bucket, "thesis.txt", lambda done, total: None)
    finally:
        administrator.delete(confirm=True)
        for key in ("dist.zip", "deps.zip", "thesis.txt"):
            s3.delete_object(Bucket=bucket, Key=key)
        s3.delete_bucket(Bucket=bucket)


def test_the_policies_are_enough_for_what_is_adopted(
    account: AwsAccount,
    aws: LocalSession,
    tmp_path: Path,
    user_with: Callable[[dict[str, Any]], AwsAccount],
    inventory: Callable[[], dict[str, Any]],
) -> None:
    pair = runpy.run_path(str(Path(__file__).parents[1] / "packaging" / "conftest.py"))["Pair"](tmp_path)
    pair.write()
    source = Source(function_source_dist_zip=pair.dist, function_source_dependencies_zip=pair.dependencies)
    s3, iam, bucket, role = aws.client("s3"), aws.client("iam"), "least-privilege-adopted", "least-privilege-adopted"
    s3.create_bucket(Bucket=bucket)
    statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)
    before = inventory()
    names = {"function_s3_bucket": bucket, "function_role_name": role}
    deployment = Deployment(function_name=NAME, function_triggers=["eval", "S3"], adopt=[bucket, role], **names)
    administrator = Stack(account, deployment, source)
    deployer = user_with(administrator.policy_for("deploy"))
    try:
        Stack(deployer, deployment, source).build()
        assert Stack(deployer, deployment, source).plan().is_empty
        Stack(user_with(administrator.policy_for("destroy")), deployment).delete(confirm=True)
        assert inventory() == before
    finally:
        administrator.delete(confirm=True)
        s3.delete_bucket(Bucket=bucket)
        iam.delete_role(RoleName=role)


@pytest.mark.parametrize("purpose", ["deploy", "run", "destroy"])
def test_a_policy_names_its_resources_and_every_action(account: AwsAccount, purpose: Purpose) -> None:
    for statement in Stack(account, Deployment(function_name=NAME)).policy_for(purpose)["Statement"]:
        actions = _listed(statement["Action"])
        assert not [action for action in actions if "*" in action]
        assert "*" not in statement["Resource"] or set(actions) <= UNLIMITED
        named = _listed(statement["Resource"])
        # The id of an API is AWS's choice, and so its tags' address; our roles are known by their path and their tags.
        apart = all("/restapis" in each or "/tags/" in each or each.endswith(ROLE_PATH + "*") for each in named)
        assert NAME in json.dumps(named) or apart or set(actions) <= UNLIMITED


def test_another_purpose_is_refused(account: AwsAccount) -> None:
    with pytest.raises(errors.InvalidValueError):
        Stack(account, Deployment()).policy_for("everything")  # type: ignore[arg-type]  # what a notebook may do
