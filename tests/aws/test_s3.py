"""A bucket of ours, one of a stranger, and an answer that says neither are told apart; what others have set stays.

The embedded AWS is milder than AWS: every bucket is encrypted, a rule of a lifecycle loses the prefix of the old form,
the smallest size for transitions is always the same, and a bucket that was just made says at once what it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.aws.s3 import SOMEBODY_ELSES, BucketElsewhereError, create_bucket
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.plan.account import BucketCount
from podpac_lambda_widgets.plan.changes import Update
from podpac_lambda_widgets.plan.difference import differences
from podpac_lambda_widgets.plan.policies import lifecycle_rules
from podpac_lambda_widgets.plan.resources import STACK_METADATA, STACK_TAG, Bucket, BucketContents

pytestmark = pytest.mark.local_aws

STACK = "buckets@us-east-1"
NAME = "podpac-test-buckets"
POLICY = {
    "Sid": "Ours",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": [f"arn:aws:s3:::{NAME}", f"arn:aws:s3:::{NAME}/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
WANTED = Bucket(name=NAME, region="us-east-1", tags={}, public_access_blocked=True, policy=POLICY)


@pytest.fixture
def s3(aws: LocalSession) -> Iterator[Any]:
    """A client, and the bucket."""
    client = aws.client("s3")
    client.create_bucket(Bucket=NAME)
    yield client
    client.delete_bucket_policy(Bucket=NAME)
    found = client.list_object_versions(Bucket=NAME)
    for each in [*found.get("Versions", []), *found.get("DeleteMarkers", [])]:
        client.delete_object(Bucket=NAME, Key=each["Key"], VersionId=each["VersionId"])
    client.delete_bucket(Bucket=NAME)


def test_a_bucket_is_asked_for_once_with_its_owner(aws: LocalSession, s3: Any, faults: Any) -> None:
    asked = faults.count("s3.HeadBucket")
    found = AwsAccount(aws).read(WANTED)
    assert found is not None
    assert found.stack is None
    assert [request["headers"]["x-amz-expected-bucket-owner"] for request in asked] == ["000000000000"]


@pytest.mark.parametrize(("status", "kind"), [(500, errors.AwsError), (503, errors.ThrottledError)])
def test_trouble_in_s3_does_not_make_our_bucket_a_strangers(
    aws: LocalSession, s3: Any, faults: Any, status: int, kind: type[errors.AwsError]
) -> None:
    faults.answer("s3.HeadBucket", status)
    with pytest.raises(kind):
        AwsAccount(aws).read(WANTED)


def test_a_bucket_that_is_forbidden_is_observed_as_a_strangers(aws: LocalSession, faults: Any) -> None:
    faults.answer("s3.HeadBucket", 403, message="Forbidden")
    found = AwsAccount(aws).read(WANTED)
    assert found is not None
    assert found.stack == SOMEBODY_ELSES
    assert "s3:ListBucket" in SOMEBODY_ELSES


def test_a_bucket_that_is_forbidden_but_in_our_namespace_is_ours(aws: LocalSession, faults: Any) -> None:
    faults.answer("s3.HeadBucket", 403, message="Forbidden")
    with pytest.raises(errors.AccessDeniedError) as caught:
        AwsAccount(aws).read(replace(WANTED, name="soil-000000000000-us-east-1-an"))
    assert caught.value.action == "s3:ListBucket"
    assert "s3:ListBucket" in caught.value.next_step
    assert "no other account's" in caught.value.why


def test_a_bucket_that_is_not_there_is_none(aws: LocalSession) -> None:
    assert AwsAccount(aws).read(replace(WANTED, name="podpac-no-such-bucket")) is None


def test_an_unreachable_s3_is_a_typed_error(aws: LocalSession, s3: Any, faults: Any) -> None:
    def lose(**_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="https://x")

    faults.hook("after-call.s3.HeadBucket", lose)
    with pytest.raises(errors.EndpointUnreachableError, match="60 seconds"):
        AwsAccount(aws).read(WANTED)


@pytest.mark.parametrize("status", [301, 400])
def test_a_bucket_is_elsewhere_only_when_s3_says_where(aws: LocalSession, faults: Any, status: int) -> None:
    faults.answer("s3.HeadBucket", status, headers={"x-amz-bucket-region": "eu-west-1"})
    with pytest.raises(BucketElsewhereError, match="eu-west-1"):
        AwsAccount(aws).read(WANTED)


def read_bucket(account: AwsAccount) -> object:
    return account.read(WANTED)


def inspect(account: AwsAccount) -> object:
    return account.inspect_object(NAME, "key")


@pytest.mark.parametrize(("operation", "read"), [("s3.HeadBucket", read_bucket), ("s3.HeadObject", inspect)])
@pytest.mark.parametrize("headers", [{}, {"x-amz-bucket-region": "us-east-1"}], ids=["bare", "same region"])
def test_a_400_without_a_reason_has_a_next_step(
    aws: LocalSession, faults: Any, operation: str, read: Any, headers: dict[str, str]
) -> None:
    faults.answer(operation, 400, message="Bad Request", headers=headers)
    with pytest.raises(errors.AwsError) as caught:
        read(AwsAccount(aws))
    assert not isinstance(caught.value, BucketElsewhereError)
    assert "Bad Request" not in str(caught.value)
    assert "region" in caught.value.next_step


@pytest.mark.parametrize(("operation", "read"), [("s3.HeadBucket", read_bucket), ("s3.HeadObject", inspect)])
def test_a_400_with_a_token_that_has_expired_says_so(aws: LocalSession, faults: Any, operation: str, read: Any) -> None:
    faults.answer(operation, 400, message="Bad Request")
    faults.answer("sts.GetCallerIdentity", 403, code="ExpiredToken", after=1)
    account = AwsAccount(aws)
    assert account.identity()
    with pytest.raises(errors.ExpiredCredentialsError):
        read(account)


def test_an_object_that_is_forbidden_names_the_permission(aws: LocalSession, faults: Any) -> None:
    faults.answer("s3.HeadObject", 403, message="Forbidden")
    with pytest.raises(errors.AccessDeniedError) as caught:
        AwsAccount(aws).inspect_object(NAME, "key")
    assert caught.value.action == "s3:GetObject"
    assert "another account" in caught.value.why


THEIRS = {
    "Sid": "Theirs",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:PutBucketAcl",
    "Resource": f"arn:aws:s3:::{NAME}",
}


@pytest.mark.parametrize("statement", [THEIRS, [THEIRS]], ids=["single", "list"])
def test_a_policy_of_others_keeps_its_statement_and_its_id(aws: LocalSession, s3: Any, statement: Any) -> None:
    account = AwsAccount(aws)
    s3.put_bucket_policy(
        Bucket=NAME, Policy=json.dumps({"Version": "2012-10-17", "Id": "TheirId", "Statement": statement})
    )
    found = account.read(WANTED)
    assert found is not None
    account.update(Update(WANTED, differences(WANTED, found.resource)), STACK, lambda done, total: None)
    document = json.loads(s3.get_bucket_policy(Bucket=NAME)["Policy"])
    assert document["Id"] == "TheirId"
    assert [each["Sid"] for each in document["Statement"]] == ["Theirs", "Ours"]
    found = account.read(WANTED)
    assert found is not None
    assert differences(WANTED, found.resource) == ()


def test_our_statement_is_found_when_it_is_the_only_one(aws: LocalSession, s3: Any) -> None:
    s3.put_bucket_policy(Bucket=NAME, Policy=json.dumps({"Version": "2012-10-17", "Statement": POLICY}))
    found = AwsAccount(aws).read(WANTED)
    assert found is not None
    assert "policy" not in {each.field for each in differences(WANTED, found.resource)}


def test_whose_an_object_is_is_asked_once_for_all_its_versions(aws: LocalSession, s3: Any, faults: Any) -> None:
    s3.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})
    for version in range(5):
        s3.put_object(Bucket=NAME, Key="theirs", Body=b"%d" % version)
        s3.put_object(Bucket=NAME, Key="marked", Body=b"%d" % version, Metadata={STACK_METADATA: STACK})
    asked = faults.count("s3.HeadObject")
    # One result, however many versions it has; none, when the last of them says that it is deleted.
    assert AwsAccount(aws).count_objects(WANTED, STACK) == BucketCount(own=5, foreign=5, results=1)
    assert len(asked) == 2


def test_an_object_under_a_key_of_its_owner_is_theirs(aws: LocalSession, s3: Any, faults: Any) -> None:
    s3.put_object(Bucket=NAME, Key="encrypted", Body=b"theirs")
    faults.answer("s3.HeadObject", 400)
    assert AwsAccount(aws).count_objects(WANTED, STACK) == BucketCount(own=0, foreign=1)


RULES = lifecycle_rules("soil", output="out/soil/", archives="archives/soil/", expiration=30)
OURS = replace(WANTED, tags={STACK_TAG: STACK, "project": "soil"}, lifecycle=RULES)
WRITES = (
    "CreateBucket", "PutBucketTagging", "PutPublicAccessBlock", "PutBucketEncryption",
    "PutBucketLifecycleConfiguration", "DeleteBucketLifecycle", "PutBucketPolicy", "DeleteBucketPolicy",
)  # fmt: skip


def nothing(done: int, total: int) -> None:
    """No progress."""


@pytest.fixture
def written(faults: Any) -> list[str]:
    """The names of the calls that write, of clients made after it."""
    names: list[str] = []
    for each in WRITES:
        faults.hook(f"before-call.s3.{each}", lambda model, **_: names.append(model.name))
    return names


@pytest.fixture
def made(aws: LocalSession) -> Iterator[Any]:
    """A client; the bucket that we make goes in the end."""
    client = aws.client("s3")
    AwsAccount(aws).create(OURS, STACK, nothing)
    yield client
    client.delete_bucket_policy(Bucket=NAME)
    client.delete_bucket(Bucket=NAME)


def read(account: AwsAccount, wanted: Bucket = OURS) -> Bucket:
    found = account.read(wanted)
    assert found is not None
    assert found.stack == STACK
    assert isinstance(found.resource, Bucket)
    return found.resource


def repair(account: AwsAccount, wanted: Bucket = OURS) -> set[str]:
    changed = differences(wanted, read(account, wanted))
    account.update(Update(wanted, changed), STACK, nothing)
    return {each.field for each in changed}


def test_a_bucket_is_made_by_calls_that_can_be_foretold(aws: LocalSession, written: list[str], made: Any) -> None:
    assert written == [
        "CreateBucket",
        "PutPublicAccessBlock",
        "PutBucketEncryption",
        "PutBucketLifecycleConfiguration",
        "PutBucketPolicy",
    ]
    assert differences(OURS, read(AwsAccount(aws))) == ()
    rules = made.get_bucket_encryption(Bucket=NAME)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def lifecycle(s3: Any) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = s3.get_bucket_lifecycle_configuration(Bucket=NAME)["Rules"]
    return rules


def put_rules(s3: Any, *rules: Any) -> None:
    s3.put_bucket_lifecycle_configuration(Bucket=NAME, LifecycleConfiguration={"Rules": list(rules)})


UPLOADS, RESULTS = RULES
DRIFT: list[tuple[str, Callable[[Any], object], str]] = [
    ("tags", lambda s3: s3.put_bucket_tagging(
        Bucket=NAME, Tagging={"TagSet": [{"Key": STACK_TAG, "Value": STACK}, {"Key": "theirs", "Value": "1"}]}
    ), "PutBucketTagging"),
    ("public_access_blocked", lambda s3: s3.delete_public_access_block(Bucket=NAME), "PutPublicAccessBlock"),
    ("policy", lambda s3: s3.delete_bucket_policy(Bucket=NAME), "PutBucketPolicy"),
    ("lifecycle", lambda s3: s3.delete_bucket_lifecycle(Bucket=NAME), "PutBucketLifecycleConfiguration"),
    ("lifecycle", lambda s3: put_rules(s3, RESULTS), "PutBucketLifecycleConfiguration"),
    ("lifecycle", lambda s3: put_rules(s3, UPLOADS, {**RESULTS, "Expiration": {"Days": 1}}),
     "PutBucketLifecycleConfiguration"),
    ("lifecycle", lambda s3: put_rules(s3, {**UPLOADS, "Status": "Disabled"}, RESULTS),
     "PutBucketLifecycleConfiguration"),
    ("lifecycle", lambda s3: put_rules(s3, UPLOADS, {**RESULTS, "Filter": {"Prefix": ""}}),
     "PutBucketLifecycleConfiguration"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "change", "call"), DRIFT)
def test_drift_of_a_bucket_is_named_and_repaired_by_one_call(
    aws: LocalSession, made: Any, written: list[str], field: str, change: Callable[[Any], object], call: str
) -> None:
    change(made)
    account = AwsAccount(aws)
    assert repair(account) == {field}
    assert written == [call]
    assert differences(OURS, read(account)) == ()


def test_a_bucket_that_is_not_encrypted_is_and_any_algorithm_will_do(
    aws: LocalSession, made: Any, faults: Any, written: list[str]
) -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}
    made.put_bucket_encryption(Bucket=NAME, ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert differences(OURS, read(AwsAccount(aws))) == ()
    faults.answer("s3.GetBucketEncryption", 404, code="ServerSideEncryptionConfigurationNotFoundError")
    assert repair(AwsAccount(aws)) == {"encrypted"}
    assert written == ["PutBucketEncryption"]
    rules = made.get_bucket_encryption(Bucket=NAME)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules == [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]


def test_a_rule_that_is_not_wanted_any_more_is_seen_and_goes(aws: LocalSession, made: Any) -> None:
    kept = lifecycle_rules("soil", output="out/soil/", archives="archives/soil/", expiration=0)
    wanted = replace(OURS, lifecycle=kept)
    account = AwsAccount(aws)
    assert repair(account, wanted) == {"lifecycle"}
    assert [rule["ID"] for rule in lifecycle(made)] == ["podpac-lambda-widgets-soil-uploads"]
    assert differences(wanted, read(account, wanted)) == ()


THEIR_RULES = [
    {
        "ID": "theirs",
        "Status": "Disabled",
        "Filter": {"And": {"Prefix": "x/", "Tags": [{"Key": "a", "Value": "b"}], "ObjectSizeGreaterThan": 9}},
        "Transitions": [{"Days": 40, "StorageClass": "GLACIER"}],
        "NoncurrentVersionTransitions": [{"NoncurrentDays": 50, "StorageClass": "GLACIER"}],
    },
    {
        "ID": "podpac-lambda-widgets-soil-2-results",
        "Status": "Enabled",
        "Filter": {"Prefix": "out/soil-2/"},
        "Expiration": {"Date": "2030-01-01T00:00:00Z"},
    },
]


def test_rules_of_others_and_of_another_stack_are_the_same_byte_for_byte(
    aws: LocalSession, made: Any, faults: Any
) -> None:
    put_rules(made, *THEIR_RULES)
    before = lifecycle(made)
    faults.change("s3.GetBucketLifecycleConfiguration", TransitionDefaultMinimumObjectSize="varies_by_storage_class")
    asked = faults.count("s3.PutBucketLifecycleConfiguration")
    account = AwsAccount(aws)
    assert repair(account) == {"lifecycle"}
    assert lifecycle(made) == [*before, *RULES]
    assert asked[0]["headers"]["x-amz-transition-default-minimum-object-size"] == "varies_by_storage_class"
    assert differences(OURS, read(account)) == ()


def test_what_s3_adds_to_a_rule_of_ours_is_no_drift(aws: LocalSession, made: Any, faults: Any) -> None:
    def add(parsed: dict[str, Any], **_: Any) -> None:
        for rule in parsed["Rules"]:
            rule |= {"Transitions": [], "NoncurrentVersionTransitions": []}
            rule["Filter"] |= {"ObjectSizeGreaterThan": 0}
            if "Expiration" in rule:
                rule["Expiration"] |= {"ExpiredObjectDeleteMarker": False}
        parsed["Rules"].reverse()

    faults.hook("after-call.s3.GetBucketLifecycleConfiguration", add)
    assert differences(OURS, read(AwsAccount(aws))) == ()


def test_of_a_bucket_without_rules_of_ours_no_rules_are_asked_for(aws: LocalSession, made: Any, faults: Any) -> None:
    asked = faults.count("s3.GetBucketLifecycleConfiguration")
    assert read(AwsAccount(aws), replace(OURS, lifecycle=())).lifecycle == ()
    assert asked == []


class Clock:
    """A clock that nobody waits for."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_bucket_that_was_there_in_us_east_1_is_not_made_ours(
    aws: LocalSession, s3: Any, faults: Any, written: list[str]
) -> None:
    with pytest.raises(errors.ResourceExistsError):
        create_bucket(aws.client("s3"), OURS, "000000000000", Clock())
    assert written == ["CreateBucket"]
    found = AwsAccount(aws).read(OURS)
    assert found is not None
    assert found.stack is None


