"""HEAD requests to S3. Their answers have no body, so that AWS's reason has to be found out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError

from podpac_lambda_widgets.aws.error_codes import request_id
from podpac_lambda_widgets.aws.translate import asking, translate
from podpac_lambda_widgets.errors import AccessDeniedError, AwsError, PodpacLambdaError

#: Asks AWS anew who we are; raises a CredentialsError when it does not know us any more.
Confirm = Callable[[], object]
_FORBIDDEN = "S3 gives no reason: the permission may be missing, or the bucket be another account's."


def status(error: ClientError) -> int:
    """The HTTP status of the answer, or 0."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)


def bucket_region(error: ClientError) -> str:
    """The region that S3 says the bucket is in, or an empty string."""
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return str(headers.get("x-amz-bucket-region") or "")


def translate_head(
    error: ClientError, what: str, resource: str, action: str, confirm: Confirm, forbidden: str = _FORBIDDEN
) -> PodpacLambdaError:
    """The typed error for the answer to a HEAD request.

    S3 answers 400 to a session token that has expired and to a request that is for another region, and 403 whether a
    permission is missing or the bucket is another account's.

    Parameters
    ----------
    error : ClientError
        With the status as its code.
    what, resource : str
        What was being done, and to what.
    action : str
        The permission it takes.
    confirm : Callable
        Called on a 400, to tell credentials from the rest.
    forbidden : str, optional
        What a 403 means.

    Raises
    ------
    CredentialsError
        When AWS does not know us any more.
    """
    if status(error) == 403:
        return AccessDeniedError(
            f"{what} is not permitted",
            action=action,
            resource=resource,
            why=forbidden,
            next_step=f"Check the bucket's name and policy, and ask an administrator for the permission {action}.",
            code="403",
            request_id=request_id(error),
        )
    if status(error) not in (301, 307, 400):
        return translate(error, what, resource)
    confirm()
    region = bucket_region(error)
    return AwsError(
        f"{what} failed",
        resource=resource,
        why=f"S3 answered {status(error)} without a reason"
        + (f"; the bucket is in {region}." if region else "; AWS accepts the credentials."),
        next_step="Check the region you are connected to, this machine's clock, and AWS_ENDPOINT_URL if it is set.",
        code=str(status(error)),
        request_id=request_id(error),
    )


@contextmanager
def asking_head(what: str, resource: str, action: str, confirm: Confirm) -> Iterator[None]:
    """Translate what botocore raises for a HEAD request inside the block."""
    with asking(what, resource):
        try:
            yield
        except ClientError as error:
            raise translate_head(error, what, resource, action, confirm) from None
