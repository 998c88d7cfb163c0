"""parliament, a linter of IAM policies, finds nothing in any policy we emit."""

from __future__ import annotations

import json
import sys
import warnings
from importlib.util import find_spec
from itertools import combinations, product
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.plan.account import Identity
from podpac_lambda_widgets.plan.desired import ArchivePlace, Archives, desired_resources
from podpac_lambda_widgets.plan.names import stack_names
from podpac_lambda_widgets.plan.permissions import policy_for, wishes_of
from podpac_lambda_widgets.plan.policies import POLICY_NAME
from podpac_lambda_widgets.plan.resources import Bucket, FunctionUrl, RestApi, Role, S3Trigger

IDENTITY = Identity(account="123456789012", arn="arn:aws:iam::123456789012:user/u", region="us-east-1", partition="aws")
TRIGGERS = [["eval"], ["eval", "S3"], ["eval", "APIGateway"], ["eval", "URL"], ["eval", "S3", "APIGateway", "URL"]]
PLACE = ArchivePlace("a" * 64, 100, bucket="archives", key="podpac.zip")
#: What is found and is as it should be, with the reason.
ACCEPTED = {
    # parliament's list (of January 2025) has no resource for it; AWS itself asks for it on log-group:*, as its own
    # message says ("not authorized to perform: logs:DescribeLogGroups on resource: arn:aws:logs:...:log-group:...").
    ("RESOURCE_MISMATCH", "logs:DescribeLogGroups"),
    # Since October 2025, and so newer than the list.
    ("UNKNOWN_CONDITION_FOR_ACTION", "lambda:InvokedViaFunctionUrl"),
}


