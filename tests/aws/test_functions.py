"""A function that did not become what it should is seen, and mended or made anew; its code is what was wanted.

The embedded AWS is milder than AWS: it lets any concurrency be reserved, and takes code without a limit.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.aws.functions import create_function
from podpac_lambda_widgets.clock import SystemClock
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.plan.changes import Difference, Update
from podpac_lambda_widgets.plan.difference import differences
from podpac_lambda_widgets.plan.resources import ROLE_GONE, STACK_TAG, Function, Role

pytestmark = pytest.mark.local_aws

STACK = "functions@us-east-1"
BUCKET = "podpac-test-functions"
TAGS = {STACK_TAG: STACK}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
ROLE = Role(name="functions-role", description="", trust=TRUST, policies={}, managed_policies=(), tags=TAGS)


def nothing(done: int, total: int) -> None:
    """No progress."""


def zip_archive(answer: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        # Without the time, which would make two of the same two.
        archive.writestr(zipfile.ZipInfo("handler.py"), f"def handler(event, context):\n    return {answer}\n")
    return file.getvalue()


CODES = {"one.zip": zip_archive(1), "two.zip": zip_archive(2)}


def function(key: str = "one.zip", **values: Any) -> Function:
    given: dict[str, Any] = {
        "role": f"arn:aws:iam::000000000000:role/{ROLE.name}",
        "runtime": "python3.11",
        "architecture": "x86_64",
        "handler": "handler.handler",
        "description": "",
        "memory": 256,
        "timeout": 10,
        "storage": 512,
        "environment": {"A": "1"},
        "tags": TAGS,
        "code_sha256": hashlib.sha256(CODES[key]).hexdigest(),
        "code_bucket": BUCKET,
        "code_key": key,
    }
    return Function(name="functions", **{**given, **values})


@pytest.fixture
def made(aws: LocalSession) -> Iterator[Callable[[], AwsAccount]]:
    """Makes the function; everything goes in the end."""
    s3, account = aws.client("s3"), AwsAccount(aws)
    s3.create_bucket(Bucket=BUCKET)
    for key, content in CODES.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    account.create(ROLE, STACK, nothing)

    def make() -> AwsAccount:
        account.create(function(), STACK, nothing)
        return AwsAccount(aws)

    yield make
    account.delete(function(), STACK, nothing)
    account.delete(ROLE, STACK, nothing)
    for key in CODES:
        s3.delete_object(Bucket=BUCKET, Key=key)
    s3.delete_bucket(Bucket=BUCKET)


def read(account: AwsAccount, wanted: Function | None = None) -> Function:
    found = account.read(wanted or function())
    assert found is not None
    assert found.stack == STACK
    assert isinstance(found.resource, Function)
    return found.resource


STATES = [
    ("Active", "Successful", "Active"),
    ("Inactive", "Successful", "Active"),
    ("Failed", "Failed", "Failed"),
    ("Pending", "InProgress", "Pending"),
    ("Active", "Failed", "UpdateFailed"),
    ("Active", "InProgress", "Updating"),
]


@pytest.mark.parametrize(("state", "last_update", "told"), STATES)
def test_what_aws_says_of_a_function_is_read(
    aws: LocalSession, made: Callable[[], AwsAccount], faults: Any, state: str, last_update: str, told: str
) -> None:
    made()

    def change(parsed: dict[str, Any], **_: Any) -> None:
        parsed["Configuration"] |= {"State": state, "LastUpdateStatus": last_update}

    faults.hook("after-call.lambda.GetFunction", change)
    found = read(AwsAccount(aws))
    assert found.state == told
    assert bool(differences(function(), found)) is (told != "Active")


@pytest.mark.parametrize(
    "difference",
    [Difference("state", "Failed", "Active"), Difference("role", ROLE_GONE, function().role)],
    ids=["failed", "role gone"],
)
def test_a_function_that_cannot_be_mended_is_made_anew(
    aws: LocalSession, made: Callable[[], AwsAccount], faults: Any, difference: Difference
) -> None:
    made()
    deleted, created = faults.count("lambda.DeleteFunction"), faults.count("lambda.CreateFunction")
    updated = faults.count("lambda.UpdateFunctionConfiguration")
    wanted = function("two.zip", memory=512)
    account = AwsAccount(aws)
    change = Update(wanted, (difference, *differences(wanted, function())))
    account.update(change, STACK, nothing)
    assert differences(wanted, read(account, wanted)) == ()
    assert (len(deleted), len(created), len(updated)) == (1, 1, 0)
    assert account.invoke(wanted.name, b"{}", 20.0).payload == b"2"


def test_making_anew_waits_until_the_old_one_is_gone(
    aws: LocalSession, made: Callable[[], AwsAccount], faults: Any
) -> None:
    made()
    left = [2]

    def conflict(**_: Any) -> Any:
        left[0] -= 1
        return faults.refusal(409, "ResourceConflictException", "Function already exist") if left[0] >= 0 else None

    faults.hook("before-call.lambda.CreateFunction", conflict)
    account = AwsAccount(aws)
    account.update(Update(function(), (Difference("state", "Failed", "Active"),)), STACK, nothing)
    assert left == [-1]
    assert differences(function(), read(account)) == ()


def test_a_function_of_somebody_else_is_not_waited_for(
    aws: LocalSession, made: Callable[[], AwsAccount], faults: Any
) -> None:
    made()
    asked = faults.count("lambda.CreateFunction")
    with pytest.raises(errors.ResourceExistsError) as caught:
        create_function(aws.client("lambda"), function(), SystemClock())
    assert caught.value.code == "ResourceConflictException"
    assert len(asked) == 1


def test_a_failed_update_is_done_wholly_again(aws: LocalSession, made: Callable[[], AwsAccount], faults: Any) -> None:
    made()
    code, configuration = faults.count("lambda.UpdateFunctionCode"), faults.count("lambda.UpdateFunctionConfiguration")
    account = AwsAccount(aws)
    account.update(Update(function(), (Difference("state", "UpdateFailed", "Active"),)), STACK, nothing)
    assert (len(code), len(configuration)) == (1, 1)
    assert differences(function(), read(account)) == ()


@pytest.mark.parametrize(("state", "member"), [("Pending", "State"), ("Updating", "LastUpdateStatus")])
def test_what_is_still_going_on_is_waited_for_first(
    aws: LocalSession, made: Callable[[], AwsAccount], faults: Any, state: str, member: str
) -> None:
    made()
    happened: list[str] = []

    def still(parsed: dict[str, Any], **_: Any) -> None:
        if not happened:
            parsed["Configuration"][member] = {"State": "Pending", "LastUpdateStatus": "InProgress"}[member]
        happened.append("asked")

    faults.hook("after-call.lambda.GetFunction", still)
    faults.hook("before-call.lambda.UpdateFunctionConfiguration", lambda **_: happened.append("updated"))
    wanted = function(memory=512)
    account = AwsAccount(aws)
    change = Update(wanted, (Difference("state", state, "Active"), Difference("memory", 256, 512)))
    account.update(change, STACK, nothing)
    assert happened.index("updated") >= 2
    assert differences(wanted, read(account, wanted)) == ()


def test_waiting_alone_writes_nothing(aws: LocalSession, made: Callable[[], AwsAccount], faults: Any) -> None:
    made()
    writes = [faults.count(f"lambda.{name}") for name in ("UpdateFunctionCode", "UpdateFunctionConfiguration")]
    AwsAccount(aws).update(Update(function(), (Difference("state", "Pending", "Active"),)), STACK, nothing)
    assert writes == [[], []]


OTHER = hashlib.sha256(b"other").digest()


def test_a_function_made_of_other_code_is_refused(aws: LocalSession, made: Any, faults: Any) -> None:
    faults.change("lambda.CreateFunction", CodeSha256=base64.b64encode(OTHER).decode())
    with pytest.raises(errors.ArchiveCorruptError) as caught:
        AwsAccount(aws).create(function(), STACK, nothing)
    assert OTHER.hex() in str(caught.value)
    assert function().code_sha256 in str(caught.value)


def test_an_archive_that_was_exchanged_in_the_bucket_is_noticed(
    aws: LocalSession, made: Callable[[], AwsAccount]
) -> None:
    account = made()
    aws.client("s3").put_object(Bucket=BUCKET, Key="two.zip", Body=zip_archive(3))
    wanted = function("two.zip")
    with pytest.raises(errors.ArchiveCorruptError) as caught:
        account.update(Update(wanted, differences(wanted, function())), STACK, nothing)
    assert hashlib.sha256(zip_archive(3)).hexdigest() in str(caught.value)
    assert wanted.code_sha256 in str(caught.value)
    assert "two.zip" in caught.value.resource


def test_only_what_differs_is_written(aws: LocalSession, made: Callable[[], AwsAccount], faults: Any) -> None:
    made()
    code = faults.count("lambda.UpdateFunctionCode")
    wanted = replace(function(), environment={"A": "2"}, tags={**TAGS, "new": "tag"})
    account = AwsAccount(aws)
    account.update(Update(wanted, differences(wanted, function())), STACK, nothing)
    assert code == []
    assert differences(wanted, read(account, wanted)) == ()


CONCURRENCY = ("PutFunctionConcurrency", "DeleteFunctionConcurrency")
WRITES = (
    "CreateFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration", *CONCURRENCY, "TagResource",
    "DeleteFunction",
)  # fmt: skip


@pytest.fixture
def written(faults: Any) -> list[str]:
    """The names of the calls that write, of clients made after it."""
    names: list[str] = []
    for each in WRITES:
        faults.hook(f"before-call.lambda.{each}", lambda model, **_: names.append(model.name))
    return names


DRIFT: list[tuple[dict[str, Any], list[str]]] = [
    ({"memory": 512}, ["UpdateFunctionConfiguration"]),
    ({"timeout": 11}, ["UpdateFunctionConfiguration"]),
    ({"storage": 1024}, ["UpdateFunctionConfiguration"]),
    ({"handler": "other.handler"}, ["UpdateFunctionConfiguration"]),
    ({"description": "other"}, ["UpdateFunctionConfiguration"]),
    ({"runtime": "python3.12"}, ["UpdateFunctionConfiguration"]),
    ({"environment": {"B": "2"}}, ["UpdateFunctionConfiguration"]),
    ({"role": "arn:aws:iam::000000000000:role/another"}, ["UpdateFunctionConfiguration"]),
    ({"architecture": "arm64"}, ["UpdateFunctionCode"]),
    ({"reserved_concurrency": 3}, ["PutFunctionConcurrency"]),
    ({"reserved_concurrency": 0}, ["PutFunctionConcurrency"]),
    ({"tags": {**TAGS, "new": "tag"}}, ["TagResource"]),
    (
        {"memory": 512, "architecture": "arm64", "reserved_concurrency": 1, "tags": {**TAGS, "new": "tag"}},
        ["UpdateFunctionCode", "UpdateFunctionConfiguration", "PutFunctionConcurrency", "TagResource"],
    ),
]


@pytest.mark.parametrize(("values", "calls"), DRIFT, ids=lambda item: "-".join(item))
def test_drift_of_a_function_is_named_and_repaired_by_the_calls_that_its_fields_tell(
    aws: LocalSession,
    made: Callable[[], AwsAccount],
    faults: Any,
    written: list[str],
    values: dict[str, Any],
    calls: list[str],
) -> None:
    made()
    written.clear()
    wanted, account = function(**values), AwsAccount(aws)
    drift = differences(wanted, read(account, wanted))
    assert {each.field for each in drift} == set(values)
    account.update(Update(wanted, drift), STACK, nothing)
    assert written == calls
    assert differences(wanted, read(account, wanted)) == ()


def test_other_code_is_drift(aws: LocalSession, made: Callable[[], AwsAccount], written: list[str]) -> None:
    made()
    written.clear()
    wanted, account = function("two.zip"), AwsAccount(aws)
    account.update(Update(wanted, differences(wanted, read(account, wanted))), STACK, nothing)
    assert written == ["UpdateFunctionCode"]
    assert differences(wanted, read(account, wanted)) == ()


def test_concurrency_is_reserved_when_a_function_is_made_and_made_anew(
    aws: LocalSession, made: Any, written: list[str]
) -> None:
    account, wanted = AwsAccount(aws), function(reserved_concurrency=2)
    account.create(wanted, STACK, nothing)
    assert written == ["CreateFunction", "PutFunctionConcurrency"]
    assert differences(wanted, read(account)) == ()
    written.clear()
    account.update(Update(wanted, (Difference("state", "Failed", "Active"),)), STACK, nothing)
    assert written == ["DeleteFunction", "CreateFunction", "PutFunctionConcurrency"]
    assert read(account).reserved_concurrency == 2


def test_concurrency_that_is_not_wanted_any_more_is_given_back(
    aws: LocalSession, made: Callable[[], AwsAccount], written: list[str]
) -> None:
    made()
    aws.client("lambda").put_function_concurrency(FunctionName="functions", ReservedConcurrentExecutions=5)
    written.clear()
    account = AwsAccount(aws)
    drift = differences(function(), read(account))
    assert drift == (Difference("reserved_concurrency", 5, None),)
    account.update(Update(function(), drift), STACK, nothing)
    assert written == ["DeleteFunctionConcurrency"]
    assert read(account).reserved_concurrency is None


TOO_FEW = "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below"


@pytest.mark.parametrize(("refused", "said"), [(False, "1,000, of which 900"), (True, "GetAccountSettings")])
def test_reserving_too_much_tells_the_accounts_limit(
    aws: LocalSession, made: Callable[[], AwsAccount], faults: Any, refused: bool, said: str
) -> None:
    made()
    asked = faults.answer("lambda.PutFunctionConcurrency", 400, "InvalidParameterValueException", TOO_FEW)
    if refused:
        faults.answer("lambda.GetAccountSettings", 403, "AccessDeniedException")
    faults.change(
        "lambda.GetAccountSettings",
        AccountLimit={"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 900},
    )
    wanted = function(reserved_concurrency=950)
    with pytest.raises(errors.AwsError) as caught:
        AwsAccount(aws).update(Update(wanted, differences(wanted, function())), STACK, nothing)
    assert len(asked) == 1
    assert said in caught.value.why
    assert TOO_FEW in caught.value.why
    assert "Concurrent executions" in caught.value.next_step
    assert (caught.value.code, caught.value.request_id) == ("InvalidParameterValueException", "req-1")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """The second code, as a file."""
    path = tmp_path / "dist.zip"
    path.write_bytes(CODES["two.zip"])
    return path


def direct(path: Path) -> Function:
    return function("two.zip", code_bucket="", code_key="", code_path=path)


def test_code_may_be_sent_in_the_call_itself(
    aws: LocalSession, made: Any, faults: Any, archive: Path, written: list[str]
) -> None:
    account, wanted = AwsAccount(aws), direct(archive)
    account.create(wanted, STACK, nothing)
    assert written == ["CreateFunction"]
    assert differences(wanted, read(account)) == ()
    assert account.invoke(wanted.name, b"{}", 20.0).payload == b"2"


def test_code_may_be_replaced_in_the_call_itself(
    aws: LocalSession, made: Callable[[], AwsAccount], archive: Path, written: list[str]
) -> None:
    made()
    written.clear()
    account, wanted = AwsAccount(aws), direct(archive)
    account.update(Update(wanted, differences(wanted, read(account))), STACK, nothing)
    assert written == ["UpdateFunctionCode"]
    assert account.invoke(wanted.name, b"{}", 20.0).payload == b"2"


def test_code_that_was_exchanged_or_taken_away_is_not_sent(
    aws: LocalSession, made: Any, archive: Path, written: list[str]
) -> None:
    archive.write_bytes(b"other")
    with pytest.raises(errors.ArchiveCorruptError) as corrupt:
        AwsAccount(aws).create(direct(archive), STACK, nothing)
    assert hashlib.sha256(b"other").hexdigest() in str(corrupt.value)
    archive.unlink()
    with pytest.raises(errors.ArchiveMissingError) as missing:
        AwsAccount(aws).create(direct(archive), STACK, nothing)
    assert missing.value.resource == str(archive)
    assert written == []


def test_code_that_was_changed_on_the_way_names_the_file(
    aws: LocalSession, made: Any, faults: Any, archive: Path
) -> None:
    faults.change("lambda.CreateFunction", CodeSha256=base64.b64encode(OTHER).decode())
    with pytest.raises(errors.ArchiveCorruptError) as caught:
        AwsAccount(aws).create(direct(archive), STACK, nothing)
    assert caught.value.resource == str(archive)
    assert OTHER.hex() in caught.value.why


def test_no_room_for_code_names_the_quota(aws: LocalSession, made: Any, faults: Any) -> None:
    faults.answer("lambda.CreateFunction", 400, "CodeStorageExceededException")
    with pytest.raises(errors.AwsError) as caught:
        AwsAccount(aws).create(function(), STACK, nothing)
    assert "storage" in caught.value.next_step


def test_a_function_that_is_gone_is_deleted_already(aws: LocalSession) -> None:
    AwsAccount(aws).delete(function(), STACK, nothing)
    AwsAccount(aws).delete(function(), STACK, nothing)
    assert AwsAccount(aws).read(function()) is None
