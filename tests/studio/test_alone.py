"""Each form by itself, as a notebook has it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import xarray as xr

import podpac_lambda_widgets as plw
from podpac_lambda_widgets.errors import NoCredentialsError, ResultError
from podpac_lambda_widgets.plan.account import Identity
from podpac_lambda_widgets.remote.netcdf import decode_array
from podpac_lambda_widgets.studio.behind import Aws
from podpac_lambda_widgets.widgets.backend import Connection
from podpac_lambda_widgets.widgets.form import Form

FORMS = ["CredentialsForm", "SourceForm", "DeployForm", "PipelineForm", "ResultView"]


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without AWS credentials, and a folder without archives."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def forms(nowhere: Path) -> Iterator[dict[str, Any]]:
    made = {name: getattr(plw, name)() for name in FORMS}
    for form in made.values():
        form.wait(20)
    yield made
    for form in made.values():
        form.close()


@pytest.mark.parametrize("name", FORMS)
def test_a_form_needs_nothing_and_says_what_to_do(forms: dict[str, Any], name: str) -> None:
    form = forms[name]
    assert isinstance(form, Form)
    assert form.note
    assert "application/vnd.jupyter.widget-view+json" in form._repr_mimebundle_()[0]
    assert repr(form) == f"{name}: {form.note}"
    assert len(getattr(plw, name).__doc__) > 100
    compile(form.as_code(), name, "exec")


def test_without_credentials_a_form_says_so(forms: dict[str, Any]) -> None:
    for name in ("DeployForm", "PipelineForm"):
        assert forms[name].card["what"]
        assert forms[name].standing == "failed"
    with pytest.raises(NoCredentialsError, match="session="):
        forms["DeployForm"].plan()
    with pytest.raises(NoCredentialsError):
        _ = forms["CredentialsForm"].session
    with pytest.raises(ResultError):
        _ = forms["PipelineForm"].result


def test_a_lambda_is_behind_the_form_both_ways(nowhere: Path, podpac: object) -> None:
    cloud = plw.Lambda(function_memory=512, session=boto3.Session(region_name="us-east-1"))
    form, other = plw.DeployForm(cloud), plw.DeployForm(cloud)
    assert form.fields["function_memory"]["value"] == "512"
    form.enter("function_memory", "1024")
    assert cloud.function_memory == 1024
    cloud.function_memory = 4096
    assert [each.fields["function_memory"]["value"] for each in (form, other)] == ["4096", "4096"]
    for each in (form, other):
        each.wait(20)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"profile": "lab"}, 'session = plw.connect(profile="lab", region_name="us-east-1")'),
        ({"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "s3cr3t"}, "getpass("),
    ],
)
def test_code_has_a_session_of_the_same_kind_and_no_secret(nowhere: Path, given: dict[str, str], said: str) -> None:
    (nowhere / "none").write_text("[profile lab]\n")
    region = {} if "profile" in given else {"region_name": "eu-west-1"}
    named = {("profile_name" if name == "profile" else name): value for name, value in given.items()}
    form = plw.DeployForm(session=boto3.Session(**named, **region))
    code = form.as_code()
    assert said in code
    assert "s3cr3t" not in code


def test_what_is_permitted_is_asked_for_what_is_to_be_deployed(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Stack:
        def __init__(self, name: str) -> None:
            self.name = name

        def missing_for(self, purpose: str) -> tuple[str, ...]:
            asked.append(self.name)
            return ()

        def describe(self) -> None:
            raise NoCredentialsError("Not here")

    monkeypatch.setattr(Aws, "stack", lambda self, account, wish, source: Stack(wish.function_name))
    identity = Identity("123456789012", "arn:aws:iam::123456789012:user/ada", "us-east-1", "aws")
    who = plw.CredentialsForm()
    who.wait(20)
    who._connected(Connection(None, identity))  # type: ignore[arg-type]  # nobody asks it
    who.wait(20)
    assert len(asked) == 1
    wish = plw.Deployment(function_name="by-hand")
    deploy = plw.DeployForm(wish, session=who)
    deploy.enter("function_name", "soil")
    who.wait(20)
    assert asked[1:] == ["by-hand", "soil"]
    who.close()
    deploy.close()


@pytest.mark.local_aws
@pytest.mark.archive
def test_forms_are_joined_by_hand(repository: Path) -> None:
    """Connect, Package, Deploy, Run and Results as five forms."""
    who = plw.CredentialsForm()
    archives = plw.SourceForm(repository / "dist" / "aws")
    wish = plw.Deployment(function_name="by-hand", function_memory=1024)
    deploy = plw.DeployForm(wish, source=archives, session=who)
    who.use_embedded_aws()
    who.wait(60)
    archives.build_archives()
    archives.wait(200)
    deploy.plan()
    deploy.wait(60)
    deploy.build()
    deploy.wait(120)
    deploy.wait(60)
    assert deploy.light["tone"] == "on"
    view = plw.ResultView()
    run = plw.PipelineForm(wish, session=who, results=view)
    run.wait(60)
    run.run()
    run.wait(120)
    assert run.result.shape == (180, 180, 1)
    [row] = run.runs["rows"]
    assert (row["title"], row["state"], row["way"]) == ("SinCoords", "done", "direct")
    assert "1 run of this pipeline" in run.outlook["text"]
    assert view.result is not None
    attributes = decode_array(view.encode("netcdf")).attrs
    assert attributes["provenance_function"] == wish.function_name
    assert attributes["provenance_ran_on"] == "Embedded AWS, us-east-1"
    assert attributes["provenance_account"] == "********0000"
    again = plw.DeployForm(plw.Deployment(function_name="by-hand"), session=who.session)
    again.wait(60)
    assert again.light["tone"] == "on"
    assert "session = plw.local_aws()" in deploy.as_code()
    assert "package = plw.build_package(" in deploy.as_code()
    who.session.stop()


def test_any_array_can_be_looked_at() -> None:
    view = plw.ResultView(
        xr.DataArray([[1.0, 2.0], [3.0, 4.0]], {"lat": [0, 1], "lon": [0, 1]}, ("lat", "lon")), "rain"
    )
    view.wait(20)
    assert view.standing == "done"
    assert "rain" in view.note
    view.close()
