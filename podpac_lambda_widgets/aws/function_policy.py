"""The resource-based policy of a function: who may call it. One statement at a time, known by its Sid.

Lambda takes a statement apart when it is put (AddPermission) and gives it back as a policy's (GetPolicy). Here a
statement has the second form throughout.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from botocore.exceptions import ClientError

from podpac_lambda_widgets.aws.error_codes import error_code
from podpac_lambda_widgets.aws.waiting import retry
from podpac_lambda_widgets.clock import Clock
from podpac_lambda_widgets.errors import InvalidValueError

#: The argument of AddPermission that becomes a condition key; IAM compares condition keys without regard to case.
_ARGUMENTS = {
    "aws:sourcearn": "SourceArn",
    "aws:sourceaccount": "SourceAccount",
    "aws:principalorgid": "PrincipalOrgID",
    "lambda:functionurlauthtype": "FunctionUrlAuthType",
    "lambda:invokedviafunctionurl": "InvokedViaFunctionUrl",
}
#: How long a change of the function is waited for that keeps its policy from being written, in seconds.
_BUSY_SECONDS = 60.0


def function_name(arn: str) -> str:
    """The name in a function's ARN, with or without a version or an alias behind it."""
    return arn.split(":")[6]


def read_statements(client: Any, function: str, wanted: Collection[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The statements of a function's policy that have a wanted one's Sid, by Sid, as :func:`rendered_like` it.

    Empty when the function has no policy or does not exist. botocore's errors pass.
    """
    by_sid = {statement["Sid"]: statement for statement in wanted}
    return {
        statement["Sid"]: rendered_like(statement, by_sid[statement["Sid"]])
        for statement in _read_all(client, function)
        if statement.get("Sid") in by_sid
    }


def _read_all(client: Any, function: str) -> list[dict[str, Any]]:
    try:
        document = json.loads(client.get_policy(FunctionName=function)["Policy"])
    except ClientError as error:
        if error_code(error) != "ResourceNotFoundException":
            raise
        return []
    found = document.get("Statement", [])
    return [found] if isinstance(found, dict) else list(found)


def rendered_like(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A found statement, with what means the same as in the wanted one written in the same way.

    These mean the same in IAM: condition operators and keys in any case, a list of one value and that value, true and
    ``"true"``, an account's number and the ARN of its root, ``"*"`` and ``{"AWS": "*"}``.
    """
    rendered = {key: _single(value) for key, value in found.items()}
    rendered["Principal"] = _principal(found.get("Principal"), wanted.get("Principal"))
    conditions = _rename(found.get("Condition", {}), wanted.get("Condition", {}))
    for operator, keys in conditions.items():
        named = _rename(keys, wanted.get("Condition", {}).get(operator, {}))
        conditions[operator] = {key: _single(value) for key, value in named.items()}
    rendered.pop("Condition", None)
    return {**rendered, "Condition": conditions} if conditions else rendered


def _rename(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    spelled = {key.lower(): key for key in wanted}
    return {spelled.get(key.lower(), key): value for key, value in found.items()}


def _single(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return str(value).lower() if isinstance(value, bool) else value


def _principal(found: Any, wanted: Any) -> Any:
    principal = {kind: _single(value) for kind, value in found.items()} if isinstance(found, dict) else found
    if principal == {"AWS": "*"}:
        principal = "*"
    if isinstance(principal, dict) and isinstance(wanted, dict):
        root = str(wanted.get("AWS", ""))
        if root.endswith(":root") and principal.get("AWS") == root.split(":")[4]:
            return {**principal, "AWS": root}
    return principal


def put_statement(client: Any, function: str, statement: Mapping[str, Any], clock: Clock) -> None:
    """Have exactly this statement in the function's policy: another one with its Sid gives way to it.

    Safe to repeat. botocore's errors pass.
    """
    sid = statement["Sid"]
    arguments = permission_arguments(statement)

    def put() -> None:
        found = read_statements(client, function, [statement]).get(sid)
        if found == rendered_like(statement, statement):
            return
        if found is not None:
            remove_statement(client, function, sid)
        client.add_permission(FunctionName=function, **arguments)

    # A conflict says that the statement is there, or that the function is just being changed: the next round sees.
    retry(put, lambda error: error_code(error) == "ResourceConflictException", clock, seconds=_BUSY_SECONDS)


def remove_statement(client: Any, function: str, sid: str) -> None:
    """Take a statement out of the function's policy; gone already is fine."""
    try:
        client.remove_permission(FunctionName=function, StatementId=sid)
    except ClientError as error:
        if error_code(error) != "ResourceNotFoundException":
            raise


def permission_arguments(statement: Mapping[str, Any]) -> dict[str, Any]:
    """What AddPermission is to be told to make this statement, but for the function's name.

    Raises
    ------
    InvalidValueError
        AddPermission has no argument for one of its conditions.
    """
    arguments = {
        "StatementId": statement["Sid"],
        "Action": statement["Action"],
        "Principal": _principal_argument(statement["Principal"]),
    }
    for keys in statement.get("Condition", {}).values():
        for key, value in keys.items():
            if key.lower() not in _ARGUMENTS:
                raise InvalidValueError(
                    f"Lambda cannot put the condition {key} on a permission",
                    field="permission",
                    why=f"AddPermission has {', '.join(_ARGUMENTS.values())}.",
                    next_step="Use one of these.",
                )
            arguments[_ARGUMENTS[key.lower()]] = _single(value)
    if "InvokedViaFunctionUrl" in arguments:
        arguments["InvokedViaFunctionUrl"] = arguments["InvokedViaFunctionUrl"] == "true"
    return arguments


def _principal_argument(principal: Any) -> str:
    """A service's name, an account's number, another ARN, or ``*``."""
    value = str(next(iter(principal.values()))) if isinstance(principal, Mapping) else str(principal)
    return value.split(":")[4] if value.startswith("arn:") and value.endswith(":root") else value
