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
    *, partition: str, region: str, account: str, function_name: str, bucket: str, dependencies_key: str, output: str
) -> dict[str, Any]:
    """What the function may do: write its log, read its dependencies, write its results.

    No ``logs:CreateLogGroup``: the log group is made beforehand, so that a late call cannot bring it back.
    """
    logs = f"arn:{partition}:logs:{region}:{account}:log-group:/aws/lambda/{function_name}:*"
    return {
        "Version": _VERSION,
        "Statement": [
            {
                "Sid": "WriteLog",
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": logs,
            },
            {
                "Sid": "ReadDependencies",
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": f"arn:{partition}:s3:::{bucket}/{dependencies_key}",
            },
            {
                "Sid": "WriteResults",
                "Effect": "Allow",
                "Action": "s3:PutObject",
                "Resource": f"arn:{partition}:s3:::{bucket}/{output}/*",
            },
        ],
    }


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
