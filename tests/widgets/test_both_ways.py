"""Every field follows its trait and every trait its field, in each of two forms on one model."""

from __future__ import annotations

from typing import Any

import pytest

from podpac_lambda_widgets.model.base import Names, OneOf, Tags
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.studio import Studio
from podpac_lambda_widgets.widgets.credentials_form import CredentialsForm
from podpac_lambda_widgets.widgets.deploy_fields import TRAITS
from podpac_lambda_widgets.widgets.deploy_form import DeployForm
from podpac_lambda_widgets.widgets.fields import write_value
from podpac_lambda_widgets.widgets.source_form import SourceForm
from podpac_lambda_widgets.widgets.worker import Worker

#: Trait -> another value than its default, and a third one as it is typed.
WISHES: dict[str, tuple[Any, str | bool | list[str]]] = {
    "function_name": ("soil-1", "soil-2"),
    "function_role_name": ("role-1", "role-2"),
    "function_s3_bucket": ("bucket-1", "bucket-2"),
    "function_memory": (512, "1024"),
    "function_timeout": (60, "120"),
    "function_triggers": (("eval", "URL"), ["eval", "S3"]),
    "function_public_endpoint": (True, False),
    "function_s3_input": ("here", "there"),
    "function_reserved_concurrency": (5, "7"),
    "function_ephemeral_storage": (1024, "2048"),
    "function_s3_output_expiration": (7, "8"),
    "function_log_retention": (7, "14"),
    "function_budget_amount": (25.0, "7.5"),
    "function_budget_currency": ("EUR", "CHF"),
    "function_budget_email": ("ada@example.org", "grace@example.org"),
    "function_tags": ({"project": "soil"}, "project=snow\nteam=a"),
}
ARCHIVES = {
    "function_source_dist_zip": ("a.zip", "b.zip"),
    "function_source_dependencies_zip": ("a.zip", "b.zip"),
    "function_source_bucket": ("bucket-1", "bucket-2"),
    "function_source_dist_key": ("a.zip", "b.zip"),
    "function_source_dependencies_key": ("a.zip", "b.zip"),
}
WAYS_IN = {
    "profile": ("lab", "default"),
    "region": ("eu-west-1", "us-east-1"),
    "access_key_id": ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPL2"),
}


def check_both_ways(forms: list[Any], model: Any, front_end: Any, name: str, value: Any, typed: Any) -> None:
    setattr(model, name, value)
    assert [form.fields[name]["value"] for form in forms] == [write_value(value)] * len(forms)
    for form in forms:
        front_end.send(form, {"type": "input", "name": name, "value": typed})
        shown = [each.fields[name] for each in forms]
        assert [each["value"] for each in shown] == [write_value(getattr(model, name))] * len(forms)
        assert [each["error"] for each in shown] == [""] * len(forms)
        assert getattr(model, name) != value
        setattr(model, name, value)


def test_no_trait_that_has_a_field_is_left_out() -> None:
    assert set(WISHES) == set(TRAITS)
    assert set(ARCHIVES) == set(Source.class_trait_names())


@pytest.mark.parametrize("name", WISHES)
def test_a_wish_and_two_forms_agree(name: str, front_end: Any) -> None:
    model = Deployment(function_triggers=("eval", "S3", "URL"))
    worker = Worker()
    forms = [DeployForm(worker, model, lambda: None, lambda: None) for _ in range(2)]  # type: ignore[arg-type,return-value]
    check_both_ways(forms, model, front_end, name, *WISHES[name])


@pytest.mark.parametrize("name", ARCHIVES)
def test_archives_and_two_forms_agree(name: str, front_end: Any, backend: Any, tmp_path: Any) -> None:
    model = Source()
    forms = [SourceForm(Worker(), backend, model, tmp_path) for _ in range(2)]
    check_both_ways(forms, model, front_end, name, *ARCHIVES[name])
    for form in forms:
        form.wait(10)


@pytest.mark.parametrize("name", WAYS_IN)
def test_a_way_in_and_its_form_agree(name: str, front_end: Any, backend: Any) -> None:
    form = CredentialsForm(Worker(), backend)
    form.wait(10)
    assert set(WAYS_IN) == set(form.credentials.trait_names())
    check_both_ways([form], form.credentials, front_end, name, *WAYS_IN[name])


def test_what_is_wrong_is_shown_where_it_was_typed_and_goes_for_all(front_end: Any) -> None:
    model, worker = Deployment(), Worker()
    one, other = (DeployForm(worker, model, lambda: None, lambda: None) for _ in range(2))  # type: ignore[arg-type,return-value]
    front_end.type(one, "function_memory", "1")
    assert (one.problems, other.problems) == (["function_memory"], [])
    assert other.fields["function_memory"]["value"] == "2048"
    front_end.type(other, "function_memory", "4096")
    assert (one.problems, one.fields["function_memory"]["value"]) == ([], "4096")


def test_the_kinds_of_the_fields_are_those_of_the_traits(studio: Studio) -> None:
    kinds = {type(trait) for name, trait in studio.deploy.deployment.traits().items() if name in TRAITS}
    assert {Names, OneOf, Tags} <= kinds
