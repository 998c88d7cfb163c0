"""Which permissions each call of AWS takes, and on what.

After AWS's Service Authorization Reference. Every call that the ``aws`` room makes is in :data:`OPERATIONS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from podpac_lambda_widgets.plan.account import Identity
from podpac_lambda_widgets.plan.names import ROLE_PATH, StackNames


@dataclass(frozen=True)
class Grant:
    """Actions on one resource.

    Parameters
    ----------
    actions : tuple of str
        Such as ``"lambda:CreateFunction"``.
    resources : tuple of str
        The ARNs of what they are done to.
    context : mapping of str to str
        Values of condition keys that AWS sees with the request.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    context: Mapping[str, str] = field(default_factory=dict)


#: IAM's actions for each operation (``service.Operation``, by boto3's service and the API's own names), by what they
#: are done to: a part of the stack, see :func:`part_arns`.
OPERATIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "sts.GetCallerIdentity": {},
    "iam.GetRole": {"role": ("iam:GetRole",)},
    "iam.ListRoleTags": {"our roles": ("iam:ListRoleTags",)},
    "iam.ListRolePolicies": {"role": ("iam:ListRolePolicies",)},
    "iam.GetRolePolicy": {"role": ("iam:GetRolePolicy",)},
    "iam.ListAttachedRolePolicies": {"role": ("iam:ListAttachedRolePolicies",)},
    "iam.ListRoles": {"everything": ("iam:ListRoles",)},
    "iam.CreateRole": {"role": ("iam:CreateRole", "iam:TagRole")},
    "iam.TagRole": {"role": ("iam:TagRole",)},
    "iam.UpdateRole": {"role": ("iam:UpdateRole",)},
    "iam.UpdateAssumeRolePolicy": {"role": ("iam:UpdateAssumeRolePolicy",)},
    "iam.PutRolePolicy": {"role": ("iam:PutRolePolicy",)},
    "iam.DeleteRolePolicy": {"role": ("iam:DeleteRolePolicy",)},
    "iam.AttachRolePolicy": {"role": ("iam:AttachRolePolicy",)},
    "iam.DetachRolePolicy": {"role": ("iam:DetachRolePolicy",)},
    "iam.DeleteRole": {"role": ("iam:DeleteRole",)},
    "s3.HeadBucket": {"bucket": ("s3:ListBucket",)},
    "s3.GetBucketTagging": {"bucket": ("s3:GetBucketTagging",)},
    "s3.GetPublicAccessBlock": {"bucket": ("s3:GetBucketPublicAccessBlock",)},
    "s3.GetBucketPolicy": {"bucket": ("s3:GetBucketPolicy",)},
    "s3.GetBucketEncryption": {"bucket": ("s3:GetEncryptionConfiguration",)},
    "s3.GetBucketLifecycleConfiguration": {"bucket": ("s3:GetLifecycleConfiguration",)},
    "s3.GetBucketNotificationConfiguration": {"bucket": ("s3:GetBucketNotification",)},
    "s3.CreateBucket": {"bucket": ("s3:CreateBucket", "s3:TagResource")},
    "s3.PutBucketTagging": {"bucket": ("s3:PutBucketTagging",)},
    "s3.PutPublicAccessBlock": {"bucket": ("s3:PutBucketPublicAccessBlock",)},
    "s3.PutBucketPolicy": {"bucket": ("s3:PutBucketPolicy",)},
    "s3.PutBucketEncryption": {"bucket": ("s3:PutEncryptionConfiguration",)},
    "s3.PutBucketLifecycleConfiguration": {"bucket": ("s3:PutLifecycleConfiguration",)},
    "s3.PutBucketNotificationConfiguration": {"bucket": ("s3:PutBucketNotification",)},
    "s3.DeleteBucketLifecycle": {"bucket": ("s3:PutLifecycleConfiguration",)},
    "s3.ListObjectsV2": {"bucket": ("s3:ListBucket",)},
    "s3.ListObjectVersions": {"bucket": ("s3:ListBucketVersions",)},
    "s3.ListMultipartUploads": {"bucket": ("s3:ListBucketMultipartUploads",)},
    "s3.DeleteBucket": {"bucket": ("s3:DeleteBucket",)},
    "s3.HeadObject": {"objects": ("s3:GetObject",)},
    "s3.GetObject": {"objects": ("s3:GetObject",)},
    "s3.PutObject": {"objects": ("s3:PutObject",)},
    "s3.CreateMultipartUpload": {"objects": ("s3:PutObject",)},
    "s3.UploadPart": {"objects": ("s3:PutObject",)},
    "s3.CompleteMultipartUpload": {"objects": ("s3:PutObject",)},
    "s3.AbortMultipartUpload": {"objects": ("s3:AbortMultipartUpload",)},
    "s3.CopyObject": {"objects": ("s3:PutObject", "s3:GetObject")},
    "s3.DeleteObject": {"objects": ("s3:DeleteObject",)},
    "s3.DeleteObjects": {"objects": ("s3:DeleteObject", "s3:DeleteObjectVersion")},
    # Lambda gives a function's tags only to who may list them.
    "lambda.GetFunction": {"function": ("lambda:GetFunction", "lambda:ListTags")},
    "lambda.GetFunctionConfiguration": {"function": ("lambda:GetFunctionConfiguration",)},
    "lambda.CreateFunction": {
        "function": ("lambda:CreateFunction", "lambda:TagResource"),
        "passed role": ("iam:PassRole",),
        "objects": ("s3:GetObject",),
    },
    "lambda.UpdateFunctionCode": {"function": ("lambda:UpdateFunctionCode",), "objects": ("s3:GetObject",)},
    "lambda.UpdateFunctionConfiguration": {
        "function": ("lambda:UpdateFunctionConfiguration",),
        "passed role": ("iam:PassRole",),
    },
    "lambda.DeleteFunction": {"function": ("lambda:DeleteFunction",)},
    "lambda.GetAlias": {"function": ("lambda:GetAlias",)},
    "lambda.ListVersionsByFunction": {"function": ("lambda:ListVersionsByFunction",)},
    "lambda.PublishVersion": {"function": ("lambda:PublishVersion",)},
    "lambda.CreateAlias": {"function": ("lambda:CreateAlias",)},
    "lambda.UpdateAlias": {"function": ("lambda:UpdateAlias",)},
    "lambda.DeleteAlias": {"function": ("lambda:DeleteAlias",)},
    "version.GetFunctionConfiguration": {"versions": ("lambda:GetFunctionConfiguration",)},
    "version.DeleteFunction": {"versions": ("lambda:DeleteFunction",)},
    "lambda.TagResource": {"function": ("lambda:TagResource",)},
    "lambda.PutFunctionConcurrency": {"function": ("lambda:PutFunctionConcurrency",)},
    "lambda.DeleteFunctionConcurrency": {"function": ("lambda:DeleteFunctionConcurrency",)},
    "lambda.GetPolicy": {"function": ("lambda:GetPolicy",)},
    "lambda.AddPermission": {"function": ("lambda:AddPermission",)},
    "lambda.RemovePermission": {"function": ("lambda:RemovePermission",)},
    "lambda.GetFunctionUrlConfig": {"function": ("lambda:GetFunctionUrlConfig",)},
    "lambda.CreateFunctionUrlConfig": {"function": ("lambda:CreateFunctionUrlConfig",)},
    "lambda.UpdateFunctionUrlConfig": {"function": ("lambda:UpdateFunctionUrlConfig",)},
    "lambda.DeleteFunctionUrlConfig": {"function": ("lambda:DeleteFunctionUrlConfig",)},
    "lambda.GetAccountSettings": {"everything": ("lambda:GetAccountSettings",)},
    "resourcegroupstaggingapi.GetResources": {"everything": ("tag:GetResources",)},
    "lambda.Invoke": {"function": ("lambda:InvokeFunction",)},
    # Describing log groups cannot be limited to one of them.
    "logs.DescribeLogGroups": {"all logs": ("logs:DescribeLogGroups",)},
    "logs.ListTagsForResource": {"logs": ("logs:ListTagsForResource",)},
    "logs.CreateLogGroup": {"logs": ("logs:CreateLogGroup", "logs:TagResource")},
    "logs.PutRetentionPolicy": {"logs": ("logs:PutRetentionPolicy",)},
    "logs.TagResource": {"logs": ("logs:TagResource",)},
    "logs.DeleteLogGroup": {"logs": ("logs:DeleteLogGroup",)},
    "logs.FilterLogEvents": {"logs": ("logs:FilterLogEvents",)},
    "lock.ListTagsForResource": {"lock": ("logs:ListTagsForResource",)},
    "lock.CreateLogGroup": {"lock": ("logs:CreateLogGroup", "logs:TagResource")},
    "lock.TagResource": {"lock": ("logs:TagResource",)},
    "lock.DeleteLogGroup": {"lock": ("logs:DeleteLogGroup",)},
    # API Gateway's actions are the verbs of its own web interface.
    "apigateway.GetRestApis": {"apis": ("apigateway:GET",)},
    "apigateway.GetRestApi": {"api": ("apigateway:GET",)},
    "apigateway.GetResources": {"api": ("apigateway:GET",)},
    "apigateway.GetStages": {"api": ("apigateway:GET",)},
    "apigateway.GetTags": {"api tags": ("apigateway:GET",)},
    "apigateway.GetDeployment": {"api": ("apigateway:GET",)},
    "apigateway.CreateRestApi": {"apis": ("apigateway:POST",), "api tags": ("apigateway:PUT",)},
    "apigateway.UpdateRestApi": {"api": ("apigateway:PATCH",)},
    "apigateway.TagResource": {"api tags": ("apigateway:PUT",)},
    "apigateway.CreateResource": {"api": ("apigateway:POST",)},
    "apigateway.DeleteResource": {"api": ("apigateway:DELETE",)},
    "apigateway.PutMethod": {"api": ("apigateway:PUT",)},
    "apigateway.UpdateMethod": {"api": ("apigateway:PATCH",)},
    "apigateway.DeleteMethod": {"api": ("apigateway:DELETE",)},
    "apigateway.PutIntegration": {"api": ("apigateway:PUT",)},
    "apigateway.CreateDeployment": {"api": ("apigateway:POST",)},
    "apigateway.DeleteDeployment": {"api": ("apigateway:DELETE",)},
    "apigateway.CreateStage": {"api": ("apigateway:POST",)},
    "apigateway.UpdateStage": {"api": ("apigateway:PATCH",)},
    "apigateway.DeleteStage": {"api": ("apigateway:DELETE",)},
    "apigateway.DeleteRestApi": {"api": ("apigateway:DELETE",)},
    "budgets.DescribeBudget": {"budget": ("budgets:ViewBudget",)},
    "budgets.DescribeNotificationsForBudget": {"budget": ("budgets:ViewBudget",)},
    "budgets.DescribeSubscribersForNotification": {"budget": ("budgets:ViewBudget",)},
    "budgets.ListTagsForResource": {"budget": ("budgets:ListTagsForResource",)},
    "budgets.CreateBudget": {"budget": ("budgets:ModifyBudget", "budgets:TagResource")},
    "budgets.UpdateBudget": {"budget": ("budgets:ModifyBudget",)},
    "budgets.CreateNotification": {"budget": ("budgets:ModifyBudget",)},
    "budgets.UpdateNotification": {"budget": ("budgets:ModifyBudget",)},
    "budgets.DeleteNotification": {"budget": ("budgets:ModifyBudget",)},
    "budgets.CreateSubscriber": {"budget": ("budgets:ModifyBudget",)},
    "budgets.UpdateSubscriber": {"budget": ("budgets:ModifyBudget",)},
    "budgets.DeleteSubscriber": {"budget": ("budgets:ModifyBudget",)},
    "budgets.TagResource": {"budget": ("budgets:TagResource",)},
    "budgets.DeleteBudget": {"budget": ("budgets:ModifyBudget",)},
}


