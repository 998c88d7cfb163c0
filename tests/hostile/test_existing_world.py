"""What is there already and is not ours is refused or left; what is ours and was spoilt is named and mended."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from world import compare, read_inventory

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.engine.stack import Stack
from podpac_lambda_widgets.plan.extras import EXTRAS_TAG
from podpac_lambda_widgets.plan.resources import STACK_TAG

pytestmark = pytest.mark.local_aws

MakeStack = Callable[..., Stack]
NAME, BUCKET = "hostile", "podpac-hostile-000000000000-us-east-1-an"
ROLE, GROUP = "hostile-us-east-1", "/aws/lambda/hostile"
FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:hostile"
LAMBDA = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
EC2 = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
ALL = {"function_triggers": ["eval", "S3", "APIGateway", "URL"]}
WRITES = ("Create", "Put", "Update", "Delete", "Add", "Remove", "Attach", "Detach", "Tag", "Upload", "Copy")


def check_untouched(overlay: Any) -> None:
    writes = [name for name in overlay.all_calls if name.partition(".")[2].startswith(WRITES)]
    assert writes == []


def make_role(observer: Any, statement: dict[str, Any] = LAMBDA) -> str:
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    made = observer.client("iam").create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust)
    return str(made["Role"]["Arn"])


def plant_role(observer: Any) -> str:
    make_role(observer, EC2)
    return ROLE


def plant_admin(observer: Any) -> str:
    make_role(observer)
    observer.client("iam").attach_role_policy(RoleName=ROLE, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    return ROLE


def plant_bucket(observer: Any) -> str:
    s3 = observer.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="thesis.txt", Body=b"years of work")
    return BUCKET


def plant_function(observer: Any, **values: Any) -> str:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("index.js", "exports.handler = async () => 0\n")
    trust = json.dumps({"Version": "2012-10-17", "Statement": [LAMBDA]})
    role = observer.client("iam").create_role(RoleName="theirs", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    given = {"FunctionName": NAME, "Runtime": "nodejs22.x", "Handler": "index.handler", **values}
    observer.client("lambda").create_function(Role=role, Code={"ZipFile": file.getvalue()}, **given)
    return NAME


def plant_function_of_another_stack(observer: Any) -> str:
    return plant_function(observer, Tags={STACK_TAG: "other@us-east-1"})


PLANTED = [plant_role, plant_admin, plant_bucket, plant_function, plant_function_of_another_stack]


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_what_is_not_ours_is_refused_by_name_before_anything_is_written(
    make_stack: MakeStack, overlay: Any, observer: Any, plant: Callable[[Any], str]
) -> None:
    name = plant(observer)
    before = read_inventory(observer)
    with pytest.raises(errors.PlanRefusedError) as caught:
        make_stack(**ALL).build()
    assert name in str(caught.value)
    assert caught.value.next_step
    check_untouched(overlay)
    make_stack(**ALL).delete(confirm=True)
    assert compare(before, read_inventory(observer)) == []


def test_a_bucket_of_another_account_is_refused_and_not_made(make_stack: MakeStack, overlay: Any) -> None:
    overlay.refuse("s3.HeadBucket", 403, "403", "Forbidden")
    with pytest.raises(errors.PlanRefusedError) as caught:
        make_stack(function_s3_bucket="soil-of-somebody").build()
    assert "another account" in str(caught.value)
    assert "soil-of-somebody" in str(caught.value)
    check_untouched(overlay)


@pytest.mark.parametrize("status", [301, 400])
def test_a_bucket_in_another_region_is_told_with_both_regions(make_stack: MakeStack, overlay: Any, status: int) -> None:
    overlay.refuse("s3.HeadBucket", status, str(status), "", headers={"x-amz-bucket-region": "eu-west-1"})
    with pytest.raises(errors.PodpacLambdaError) as caught:
        make_stack(function_s3_bucket="soil-elsewhere").build()
    assert "eu-west-1" in str(caught.value)
    assert "us-east-1" in str(caught.value)
    check_untouched(overlay)


def test_a_bucket_that_somebody_takes_between_plan_and_build_is_told(make_stack: MakeStack, overlay: Any) -> None:
    overlay.refuse("s3.CreateBucket", 409, "BucketAlreadyExists", "The requested bucket name is not available.")
    with pytest.raises(errors.DeployError) as caught:
        make_stack(function_s3_bucket="soil-taken").build()
    assert "another" in caught.value.next_step
    overlay.clear()
    make_stack(function_s3_bucket="soil-taken").delete(confirm=True)


def test_a_log_group_that_was_there_is_used_and_left(make_stack: MakeStack, observer: Any) -> None:
    logs = observer.client("logs")
    logs.create_log_group(logGroupName=GROUP, tags={"owner": "somebody"})
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=3653)
    before = read_inventory(observer)
    make_stack(function_log_retention=1).build()
    assert make_stack(function_log_retention=1).plan().is_empty
    make_stack().delete(confirm=True)
    assert compare(before, read_inventory(observer)) == []


def drop_role(observer: Any) -> None:
    iam = observer.client("iam")
    for policy in iam.list_role_policies(RoleName=ROLE)["PolicyNames"]:
        iam.delete_role_policy(RoleName=ROLE, PolicyName=policy)
    iam.delete_role(RoleName=ROLE)


def drop_policy(observer: Any) -> None:
    iam = observer.client("iam")
    for policy in iam.list_role_policies(RoleName=ROLE)["PolicyNames"]:
        iam.delete_role_policy(RoleName=ROLE, PolicyName=policy)


def drop_permissions(observer: Any) -> None:
    client = observer.client("lambda")
    for statement in json.loads(client.get_policy(FunctionName=NAME)["Policy"])["Statement"]:
        client.remove_permission(FunctionName=NAME, StatementId=statement["Sid"])


def empty_bucket(observer: Any) -> None:
    s3 = observer.client("s3")
    for found in s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
        s3.delete_object(Bucket=BUCKET, Key=found["Key"])


def drop_bucket_settings(observer: Any) -> None:
    s3 = observer.client("s3")
    s3.delete_bucket_policy(Bucket=BUCKET)
    s3.delete_public_access_block(Bucket=BUCKET)
    s3.delete_bucket_lifecycle(Bucket=BUCKET)
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={})


def drop_function(observer: Any) -> None:
    observer.client("lambda").delete_function(FunctionName=NAME)


def drop_log_group(observer: Any) -> None:
    observer.client("logs").delete_log_group(logGroupName=GROUP)


def drop_api(observer: Any) -> None:
    client = observer.client("apigateway")
    for api in client.get_rest_apis()["items"]:
        client.delete_rest_api(restApiId=api["id"])


def drop_url(observer: Any) -> None:
    observer.client("lambda").delete_function_url_config(FunctionName=NAME)


def drop_what_it_tells(observer: Any) -> None:
    """Leave the function as a version of this package made it that told nothing of its triggers."""
    observer.client("lambda").untag_resource(Resource=FUNCTION_ARN, TagKeys=[EXTRAS_TAG])


DROPS = [
    (drop_role, "role"),
    (drop_policy, "policies"),
    (drop_permissions, "permission"),
    (empty_bucket, "dependencies"),
    (drop_bucket_settings, "bucket"),
    (drop_function, "function"),
    (drop_log_group, "log group"),
    (drop_api, "API"),
    (drop_url, "URL"),
    (drop_what_it_tells, "tags"),
]


@pytest.mark.parametrize(("drop", "told"), DROPS, ids=lambda item: getattr(item, "__name__", ""))
def test_what_was_taken_away_by_hand_is_named_and_mended(
    make_stack: MakeStack, observer: Any, drop: Callable[[Any], None], told: str
) -> None:
    before = read_inventory(observer)
    make_stack(**ALL).build()
    drop(observer)
    plan = make_stack(**ALL).plan()
    assert not plan.is_empty
    assert told in str(plan)
    make_stack(**ALL).build()
    assert make_stack(**ALL).plan().is_empty
    make_stack(**ALL).delete(confirm=True)
    assert compare(before, read_inventory(observer)) == []


@pytest.mark.parametrize("drop", [drop for drop, _ in DROPS], ids=lambda drop: drop.__name__)
def test_what_was_taken_away_by_hand_does_not_stop_the_deletion(
    make_stack: MakeStack, observer: Any, drop: Callable[[Any], None]
) -> None:
    before = read_inventory(observer)
    make_stack(**ALL).build()
    drop(observer)
    make_stack(**ALL).delete(confirm=True)
    assert compare(before, read_inventory(observer)) == []


def test_a_fresh_session_finds_all_of_it_by_names_and_tags_and_makes_nothing_twice(
    make_stack: MakeStack, overlay: Any, observer: Any
) -> None:
    make_stack(**ALL).build()
    before = read_inventory(observer)
    overlay.all_calls.clear()
    assert make_stack(**ALL).build().is_empty
    check_untouched(overlay)
    assert compare(before, read_inventory(observer)) == []


def test_ten_thousand_and_one_objects_go_in_batches(make_stack: MakeStack, overlay: Any) -> None:
    make_stack().build()
    left = [f"output/hostile/{number:064x}.nc" for number in range(10_001)]
    asked: list[int] = []

    def give_many(name: str, params: dict[str, Any], parsed: dict[str, Any]) -> None:
        if name == "s3.DeleteObjects":
            gone = {each["Key"] for each in params["Delete"]["Objects"]}
            asked.append(len(gone))
            left[:] = [key for key in left if key not in gone]
        elif name == "s3.ListObjectVersions" and "output/hostile/".startswith(params.get("Prefix", "")):
            page = [key for key in left if key > params.get("KeyMarker", "")][:1000]
            versions = [{"Key": key, "VersionId": "null", "IsLatest": True} for key in page]
            parsed["Versions"] = [*([] if "KeyMarker" in params else parsed.get("Versions", [])), *versions]
            if len(page) == 1000:
                parsed.update(IsTruncated=True, NextKeyMarker=page[-1], NextVersionIdMarker="null")

    overlay.rules_after.append(give_many)
    make_stack().delete(confirm=NAME)
    assert left == []
    assert sum(asked) >= 10_001
    assert max(asked) <= 1000
    assert make_stack().plan_delete().is_empty


def test_an_object_that_is_locked_is_told_and_nothing_else_is_lost(make_stack: MakeStack, overlay: Any) -> None:
    make_stack().build()
    locked = {"Key": "archives/hostile/locked.zip", "Code": "AccessDenied", "Message": "Object is WORM protected"}
    overlay.alter("s3.DeleteObjects", lambda parsed: parsed.update(Errors=[locked]))
    with pytest.raises(errors.DeployError) as caught:
        make_stack().delete(confirm=NAME)
    assert "WORM protected" in str(caught.value)
    assert "locked.zip" in str(caught.value)
    assert caught.value.request_id
    assert "lock" in caught.value.next_step
    assert caught.value.done
    overlay.clear()
    make_stack().delete(confirm=NAME)
    assert make_stack().plan_delete().is_empty


def test_every_list_may_begin_with_an_empty_page(make_stack: MakeStack, overlay: Any, observer: Any) -> None:
    before = read_inventory(observer)
    extras = {"function_budget_amount": 20.0, "function_budget_email": "a@example.org"}
    overlay.empty_first_pages = True
    make_stack(**ALL, **extras).build()
    assert make_stack(**ALL, **extras).plan().is_empty
    make_stack(**ALL, **extras).delete(confirm=True)
    expected = {
        "iam.ListRoleTags", "iam.ListRolePolicies", "iam.ListAttachedRolePolicies", "logs.DescribeLogGroups",
        "s3.ListObjectVersions", "s3.ListMultipartUploads", "apigateway.GetRestApis", "apigateway.GetResources",
        "budgets.DescribeNotificationsForBudget", "budgets.DescribeSubscribersForNotification", "iam.ListRoles",
        "resourcegroupstaggingapi.GetResources",
    }  # fmt: skip
    assert expected <= overlay.emptied
    assert compare(before, read_inventory(observer)) == []


ABOUT_VALIDATION = "Unable to validate the following destination configurations"


def test_a_notification_that_is_refused_until_the_permission_has_settled_is_waited_for(
    make_stack: MakeStack, overlay: Any
) -> None:
    refused = overlay.refuse(
        "s3.PutBucketNotificationConfiguration",
        400,
        "InvalidArgument",
        ABOUT_VALIDATION,
        seconds=30,
        since="lambda.AddPermission",
    )
    make_stack(**ALL).build()
    assert len(refused) > 2
    assert make_stack(**ALL).plan().is_empty


def test_a_notification_that_is_refused_forever_ends_with_the_cause(make_stack: MakeStack, overlay: Any) -> None:
    overlay.refuse("s3.PutBucketNotificationConfiguration", 400, "InvalidArgument", ABOUT_VALIDATION)
    with pytest.raises(errors.DeployError) as caught:
        make_stack(**ALL).build()
    assert "S3 trigger" in caught.value.failed
    assert ABOUT_VALIDATION in str(caught.value)
    assert overlay.clock.now < 600
    overlay.clear()
    make_stack(**ALL).build()
    assert make_stack(**ALL).plan().is_empty


def test_a_second_api_of_our_name_is_neither_used_nor_deleted(make_stack: MakeStack, observer: Any) -> None:
    client = observer.client("apigateway")
    client.create_rest_api(name=f"{NAME}-api", description="somebody's")
    before = read_inventory(observer)
    make_stack(**ALL).build()
    assert len(client.get_rest_apis()["items"]) == 2
    make_stack(**ALL).delete(confirm=True)
    assert compare(before, read_inventory(observer)) == []


def test_our_api_is_found_among_more_than_500(make_stack: MakeStack, overlay: Any) -> None:
    make_stack(**ALL).build()
    others = [{"id": f"other{number}", "name": f"{NAME}-api", "tags": {}} for number in range(600)]
    overlay.alter("apigateway.GetRestApis", lambda parsed: parsed.update(items=[*others, *parsed["items"]]))
    assert make_stack(**ALL).plan().is_empty
    make_stack(**ALL).delete(confirm=True)
    overlay.clear()
    assert make_stack(**ALL).plan_delete().is_empty


@pytest.mark.parametrize("whose", ["theirs", "ours"])
def test_a_path_that_only_resembles_ours_is_not_taken_for_it(
    make_stack: MakeStack, overlay: Any, observer: Any, whose: str
) -> None:
    client, arn = observer.client("apigateway"), f"arn:aws:apigateway:us-east-1:lambda:path/x/{FUNCTION_ARN}-2"

    def add_path(api: str) -> str:
        (root,) = [each["id"] for each in client.get_resources(restApiId=api)["items"] if each["path"] == "/"]
        made = client.create_resource(restApiId=api, parentId=root, pathPart="evaluate")["id"]
        client.put_method(restApiId=api, resourceId=made, httpMethod="ANY", authorizationType="NONE")
        how = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": f"{arn}/invocations"}
        client.put_integration(restApiId=api, resourceId=made, httpMethod="ANY", **how)
        return str(made)

    if whose == "theirs":
        add_path(client.create_rest_api(name=f"{NAME}-api")["id"])
    before = read_inventory(observer)
    make_stack(**ALL).build()
    if whose == "ours":
        (api,) = [each["id"] for each in client.get_rest_apis()["items"] if each["name"] == f"{NAME}-api"]
        added = add_path(api)
        assert make_stack(**ALL).plan().is_empty
        make_stack(**ALL, function_api_endpoint="run").build()
        found = {each["path"]: each for each in client.get_resources(restApiId=api, embed=["methods"])["items"]}
        assert set(found) == {"/", "/evaluate", "/run"}
        assert found["/evaluate"]["id"] == added
        assert found["/evaluate"]["resourceMethods"]["ANY"]["methodIntegration"]["uri"] == f"{arn}/invocations"
    make_stack(**ALL).delete(confirm=True)
    assert compare(before, read_inventory(observer)) == []


def plant_to_adopt(observer: Any) -> None:
    """A bucket with settings and notifications of its own, and a role that Lambda may use."""
    s3 = observer.client("s3")
    plant_function(observer, FunctionName=f"{NAME}-2")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": [{"Key": "owner", "Value": "the lab"}]})
    rule = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "old/"}, "Expiration": {"Days": 9}}
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [rule]})
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    entry = {"Id": "theirs", "LambdaFunctionArn": f"{FUNCTION_ARN}-2", "Events": ["s3:ObjectRemoved:*"]}
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"LambdaFunctionConfigurations": [entry]}
    )
    s3.put_object(Bucket=BUCKET, Key="output/hostile/thesis.nc", Body=b"years of work")
    make_role(observer)
    observer.client("iam").attach_role_policy(RoleName=ROLE, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")


def test_what_is_adopted_is_used_and_stays_as_it_is(make_stack: MakeStack, overlay: Any, observer: Any) -> None:
    plant_to_adopt(observer)
    before = read_inventory(observer)
    adopting = {**ALL, "adopt": [BUCKET, ROLE], "function_role_name": ROLE}
    with pytest.raises(errors.PlanRefusedError):
        make_stack(**ALL).build()
    make_stack(**adopting).build()
    there = read_inventory(observer)
    assert there["roles"] == before["roles"]
    ours = {"versions", "get_bucket_notification_configuration"}
    changed = {name for name, value in there["buckets"][BUCKET].items() if value != before["buckets"][BUCKET][name]}
    assert changed == ours
    entries, their_entries = (
        each["buckets"][BUCKET]["get_bucket_notification_configuration"]["LambdaFunctionConfigurations"]
        for each in (there, before)
    )
    assert entries[:-1] == their_entries
    assert entries[-1]["LambdaFunctionArn"] == FUNCTION_ARN
    assert there["functions"][NAME]["configuration"]["Role"].endswith(f":role/{ROLE}")
    overlay.all_calls.clear()
    assert make_stack(**adopting).build().is_empty
    check_untouched(overlay)
    make_stack("two", **adopting, function_memory=512).build()
    make_stack(**adopting).delete(confirm=NAME)
    assert compare(before, read_inventory(observer)) == []


def test_a_build_that_stops_takes_back_all_that_it_made(make_stack: MakeStack, overlay: Any, observer: Any) -> None:
    before = read_inventory(observer)
    for operation in ("iam.PutRolePolicy", "s3.PutBucketPolicy", "lambda.CreateFunction", "apigateway.UpdateStage"):
        overlay.clear()
        overlay.refuse(operation, 400, "NeverHeardOf", "no")
        with pytest.raises(errors.DeployError) as caught:
            make_stack(**ALL).build(rollback=True)
        assert caught.value.taken_back
        assert "taken back" in caught.value.next_step
        assert compare(before, read_inventory(observer)) == [], operation


def test_a_rule_of_another_for_the_same_objects_is_refused(make_stack: MakeStack, overlay: Any, observer: Any) -> None:
    arn = "arn:aws:lambda:us-east-1:000000000000:function:theirs"
    theirs = {
        "Id": "theirs",
        "LambdaFunctionArn": arn,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "input/"}]}},
    }
    make_stack().build()
    observer.client("s3").put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"LambdaFunctionConfigurations": [theirs]}
    )
    overlay.all_calls.clear()
    with pytest.raises(errors.PlanRefusedError) as caught:
        make_stack(function_triggers=["eval", "S3"]).build()
    assert "theirs" in str(caught.value)
    check_untouched(overlay)
