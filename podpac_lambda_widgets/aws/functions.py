"""Lambda functions: read, create, update, delete, invoke."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from podpac_lambda_widgets.aws import tags
from podpac_lambda_widgets.aws.error_codes import error_code, error_message, request_id
from podpac_lambda_widgets.aws.function_code import check_code, code_arguments, hexadecimal
from podpac_lambda_widgets.aws.translate import asking
from podpac_lambda_widgets.aws.waiting import retry
from podpac_lambda_widgets.clock import Clock
from podpac_lambda_widgets.errors import AwsError, ResourceNotFoundError
from podpac_lambda_widgets.plan.changes import Update
from podpac_lambda_widgets.plan.resources import ROLE_GONE, Function, Observed

#: What AWS says while a new role, its policy or a previous update has not settled yet.
_SETTLING = (
    "cannot be assumed by lambda",
    "does not have permissions",
    "update is in progress",
    "currently in the following state",
    "invalidarnexception",
)
#: The fields that UpdateFunctionCode changes, and those that have a call of their own; all others are
#: UpdateFunctionConfiguration's.
_CODE = {"code_sha256", "architecture"}
_APART = {"reserved_concurrency", "tags"}


def read_function(client: Any, wanted: Function) -> Observed | None:
    """The function as AWS has it."""
    try:
        with asking("Reading the function", wanted.name):
            answer = client.get_function(FunctionName=wanted.name)
    except ResourceNotFoundError:
        return None
    found_tags = answer.get("Tags", {})
    function = replace(
        read_configuration(wanted.name, answer["Configuration"]),
        tags=tags.wanted_part(found_tags, wanted.tags),
        reserved_concurrency=answer.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
    )
    return Observed(function, tags.stack_of(found_tags))


def read_configuration(name: str, found: Mapping[str, Any]) -> Function:
    """A function, or a version of it, as its configuration says; without what is not part of that."""
    return Function(
        name=name,
        role=found["Role"],
        runtime=found.get("Runtime", ""),
        architecture=(found.get("Architectures") or ["x86_64"])[0],
        handler=found.get("Handler", ""),
        description=found.get("Description", ""),
        memory=found["MemorySize"],
        timeout=found["Timeout"],
        storage=found.get("EphemeralStorage", {}).get("Size", 512),
        environment=found.get("Environment", {}).get("Variables", {}),
        tags={},
        code_sha256=hexadecimal(found.get("CodeSha256", "")),
        snap_start=found.get("SnapStart", {}).get("ApplyOn", "None") != "None",
        state=_state(found),
    )


def _state(found: Mapping[str, Any]) -> str:
    """The function's state and that of its last update in one word; an idle (Inactive) one wakes when it is called."""
    if found.get("State") in ("Failed", "Pending"):
        return str(found["State"])
    return {"Failed": "UpdateFailed", "InProgress": "Updating"}.get(found.get("LastUpdateStatus", ""), "Active")


def will_settle(error: Exception) -> bool:
    """Whether it is about a role, or an update, that has not settled yet."""
    code, message = error_code(error), error_message(error).lower()
    return code in ("InvalidParameterValueException", "ResourceConflictException", "KMSAccessDeniedException") and any(
        text in message for text in _SETTLING
    )


def create_function(client: Any, function: Function, clock: Clock) -> None:
    """Make the function with its tags, wait until it is active, and reserve its concurrency.

    A new role cannot be assumed for some seconds, which AWS only tells by refusing: the call is repeated.

    Raises
    ------
    ArchiveMissingError, ArchiveCorruptError
        The code cannot be read, or is not what was wanted.
    ResourceExistsError
        The account has a function of that name in this region.
    """
    with asking("Creating the function", function.name):
        _create(client, function, will_settle, clock)


def _create(client: Any, function: Function, again: Callable[[Exception], bool], clock: Clock) -> None:
    code = code_arguments(function)
    made = retry(
        lambda: client.create_function(
            FunctionName=function.name,
            Runtime=function.runtime,
            Code=code,
            Architectures=[function.architecture],
            Tags=dict(function.tags),
            PackageType="Zip",
            **_configuration(function),
        ),
        again,
        clock,
    )
    check_code(made, function)
    # The other waiter takes a function that is not to be found yet for one that failed.
    wait_for(client, "function_exists", function.name)
    wait_for(client, "function_active_v2", function.name)
    if function.reserved_concurrency is not None:
        _reserve(client, function, clock)


def _configuration(function: Function) -> dict[str, Any]:
    return {
        "Role": function.role,
        "Handler": function.handler,
        "Description": function.description,
        "MemorySize": function.memory,
        "Timeout": function.timeout,
        "EphemeralStorage": {"Size": function.storage},
        "Environment": {"Variables": dict(function.environment)},
        "SnapStart": {"ApplyOn": "PublishedVersions" if function.snap_start else "None"},
    }


