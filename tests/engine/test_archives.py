"""What was inspected once is not fetched and read again, in another session neither; what changed is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from fake_account import FakeAccount

from podpac_lambda_widgets.engine.archives import ArchiveFinder
from podpac_lambda_widgets.engine.inspected import CACHE_VARIABLE, Inspected
from podpac_lambda_widgets.errors import ArchiveCorruptError, ArchiveMissingError
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.packaging.archive import Package

pytestmark = pytest.mark.archive
DEPLOYMENT = Deployment(function_name="soil")
IN_BUCKET = Source(
    function_source_bucket="src", function_source_dist_key="dist.zip", function_source_dependencies_key="deps.zip"
)


class Fetching(FakeAccount):
    """Counts what is fetched."""

    fetched = 0

    def fetch(self, *args: object) -> bytes:
        self.fetched += 1
        return super().fetch(*args)  # type: ignore[arg-type]  # as they came


def account_with(package: Package) -> Fetching:
    account = Fetching()
    account.objects["src", "dist.zip"] = package.dist.path.read_bytes()
    account.objects["src", "deps.zip"] = package.dependencies.path.read_bytes()
    return account


def test_archives_in_a_bucket_are_fetched_once_and_again_when_they_changed(package: Package, tmp_path: Path) -> None:
    account, memory = account_with(package), tmp_path / "inspected.json"
    first = ArchiveFinder(account, Inspected(memory)).find(IN_BUCKET, DEPLOYMENT)
    again = ArchiveFinder(account, Inspected(memory)).find(IN_BUCKET, DEPLOYMENT)
    assert again == first
    assert (again.dist.bucket, again.dist.key) == ("src", "dist.zip")
    assert account.fetched == 2
    account.objects["src", "deps.zip"] = b"something else"
    with pytest.raises(ArchiveCorruptError):
        ArchiveFinder(account, Inspected(memory)).find(IN_BUCKET, DEPLOYMENT)


def test_an_archive_that_is_not_in_its_bucket_is_said_to_be_missing() -> None:
    account = FakeAccount(objects={("src", "dist.zip"): b""})
    with pytest.raises(ArchiveMissingError, match=r"s3://src/deps\.zip") as caught:
        ArchiveFinder(account).find(IN_BUCKET, DEPLOYMENT)
    assert "bucket and key" in caught.value.next_step


def test_a_file_is_read_again_when_it_changed(package: Package, tmp_path: Path) -> None:
    dist, memory = tmp_path / "podpac_dist.zip", Inspected(tmp_path / "inspected.json")
    shutil.copy(package.dist.path, dist)
    source = Source(function_source_dist_zip=dist, function_source_dependencies_zip=package.dependencies.path)
    first = ArchiveFinder(FakeAccount(), memory).find(source, DEPLOYMENT)
    assert first.dist.path == dist
    assert ArchiveFinder(FakeAccount(), memory).find(source, DEPLOYMENT) == first
    dist.write_bytes(dist.read_bytes()[:-100])
    with pytest.raises(ArchiveCorruptError):
        ArchiveFinder(FakeAccount(), memory).find(source, DEPLOYMENT)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"x": 1}'])
def test_a_memory_that_cannot_be_read_is_no_memory(content: str, package: Package, tmp_path: Path) -> None:
    memory = tmp_path / "inspected.json"
    memory.write_text(content)
    assert ArchiveFinder(account_with(package), Inspected(memory)).find(IN_BUCKET, DEPLOYMENT).runtime


def test_a_memory_that_cannot_be_written_is_no_error(package: Package, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    account = account_with(package)
    assert ArchiveFinder(account, Inspected(tmp_path / "file" / "inspected.json")).find(IN_BUCKET, DEPLOYMENT).runtime


def test_the_memory_names_no_bucket_and_no_path(package: Package, tmp_path: Path) -> None:
    memory = tmp_path / "inspected.json"
    ArchiveFinder(account_with(package), Inspected(memory)).find(IN_BUCKET, DEPLOYMENT)
    text = memory.read_text()
    assert "src" not in text
    assert str(tmp_path) not in text
    assert os.environ[CACHE_VARIABLE]
