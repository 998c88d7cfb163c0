"""Somebody changes things by hand: the next plan names every managed field of them, and the next build mends it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from podpac_lambda_widgets.engine.stack import Stack
from podpac_lambda_widgets.model.deployment import TRIGGERS
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.plan.changes import Keep, Update
from podpac_lambda_widgets.plan.resources import STACK_TAG
from podpac_lambda_widgets.plan.snapshot import ALIAS

pytestmark = pytest.mark.local_aws

NAME, ROLE, GROUP, BUDGET = "drifting", "drifting-us-east-1", "/aws/lambda/drifting", "drifting-us-east-1-budget"
ACCOUNT = "000000000000"
BUCKET = f"podpac-{NAME}-{ACCOUNT}-us-east-1-an"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{NAME}"
STACK = f"{NAME}@us-east-1"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
OTHER_TAG = {"project": "water"}
WISH = {
    "function_name": NAME,
    "function_tags": {"project": "soil"},
    "function_triggers": TRIGGERS,
    "function_budget_amount": 20.0,
    "function_budget_email": "a@example.org",
    "function_reserved_concurrency": 5,
    "function_role_policy_arns": ["arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"],
    "function_snap_start": True,
}


class ByHand:
    """Somebody in the console."""

    def __init__(self, observer: Any, other_code: bytes) -> None:
        self.client = observer.client
        self.other_code = other_code
        self.logs, self.iam, self.s3 = (observer.client(name) for name in ("logs", "iam", "s3"))
        self.functions, self.gateway, self.budgets = (
            observer.client(name) for name in ("lambda", "apigateway", "budgets")
        )

    def configure(self, **values: Any) -> None:
        """Change the function's configuration."""
        self.functions.update_function_configuration(FunctionName=NAME, **values)

    @cached_property
    def other_role(self) -> str:
        """A role that is not ours."""
        trust = self.iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]
        return str(self.iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"])

    def publish(self, **values: Any) -> str:
        """Publish the function with another setting, as it is ours, and change it back."""
        before = self.functions.get_function_configuration(FunctionName=NAME)
        self.configure(**values)
        version = self.functions.publish_version(FunctionName=NAME, Description=STACK)["Version"]
        self.configure(**{name: before[name] for name in values})
        return str(version)

    def lead_elsewhere(self) -> None:
        """Have the alias lead to a version with other settings."""
        self.functions.update_alias(FunctionName=NAME, Name=ALIAS, FunctionVersion=self.publish(MemorySize=256))

    def entry(self, **values: Any) -> None:
        """Change our entry in the bucket's notifications."""
        found = self.s3.get_bucket_notification_configuration(Bucket=BUCKET)
        entries = [{**each, **values} for each in found["LambdaFunctionConfigurations"]]
        self.s3.put_bucket_notification_configuration(
            Bucket=BUCKET, NotificationConfiguration={"LambdaFunctionConfigurations": entries}
        )

    def drop_statement(self, end: str) -> None:
        """Take a statement out of the function's policy."""
        self.functions.remove_permission(FunctionName=NAME, StatementId=f"podpac-{NAME}-us-east-1-{end}")

    @property
    def api(self) -> dict[str, str]:
        """Our API."""
        (found,) = [each for each in self.gateway.get_rest_apis()["items"] if each["name"] == f"{NAME}-api"]
        return {"restApiId": found["id"]}

    @property
    def method(self) -> dict[str, str]:
        """Our method of it."""
        resources = self.gateway.get_resources(**self.api)["items"]
        return {**self.api, "resourceId": next(each["id"] for each in resources if each["path"] == "/eval")}

    def patch(self, operation: str, path: str, value: str, **which: str) -> None:
        """Change a setting of the API."""
        patch = [{"op": "replace", "path": path, "value": value}]
        getattr(self.gateway, operation)(**{**self.api, **which}, patchOperations=patch)

    def redefine(self, **values: Any) -> None:
        """Change the budget."""
        found = self.budgets.describe_budget(AccountId=ACCOUNT, BudgetName=BUDGET)["Budget"]
        kept = {key: found[key] for key in ("BudgetName", "BudgetLimit", "CostFilters", "TimeUnit", "BudgetType")}
        self.budgets.update_budget(AccountId=ACCOUNT, NewBudget={**kept, **values})

    def move_threshold(self) -> None:
        """Have the budget's e-mail come later."""
        who = {"AccountId": ACCOUNT, "BudgetName": BUDGET}
        (found,) = self.budgets.describe_notifications_for_budget(**who)["Notifications"]
        old = {key: found[key] for key in ("NotificationType", "ComparisonOperator", "Threshold", "ThresholdType")}
        self.budgets.update_notification(**who, OldNotification=old, NewNotification={**old, "Threshold": 99.0})

    def move_address(self) -> None:
        """Have the budget's e-mail go to somebody else."""
        who = {"AccountId": ACCOUNT, "BudgetName": BUDGET}
        (found,) = self.budgets.describe_notifications_for_budget(**who)["Notifications"]
        notification = {
            key: found[key] for key in ("NotificationType", "ComparisonOperator", "Threshold", "ThresholdType")
        }
        old, new = ({"SubscriptionType": "EMAIL", "Address": each} for each in ("a@example.org", "b@example.org"))
        self.budgets.update_subscriber(**who, Notification=notification, OldSubscriber=old, NewSubscriber=new)


Drift = tuple[str, Callable[[ByHand], object]]
MORE_RIGHTS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
EC2 = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
#: What is changed of each kind of resource, by hand, and the fields that the plan then names.
DRIFTS: dict[str, list[Drift]] = {
    "log group": [
        ("retention", lambda b: b.logs.put_retention_policy(logGroupName=GROUP, retentionInDays=1)),
        ("tags", lambda b: b.logs.tag_resource(
            resourceArn=f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{GROUP}", tags=OTHER_TAG
        )),
    ],
    "role": [
        ("description", lambda b: b.iam.update_role(RoleName=ROLE, Description="x")),
        ("trust", lambda b: b.iam.update_assume_role_policy(
            RoleName=ROLE, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [EC2]})
        )),
        ("policies", lambda b: b.iam.put_role_policy(
            RoleName=ROLE, PolicyName="more", PolicyDocument=json.dumps(MORE_RIGHTS)
        )),
        ("managed_policies", lambda b: b.iam.attach_role_policy(RoleName=ROLE, PolicyArn=ADMINISTRATOR)),
        ("tags", lambda b: b.iam.tag_role(RoleName=ROLE, Tags=[{"Key": "project", "Value": "water"}])),
    ],
    "bucket": [
        ("tags", lambda b: b.s3.put_bucket_tagging(
            Bucket=BUCKET, Tagging={"TagSet": [{"Key": STACK_TAG, "Value": STACK}]}
        )),
        ("public_access_blocked", lambda b: b.s3.delete_public_access_block(Bucket=BUCKET)),
        ("policy", lambda b: b.s3.delete_bucket_policy(Bucket=BUCKET)),
        ("lifecycle", lambda b: b.s3.delete_bucket_lifecycle(Bucket=BUCKET)),
    ],
    "object": [
        ("sha256 size", lambda b: b.s3.put_object(
            Bucket=BUCKET, Key=b.s3.list_objects_v2(Bucket=BUCKET)["Contents"][0]["Key"], Body=b"something else"
        )),
    ],
    "function": [
        ("memory", lambda b: b.configure(MemorySize=512)),
        ("timeout", lambda b: b.configure(Timeout=3)),
        # SnapStart takes no function with more.
        ("storage snap_start", lambda b: b.configure(
            EphemeralStorage={"Size": 1024}, SnapStart={"ApplyOn": "None"}
        )),
        ("handler", lambda b: b.configure(Handler="other.handler")),
        ("description", lambda b: b.configure(Description="x")),
        ("environment", lambda b: b.configure(Environment={"Variables": {"FUNCTION_ALLOW_UNSAFE_EVAL": "true"}})),
        ("runtime", lambda b: b.configure(Runtime="python3.13")),
        ("role", lambda b: b.configure(Role=b.other_role)),
        ("code_sha256", lambda b: b.functions.update_function_code(FunctionName=NAME, ZipFile=b.other_code)),
        ("code_sha256 architecture", lambda b: b.functions.update_function_code(
            FunctionName=NAME, ZipFile=b.other_code, Architectures=["arm64"]
        )),
        ("reserved_concurrency", lambda b: b.functions.put_function_concurrency(
            FunctionName=NAME, ReservedConcurrentExecutions=1
        )),
        ("tags", lambda b: b.functions.tag_resource(Resource=FUNCTION, Tags=OTHER_TAG)),
    ],
    "snapshot": [
        ("settings versions", ByHand.lead_elsewhere),
        ("versions", lambda b: b.publish(MemorySize=256)),
        ("state", lambda b: b.functions.delete_alias(FunctionName=NAME, Name=ALIAS)),
    ],
    "S3 trigger": [
        ("events", lambda b: b.entry(Events=["s3:ObjectCreated:Put"])),
        ("prefix suffix", lambda b: b.entry(Filter={"Key": {"FilterRules": [{"Name": "prefix", "Value": "x/"}]}})),
        ("function", lambda b: b.entry(LambdaFunctionArn=f"{FUNCTION}:{ALIAS}")),
        ("permission", lambda b: b.drop_statement("s3")),
    ],
    "API": [
        ("description", lambda b: b.patch("update_rest_api", "/description", "x")),
        ("binary_media_types", lambda b: b.patch("update_rest_api", "/binaryMediaTypes/image~1png", "")),
        ("execute_api_endpoint", lambda b: b.patch("update_rest_api", "/disableExecuteApiEndpoint", "true")),
        ("tags", lambda b: b.gateway.tag_resource(
            resourceArn=f"arn:aws:apigateway:us-east-1::/restapis/{b.api['restApiId']}", tags=OTHER_TAG
        )),
        ("path method authorization integration", lambda b: b.gateway.delete_resource(**b.method)),
        ("method", lambda b: b.gateway.put_method(**b.method, httpMethod="GET", authorizationType="NONE")),
        ("authorization", lambda b: b.patch(
            "update_method", "/authorizationType", "NONE", httpMethod="ANY", **b.method
        )),
        ("integration", lambda b: b.gateway.delete_integration(**b.method, httpMethod="ANY")),
        ("stage deployed rate_limit burst_limit", lambda b: b.gateway.delete_stage(**b.api, stageName="prod")),
        ("rate_limit", lambda b: b.patch("update_stage", "/*/*/throttling/rateLimit", "1000", stageName="prod")),
        ("burst_limit", lambda b: b.patch("update_stage", "/*/*/throttling/burstLimit", "1000", stageName="prod")),
        ("deployed", lambda b: b.gateway.create_deployment(**b.api, stageName="prod", description="by hand")),
        ("permission", lambda b: b.drop_statement("api")),
        ("copies", lambda b: b.gateway.create_rest_api(name="a copy", tags={STACK_TAG: STACK})),
    ],
    "function URL": [
        ("authorization", lambda b: b.functions.update_function_url_config(FunctionName=NAME, AuthType="NONE")),
        ("invoke_mode", lambda b: b.functions.update_function_url_config(
            FunctionName=NAME, InvokeMode="RESPONSE_STREAM"
        )),
        ("cors", lambda b: b.functions.update_function_url_config(FunctionName=NAME, Cors={"AllowOrigins": ["*"]})),
        ("permissions", lambda b: b.drop_statement("url")),
    ],
    "budget": [
        ("amount", lambda b: b.redefine(BudgetLimit={"Amount": "99", "Unit": "USD"})),
        ("currency", lambda b: b.redefine(BudgetLimit={"Amount": "20", "Unit": "EUR"})),
        ("cost_filter", lambda b: b.redefine(CostFilters={"TagKeyValue": ["user:a$b"]})),
        ("threshold", ByHand.move_threshold),
        ("email", ByHand.move_address),
        ("tags", lambda b: b.budgets.tag_resource(
            ResourceARN=f"arn:aws:budgets::{ACCOUNT}:budget/{BUDGET}",
            ResourceTags=[{"Key": "project", "Value": "water"}],
        )),
    ],
}  # fmt: skip
#: What nobody can change by hand, and what is tried elsewhere.
APART = {
    ("bucket", "region"): "a bucket never moves",
    ("bucket", "encrypted"): "S3 encrypts whatever is put into a bucket: tests/aws/test_s3.py",
    ("object", "bucket"): "its name",
    ("object", "key"): "its name",
    ("S3 trigger", "bucket"): "its name",
    ("API", "function"): "is in its integration",
    ("API", "endpoint_type"): "the embedded AWS does not change it: tests/aws/test_gateway.py",
    ("function", "state"): "nobody sets it: tests/aws/test_functions.py",
}


