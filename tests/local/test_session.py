"""The session, its user and what the emulator refuses."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import socket
import sys
import traceback
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.local import emulator
from podpac_lambda_widgets.local.emulator import local_aws
from podpac_lambda_widgets.local.runtimes import host_runtime, identify_interpreter
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.secret import Secret

pytestmark = pytest.mark.local_aws


def interpreter(runtime: str) -> str | None:
    """Path of an interpreter for a runtime: on the PATH, or beside this one, as version managers install them."""
    versions = Path(sys.base_prefix).parent.glob(runtime.removeprefix("python") + "*")
    candidates = [runtime, *(str(version / "bin" / runtime) for version in versions)]
    answers = [identify_interpreter(candidate) for candidate in candidates]
    return next((path for name, path in filter(None, answers) if name == runtime and runtime != host_runtime()), None)


def refused_with(session: boto3.Session, aws: LocalSession, service: str = "lambda") -> str:
    client = session.client(service, endpoint_url=aws.endpoint_url)
    with pytest.raises(ClientError) as caught:
        client.list_functions() if service == "lambda" else client.list_buckets()
    return caught.value.response["Error"]["Code"]


def session_with(key_id: str, secret: str) -> boto3.Session:
    return boto3.Session(aws_access_key_id=key_id, aws_secret_access_key=secret, region_name="us-east-1")


def test_the_session_is_a_boto3_session_of_an_iam_user(aws):
    assert isinstance(aws, boto3.Session)
    arn = aws.client("sts").get_caller_identity()["Arn"]
    assert ":user/podpac-" in arn
    assert not arn.endswith(":root")
    name = arn.rpartition("/")[2]
    assert aws.client("iam").get_user(UserName=name)["User"]["Arn"] == arn
    assert aws.resource("iam").User(name).arn == arn


def test_clients_speak_to_the_emulator_unless_told_otherwise(aws, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://192.0.2.1")
    assert aws.client("s3").meta.endpoint_url == aws.endpoint_url
    assert aws.client("s3", "eu-west-1").meta.region_name == "eu-west-1"
    assert aws.resource("s3").meta.client.meta.endpoint_url == aws.endpoint_url
    assert aws.client("s3", endpoint_url="http://127.0.0.1:1").meta.endpoint_url == "http://127.0.0.1:1"
    assert aws.client("s3", "eu-west-1", None, None, None, "http://127.0.0.1:1").meta.endpoint_url.endswith(":1")
    assert aws.resource("s3", endpoint_url="http://127.0.0.1:1").meta.client.meta.endpoint_url == "http://127.0.0.1:1"


def test_a_proxy_of_the_users_is_not_asked_and_a_config_is_kept(aws, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    client = aws.client("sts", config=Config(read_timeout=77))
    assert client.get_caller_identity()["Arn"]
    assert client.meta.config.read_timeout == 77


def test_the_users_own_aws_plays_no_part(monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "planted-in-the-environment")
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    (tmp_path / "config").write_text("[default]\nregion = eu-central-1\nendpoint_url = http://192.0.2.1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with local_aws(region_name="eu-west-1") as session:
        assert session.region_name == "eu-west-1"
        assert ":user/podpac-" in session.client("sts").get_caller_identity()["Arn"]


def test_the_secret_is_nowhere_to_be_seen(aws):
    secret = aws.get_credentials().secret_key
    assert secret not in repr(aws) + str(aws) + str(vars(aws))
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            leak(aws)


def test_a_wrong_secret_is_refused(aws):
    session = session_with(aws.get_credentials().access_key, "wrong")
    assert refused_with(session, aws) in ("SignatureDoesNotMatch", "InvalidSignatureException")
    assert refused_with(session, aws, "s3") == "SignatureDoesNotMatch"


@pytest.mark.parametrize("key_id", ["AKIAUNKNOWNUNKNOWN00", "test", "000000000000", "123456789012"])
@pytest.mark.parametrize("service", ["lambda", "s3"])
def test_an_unknown_key_is_refused_and_so_is_the_root_key_that_everybody_knows(aws, key_id, service):
    code = refused_with(session_with(key_id, "test"), aws, service)
    assert code in ("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId")


@pytest.mark.parametrize("service", ["lambda", "s3"])
def test_a_request_without_signature_is_refused(aws, service):
    client = aws.client(service, config=Config(signature_version=UNSIGNED))
    with pytest.raises(ClientError) as caught:
        client.list_functions() if service == "lambda" else client.list_buckets()
    assert caught.value.response["Error"]["Code"] == "AccessDenied"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_the_administration_of_the_emulator_is_closed(aws):
    for path in ("/_ministack/reset", "/_ministack/config", "/_localstack/health"):
        with pytest.raises(HTTPError, match="404") as caught:
            urlopen(Request(aws.endpoint_url + path, method="POST", data=b"{}"))
        caught.value.close()


def test_a_bucket_of_ours_is_not_that_of_another_account(aws):
    s3, account = aws.client("s3"), aws.client("sts").get_caller_identity()["Account"]
    s3.create_bucket(Bucket="owned-bucket")
    s3.put_object(Bucket="owned-bucket", Key="a", Body=b"a", ExpectedBucketOwner=account)
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket="owned-bucket", Key="a", ExpectedBucketOwner="111122223333")
    assert caught.value.response["Error"]["Code"] == "AccessDenied"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_a_presigned_url_serves_an_object(aws):
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="presigned-bucket")
    s3.put_object(Bucket="presigned-bucket", Key="a", Body=b"content")
    url = s3.generate_presigned_url("get_object", {"Bucket": "presigned-bucket", "Key": "a"})
    with urlopen(url) as response:
        assert response.read() == b"content"


def test_a_role_allows_just_what_its_policy_says(default):
    source = """
        import boto3
        from botocore.exceptions import ClientError

        def handler(event, context):
            s3 = boto3.client("s3")
            try:
                getattr(s3, event.pop("do"))(**event)
                return "done"
            except ClientError as error:
                return error.response["Error"]["Code"]
    """
    s3 = default.session.client("s3")
    s3.create_bucket(Bucket="role-bucket")
    s3.put_object(Bucket="role-bucket", Key="in/a", Body=b"a")
    arn = "arn:aws:s3:::role-bucket"
    narrow = default.role(
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{arn}/in/*"},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"{arn}/out/*"},
        {
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": arn,
            "Condition": {"StringLike": {"s3:prefix": "in/*"}},
        },
    )
    requests = {
        "done": [
            {"do": "get_object", "Key": "in/a"},
            {"do": "put_object", "Key": "out/a"},
            {"do": "list_objects_v2", "Prefix": "in/"},
        ],
        "AccessDenied": [
            {"do": "get_object", "Key": "out/a"},
            {"do": "put_object", "Key": "in/a"},
            {"do": "delete_object", "Key": "out/a"},
            {"do": "list_objects_v2"},
        ],
    }
    allowed, nothing = default.create(source, role=narrow), default.create(source)
    for expected, events in requests.items():
        for event in events:
            assert default.invoke(allowed, {"Bucket": "role-bucket", **event}).value == expected, event
            assert default.invoke(nothing, {"Bucket": "role-bucket", **event}).value == "AccessDenied", event


def test_the_user_can_do_what_a_deployment_needs(default):
    aws, name = default.session, "deployed"
    iam, s3, logs, functions = (aws.client(service) for service in ("iam", "s3", "logs", "lambda"))
    tags = {"podpac": "stack-1"}
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    role = default.role()
    iam.tag_role(RoleName=role.rpartition("/")[2], Tags=pairs)
    assert iam.list_role_tags(RoleName=role.rpartition("/")[2])["Tags"] == pairs
    s3.create_bucket(Bucket="deploy-bucket")
    s3.put_bucket_tagging(Bucket="deploy-bucket", Tagging={"TagSet": pairs})
    s3.put_object(
        Bucket="deploy-bucket",
        Key="code.zip",
        Body=default.zipped({"main.py": "def handler(e, c):\n    return 'here'"}),
    )
    logs.create_log_group(logGroupName=f"/aws/lambda/{name}", tags=tags)
    logs.put_retention_policy(logGroupName=f"/aws/lambda/{name}", retentionInDays=7)
    functions.create_function(
        FunctionName=name,
        Runtime=host_runtime(),
        Handler="main.handler",
        Role=role,
        Code={"S3Bucket": "deploy-bucket", "S3Key": "code.zip"},
        Tags=tags,
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
    assert default.invoke(name).value == "here"
    assert (
        functions.list_tags(Resource=functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"])["Tags"]
        == tags
    )
    functions.delete_function(FunctionName=name)
    logs.delete_log_group(logGroupName=f"/aws/lambda/{name}")
    s3.delete_object(Bucket="deploy-bucket", Key="code.zip")
    s3.delete_bucket(Bucket="deploy-bucket")
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.get_function(FunctionName=name)


def test_a_user_may_be_given_less(aws):
    iam = aws.client("iam")
    iam.create_user(UserName="reader")
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    iam.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    assert refused_with(session_with(key["AccessKeyId"], key["SecretAccessKey"]), aws) == "AccessDeniedException"


def test_after_stop_nobody_answers_and_stopping_again_is_harmless():
    session = local_aws()
    client = session.client("sts", config=Config(retries={"total_max_attempts": 1}))
    assert client.get_caller_identity()["Arn"]
    session.stop()
    session.stop()
    with pytest.raises(EndpointConnectionError):
        client.get_caller_identity()


def test_a_client_keeps_the_emulator_alive():
    client = local_aws().client("sts")
    assert client.get_caller_identity()["Arn"]
    client._embedded_aws.stop()


def test_an_emulator_that_nobody_can_reach_any_more_ends():
    session = local_aws()
    endpoint = urlsplit(session.endpoint_url)
    session.client("sts").get_caller_identity()
    del session
    gc.collect()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((endpoint.hostname, endpoint.port))


def test_a_start_that_fails_shows_the_end_of_the_log(monkeypatch):
    monkeypatch.setattr(emulator, "_SERVER_MODULE", "podpac_lambda_widgets.local.no_such_module")
    with pytest.raises(errors.LocalAwsError, match="did not start") as caught:
        local_aws()
    assert "no_such_module" in caught.value.why
    assert "AKIA" not in "".join(traceback.format_exception(caught.value))


def test_a_missing_ministack_says_what_to_install(monkeypatch):
    monkeypatch.setattr(emulator, "find_spec", lambda name: None)
    with pytest.raises(errors.DependencyMissingError, match=r"pip install podpac-lambda-widgets\[local\]"):
        local_aws()


@pytest.mark.parametrize(("path", "why"), [("/no/such/python", "is not a Python"), ("cat", "is not a Python")])
def test_an_interpreter_that_does_not_run_is_refused(path, why):
    with pytest.raises(errors.InvalidValueError, match=why) as caught:
        local_aws(python={"python3.12": path})
    assert caught.value.field == "python"


def test_an_interpreter_of_another_version_is_refused():
    with pytest.raises(errors.InvalidValueError, match=f"is {host_runtime()}"):
        local_aws(python={"python3.9": sys.executable})


def test_a_session_needs_no_emulator_of_ours_to_be_stopped():
    class Stopped:
        count = 0

        def stop(self) -> None:
            self.count += 1

    stopped = Stopped()
    with LocalSession(stopped, "http://127.0.0.1:1", "us-east-1", "AKIA0", Secret("s")):
        pass
    assert stopped.count == 1


def test_another_interpreter_runs_functions_of_its_runtime(make_functions):
    found = {name: path for name in ("python3.12", "python3.13") if (path := interpreter(name))}
    if not found:
        pytest.skip("no other interpreter is installed here")
    source = "import boto3, sys\ndef handler(event, context):\n    return list(sys.version_info[:2])"
    with local_aws(python=found) as session:
        functions = make_functions(session)
        for runtime in (host_runtime(), *found):
            answer = functions.run(source, Runtime=runtime)
            assert runtime == "python{}.{}".format(*answer.value), answer