def test_creating_again_after_a_lost_answer_goes_on(aws: LocalSession, made: Any) -> None:
    AwsAccount(aws).create(OURS, STACK, nothing)
    assert differences(OURS, read(AwsAccount(aws))) == ()


def test_tags_that_take_a_moment_to_be_seen_are_waited_for(aws: LocalSession, faults: Any) -> None:
    client, left = aws.client("s3"), [3]

    def not_yet(**_: Any) -> Any:
        left[0] -= 1
        return faults.refusal(404, "NoSuchTagSet") if left[0] >= 0 else None

    faults.hook("before-call.s3.GetBucketTagging", not_yet)
    AwsAccount(aws, Clock()).create(OURS, STACK, nothing)
    assert differences(OURS, read(AwsAccount(aws))) == ()
    client.delete_bucket_policy(Bucket=NAME)
    client.delete_bucket(Bucket=NAME)


@pytest.fixture
def elsewhere(aws: LocalSession) -> Iterator[Bucket]:
    """A bucket to be made outside us-east-1; it goes in the end."""
    wanted = replace(OURS, name=f"{NAME}-west", region="eu-west-1")
    yield wanted
    client = aws.client("s3", region_name="eu-west-1")
    client.delete_bucket_policy(Bucket=wanted.name)
    client.delete_bucket(Bucket=wanted.name)


