"""A computer sleeps for two hours in the middle of a run: nothing that was computed is lost or computed twice."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.session
import numpy as np
import pytest
from botocore.awsrequest import AWSResponse
from botocore.credentials import RefreshableCredentials
from fake_account import FakeAccount, FakeClock

from podpac_lambda_widgets import connect, errors
from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.engine.claims import Place, Sent
from podpac_lambda_widgets.engine.deliveries import await_object, send_pipeline
from podpac_lambda_widgets.engine.events import ignore
from podpac_lambda_widgets.engine.invoking import Invoking
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.pipeline import Pipeline
from podpac_lambda_widgets.plan.account import Invocation
from podpac_lambda_widgets.plan.resources import Observed, Resource
from podpac_lambda_widgets.remote.triggers import Function
from podpac_lambda_widgets.remote.wire import Request

pytest.importorskip("podpac")

REGION, BUCKET = "us-east-1", "podpac-test-sleep"
PLACE = Place(BUCKET, "input/soil", "output/soil", "soil@us-east-1")
ENVIRON = {
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "2048",
    "S3_BUCKET_NAME": BUCKET,
    "FUNCTION_S3_OUTPUT": "output/soil",
    "FUNCTION_S3_INPUT": "input/soil",
}
SIN = {"SinCoords": {"node": "core.algorithm.utility.SinCoords"}}
GRID = {"coords": [{"name": name, "values": [1.0, 2.0]} for name in ("lat", "lon")]}
SLEEP, LASTS = timedelta(hours=2), timedelta(hours=1)
PATIENCE = 20.0


class Computer:
    """Its clock and the calendar go on while somebody waits; the first wait is the lid's, for two hours."""

    def __init__(self) -> None:
        self.now, self.seconds = datetime(2026, 11, 27, 12, tzinfo=UTC), 0.0
        self.meanwhile: list[Callable[[], object]] = []

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        passed = SLEEP.total_seconds() if self.meanwhile else seconds
        self.seconds += passed
        self.now += timedelta(seconds=passed)
        while self.meanwhile:
            self.meanwhile.pop()()


class Account(AwsAccount):
    """The embedded AWS, but the function runs here while the computer sleeps."""

    def __init__(self, session: boto3.Session, computer: Computer, function: Function) -> None:
        super().__init__(session)
        self.computer, self.function, self.runs = computer, function, 0

    def send(self, function_name: str, payload: bytes) -> str:
        self.runs += 1
        self.computer.meanwhile.append(lambda: self.function.handle(json.loads(payload)))
        return "r-1"


