"""What botocore and boto3 raise, in our words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import getproxies

from boto3.exceptions import Boto3Error
from botocore import exceptions as botocore_errors

from podpac_lambda_widgets.aws.log_mask import mask_secrets
from podpac_lambda_widgets.aws.waiting import CONNECT_TIMEOUT, READ_TIMEOUT
from podpac_lambda_widgets.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    EndpointUnreachableError,
    ExpiredCredentialsError,
    InvalidValueError,
    NoCredentialsError,
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
#: A sign-in that has ended, or was never done; younger versions of botocore have more of these.
_SIGN_IN = tuple(
    kind
    for name in (
        "TokenRetrievalError",
        "UnauthorizedSSOTokenError",
        "SSOTokenLoadError",
        "LoginRefreshRequired",
        "LoginTokenLoadError",
    )
    if (kind := getattr(botocore_errors, name, None)) is not None
)
_UNREADABLE = (
    botocore_errors.CredentialRetrievalError,
    botocore_errors.ConfigParseError,
    botocore_errors.InvalidConfigError,
    botocore_errors.ProfileNotFound,
)
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
_PROXY_STEP = "The proxy wants a name and a password: set them in HTTPS_PROXY, as your network's owner tells."
_FAULT_STEP = "AWS itself has failed: try again in a few minutes."
_STEPS = {
    "RequestTimeTooSkewed": _CLOCK_STEP,
    "407": _PROXY_STEP,
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


def translate(
    error: Exception, what: str, resource: str = "", *, seconds: float = READ_TIMEOUT, after_timeout: str = ""
) -> PodpacLambdaError:
    """The typed error for something botocore or boto3 raised.

    Parameters
    ----------
    error : Exception
        A ``ClientError``, another error of botocore's, or what boto3's transfers make of one.
    what : str
        What was being done, such as ``"Creating the role"``.
    resource : str, optional
        The resource it was done to.
    seconds : float, optional
        How long an answer was waited for.
    after_timeout : str, optional
        What to do when none came.
    """
    if isinstance(error, Boto3Error) and isinstance(error.__context__, botocore_errors.ClientError):
        # S3Transfer raises its own error while it handles AWS's.
        error = error.__context__
    if isinstance(error, botocore_errors.ClientError):
        return _translate_answer(error, what, resource)
    if isinstance(error, botocore_errors.ReadTimeoutError | botocore_errors.ConnectTimeoutError):
        return _translate_timeout(error, what, resource, seconds, after_timeout)
    return _translate_failure(error, what, resource)


def _translate_timeout(
    error: Exception, what: str, resource: str, seconds: float, after_timeout: str
) -> EndpointUnreachableError:
    connecting = isinstance(error, botocore_errors.ConnectTimeoutError)
    waited = CONNECT_TIMEOUT if connecting else seconds
    step = "Try again; if it goes on, a firewall may be in the way, or AWS_ENDPOINT_URL may be wrong."
    if not connecting:
        step = after_timeout or "AWS may have done it all the same: look at a new plan, then try again."
    return EndpointUnreachableError(
        f"{what} failed: AWS did not {'take the connection' if connecting else 'answer'} in {waited:g} seconds",
        resource=resource,
        why=_mask(str(error)),
        next_step=step,
    )


def _translate_failure(error: Exception, what: str, resource: str) -> PodpacLambdaError:
    if isinstance(error, botocore_errors.NoCredentialsError | botocore_errors.PartialCredentialsError):
        return NoCredentialsError(
            "No AWS credentials were found",
            why=str(error),
            next_step="Enter a key, choose a profile, or use the embedded AWS.",
        )
    if isinstance(error, _SIGN_IN):
        never = type(error).__name__.endswith("LoadError")
        return ExpiredCredentialsError(
            "Nobody is signed in" if never else "The sign-in has expired",
            why=str(error),
            next_step="Run `aws sso login` and connect again.",
        )
    if isinstance(error, _UNREADABLE):
        return CredentialsError("AWS credentials could not be read", why=str(error), next_step="Check the profile.")
    if isinstance(error, botocore_errors.HTTPClientError | botocore_errors.ConnectionError):
        return EndpointUnreachableError(
            f"{what} failed: AWS could not be reached",
            resource=resource,
            why=_mask(_network_reason(error)),
            next_step=_network_step(error),
        )
    if isinstance(error, botocore_errors.NoRegionError):
        return InvalidValueError(
            "No region was chosen", field="region", next_step="Choose a region, such as us-east-1."
        )
    return AwsError(
        f"{what} failed",
        resource=resource,
        why=_mask(str(error)),
        next_step="Try again; if it goes on, report what it says.",
    )


def _network_reason(error: Exception) -> str:
    """botocore's words; of a proxy's they leave out what it said."""
    if isinstance(error, botocore_errors.ProxyConnectionError):
        cause = error.kwargs.get("error")
        # urllib3's error has what it was caused by, such as "Tunnel connection failed: 407".
        return f"{error}: {getattr(cause, 'original_error', cause)}"
    return str(error)


def _network_step(error: Exception) -> str:
    if isinstance(error, botocore_errors.SSLError):
        return (
            "Something between here and AWS opens encrypted traffic: put your network's CA bundle into AWS_CA_BUNDLE "
            "(a file that exists)."
        )
    if isinstance(error, botocore_errors.ProxyConnectionError) and " 407" in _network_reason(error):
        return _PROXY_STEP
    return "Check the network, a proxy, and AWS_ENDPOINT_URL if it is set."


def _translate_answer(error: botocore_errors.ClientError, what: str, resource: str) -> PodpacLambdaError:
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


def _mask(text: str) -> str:
    # A proxy's address may carry its password, and an answer that botocore could not parse its credentials.
    for address in getproxies().values():
        # A password with a slash in it is cut in pieces by whoever takes the address apart.
        name_and_password = address.rpartition("@")[0].partition("://")[2]
        for piece in filter(None, (name_and_password, *name_and_password.split("/"))):
            text = text.replace(piece, "***")
    return mask_secrets(re.sub(r"://[^/@\s]+@", "://***@", text))


@contextmanager
def asking(what: str, resource: str = "", *, seconds: float = READ_TIMEOUT, after_timeout: str = "") -> Iterator[None]:
    """Translate what botocore and boto3 raise inside the block; parameters as :func:`translate` has them."""
    try:
        yield
    except (botocore_errors.ClientError, botocore_errors.BotoCoreError, Boto3Error) as error:
        # Without the cause: its frames hold signed requests.
        raise translate(error, what, resource, seconds=seconds, after_timeout=after_timeout) from None
