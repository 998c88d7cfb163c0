"""A trigger is one entry among others of a bucket's notifications: the others stay, and what is in its way is named."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.aws.notifications import (
    create_s3_trigger,
    delete_s3_trigger,
    read_s3_trigger,
    update_s3_trigger,
)
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.plan import policies
from podpac_lambda_widgets.plan.difference import differences
from podpac_lambda_widgets.plan.resources import Observed, S3Trigger

pytestmark = pytest.mark.local_aws

STACK = "triggered@us-east-1"
NAME = "triggered"
BUCKET = "podpac-test-notifications"
ACCOUNT = "000000000000"
ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{NAME}"
UNREACHABLE = "Unable to validate the following destination configurations"
WANTED = S3Trigger(
    name="podpac-triggered-us-east-1",
    bucket=BUCKET,
    function=ARN,
    events=("s3:ObjectCreated:*",),
    prefix="input/triggered/",
    suffix=".json",
    permission=policies.s3_permission(
        "podpac-triggered-us-east-1-s3",
        function_arn=ARN,
        bucket_arn=f"arn:aws:s3:::{BUCKET}",
        account=ACCOUNT,
    ),
)


class PassingClock:
    """Time that passes only where somebody waits."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Trigger:
    """Clients that have the faults which were set before, and what a test does with them."""

    s3: Any
    functions: Any
    clock: PassingClock

    def observe(self, wanted: S3Trigger = WANTED) -> Observed | None:
        return read_s3_trigger(self.s3, self.functions, wanted, ACCOUNT, STACK)

    def read(self, wanted: S3Trigger = WANTED) -> S3Trigger:
        found = self.observe(wanted)
        assert found is not None
        assert found.stack == STACK
        assert isinstance(found.resource, S3Trigger)
        return found.resource

    def create(self, wanted: S3Trigger = WANTED) -> None:
        create_s3_trigger(self.s3, self.functions, wanted, ACCOUNT, self.clock)

    def repair(self) -> set[str]:
        """Update to what is wanted; returns the fields that differed, when afterwards none does."""
        fields = {difference.field for difference in differences(WANTED, self.read())}
        update_s3_trigger(self.s3, self.functions, WANTED, fields, ACCOUNT, self.clock)
        assert differences(WANTED, self.read()) == ()
        return fields

    def delete(self) -> None:
        delete_s3_trigger(self.s3, self.functions, self.read(), ACCOUNT, self.clock)

    def configuration(self) -> dict[str, Any]:
        found = self.s3.get_bucket_notification_configuration(Bucket=BUCKET)
        return {key: value for key, value in found.items() if key != "ResponseMetadata"}

    def write(self, configuration: dict[str, Any]) -> None:
        self.s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=configuration)

    def statements(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.functions.get_policy(FunctionName=NAME)["Policy"])["Statement"]
        return found


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        opened.writestr("handler.py", "def handler(event, context):\n    return 'called'\n")
    return file.getvalue()


def for_everybody(action: str) -> str:
    statement = {"Effect": "Allow", "Principal": "*", "Resource": "*", "Action": action}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def world(aws: LocalSession) -> Iterator[dict[str, Any]]:
    """A function, a bucket, and notifications of others of every kind; returns these."""
    functions, iam, s3, sqs, sns = (aws.client(name) for name in ("lambda", "iam", "s3", "sqs", "sns"))
    role = iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=json.dumps(policies.lambda_trust(ACCOUNT)))
    functions.create_function(
        FunctionName=NAME,
        Runtime="python3.11",
        Role=role["Role"]["Arn"],
        Handler="handler.handler",
        Code={"ZipFile": archive()},
    )
    s3.create_bucket(Bucket=BUCKET)
    queue = sqs.create_queue(QueueName="theirs")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": for_everybody("sqs:SendMessage")})
    topic = sns.create_topic(Name="theirs")["TopicArn"]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=for_everybody("sns:Publish"))
    others = {
        "TopicConfigurations": [
            {"Id": "their topic", "TopicArn": topic, "Events": ["s3:ObjectRemoved:*"], "Filter": _filter("input/", "")}
        ],
        "QueueConfigurations": [
            {
                "Id": "their queue",
                "QueueArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:theirs",
                "Events": ["s3:ObjectCreated:Put", "s3:ObjectCreated:Copy"],
                "Filter": _filter("images/", ".tif"),
            }
        ],
        "LambdaFunctionConfigurations": [
            {
                "Id": "their function",
                "LambdaFunctionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:theirs",
                "Events": ["s3:ObjectCreated:*"],
                "Filter": _filter("input/triggered/", ".txt"),
            }
        ],
        "EventBridgeConfiguration": {},
    }
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=others)
    yield others
    s3.delete_bucket(Bucket=BUCKET)
    sqs.delete_queue(QueueUrl=queue)
    sns.delete_topic(TopicArn=topic)
    functions.delete_function(FunctionName=NAME)
    iam.delete_role(RoleName=NAME)