@pytest.fixture
def by_hand(observer: Any, snapshot_sources: dict[str, Source], overlay: Any) -> Iterator[ByHand]:
    """Made after the overlay, so that what it leaves goes."""
    path = snapshot_sources["two"].function_source_dist_zip
    yield ByHand(observer, Path(path).read_bytes())


def test_every_managed_field_that_drifts_is_named_and_mended(
    make_stack: Callable[..., Stack], snapshot_sources: dict[str, Source], by_hand: ByHand
) -> None:
    def fresh() -> Stack:
        stack = make_stack(**WISH)
        stack.source = snapshot_sources["one"]
        return stack

    plan = fresh().build()
    managed = {(each.resource.kind, field) for each in plan.changes for field, _ in each.resource.managed_fields()}
    tried = {(kind, field) for kind, drifts in DRIFTS.items() for names, _ in drifts for field in names.split()}
    assert tried | APART.keys() == managed
    assert len(tried) >= 50
    # Of every kind one at a time: they do not meddle with each other, and what one build left the next would name.
    for turn in zip_longest(*([(kind, *drift) for drift in drifts] for kind, drifts in DRIFTS.items())):
        expected = {}
        for kind, names, change in filter(None, turn):
            change(by_hand)
            expected[kind] = set(names.split())
        plan = fresh().build()
        assert all(isinstance(each, Update | Keep) for each in plan.changes), str(plan)
        named = {
            each.resource.kind: {difference.field for difference in each.differences}
            for each in plan.changes
            if isinstance(each, Update)
        }
        assert named == expected
    assert fresh().plan().is_empty
    fresh().delete(confirm=True)
    assert fresh().plan_delete().is_empty
