"""Everything there is in an account, to compare before and after; and what others have in it."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

Inventory = dict[str, dict[str, Any]]

#: What passes by itself in a function's configuration.
_PASSING = ("State", "StateReason", "StateReasonCode", "LastUpdateStatus", "LastUpdateStatusReason")
#: What S3 says where a setting was never made.
_UNSET = (
    "NoSuchTagSet",
    "NoSuchBucketPolicy",
    "NoSuchLifecycleConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "ServerSideEncryptionConfigurationNotFoundError",
    "ResourceNotFoundException",
)
#: One setting of a bucket each.
_BUCKET_SETTINGS = (
    "get_bucket_tagging",
    "get_bucket_policy",
    "get_bucket_versioning",
    "get_bucket_encryption",
    "get_bucket_lifecycle_configuration",
    "get_bucket_notification_configuration",
    "get_public_access_block",
)


def read_inventory(session: Any) -> Inventory:
    """Every resource of every kind that we make, by kind and name, with all that AWS tells of it."""
    return {
        "roles": _read_roles(session.client("iam")),
        "buckets": _read_buckets(session.client("s3")),
        "functions": _read_functions(session.client("lambda")),
        "log groups": _read_log_groups(session.client("logs")),
        "apis": _read_apis(session.client("apigateway")),
        "budgets": _read_budgets(session),
    }


def _body(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def _or_none(call: Callable[..., dict[str, Any]], **params: Any) -> dict[str, Any] | None:
    try:
        return _body(call(**params))
    except ClientError as error:
        if error.response["Error"]["Code"] not in _UNSET:
            raise
        return None


def _read_roles(iam: Any) -> dict[str, Any]:
    found = {}
    for role in iam.get_paginator("list_roles").paginate().build_full_result()["Roles"]:
        name = role["RoleName"]
        inline = iam.list_role_policies(RoleName=name)["PolicyNames"]
        found[name] = {
            "role": {key: value for key, value in role.items() if key != "RoleLastUsed"},
            "tags": iam.list_role_tags(RoleName=name)["Tags"],
            "inline": [iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"] for each in inline],
            "attached": iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"],
        }
    return found


def _read_buckets(s3: Any) -> dict[str, Any]:
    return {bucket["Name"]: _read_bucket(s3, bucket["Name"]) for bucket in s3.list_buckets()["Buckets"]}


def _read_bucket(s3: Any, name: str) -> dict[str, Any]:
    versions = _body(s3.list_object_versions(Bucket=name))
    uploads = s3.list_multipart_uploads(Bucket=name).get("Uploads", [])
    settings = {setting: _or_none(getattr(s3, setting), Bucket=name) for setting in _BUCKET_SETTINGS}
    return {
        "versions": [*versions.get("Versions", []), *versions.get("DeleteMarkers", [])],
        "uploads": [(upload["Key"], upload["UploadId"]) for upload in uploads],
        **settings,
    }


def _read_functions(client: Any) -> dict[str, Any]:
    found = {}
    for each in client.get_paginator("list_functions").paginate().build_full_result()["Functions"]:
        name = each["FunctionName"]
        found[name] = {
            "configuration": {key: value for key, value in each.items() if key not in _PASSING},
            "tags": client.list_tags(Resource=each["FunctionArn"])["Tags"],
            "policy": (_or_none(client.get_policy, FunctionName=name) or {}).get("Policy"),
            "url": _or_none(client.get_function_url_config, FunctionName=name),
            "concurrency": _or_none(client.get_function_concurrency, FunctionName=name),
        }
    return found


def _read_log_groups(logs: Any) -> dict[str, Any]:
    groups = logs.get_paginator("describe_log_groups").paginate().build_full_result()["logGroups"]
    return {
        group["logGroupName"]: {
            "group": {key: value for key, value in group.items() if key != "storedBytes"},
            "tags": logs.list_tags_for_resource(resourceArn=group["arn"].removesuffix(":*"))["tags"],
        }
        for group in groups
    }


def _read_apis(client: Any) -> dict[str, Any]:
    # By id: several may bear one name.
    return {
        api["id"]: {
            "api": api,
            "resources": client.get_resources(restApiId=api["id"], embed=["methods"])["items"],
            "stages": client.get_stages(restApiId=api["id"])["item"],
        }
        for api in client.get_paginator("get_rest_apis").paginate().build_full_result()["items"]
    }


def _read_budgets(session: Any) -> dict[str, Any]:
    client, account = session.client("budgets"), session.client("sts").get_caller_identity()["Account"]
    budgets = client.describe_budgets(AccountId=account).get("Budgets", [])
    return {
        budget["BudgetName"]: {
            "budget": {key: value for key, value in budget.items() if key != "LastUpdatedTime"},
            "notifications": _body(
                client.describe_notifications_for_budget(AccountId=account, BudgetName=budget["BudgetName"])
            ),
        }
        for budget in budgets
    }


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("handler.py", "def handler(event, context):\n    return 0\n")
    return file.getvalue()


class ForeignWorld:
    """What others have in the account, named so that a careless search would take it for ours."""

    def __init__(self, session: Any, function_name: str) -> None:
        self._session = session
        self.bucket, self.function = "somebody-elses-bucket", f"{function_name}-2"
        self.role, self.group = f"{function_name}-us-east-1-2", f"/aws/lambda/{function_name}-2"
        self.api, self.budget = f"{function_name}-api", f"{function_name}-us-east-1-budget-2"
        self._api_id = ""

    def plant(self) -> None:
        """Make all of it."""
        self._plant_role()
        self._plant_function()
        self._plant_bucket()
        logs = self._session.client("logs")
        logs.create_log_group(logGroupName=self.group, tags={"owner": "somebody"})
        logs.put_retention_policy(logGroupName=self.group, retentionInDays=7)
        self._plant_api()
        self._session.client("budgets").create_budget(
            AccountId=self._account(),
            Budget={
                "BudgetName": self.budget,
                "BudgetLimit": {"Amount": "5", "Unit": "USD"},
                "TimeUnit": "MONTHLY",
                "BudgetType": "COST",
            },
        )

    def _account(self) -> str:
        return str(self._session.client("sts").get_caller_identity()["Account"])

    def _plant_role(self) -> None:
        iam = self._session.client("iam")
        statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        made = iam.create_role(RoleName=self.role, AssumeRolePolicyDocument=trust, Tags=[{"Key": "a", "Value": "b"}])
        self._role_arn = made["Role"]["Arn"]
        rights = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}
        iam.put_role_policy(RoleName=self.role, PolicyName="theirs", PolicyDocument=json.dumps(rights))
        iam.attach_role_policy(RoleName=self.role, PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")

    def _plant_function(self) -> None:
        client = self._session.client("lambda")
        self._function_arn = client.create_function(
            FunctionName=self.function,
            Runtime="python3.11",
            Role=self._role_arn,
            Handler="handler.handler",
            Code={"ZipFile": _zip()},
            Tags={"owner": "somebody"},
        )["FunctionArn"]
        client.add_permission(
            FunctionName=self.function,
            StatementId="theirs",
            Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com",
            SourceArn=f"arn:aws:s3:::{self.bucket}",
            SourceAccount=self._account(),
        )
        client.create_function_url_config(FunctionName=self.function, AuthType="AWS_IAM")
        client.put_function_concurrency(FunctionName=self.function, ReservedConcurrentExecutions=1)

    def _plant_bucket(self) -> None:
        s3 = self._session.client("s3")
        s3.create_bucket(Bucket=self.bucket)
        s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        for key in ("archives/podpac_dist.zip", "output/result.nc", "input/pipeline.txt"):
            s3.put_object(Bucket=self.bucket, Key=key, Body=key.encode())
        s3.create_multipart_upload(Bucket=self.bucket, Key="output/unfinished.nc")
        s3.put_bucket_tagging(Bucket=self.bucket, Tagging={"TagSet": [{"Key": "owner", "Value": "somebody"}]})
        rule = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "old/"}, "Expiration": {"Days": 1}}
        s3.put_bucket_lifecycle_configuration(Bucket=self.bucket, LifecycleConfiguration={"Rules": [rule]})
        entry = {"Id": "theirs", "LambdaFunctionArn": self._function_arn, "Events": ["s3:ObjectRemoved:*"]}
        s3.put_bucket_notification_configuration(
            Bucket=self.bucket, NotificationConfiguration={"LambdaFunctionConfigurations": [entry]}
        )

    def _plant_api(self) -> None:
        client = self._session.client("apigateway")
        self._api_id = client.create_rest_api(name=self.api, description="somebody's")["id"]
        root = client.get_resources(restApiId=self._api_id)["items"][0]["id"]
        path = client.create_resource(restApiId=self._api_id, parentId=root, pathPart="eval")["id"]
        client.put_method(restApiId=self._api_id, resourceId=path, httpMethod="GET", authorizationType="NONE")
        client.put_integration(restApiId=self._api_id, resourceId=path, httpMethod="GET", type="MOCK")
        client.create_deployment(restApiId=self._api_id, stageName="prod")


def scrub(session: Any, before: Inventory) -> None:
    """Take away everything that was not there before, so that what one case leaves does not spoil the next."""
    now = read_inventory(session)
    new = {kind: [name for name in found if name not in before[kind]] for kind, found in now.items()}
    s3, iam = session.client("s3"), session.client("iam")
    for name in new["buckets"]:
        for key, upload in now["buckets"][name]["uploads"]:
            s3.abort_multipart_upload(Bucket=name, Key=key, UploadId=upload)
        for each in now["buckets"][name]["versions"]:
            s3.delete_object(Bucket=name, Key=each["Key"], VersionId=each["VersionId"])
        s3.delete_bucket(Bucket=name)
    for name in new["roles"]:
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        for policy in now["roles"][name]["attached"]:
            iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
        iam.delete_role(RoleName=name)
    for name in new["functions"]:
        # The embedded AWS keeps a URL beyond its function.
        with contextlib.suppress(ClientError):
            session.client("lambda").delete_function_url_config(FunctionName=name)
        session.client("lambda").delete_function(FunctionName=name)
    for name in new["log groups"]:
        session.client("logs").delete_log_group(logGroupName=name)
    for name in new["apis"]:
        session.client("apigateway").delete_rest_api(restApiId=name)
    for name in new["budgets"]:
        account = session.client("sts").get_caller_identity()["Account"]
        session.client("budgets").delete_budget(AccountId=account, BudgetName=name)


def compare(before: Inventory, after: Inventory) -> list[str]:
    """What is not as it was, one sentence each; empty when all is."""
    told = []
    for kind, found in before.items():
        for name in sorted({*found, *after[kind]}):
            if name not in found:
                told.append(f"left behind: {kind} {name}: {after[kind][name]}")
            elif name not in after[kind]:
                told.append(f"gone though foreign: {kind} {name}")
            elif found[name] != after[kind][name]:
                told.append(f"changed though foreign: {kind} {name}: {found[name]} -> {after[kind][name]}")
    return told