def update_function(client: Any, change: Update, function: Function, clock: Clock, arn: str) -> None:
    """Bring the differing fields of the function to what is wanted, and wait until it is.

    A function that failed is made anew. So is one whose role is gone: what Lambda was granted for its environment
    (a KMS grant) belongs to that role's unique id, which a role made anew under the same name does not have.

    Raises
    ------
    ArchiveMissingError, ArchiveCorruptError
        The code cannot be read, or is not what was wanted.
    """
    old = {difference.field: difference.old for difference in change.differences}
    state, fields = old.pop("state", ""), set(old)
    if state == "Failed" or old.get("role") == ROLE_GONE:
        delete_function(client, function.name, clock)
        with asking("Creating the function anew", function.name):
            _create(client, function, lambda error: will_settle(error) or _is_still_going(error), clock)
        return
    with asking("Updating the function", function.name):
        if state == "Pending":
            wait_for(client, "function_active_v2", function.name)
        if state in ("Pending", "Updating"):
            wait_for(client, "function_updated_v2", function.name)
        if state == "UpdateFailed":
            fields |= {"code_sha256", "environment"}
        _update_fields(client, function, fields, clock, arn)


def _is_still_going(error: Exception) -> bool:
    return error_code(error) == "ResourceConflictException" and "already exist" in error_message(error).lower()


def _update_fields(client: Any, function: Function, fields: set[str], clock: Clock, arn: str) -> None:
    if fields & _CODE:
        code = code_arguments(function)
        updated = retry(
            lambda: client.update_function_code(
                FunctionName=function.name, Architectures=[function.architecture], **code
            ),
            will_settle,
            clock,
        )
        check_code(updated, function)
        wait_for(client, "function_updated_v2", function.name)
    if fields - _CODE - _APART:
        retry(
            lambda: client.update_function_configuration(
                FunctionName=function.name, Runtime=function.runtime, **_configuration(function)
            ),
            will_settle,
            clock,
        )
        wait_for(client, "function_updated_v2", function.name)
    if "reserved_concurrency" in fields:
        _reserve(client, function, clock)
    if "tags" in fields:
        client.tag_resource(Resource=arn, Tags=dict(function.tags))


def _reserve(client: Any, function: Function, clock: Clock) -> None:
    name, number = function.name, function.reserved_concurrency
    if number is None:
        retry(lambda: client.delete_function_concurrency(FunctionName=name), will_settle, clock)
        return
    try:
        retry(
            lambda: client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=number),
            will_settle,
            clock,
        )
    except ClientError as error:
        if "UnreservedConcurrentExecution" in error_message(error):
            raise _too_few_left(client, error, name, number) from None
        raise


def _too_few_left(client: Any, error: ClientError, name: str, number: int) -> AwsError:
    limit = "unknown: lambda:GetAccountSettings was refused"
    try:
        account = client.get_account_settings()["AccountLimit"]
        limit = f"{account['ConcurrentExecutions']:,}, of which {account['UnreservedConcurrentExecutions']:,} are free"
    except ClientError:
        # The refusal that is being told matters more than its number.
        pass
    return AwsError(
        f"AWS does not let {number:,} concurrent calls be reserved",
        resource=name,
        why=f"{error_message(error)} The account's limit in this region is {limit}.",
        next_step="Reserve fewer or none, or ask AWS to raise the quota 'Concurrent executions' of Lambda "
        "(Service Quotas in the AWS console).",
        code=error_code(error),
        request_id=request_id(error),
    )


def wait_for(client: Any, waiter: str, name: str, **version: str) -> None:
    """Wait with one of botocore's waiters until the function, or a version of it, is ready.

    Raises
    ------
    AwsError
        It will not be; ``why`` is AWS's own reason.
    """
    try:
        client.get_waiter(waiter).wait(FunctionName=name, **version)
    except WaiterError as error:
        found = client.get_function_configuration(FunctionName=name, **version)
        reason = found.get("StateReason") or found.get("LastUpdateStatusReason") or str(error)
        raise AwsError(
            "The function did not become ready",
            resource=name,
            why=reason,
            next_step="Read the reason; mend it and build again.",
            code=str(found.get("StateReasonCode") or found.get("LastUpdateStatusReasonCode") or ""),
            request_id=str(found.get("ResponseMetadata", {}).get("RequestId", "")),
        ) from None


def delete_function(client: Any, name: str, clock: Clock) -> None:
    """Take the function away; gone already is fine."""
    try:
        with asking("Deleting the function", name):
            retry(lambda: client.delete_function(FunctionName=name), will_settle, clock)
    except ResourceNotFoundError:
        return