def _filter(prefix: str, suffix: str) -> dict[str, Any]:
    values = {"prefix": prefix, "suffix": suffix}
    return {"Key": {"FilterRules": [{"Name": name, "Value": value} for name, value in values.items() if value]}}


@pytest.fixture
def connect(aws: LocalSession, world: dict[str, Any]) -> Callable[[], Trigger]:
    """Makes clients; those made after faults have them."""
    return lambda: Trigger(aws.client("s3"), aws.client("lambda"), PassingClock())


def test_a_trigger_is_made_as_wanted_beside_the_others_and_goes_without_a_trace(
    connect: Callable[[], Trigger], world: dict[str, Any]
) -> None:
    trigger = connect()
    before = trigger.configuration()
    assert before == world
    assert trigger.observe() is None
    trigger.create()
    assert differences(WANTED, trigger.read()) == ()
    assert trigger.statements() == [WANTED.permission]
    entries = trigger.configuration()["LambdaFunctionConfigurations"]
    assert entries[-1] == {
        "Id": WANTED.name,
        "LambdaFunctionArn": ARN,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": _filter("input/triggered/", ".json"),
    }
    others = {**trigger.configuration(), "LambdaFunctionConfigurations": entries[:-1]}
    assert json.dumps(others, sort_keys=True) == json.dumps(before, sort_keys=True)
    found = trigger.read()
    trigger.delete()
    assert json.dumps(trigger.configuration(), sort_keys=True) == json.dumps(before, sort_keys=True)
    assert trigger.statements() == []
    assert trigger.observe() is None
    delete_s3_trigger(trigger.s3, trigger.functions, found, ACCOUNT, trigger.clock)


def test_a_bucket_without_other_notifications_has_none_afterwards(connect: Callable[[], Trigger]) -> None:
    trigger = connect()
    trigger.write({})
    trigger.create()
    trigger.delete()
    assert trigger.configuration() == {}


def test_the_permission_comes_first_and_goes_last_and_every_call_names_the_owner(
    connect: Callable[[], Trigger], faults: Any
) -> None:
    order: list[str] = []
    owners: list[str] = []

    def note(model: Any, params: dict[str, Any], **_: Any) -> None:
        if model.service_model.service_name == "s3":
            owners.append(params["headers"].get("x-amz-expected-bucket-owner", "nobody"))
        if not model.name.startswith("Get"):
            order.append(model.name)

    faults.hook("before-call.s3", note)
    faults.hook("before-call.lambda", note)
    trigger = connect()
    trigger.create()
    trigger.delete()
    put = "PutBucketNotificationConfiguration"
    assert order == ["AddPermission", put, put, "RemovePermission"]
    assert set(owners) == {ACCOUNT}


DRIFT: list[tuple[str, dict[str, Any]]] = [
    ("events", {"Events": ["s3:ObjectCreated:Put"]}),
    ("prefix", {"Filter": _filter("elsewhere/", ".json")}),
    ("suffix", {"Filter": _filter("input/triggered/", ".nc")}),
    ("function", {"LambdaFunctionArn": f"{ARN}:old"}),
]


@pytest.mark.parametrize(("field", "change"), DRIFT, ids=[field for field, _ in DRIFT])
def test_drift_of_the_entry_is_named_and_repaired_with_one_write(
    connect: Callable[[], Trigger], world: dict[str, Any], faults: Any, field: str, change: dict[str, Any]
) -> None:
    trigger = connect()
    trigger.create()
    own = trigger.configuration()["LambdaFunctionConfigurations"][-1]
    trigger.write({**world, "LambdaFunctionConfigurations": [{**own, **change}]})
    writes, permitted = faults.count("s3.PutBucketNotificationConfiguration"), faults.count("lambda.AddPermission")
    trigger = connect()
    assert trigger.repair() == {field}
    assert (len(writes), len(permitted)) == (1, 0)


