"""upload_lambda.sh and print_logs.sh, run with the AWS command line against the embedded AWS."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from podpac_lambda_widgets.local.session import LocalSession

ARCHIVES = {"podpac_dist.zip": b"code", "podpac_deps.zip": b"dependencies"}
PATH = f"{Path(sys.executable).parent}:/usr/bin:/bin"
BUCKET = "podpac-upload"
HANDLER = "def handler(event, context):\n    print('said', event)\n    raise ValueError('two\\nlines')\n"


@pytest.fixture
def folder(repository: Path, tmp_path: Path) -> Path:
    """A copy of the scripts with two archives beside them."""
    folder = tmp_path / "dist" / "aws"
    folder.mkdir(parents=True)
    for script in ("build_lambda.sh", "upload_lambda.sh", "print_logs.sh"):
        shutil.copy(repository / "dist" / "aws" / script, folder)
    for name, data in ARCHIVES.items():
        (folder / name).write_bytes(data)
    return folder


def run(folder: Path, script: str, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(folder / script), *options],
        capture_output=True, text=True, check=False, env={"PATH": PATH, "HOME": str(folder), **environment},
    )  # fmt: skip


@pytest.fixture
def account(aws: LocalSession) -> dict[str, str]:
    """The environment in which the AWS command line speaks to the embedded AWS."""
    keys = aws.get_credentials()
    return {
        "AWS_ENDPOINT_URL": aws.endpoint_url,
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_REGION": aws.region_name,
    }


@pytest.fixture
def bucket(aws: LocalSession) -> Iterator[Any]:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    yield s3
    for found in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3.delete_object(Bucket=BUCKET, Key=found["Key"])
    s3.delete_bucket(Bucket=BUCKET)


@pytest.mark.local_aws
@pytest.mark.parametrize("by_flags", [True, False])
def test_both_archives_arrive_and_are_private(
    folder: Path, bucket: Any, account: dict[str, str], by_flags: bool
) -> None:
    options = ("--bucket", BUCKET, "--dir=/some/dir/", "--region", account["AWS_REGION"]) if by_flags else ()
    named = {} if by_flags else {"BUCKET": BUCKET}
    prefix = "some/dir/" if by_flags else ""
    answer = run(folder, "upload_lambda.sh", *options, **account, **named)
    assert answer.returncode == 0, answer.stderr
    for name, data in ARCHIVES.items():
        assert bucket.get_object(Bucket=BUCKET, Key=prefix + name)["Body"].read() == data
        grants = bucket.get_object_acl(Bucket=BUCKET, Key=prefix + name)["Grants"]
        assert {grant["Grantee"]["Type"] for grant in grants} <= {"CanonicalUser"}
    assert account["AWS_SECRET_ACCESS_KEY"] not in answer.stdout + answer.stderr
    called: dict[str, Any] = {}
    call = answer.stdout[answer.stdout.index("Lambda(") :]
    eval(call, {"Lambda": called.update, "connect": lambda region_name: region_name})
    assert called == {
        "session": account["AWS_REGION"],
        "function_source_bucket": BUCKET,
        "function_source_dist_key": f"{prefix}podpac_dist.zip",
        "function_source_dependencies_key": f"{prefix}podpac_deps.zip",
    }


@pytest.mark.local_aws
def test_a_bucket_in_another_region_or_of_nobody_gets_nothing(
    folder: Path, bucket: Any, account: dict[str, str]
) -> None:
    answer = run(folder, "upload_lambda.sh", "--region", "eu-west-1", **account, BUCKET=BUCKET)
    assert answer.returncode == 1
    assert "in us-east-1, not in eu-west-1" in answer.stderr
    assert "Contents" not in bucket.list_objects_v2(Bucket=BUCKET)
    answer = run(folder, "upload_lambda.sh", **account, BUCKET="podpac-upload-of-nobody")
    assert answer.returncode == 1
    assert "podpac-upload-of-nobody cannot be used" in answer.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "BUCKET=my-bucket"),
        (("--bucket", "My_Bucket"), "cannot be the name of a bucket"),
        (("--bucket", "a..b"), "cannot be the name of a bucket"),
        (("--bucket", "x; touch /tmp/x"), "cannot be the name of a bucket"),
        (("--bucket", BUCKET, "--dir", "../x"), "cannot be the folder"),
        (("--bucket", BUCKET, "--dir", 'a"b'), "cannot be the folder"),
        (("--bucket",), "needs a value"),
        (("--acl", "public-read"), "What is --acl"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_sent(
    folder: Path, options: tuple[str, ...], said: str
) -> None:
    answer = run(folder, "upload_lambda.sh", *options)
    assert answer.returncode != 0
    assert said in answer.stderr
    assert answer.stdout == ""


def test_a_missing_archive_and_a_missing_command_are_named(folder: Path, tmp_path: Path) -> None:
    answer = run(folder, "upload_lambda.sh", BUCKET=BUCKET, PATH=_without_aws(tmp_path / "bin"))
    assert answer.returncode == 1
    assert "pip install awscli" in answer.stderr
    (folder / "podpac_deps.zip").unlink()
    answer = run(folder, "upload_lambda.sh", BUCKET=BUCKET)
    assert answer.returncode == 1
    assert "no podpac_deps.zip here" in answer.stderr
    assert answer.stdout == ""


def _without_aws(folder: Path) -> str:
    folder.mkdir()
    for name in ("bash", "dirname"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return str(folder)


@pytest.fixture
def called(aws: LocalSession, tmp_path: Path, make_zip: Callable[..., Path]) -> Iterator[str]:
    """The name of a function that has been called once."""
    name = "logs-of-the-shell"
    functions, iam = aws.client("lambda"), aws.client("iam")
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                            "Action": "sts:AssumeRole"}], "Version": "2012-10-17"}  # fmt: skip
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    logging = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}
    iam.put_role_policy(RoleName=name, PolicyName="log", PolicyDocument=json.dumps(logging))
    code = make_zip(tmp_path / "code.zip", {"handler.py": HANDLER.encode()}).read_bytes()
    functions.create_function(
        FunctionName=name, Role=role, Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
        Handler="handler.handler", Code={"ZipFile": code},
    )  # fmt: skip
    functions.get_waiter("function_active_v2").wait(FunctionName=name)
    functions.invoke(FunctionName=name, Payload=b'{"a": 1}')
    yield name
    functions.delete_function(FunctionName=name)
    iam.delete_role_policy(RoleName=name, PolicyName="log")
    iam.delete_role(RoleName=name)
    aws.client("logs").delete_log_group(logGroupName=f"/aws/lambda/{name}")


@pytest.mark.local_aws
def test_the_log_is_printed_with_its_times(folder: Path, account: dict[str, str], called: str) -> None:
    answer = run(folder, "print_logs.sh", "--function", called, **account)
    assert answer.returncode == 0, answer.stderr
    lines = answer.stdout.splitlines()
    assert any(line.endswith("said {'a': 1}") and line[4] == "-" and line[13] == ":" for line in lines), answer.stdout
    request = next(line.split("RequestId: ")[1].split()[0] for line in lines if "START RequestId" in line)
    only = run(folder, "print_logs.sh", "--request", request, FUNCTION=called, **account)
    assert "REPORT RequestId" in only.stdout
    assert run(folder, "print_logs.sh", "--request", "none", FUNCTION=called, **account).stdout == ""


@pytest.mark.local_aws
def test_the_log_of_a_function_that_is_not_there_is_an_error(folder: Path, account: dict[str, str]) -> None:
    answer = run(folder, "print_logs.sh", "--function", "of-nobody", **account)
    assert answer.returncode == 1
    assert "The log of of-nobody cannot be read" in answer.stderr


@pytest.mark.parametrize("options", [(), ("--function", "a b"), ("--function", "f", "--minutes", "x"), ("--what",)])
def test_the_log_of_what_makes_no_sense_is_refused(folder: Path, options: tuple[str, ...]) -> None:
    answer = run(folder, "print_logs.sh", *options)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.count("\n") == 1


def test_plugins_and_docker_do_not_go_together(folder: Path) -> None:
    answer = run(folder, "build_lambda.sh", "--docker", "--plugin", "my_nodes.py")
    assert answer.returncode == 1
    assert "Leave out --docker" in answer.stderr


def test_the_path_of_a_plugin_is_seen_from_where_the_script_was_called(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "nodes.py").write_text("")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "bin" / "python3").chmod(0o755)
    answer = subprocess.run(
        ["bash", str(folder / "build_lambda.sh"), "--plugin=nodes.py", "--plugin", "my.package"],
        capture_output=True, text=True, check=True, cwd=tmp_path, env={"PATH": f"{tmp_path / 'bin'}:{PATH}"},
    )  # fmt: skip
    assert answer.stdout.split()[-4:] == ["--plugin", str(tmp_path / "nodes.py"), "--plugin", "my.package"]
