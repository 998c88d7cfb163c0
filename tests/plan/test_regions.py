"""In every region that botocore knows, a stack can be planned and shown, with names that AWS takes."""

from __future__ import annotations

import json
import re

import pytest

from podpac_lambda_widgets.aws.session import regions
from podpac_lambda_widgets.model.deployment import TRIGGERS, Deployment
from podpac_lambda_widgets.plan.account import Identity
from podpac_lambda_widgets.plan.desired import ArchivePlace, Archives, desired_resources, named_extras, named_resources
from podpac_lambda_widgets.plan.desired_triggers import BUDGET_PARTITIONS
from podpac_lambda_widgets.plan.difference import plan_build
from podpac_lambda_widgets.plan.names import stack_names
from podpac_lambda_widgets.plan.permissions import policy_for, wishes_of
from podpac_lambda_widgets.plan.resources import Bucket

ARCHIVES = Archives(ArchivePlace("a" * 64, 80), ArchivePlace("b" * 64, 40), "python3.12", "x86_64")
LONG = "x" * 64


def partition(region: str) -> str:
    for prefix, name in (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("eusc-", "aws-eusc")):
        if region.startswith(prefix):
            return name
    return "aws"


@pytest.mark.parametrize("region", [code for code, _ in regions()])
@pytest.mark.parametrize("name", ["soil", LONG, "Soil_Moisture"])
def test_a_stack_can_be_planned_and_shown(region: str, name: str) -> None:
    home = partition(region)
    identity = Identity("123456789012", f"arn:{home}:iam::123456789012:user/me", region, home)
    budget = {"function_budget_amount": 5, "function_budget_email": "me@example.org"}
    wish = Deployment(function_name=name, function_triggers=TRIGGERS, **(budget if home in BUDGET_PARTITIONS else {}))
    names = stack_names(wish, identity)
    wanted = desired_resources(wish, ARCHIVES, identity)
    plan = plan_build(names.stack, [(resource, None) for resource in wanted])
    assert name in str(plan)
    assert name in plan._repr_html_()
    policies = [policy_for(purpose, names, identity, wishes_of(wish)) for purpose in ("deploy", "run", "destroy")]
    # What a managed policy may have (IAM user guide, "IAM and STS character quotas").
    assert max(len(json.dumps(policy, separators=(",", ":"))) for policy in policies) <= 6144
    for text in (plan.to_json(), json.dumps(policies), *(str(vars(each)) for each in wanted)):
        assert set(re.findall(r"arn:[\w-]+:", text)) <= {f"arn:{home}:"}
    with_arns = {each.kind for each in wanted if f"arn:{home}:" in str(vars(each))}
    assert with_arns >= {"role", "bucket", "function", "S3 trigger", "API", "function URL"}
    bucket = next(resource for resource in wanted if isinstance(resource, Bucket))
    assert 3 <= len(bucket.name) <= 63
    assert len(names.role) <= 64
    assert len(names.identifier + "-url-invoke") <= 100
    assert len(names.budget) <= 100
    assert all(len(value) <= 256 for value in dict(bucket.tags).values())
    looked_for = {type(each) for each in (*named_resources(wish, identity), *named_extras(names, identity))}
    assert {type(each) for each in wanted if each.kind != "object"} <= looked_for


def test_botocores_list_has_every_partition() -> None:
    homes = {partition(code) for code, _ in regions()}
    assert {"aws", "aws-cn", "aws-us-gov"} <= homes
    assert len(regions()) > 30
