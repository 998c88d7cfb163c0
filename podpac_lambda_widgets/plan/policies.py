"""Policy documents: the least that works. Plain functions that return dicts."""

from __future__ import annotations

from typing import Any

#: Name of the inline policy we put on the role.
POLICY_NAME = "podpac-lambda-widgets"
_VERSION = "2012-10-17"


def lambda_trust(account: str) -> dict[str, Any]:
    """Who may use the role: Lambda, on behalf of this account only."""
    return {
        "Version": _VERSION,
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": account}},
            }
        ],
    }


def function_policy(
    *,
    partition: str,
    region: str,
    account: str,
    function_name: str,
    bucket: str,
    dependencies_keys: tuple[str, ...],
    output: str,
    input_prefix: str = "",
    data_buckets: tuple[str, ...] = (),
) -> dict[str, Any]:
    """What the function may do: write its log, read its dependencies and the data it was allowed, write its results.

    It reads its results too: the description of a Zarr array of which it writes a part, and whether a result is there.
    With ``input_prefix``, also the pipelines that are put there. No ``logs:CreateLogGroup``: the log group is made
    beforehand, so that a late call cannot bring it back.
    """
    logs = f"arn:{partition}:logs:{region}:{account}:log-group:/aws/lambda/{function_name}:*"
    s3 = f"arn:{partition}:s3:::"
    statements = [
        _allow("WriteLog", ["logs:CreateLogStream", "logs:PutLogEvents"], logs),
        _allow("ReadDependencies", "s3:GetObject", [f"{s3}{bucket}/{key}" for key in dependencies_keys]),
        _allow("ReadResults", "s3:GetObject", f"{s3}{bucket}/{output}/*"),
        _allow("WriteResults", "s3:PutObject", f"{s3}{bucket}/{output}/*"),
    ]
    if input_prefix:
        statements.append(_allow("ReadInput", "s3:GetObject", f"{s3}{bucket}/{input_prefix}*"))
    if data_buckets:
        statements.append(_allow("ReadData", "s3:GetObject", [f"{s3}{name}/*" for name in data_buckets]))
        statements.append(_allow("ListData", "s3:ListBucket", [f"{s3}{name}" for name in data_buckets]))
    return {"Version": _VERSION, "Statement": statements}


def _allow(name: str, action: str | list[str], resource: str | list[str]) -> dict[str, Any]:
    return {"Sid": name, "Effect": "Allow", "Action": action, "Resource": resource}


def tls_only_statement(partition: str, bucket: str) -> dict[str, Any]:
    """The bucket policy's statement that refuses plain HTTP."""
    return {
        "Sid": "PodpacLambdaWidgetsTlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:{partition}:s3:::{bucket}", f"arn:{partition}:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def s3_permission(identifier: str, *, function_arn: str, bucket_arn: str, account: str) -> dict[str, Any]:
    """The statement of a function's policy that lets S3 call it for one bucket of one account.

    The account stands beside the bucket: a bucket may be deleted, and its name taken by somebody else
    (Lambda API reference, AddPermission).
    """
    return {
        "Sid": identifier,
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": function_arn,
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": account},
            "ArnLike": {"AWS:SourceArn": bucket_arn},
        },
    }


def api_permission(identifier: str, *, function_arn: str, source_arn: str) -> dict[str, Any]:
    """The statement of a function's policy that lets one stage and path of one API call it."""
    return {
        "Sid": identifier,
        "Effect": "Allow",
        "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": function_arn,
        "Condition": {"ArnLike": {"AWS:SourceArn": source_arn}},
    }


def url_permissions(identifier: str, *, function_arn: str, partition: str, account: str, public: bool) -> list[Any]:
    """The two statements of a function's policy that let callers use its URL.

    Since October 2025 a URL takes both actions (Lambda developer guide, "Control access to Lambda function URLs").
    One that is not public is open to the account, whose own policies say to whom in it.
    """
    principal: Any = "*" if public else {"AWS": f"arn:{partition}:iam::{account}:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Resource": function_arn}
    authorization = {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE" if public else "AWS_IAM"}}
    through_url = {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}
    return [
        {**statement, "Sid": identifier, "Action": "lambda:InvokeFunctionUrl", "Condition": authorization},
        {**statement, "Sid": f"{identifier}-invoke", "Action": "lambda:InvokeFunction", "Condition": through_url},
    ]


def lifecycle_rules(function_name: str, *, output: str, archives: str, expiration: int) -> tuple[dict[str, Any], ...]:
    """Our rules in a bucket's lifecycle configuration: uploads that were broken off, and results after some days."""
    identifier = f"podpac-lambda-widgets-{function_name}"
    uploads = {
        "ID": f"{identifier}-uploads",
        "Status": "Enabled",
        "Filter": {"Prefix": archives},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }
    results = {
        "ID": f"{identifier}-results",
        "Status": "Enabled",
        "Filter": {"Prefix": output},
        "Expiration": {"Days": expiration},
        "NoncurrentVersionExpiration": {"NoncurrentDays": expiration},
    }
    return (uploads, results) if expiration else (uploads,)