def test_tags_that_got_lost_are_put_where_s3_tells_a_new_bucket_from_an_old_one(
    aws: LocalSession, faults: Any, written: list[str], elsewhere: Bucket
) -> None:
    def lose(params: dict[str, Any], **_: Any) -> None:
        del params["CreateBucketConfiguration"]["Tags"]

    faults.hook("provide-client-params.s3.CreateBucket", lose)
    client = aws.client("s3", region_name="eu-west-1")
    create_bucket(client, elsewhere, "000000000000", Clock())
    assert written[:2] == ["CreateBucket", "PutBucketTagging"]
    found = client.get_bucket_tagging(Bucket=elsewhere.name)["TagSet"]
    assert {each["Key"]: each["Value"] for each in found} == OURS.tags


def test_creating_what_is_there_outside_us_east_1_says_so(
    aws: LocalSession, written: list[str], elsewhere: Bucket
) -> None:
    client = aws.client("s3", region_name="eu-west-1")
    create_bucket(client, elsewhere, "000000000000", Clock())
    written.clear()
    with pytest.raises(errors.ResourceExistsError) as caught:
        create_bucket(client, elsewhere, "000000000000", Clock())
    assert caught.value.code == "BucketAlreadyOwnedByYou"
    assert written == ["CreateBucket"]


