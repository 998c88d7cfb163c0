"""Whatever botocore raises becomes one of our errors, with AWS's words, code and request id, and no secret."""

from __future__ import annotations

import pytest
from boto3.exceptions import S3UploadFailedError
from botocore import exceptions as botocore_errors
from botocore.parsers import ResponseParserError

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.aws.translate import asking, translate
from podpac_lambda_widgets.aws.waiting import retry


def answer(code: str, message: str = "said AWS", status: int = 400) -> botocore_errors.ClientError:
    parsed = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"RequestId": "req-1", "HTTPStatusCode": status},
    }
    return botocore_errors.ClientError(parsed, "CreateRole")


CODES = [
    ("InvalidClientTokenId", errors.WrongCredentialsError),
    ("UnrecognizedClientException", errors.WrongCredentialsError),
    ("SignatureDoesNotMatch", errors.WrongCredentialsError),
    ("ExpiredToken", errors.ExpiredCredentialsError),
    ("ExpiredTokenException", errors.ExpiredCredentialsError),
    ("AccessDenied", errors.AccessDeniedError),
    ("AccessDeniedException", errors.AccessDeniedError),
    ("403", errors.AccessDeniedError),
    ("NoSuchBucket", errors.ResourceNotFoundError),
    ("ResourceNotFoundException", errors.ResourceNotFoundError),
    ("404", errors.ResourceNotFoundError),
    ("ThrottlingException", errors.ThrottledError),
    ("TooManyRequestsException", errors.ThrottledError),
    ("InternalFailure", errors.AwsError),
    ("EntityAlreadyExists", errors.ResourceExistsError),
    ("ResourceAlreadyExistsException", errors.ResourceExistsError),
    ("BucketAlreadyOwnedByYou", errors.ResourceExistsError),
    ("DuplicateRecordException", errors.ResourceExistsError),
    ("ResourceConflictException", errors.AwsError),
    ("BucketAlreadyExists", errors.AwsError),
    ("RequestTimeTooSkewed", errors.AwsError),
]


@pytest.mark.parametrize(("code", "kind"), CODES)
def test_an_aws_code_has_its_type_and_keeps_the_evidence(code: str, kind: type[errors.PodpacLambdaError]) -> None:
    error = translate(answer(code), "Creating the role", "my-role")
    assert type(error) is kind
    assert (error.code, error.request_id) == (code, "req-1")
    assert "said AWS" in str(error)


def test_a_missing_permission_is_named() -> None:
    message = "User: arn:aws:iam::1:user/x is not authorized to perform: iam:CreateRole on resource: y"
    error = translate(answer("AccessDenied", message), "Creating the role")
    assert isinstance(error, errors.AccessDeniedError)
    assert error.action == "iam:CreateRole"
    assert "iam:CreateRole" in error.next_step


def test_an_organisations_deny_is_said_to_be_one() -> None:
    message = "not authorized to perform: s3:CreateBucket with an explicit deny in a service control policy"
    assert "organisation" in translate(answer("AccessDenied", message), "x").next_step


OTHERS = [
    (botocore_errors.NoCredentialsError(), errors.NoCredentialsError),
    (botocore_errors.EndpointConnectionError(endpoint_url="https://x"), errors.EndpointUnreachableError),
    (botocore_errors.ConnectTimeoutError(endpoint_url="https://x"), errors.EndpointUnreachableError),
    (botocore_errors.ReadTimeoutError(endpoint_url="https://x"), errors.EndpointUnreachableError),
    (botocore_errors.SSLError(endpoint_url="https://x", error="cert"), errors.EndpointUnreachableError),
    (botocore_errors.NoRegionError(), errors.InvalidValueError),
    (botocore_errors.CredentialRetrievalError(provider="p", error_msg="m"), errors.CredentialsError),
    (botocore_errors.ConfigParseError(path="p"), errors.CredentialsError),
    (botocore_errors.ProfileNotFound(profile="p"), errors.CredentialsError),
    (botocore_errors.InvalidConfigError(error_msg="m"), errors.CredentialsError),
    (botocore_errors.UnauthorizedSSOTokenError(), errors.ExpiredCredentialsError),
]


@pytest.mark.parametrize(("raised", "kind"), OTHERS, ids=lambda item: getattr(item, "__name__", type(item).__name__))
def test_what_is_no_answer_has_its_type_too(raised: Exception, kind: type[errors.PodpacLambdaError]) -> None:
    with pytest.raises(kind), asking("Asking"):
        raise raised


def test_a_proxys_password_is_masked() -> None:
    raised = botocore_errors.ProxyConnectionError(proxy_url="http://me:hunter2@proxy:8080", error="refused")
    error = translate(raised, "Asking")
    assert "hunter2" not in str(error)
    assert isinstance(error, errors.EndpointUnreachableError)