@pytest.fixture(scope="module")
def parliament() -> Any:
    """The linter, imported without what it warns of."""
    if find_spec("parliament") is None:
        pytest.skip("parliament is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stand_in = None
        if find_spec("pkg_resources") is None:
            # It asks this part of setuptools, which is gone from newer ones, for the place of its own two files.
            stand_in = ModuleType("pkg_resources")
            folder = Path(str(find_spec("parliament").origin)).parent  # type: ignore[union-attr]  # it was found
            stand_in.resource_filename = lambda package, name: str(folder / name)  # type: ignore[attr-defined]
            sys.modules["pkg_resources"] = stand_in
        try:
            return pytest.importorskip("parliament")
        finally:
            if stand_in is not None:
                del sys.modules["pkg_resources"]


def deployment(triggers: list[str]) -> Deployment:
    return Deployment(
        function_name="soil",
        function_triggers=triggers,
        function_allowed_buckets=["data-one", "data-two"],
        function_reserved_concurrency=5,
        function_snap_start=True,
        function_budget_amount=20.0,
        function_budget_email="a@example.org",
        function_role_policy_arns=["arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"],
    )


def findings(parliament: Any, document: Any) -> set[tuple[str, str]]:
    policy = parliament.analyze_policy_string(json.dumps(document))
    return {
        (finding.issue, str(finding.detail))
        for finding in policy.findings
        if not any(finding.issue == issue and text in str(finding.detail) for issue, text in ACCEPTED)
    }


@pytest.mark.parametrize("purpose", ["deploy", "run", "destroy"])
@pytest.mark.parametrize("triggers", TRIGGERS, ids="+".join)
def test_a_policy_for_an_administrator_has_no_findings(parliament: Any, triggers: list[str], purpose: Any) -> None:
    wish = deployment(triggers)
    assert findings(parliament, policy_for(purpose, stack_names(wish, IDENTITY), IDENTITY, wishes_of(wish))) == set()


WISHES = ["S3", "APIGateway", "URL", "budget", "concurrency", "managed policies", "SnapStart"]
HOMES = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
ARCHIVE = "arn:{}:s3:::archives/podpac_dist.zip"


def policy_in(home: str, purpose: Any, wishes: tuple[str, ...]) -> dict[str, Any]:
    identity = Identity("123456789012", f"arn:{home}:iam::123456789012:user/u", HOMES[home], home)
    names = stack_names(Deployment(function_name="soil"), identity)
    return policy_for(purpose, names, identity, wishes, [ARCHIVE.format(home)])


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.parametrize("purpose", ["deploy", "run", "destroy"])
def test_the_policy_for_every_single_wish_and_for_all_has_no_findings(parliament: Any, purpose: Any, home: str) -> None:
    assert set(WISHES) == wishes_of(deployment(TRIGGERS[-1]))
    wished = [(), *((wish,) for wish in WISHES)] if home == "aws" else []
    for wishes in (*wished, tuple(WISHES)):
        assert findings(parliament, policy_in(home, purpose, wishes)) == set(), wishes


def test_no_statement_of_any_policy_has_findings(parliament: Any) -> None:
    seen = set()
    for home, purpose, count in product(HOMES, ("deploy", "run", "destroy"), range(len(WISHES) + 1)):
        for wishes in combinations(WISHES, count):
            for statement in policy_in(home, purpose, wishes)["Statement"]:
                text = json.dumps([statement["Action"], statement["Resource"], statement.get("Condition")])
                if text in seen:
                    continue
                seen.add(text)
                found = findings(parliament, {"Version": "2012-10-17", "Statement": [statement]})
                # What one statement allows without another is not what the policy allows.
                assert {issue for issue, _ in found} <= {"RESOURCE_POLICY_PRIVILEGE_ESCALATION"}, (wishes, found)
    assert len(seen) > 100


def resources(triggers: list[str]) -> list[Any]:
    return list(desired_resources(deployment(triggers), Archives(PLACE, PLACE, "python3.12", "x86_64"), IDENTITY))


@pytest.mark.parametrize("triggers", TRIGGERS, ids="+".join)
def test_the_policies_of_role_and_bucket_have_no_findings(parliament: Any, triggers: list[str]) -> None:
    made = resources(triggers)
    role = next(each for each in made if isinstance(each, Role))
    bucket = next(each for each in made if isinstance(each, Bucket))
    assert findings(parliament, role.policies[POLICY_NAME]) == set()
    assert findings(parliament, {"Version": "2012-10-17", "Statement": [bucket.policy]}) == set()


def test_the_roles_trust_has_no_findings_but_that_it_is_one(parliament: Any) -> None:
    role = next(each for each in resources(["eval"]) if isinstance(each, Role))
    # A trust policy has no resource: it is the role's own. parliament knows no such kind.
    assert findings(parliament, role.trust) == {("MALFORMED", "Statement contains neither Resource nor NotResource")}


def test_the_statements_of_the_functions_policy_have_no_findings(parliament: Any) -> None:
    made = resources(TRIGGERS[-1])
    statements = [each.permission for each in made if isinstance(each, S3Trigger | RestApi)]
    statements += [statement for each in made if isinstance(each, FunctionUrl) for statement in each.permissions]
    assert len(statements) == 4
    # Lambda takes hyphens in the id of a statement (AddPermission, StatementId), IAM's own Sid has none.
    plain = [{**each, "Sid": each["Sid"].replace("-", "")} for each in statements]
    assert findings(parliament, {"Version": "2012-10-17", "Statement": plain}) == set()


@pytest.mark.parametrize(
    ("statement", "issue"),
    [
        ({"Action": "s3:GetObjects", "Resource": "arn:aws:s3:::b/*"}, "UNKNOWN_ACTION"),
        ({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::b"}, "RESOURCE_MISMATCH"),
        ({"Action": "s3:GetObject", "Resource": "*"}, "RESOURCE_STAR"),
    ],
)
def test_a_policy_that_is_wrong_has_findings(parliament: Any, statement: dict[str, str], issue: str) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}
    assert issue in {found for found, _ in findings(parliament, document)}