TAKEN = [
    ("BucketAlreadyOwnedByYou", errors.ResourceExistsError, "plan"),
    ("BucketAlreadyExists", errors.AwsError, "another bucket name"),
    ("TooManyBuckets", errors.AwsError, "quota"),
]


@pytest.mark.parametrize(("code", "kind", "step"), TAKEN)
def test_a_name_that_cannot_be_had_says_why(
    aws: LocalSession, faults: Any, written: list[str], code: str, kind: type[errors.AwsError], step: str
) -> None:
    faults.answer("s3.CreateBucket", 409, code=code)
    with pytest.raises(errors.AwsError) as caught:
        create_bucket(aws.client("s3"), OURS, "000000000000", Clock())
    assert type(caught.value) is kind
    assert step in caught.value.next_step
    assert written == ["CreateBucket"]


def test_a_setting_that_s3_is_still_at_is_written_again(aws: LocalSession, made: Any, faults: Any) -> None:
    made.delete_bucket_policy(Bucket=NAME)
    left = [1]

    def conflict(**_: Any) -> Any:
        left[0] -= 1
        return faults.refusal(409, "OperationAborted") if left[0] >= 0 else None

    faults.hook("before-call.s3.PutBucketPolicy", conflict)
    account = AwsAccount(aws)
    assert repair(account) == {"policy"}
    assert left == [-1]
    assert differences(OURS, read(account)) == ()


