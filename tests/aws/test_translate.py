"""Whatever botocore raises becomes one of our errors, with AWS's words, code and request id, and no secret."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
from boto3.exceptions import S3UploadFailedError
from botocore import exceptions as botocore_errors
from botocore.config import Config
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


WHO_DENIES = [
    ("with an explicit deny in a service control policy", "organisation"),
    ("because no service control policy allows the s3:CreateBucket action", "organisation"),
    ("with an explicit deny in a resource control policy", "organisation"),
    ("with an explicit deny in a permissions boundary", "permissions boundary"),
    ("because no permissions boundary allows the s3:CreateBucket action", "permissions boundary"),
    ("with an explicit deny in an identity-based policy", "take s3:CreateBucket out of it"),
    ("with an explicit deny in a resource-based policy", "take s3:CreateBucket out of it"),
    ("because no identity-based policy allows the s3:CreateBucket action", "for the permission s3:CreateBucket"),
]


@pytest.mark.parametrize(("reason", "step"), WHO_DENIES)
def test_the_kind_of_policy_that_denies_is_told(reason: str, step: str) -> None:
    message = f"not authorized to perform: s3:CreateBucket on resource: x {reason}"
    told = translate(answer("AccessDenied", message), "x").next_step
    assert step in told
    assert ("organisation" in told) == (step == "organisation")


@pytest.mark.parametrize(
    ("raised", "step"),
    [
        (answer("InternalFailure", status=500), "try again"),
        (answer("NeverHeardOf", status=400), "what AWS says"),
        (answer("ResourceNotFoundException", status=404), "a new plan"),
        (botocore_errors.IncompleteReadError(actual_bytes=1, expected_bytes=2), "Try again"),
    ],
    ids=["its own fault", "an unknown code", "gone", "cut short"],
)
def test_what_nobody_foresaw_has_a_next_step_too(raised: Exception, step: str) -> None:
    assert step in translate(raised, "Creating the role").next_step


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


@pytest.fixture
def proxy() -> Iterator[str]:
    """A proxy that wants a name and another password than it gets; the address that it is used by."""

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            self.send_error(407, "Proxy Authentication Required")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://me:hunter2@127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_proxy_that_refuses_says_what_it_wants_and_not_the_password(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "s" * 40, region_name="us-east-1")
    client = session.client("sts", config=Config(retries={"total_max_attempts": 1}))
    with pytest.raises(errors.EndpointUnreachableError) as caught, asking("Asking AWS who we are"):
        client.get_caller_identity()
    assert "407" in caught.value.why
    assert "HTTPS_PROXY" in caught.value.next_step
    assert "hunter2" not in str(caught.value)


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
