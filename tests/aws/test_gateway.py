"""Our API is the one with our tag; what it serves is what was deployed; those of others with its name stay."""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.aws.gateway import create_rest_api, delete_rest_api, update_rest_api
from podpac_lambda_widgets.aws.gateway_reading import read_rest_api
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.plan import policies
from podpac_lambda_widgets.plan.changes import Difference, Update
from podpac_lambda_widgets.plan.difference import differences
from podpac_lambda_widgets.plan.resources import API_ID, STACK_TAG, Observed, RestApi

pytestmark = pytest.mark.local_aws

STACK = "served@us-east-1"
NAME = "served"
ACCOUNT = "000000000000"
ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{NAME}"
URI = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{ARN}/invocations"
SOURCE = f"arn:aws:execute-api:us-east-1:{ACCOUNT}:{API_ID}/prod/*/eval"
SID = "podpac-served-us-east-1-api"
WANTED = RestApi(
    name="served-api",
    function=ARN,
    description="Hands requests on",
    endpoint_type="REGIONAL",
    binary_media_types=("*/*",),
    tags={"team": "soil", STACK_TAG: STACK},
    path="eval",
    method="ANY",
    authorization="AWS_IAM",
    integration=URI,
    stage="prod",
    rate_limit=10.0,
    burst_limit=20,
    permission=policies.api_permission(SID, function_arn=ARN, source_arn=SOURCE),
)


