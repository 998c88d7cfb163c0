"""The real archives under the real runtime client, called by S3, API Gateway and a function URL."""

from __future__ import annotations

import base64
import json
import re
import shutil
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.packaging.archive import Package
from podpac_lambda_widgets.plan import policies
from podpac_lambda_widgets.remote.netcdf import decode_array
from podpac_lambda_widgets.remote.wire import Request, encode_request

pytestmark = [pytest.mark.local_aws, pytest.mark.archive]

NAME = "triggers"
BUCKET = "triggers-of-the-function"
SIN = {"SinCoords": {"node": "core.algorithm.utility.SinCoords"}}
GRID = {
    "coords": [
        {"name": "lat", "start": 0.0, "stop": 1.0, "size": 5},
        {"name": "lon", "start": 0.0, "stop": 1.0, "size": 7},
    ]
}
BODY = encode_request(Request(SIN, GRID))
GET_MAP = (
    "?SERVICE=WMS&REQUEST=GetMap&VERSION=1.3.0&LAYERS=algorithm.SinCoords&CRS=EPSG:4326&BBOX=-10,20,10,60"
    "&WIDTH=40&HEIGHT=30&FORMAT=image/png"
)


@pytest.fixture(scope="module")
def function(aws: LocalSession, package: Package) -> Iterator[str]:
    """ARN of the function, with the role and the environment that a deployment gives it."""
    s3, iam, functions = aws.client("s3"), aws.client("iam"), aws.client("lambda")
    account = aws.client("sts").get_caller_identity()["Account"]
    s3.create_bucket(Bucket=BUCKET)
    s3.upload_file(str(package.dist.path), BUCKET, "code/podpac_dist.zip")
    policy = policies.function_policy(
        partition="aws", region="us-east-1", account=account, function_name=NAME, bucket=BUCKET, dependencies_keys=(),
        output=f"output/{NAME}", input_prefix=f"input/{NAME}/",
    )  # fmt: skip
    # Statements of nothing, which IAM refuses.
    policy["Statement"] = [statement for statement in policy["Statement"] if statement["Resource"]]
    role = iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=json.dumps(policies.lambda_trust(account)))
    iam.put_role_policy(RoleName=NAME, PolicyName="run", PolicyDocument=json.dumps(policy))
    made = functions.create_function(
        FunctionName=NAME, Role=role["Role"]["Arn"], Runtime=package.dist.manifest.runtime, Handler="handler.handler",
        Code={"S3Bucket": BUCKET, "S3Key": "code/podpac_dist.zip"}, MemorySize=1024, Timeout=120,
        Environment={"Variables": {
            "S3_BUCKET_NAME": BUCKET, "FUNCTION_S3_INPUT": f"input/{NAME}", "FUNCTION_S3_OUTPUT": f"output/{NAME}",
            "FUNCTION_STACK": f"{NAME}@us-east-1"}},
    )  # fmt: skip
    functions.get_waiter("function_active_v2").wait(FunctionName=NAME)
    yield made["FunctionArn"]
    functions.delete_function(FunctionName=NAME)
    for found in s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
        s3.delete_object(Bucket=BUCKET, Key=found["Key"])
    s3.delete_bucket(Bucket=BUCKET)
    iam.delete_role_policy(RoleName=NAME, PolicyName="run")
    iam.delete_role(RoleName=NAME)


@pytest.fixture(scope="module")
def notified(aws: LocalSession, function: str) -> Any:
    """The S3 client, whose bucket tells the function what is put into the input folder."""
    s3 = aws.client("s3")
    aws.client("lambda").add_permission(
        FunctionName=NAME, StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
        SourceArn=f"arn:aws:s3:::{BUCKET}",
    )  # fmt: skip
    rules = [{"Name": "prefix", "Value": f"input/{NAME}/"}, {"Name": "suffix", "Value": ".json"}]
    configuration = {
        "LambdaFunctionArn": function, "Events": ["s3:ObjectCreated:*"], "Filter": {"Key": {"FilterRules": rules}},
    }  # fmt: skip
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"LambdaFunctionConfigurations": [configuration]}
    )
    return s3


