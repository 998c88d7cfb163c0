"""A function URL is ours by the statements put before it; it opens to those who are meant, and to no others."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.aws.function_policy import permission_arguments, rendered_like
from podpac_lambda_widgets.aws.function_urls import (
    create_function_url,
    delete_function_url,
    read_function_url,
    update_function_url,
)
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.plan import policies
from podpac_lambda_widgets.plan.changes import Update
from podpac_lambda_widgets.plan.difference import differences
from podpac_lambda_widgets.plan.extras import EXTRAS_TAG, Extras
from podpac_lambda_widgets.plan.resources import STACK_TAG, FunctionUrl

pytestmark = pytest.mark.local_aws

STACK = "with-url@us-east-1"
NAME = "with-url"
ACCOUNT = "000000000000"
ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{NAME}"
WRITES = ("AddPermission", "RemovePermission", "CreateFunctionUrlConfig", "UpdateFunctionUrlConfig")


class PassingClock:
    """Time that passes only where somebody waits."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def wanted(public: bool = False) -> FunctionUrl:
    statements = policies.url_permissions(
        "podpac-with-url-url", function_arn=ARN, partition="aws", account=ACCOUNT, public=public
    )
    authorization = "NONE" if public else "AWS_IAM"
    return FunctionUrl(name=NAME, authorization=authorization, invoke_mode="BUFFERED", permissions=tuple(statements))


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        opened.writestr("handler.py", "def handler(event, context):\n    return {'statusCode': 200, 'body': 'here'}\n")
    return file.getvalue()


@pytest.fixture
def function(aws: LocalSession) -> Iterator[None]:
    """A function without a URL."""
    client, iam = aws.client("lambda"), aws.client("iam")
    role = iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=json.dumps(policies.lambda_trust(ACCOUNT)))
    client.create_function(
        FunctionName=NAME,
        Runtime="python3.11",
        Role=role["Role"]["Arn"],
        Handler="handler.handler",
        Code={"ZipFile": archive()},
    )
    yield
    client.delete_function(FunctionName=NAME)
    iam.delete_role(RoleName=NAME)


@pytest.fixture
def connect(aws: LocalSession, function: None) -> Callable[[], Any]:
    """Makes a client that has the faults which were set before."""
    return lambda: aws.client("lambda")