class PassingClock:
    """Time that passes only where somebody waits."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Gateway:
    """Clients that have the faults which were set before, and what a test does with them."""

    client: Any
    functions: Any
    clock: PassingClock

    def observe(self, wanted: RestApi = WANTED) -> Observed | None:
        return read_rest_api(self.client, self.functions, wanted, STACK)

    def read(self, wanted: RestApi = WANTED) -> RestApi:
        found = self.observe(wanted)
        assert found is not None
        assert found.stack == STACK
        assert isinstance(found.resource, RestApi)
        return found.resource

    def create(self, wanted: RestApi = WANTED) -> RestApi:
        create_rest_api(self.client, self.functions, wanted, self.clock)
        return self.read(wanted)

    def repair(self, wanted: RestApi = WANTED) -> set[str]:
        """Update to what is wanted; returns the fields that differed, when afterwards none does."""
        change = Update(wanted, differences(wanted, self.read(wanted)))
        update_rest_api(self.client, self.functions, change, wanted, STACK, self.clock)
        assert differences(wanted, self.read(wanted)) == ()
        return {difference.field for difference in change.differences}

    def delete(self) -> None:
        delete_rest_api(self.client, self.functions, self.read(), STACK, self.clock)

    def apis(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.get_rest_apis(limit=500)["items"]
        return found

    def resource(self, api: RestApi, path: str = "/eval") -> dict[str, str]:
        found = self.client.get_resources(restApiId=api.api_id)["items"]
        return {"restApiId": api.api_id, "resourceId": next(each["id"] for each in found if each["path"] == path)}

    def statements(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.functions.get_policy(FunctionName=NAME)["Policy"])["Statement"]
        return found


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        opened.writestr("handler.py", "def handler(event, context):\n    return {'statusCode': 200, 'body': 'here'}\n")
    return file.getvalue()


@pytest.fixture
def connect(aws: LocalSession) -> Iterator[Callable[[], Gateway]]:
    """Makes clients for a function without an API; those made after faults have them."""
    functions, iam = aws.client("lambda"), aws.client("iam")
    role = iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=json.dumps(policies.lambda_trust(ACCOUNT)))
    functions.create_function(
        FunctionName=NAME,
        Runtime="python3.11",
        Role=role["Role"]["Arn"],
        Handler="handler.handler",
        Code={"ZipFile": archive()},
    )
    gateway = aws.client("apigateway")
    yield lambda: Gateway(aws.client("apigateway"), aws.client("lambda"), PassingClock())
    for api in gateway.get_rest_apis(limit=500)["items"]:
        gateway.delete_rest_api(restApiId=api["id"])
    functions.delete_function(FunctionName=NAME)
    iam.delete_role(RoleName=NAME)


def note_writes(faults: Any) -> list[str]:
    """The writing operations that API Gateway and Lambda are asked for from now on, in order."""
    written: list[str] = []

    def note(model: Any, **_: Any) -> None:
        if not model.name.startswith("Get"):
            written.append(model.name)

    faults.hook("before-call.apigateway", note)
    faults.hook("before-call.lambda", note)
    return written


def lose_answer(faults: Any, operation: str) -> None:
    """Let an operation happen once without an answer."""
    answers = [1]

    def lose(**_: Any) -> None:
        if answers:
            answers.pop()
            raise ReadTimeoutError(endpoint_url="https://aws")

    faults.hook(f"after-call.{operation}", lose)


CREATING = [
    *("CreateRestApi", "CreateResource", "PutMethod", "PutIntegration"),
    *("AddPermission", "CreateDeployment", "UpdateStage"),
]


@pytest.mark.parametrize("authorization", ["AWS_IAM", "NONE"])
def test_an_api_is_made_as_wanted_and_goes_without_a_trace(
    connect: Callable[[], Gateway], faults: Any, authorization: str
) -> None:
    wanted = replace(WANTED, authorization=authorization)
    assert connect().observe(wanted) is None
    written = note_writes(faults)
    gateway = connect()
    found = gateway.create(wanted)
    assert differences(wanted, found) == ()
    assert written == CREATING
    assert found.url == f"https://{found.api_id}.execute-api.us-east-1.amazonaws.com/prod/eval"
    source = SOURCE.replace(API_ID, found.api_id)
    assert gateway.statements() == [policies.api_permission(SID, function_arn=ARN, source_arn=source)]
    written.clear()
    gateway.delete()
    assert written == ["RemovePermission", "DeleteRestApi"]
    assert (gateway.apis(), gateway.statements()) == ([], [])
    assert gateway.observe() is None
    delete_rest_api(gateway.client, gateway.functions, found, STACK, gateway.clock)


def test_the_tags_are_put_in_the_creating_call(connect: Callable[[], Gateway], faults: Any) -> None:
    made = faults.count("apigateway.CreateRestApi")
    connect().create()
    assert [json.loads(request["body"])["tags"] for request in made] == [dict(WANTED.tags)]


def call(aws: LocalSession, api: RestApi) -> tuple[int, str]:
    """Status and body of what the stage answers to somebody without credentials."""
    endpoint = aws.client("apigateway").meta.endpoint_url
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{endpoint}/restapis/{api.api_id}/prod/_user_request_/eval", timeout=30.0) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_public_stage_hands_requests_to_the_function(aws: LocalSession, connect: Callable[[], Gateway]) -> None:
    gateway = connect()
    found = gateway.create(replace(WANTED, authorization="NONE"))
    integration = gateway.client.get_integration(**gateway.resource(found), httpMethod="ANY")
    assert (integration["type"], integration["httpMethod"], integration["uri"]) == ("AWS_PROXY", "POST", URI)
    assert call(aws, found) == (200, "here")


def test_a_stage_that_is_not_public_refuses_whom_it_does_not_know(
    aws: LocalSession, connect: Callable[[], Gateway]
) -> None:
    status, body = call(aws, connect().create())
    assert status == 403
    assert "here" not in body


def test_building_again_finds_nothing_to_do(connect: Callable[[], Gateway], faults: Any) -> None:
    connect().create()
    written = note_writes(faults)
    gateway = connect()
    assert gateway.repair() == set()
    assert written == []


Drift = Callable[[Gateway, RestApi], object]


def patched(operation: str, path: str, value: str) -> Drift:
    def change(gateway: Gateway, api: RestApi) -> None:
        operations = [{"op": "replace", "path": path, "value": value}]
        which: dict[str, str] = {"restApiId": api.api_id}
        if operation == "update_stage":
            which["stageName"] = "prod"
        if operation in ("update_method", "update_integration"):
            which = {**gateway.resource(api), "httpMethod": "ANY"}
        getattr(gateway.client, operation)(**which, patchOperations=operations)

    return change


def retag(gateway: Gateway, api: RestApi) -> None:
    arn = f"arn:aws:apigateway:us-east-1::/restapis/{api.api_id}"
    gateway.client.tag_resource(resourceArn=arn, tags={"team": "water", "theirs": "stays"})


def delete_resource(gateway: Gateway, api: RestApi) -> None:
    gateway.client.delete_resource(**gateway.resource(api))


def delete_method(gateway: Gateway, api: RestApi) -> None:
    gateway.client.delete_method(**gateway.resource(api), httpMethod="ANY")


def delete_integration(gateway: Gateway, api: RestApi) -> None:
    gateway.client.delete_integration(**gateway.resource(api), httpMethod="ANY")


def open_a_method(gateway: Gateway, api: RestApi) -> None:
    gateway.client.put_method(**gateway.resource(api), httpMethod="GET", authorizationType="NONE")


def mock_integration(gateway: Gateway, api: RestApi) -> None:
    gateway.client.put_integration(**gateway.resource(api), httpMethod="ANY", type="MOCK", uri=URI)


def delete_stage(gateway: Gateway, api: RestApi) -> None:
    gateway.client.delete_stage(restApiId=api.api_id, stageName="prod")


def deploy(gateway: Gateway, api: RestApi) -> None:
    gateway.client.create_deployment(restApiId=api.api_id, stageName="prod", description="by hand")


def open_permission(gateway: Gateway, api: RestApi) -> None:
    gateway.functions.remove_permission(FunctionName=NAME, StatementId=SID)
    gateway.functions.add_permission(
        FunctionName=NAME, StatementId=SID, Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )


def remove_permission(gateway: Gateway, api: RestApi) -> None:
    gateway.functions.remove_permission(FunctionName=NAME, StatementId=SID)


DEPLOYING = ["CreateDeployment"]
DRIFT: list[tuple[str, Drift, set[str], list[str]]] = [
    ("description", patched("update_rest_api", "/description", "x"), {"description"}, ["UpdateRestApi"]),
    (
        "media types",
        patched("update_rest_api", "/binaryMediaTypes/image~1png", ""),
        {"binary_media_types"},
        ["UpdateRestApi", *DEPLOYING],
    ),
    (
        "execute-api endpoint",
        patched("update_rest_api", "/disableExecuteApiEndpoint", "true"),
        {"execute_api_endpoint"},
        ["UpdateRestApi", *DEPLOYING],
    ),
    ("tags", retag, {"tags"}, ["TagResource"]),
    (
        "resource",
        delete_resource,
        {"path", "method", "authorization", "integration"},
        ["CreateResource", "PutMethod", "PutIntegration", *DEPLOYING],
    ),
    (
        "method",
        delete_method,
        {"method", "authorization", "integration"},
        ["PutMethod", "PutIntegration", *DEPLOYING],
    ),
    ("another method", open_a_method, {"method"}, ["DeleteMethod", *DEPLOYING]),
    (
        "authorization",
        patched("update_method", "/authorizationType", "NONE"),
        {"authorization"},
        ["UpdateMethod", *DEPLOYING],
    ),
    ("no integration", delete_integration, {"integration"}, ["PutIntegration", *DEPLOYING]),
    ("integration's kind", mock_integration, {"integration"}, ["PutIntegration", *DEPLOYING]),
    (
        "integration's target",
        patched("update_integration", "/uri", URI.replace(NAME, "other")),
        {"integration"},
        ["PutIntegration", *DEPLOYING],
    ),
    (
        "stage",
        delete_stage,
        {"stage", "deployed", "rate_limit", "burst_limit"},
        [*DEPLOYING, "UpdateStage"],
    ),
    ("rate", patched("update_stage", "/*/*/throttling/rateLimit", "1000"), {"rate_limit"}, ["UpdateStage"]),
    ("burst", patched("update_stage", "/*/*/throttling/burstLimit", "1000"), {"burst_limit"}, ["UpdateStage"]),
    ("deployed", deploy, {"deployed"}, DEPLOYING),
    ("open permission", open_permission, {"permission"}, ["RemovePermission", "AddPermission"]),
    ("no permission", remove_permission, {"permission"}, ["AddPermission"]),
]


@pytest.mark.parametrize(("drift", "fields", "calls"), [each[1:] for each in DRIFT], ids=[each[0] for each in DRIFT])
def test_drift_is_named_and_repaired_by_these_calls_alone(
    connect: Callable[[], Gateway], faults: Any, drift: Drift, fields: set[str], calls: list[str]
) -> None:
    gateway = connect()
    drift(gateway, gateway.create())
    written = note_writes(faults)
    gateway = connect()
    assert gateway.repair() == fields
    assert written == calls
    assert gateway.repair() == set()


def test_tags_of_others_stay(connect: Callable[[], Gateway]) -> None:
    gateway = connect()
    found = gateway.create()
    retag(gateway, found)
    gateway.repair()
    tags = gateway.client.get_tags(resourceArn=f"arn:aws:apigateway:us-east-1::/restapis/{found.api_id}")["tags"]
    assert tags == {**WANTED.tags, "theirs": "stays"}


@pytest.mark.parametrize(
    ("changes", "calls"),
    [
        ({"stage": "dev"}, ["RemovePermission", "AddPermission", "CreateDeployment", "UpdateStage", "DeleteStage"]),
        (
            {"path": "run"},
            [
                *("DeleteResource", "CreateResource", "PutMethod", "PutIntegration"),
                *("RemovePermission", "AddPermission", "CreateDeployment"),
            ],
        ),
        ({"method": "POST"}, ["DeleteMethod", "PutMethod", "PutIntegration", "CreateDeployment"]),
        ({"authorization": "NONE"}, ["UpdateMethod", "CreateDeployment"]),
    ],
    ids=["stage", "path", "method", "authorization"],
)
def test_another_wish_leaves_nothing_of_the_former(
    connect: Callable[[], Gateway], faults: Any, changes: dict[str, Any], calls: list[str]
) -> None:
    connect().create()
    wanted = replace(WANTED, **changes)
    source = f"arn:aws:execute-api:us-east-1:{ACCOUNT}:{API_ID}/{wanted.stage}/*/{wanted.path}"
    wanted = replace(wanted, permission=policies.api_permission(SID, function_arn=ARN, source_arn=source))
    written = note_writes(faults)
    gateway = connect()
    gateway.repair(wanted)
    assert written == calls
    found = gateway.read(wanted)
    assert [each["stageName"] for each in gateway.client.get_stages(restApiId=found.api_id)["item"]] == [wanted.stage]
    resources = gateway.client.get_resources(restApiId=found.api_id)["items"]
    assert sorted(each["path"] for each in resources) == ["/", f"/{wanted.path}"]
    assert found.url.endswith(f"/{wanted.stage}/{wanted.path}")


def in_stage(stage: str) -> RestApi:
    """The wish with another stage."""
    source = f"arn:aws:execute-api:us-east-1:{ACCOUNT}:{API_ID}/{stage}/*/eval"
    return replace(WANTED, stage=stage, permission=policies.api_permission(SID, function_arn=ARN, source_arn=source))


def stages(gateway: Gateway, api: RestApi) -> dict[str, dict[str, Any]]:
    found = gateway.client.get_stages(restApiId=api.api_id)["item"]
    return {stage["stageName"]: stage for stage in found}


def make_stage(gateway: Gateway, api: RestApi, name: str) -> dict[str, Any]:
    """Make a stage by hand that serves what ours serves."""
    deployment = stages(gateway, api)["prod"]["deploymentId"]
    gateway.client.create_stage(restApiId=api.api_id, stageName=name, deploymentId=deployment)
    return stages(gateway, api)[name]


@pytest.mark.parametrize("theirs", ["dev", "zoo"])
def test_a_stage_of_somebody_else_is_neither_ours_nor_deleted(connect: Callable[[], Gateway], theirs: str) -> None:
    gateway = connect()
    api = gateway.create()
    before = make_stage(gateway, api, theirs)
    assert gateway.repair() == set()
    assert gateway.read(replace(WANTED, stage="")).url == api.url
    assert "stage" in gateway.repair(in_stage("v2"))
    after = stages(gateway, api)
    assert set(after) == {theirs, "v2"}
    assert after[theirs] == before


def test_a_stage_of_somebody_else_with_the_wanted_name_serves_but_is_never_deleted(
    connect: Callable[[], Gateway], faults: Any
) -> None:
    gateway = connect()
    api = gateway.create()
    make_stage(gateway, api, "v2")
    written = note_writes(faults)
    gateway = connect()
    assert gateway.read(in_stage("v2")).stage == "v2 prod"
    gateway.repair(in_stage("v2"))
    assert written == ["RemovePermission", "AddPermission", "CreateDeployment", "UpdateStage", "DeleteStage"]
    assert set(stages(gateway, api)) == {"v2"}
    gateway.repair(in_stage("v3"))
    assert set(stages(gateway, api)) == {"v2", "v3"}
    gateway.repair(in_stage("v4"))
    assert set(stages(gateway, api)) == {"v2", "v4"}


@pytest.mark.parametrize("operation", ["CreateDeployment", "UpdateStage", "DeleteStage"])
def test_another_stage_that_was_cut_off_leaves_no_former_one(
    connect: Callable[[], Gateway], faults: Any, operation: str
) -> None:
    api = connect().create()
    refusals: list[Any] = []
    faults.hook(f"before-call.apigateway.{operation}", lambda **_: refusals.pop() if refusals else None)
    gateway = connect()
    for stage in ("v2", "v3"):
        refusals.append(faults.refusal(400, "BadRequestException"))
        with pytest.raises(errors.AwsError):
            gateway.repair(in_stage(stage))
    gateway.repair(in_stage("v3"))
    assert set(stages(gateway, api)) == {"v3"}


def test_only_a_stage_that_is_made_is_marked_as_ours(connect: Callable[[], Gateway], faults: Any) -> None:
    told = faults.count("apigateway.CreateDeployment")
    gateway = connect()
    deploy(gateway, gateway.create())
    gateway.repair()
    bodies = [json.loads(request["body"]) for request in told]
    assert [body.get("stageDescription") for body in bodies] == ["podpac-lambda-widgets", None, None]
    assert {body["stageName"] for body in bodies} == {"prod"}


def test_a_method_that_asks_for_an_api_key_is_told(connect: Callable[[], Gateway], faults: Any) -> None:
    def ask_for_a_key(parsed: dict[str, Any], **_: Any) -> None:
        for resource in parsed["items"]:
            for method in resource.get("resourceMethods", {}).values():
                method["apiKeyRequired"] = True

    connect().create()
    faults.hook("after-call.apigateway.GetResources", ask_for_a_key)
    told = faults.count("apigateway.UpdateMethod")
    gateway = connect()
    change = Update(WANTED, differences(WANTED, gateway.read()))
    update_rest_api(gateway.client, gateway.functions, change, WANTED, STACK, gateway.clock)
    operations = json.loads(told[0]["body"])["patchOperations"]
    assert {"op": "replace", "path": "/apiKeyRequired", "value": "false"} in operations


def test_the_patches_of_the_api_are_those_that_aws_documents(connect: Callable[[], Gateway], faults: Any) -> None:
    gateway = connect()
    gateway.create()
    told = faults.count("apigateway.UpdateRestApi")
    gateway = connect()
    change = Update(
        WANTED,
        (
            Difference("endpoint_type", "EDGE", "REGIONAL"),
            Difference("execute_api_endpoint", False, True),
            Difference("binary_media_types", ("image/svg+xml",), ("*/*",)),
        ),
    )
    update_rest_api(gateway.client, gateway.functions, change, WANTED, STACK, gateway.clock)
    assert [json.loads(request["body"])["patchOperations"] for request in told] == [
        [
            {"op": "replace", "path": "/endpointConfiguration/types/EDGE", "value": "REGIONAL"},
            {"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "false"},
            {"op": "remove", "path": "/binaryMediaTypes/image~1svg+xml"},
            {"op": "add", "path": "/binaryMediaTypes/*~1*"},
        ]
    ]


def test_another_endpoint_type_is_named(connect: Callable[[], Gateway]) -> None:
    gateway = connect()
    found = gateway.create(replace(WANTED, endpoint_type="EDGE"))
    assert [each.field for each in differences(WANTED, found)] == ["endpoint_type"]


def test_apis_of_others_with_our_name_stay_as_they_are(connect: Callable[[], Gateway]) -> None:
    gateway = connect()
    for tags in ({}, {STACK_TAG: "other@us-east-1"}, {"team": "soil"}):
        gateway.client.create_rest_api(name=WANTED.name, tags=tags)
    before = gateway.apis()
    assert gateway.observe() is None
    gateway.create()
    patched("update_rest_api", "/description", "x")(gateway, gateway.read())
    gateway.repair()
    gateway.delete()
    assert gateway.apis() == before


def test_ours_is_found_behind_pages_that_are_empty(connect: Callable[[], Gateway], faults: Any) -> None:
    found = connect().create()
    asked: list[dict[str, Any]] = []

    def ask(params: dict[str, Any], **_: Any) -> None:
        asked.append(dict(params))
        params.pop("position", None)

    def empty(parsed: dict[str, Any], **_: Any) -> None:
        if len(asked) < 3:
            parsed.update(items=[], position=f"after {len(asked)}")

    faults.hook("before-parameter-build.apigateway.GetRestApis", ask)
    faults.hook("after-call.apigateway.GetRestApis", empty)
    assert connect().read().api_id == found.api_id
    assert asked == [{"limit": 500}, {"limit": 500, "position": "after 1"}, {"limit": 500, "position": "after 2"}]


@pytest.mark.parametrize("operation", CREATING)
def test_a_rerun_after_a_lost_answer_converges_with_one_api(
    connect: Callable[[], Gateway], faults: Any, operation: str
) -> None:
    lose_answer(faults, f"{'lambda' if operation == 'AddPermission' else 'apigateway'}.{operation}")
    gateway = connect()
    with pytest.raises(errors.EndpointUnreachableError):
        gateway.create()
    gateway.repair()
    assert len(gateway.apis()) == 1
    assert len(gateway.statements()) == 1
    gateway.delete()
    assert (gateway.apis(), gateway.statements()) == ([], [])


@pytest.mark.parametrize("operation", CREATING)
def test_a_rerun_after_a_refusal_makes_only_what_is_left(
    connect: Callable[[], Gateway], faults: Any, operation: str
) -> None:
    service = "lambda" if operation == "AddPermission" else "apigateway"
    refusals = [faults.refusal(400, "BadRequestException")]
    faults.hook(f"before-call.{service}.{operation}", lambda **_: refusals.pop() if refusals else None)
    with pytest.raises(errors.AwsError):
        connect().create()
    written = note_writes(faults)
    gateway = connect()
    if operation == "CreateRestApi":
        assert gateway.observe() is None
        gateway.create()
    else:
        gateway.repair()
    assert written == CREATING[CREATING.index(operation) :]


def test_an_answer_that_botocore_repeats_is_no_obstacle(connect: Callable[[], Gateway], faults: Any) -> None:
    written = note_writes(faults)

    def conflict(parsed: dict[str, Any], model: Any, http_response: Any, **_: Any) -> None:
        http_response.status_code = 409
        parsed["Error"] = {"Code": "ConflictException", "Message": "already exists"}

    faults.hook("after-call.apigateway.CreateResource", conflict)
    faults.hook("after-call.apigateway.PutMethod", conflict)
    found = connect().create()
    assert differences(WANTED, found) == ()
    assert written == [*CREATING[:3], "UpdateMethod", *CREATING[3:]]


class Nothing(io.BytesIO):
    """The body of an answer without one."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield b""