@pytest.mark.parametrize(
    "other",
    [
        None,
        {"Principal": "s3.amazonaws.com", "SourceArn": f"arn:aws:s3:::{BUCKET}"},
        {"Principal": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::other", "SourceAccount": ACCOUNT},
        {"Principal": "sns.amazonaws.com", "SourceArn": f"arn:aws:s3:::{BUCKET}", "SourceAccount": ACCOUNT},
    ],
    ids=["gone", "open to other accounts", "another bucket", "another service"],
)
def test_drift_of_the_permission_is_named_and_repaired(
    connect: Callable[[], Trigger], faults: Any, other: dict[str, str] | None
) -> None:
    trigger = connect()
    trigger.create()
    sid = trigger.statements()[0]["Sid"]
    trigger.functions.remove_permission(FunctionName=NAME, StatementId=sid)
    if other:
        trigger.functions.add_permission(FunctionName=NAME, StatementId=sid, Action="lambda:InvokeFunction", **other)
    trigger.functions.add_permission(
        FunctionName=NAME, StatementId="theirs", Action="lambda:GetFunction", Principal="111111111111"
    )
    theirs = trigger.statements()[-1]
    writes = faults.count("s3.PutBucketNotificationConfiguration")
    trigger = connect()
    assert trigger.repair() == {"permission"}
    assert writes == []
    assert sorted(trigger.statements(), key=lambda each: str(each["Sid"])) == [WANTED.permission, theirs]


@pytest.mark.parametrize("lost", ["lambda.AddPermission", "s3.PutBucketNotificationConfiguration"])
def test_a_rerun_after_a_lost_answer_does_only_what_is_left(
    connect: Callable[[], Trigger], faults: Any, lost: str
) -> None:
    answers = [1]

    def lose(**_: Any) -> None:
        if answers:
            answers.pop()
            raise ReadTimeoutError(endpoint_url="https://aws")

    faults.hook(f"after-call.{lost}", lose)
    trigger = connect()
    with pytest.raises(errors.EndpointUnreachableError):
        trigger.create()
    permitted = faults.count("lambda.AddPermission")
    trigger = connect()
    left = {"function", "events", "prefix", "suffix"} if lost.startswith("lambda") else set()
    assert trigger.repair() == left
    trigger.create()
    assert permitted == []
    assert differences(WANTED, trigger.read()) == ()


def test_a_configuration_that_is_as_wanted_is_not_written(connect: Callable[[], Trigger], faults: Any) -> None:
    connect().create()
    written = faults.count("s3.PutBucketNotificationConfiguration")
    permitted = faults.count("lambda.AddPermission")
    connect().create()
    assert (written, permitted) == ([], [])


def test_a_deletion_that_was_cut_is_seen_and_ended(connect: Callable[[], Trigger], faults: Any) -> None:
    trigger = connect()
    trigger.create()
    refusals = [faults.refusal(500, "ServiceException")]
    faults.hook("before-call.lambda.RemovePermission", lambda **_: refusals.pop() if refusals else None)
    with pytest.raises(errors.AwsError):
        connect().delete()
    trigger = connect()
    assert trigger.read().events == ()
    trigger.delete()
    assert trigger.observe() is None


def test_s3_is_asked_again_until_it_sees_the_permission(connect: Callable[[], Trigger], faults: Any) -> None:
    left = [4]

    def refuse(**_: Any) -> Any:
        left[0] -= 1
        answers = [faults.refusal(400, "InvalidArgument", UNREACHABLE), faults.refusal(409, "OperationAborted")]
        return answers[left[0] % 2] if left[0] >= 0 else None

    faults.hook("before-call.s3.PutBucketNotificationConfiguration", refuse)
    trigger = connect()
    trigger.create()
    assert left == [-1]
    assert 0 < trigger.clock.now <= 60
    assert differences(WANTED, trigger.read()) == ()


def test_another_entry_that_comes_while_we_wait_stays(
    connect: Callable[[], Trigger], world: dict[str, Any], faults: Any
) -> None:
    new = {**world["QueueConfigurations"][0], "Id": "new", "Events": ["s3:ObjectRemoved:*"]}
    writer = connect()
    refused: list[int] = []

    def refuse(**_: Any) -> Any:
        if refused:
            return None
        refused.append(1)
        writer.write({**world, "QueueConfigurations": [*world["QueueConfigurations"], new]})
        return faults.refusal(409, "OperationAborted")

    faults.hook("before-call.s3.PutBucketNotificationConfiguration", refuse)
    trigger = connect()
    trigger.create()
    assert [entry["Id"] for entry in trigger.configuration()["QueueConfigurations"]] == ["their queue", "new"]
    assert differences(WANTED, trigger.read()) == ()


def test_an_entry_of_another_that_calls_a_function_that_is_gone_is_named(
    connect: Callable[[], Trigger], faults: Any
) -> None:
    faults.answer("s3.PutBucketNotificationConfiguration", 400, "InvalidArgument", UNREACHABLE)
    trigger = connect()
    with pytest.raises(errors.AwsError) as caught:
        trigger.create()
    assert "'their function'" in caught.value.why
    assert "function:theirs" in caught.value.why
    assert "owner" in caught.value.next_step
    assert (caught.value.code, caught.value.request_id) == ("InvalidArgument", "req-1")
    assert 30 < trigger.clock.now <= 60


def test_without_such_an_entry_the_error_is_the_one_of_s3(connect: Callable[[], Trigger], faults: Any) -> None:
    faults.answer("s3.PutBucketNotificationConfiguration", 400, "InvalidArgument", UNREACHABLE)
    faults.answer("lambda.GetFunction", 403, "AccessDeniedException")
    with pytest.raises(errors.AwsError) as caught:
        connect().create()
    assert UNREACHABLE in caught.value.why


def test_our_own_entry_is_not_blamed_on_another(connect: Callable[[], Trigger], faults: Any) -> None:
    trigger = connect()
    trigger.create()
    own = trigger.configuration()["LambdaFunctionConfigurations"][-1]
    trigger.write({"LambdaFunctionConfigurations": [{**own, "Events": ["s3:ObjectRemoved:*"]}]})
    faults.answer("s3.PutBucketNotificationConfiguration", 400, "InvalidArgument", UNREACHABLE)
    faults.answer("lambda.GetFunction", 404, "ResourceNotFoundException")
    with pytest.raises(errors.AwsError) as caught:
        connect().repair()
    assert UNREACHABLE in caught.value.why


def test_an_entry_with_our_id_that_came_since_the_plan_is_not_overwritten(
    connect: Callable[[], Trigger], world: dict[str, Any]
) -> None:
    trigger = connect()
    theirs = {**world["LambdaFunctionConfigurations"][0], "Id": WANTED.name}
    trigger.write({"LambdaFunctionConfigurations": [theirs]})
    trigger.create()
    assert theirs in trigger.configuration()["LambdaFunctionConfigurations"]
    delete_s3_trigger(trigger.s3, trigger.functions, WANTED, ACCOUNT, trigger.clock)
    assert trigger.configuration() == {"LambdaFunctionConfigurations": [theirs]}


def test_deleting_does_not_wait_for_what_will_not_pass(connect: Callable[[], Trigger], faults: Any) -> None:
    connect().create()
    asked = faults.answer("s3.PutBucketNotificationConfiguration", 400, "InvalidArgument", UNREACHABLE)
    trigger = connect()
    with pytest.raises(errors.AwsError, match="their function"):
        trigger.delete()
    assert (len(asked), trigger.clock.now) == (1, 0.0)


@pytest.mark.parametrize("kind", ["QueueConfigurations", "LambdaFunctionConfigurations"])
def test_an_entry_with_our_id_that_calls_something_else_is_somebody_elses(
    connect: Callable[[], Trigger], world: dict[str, Any], kind: str
) -> None:
    trigger = connect()
    theirs = {**world[kind][0], "Id": WANTED.name}
    trigger.write({**world, kind: [theirs]})
    found = trigger.observe()
    assert found is not None
    assert found.stack is None


def test_an_entry_for_the_same_objects_is_a_conflict_that_names_it(
    connect: Callable[[], Trigger], world: dict[str, Any]
) -> None:
    trigger = connect()
    theirs = {**world["QueueConfigurations"][0], "Id": "all input", "Filter": _filter("input/", "")}
    trigger.write({**world, "QueueConfigurations": [theirs]})
    found = trigger.observe()
    assert found is not None
    assert found.stack is None
    assert found.resource == replace(WANTED, function="", events=(), prefix="", suffix="", permission=None)
    assert "'all input'" in found.conflict
    assert "'input/'" in found.conflict
    assert "sqs" in found.conflict


@pytest.mark.parametrize(
    ("events", "prefix", "suffix", "conflict"),
    [
        (["s3:ObjectCreated:Put"], "", "", True),
        (["s3:ObjectRemoved:*", "s3:ObjectCreated:*"], "input/triggered/deep/", ".json", True),
        (["s3:ObjectCreated:Copy"], "input/", "on", True),
        (["s3:ObjectCreated:Put"], "input/triggered/", "deep.json", True),
        (["s3:ObjectRemoved:*"], "", "", False),
        (["s3:ObjectCreated:*"], "output/", "", False),
        (["s3:ObjectCreated:*"], "input/triggered/", ".nc", False),
    ],
)
def test_entries_conflict_only_when_one_key_could_be_of_both(
    connect: Callable[[], Trigger], world: dict[str, Any], events: list[str], prefix: str, suffix: str, conflict: bool
) -> None:
    trigger = connect()
    trigger.create()
    theirs = {**world["QueueConfigurations"][0], "Events": events, "Filter": _filter(prefix, suffix)}
    own = trigger.configuration()["LambdaFunctionConfigurations"][-1]
    trigger.write({"QueueConfigurations": [theirs], "LambdaFunctionConfigurations": [own]})
    found = trigger.observe()
    assert found is not None
    assert found.stack == STACK
    assert bool(found.conflict) is conflict


def test_a_trigger_looked_for_by_name_alone_has_no_conflict(
    connect: Callable[[], Trigger], world: dict[str, Any]
) -> None:
    trigger = connect()
    trigger.write({"QueueConfigurations": [{**world["QueueConfigurations"][0], "Filter": _filter("", "")}]})
    named = replace(WANTED, events=(), prefix="", suffix="")
    assert trigger.observe(named) is None
    trigger.create()
    delete_s3_trigger(trigger.s3, trigger.functions, trigger.read(named), ACCOUNT, trigger.clock)
    assert trigger.observe(named) is None


def test_names_of_rules_with_a_capital_are_read(connect: Callable[[], Trigger], faults: Any) -> None:
    def capitalise(parsed: dict[str, Any], **_: Any) -> None:
        for entry in parsed["LambdaFunctionConfigurations"]:
            for rule in entry["Filter"]["Key"]["FilterRules"]:
                rule["Name"] = rule["Name"].capitalize()

    connect().create()
    faults.hook("after-call.s3.GetBucketNotificationConfiguration", capitalise)
    assert differences(WANTED, connect().read()) == ()


def test_a_bucket_that_is_not_there_has_no_trigger(connect: Callable[[], Trigger]) -> None:
    assert connect().observe(replace(WANTED, bucket="podpac-no-such-bucket")) is None


def test_a_bucket_of_another_account_has_no_trigger_of_ours(connect: Callable[[], Trigger], faults: Any) -> None:
    faults.answer("s3.GetBucketNotificationConfiguration", 403, "AccessDenied", "Access Denied")
    assert connect().observe() is None


DENIED = "User: u is not authorized to perform: s3:GetBucketNotification on resource: r because no policy allows it"


@pytest.mark.parametrize(("bucket", "message"), [(BUCKET, DENIED), (f"soil-{ACCOUNT}-us-east-1-an", "Access Denied")])
def test_a_bucket_of_ours_that_may_not_be_read_is_an_error(
    connect: Callable[[], Trigger], faults: Any, bucket: str, message: str
) -> None:
    faults.answer("s3.GetBucketNotificationConfiguration", 403, "AccessDenied", message)
    with pytest.raises(errors.AccessDeniedError):
        connect().observe(replace(WANTED, bucket=bucket))


def test_only_the_permission_is_left_when_the_bucket_is_gone(connect: Callable[[], Trigger]) -> None:
    trigger = connect()
    elsewhere = replace(WANTED, bucket="podpac-no-such-bucket")
    with pytest.raises(errors.ResourceNotFoundError):
        trigger.create(elsewhere)
    found = trigger.read(elsewhere)
    assert found.events == ()
    delete_s3_trigger(trigger.s3, trigger.functions, found, ACCOUNT, trigger.clock)
    assert trigger.observe(elsewhere) is None
