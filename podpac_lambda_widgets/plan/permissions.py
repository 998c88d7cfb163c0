"""What a person needs to be allowed to do: the smallest policies to send to an administrator."""

from __future__ import annotations

from typing import Any, Literal

from podpac_lambda_widgets.errors import InvalidValueError
from podpac_lambda_widgets.plan.account import Identity
from podpac_lambda_widgets.plan.desired import StackNames

Purpose = Literal["deploy", "run", "destroy"]

_READ_ROLE = ("GetRole", "ListRoleTags", "ListRolePolicies", "GetRolePolicy", "ListAttachedRolePolicies")
_READ_BUCKET = ("ListBucket", "GetBucketTagging", "GetBucketPublicAccessBlock", "GetBucketPolicy")

#: Actions by purpose and by what they are done to, without the service's prefix. Each is what one of the calls in the
#: ``aws`` room needs (Service Authorization Reference).
_ACTIONS: dict[Purpose, dict[str, tuple[str, ...]]] = {
    "deploy": {
        "role": (
            *_READ_ROLE,
            *("CreateRole", "TagRole", "UpdateRole", "UpdateAssumeRolePolicy", "PutRolePolicy", "DeleteRolePolicy"),
            "DetachRolePolicy",
        ),
        "bucket": (
            *_READ_BUCKET,
            *("CreateBucket", "PutBucketTagging", "PutBucketPublicAccessBlock", "PutBucketPolicy"),
        ),
        "objects": ("GetObject", "PutObject", "AbortMultipartUpload"),
        "function": (
            *("GetFunction", "GetFunctionConfiguration", "CreateFunction", "UpdateFunctionCode"),
            *("UpdateFunctionConfiguration", "DeleteFunction", "TagResource"),
        ),
        "logs": ("ListTagsForResource", "CreateLogGroup", "PutRetentionPolicy", "TagResource"),
    },
    "run": {"results": ("GetObject",), "function": ("GetFunction", "InvokeFunction"), "logs": ("FilterLogEvents",)},
    "destroy": {
        "role": (*_READ_ROLE, "DetachRolePolicy", "DeleteRolePolicy", "DeleteRole"),
        "bucket": (*_READ_BUCKET, "ListBucketVersions", "ListBucketMultipartUploads", "DeleteBucket"),
        "objects": ("GetObject", "DeleteObject", "DeleteObjectVersion", "AbortMultipartUpload"),
        "function": ("GetFunction", "DeleteFunction"),
        "logs": ("ListTagsForResource", "DeleteLogGroup"),
    },
}
_SERVICES = {
    "role": "iam",
    "bucket": "s3",
    "objects": "s3",
    "results": "s3",
    "function": "lambda",
    "logs": "logs",
}


def policy_for(purpose: Purpose, names: StackNames, identity: Identity) -> dict[str, Any]:
    """The smallest policy with which one stack can be deployed, run or destroyed.

    Parameters
    ----------
    purpose : {"deploy", "run", "destroy"}
    names : StackNames
        The stack's names: the policy is about these resources and no others.
    identity : Identity
        The account and region they are in.

    Raises
    ------
    InvalidValueError
        Another purpose.
    """
    if purpose not in _ACTIONS:
        raise InvalidValueError(
            f"There is no purpose {purpose!r}", field="purpose", next_step="Use deploy, run or destroy."
        )
    resources = _resources(names, identity)
    statements = [
        {
            "Sid": f"{purpose.capitalize()}{part.capitalize()}",
            "Effect": "Allow",
            "Action": sorted(f"{_SERVICES[part]}:{action}" for action in actions),
            "Resource": resources[part],
        }
        for part, actions in _ACTIONS[purpose].items()
    ]
    if purpose == "deploy":
        statements.append(_pass_role(resources["role"]))
    if purpose != "run":
        # Describing log groups cannot be limited to one of them (Service Authorization Reference).
        everywhere = f"arn:{identity.partition}:logs:{identity.region}:{identity.account}:log-group:*"
        statements.append(
            {"Sid": "FindLogs", "Effect": "Allow", "Action": "logs:DescribeLogGroups", "Resource": everywhere}
        )
    return {"Version": "2012-10-17", "Statement": statements}


def _resources(names: StackNames, identity: Identity) -> dict[str, str | list[str]]:
    here = f"{identity.region}:{identity.account}"
    bucket = f"arn:{identity.partition}:s3:::{names.bucket}"
    group = f"arn:{identity.partition}:logs:{here}:log-group:{names.log_group}"
    return {
        "role": f"arn:{identity.partition}:iam::{identity.account}:role/{names.role}",
        "bucket": bucket,
        "objects": f"{bucket}/*",
        "results": f"{bucket}/{names.output}/*",
        "function": f"arn:{identity.partition}:lambda:{here}:function:{names.function}",
        "logs": [group, f"{group}:*"],
    }


def _pass_role(role: str | list[str]) -> dict[str, Any]:
    return {
        "Sid": "DeployPassRole",
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": role,
        "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
    }