def test_an_attempt_whose_answer_botocore_did_not_get_leaves_no_copy(
    connect: Callable[[], Gateway], faults: Any
) -> None:
    other, answers = connect(), [AWSResponse("https://aws", 500, {}, Nothing())]

    def lose(**_: Any) -> AWSResponse | None:
        if not answers:
            return None
        other.client.create_rest_api(name=WANTED.name, tags=dict(WANTED.tags))
        return answers.pop()

    faults.hook("before-send.apigateway.CreateRestApi", lose)
    found = connect().create()
    assert found.copies == 1
    assert differences(WANTED, found) == ()


def test_a_deletion_that_was_cut_is_seen_and_ended(connect: Callable[[], Gateway], faults: Any) -> None:
    connect().create()
    lose_answer(faults, "lambda.RemovePermission")
    gateway = connect()
    with pytest.raises(errors.EndpointUnreachableError):
        gateway.delete()
    assert gateway.read().permission is None
    gateway.delete()
    assert gateway.observe() is None


def test_a_permission_without_its_api_is_seen_and_goes_or_gets_another(connect: Callable[[], Gateway]) -> None:
    gateway = connect()
    gone = gateway.create()
    gateway.client.delete_rest_api(restApiId=gone.api_id)
    assert gateway.read().copies == 0
    assert {"copies", "permission", "deployed"} <= gateway.repair()
    assert gateway.read().api_id != gone.api_id
    gateway.client.delete_rest_api(restApiId=gateway.read().api_id)
    gateway.delete()
    assert (gateway.observe(), gateway.statements()) == (None, [])