KEY = "archives/soil/podpac_dist_0123456789abcdef.zip"
CONTENTS: dict[str, Any] = {
    "own_prefixes": ("archives/soil/", "in/soil/", "out/soil/"),
    "no_results": ("archives/soil/", "in/soil/"),
    "own_keys": r"archives/soil/podpac_dist_[0-9a-f]{16}\.zip|out/soil/[0-9a-f]{4}\.nc",
}


def test_a_bucket_that_is_gone_is_deleted_already(aws: LocalSession, faults: Any) -> None:
    listed, deleted = faults.count("s3.ListObjectVersions"), faults.count("s3.DeleteBucket")
    AwsAccount(aws).delete(replace(OURS, name="podpac-no-such-bucket"), STACK, nothing)
    assert (len(listed), len(deleted)) == (1, 1)


def test_an_upload_that_is_gone_is_aborted_already(aws: LocalSession, s3: Any, faults: Any) -> None:
    upload = s3.create_multipart_upload(Bucket=NAME, Key=KEY)["UploadId"]
    asked = faults.answer("s3.AbortMultipartUpload", 404, code="NoSuchUpload")
    AwsAccount(aws).delete(BucketContents(name=NAME, adopted=False, **CONTENTS), STACK, nothing)
    assert len(asked) == 1
    s3.abort_multipart_upload(Bucket=NAME, Key=KEY, UploadId=upload)