def wait_for(s3: Any, key: str) -> Any:
    s3.get_waiter("object_exists").wait(Bucket=BUCKET, Key=key, WaiterConfig={"Delay": 1, "MaxAttempts": 90})
    return s3.get_object(Bucket=BUCKET, Key=key)


@pytest.mark.parametrize("name", ["a", "tile 1+2/\u00e9"])
def test_a_pipeline_that_is_put_becomes_a_result(notified: Any, name: str) -> None:
    notified.put_object(Bucket=BUCKET, Key=f"input/{NAME}/{name}.json", Body=BODY)
    found = wait_for(notified, f"output/{NAME}/{name}.nc")
    assert decode_array(found["Body"].read()).shape == (5, 7)
    assert found["Metadata"]["podpac-lambda-widgets-stack"] == f"{NAME}@us-east-1"


def test_a_pipeline_that_is_refused_becomes_an_error(notified: Any) -> None:
    body = encode_request(Request({"x": {"node": "system", "plugin": "os"}}, GRID))
    notified.put_object(Bucket=BUCKET, Key=f"input/{NAME}/bad.json", Body=body)
    told = json.loads(wait_for(notified, f"output/{NAME}/bad.error.json")["Body"].read())
    assert told["error"]["type"] == "PipelineRejectedError"


@pytest.fixture(scope="module")
def address(aws: LocalSession, function: str) -> Iterator[str]:
    """Where a REST API with proxy integration answers."""
    api = aws.client("apigateway")
    made = api.create_rest_api(name=NAME, binaryMediaTypes=["*/*"])["id"]
    (root,) = api.get_resources(restApiId=made)["items"]
    resource = api.create_resource(restApiId=made, parentId=root["id"], pathPart="eval")["id"]
    where = {"restApiId": made, "resourceId": resource, "httpMethod": "ANY"}
    api.put_method(**where, authorizationType="NONE")
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"
    api.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    api.create_deployment(restApiId=made, stageName="prod")
    yield f"{api.meta.endpoint_url}/restapis/{made}/prod/_user_request_/eval"
    api.delete_rest_api(restApiId=made)


