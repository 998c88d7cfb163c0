"""What botocore and boto3 raise, in our words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import getproxies

from boto3.exceptions import Boto3Error
from botocore import exceptions as botocore_errors

from podpac_lambda_widgets.aws.error_codes import PROXY_STEP, translate_answer
from podpac_lambda_widgets.aws.log_mask import mask_secrets
from podpac_lambda_widgets.aws.waiting import CONNECT_TIMEOUT, READ_TIMEOUT
from podpac_lambda_widgets.errors import (
    AwsError,
    CredentialsError,
    EndpointUnreachableError,
    ExpiredCredentialsError,
    InvalidValueError,
    NoCredentialsError,
    PodpacLambdaError,
)

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
        return translate_answer(error, what, resource)
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
        return PROXY_STEP
    return "Check the network, a proxy, and AWS_ENDPOINT_URL if it is set."


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
