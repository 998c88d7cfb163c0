"""A page that was left without its kernel is made again, and nothing else is."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import boto3
import pytest
import xarray as xr

import podpac_lambda_widgets as plw
from podpac_lambda_widgets.errors import NoCredentialsError
from podpac_lambda_widgets.studio import Studio
from podpac_lambda_widgets.studio.revival import KINDS, describe_revival, find_variable, revive


def test_a_studio_is_made_again_in_its_variable(tmp_path: Path) -> None:
    variables: dict[str, Any] = {"studio": "something else"}
    given = json.dumps({"directory": str(tmp_path)})
    made = revive(variables, "Studio", "studio", given)
    assert isinstance(made, Studio)
    assert made.source.directory == tmp_path
    assert variables["studio"] is made
    assert revive(variables, "Studio", "studio", given) is made


@pytest.mark.parametrize("variable", ["", "class", "a b", "x = 1"])
def test_what_is_no_name_is_no_variable(variable: str) -> None:
    variables: dict[str, Any] = {}
    assert isinstance(revive(variables, "Studio", variable, ""), Studio)
    assert variables == {}


@pytest.mark.parametrize("kind", ["", "Lambda", "__import__", "os.system"])
def test_nothing_else_is_made(kind: str) -> None:
    with pytest.raises(ValueError, match="cannot be made again"):
        revive({}, kind, "studio", "")


def test_the_page_knows_its_variable() -> None:
    held = object()
    assert find_variable({"_": held, "_1": held, "mine": held}, held) == "mine"
    assert find_variable({"_": held}, held) == ""


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> boto3.Session:
    """A folder without archives, and a session that leads nowhere."""

    def stay_out(session: object) -> None:
        raise NoCredentialsError("No AWS credentials were found")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("podpac_lambda_widgets.studio.entrance.enter", stay_out)
    return boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", region_name="us-east-1")


def shut(*forms: Any) -> None:
    for form in forms:
        form.wait(20)
        form.close()


@pytest.mark.parametrize("kind", ["CredentialsForm", "SourceForm", "DeployForm", "PipelineForm", "ResultView"])
def test_a_form_that_was_given_nothing_is_made_again(nowhere: boto3.Session, kind: str) -> None:
    form = getattr(plw, kind)()
    told = describe_revival({"mine": form}, form, **getattr(form, "_given", {}))
    assert told == {"kind": kind, "variable": "mine", "given": ""}
    variables: dict[str, Any] = {}
    made = revive(variables, *told.values())
    assert type(made) is type(form)
    assert variables == {"mine": made}
    shut(form, made)


def test_a_form_is_made_again_with_what_the_variables_hold_by_then(nowhere: boto3.Session) -> None:
    wish, session = plw.Deployment(function_name="soil"), nowhere
    form = plw.DeployForm(wish, session=session)
    told = describe_revival({"wish": wish, "aws": session, "deploy": form}, form, **form._given)
    assert json.loads(told["given"]) == {"deployment": "wish", "session": "aws"}
    assert "secret" not in str(told)
    with pytest.raises(LookupError, match="no wish and no aws yet: run the cell"):
        revive({}, *told.values())
    variables: dict[str, Any] = {"wish": plw.Deployment(function_name="sand"), "aws": session}
    made = revive(variables, *told.values())
    assert made.fields["function_name"]["value"] == "sand"
    assert variables["deploy"] is made
    shut(form, made)


def test_a_result_is_shown_again_where_a_variable_holds_it() -> None:
    array = xr.DataArray([[1.0, 2.0], [3.0, 4.0]], {"lat": [0, 1], "lon": [0, 1]}, ("lat", "lon"))
    view = plw.ResultView(array, "rain")
    told = describe_revival({"view": view, "array": array}, view, **view._given)
    made = revive({"array": array}, *told.values())
    shut(view)
    made.wait(20)
    assert "rain" in made.note
    shut(made)
    assert describe_revival({"view": view}, view, **view._given) == {}


def test_a_form_that_was_given_what_nothing_holds_is_not_made_again(nowhere: boto3.Session) -> None:
    form = plw.PipelineForm(plw.Deployment(function_name="soil"), session=nowhere)
    assert form.describe_revival() == {}
    shut(form)


def test_of_a_class_that_somebody_made_of_ours_nothing_is_known() -> None:
    class Mine(plw.ResultView):
        """Does something of its own."""

    view = Mine()
    assert view.describe_revival() == {}
    shut(view)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("DeployForm", '{"worker": "os"}'),
        ("ResultView", '{"session": "os"}'),
        ("CredentialsForm", '{"directory": "x"}'),
        ("Studio", '["directory"]'),
        ("Studio", "{"),
    ],
)
def test_nothing_is_made_with_what_it_does_not_take(kind: str, given: str) -> None:
    with pytest.raises(ValueError, match=r"not made with|Expecting"):
        revive({"os": 1}, kind, "x", given)


def test_every_kind_takes_what_it_may_be_made_with() -> None:
    for kind, names in KINDS.items():
        assert set(names) <= set(inspect.signature(getattr(plw, kind)).parameters)