def test_results_and_uploads_are_counted_apart(aws: LocalSession, s3: Any) -> None:
    for key in (KEY, "out/soil/0001.nc", "out/soil/0002.nc", "out/soil/theirs.txt", "elsewhere.txt"):
        s3.put_object(Bucket=NAME, Key=key, Body=b"1")
    for key in (KEY, "out/soil/0003.nc", "in/soil/half.json", "elsewhere.bin"):
        s3.create_multipart_upload(Bucket=NAME, Key=key)
    account, own = AwsAccount(aws), replace(WANTED, **CONTENTS)
    assert account.count_objects(own, STACK) == BucketCount(own=3, foreign=2, results=2, uploads=3)
    adopted = replace(own, adopted=True)
    assert account.count_objects(adopted, STACK) == BucketCount(own=3, foreign=1, results=2, uploads=2)
    nested = replace(adopted, own_prefixes=("archives/soil/", "out/soil/", "out/soil/", "out/"))
    assert account.count_objects(nested, STACK) == BucketCount(own=3, foreign=1, results=2, uploads=2)
    account.delete(BucketContents(name=NAME, adopted=False, **CONTENTS), STACK, nothing)
    assert [each["Key"] for each in s3.list_multipart_uploads(Bucket=NAME)["Uploads"]] == ["elsewhere.bin"]
    assert account.count_objects(own, STACK) == BucketCount(own=0, foreign=2)
    s3.abort_multipart_upload(
        Bucket=NAME, Key="elsewhere.bin", UploadId=s3.list_multipart_uploads(Bucket=NAME)["Uploads"][0]["UploadId"]
    )


@pytest.mark.parametrize(
    ("number", "batches", "adopted"), [(0, 0, False), (1, 1, True), (1000, 1, False), (1001, 2, True)]
)
def test_as_many_batches_are_deleted_as_were_foretold(
    aws: LocalSession, s3: Any, faults: Any, number: int, batches: int, adopted: bool
) -> None:
    s3.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})
    for _ in range(number):
        s3.put_object(Bucket=NAME, Key=KEY, Body=b"")
    for _ in range(2):
        s3.create_multipart_upload(Bucket=NAME, Key=KEY)
    own = replace(WANTED, adopted=adopted, **CONTENTS)
    assert AwsAccount(aws).count_objects(own, STACK) == BucketCount(own=number, foreign=0, uploads=2)
    deleted, aborted = faults.count("s3.DeleteObjects"), faults.count("s3.AbortMultipartUpload")
    account = AwsAccount(aws)
    account.delete(BucketContents(name=NAME, adopted=adopted, **CONTENTS), STACK, nothing)
    assert (len(deleted), len(aborted)) == (batches, 2)
    assert account.count_objects(own, STACK) == BucketCount(own=0, foreign=0)
