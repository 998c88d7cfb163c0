"""What is typed into the forms and cannot be is refused before AWS is asked, and what is odd is only text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.aws.session import check_region, connect
from podpac_lambda_widgets.engine.events import ChangeStarted
from podpac_lambda_widgets.engine.stack import Stack
from podpac_lambda_widgets.model.deployment import Deployment

MakeStack = Callable[..., Stack]
REFUSED: list[tuple[str, Any, str]] = [
    ("function_name", "arn:aws:lambda:us-east-1:999999999999:function:soil", "not an ARN"),
    ("function_log_retention", 2, "The nearest is 3."),
    ("function_log_retention", 31, "The nearest is 30."),
    ("function_log_retention", 40.5, "The nearest is 30."),
    ("function_log_retention", 10**6, "The nearest is 3653."),
    ("function_runtime", "python3.1", "Did you mean 'python3.1"),
    ("function_memory", 32_768, "10,240"),
    ("function_timeout", 5400, "900"),
    ("function_reserved_concurrency", -1, "0"),
    ("function_reserved_concurrency", 1.5, "whole"),
    ("function_budget_amount", "1,000", "number"),
    ("function_budget_amount", float("inf"), "number"),
    ("function_budget_email", "me@", "address"),
    ("function_budget_name", "<script>alert(1)</script>", ":"),
    ("function_api_stage", "prod/../x", "letters"),
    ("function_api_endpoint", "{proxy+}", "letters"),
    ("function_role_policy_arns", ["AdministratorAccess"], "ARN"),
    ("function_triggers", ["s3"], "Did you mean 'S3'?"),
    ("function_triggers", ["eval", "SQS"], "APIGateway"),
]


@pytest.mark.parametrize(("name", "value", "told"), REFUSED, ids=lambda item: str(item)[:30])
def test_what_aws_would_not_take_is_refused_with_what_it_takes(name: str, value: Any, told: str) -> None:
    with pytest.raises(errors.InvalidValueError) as caught:
        Deployment(**{name: value})
    assert caught.value.field == name
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("region", "told"),
    [("us-east-1a", "us-east-1"), ("useast1", "us-east-1"), ("", "region"), ("aws-global", "region")],
)
def test_what_is_no_region_is_refused_with_the_closest(region: str, told: str) -> None:
    with pytest.raises(errors.InvalidValueError) as caught:
        check_region(region)
    assert caught.value.field == "region"
    assert told in str(caught.value)


@pytest.mark.parametrize("inner", [" ", "\n", "\u200b", "\t"])
def test_a_key_with_something_invisible_inside_is_refused_and_at_its_edges_trimmed(inner: str) -> None:
    key, secret = "AKIAIOSFODNN7EXAMPLE", "s" * 40
    with pytest.raises(errors.InvalidValueError):
        connect(access_key_id=key[:8] + inner + key[8:], secret_access_key=secret, region_name="us-east-1")
    edges = inner if inner != "\u200b" else " "
    session = connect(access_key_id=edges + key + edges, secret_access_key=secret, region_name="us-east-1")
    assert session.get_credentials().access_key == key


def test_a_temporary_key_without_its_token_is_refused() -> None:
    with pytest.raises(errors.InvalidValueError, match="token"):
        connect(access_key_id="ASIAIOSFODNN7EXAMPLE", secret_access_key="s" * 40, region_name="us-east-1")


@pytest.mark.local_aws
def test_of_two_who_build_at_once_one_wins_and_the_other_is_told(make_stack: MakeStack, overlay: Any) -> None:
    told: list[errors.StackBusyError] = []

    def build_too(event: object) -> None:
        if isinstance(event, ChangeStarted) and not told:
            with pytest.raises(errors.StackBusyError) as caught:
                make_stack().build()
            told.append(caught.value)

    make_stack().build(build_too)
    assert "hostile@us-east-1" in str(told[0])
    assert told[0].next_step
    assert overlay.count("lambda.CreateFunction") == 1
    assert make_stack().plan().is_empty


@pytest.mark.local_aws
def test_a_region_that_the_account_has_not_enabled_is_explained(make_stack: MakeStack, overlay: Any) -> None:
    message = "The security token included in the request is invalid."
    overlay.refuse("lambda.GetFunction", 403, "UnrecognizedClientException", message)
    with pytest.raises(errors.WrongCredentialsError) as caught:
        make_stack().build()
    assert "not enabled" in caught.value.next_step


@pytest.mark.local_aws
def test_markup_in_what_aws_says_is_kept_as_text(make_stack: MakeStack, overlay: Any) -> None:
    # As an XML answer carries it.
    overlay.refuse("iam.CreateRole", 400, "MalformedInput", "&lt;script&gt;alert(1)&lt;/script&gt;")
    with pytest.raises(errors.DeployError) as caught:
        make_stack().build()
    assert caught.value.why == "<script>alert(1)</script>"
    assert "<script>" not in make_stack(function_description="<script>x</script>").plan()._repr_html_()