def fetch(url: str, body: bytes | None = None, **headers: str) -> tuple[int, Any, bytes]:
    request = urllib.request.Request(
        url, data=body, headers={"Accept": "*/*", "Content-Type": "application/json", **headers}
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def test_an_api_answers_a_posted_request(address: str) -> None:
    status, headers, body = fetch(address, BODY)
    assert (status, headers["Content-Type"]) == (200, "application/x-netcdf")
    assert decode_array(body).shape == (5, 7)


def test_an_api_answers_a_query_with_an_image(address: str) -> None:
    status, headers, body = fetch(address + GET_MAP)
    assert (status, headers["Content-Type"]) == (200, "image/png")
    assert body.startswith(b"\x89PNG")


def test_an_api_answers_what_is_refused_with_its_status(address: str) -> None:
    status, headers, body = fetch(address + GET_MAP.replace("algorithm.SinCoords", "os.system"))
    assert (status, headers["Content-Type"]) == (403, "application/json")
    assert json.loads(body)["error"]["type"] == "PipelineRejectedError"


def test_a_functions_url_answers(aws: LocalSession, function: str) -> None:
    functions = aws.client("lambda")
    host = functions.create_function_url_config(FunctionName=NAME, AuthType="NONE")["FunctionUrl"].split("/")[2]
    endpoint = functions.meta.endpoint_url
    status, _, body = fetch(endpoint + "/", BODY, Host=host)
    assert status == 200
    assert decode_array(body).shape == (5, 7)
    status, _, body = fetch(endpoint + "/" + GET_MAP, Host=host)
    assert status == 200
    assert body.startswith(b"\x89PNG")
    assert fetch(endpoint + "/favicon.ico", Host=host)[0] == 404


def test_a_functions_url_that_wants_a_signature_answers_nobody_without(aws: LocalSession, function: str) -> None:
    functions = aws.client("lambda")
    with suppress(functions.exceptions.ResourceNotFoundException):
        functions.delete_function_url_config(FunctionName=NAME)
    host = functions.create_function_url_config(FunctionName=NAME, AuthType="AWS_IAM")["FunctionUrl"].split("/")[2]
    for body in (BODY, None):
        status, _, answer = fetch(functions.meta.endpoint_url + "/", body, Host=host)
        assert status == 403
        assert b"Traceback" not in answer
        assert answer[:3] != b"CDF"


def ask_at(step: int) -> bytes:
    """A request like no other before: what is kept for one by its content is not found again."""
    grid = {"coords": [
        {"name": "lat", "start": 0.0, "stop": 1.0 + step, "size": 60},
        {"name": "lon", "values": [0.5 * step, 0.5 * step + 1, 0.5 * step + 3]},
    ]}  # fmt: skip
    values = {"node": "data.Array", "attrs": {"source": [[1.0, 2.0], [3.0, float(step)]], "coordinates": CORNERS}}
    pipelines: tuple[dict[str, Any], ...] = (
        SIN,
        {"Array": values, "Mean": {"node": "core.algorithm.stats.Mean", "inputs": {"source": "Array"}}},
        {"Array": values, "Interpolate": {"node": "interpolators.Interpolate", "inputs": {"source": "Array"}}},
        {f"x{step}": {"node": "system", "plugin": "os"}},
    )
    return encode_request(Request(pipelines[step % len(pipelines)], grid))


CORNERS = {"coords": [{"name": "lat", "values": [0.0, 1.0]}, {"name": "lon", "values": [0.0, 300.0]}]}


#: Each kind of request a few times: imports on first use are made then.
WARM_UP = 20


def memory_over(functions: Any, name: str, runs: int) -> tuple[list[int], int]:
    """MB that the environment had used at most after each of so many warm runs, and how many were refused."""
    used, refused = [], 0
    for step in range(WARM_UP + runs):
        answer = functions.invoke(FunctionName=name, Payload=ask_at(step), LogType="Tail")
        refused += b"PipelineRejectedError" in answer["Payload"].read()
        found = re.search(rb"Max Memory Used: (\d+) MB", base64.b64decode(answer["LogResult"]))
        assert found is not None
        used.append(int(found[1]))
    return used[WARM_UP - 1 :], refused


def has_grown(used: list[int]) -> bool:
    return used[-1] > 1.05 * used[0]


def test_memory_stays_what_it_is_over_500_warm_runs(aws: LocalSession, function: str) -> None:
    functions = aws.client("lambda")
    # In an environment of its own: what others needed before would hide what this needs.
    functions.update_function_configuration(FunctionName=NAME, Description="fresh")
    functions.get_waiter("function_updated_v2").wait(FunctionName=NAME)
    used, refused = memory_over(functions, function, 500)
    assert refused == (WARM_UP + 500) // 4
    assert not has_grown(used), used[::100]


LEAKY = """
from podpac_lambda_widgets.remote.triggers import make_function

_function, _seen = make_function(), []


def answer(event, context):
    answer = _function.handle(event, context)
    _seen.append(bytearray(answer).ljust(SIZE))
    return answer
"""


def test_a_function_that_keeps_what_it_saw_is_found_out(
    aws: LocalSession, function: str, package: Package, tmp_path: Path
) -> None:
    """96 kB of each run; over 500 runs, 31 kB of each would be as much."""
    functions, s3 = aws.client("lambda"), aws.client("s3")
    archive = Path(shutil.copy(package.dist.path, tmp_path / "leaky.zip"))
    with zipfile.ZipFile(archive, "a") as made:
        made.writestr("leaky.py", LEAKY.replace("SIZE", "98304"))
    s3.upload_file(str(archive), BUCKET, "code/leaky.zip")
    told = functions.get_function_configuration(FunctionName=NAME)
    functions.create_function(
        FunctionName="leaky", Handler="leaky.answer", Code={"S3Bucket": BUCKET, "S3Key": "code/leaky.zip"},
        **{key: told[key] for key in ("Role", "Runtime", "MemorySize", "Timeout")},
    )  # fmt: skip
    functions.get_waiter("function_active_v2").wait(FunctionName="leaky")
    try:
        used, refused = memory_over(functions, "leaky", 160)
    finally:
        functions.delete_function(FunctionName="leaky")
    assert refused == (WARM_UP + 160) // 4
    assert has_grown(used), used[::20]
