"""What botocore raises, in our words; and waiting for what AWS has no waiter for."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from botocore import exceptions as botocore_errors

from podpac_lambda_widgets.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    EndpointUnreachableError,
    ExpiredCredentialsError,
    InvalidValueError,
    NoCredentialsError,
    PodpacLambdaError,
    ResourceNotFoundError,
    ThrottledError,
    WrongCredentialsError,
)

Answer = TypeVar("Answer")

_WRONG = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "IncompleteSignature",
    "MissingAuthenticationToken",
    "AuthFailure",
}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AllAccessDisabled", "403", "Forbidden"}
_MISSING = {
    "NoSuchEntity",
    "NoSuchBucket",
    "NoSuchKey",
    "ResourceNotFoundException",
    "NotFoundException",
    "NotFound",
    "404",
}
_THROTTLED = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "SlowDown",
    "EC2ThrottledException",
}


class Clock(Protocol):
    """Time, so that tests can own it."""

    def monotonic(self) -> float:
        """Seconds from some fixed moment."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's own time."""

    def monotonic(self) -> float:
        """Seconds from some fixed moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def error_code(error: BaseException) -> str:
    """AWS's code of an error, or an empty string."""
    if isinstance(error, botocore_errors.ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return ""


def error_message(error: BaseException) -> str:
    """AWS's own words."""
    if isinstance(error, botocore_errors.ClientError):
        return str(error.response.get("Error", {}).get("Message", ""))
    return str(error)


def translate(error: Exception, what: str, resource: str = "") -> PodpacLambdaError:
    """The typed error for something botocore raised.

    Parameters
    ----------
    error : Exception
        A ``ClientError`` or another error of botocore's.
    what : str
        What was being done, such as ``"Creating the role"``.
    resource : str, optional
        The resource it was done to.
    """
    if isinstance(error, botocore_errors.ClientError):
        return _translate_answer(error, what, resource)
    if isinstance(error, botocore_errors.NoCredentialsError | botocore_errors.PartialCredentialsError):
        return NoCredentialsError(
            "No AWS credentials were found",
            why=str(error),
            next_step="Enter a key, choose a profile, or use the embedded AWS.",
        )
    if isinstance(error, botocore_errors.TokenRetrievalError | botocore_errors.UnauthorizedSSOTokenError):
        return ExpiredCredentialsError(
            "The sign-in has expired", why=str(error), next_step="Run `aws sso login` and connect again."
        )
    if isinstance(error, botocore_errors.CredentialRetrievalError):
        return CredentialsError("AWS credentials could not be read", why=str(error), next_step="Check the profile.")
    if isinstance(error, botocore_errors.HTTPClientError | botocore_errors.ConnectionError):
        return EndpointUnreachableError(
            f"{what} failed: AWS could not be reached",
            resource=resource,
            why=_mask_url(str(error)),
            next_step="Check the network, a proxy, and AWS_ENDPOINT_URL if it is set.",
        )
    if isinstance(error, botocore_errors.NoRegionError):
        return InvalidValueError(
            "No region was chosen", field="region", next_step="Choose a region, such as us-east-1."
        )
    return AwsError(f"{what} failed", resource=resource, why=_mask_url(str(error)))


def _translate_answer(error: botocore_errors.ClientError, what: str, resource: str) -> PodpacLambdaError:
    code, message = error_code(error), error_message(error)
    request_id = str(error.response.get("ResponseMetadata", {}).get("RequestId", ""))
    if code in _EXPIRED:
        return ExpiredCredentialsError(
            "The session token has expired",
            why=message,
            next_step="Get new credentials and connect again.",
            code=code,
            request_id=request_id,
        )
    if code in _WRONG:
        return WrongCredentialsError(
            "AWS does not accept these credentials",
            why=message,
            next_step="Check the access key ID and the secret; a key that begins with ASIA needs a session token.",
            code=code,
            request_id=request_id,
        )
    if code in _DENIED:
        return _denied(error, what, resource, request_id)
    kind = ResourceNotFoundError if code in _MISSING else ThrottledError if code in _THROTTLED else AwsError
    step = "Wait a little and try again." if kind is ThrottledError else ""
    if code == "RequestTimeTooSkewed":
        step = "This machine's clock is wrong: set it, and try again."
    return kind(f"{what} failed", resource=resource, why=message, next_step=step, code=code, request_id=request_id)


def _denied(error: botocore_errors.ClientError, what: str, resource: str, request_id: str) -> AccessDeniedError:
    message = error_message(error)
    named = re.search(r"not authorized to perform: ([\w-]+:\w+)", message)
    action = named.group(1) if named else ""
    step = (
        f"Ask an administrator for the permission {action}." if action else "Ask an administrator for the permission."
    )
    if "explicit deny" in message:
        step = "A policy of the organisation forbids this: ask an administrator."
    return AccessDeniedError(
        f"{what} is not permitted",
        action=action,
        resource=resource,
        why=message,
        next_step=step,
        code=error_code(error),
        request_id=request_id,
    )


def _mask_url(text: str) -> str:
    # A proxy's address may carry its password.
    return re.sub(r"://[^/@\s]+@", "://***@", text)


@contextmanager
def asking(what: str, resource: str = "") -> Iterator[None]:
    """Translate what botocore raises inside the block."""
    try:
        yield
    except (botocore_errors.ClientError, botocore_errors.BotoCoreError) as error:
        # Without the cause: its frames hold signed requests.
        raise translate(error, what, resource) from None


def retry(
    call: Callable[[], Answer],
    again: Callable[[Exception], bool],
    clock: Clock,
    *,
    seconds: float = 150.0,
    first_wait: float = 0.5,
) -> Answer:
    """Repeat a call while ``again`` says that its error will pass.

    Waits grow from ``first_wait`` by half each time up to 10 s, with jitter, until ``seconds`` are over; then the last
    error is raised. For what AWS has no waiter for, such as a new role that cannot be assumed yet.
    """
    deadline = clock.monotonic() + seconds
    wait = first_wait
    while True:
        try:
            return call()
        except botocore_errors.ClientError as error:
            if not again(error) or clock.monotonic() + wait > deadline:
                raise
        clock.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret
        wait = min(wait * 1.5, 10.0)
