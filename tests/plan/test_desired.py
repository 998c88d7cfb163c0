"""What a wish becomes: least privilege, in every partition, under the names PODPAC users know."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from podpac_lambda_widgets.errors import InvalidValueError
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.plan.account import Identity
from podpac_lambda_widgets.plan.desired import ArchivePlace, Archives, desired_resources
from podpac_lambda_widgets.plan.extras import EXTRAS_TAG
from podpac_lambda_widgets.plan.resources import STACK_TAG, Bucket, Function, Resource, Role, StoredObject

ARCHIVES = Archives(
    ArchivePlace("a" * 64, 80_000_000, bucket="src", key="dist.zip"),
    ArchivePlace("b" * 64, 40_000_000, bucket="src", key="deps.zip"),
    "python3.12",
    "arm64",
)


def wanted(partition: str = "aws", region: str = "eu-west-1", **traits: object) -> tuple[Resource, ...]:
    identity = Identity("123456789012", f"arn:{partition}:iam::123456789012:user/me", region, partition)
    return desired_resources(Deployment(function_name="soil", **traits), ARCHIVES, identity)


def _role(resources: tuple[Resource, ...]) -> Role:
    return next(resource for resource in resources if isinstance(resource, Role))


def _statements(resources: tuple[Resource, ...]) -> list[dict[str, Any]]:
    return [statement for document in _role(resources).policies.values() for statement in document["Statement"]]


def _function(resources: tuple[Resource, ...]) -> Function:
    return next(resource for resource in resources if isinstance(resource, Function))


@pytest.mark.parametrize(
    ("partition", "region"), [("aws", "eu-west-1"), ("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")]
)
def test_every_arn_is_in_the_accounts_own_partition(partition: str, region: str) -> None:
    text = json.dumps([str(vars(resource)) for resource in wanted(partition, region)])
    arns = [part for part in text.replace("'", " ").replace('"', " ").split() if part.startswith("arn:")]
    assert arns
    assert all(arn.startswith(f"arn:{partition}:") for arn in arns)


@pytest.mark.parametrize("buckets", [[], ["data-one", "data-two"]])
def test_the_role_may_do_six_things_at_most_and_none_of_them_everywhere(buckets: list[str]) -> None:
    actions: list[str] = []
    for document in _role(wanted(function_allowed_buckets=buckets)).policies.values():
        for statement in document["Statement"]:
            listed = statement["Action"]
            actions += [listed] if isinstance(listed, str) else listed
            assert statement["Effect"] == "Allow"
            resources = statement["Resource"]
            assert "*" not in ([resources] if isinstance(resources, str) else resources)
    assert len(set(actions)) <= 6
    assert not [action for action in actions if "*" in action]
    assert "logs:CreateLogGroup" not in actions


def test_only_lambda_in_this_account_may_use_the_role() -> None:
    (statement,) = _role(wanted()).trust["Statement"]
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_the_stack_tag_is_on_everything_that_takes_one() -> None:
    tagged = [resource for resource in wanted(function_tags={"a": "b"}) if hasattr(resource, "tags")]
    assert len(tagged) == 4
    ours = {"a": "b", STACK_TAG: "soil@eu-west-1"}
    for resource in tagged:
        extras = {EXTRAS_TAG: "none"} if isinstance(resource, Function) else {}
        assert resource.tags == {**ours, **extras}


def test_the_users_tags_are_not_written_back() -> None:
    tags = {"a": "b"}
    wanted(function_tags=tags)
    assert tags == {"a": "b"}


def test_the_environment_has_podpacs_names_and_no_secret() -> None:
    environment = _function(wanted(function_env_variables={"GDAL_CACHEMAX": "64"})).environment
    assert environment["GDAL_CACHEMAX"] == "64"
    assert environment["FUNCTION_DEPENDENCIES_SHA256"] == "b" * 64
    assert environment["S3_BUCKET_NAME"] == "podpac-soil-123456789012-eu-west-1-an"
    assert not [name for name in environment if "KEY_ID" in name or "SECRET" in name or "TOKEN" in name]


@pytest.mark.parametrize("name", ["S3_BUCKET_NAME", "FUNCTION_ALLOW_UNSAFE_EVAL", "AWS_REGION", "LAMBDA_TASK_ROOT"])
def test_a_variable_of_lambdas_or_ours_cannot_be_set_by_hand(name: str) -> None:
    with pytest.raises(InvalidValueError, match=name):
        wanted(function_env_variables={name: "true"})


def test_an_environment_over_4_kb_is_refused_with_its_size() -> None:
    with pytest.raises(InvalidValueError, match=r"4,\d{3} bytes"):
        wanted(function_restrict_pipelines=[f"{number:064x}" for number in range(65)])


def test_a_role_policy_over_10_kb_is_refused_with_its_size() -> None:
    with pytest.raises(InvalidValueError, match=r"10,\d{3} characters") as caught:
        wanted(function_allowed_buckets=[f"d{number:03d}" for number in range(225)])
    assert caught.value.field == "function_allowed_buckets"


def test_the_function_may_not_write_where_its_code_lies() -> None:
    with pytest.raises(InvalidValueError):
        wanted(function_s3_output="archives")
    (statement,) = [s for s in _statements(wanted()) if s["Action"] == "s3:PutObject"]
    assert statement["Resource"] == "arn:aws:s3:::podpac-soil-123456789012-eu-west-1-an/output/soil/*"


def test_both_archives_are_kept_in_our_own_bucket() -> None:
    stored = [resource for resource in wanted() if isinstance(resource, StoredObject)]
    assert {each.copied_from for each in stored} == {("src", "dist.zip"), ("src", "deps.zip")}
    function = _function(wanted())
    assert (function.code_bucket, function.code_key) in {(each.bucket, each.key) for each in stored}


@pytest.mark.parametrize(("first", "second"), [("soil_moisture", "Soil-Moisture"), ("a" * 60 + "1", "a" * 60 + "2")])
def test_names_that_are_made_do_not_collide(first: str, second: str) -> None:
    one, two = Deployment(function_name=first), Deployment(function_name=second)
    assert one.bucket_name("1" * 12, "ap-southeast-1") != two.bucket_name("1" * 12, "ap-southeast-1")
    assert one.role_name("ap-southeast-1") != two.role_name("ap-southeast-1")
    assert len(one.role_name("ap-southeast-1")) <= 64


def test_two_regions_have_a_role_each() -> None:
    assert _role(wanted(region="eu-west-1")).name != _role(wanted(region="us-east-1")).name


@pytest.mark.parametrize("region", ["me-south-1", "me-central-1"])
def test_a_region_without_bucket_namespace_has_a_plain_name(region: str) -> None:
    bucket = next(resource for resource in wanted(region=region) if isinstance(resource, Bucket))
    assert bucket.name == f"podpac-soil-123456789012-{region}"


def test_only_our_own_keys_have_the_form_of_ours() -> None:
    bucket = next(resource for resource in wanted() if isinstance(resource, Bucket))
    ours = [resource.key for resource in wanted() if isinstance(resource, StoredObject)] + [
        f"output/soil/{'0' * 64}.nc"
    ]
    theirs = ["output/soil/thesis.nc", "archives/soil/mine.zip", f"output/soil2/{'0' * 64}.nc", "output/soil/"]
    assert all(re.fullmatch(bucket.own_keys, key) for key in ours)
    assert not any(re.fullmatch(bucket.own_keys, key) for key in theirs)


def test_unsafe_evaluation_is_off_unless_it_was_asked_for() -> None:
    assert "FUNCTION_ALLOW_UNSAFE_EVAL" not in _function(wanted()).environment
    assert _function(wanted(function_allow_unsafe_eval=True)).environment["FUNCTION_ALLOW_UNSAFE_EVAL"] == "true"


def test_runtime_and_architecture_are_the_archives_unless_given() -> None:
    assert (_function(wanted()).runtime, _function(wanted()).architecture) == ("python3.12", "arm64")
    assert _function(wanted(function_runtime="python3.13")).runtime == "python3.13"


def test_the_bucket_is_closed_to_the_public_and_to_plain_http() -> None:
    bucket = next(resource for resource in wanted() if isinstance(resource, Bucket))
    assert bucket.public_access_blocked
    assert bucket.policy is not None
    assert bucket.policy["Effect"] == "Deny"
    assert bucket.policy["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_data_buckets_are_told_to_the_guard_and_to_the_role() -> None:
    resources = wanted(function_allowed_buckets=["data-one"], function_allowed_hosts=["data.example.org"])
    environment = _function(resources).environment
    assert environment["FUNCTION_ALLOWED_BUCKETS"] == "data-one"
    assert environment["FUNCTION_ALLOWED_HOSTS"] == "data.example.org"
    assert "arn:aws:s3:::data-one/*" in json.dumps(_role(resources).policies)
    assert "data-one" not in json.dumps(_role(wanted()).policies)
