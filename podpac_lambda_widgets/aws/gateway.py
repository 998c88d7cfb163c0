"""API Gateway REST APIs: create, update, delete. How they are read is in :mod:`.gateway_reading`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from podpac_lambda_widgets.aws.error_codes import error_code, error_message
from podpac_lambda_widgets.aws.function_policy import function_name, put_statement, remove_statement
from podpac_lambda_widgets.aws.gateway_reading import (
    ALL_METHODS,
    DEPLOYED,
    STAGE_DESCRIPTION,
    api_arn,
    find_own_apis,
    read_resources,
    read_rest_api,
    settings_digest,
    with_identifier,
)
from podpac_lambda_widgets.aws.translate import asking
from podpac_lambda_widgets.aws.waiting import retry
from podpac_lambda_widgets.clock import Clock
from podpac_lambda_widgets.errors import ResourceNotFoundError
from podpac_lambda_widgets.plan.changes import Update
from podpac_lambda_widgets.plan.resources import API_ID, STACK_TAG, RestApi

Answer = TypeVar("Answer")

#: DeleteRestApi may be called once in 30 seconds per account (API Gateway quotas): how long we stand in line.
_DELETING_SECONDS = 300.0


def create_rest_api(client: Any, lambda_client: Any, wanted: RestApi, clock: Clock) -> None:
    """Make the API with its tags in the same call, then all that is in it, and deploy it.

    Parameters
    ----------
    client, lambda_client : API Gateway and Lambda clients
    wanted : RestApi
        Its tags name the stack.
    clock : Clock

    Raises
    ------
    ThrottledError
        API Gateway asked to slow down for longer than a minute.
    """
    with asking("Creating the API", wanted.name):
        _create(client, lambda_client, wanted, clock)


def _create(client: Any, lambda_client: Any, wanted: RestApi, clock: Clock) -> None:
    made = _persist(
        lambda: client.create_rest_api(
            name=wanted.name,
            description=wanted.description,
            endpointConfiguration={"types": [wanted.endpoint_type]},
            binaryMediaTypes=list(wanted.binary_media_types),
            tags=dict(wanted.tags),
        ),
        clock,
    )
    if made["ResponseMetadata"].get("RetryAttempts"):
        # An attempt whose answer botocore did not get may have made one as well.
        copies = [api["id"] for api in find_own_apis(client, wanted.tags[STACK_TAG]) if api["id"] != made["id"]]
        _delete_apis(client, copies, clock)
    missing = dict.fromkeys(("path", "method", "stage"), "")
    _ensure(client, lambda_client, wanted, made["id"], {**missing, "permission": None, "rate_limit": -1.0}, clock)


def update_rest_api(client: Any, lambda_client: Any, change: Update, wanted: RestApi, stack: str, clock: Clock) -> None:
    """Bring the differing fields of our API to what is wanted, deploy it if need be, and delete its copies.

    An API of which only the permission was left is made anew.
    """
    old = {difference.field: difference.old for difference in change.differences}
    with asking("Updating the API", wanted.name):
        if old.get("copies") == 0:
            _create(client, lambda_client, wanted, clock)
            return
        found = read_rest_api(client, lambda_client, wanted, stack)
        if found is None or not isinstance(found.resource, RestApi) or not found.resource.copies:
            raise ResourceNotFoundError(
                "The API is gone",
                resource=wanted.name,
                why="It was there when the plan was made.",
                next_step="Make a new plan.",
            )
        identifier = found.resource.api_id
        _ensure(client, lambda_client, wanted, identifier, old, clock)
        if "copies" in old:
            copies = [api["id"] for api in find_own_apis(client, stack) if api["id"] != identifier]
            _delete_apis(client, copies, clock)


def _ensure(
    client: Any, lambda_client: Any, wanted: RestApi, identifier: str, old: Mapping[str, Any], clock: Clock
) -> None:
    """Bring the fields that ``old`` names, with their values now, to what is wanted."""
    operations = _patch(wanted, old)
    if operations:
        _persist(lambda: client.update_rest_api(restApiId=identifier, patchOperations=operations), clock)
    if "tags" in old:
        arn = api_arn(wanted, identifier)
        _persist(lambda: client.tag_resource(resourceArn=arn, tags=dict(wanted.tags)), clock)
    if old.keys() & {"path", "method", "authorization", "integration"}:
        _ensure_method(client, wanted, identifier, old, clock)
    if "permission" in old and wanted.permission is not None:
        statement = with_identifier(wanted.permission, API_ID, identifier) or {}
        put_statement(lambda_client, function_name(wanted.function), statement, clock)
    stages = str(old.get("stage", wanted.stage)).split()
    if old.keys() & {*DEPLOYED, "stage", "deployed"}:
        _deploy(client, wanted, identifier, clock, fresh=wanted.stage not in stages)
    if old.keys() & {"stage", "rate_limit", "burst_limit"}:
        _limit(client, wanted, identifier, clock)
    for stage in stages:
        if stage != wanted.stage:
            _delete_stage(client, identifier, stage, clock)


def _patch(wanted: RestApi, old: Mapping[str, Any]) -> list[dict[str, str]]:
    """The patch operations of UpdateRestApi (API Gateway API reference, "Patch operations") for the named fields."""
    operations = []
    if "description" in old:
        operations.append({"op": "replace", "path": "/description", "value": wanted.description})
    if "endpoint_type" in old:
        path = f"/endpointConfiguration/types/{old['endpoint_type']}"
        operations.append({"op": "replace", "path": path, "value": wanted.endpoint_type})
    if "execute_api_endpoint" in old:
        value = "false" if wanted.execute_api_endpoint else "true"
        operations.append({"op": "replace", "path": "/disableExecuteApiEndpoint", "value": value})
    if "binary_media_types" in old:
        found, types = old["binary_media_types"], wanted.binary_media_types
        operations += [{"op": "remove", "path": _media_type_path(each)} for each in found if each not in types]
        operations += [{"op": "add", "path": _media_type_path(each)} for each in types if each not in found]
    return operations


def _media_type_path(media_type: str) -> str:
    return "/binaryMediaTypes/" + media_type.replace("~", "~0").replace("/", "~1")


def _ensure_method(client: Any, wanted: RestApi, identifier: str, old: Mapping[str, Any], clock: Clock) -> None:
    by_path = {resource["path"]: resource["id"] for resource in read_resources(client, identifier)}
    former = by_path.get(f"/{old.get('path', '')}", "")
    if old.get("path") and former:
        _persist(lambda: client.delete_resource(restApiId=identifier, resourceId=former), clock)
    fresh = "path" in old
    resource = by_path.get(f"/{wanted.path}") or _create_resource(client, wanted, identifier, by_path["/"], clock)
    which = {"restApiId": identifier, "resourceId": resource}
    methods = [] if fresh else str(old.get("method", wanted.method)).split()
    for method in methods:
        if method != wanted.method:
            _delete_method(client, {**which, "httpMethod": method}, clock)
    which["httpMethod"] = wanted.method
    if wanted.method not in methods:
        _put_method(client, wanted, which, clock)
    elif "authorization" in old:
        _update_method(client, wanted, which, clock, keyed=" " in old["authorization"])
    if wanted.method not in methods or "integration" in old:
        _persist(
            lambda: client.put_integration(
                **which, type="AWS_PROXY", integrationHttpMethod="POST", uri=wanted.integration
            ),
            clock,
        )


def _create_resource(client: Any, wanted: RestApi, identifier: str, parent: str, clock: Clock) -> str:
    def create() -> str:
        return str(client.create_resource(restApiId=identifier, parentId=parent, pathPart=wanted.path)["id"])

    try:
        return _persist(create, clock)
    except ClientError as error:
        # The answer to an earlier attempt may have been lost.
        made = [each["id"] for each in read_resources(client, identifier) if each["path"] == f"/{wanted.path}"]
        if error_code(error) != "ConflictException" or not made:
            raise
        return str(made[0])


def _delete_method(client: Any, which: Mapping[str, str], clock: Clock) -> None:
    _persist(lambda: client.delete_method(**which), clock)


def _put_method(client: Any, wanted: RestApi, which: Mapping[str, str], clock: Clock) -> None:
    try:
        _persist(lambda: client.put_method(**which, authorizationType=wanted.authorization), clock)
    except ClientError as error:
        if error_code(error) != "ConflictException":
            raise
        _update_method(client, wanted, which, clock, keyed=False)


def _update_method(client: Any, wanted: RestApi, which: Mapping[str, str], clock: Clock, *, keyed: bool) -> None:
    operations = [{"op": "replace", "path": "/authorizationType", "value": wanted.authorization}]
    if keyed:
        operations.append({"op": "replace", "path": "/apiKeyRequired", "value": "false"})
    _persist(lambda: client.update_method(**which, patchOperations=operations), clock)


def _deploy(client: Any, wanted: RestApi, identifier: str, clock: Clock, *, fresh: bool) -> None:
    # A description is given to a stage that is made, and not to one that is there: somebody else may have made it.
    mark = {"stageDescription": STAGE_DESCRIPTION} if fresh else {}
    _persist(
        lambda: client.create_deployment(
            restApiId=identifier, stageName=wanted.stage, description=settings_digest(wanted), **mark
        ),
        clock,
    )


def _delete_stage(client: Any, identifier: str, stage: str, clock: Clock) -> None:
    _persist(lambda: client.delete_stage(restApiId=identifier, stageName=stage), clock)


def _limit(client: Any, wanted: RestApi, identifier: str, clock: Clock) -> None:
    limits = {"rateLimit": wanted.rate_limit, "burstLimit": wanted.burst_limit}
    operations = [
        {"op": "replace", "path": f"/{ALL_METHODS}/throttling/{name}", "value": str(value)}
        for name, value in limits.items()
    ]
    _persist(
        lambda: client.update_stage(restApiId=identifier, stageName=wanted.stage, patchOperations=operations), clock
    )


def _persist(call: Callable[[], Answer], clock: Clock, *, seconds: float = 60.0) -> Answer:
    """Repeat a call while API Gateway asks to slow down, or to wait for another change of the same API."""

    def again(error: Exception) -> bool:
        code, message = error_code(error), error_message(error).lower()
        return code == "TooManyRequestsException" or (code == "ConflictException" and "concurrent" in message)

    return retry(call, again, clock, seconds=seconds)


def delete_rest_api(client: Any, lambda_client: Any, found: RestApi, stack: str, clock: Clock) -> None:
    """Take the permission away, and then every API of the stack; gone already is fine.

    API Gateway deletes one API in 30 seconds, so that several take their time.
    """
    with asking("Deleting the API", found.name):
        if found.permission is not None:
            remove_statement(lambda_client, function_name(found.function), found.permission["Sid"])
        if found.copies:
            _delete_apis(client, [api["id"] for api in find_own_apis(client, stack)], clock)


def _delete_apis(client: Any, identifiers: list[str], clock: Clock) -> None:
    for identifier in identifiers:
        _delete_api(client, identifier, clock)


def _delete_api(client: Any, identifier: str, clock: Clock) -> None:
    try:
        _persist(lambda: client.delete_rest_api(restApiId=identifier), clock, seconds=_DELETING_SECONDS)
    except ClientError as error:
        if error_code(error) != "NotFoundException":
            raise