@pytest.mark.parametrize("order", [1, -1], ids=["oldest", "newest"])
def test_copies_are_seen_and_the_one_in_use_stays(connect: Callable[[], Gateway], faults: Any, order: int) -> None:
    gateway = connect()
    used = gateway.create().api_id
    for _ in range(2):
        gateway.client.create_rest_api(name=WANTED.name, tags=dict(WANTED.tags))

    days = [used, *(each["id"] for each in gateway.apis() if each["id"] != used)][::order]

    def date(parsed: dict[str, Any], **_: Any) -> None:
        parsed["createdDate"] = datetime(2026, 1, 1 + days.index(parsed["id"]), tzinfo=UTC)

    faults.hook("after-call.apigateway.GetRestApi", date)
    gateway = connect()
    assert gateway.read().api_id == used
    assert gateway.read().copies == 3
    assert gateway.repair() == {"copies"}
    assert [api["id"] for api in gateway.apis()] == [used]


def test_all_copies_are_deleted_though_aws_takes_one_in_30_seconds(connect: Callable[[], Gateway], faults: Any) -> None:
    gateway = connect()
    for _ in range(3):
        gateway.client.create_rest_api(name=WANTED.name, tags=dict(WANTED.tags))
    free_at = [0.0]

    def throttle(**_: Any) -> Any:
        if gateway.clock.now < free_at[0]:
            return faults.refusal(429, "TooManyRequestsException", "Too Many Requests")
        free_at[0] = gateway.clock.now + 30.0
        return None

    faults.hook("before-call.apigateway.DeleteRestApi", throttle)
    gateway = connect()
    gateway.delete()
    assert gateway.apis() == []
    assert gateway.clock.now >= 60.0


