"""The forms with the real thing behind them, as far as it goes without a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podpac_lambda_widgets.errors import (
    ArchiveCorruptError,
    CancelledError,
    CredentialsError,
    InvalidValueError,
    NoCredentialsError,
)
from podpac_lambda_widgets.packaging.archive import Package
from podpac_lambda_widgets.studio import Studio


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[Studio]:
    studio = Studio(tmp_path)
    studio.wait(30)
    yield studio
    connection = studio.credentials.connection
    if connection is not None:
        connection.close()
    studio.close_all()


def test_a_region_is_asked_for_beside_its_field(aws: Studio) -> None:
    aws.credentials.connect()
    with pytest.raises(InvalidValueError):
        aws.wait(30)
    assert "No region was chosen" in aws.credentials.fields["region"]["error"]
    assert aws.credentials.card == {}


def test_no_credentials_is_a_card_with_the_next_step(aws: Studio, front_end: Any) -> None:
    front_end.type(aws.credentials, "region", "us-east-1")
    aws.credentials.connect()
    with pytest.raises(NoCredentialsError):
        aws.wait(30)
    assert aws.credentials.card["what"]
    assert aws.credentials.card["next_step"]
    assert aws.credentials.connection is None


def test_an_unknown_profile_is_a_card(aws: Studio, front_end: Any) -> None:
    front_end.type(aws.credentials, "profile", "nobody")
    aws.credentials.connect()
    with pytest.raises(CredentialsError):
        aws.wait(30)
    assert "nobody" in aws.credentials.card["what"]


def test_regions_have_their_long_names(aws: Studio) -> None:
    assert ["us-east-1", "US East (N. Virginia) · us-east-1"] in aws.credentials.fields["region"]["choices"]


def test_building_archives_can_be_stopped(aws: Studio, front_end: Any) -> None:
    front_end.press(aws.source, "build_archives")
    front_end.press(aws.source, "stop")
    with pytest.raises(CancelledError):
        aws.wait(120)
    assert (aws.source.standing, aws.source.source.function_source_dist_zip) == ("ready", "")


@pytest.mark.local_aws
def test_a_damaged_archive_stops_the_plan(aws: Studio, front_end: Any, tmp_path: Path) -> None:
    aws.credentials.use_embedded_aws()
    aws.wait(60)
    for name in ("dist", "dependencies"):
        path = tmp_path / f"{name}.zip"
        path.write_bytes(b"PK\x03\x04 cut off")
        front_end.type(aws.source, f"function_source_{name}_zip", str(path))
    aws.deploy.plan()
    with pytest.raises(ArchiveCorruptError):
        aws.wait(60)
    assert aws.deploy.card["what"]
    assert aws.deploy.buttons["build"]["disabled"]


@pytest.mark.local_aws
def test_running_before_building_says_to_build(aws: Studio) -> None:
    aws.credentials.use_embedded_aws()
    aws.wait(60)
    aws.pipeline.run()
    with pytest.raises(Exception, match="Build the function first"):
        aws.wait(60)
    assert aws.pipeline.card["next_step"] == "Build the function first."
    assert aws.result is None


@pytest.mark.local_aws
def test_deleting_what_is_not_there_deletes_nothing(aws: Studio) -> None:
    aws.credentials.use_embedded_aws()
    aws.wait(60)
    aws.deploy.delete()
    aws.wait(60)
    assert (aws.deploy.question, aws.deploy.note) == ("", "There is nothing to delete")


@pytest.mark.local_aws
@pytest.mark.archive
@pytest.mark.timeout(300)
def test_everything_the_form_can_wish_is_built_and_taken_away(aws: Studio, front_end: Any, package: Package) -> None:
    form = aws.deploy
    aws.credentials.use_embedded_aws()
    aws.wait(60)
    front_end.type(aws.source, "function_source_dist_zip", str(package.dist.path))
    front_end.type(aws.source, "function_source_dependencies_zip", str(package.dependencies.path))
    for name, typed in {
        "function_triggers": ["eval", "S3", "APIGateway", "URL"],
        "function_public_endpoint": True,
        "function_reserved_concurrency": "5",
        "function_budget_amount": "25",
        "function_tags": "project=soil",
    }.items():
        front_end.type(form, name, typed)
    form.plan()
    with pytest.raises(InvalidValueError):
        aws.wait(60)
    assert "needs an e-mail address" in form.fields["function_budget_email"]["error"]
    front_end.type(form, "function_budget_email", "ada@example.org")
    form.plan()
    aws.wait(60)
    planned = [row["cells"][1] for row in form.table["rows"]]
    assert {"S3 trigger", "API", "function URL", "budget"} <= set(planned)
    assert "MB in S3" in form.table["remark"]
    form.build()
    aws.wait(120)
    assert [step["state"] for step in form.steps] == ["done"] * len(planned)
    form.plan()
    aws.wait(60)
    assert form.note == "Up to date"
    form.delete()
    aws.wait(60)
    form.really_delete()
    aws.wait(60)
    form.delete()
    aws.wait(60)
    assert form.note == "There is nothing to delete"
