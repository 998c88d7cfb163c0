"""S3 from inside the function."""

from __future__ import annotations

from typing import Any


def make_s3_client() -> Any:
    """An S3 client with the role of the function; boto3 is imported only when one is needed."""
    import boto3

    return boto3.client("s3")


def aws_reason(error: Exception) -> str:
    """The code AWS gave, or else the type of the error: its text may quote a request with its signature."""
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code", "") if isinstance(response, dict) else ""
    return str(code) or type(error).__name__