def test_a_deletion_that_is_never_let_in_ends_with_a_typed_error(connect: Callable[[], Gateway], faults: Any) -> None:
    connect().create()
    faults.answer("apigateway.DeleteRestApi", 429, "TooManyRequestsException", "Too Many Requests")
    gateway = connect()
    with pytest.raises(errors.ThrottledError):
        gateway.delete()
    # The last wait begins before the 300 s are over; it is 10 s at the most, give or take a fifth.
    assert 290.0 < gateway.clock.now <= 302.0


def test_a_change_at_the_same_time_is_waited_for(connect: Callable[[], Gateway], faults: Any) -> None:
    busy = "Unable to complete operation due to concurrent modification. Please try again later."
    refusals = [faults.refusal(409, "ConflictException", busy) for _ in range(3)]
    faults.hook("before-call.apigateway.CreateDeployment", lambda **_: refusals.pop() if refusals else None)
    gateway = connect()
    assert differences(WANTED, gateway.create()) == ()
    assert gateway.clock.now > 0


def test_an_api_that_a_list_still_names_is_not_ours_any_more(connect: Callable[[], Gateway], faults: Any) -> None:
    gateway = connect()
    gateway.create()
    stale = gateway.apis()
    gateway.delete()
    living = gateway.create().api_id
    faults.change("apigateway.GetRestApis", items=[*stale, *gateway.apis()])
    assert (connect().read().api_id, connect().read().copies) == (living, 1)
    gateway.delete()
    assert connect().observe() is None


