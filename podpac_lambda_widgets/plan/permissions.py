"""What a person needs to be allowed to do: the smallest policies to send to an administrator."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal

from podpac_lambda_widgets.errors import InvalidValueError
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.plan.account import Identity
from podpac_lambda_widgets.plan.actions import Grant, grants_for, part_arns
from podpac_lambda_widgets.plan.names import StackNames

Purpose = Literal["deploy", "run", "destroy"]

_READ = (
    "iam.GetRole", "iam.ListRoleTags", "iam.ListRolePolicies", "iam.GetRolePolicy", "iam.ListAttachedRolePolicies",
    "s3.HeadBucket", "s3.GetBucketTagging", "s3.GetPublicAccessBlock", "s3.GetBucketPolicy", "s3.GetBucketEncryption",
    "s3.GetBucketLifecycleConfiguration", "s3.GetBucketNotificationConfiguration", "s3.HeadObject",
    "lambda.GetFunction", "lambda.GetFunctionConfiguration", "lambda.GetPolicy", "lambda.GetFunctionUrlConfig",
    "logs.DescribeLogGroups", "logs.ListTagsForResource",
    "apigateway.GetRestApis", "apigateway.GetRestApi", "apigateway.GetResources", "apigateway.GetStages",
    "apigateway.GetTags", "apigateway.GetDeployment",
    "budgets.DescribeBudget", "budgets.DescribeNotificationsForBudget", "budgets.DescribeSubscribersForNotification",
    "budgets.ListTagsForResource",
    "lambda.GetAccountSettings", "iam.ListRoles", "resourcegroupstaggingapi.GetResources",
    "lock.CreateLogGroup", "lock.ListTagsForResource", "lock.TagResource", "lock.DeleteLogGroup",
)  # fmt: skip
_BUILD = (
    "iam.CreateRole", "iam.TagRole", "iam.UpdateRole", "iam.UpdateAssumeRolePolicy", "iam.PutRolePolicy",
    "iam.DeleteRolePolicy", "iam.DetachRolePolicy",
    "s3.CreateBucket", "s3.PutBucketTagging", "s3.PutPublicAccessBlock", "s3.PutBucketPolicy",
    "s3.PutBucketEncryption", "s3.PutBucketLifecycleConfiguration",
    # A copy that is not the archive that was inspected is taken away again.
    "s3.PutObject", "s3.CreateMultipartUpload", "s3.AbortMultipartUpload", "s3.DeleteObject",
    "lambda.CreateFunction", "lambda.UpdateFunctionCode", "lambda.UpdateFunctionConfiguration",
    "lambda.DeleteFunction", "lambda.TagResource", "lambda.DeleteFunctionConcurrency",
    "logs.CreateLogGroup", "logs.PutRetentionPolicy", "logs.TagResource",
)  # fmt: skip
#: What a wish takes besides, and what takes it away again when it is not wished any more.
_WISHED = {
    "S3": ("s3.PutBucketNotificationConfiguration", "lambda.AddPermission", "lambda.RemovePermission"),
    "APIGateway": (
        "apigateway.CreateRestApi", "apigateway.UpdateRestApi", "apigateway.TagResource", "apigateway.CreateResource",
        "apigateway.DeleteResource", "apigateway.PutMethod", "apigateway.UpdateStage", "lambda.AddPermission",
        "lambda.RemovePermission", "apigateway.DeleteRestApi",
    ),
    "URL": (
        "lambda.CreateFunctionUrlConfig", "lambda.UpdateFunctionUrlConfig", "lambda.DeleteFunctionUrlConfig",
        "lambda.AddPermission", "lambda.RemovePermission",
    ),
    "budget": ("budgets.CreateBudget", "budgets.TagResource", "budgets.DeleteBudget"),
    "concurrency": ("lambda.PutFunctionConcurrency",),
    "managed policies": ("iam.AttachRolePolicy",),
    "SnapStart": (
        "lambda.PublishVersion", "lambda.CreateAlias", "lambda.UpdateAlias", "lambda.DeleteAlias",
        "lambda.GetAlias", "lambda.ListVersionsByFunction", "version.GetFunctionConfiguration",
        "version.DeleteFunction",
    ),
}  # fmt: skip
_DESTROY = (
    "iam.DetachRolePolicy", "iam.DeleteRolePolicy", "iam.DeleteRole",
    "s3.ListObjectVersions", "s3.ListMultipartUploads", "s3.DeleteBucket", "s3.DeleteObjects",
    "s3.AbortMultipartUpload", "s3.PutBucketNotificationConfiguration", "s3.PutBucketLifecycleConfiguration",
    "lambda.DeleteFunction", "lambda.RemovePermission", "lambda.DeleteFunctionUrlConfig",
    "logs.DeleteLogGroup", "apigateway.DeleteRestApi", "budgets.DeleteBudget",
)  # fmt: skip


def wishes_of(deployment: Deployment) -> frozenset[str]:
    """What of a wish takes permissions of its own."""
    wishes = set(deployment.function_triggers) - {"eval"}
    if deployment.function_budget_amount is not None:
        wishes.add("budget")
    if deployment.function_reserved_concurrency is not None:
        wishes.add("concurrency")
    if deployment.function_role_policy_arns:
        wishes.add("managed policies")
    if deployment.function_snap_start:
        wishes.add("SnapStart")
    return frozenset(wishes)


def policy_for(
    purpose: Purpose,
    names: StackNames,
    identity: Identity,
    wishes: Collection[str] = (),
    archives: Sequence[str] = (),
) -> dict[str, Any]:
    """The smallest policy with which one stack can be deployed, run or destroyed.

    It fits a managed policy (6,144 characters) and the inline policy of a role or a group, but to deploy or destroy not
    the inline policy of a user (2,048 characters; IAM user guide, "IAM and STS character quotas").

    Parameters
    ----------
    purpose : {"deploy", "run", "destroy"}
    names : StackNames
        The stack's names: the policy is about these resources and no others.
    identity : Identity
        The account and region they are in.
    wishes : collection of str
        As :func:`wishes_of` gives them.
    archives : sequence of str
        ARNs of the objects that the archives are copied from, to deploy.

    Raises
    ------
    InvalidValueError
        Another purpose.
    """
    grants = grants_to(purpose, names, identity, wishes, archives)
    statements = [_statement(f"{purpose.capitalize()}{number}", grant) for number, grant in enumerate(grants, 1)]
    return {"Version": "2012-10-17", "Statement": statements}


def grants_to(
    purpose: Purpose,
    names: StackNames,
    identity: Identity,
    wishes: Collection[str] = (),
    archives: Sequence[str] = (),
) -> tuple[Grant, ...]:
    """What is granted by the policy of :func:`policy_for`, with the same parameters and errors."""
    match purpose:
        case "deploy":
            grants = grants_for(
                (*_READ, *_BUILD, *(each for wish in wishes for each in _WISHED.get(wish, ()))), names, identity
            )
            if archives:
                grants = (*grants, Grant(("s3:GetObject",), tuple(archives)))
        case "run":
            grants = _run_grants(names, identity, wishes)
        case "destroy":
            grants = grants_for((*_READ, *_DESTROY), names, identity)
        case _:
            raise InvalidValueError(
                f"There is no purpose {purpose!r}", field="purpose", next_step="Use deploy, run or destroy."
            )
    return grants


def _run_grants(names: StackNames, identity: Identity, wishes: Collection[str]) -> tuple[Grant, ...]:
    arns = part_arns(names, identity)
    bucket = arns["bucket"][0]
    call = ["lambda:GetFunction", "lambda:InvokeFunction", "lambda:ListTags"]
    if "URL" in wishes:
        call.append("lambda:InvokeFunctionUrl")
    grants = [
        Grant(("s3:GetObject",), arns["results"]),
        # What is too large for a call, and is taken away again.
        Grant(("s3:PutObject", "s3:DeleteObject"), (f"{bucket}/{names.output}/claims/*",)),
        Grant(tuple(call), arns["function"]),
        Grant(("logs:FilterLogEvents",), arns["logs"]),
    ]
    if "SnapStart" in wishes:
        grants.append(Grant(("lambda:InvokeFunction",), arns["versions"]))
    if "S3" in wishes:
        grants.append(Grant(("s3:PutObject",), (f"{bucket}/{names.input}/*",)))
    if "APIGateway" in wishes:
        # The id of an API is AWS's choice, and another one after it was made anew.
        here = f"{identity.region}:{identity.account}"
        grants.append(
            Grant(("execute-api:Invoke",), (f"arn:{identity.partition}:execute-api:{here}:*/{names.api_path}",))
        )
    return tuple(grants)


def _statement(name: str, grant: Grant) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "Sid": name,
        "Effect": "Allow",
        "Action": list(grant.actions),
        "Resource": list(grant.resources),
    }
    if grant.context:
        statement["Condition"] = {"StringEquals": dict(grant.context)}
    return statement