@pytest.fixture
def bucket(aws: LocalSession, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    yield s3
    for item in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3.delete_object(Bucket=BUCKET, Key=item["Key"])
    s3.delete_bucket(Bucket=BUCKET)


@pytest.fixture
def computer() -> Computer:
    return Computer()


@pytest.fixture
def function(bucket: Any) -> Function:
    return Function(ENVIRON, s3_client=lambda: bucket, print_line=lambda line: None)


def run(account: Account, sent: Sent) -> Any:
    told: dict[str, Any] = {"timeout": 60.0, "clock": account.computer, "listener": ignore, "cancelled": lambda: False}
    return send_pipeline(account, "soil", Request(SIN, GRID), PLACE, sent=sent, **told)


def test_credentials_that_renew_themselves_are_renewed_when_the_computer_wakes(
    aws: LocalSession, computer: Computer, function: Function
) -> None:
    keys, renewed = aws.get_credentials(), list[datetime]()

    def renew() -> dict[str, Any]:
        renewed.append(computer.now)
        told = {"access_key": keys.access_key, "secret_key": keys.secret_key, "token": None}
        return {**told, "expiry_time": (computer.now + LASTS).isoformat()}

    inner = botocore.session.Session()
    inner._credentials = RefreshableCredentials(
        keys.access_key, keys.secret_key, None, computer.now + LASTS, renew, "sso", time_fetcher=lambda: computer.now
    )
    account = Account(boto3.Session(botocore_session=inner, region_name=REGION), computer, function)
    account.identity()
    assert renewed == []
    assert run(account, Sent()).array.shape == (2, 2)
    assert renewed == [computer.now]
    assert account.runs == 1


def expire(session: boto3.Session, computer: Computer) -> None:
    """Let AWS refuse the session's token from an hour after now, as S3 does."""
    end = computer.now + LASTS
    body = b"<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"

    def refuse(request: Any, **_: Any) -> AWSResponse | None:
        if computer.now < end:
            return None
        raw = SimpleNamespace(stream=lambda **_: iter([body]))
        return AWSResponse(request.url, 400, {"Content-Length": str(len(body))}, raw)

    session.events.register("before-send.s3", refuse)


def test_credentials_that_were_typed_are_asked_for_and_the_run_goes_on_without_being_sent_again(
    aws: LocalSession, computer: Computer, function: Function
) -> None:
    keys = aws.get_credentials()
    typed = {"access_key_id": keys.access_key, "secret_access_key": keys.secret_key, "region_name": REGION}
    old, sent = connect(**typed), Sent()
    expire(old, computer)
    first = Account(old, computer, function)
    with pytest.raises(errors.ExpiredCredentialsError) as raised:
        run(first, sent)
    assert raised.value.next_step.startswith("Enter a new key")
    assert keys.secret_key not in str(raised.value)
    # The same credentials stay refused; new ones fetch what the function has made meanwhile.
    with pytest.raises(errors.ExpiredCredentialsError):
        run(first, sent)
    second = Account(connect(**typed), computer, function)
    before = computer.seconds
    found = run(second, sent)
    assert found.array.shape == (2, 2)
    assert found.request_id == "r-1"
    assert (first.runs, second.runs) == (1, 0)
    assert computer.seconds == before


class Cloud(FakeAccount):
    """A function that answers; S3 gives nothing while ``refusal`` says why."""

    def __init__(self, refusal: errors.PodpacLambdaError | None = None, place: str = BUCKET) -> None:
        super().__init__()
        self.refusal, self.place, self.calls = refusal, place, 0
        self.function = Function({**ENVIRON, "S3_BUCKET_NAME": place}, s3_client=lambda: self)
        self.function.print_line = lambda line: None
        self.answer = self._call

    def put_object(self, **told: Any) -> dict[str, Any]:
        self.objects[told["Bucket"], told["Key"]] = bytes(told["Body"])
        return {}

    def _call(self, payload: bytes) -> Invocation:
        self.calls += 1
        answer = self.function.handle(json.loads(payload))
        assert isinstance(answer, bytes)
        return Invocation(answer, "", "", "r-1")

    def send(self, function_name: str, payload: bytes) -> str:
        self._call(payload)
        return "r-1"

    def put(self, bucket: str, key: str, body: bytes, stack: str) -> None:
        super().put(bucket, key, body, stack)
        if key.startswith("input/"):
            self.calls += 1
            answer = self.function.compute(Request(SIN, GRID), "podpac")
            self.objects[bucket, key.replace("input/", "output/").replace(".json", ".nc")] = answer.body

    def read(self, wanted: Resource) -> Observed | None:
        # As for who may run the function and not look at it: the folders are then as wished.
        raise errors.AccessDeniedError("Reading is not permitted")

    def fetch(self, bucket: str, key: str, progress: Any, *, own: bool = False) -> bytes:
        if self.refusal is not None:
            raise self.refusal
        return super().fetch(bucket, key, progress, own=own)


def stack_of(account: Cloud) -> Invoking:
    wish = Deployment(function_name="soil", function_s3_bucket=account.place, function_triggers=["eval", "S3"])
    return Invoking(account, wish, FakeClock())


def expired() -> errors.PodpacLambdaError:
    return errors.ExpiredCredentialsError("The credentials have expired", next_step="Enter a new key.")


def unreachable() -> errors.PodpacLambdaError:
    return errors.EndpointUnreachableError("AWS could not be reached", next_step="Look at the network.")


@pytest.mark.parametrize("refusal", [expired, unreachable])
@pytest.mark.parametrize("way", ["eval", "async", "S3"])
def test_a_job_that_failed_on_the_way_is_gone_on_with_by_another_connection(
    way: Any, refusal: Callable[[], errors.PodpacLambdaError]
) -> None:
    cloud, side = Cloud(refusal()), 1400 if way == "eval" else 2
    axis = {"start": 0.0, "stop": 1.0, "size": side}
    coordinates = CoordinatesDefinition.parse({"coords": [{"name": name, **axis} for name in ("lat", "lon")]})
    told = threading.Event()
    job = stack_of(cloud).submit(Pipeline(SIN), coordinates, way, lambda job: job.state == "done" and told.set())
    with pytest.raises(type(refusal())) as raised:
        job.result(PATIENCE)
    assert job.left_off
    # A direct call's answer is so large that it comes through the bucket.
    assert len([key for _, key in cloud.objects if key.startswith("output/soil/")]) == 1
    assert raised.value.next_step.endswith("Then go on with this run: it is not sent again.")
    again = Cloud()
    again.objects = cloud.objects
    assert stack_of(again).resume(job) is job
    assert job.result(PATIENCE).array.shape == (side, side)
    assert (cloud.calls, again.calls) == (1, 0)
    assert told.wait(PATIENCE)
    assert (job.state, job.left_off) == ("done", False)


def test_a_large_request_that_could_not_be_taken_away_is_taken_away_in_the_end() -> None:
    class Tired(Cloud):
        """Its first calls are made before the credentials end."""

        def remove(self, bucket: str, key: str) -> None:
            if self.refusal is not None:
                raise self.refusal
            super().remove(bucket, key)

        def get_object(self, **told: Any) -> dict[str, Any]:
            body = self.objects[told["Bucket"], told["Key"]]
            return {"ContentLength": len(body), "Body": io.BytesIO(body)}

    def left() -> list[str]:
        return [key for _, key in cloud.objects if "/claims/" in key]

    cloud, side = Tired(expired()), 250
    axis = {"start": 0.0, "stop": 1.0, "size": side}
    grid = {"coords": [{"name": name, **axis} for name in ("lat", "lon")]}
    values = np.random.default_rng(4).random((side, side)).tolist()
    array = {"a": {"node": "core.data.array_source.Array", "attrs": {"source": values, "coordinates": grid}}}
    stack = stack_of(cloud)
    job = stack.submit(Pipeline(array), CoordinatesDefinition.parse(grid), "async")
    with pytest.raises(errors.ExpiredCredentialsError):
        job.result(PATIENCE)
    assert len(left()) == 1
    cloud.refusal = None
    assert stack.resume(job).result(PATIENCE).array.values.tolist() == values
    assert (left(), cloud.calls) == ([], 1)


def test_a_job_is_gone_on_with_where_it_was_sent_and_only_when_it_failed() -> None:
    cloud, coordinates = Cloud(expired()), CoordinatesDefinition.parse(GRID)
    stack = stack_of(cloud)
    job = stack.submit(Pipeline(SIN), coordinates, "async")
    with pytest.raises(errors.ExpiredCredentialsError):
        job.result(PATIENCE)
    other = Cloud(place="podpac-test-elsewhere")
    with pytest.raises(errors.InvalidValueError, match="another function"):
        stack_of(other).resume(job).result(PATIENCE)
    assert other.calls == 0
    cloud.refusal = None
    stack.resume(job).result(PATIENCE)
    with pytest.raises(errors.InvalidValueError, match="is done"):
        stack.resume(job)
    assert cloud.calls == 1


def test_a_result_that_is_gone_from_the_bucket_by_then_is_computed_anew() -> None:
    cloud = Cloud(expired())
    axis = {"start": 0.0, "stop": 1.0, "size": 1400}
    coordinates = CoordinatesDefinition.parse({"coords": [{"name": name, **axis} for name in ("lat", "lon")]})
    job = stack_of(cloud).submit(Pipeline(SIN), coordinates, "eval")
    with pytest.raises(errors.ExpiredCredentialsError):
        job.result(PATIENCE)
    cloud.refusal = None
    cloud.objects.clear()
    with pytest.raises(errors.ResultError, match="not in the bucket any more") as raised:
        stack_of(cloud).resume(job).result(PATIENCE)
    assert raised.value.next_step == "Run the pipeline again."
    assert not job.left_off
    assert stack_of(cloud).resume(job).result(PATIENCE).array.shape == (1400, 1400)
    assert cloud.calls == 2


def test_a_run_whose_answer_was_no_result_still_knows_the_name_of_its_log() -> None:
    cloud = Cloud()
    fetch, names = cloud.fetch, list[str]()

    def spoil(bucket: str, key: str, progress: Any, *, own: bool = False) -> bytes:
        fetch(bucket, key, progress, own=own)
        names.append(key.rpartition("/")[2].partition(".")[0])
        return b"no answer"

    cloud.fetch = spoil  # type: ignore[method-assign]
    job = stack_of(cloud).submit(Pipeline(SIN), CoordinatesDefinition.parse(GRID), "async")
    with pytest.raises(errors.ResultError):
        job.result(PATIENCE)
    assert [job.sent_name] == names
    assert not job.left_off


def test_what_the_function_answered_with_an_error_is_sent_anew() -> None:
    cloud = Cloud()
    rejected = {"x": {"node": "core.algorithm.generic.Mask", "attrs": {"bool_op": "=="}}}
    job = stack_of(cloud).submit(Pipeline(rejected), CoordinatesDefinition.parse(GRID), "async")
    for calls in (1, 2):
        with pytest.raises(errors.PipelineFailedError) as raised:
            job.result(PATIENCE)
        assert "not sent again" not in raised.value.next_step
        assert not job.left_off
        assert cloud.calls == calls
        stack_of(cloud).resume(job)
    with pytest.raises(errors.PipelineFailedError):
        job.result(PATIENCE)


def test_a_network_that_comes_back_is_waited_for_and_sleep_is_no_time() -> None:
    clock, looks = FakeClock(), iter([unreachable()] * 5)

    def sleep(seconds: float) -> None:
        clock.now += seconds + SLEEP.total_seconds()

    def fetch(*_: Any, **__: Any) -> bytes:
        if refusal := next(looks, None):
            raise refusal
        return b"here"

    clock.sleep = sleep  # type: ignore[method-assign]
    place: Any = SimpleNamespace(fetch=fetch)
    found = await_object(place, "b", ("k",), seconds=1000, clock=clock, cancelled=lambda: False)
    assert found == ("k", b"here")
    assert clock.now > 5 * SLEEP.total_seconds()


def test_a_network_that_never_comes_back_ends_the_wait_with_its_own_error() -> None:
    def fetch(*_: Any, **__: Any) -> bytes:
        raise unreachable()

    clock, place = FakeClock(), SimpleNamespace(fetch=fetch)
    with pytest.raises(errors.EndpointUnreachableError):
        await_object(place, "b", ("k",), seconds=60, clock=clock, cancelled=lambda: False)  # type: ignore[arg-type]
    assert 50 < clock.now <= 60