def test_an_api_that_went_since_the_plan_is_told(connect: Callable[[], Gateway]) -> None:
    gateway = connect()
    change = Update(WANTED, (Difference("description", "x", WANTED.description),))
    with pytest.raises(errors.ResourceNotFoundError) as caught:
        update_rest_api(gateway.client, gateway.functions, change, WANTED, STACK, gateway.clock)
    assert "plan" in caught.value.next_step


def test_an_api_looked_for_by_its_names_alone_is_deleted(connect: Callable[[], Gateway]) -> None:
    gateway = connect()
    gateway.create()
    named = RestApi(
        name="", function=ARN, description="", endpoint_type="", binary_media_types=(), tags={STACK_TAG: STACK},
        path="", method="", authorization="", integration="", stage="", rate_limit=0.0, burst_limit=0,
        permission=policies.api_permission(SID, function_arn=ARN, source_arn=""),
    )  # fmt: skip
    found = gateway.read(named)
    assert found.name == WANTED.name
    assert found.url == f"https://{found.api_id}.execute-api.us-east-1.amazonaws.com/prod/eval"
    delete_rest_api(gateway.client, gateway.functions, found, STACK, gateway.clock)
    assert (gateway.apis(), gateway.statements()) == ([], [])


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws-cn", "cn-north-1", "execute-api.cn-north-1.amazonaws.com.cn"),
        ("aws-us-gov", "us-gov-west-1", "execute-api.us-gov-west-1.amazonaws.com"),
    ],
)
def test_the_url_has_its_partitions_suffix(
    connect: Callable[[], Gateway], faults: Any, partition: str, region: str, host: str
) -> None:
    gateway = connect()
    gateway.create()
    asked = faults.answer("apigateway.GetTags", 200)
    faults.change("apigateway.GetTags", tags={})
    function = f"arn:{partition}:lambda:{region}:{ACCOUNT}:function:{NAME}"
    found = connect().read(replace(WANTED, function=function))
    assert found.url.split("/")[2].endswith(host)
    assert f"arn%3A{partition}%3Aapigateway%3A{region}" in asked[0]["url"]
