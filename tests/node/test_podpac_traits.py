"""Every trait of PODPAC's ``Lambda`` and every setting it reads is one of ours, or it is written here why not."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

import podpac_lambda_widgets as plw
from podpac_lambda_widgets.errors import InvalidValueError

podpac = pytest.importorskip("podpac")
PODPAC_NODE = podpac.managers.aws.Lambda

_SESSION = (
    "Credentials and region are the session's; no secret is ever in a trait. Lambda reads the settings of the name."
)
_RUNNING = "It belongs to running, not to deploying: how a pipeline is called and what becomes of its result."

#: Traits of PODPAC's that ours has not, and why.
ABSENT = {
    "aws_access_key_id": _SESSION,
    "aws_region_name": _SESSION,
    "aws_secret_access_key": _SESSION,
    "download_result": _RUNNING,
    "eval_settings": _RUNNING + " Settings never ride in a request: among them are credentials.",
    "eval_timeout": _RUNNING,
    "force_compute": _RUNNING,
    "function_api_version": "It goes into a field of the REST API for the user's own notes; API Gateway itself has no "
    "such version, and PODPAC's value, the version of podpac here, is not that of the function's archives.",
    "function_eval_trigger": _RUNNING,
    "node_attrs": _RUNNING + " It changes the source's definition: a node with these attributes says the same.",
    "output_format": _RUNNING,
    "source_output_format": _RUNNING + " Results travel as NetCDF.",
    "source_output_name": "PODPAC itself reads it nowhere.",
}

#: Settings, a value for each, the trait it becomes and that trait's value.
SETTINGS: dict[str, tuple[Any, str, Any]] = {
    "AWS_BUDGET_AMOUNT": (25, "function_budget_amount", 25.0),
    "AWS_BUDGET_EMAIL": ("lab@example.org", "function_budget_email", "lab@example.org"),
    "AWS_TAGS": ({"project": "soil"}, "function_tags", {"project": "soil"}),
    "FUNCTION_NAME": ("soil", "function_name", "soil"),
    "FUNCTION_ROLE_NAME": ("soil-role", "function_role_name", "soil-role"),
    "FUNCTION_S3_INPUT": ("pipelines/", "function_s3_input", "pipelines"),
    "FUNCTION_S3_OUTPUT": ("results/", "function_s3_output", "results"),
    "S3_BUCKET_NAME": ("soil-bucket", "function_s3_bucket", "soil-bucket"),
}
SESSION_SETTINGS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_REGION_NAME": "eu-central-1",
    "AWS_SECRET_ACCESS_KEY": "not-a-secret-of-anybody",
}

#: Settings with these beginnings that become no trait, another value for each, and why.
NO_TRAIT: dict[str, tuple[Any, str]] = {
    "AWS_REQUESTER_PAYS": (True, "Of nodes that read data, not of the deployment."),
    "FUNCTION_DEPENDENCIES_KEY": (
        "podpac_deps_3.5.0.zip",
        "PODPAC writes its own default here, of the podpac at hand; ours names the archive by its content, "
        "so that another archive never hides behind the name of the old one.",
    ),
    "FUNCTION_FORCE_COMPUTE": (True, _RUNNING),
    "S3_CACHE_DIR": ("elsewhere", "Of PODPAC's cache, not of the deployment."),
    "S3_CACHE_MAX_BYTES": (1, "Of PODPAC's cache, not of the deployment."),
    "UNSAFE_EVAL_HASH": ("0" * 32, "podpac draws one in every process; it is no wish to have unsafe evaluation."),
}


def _own_traits(of: Any) -> list[str]:
    return sorted(name for name in of.class_traits() if name in of.__dict__ and not name.startswith("_"))


@pytest.fixture(autouse=True)
def _settings_as_they_were() -> Iterator[None]:
    """PODPAC writes defaults into its settings when they are read."""
    before = dict(podpac.settings)
    podpac.settings.reset()
    yield
    podpac.settings.clear()
    podpac.settings.update(before)


@pytest.fixture(scope="module")
def session() -> boto3.Session:
    """A session that is never used."""
    return boto3.Session("AKIAIOSFODNN7EXAMPLE", "not-a-secret-of-anybody", region_name="us-east-1")


def _read_traits(node: Any) -> dict[str, Any]:
    return {name: getattr(node, name) for name in node.trait_names() if name.startswith("function_")}


@pytest.mark.parametrize("name", [name for name in _own_traits(PODPAC_NODE) if name not in ABSENT])
def test_a_trait_of_podpacs_takes_podpacs_own_default(name: str, session: boto3.Session) -> None:
    default = getattr(PODPAC_NODE(session=session), name)
    ours = getattr(plw.Lambda(**{"session": session, name: default}), name)
    if name in ("function_s3_input", "function_s3_output"):
        assert f"{ours}/" == default
    elif default is None:
        # Amounts may be nothing; a name that is not chosen is empty.
        assert ours in (None, "")
    else:
        assert ours == (tuple(default) if isinstance(default, list) else default)


@pytest.mark.parametrize("name", ABSENT)
def test_a_trait_that_is_said_to_be_absent_is_podpacs_and_not_ours(name: str, session: boto3.Session) -> None:
    assert name in _own_traits(PODPAC_NODE)
    assert not plw.Lambda(session=session).has_trait(name)


@pytest.mark.parametrize("name", ["function_api_version", "function_eval_trigger", "eval_timeout"])
def test_an_absent_trait_is_refused_by_its_name(name: str, session: boto3.Session) -> None:
    with pytest.raises(InvalidValueError) as caught:
        plw.Lambda(**{"session": session, name: "1"})
    assert caught.value.field == name


def test_every_setting_of_podpacs_for_aws_is_spoken_of() -> None:
    known = {name for name in podpac.settings.defaults if name.startswith(("AWS_", "FUNCTION_", "S3_", "UNSAFE_"))}
    assert known == {*SETTINGS, *SESSION_SETTINGS, *NO_TRAIT}


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_reaches_its_trait_and_no_other(setting: str, session: boto3.Session) -> None:
    without = _read_traits(plw.Lambda(session=session))
    given, trait, expected = SETTINGS[setting]
    podpac.settings[setting] = given
    assert _read_traits(plw.Lambda(session=session)) == {**without, trait: expected}
    assert without[trait] != expected


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_trait_that_is_given_goes_before_its_setting(setting: str, session: boto3.Session) -> None:
    given, trait, expected = SETTINGS[setting]
    podpac.settings[setting] = {"FUNCTION_S3_INPUT": "a", "FUNCTION_S3_OUTPUT": "b"}.get(setting, given)
    value = {"function_tags": {"other": "tag"}, "function_budget_amount": 3.0}.get(trait, f"x{expected}")
    assert getattr(plw.Lambda(**{"session": session, trait: value}), trait) == value


def test_the_session_is_made_of_the_settings() -> None:
    podpac.settings.update(SESSION_SETTINGS)
    session = plw.Lambda().session
    keys = session.get_credentials()
    found = {
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_REGION_NAME": session.region_name,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
    }
    assert found == SESSION_SETTINGS


@pytest.mark.parametrize("setting", NO_TRAIT)
def test_a_setting_without_a_trait_changes_none(setting: str, session: boto3.Session) -> None:
    without = _read_traits(plw.Lambda(session=session))
    podpac.settings[setting] = NO_TRAIT[setting][0]
    assert _read_traits(plw.Lambda(session=session)) == without


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("AWS_BUDGET_AMOUNT", "much"),
        ("AWS_BUDGET_AMOUNT", -1),
        ("AWS_BUDGET_EMAIL", "nobody"),
        ("AWS_TAGS", {"aws:owner": "me"}),
        ("FUNCTION_NAME", "soil moisture"),
        ("FUNCTION_ROLE_NAME", "a/b"),
        ("FUNCTION_S3_INPUT", "../elsewhere"),
        ("S3_BUCKET_NAME", "Soil_Bucket"),
    ],
)
def test_a_setting_that_aws_would_not_take_is_refused_with_its_trait(
    setting: str, value: Any, session: boto3.Session
) -> None:
    podpac.settings[setting] = value
    trait = SETTINGS[setting][1]
    with pytest.raises(InvalidValueError) as caught:
        getattr(plw.Lambda(session=session), trait)
    assert caught.value.field == trait


@pytest.mark.parametrize("name", ["aws_access_key_id", "aws_secret_access_key", "aws_region_name"])
def test_a_key_is_never_kept_in_a_node_and_never_shown(name: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        plw.Lambda(**{name: "PLANTED-SECRET"})
    assert caught.value.field == name
    assert "connect(" in caught.value.next_step
    assert "PLANTED" not in str(caught.value)


def test_what_podpac_fills_into_its_settings_by_itself_is_nobodys_wish(session: boto3.Session) -> None:
    repr(PODPAC_NODE(session=session))
    assert podpac.settings["FUNCTION_ROLE_NAME"] == "podpac-lambda-autogen"
    podpac.settings["AWS_TAGS"] = {"project": "soil", "_podpac_resource": "true", "_podpac_resource_hash": "1"}
    ours = plw.Lambda(session=session)
    assert ours.function_role_name == ""
    assert ours.function_tags == {"project": "soil"}


@pytest.mark.parametrize("value", ["a=b", ["x"], 5])
def test_tags_of_another_kind_in_the_settings_are_refused_by_name(value: object, session: boto3.Session) -> None:
    podpac.settings["AWS_TAGS"] = value
    with pytest.raises(InvalidValueError) as caught:
        _ = plw.Lambda(session=session).function_tags
    assert caught.value.field == "function_tags"


def test_importing_podpac_for_us_does_not_make_every_library_talk() -> None:
    code = "import logging, podpac_lambda_widgets as plw; plw.Lambda; print(logging.root.handlers, logging.root.level)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == f"[] {logging.WARNING}"
