"""upload_lambda.sh copies both archives to a bucket, privately, and says how to use them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from podpac_lambda_widgets.local.emulator import local_aws

ARCHIVES = {"podpac_dist.zip": b"code", "podpac_deps.zip": b"dependencies"}
PATH = f"{Path(sys.executable).parent}:/usr/bin:/bin"


@pytest.fixture
def folder(repository: Path, tmp_path: Path) -> Path:
    """A copy of the script with two archives beside it."""
    folder = tmp_path / "dist" / "aws"
    folder.mkdir(parents=True)
    shutil.copy(repository / "dist" / "aws" / "upload_lambda.sh", folder)
    for name, data in ARCHIVES.items():
        (folder / name).write_bytes(data)
    return folder


def upload(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(folder / "upload_lambda.sh")],
        capture_output=True, text=True, check=False, env={"PATH": PATH, "HOME": str(folder), **environment},
    )  # fmt: skip


@pytest.mark.local_aws
@pytest.mark.parametrize(("directory", "prefix"), [("", ""), ("/some/dir/", "some/dir/")])
def test_both_archives_arrive_and_are_private(folder: Path, directory: str, prefix: str) -> None:
    with local_aws() as aws:
        s3 = aws.client("s3")
        s3.create_bucket(Bucket="podpac-upload")
        keys = aws.get_credentials()
        answer = upload(
            folder,
            BUCKET="podpac-upload",
            DIR=directory,
            AWS_REGION=aws.region_name,
            AWS_ENDPOINT_URL=aws.endpoint_url,
            AWS_ACCESS_KEY_ID=keys.access_key,
            AWS_SECRET_ACCESS_KEY=keys.secret_key,
        )
        assert answer.returncode == 0, answer.stderr
        for name, data in ARCHIVES.items():
            assert s3.get_object(Bucket="podpac-upload", Key=prefix + name)["Body"].read() == data
            grants = s3.get_object_acl(Bucket="podpac-upload", Key=prefix + name)["Grants"]
            assert {grant["Grantee"]["Type"] for grant in grants} <= {"CanonicalUser"}
        assert keys.secret_key not in answer.stdout + answer.stderr
    assert 'function_source_bucket="podpac-upload"' in answer.stdout
    assert f'function_source_dist_key="{prefix}podpac_dist.zip"' in answer.stdout
    assert f'function_source_dependencies_key="{prefix}podpac_deps.zip"' in answer.stdout


def test_a_bucket_must_be_named(folder: Path) -> None:
    answer = upload(folder)
    assert answer.returncode != 0
    assert "BUCKET=my-bucket" in answer.stderr


def test_a_missing_archive_is_named_before_anything_is_uploaded(folder: Path) -> None:
    (folder / "podpac_deps.zip").unlink()
    answer = upload(folder, BUCKET="podpac-upload")
    assert answer.returncode == 1
    assert "no podpac_deps.zip here" in answer.stderr
    assert answer.stdout == ""
