"""Nothing of ours is forgotten, and what may not be read is not called zero."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.aws.stacks import find_own_roles, find_roles, find_stacks, read_stack, read_stacks
from podpac_lambda_widgets.local.runtimes import host_runtime
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.plan.names import ROLE_PATH
from podpac_lambda_widgets.plan.resources import STACK_TAG

embedded = pytest.mark.local_aws

NAME = "inventoried"
STACK = f"{NAME}@us-east-1"
ACCOUNT = "000000000000"
FUNCTION_ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{NAME}"
BUCKET_ARN = f"arn:aws:s3:::{NAME}-bucket"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/podpac-lambda-widgets/{NAME}-role"
GROUP_ARN = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/lambda/{NAME}"
ARNS = (BUCKET_ARN, FUNCTION_ARN, GROUP_ARN)
TAG = {STACK_TAG: STACK}
TAGS = [{"Key": STACK_TAG, "Value": STACK}]


@pytest.fixture(scope="module")
def stack(aws: LocalSession) -> Iterator[str]:
    """A function called twice, its bucket with two objects, its role and log group; and what is not ours."""
    iam, s3, functions, logs = (aws.client(service) for service in ("iam", "s3", "lambda", "logs"))
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(Path=ROLE_PATH, RoleName=f"{NAME}-role", AssumeRolePolicyDocument=document, Tags=TAGS)
    iam.create_role(Path=ROLE_PATH, RoleName=f"{NAME}-not-ours", AssumeRolePolicyDocument=document)
    for bucket in (f"{NAME}-bucket", f"{NAME}-foreign"):
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_tagging(Bucket=f"{NAME}-bucket", Tagging={"TagSet": TAGS})
    s3.put_object(Bucket=f"{NAME}-bucket", Key="a", Body=b"12345")
    s3.put_object(Bucket=f"{NAME}-bucket", Key="b", Body=b"678")
    logs.create_log_group(logGroupName=f"/aws/lambda/{NAME}", tags=TAG)
    functions.create_function(
        FunctionName=NAME,
        Role=ROLE_ARN,
        Runtime=host_runtime(),
        Handler="main.handle",
        Code={"ZipFile": _archive()},
        Tags=TAG,
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=NAME)
    for _ in range(2):
        assert json.load(functions.invoke(FunctionName=NAME, Payload=b"{}")["Payload"]) == "done"
    yield STACK
    functions.delete_function(FunctionName=NAME)
    logs.delete_log_group(logGroupName=f"/aws/lambda/{NAME}")
    for key in ("a", "b"):
        s3.delete_object(Bucket=f"{NAME}-bucket", Key=key)
    for bucket in (f"{NAME}-bucket", f"{NAME}-foreign"):
        s3.delete_bucket(Bucket=bucket)
    for role in (f"{NAME}-role", f"{NAME}-not-ours"):
        iam.delete_role(RoleName=role)


def _archive() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("main.py", "def handle(event, context):\n    return 'done'\n")
    return data.getvalue()


@embedded
def test_what_bears_our_tag_is_found_and_nothing_else(aws: LocalSession, stack: str) -> None:
    found = find_stacks(aws.client("resourcegroupstaggingapi"))
    assert set(found[stack]) >= {BUCKET_ARN, FUNCTION_ARN}
    assert not [arn for arns in found.values() for arn in arns if "foreign" in arn]


@embedded
def test_stacks_of_another_region_are_not_found(aws: LocalSession, stack: str) -> None:
    assert BUCKET_ARN not in find_stacks(aws.client("resourcegroupstaggingapi", region_name="eu-west-1")).get(stack, ())


@embedded
def test_roles_are_found_by_their_path_and_tags(aws: LocalSession, stack: str, faults: Any) -> None:
    asked = faults.count("iam.ListRoleTags")
    iam = aws.client("iam")
    assert find_roles(iam, "us-east-1") == {stack: (ROLE_ARN,)}
    assert len(asked) == 2
    assert find_roles(iam, "eu-west-1") == {}
    assert find_own_roles(iam, stack) == (f"{NAME}-role",)
    assert find_own_roles(iam, "another@us-east-1") == ()


@embedded
def test_where_roles_may_not_be_looked_for_none_is_found(aws: LocalSession, stack: str, faults: Any) -> None:
    faults.answer("iam.ListRoles", 403, "AccessDenied")
    assert find_own_roles(aws.client("iam"), stack) is None


@embedded
def test_a_role_that_goes_while_it_is_looked_at_is_left_out(aws: LocalSession, stack: str, faults: Any) -> None:
    faults.answer("iam.ListRoleTags", 404, "NoSuchEntity")
    assert find_roles(aws.client("iam"), "us-east-1") == {}


@embedded
def test_a_stack_is_read_with_its_age_size_and_calls(aws: LocalSession, stack: str) -> None:
    now = datetime.now(UTC)
    record = read_stack(aws.client, stack, ARNS, account=ACCOUNT, now=now)
    assert (record.stack, record.function_name, record.resources) == (stack, NAME, tuple(sorted(ARNS)))
    assert record.code_bytes == len(_archive())
    assert (record.stored_objects, record.stored_bytes) == (2, 8)
    assert record.invocations == 2
    made = aws.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{NAME}")["logGroups"][0]
    assert record.created is not None
    assert record.created <= datetime.fromtimestamp(made["creationTime"] / 1000, UTC) <= now


@embedded
def test_calls_of_another_month_do_not_count(aws: LocalSession, stack: str) -> None:
    later = datetime.now(UTC) + timedelta(days=40)
    assert read_stack(aws.client, stack, ARNS, account=ACCOUNT, now=later).invocations == 0


@pytest.mark.parametrize(
    ("operation", "lost"),
    [
        ("lambda.GetFunctionConfiguration", {"code_bytes"}),
        ("s3.ListObjectsV2", {"stored_objects", "stored_bytes"}),
        ("cloudwatch.GetMetricStatistics", {"invocations"}),
        ("cloudwatch-logs.DescribeLogGroups", set()),
        ("s3.ListBuckets", set()),
    ],
)
@embedded
def test_what_may_not_be_read_is_unknown_and_the_rest_is_known(
    aws: LocalSession, stack: str, faults: Any, operation: str, lost: set[str]
) -> None:
    faults.answer(operation, 403, "AccessDenied")
    record = read_stack(aws.client, stack, ARNS, account=ACCOUNT, now=datetime.now(UTC))
    facts = {"created", "code_bytes", "stored_objects", "stored_bytes", "invocations"}
    assert {name for name in facts if getattr(record, name) is None} == lost


@embedded
def test_a_stack_of_which_little_is_left_is_read_all_the_same(aws: LocalSession) -> None:
    now = datetime.now(UTC)
    gone = "arn:aws:s3:::inventoried-gone"
    record = read_stack(aws.client, "left@us-east-1", [gone], account=ACCOUNT, now=now)
    assert (record.function_name, record.resources, record.invocations) == ("left", (gone,), 0)
    assert (record.created, record.code_bytes, record.stored_objects, record.stored_bytes) == (None,) * 4


@embedded
def test_expired_credentials_are_an_error_and_not_an_unknown(aws: LocalSession, stack: str, faults: Any) -> None:
    faults.answer("s3.ListObjectsV2", 400, "ExpiredToken")
    with pytest.raises(errors.ExpiredCredentialsError):
        read_stack(aws.client, stack, ARNS, account=ACCOUNT, now=datetime.now(UTC))


@embedded
def test_an_account_gives_the_clients(account: AwsAccount, stack: str) -> None:
    record = read_stack(account._client, stack, ARNS, account=ACCOUNT, now=datetime.now(UTC))
    assert record.invocations == 2


@embedded
def test_all_stacks_are_read_with_their_roles(account: AwsAccount, stack: str) -> None:
    (found,) = (
        record
        for record in read_stacks(account._client, account.identity(), datetime.now(UTC))
        if record.stack == stack
    )
    assert set(found.resources) >= {BUCKET_ARN, FUNCTION_ARN, ROLE_ARN}
    assert found.invocations == 2


@embedded
def test_stacks_are_read_without_their_roles_where_roles_may_not_be_listed(
    account: AwsAccount, stack: str, faults: Any
) -> None:
    faults.answer("iam.ListRoles", 403, "AccessDenied")
    records = read_stacks(account._client, account.identity(), datetime.now(UTC))
    assert {record.stack: record for record in records}[stack].invocations == 2


def _page(token: str, *found: tuple[str, str]) -> dict[str, Any]:
    return {
        "PaginationToken": token,
        "ResourceTagMappingList": [
            {"ResourceARN": arn, "Tags": [{"Key": "Owner", "Value": "ann"}, {"Key": STACK_TAG, "Value": stack}]}
            for arn, stack in found
        ],
    }


def test_every_page_is_read_and_an_empty_first_one_is_not_the_last() -> None:
    session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "x", region_name="us-east-1")
    tagging = session.client("resourcegroupstaggingapi")
    filters = {"TagFilters": [{"Key": STACK_TAG}], "ResourcesPerPage": 100}
    api = "arn:aws:apigateway:us-east-1::/restapis/abc"
    pages = [_page("1"), _page("2", (FUNCTION_ARN, STACK), (api, STACK)), _page("", (BUCKET_ARN, "other@us-east-1"))]
    with Stubber(tagging) as stubber:
        for number, page in enumerate(pages):
            stubber.add_response(
                "get_resources", page, {**filters, **({"PaginationToken": str(number)} if number else {})}
            )
        assert find_stacks(tagging) == {STACK: (api, FUNCTION_ARN), "other@us-east-1": (BUCKET_ARN,)}
        stubber.add_client_error("get_resources", "AccessDeniedException", http_status_code=400)
        with pytest.raises(errors.AccessDeniedError):
            find_stacks(tagging)
