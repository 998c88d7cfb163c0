"""S3 from inside the function."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from podpac_lambda_widgets.errors import (
    AwsError,
    InvalidPipelineError,
    ResourceNotFoundError,
)
from podpac_lambda_widgets.remote.wire import StoredAnswer

#: Metadata of every object that the function writes: who wrote it, what it holds, and what it is the result of.
STACK_METADATA = "podpac-lambda-widgets-stack"
SHA256_METADATA = "podpac-lambda-widgets-sha256"
REQUEST_METADATA = "podpac-lambda-widgets-request"

#: S3's codes for a conditional write that found something (S3 API reference, PutObject, If-None-Match).
_EXISTS = ("PreconditionFailed", "412")


def make_s3_client() -> Any:
    """An S3 client with the role of the function; boto3 is imported only when one is needed."""
    import boto3

    return boto3.client("s3")


def aws_reason(error: Exception) -> str:
    """The code AWS gave, or else the type of the error: its text may quote a request with its signature."""
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code", "") if isinstance(response, dict) else ""
    return str(code) or type(error).__name__


@dataclass
class StackBucket:
    """The bucket of the function's stack.

    Parameters
    ----------
    name : str
        Empty when the function has none.
    input, output : str
        Folders, without a slash at either end. Without S3 trigger there is no input folder.
    stack : str
        The stack that the function belongs to.
    make_client : callable
        Makes the S3 client when one is needed.
    owner : str, optional
        Account of the stack: the name of a bucket that was deleted may be taken by somebody else.
    """

    name: str
    input: str
    output: str
    stack: str
    make_client: Callable[[], Any] = field(default=make_s3_client, repr=False, compare=False)
    owner: str = ""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], make_client: Callable[[], Any]) -> StackBucket:
        """Read the places from the function's environment variables."""
        return cls(
            name=environ.get("S3_BUCKET_NAME", ""),
            input=environ.get("FUNCTION_S3_INPUT", "").strip("/"),
            output=environ.get("FUNCTION_S3_OUTPUT", "").strip("/") or "output",
            stack=environ.get("FUNCTION_STACK", ""),
            make_client=make_client,
        )

    @cached_property
    def _client(self) -> Any:
        return self.make_client()

    def _object(self, key: str) -> dict[str, str]:
        return {"Bucket": self.name, "Key": key, **({"ExpectedBucketOwner": self.owner} if self.owner else {})}

    def put(self, key: str, body: bytes, *, content_type: str, request_sha256: str = "") -> StoredAnswer:
        """Store an object, with what is needed to tell later whose it is and what it holds.

        Parameters
        ----------
        key : str
        body : bytes
        content_type : str
        request_sha256 : str, optional
            The name of the computation that this is the result of.

        Raises
        ------
        AwsError
            S3 did not take it.
        """
        return StoredAnswer(self.name, key, self._put(key, body, content_type, request_sha256), len(body))

    def _put(self, key: str, body: bytes, content_type: str, request_sha256: str, **condition: str) -> str:
        sha256 = hashlib.sha256(body)
        metadata = {
            STACK_METADATA: self.stack,
            SHA256_METADATA: sha256.hexdigest(),
            REQUEST_METADATA: request_sha256,
        }
        try:
            self._client.put_object(
                **self._object(key),
                Body=body,
                ContentType=content_type,
                ChecksumSHA256=base64.b64encode(sha256.digest()).decode(),
                Metadata={name: value for name, value in metadata.items() if value},
                **condition,
            )
        except Exception as error:  # noqa: BLE001 - botocore's errors, whose types cannot be imported without it
            raise AwsError(
                "The result could not be stored",
                resource=self._place(key),
                why=aws_reason(error),
                next_step="Check that the function's role may put objects there",
                code=aws_reason(error),
            ) from None
        return sha256.hexdigest()

    def put_new(self, key: str, body: bytes, *, content_type: str) -> bool:
        """Store an object where there is none, and say whether there was none.

        Raises
        ------
        AwsError
            S3 gave another answer.
        """
        try:
            self._put(key, body, content_type, "", IfNoneMatch="*")
        except AwsError as error:
            if error.code in _EXISTS:
                return False
            raise
        return True

    def has_result(self, key: str, request_sha256: str) -> bool:
        """Whether the result of exactly this computation is stored there, and undamaged.

        What cannot be seen is not there: where a role may list only some folders, S3 may answer 403 for 404.

        Raises
        ------
        AwsError
            S3 gave another answer.
        """
        try:
            head = self._client.head_object(**self._object(key), ChecksumMode="ENABLED")
        except Exception as error:  # noqa: BLE001 - as above
            if _status(error) in (403, 404):
                return False
            raise AwsError(
                "S3 did not say whether the result is there already", resource=self._place(key), why=aws_reason(error)
            ) from None
        metadata = head.get("Metadata", {})
        stored = base64.b64decode(head.get("ChecksumSHA256", "")).hex()
        promised = metadata.get(SHA256_METADATA)
        return bool(metadata.get(REQUEST_METADATA) == request_sha256 and stored in ("", promised))

    def read(self, key: str, limit: int) -> bytes:
        """Read an object of at most `limit` bytes; a larger one is refused before it is read.

        Raises
        ------
        InvalidPipelineError
            Too large.
        ResourceNotFoundError
            There is no such object.
        AwsError
            S3 did not give it.
        """
        try:
            found = self._client.get_object(**self._object(key))
            with found["Body"] as stream:
                size = int(found["ContentLength"])
                body: bytes = stream.read() if size <= limit else b""
        except Exception as error:  # noqa: BLE001 - as above
            kind = ResourceNotFoundError if _status(error) == 404 else AwsError
            raise kind(
                "The pipeline could not be read",
                resource=self._place(key),
                why=aws_reason(error),
                next_step="Check that it is still there and that the function's role may get it",
            ) from None
        if size > limit:
            raise InvalidPipelineError(
                "The pipeline is too large",
                field=self._place(key),
                why=f"{size:,} bytes; the limit is {limit:,}",
                next_step="Read large arrays from a bucket instead of writing them into the pipeline",
            )
        return body

    def _place(self, key: str) -> str:
        return ascii(f"s3://{self.name}/{key}")[1:-1]


def _status(error: Exception) -> int:
    response = getattr(error, "response", None)
    found = response.get("ResponseMetadata", {}).get("HTTPStatusCode") if isinstance(response, dict) else None
    return found if isinstance(found, int) else 0
