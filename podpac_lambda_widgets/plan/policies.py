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
    data_buckets: tuple[str, ...] = (),
) -> dict[str, Any]:
    """What the function may do: write its log, read its dependencies and the data it was allowed, write its results.

    No ``logs:CreateLogGroup``: the log group is made beforehand, so that a late call cannot bring it back.
    """
    logs = f"arn:{partition}:logs:{region}:{account}:log-group:/aws/lambda/{function_name}:*"
    s3 = f"arn:{partition}:s3:::"
    statements = [
        _allow("WriteLog", ["logs:CreateLogStream", "logs:PutLogEvents"], logs),
        _allow("ReadDependencies", "s3:GetObject", [f"{s3}{bucket}/{key}" for key in dependencies_keys]),
        _allow("WriteResults", "s3:PutObject", f"{s3}{bucket}/{output}/*"),
    ]
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