class Clock:
    """A clock that nobody waits for."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_role_that_cannot_be_assumed_for_90_seconds_is_waited_for() -> None:
    clock = Clock()

    def call() -> str:
        if clock.now < 90:
            raise answer("InvalidParameterValueException")
        return "made"

    assert retry(call, lambda error: True, clock) == "made"


def test_waiting_ends_at_the_deadline_with_the_cause() -> None:
    clock = Clock()

    def call() -> None:
        raise answer("InvalidParameterValueException", "cannot be assumed by Lambda")

    with pytest.raises(botocore_errors.ClientError, match="assumed"):
        retry(call, lambda error: True, clock, seconds=120)
    assert 60 < clock.now <= 132


def test_an_error_that_will_not_pass_is_not_repeated() -> None:
    calls = []

    def call() -> None:
        calls.append(1)
        raise answer("AccessDenied")

    with pytest.raises(botocore_errors.ClientError):
        retry(call, lambda error: False, Clock())
    assert len(calls) == 1


TIMEOUTS = [
    (botocore_errors.ReadTimeoutError(endpoint_url="https://x"), "in 300 seconds", "a new plan"),
    (botocore_errors.ConnectTimeoutError(endpoint_url="https://x"), "in 10 seconds", "firewall"),
]


@pytest.mark.parametrize(("raised", "waited", "step"), TIMEOUTS, ids=lambda item: type(item).__name__)
def test_a_timeout_says_how_long_and_does_not_blame_a_proxy(raised: Exception, waited: str, step: str) -> None:
    error = translate(raised, "Uploading", "archive", seconds=300)
    assert waited in str(error)
    assert step in error.next_step
    assert "proxy" not in str(error)


def test_what_to_do_after_a_timeout_can_be_said() -> None:
    error = translate(botocore_errors.ReadTimeoutError(endpoint_url="x"), "Calling", after_timeout="Look at the log.")
    assert error.next_step == "Look at the log."


@pytest.mark.parametrize("code", ["InvalidClientTokenId", "UnrecognizedClientException"])
def test_an_unknown_key_may_be_a_region_that_is_not_enabled(code: str) -> None:
    assert "not enabled" in translate(answer(code), "Asking").next_step
    assert "not enabled" not in translate(answer("SignatureDoesNotMatch"), "Asking").next_step


def test_what_a_transfer_makes_of_an_answer_is_that_answer() -> None:
    with pytest.raises(errors.AccessDeniedError) as caught, asking("Uploading", "archive"):
        try:
            raise answer("AccessDenied", "not authorized to perform: s3:PutObject")
        except botocore_errors.ClientError as error:
            raise S3UploadFailedError(f"Failed to upload: {error}")  # noqa: B904 - as boto3 raises it
    assert (caught.value.action, caught.value.request_id) == ("s3:PutObject", "req-1")


def test_an_answer_that_cannot_be_parsed_shows_no_credentials() -> None:
    raised = ResponseParserError("invalid XML received:\n<SecretAccessKey>PLANTED</SecretAccessKey")
    error = translate(raised, "Asking")
    assert "invalid XML" in error.why
    assert "PLANTED" not in str(error)


EXISTING = [
    "Function already exist: soil",
    "The statement id (podpac-soil) provided already exists. Please provide a new statement id.",
    "Failed to create function url config. Error message: FunctionUrlConfig exists for this Lambda function",
]


@pytest.mark.parametrize("message", EXISTING)
def test_a_conflict_in_lambda_with_what_is_there_is_told_from_one_with_what_goes_on(message: str) -> None:
    error = translate(answer("ResourceConflictException", message, 409), "Creating")
    assert type(error) is errors.ResourceExistsError
    assert "plan" in error.next_step
    still = answer("ResourceConflictException", "An update is in progress for resource: soil", 409)
    assert type(translate(still, "Creating")) is errors.AwsError


STEPS = [
    ("LimitExceeded", "quota of IAM"),
    ("LimitExceededException", "quota of this service"),
    ("TooManyBuckets", "General purpose buckets"),
    ("ServiceQuotaExceededException", "Service Quotas"),
    ("CodeStorageExceededException", "Function and layer storage"),
    ("CreationLimitExceededException", "AWS Budgets"),
    ("PolicyLengthExceededException", "policy"),
    ("OptInRequired", "has not enabled"),
    ("SubscriptionRequiredException", "has not enabled"),
    ("RegionDisabledException", "has not enabled"),
    ("BucketAlreadyExists", "another bucket name"),
    ("RequestTimeTooSkewed", "clock"),
]


@pytest.mark.parametrize(("code", "step"), STEPS)
def test_what_waiting_does_not_mend_has_a_next_step(code: str, step: str) -> None:
    error = translate(answer(code), "Creating the role", "my-role")
    assert type(error) is errors.AwsError
    assert step in error.next_step