def statements(client: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(client.get_policy(FunctionName=NAME)["Policy"])["Statement"]
    return found


def read(client: Any, url: FunctionUrl) -> FunctionUrl:
    found = read_function_url(client, url, STACK)
    assert found is not None
    assert found.stack == STACK
    assert isinstance(found.resource, FunctionUrl)
    return found.resource


def repair(client: Any, url: FunctionUrl) -> set[str]:
    """Update to what is wanted; returns the fields that differed, when afterwards none does."""
    different = differences(url, read(client, url))
    update_function_url(client, Update(url, different), url, PassingClock())
    assert differences(url, read(client, url)) == ()
    return {difference.field for difference in different}


@pytest.mark.parametrize("public", [False, True], ids=["account", "public"])
def test_a_url_is_made_as_wanted_with_both_statements_and_goes_without_a_trace(
    connect: Callable[[], Any], public: bool
) -> None:
    client, url = connect(), wanted(public)
    assert read_function_url(client, url, STACK) is None
    create_function_url(client, url, PassingClock())
    found = read(client, url)
    assert differences(url, found) == ()
    assert found.url == client.get_function_url_config(FunctionName=NAME)["FunctionUrl"]
    assert [rendered_like(each, own) for each, own in zip(statements(client), url.permissions, strict=True)] == list(
        url.permissions
    )
    delete_function_url(client, found)
    delete_function_url(client, found)
    assert read_function_url(client, url, STACK) is None
    assert statements(client) == []


def test_what_lambda_is_told_are_the_statements(connect: Callable[[], Any], faults: Any) -> None:
    told = faults.count("lambda.AddPermission")
    create_function_url(connect(), wanted(), PassingClock())
    assert [json.loads(request["body"]) for request in told] == [
        {
            "StatementId": "podpac-with-url-url",
            "Action": "lambda:InvokeFunctionUrl",
            "Principal": ACCOUNT,
            "FunctionUrlAuthType": "AWS_IAM",
        },
        {
            "StatementId": "podpac-with-url-url-invoke",
            "Action": "lambda:InvokeFunction",
            "Principal": ACCOUNT,
            "InvokedViaFunctionUrl": True,
        },
    ]


def test_statements_are_put_before_the_url_is_made_and_go_after_it(connect: Callable[[], Any], faults: Any) -> None:
    order: list[str] = []
    for name in (*WRITES, "DeleteFunctionUrlConfig"):
        faults.hook(f"before-call.lambda.{name}", lambda model, **_: order.append(model.name))
    client = connect()
    create_function_url(client, wanted(), PassingClock())
    delete_function_url(client, read(client, wanted()))
    assert order == [
        *("AddPermission", "AddPermission", "CreateFunctionUrlConfig"),
        *("DeleteFunctionUrlConfig", "RemovePermission", "RemovePermission"),
    ]


def test_a_url_without_our_statements_is_somebody_elses(connect: Callable[[], Any]) -> None:
    client = connect()
    client.create_function_url_config(FunctionName=NAME, AuthType="NONE")
    client.add_permission(
        FunctionName=NAME,
        StatementId="theirs",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
    )
    found = read_function_url(client, wanted(), STACK)
    assert found is not None
    assert found.stack is None
    client.delete_function_url_config(FunctionName=NAME)


def test_a_url_that_turned_public_is_named_and_closed(connect: Callable[[], Any]) -> None:
    client = connect()
    create_function_url(client, wanted(public=True), PassingClock())
    assert repair(client, wanted()) == {"authorization", "permissions"}
    assert [statement["Principal"] for statement in statements(client)] == [{"AWS": ACCOUNT}, {"AWS": ACCOUNT}]
    delete_function_url(client, read(client, wanted()))


def test_a_url_whose_statements_somebody_took_away_is_still_ours_when_the_function_says_so(
    connect: Callable[[], Any],
) -> None:
    client, url = connect(), wanted()
    create_function_url(client, url, PassingClock())
    client.tag_resource(Resource=ARN, Tags={STACK_TAG: STACK, EXTRAS_TAG: str(Extras(url=True))})
    for statement in url.permissions:
        client.remove_permission(FunctionName=NAME, StatementId=statement["Sid"])
    assert repair(client, url) == {"permissions"}
    for statement in url.permissions:
        client.remove_permission(FunctionName=NAME, StatementId=statement["Sid"])
    client.tag_resource(Resource=ARN, Tags={EXTRAS_TAG: str(Extras())})
    found = read_function_url(client, url, STACK)
    assert found is not None
    assert found.stack is None


def test_another_invoke_mode_is_named_and_repaired(connect: Callable[[], Any], faults: Any) -> None:
    writes = {name: faults.count(f"lambda.{name}") for name in WRITES}
    client = connect()
    create_function_url(client, wanted(), PassingClock())
    client.update_function_url_config(FunctionName=NAME, InvokeMode="RESPONSE_STREAM")
    assert repair(client, wanted()) == {"invoke_mode"}
    assert [len(writes[name]) for name in WRITES] == [2, 0, 1, 2]
    delete_function_url(client, read(client, wanted()))


def test_a_url_that_opened_to_pages_of_other_origins_is_named_and_closed(connect: Callable[[], Any]) -> None:
    client = connect()
    create_function_url(client, wanted(), PassingClock())
    client.update_function_url_config(
        FunctionName=NAME, Cors={"AllowOrigins": ["*"], "AllowCredentials": False, "MaxAge": 0}
    )
    assert read(client, wanted()).cors == {"AllowOrigins": ["*"]}
    assert repair(client, wanted()) == {"cors"}
    assert not client.get_function_url_config(FunctionName=NAME).get("Cors")
    delete_function_url(client, read(client, wanted()))


def test_a_url_that_says_no_more_than_the_default_is_as_wanted(connect: Callable[[], Any]) -> None:
    client = connect()
    create_function_url(client, wanted(), PassingClock())
    client.update_function_url_config(
        FunctionName=NAME, Cors={"AllowOrigins": [], "AllowCredentials": False, "MaxAge": 0}
    )
    assert repair(client, wanted()) == set()
    delete_function_url(client, read(client, wanted()))


@pytest.mark.parametrize("index", [0, 1])
def test_a_statement_that_is_gone_is_put_again_and_no_other_is_touched(
    connect: Callable[[], Any], faults: Any, index: int
) -> None:
    client = connect()
    create_function_url(client, wanted(), PassingClock())
    client.remove_permission(FunctionName=NAME, StatementId=wanted().permissions[index]["Sid"])
    put, removed = faults.count("lambda.AddPermission"), faults.count("lambda.RemovePermission")
    client = connect()
    assert repair(client, wanted()) == {"permissions"}
    assert (len(put), len(removed)) == (1, 0)
    delete_function_url(client, read(client, wanted()))


@pytest.mark.parametrize("lost", ["AddPermission", "CreateFunctionUrlConfig"])
def test_making_it_again_after_a_lost_answer_converges(
    connect: Callable[[], Any], aws: LocalSession, faults: Any, lost: str
) -> None:
    answers = [1]

    def lose(**_: Any) -> None:
        if answers:
            answers.pop()
            raise ReadTimeoutError(endpoint_url="https://lambda")

    faults.hook(f"after-call.lambda.{lost}", lose)
    client = connect()
    with pytest.raises(errors.EndpointUnreachableError):
        create_function_url(client, wanted(), PassingClock())
    different = differences(wanted(), read(client, wanted()))
    update_function_url(client, Update(wanted(), different), wanted(), PassingClock())
    assert differences(wanted(), read(client, wanted())) == ()
    assert [statement["Sid"] for statement in statements(client)] == [each["Sid"] for each in wanted().permissions]
    create_function_url(client, wanted(), PassingClock())
    assert differences(wanted(), read(client, wanted())) == ()
    delete_function_url(client, read(client, wanted()))


def test_a_url_that_somebody_made_since_the_plan_is_not_taken_over(connect: Callable[[], Any]) -> None:
    client = connect()
    client.create_function_url_config(FunctionName=NAME, AuthType="NONE")
    with pytest.raises(errors.ResourceExistsError) as caught:
        create_function_url(client, wanted(), PassingClock())
    assert "plan" in caught.value.next_step
    assert client.get_function_url_config(FunctionName=NAME)["AuthType"] == "NONE"
    client.delete_function_url_config(FunctionName=NAME)


def test_a_function_that_is_gone_has_no_url_and_deleting_it_is_fine(aws: LocalSession) -> None:
    client = aws.client("lambda")
    assert read_function_url(client, wanted(), STACK) is None
    delete_function_url(client, wanted())


def test_a_conflict_with_an_update_of_the_function_is_waited_for(connect: Callable[[], Any], faults: Any) -> None:
    left = [3]

    def busy(**_: Any) -> Any:
        left[0] -= 1
        return faults.refusal(409, "ResourceConflictException", "An update is in progress") if left[0] >= 0 else None

    faults.hook("before-call.lambda.AddPermission", busy)
    clock, client = PassingClock(), connect()
    create_function_url(client, wanted(), clock)
    assert clock.now > 0
    assert differences(wanted(), read(client, wanted())) == ()
    delete_function_url(client, read(client, wanted()))


def test_what_aws_writes_differently_is_the_same_statement() -> None:
    own = wanted().permissions[1]
    rendered = {
        **own,
        "Principal": {"AWS": [ACCOUNT]},
        "Action": ["lambda:InvokeFunction"],
        "Condition": {"bool": {"lambda:invokedViaFunctionUrl": [True]}},
    }
    assert rendered_like(rendered, own) == own
    public = wanted(public=True).permissions[0]
    assert rendered_like({**public, "Principal": {"AWS": "*"}}, public) == public


@pytest.mark.parametrize(
    "change",
    [
        {"Principal": {"AWS": "111111111111"}},
        {"Action": "lambda:*"},
        {"Condition": {"Bool": {"lambda:InvokedViaFunctionUrl": False}}},
        {"Condition": {}},
        {"Effect": "Deny"},
    ],
)
def test_another_statement_is_not_taken_for_ours(change: dict[str, Any]) -> None:
    own = wanted().permissions[1]
    assert rendered_like({**own, **change}, own) != own


def test_a_condition_that_lambda_cannot_put_is_refused() -> None:
    statement = {**wanted().permissions[0], "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}
    with pytest.raises(errors.InvalidValueError, match="aws:SourceIp"):
        permission_arguments(statement)


def test_a_url_of_another_name_is_not_read(connect: Callable[[], Any]) -> None:
    client = connect()
    create_function_url(client, wanted(), PassingClock())
    assert read_function_url(client, replace(wanted(), name="without-url"), STACK) is None
    delete_function_url(client, read(client, wanted()))
