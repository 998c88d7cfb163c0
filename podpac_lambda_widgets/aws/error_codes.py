"""AWS's error codes, and what each of them is in our words."""

from __future__ import annotations

import re

from botocore import exceptions as botocore_errors

from podpac_lambda_widgets.errors import (
    AccessDeniedError,
    AwsError,
    ExpiredCredentialsError,
    PodpacLambdaError,
    ResourceExistsError,
    ResourceNotFoundError,
    ThrottledError,
    WrongCredentialsError,
)

#: What AWS also says to a good key in a region that the account has not enabled.
_UNKNOWN_TOKEN = {"InvalidClientTokenId", "UnrecognizedClientException"}
_WRONG = {
    *_UNKNOWN_TOKEN,
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "IncompleteSignature",
    "MissingAuthenticationToken",
    "AuthFailure",
}
#: What a signature that is otherwise right is refused with, on a machine whose clock is wrong.
_SKEWED = re.compile(r"signature expired|signature not yet current", re.IGNORECASE)
_CLOCK_STEP = "This machine's clock is wrong: set it, and try again."
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AllAccessDisabled", "403", "Forbidden"}
_MISSING = {
    "NoSuchEntity",
    "NoSuchBucket",
    "NoSuchKey",
    "ResourceNotFoundException",
    "NoSuchResourceException",
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
    "503",
    "EC2ThrottledException",
}
_EXISTS = {
    "EntityAlreadyExists",
    "ResourceAlreadyExistsException",
    "BucketAlreadyOwnedByYou",
    "DuplicateRecordException",
}
#: What Lambda says with a code that it also has for a change that is still going on.
_EXISTS_IN_LAMBDA = re.compile(r"already exist|FunctionUrlConfig exists", re.IGNORECASE)
#: The quotas that AWS's codes stand for, as the console of Service Quotas groups them.
_QUOTAS = {
    "LimitExceeded": "IAM (such as roles in the account, or the length of a role's policies)",
    "LimitExceededException": "this service",
    "TooManyBuckets": "S3 'General purpose buckets'",
    "ServiceQuotaExceededException": "this service",
    "CodeStorageExceededException": "Lambda 'Function and layer storage'",
    "CreationLimitExceededException": "AWS Budgets (such as subscribers of a notification)",
    "PolicyLengthExceededException": "the length of a Lambda function's policy",
}
_NOT_ENABLED = "The account has not enabled this service or region: enable it in the console, or choose another region."
PROXY_STEP = "The proxy wants a name and a password: set them in HTTPS_PROXY, as your network's owner tells."
_FAULT_STEP = "AWS itself has failed: try again in a few minutes."
_STEPS = {
    "RequestTimeTooSkewed": _CLOCK_STEP,
    "407": PROXY_STEP,
    "BucketAlreadyExists": "The name is taken by another AWS account: choose another bucket name.",
    "OptInRequired": _NOT_ENABLED,
    "SubscriptionRequiredException": _NOT_ENABLED,
    "RegionDisabledException": _NOT_ENABLED,
}


def error_code(error: BaseException) -> str:
    """AWS's code of an error, or an empty string."""
    if isinstance(error, botocore_errors.ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return ""


def request_id(error: botocore_errors.ClientError) -> str:
    """AWS's id of the request that failed, or an empty string.

    Of a fault of AWS's own whose answer has no body, as that to a HEAD, botocore leaves it among the headers.
    """
    metadata = error.response.get("ResponseMetadata", {})
    headers = metadata.get("HTTPHeaders", {})
    return str(metadata.get("RequestId") or headers.get("x-amz-request-id") or headers.get("x-amzn-requestid") or "")


def error_message(error: BaseException) -> str:
    """AWS's own words."""
    if isinstance(error, botocore_errors.ClientError):
        return str(error.response.get("Error", {}).get("Message", ""))
    return str(error)


def translate_answer(error: botocore_errors.ClientError, what: str, resource: str) -> PodpacLambdaError:
    """The typed error for an answer of AWS that is one; ``what`` was done to ``resource``."""
    code, message = error_code(error), error_message(error)
    if code in _EXPIRED:
        return ExpiredCredentialsError(
            "The session token has expired",
            why=message,
            next_step="Get new credentials and connect again.",
            code=code,
            request_id=request_id(error),
        )
    if code in _WRONG:
        step = "Check the access key ID and the secret; a key that begins with ASIA needs a session token."
        if code in _UNKNOWN_TOKEN:
            step += " A region that the account has not enabled is another cause: enable it, or choose another."
        if _SKEWED.search(message):
            step = _CLOCK_STEP
        return WrongCredentialsError(
            "AWS does not accept these credentials",
            why=message,
            next_step=step,
            code=code,
            request_id=request_id(error),
        )
    if code in _DENIED:
        return _denied(error, what, resource)
    kind, step = _kind_and_step(code, message)
    if not step:
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
        step = _FAULT_STEP if status >= 500 else "Mend what AWS says is wrong, and try again."
    return kind(
        f"{what} failed", resource=resource, why=message, next_step=step, code=code, request_id=request_id(error)
    )


def _kind_and_step(code: str, message: str) -> tuple[type[AwsError], str]:
    if code in _MISSING:
        return ResourceNotFoundError, "Look at a new plan: it says what is there."
    if code in _THROTTLED:
        return ThrottledError, "Wait a little and try again."
    if code in _EXISTS or (code == "ResourceConflictException" and _EXISTS_IN_LAMBDA.search(message)):
        return ResourceExistsError, "Look at a new plan: it says whose it is."
    if code in _QUOTAS:
        return AwsError, (
            f"A quota of {_QUOTAS[code]} is used up: delete what is not needed any more, or ask AWS to raise it "
            "(Service Quotas in the AWS console)."
        )
    return AwsError, _STEPS.get(code, "")


def _denied(error: botocore_errors.ClientError, what: str, resource: str) -> AccessDeniedError:
    message = error_message(error)
    named = re.search(r"not authorized to perform: ([\w-]+:\w+)", message)
    action = named.group(1) if named else ""
    return AccessDeniedError(
        f"{what} is not permitted",
        action=action,
        resource=resource,
        why=message,
        next_step=_denied_step(message, action),
        code=error_code(error),
        request_id=request_id(error),
    )


def _denied_step(message: str, action: str) -> str:
    """By the kind of policy that AWS names (IAM user guide, "Troubleshoot access denied error messages")."""
    permission = f"the permission {action}" if action else "the permission"
    if re.search(r"(service|resource) control policy", message):
        return "A policy of the organisation forbids this: ask an administrator."
    if "permissions boundary" in message:
        return (
            f"The permissions boundary of your user or role has to allow it too: ask an administrator for {permission}."
        )
    if "explicit deny" in message:
        return f"A policy forbids this, whatever others allow: ask an administrator to take {action or 'it'} out of it."
    return f"Ask an administrator for {permission}."