def part_arns(names: StackNames, identity: Identity) -> dict[str, tuple[str, ...]]:
    """The ARNs of the parts of a stack that permissions are given on."""
    arn, here = f"arn:{identity.partition}", f"{identity.region}:{identity.account}"
    bucket = f"{arn}:s3:::{names.bucket}"
    group = f"{arn}:logs:{here}:log-group:{names.log_group}"
    lock = f"{arn}:logs:{here}:log-group:{names.lock}"
    role = f"{arn}:iam::{identity.account}:role{names.role_path}{names.role}"
    gateway = f"{arn}:apigateway:{identity.region}:"
    return {
        "role": (role,),
        "passed role": (role,),
        "our roles": (f"{arn}:iam::{identity.account}:role{ROLE_PATH}*",),
        # What AWS does not let be limited to anything.
        "everything": ("*",),
        "bucket": (bucket,),
        "objects": (f"{bucket}/*",),
        "results": (f"{bucket}/{names.output}/*",),
        "function": (f"{arn}:lambda:{here}:function:{names.function}",),
        "versions": (f"{arn}:lambda:{here}:function:{names.function}:*",),
        "logs": (group, f"{group}:*"),
        "lock": (lock, f"{lock}:*"),
        "all logs": (f"{arn}:logs:{here}:log-group:*",),
        "apis": (f"{gateway}:/restapis",),
        "api": (f"{gateway}:/restapis/*",),
        "api tags": (f"{gateway}:/tags/*",),
        "budget": (f"{arn}:budgets::{identity.account}:budget/{names.budget}",),
    }


#: What AWS sees beside the request to pass a role.
PASSED_TO = {"iam:PassedToService": "lambda.amazonaws.com"}


def grants_for(operations: Iterable[str], names: StackNames, identity: Identity) -> tuple[Grant, ...]:
    """The permissions that some operations take, one grant for each part of the stack."""
    parts: dict[str, set[str]] = {}
    for operation in operations:
        for part, actions in OPERATIONS[operation].items():
            parts.setdefault(part, set()).update(actions)
    arns = part_arns(names, identity)
    return tuple(
        Grant(tuple(sorted(actions)), arns[part], PASSED_TO if part == "passed role" else {})
        for part, actions in parts.items()
    )
