"""A secret that was typed into the Studio is in nothing that comes to lie in the account, or goes there."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.packaging.archive import Package
from podpac_lambda_widgets.studio import Studio

pytestmark = [pytest.mark.local_aws, pytest.mark.archive]
#: Where SigV4 has the session token, and where it may be.
_TOKEN_HEADER = "x-amz-security-token"
_ROLE = "podpac-typist"
_FUNCTION = "podpac-typed"


@pytest.fixture(scope="module")
def temporary(aws: LocalSession) -> Iterator[dict[str, str]]:
    """Temporary credentials with which a stack can be built and run."""
    iam = aws.client("iam")
    account = aws.client("sts").get_caller_identity()["Account"]
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    write = lambda statement: json.dumps({"Version": "2012-10-17", "Statement": [statement]})  # noqa: E731
    role = iam.create_role(RoleName=_ROLE, AssumeRolePolicyDocument=write(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=_ROLE, PolicyName="all", PolicyDocument=write(everything))
    yield aws.client("sts").assume_role(RoleArn=role, RoleSessionName="typist")["Credentials"]
    iam.delete_role_policy(RoleName=_ROLE, PolicyName="all")
    iam.delete_role(RoleName=_ROLE)


def test_neither_requests_nor_what_they_leave_behind_have_it(
    aws: LocalSession,
    temporary: dict[str, str],
    plant: Any,
    package: Package,
    front_end: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    secret, token, key_id = (temporary[name] for name in ("SecretAccessKey", "SessionToken", "AccessKeyId"))
    planted = plant(secret=secret, token=token, key_id=key_id, least=16)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    caplog.set_level(logging.DEBUG)
    studio = Studio()
    try:
        form = studio.credentials
        for name, value in (("access_key_id", planted.key_id), ("region", "us-east-1")):
            front_end.type(form, name, value)
        front_end.type_secret(form, "secret_access_key", planted.secret)
        front_end.type_secret(form, "session_token", planted.token)
        form.connect()
        studio.wait(60)
        requests = record(form.connection.account.session)
        studio.source.enter("function_source_dist_zip", str(package.dist.path))
        studio.source.enter("function_source_dependencies_zip", str(package.dependencies.path))
        studio.deploy.enter("function_name", _FUNCTION)
        studio.deploy.plan()
        studio.wait(60)
        studio.deploy.build()
        studio.wait(120)
        studio.pipeline.run()
        studio.wait(120)
        read = lambda: read_everything(aws, studio, requests, caplog)  # noqa: E731
        everything = read()
        assert planted.key_id in repr(everything["requests"]) and "Calculating signature" in caplog.text
        assert all(everything.values())
        assert [place for place, found in everything.items() if planted.hits(*found)] == []
        with leak(aws, studio, planted.token[40:56]):
            assert [place for place, found in read().items() if not planted.hits(*found)] == []
        studio.deploy.delete()
        studio.wait(60)
        studio.deploy.really_delete()
        studio.wait(120)
    finally:
        studio.close_all()


def record(session: Any) -> list[object]:
    """Every request that the session's clients send from now on, but for the one header that is to have the token."""
    requests: list[object] = []

    def keep(request: Any, **_: Any) -> None:
        headers = {name: value for name, value in request.headers.items() if name.lower() != _TOKEN_HEADER}
        body = request.body.read() if hasattr(request.body, "read") else request.body
        if hasattr(request.body, "seek"):
            request.body.seek(0)
        requests.extend([(request.method, request.url, headers), body or b""])

    session.events.register("before-send.*", keep)
    return requests


def read_everything(
    aws: LocalSession, studio: Studio, requests: list[object], caplog: pytest.LogCaptureFixture
) -> dict[str, list[object]]:
    """All that went to the account or came to lie in it, and all that is left here: by place."""
    result = studio.results.result
    assert result is not None
    return {
        **read_account(aws),
        "requests": list(requests),
        "messages": [caplog.text],
        "result": [vars(result), result.array.attrs, result.netcdf],
        "forms": [studio.as_code(), *(form.get_state() for form in studio.forms)],
        "files": [path.read_bytes() for path in find_files(aws)],
    }


def read_account(aws: LocalSession) -> dict[str, list[object]]:
    """What a build and a run leave in an account."""
    s3, functions, iam, logs = (aws.client(name) for name in ("s3", "lambda", "iam", "logs"))
    [bucket] = [found["Name"] for found in s3.list_buckets()["Buckets"] if _FUNCTION in found["Name"]]
    objects = [{"Bucket": bucket, "Key": item["Key"]} for item in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    tags = [
        functions.list_tags(Resource=arn(aws)),
        iam.list_role_tags(RoleName=_ROLE),
        s3.get_bucket_tagging(Bucket=bucket),
    ]
    return {
        "functions": [functions.get_function(FunctionName=_FUNCTION), iam.list_roles()],
        "tags": [*tags, *(s3.get_object_tagging(**each) for each in objects)],
        "metadata": [s3.head_object(**each) for each in objects],
        "contents": [s3.get_object(**each)["Body"].read() for each in objects],
        "log": logs.filter_log_events(logGroupName=f"/aws/lambda/{_FUNCTION}")["events"],
    }


def find_files(aws: LocalSession) -> list[Path]:
    """What is kept on the machine: this package's cache, and what the embedded AWS writes."""
    emulator: Any = aws._emulator
    folders = [Path(os.environ["PODPAC_LAMBDA_WIDGETS_CACHE"]), emulator._directory]
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


@contextmanager
def leak(aws: LocalSession, studio: Studio, piece: str) -> Iterator[None]:
    """Put a piece of the secret into every place that is searched, for as long as it lasts."""
    s3, functions, iam, logs = (aws.client(name) for name in ("s3", "lambda", "iam", "logs"))
    [bucket] = [found["Name"] for found in s3.list_buckets()["Buckets"] if _FUNCTION in found["Name"]]
    stream = {"logGroupName": f"/aws/lambda/{_FUNCTION}", "logStreamName": "leak"}
    variables = functions.get_function_configuration(FunctionName=_FUNCTION)["Environment"]["Variables"]
    file = Path(os.environ["PODPAC_LAMBDA_WIDGETS_CACHE"]) / "leak"
    result = studio.results.result
    assert result is not None

    functions.update_function_configuration(
        FunctionName=_FUNCTION, Environment={"Variables": {**variables, "LEAK": piece}}
    )
    iam.tag_role(RoleName=_ROLE, Tags=[{"Key": "leak", "Value": piece}])
    s3.put_object(Bucket=bucket, Key="leak", Body=piece.encode(), Metadata={"leak": piece})
    logs.create_log_stream(**stream)
    logs.put_log_events(**stream, logEvents=[{"timestamp": int(time.time() * 1000), "message": piece}])
    studio.credentials.connection.account.session.client("s3").list_objects_v2(Bucket=bucket, Prefix=piece)
    logging.getLogger("elsewhere").debug(piece)
    result.array.attrs["leak"] = piece
    studio.deploy.enter("function_tags", f"leak={piece}")
    file.write_text(piece)
    yield
    file.unlink()
    studio.deploy.enter("function_tags", "")
    s3.delete_object(Bucket=bucket, Key="leak")
    functions.update_function_configuration(FunctionName=_FUNCTION, Environment={"Variables": variables})


def arn(aws: LocalSession) -> str:
    return str(aws.client("lambda").get_function(FunctionName=_FUNCTION)["Configuration"]["FunctionArn"])
