"""Function URLs: read, create, update, delete.

A URL bears no tag. The statements that let callers use it are put into the function's policy before it is made and
taken out after it is gone: a URL without them is somebody else's.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from podpac_lambda_widgets.aws import tags
from podpac_lambda_widgets.aws.error_codes import error_code
from podpac_lambda_widgets.aws.function_policy import put_statement, read_statements, remove_statement
from podpac_lambda_widgets.aws.translate import asking
from podpac_lambda_widgets.clock import Clock
from podpac_lambda_widgets.errors import ResourceExistsError
from podpac_lambda_widgets.plan.changes import Update
from podpac_lambda_widgets.plan.extras import EXTRAS_TAG, Extras
from podpac_lambda_widgets.plan.resources import FunctionUrl, Observed


def read_function_url(client: Any, wanted: FunctionUrl, stack: str) -> Observed | None:
    """The function's URL as AWS has it.

    It is ours when the function's policy has our statements, or the function's own tag says so. Statements of ours
    without a URL are observed as a URL with an empty ``authorization``: what a run left that was cut short.

    Parameters
    ----------
    client : Lambda client
    wanted : FunctionUrl
        Whose statements' Sids are looked for.
    stack : str
        Whose it is when it is ours.
    """
    with asking("Reading the function's URL", wanted.name):
        statements = read_statements(client, wanted.name, wanted.permissions)
        config = _read_config(client, wanted.name)
        ours = bool(statements) or (bool(config) and _says_so(client, wanted.name, stack))
    if not statements and not config:
        return None
    url = FunctionUrl(
        name=wanted.name,
        authorization=config.get("AuthType", ""),
        invoke_mode=(config.get("InvokeMode") or "BUFFERED") if config else "",
        permissions=tuple(
            statements[statement["Sid"]] for statement in wanted.permissions if statement["Sid"] in statements
        ),
        cors=_cors(config),
        stack=wanted.stack,
        url=config.get("FunctionUrl", ""),
    )
    return Observed(url, stack if ours else None)


def _cors(config: dict[str, Any]) -> dict[str, Any]:
    """What pages of other origins may do, without what says no more than the default."""
    return {name: value for name, value in (config.get("Cors") or {}).items() if value}


def _says_so(client: Any, function: str, stack: str) -> bool:
    """Whether the function's tags say that its URL is the stack's: somebody may have taken our statements away."""
    found = client.get_function(FunctionName=function).get("Tags", {})
    extras = Extras.parse(found.get(EXTRAS_TAG, ""))
    return tags.stack_of(found) == stack and extras is not None and extras.url


def _read_config(client: Any, function: str) -> dict[str, Any]:
    try:
        config: dict[str, Any] = client.get_function_url_config(FunctionName=function)
    except ClientError as error:
        if error_code(error) != "ResourceNotFoundException":
            raise
        return {}
    return config


def create_function_url(client: Any, wanted: FunctionUrl, clock: Clock) -> None:
    """Let callers in, then make the URL.

    Raises
    ------
    ResourceExistsError
        Somebody has made another URL since the plan.
    """
    with asking("Creating the function's URL", wanted.name):
        _put_statements(client, wanted, clock)
        _create_config(client, wanted)


def _put_statements(client: Any, wanted: FunctionUrl, clock: Clock) -> None:
    for statement in wanted.permissions:
        put_statement(client, wanted.name, statement, clock)


def _create_config(client: Any, wanted: FunctionUrl) -> None:
    config = {"AuthType": wanted.authorization, "InvokeMode": wanted.invoke_mode}
    try:
        client.create_function_url_config(FunctionName=wanted.name, **config)
    except ClientError as error:
        if error_code(error) != "ResourceConflictException":
            raise
        # The answer to an earlier attempt may have been lost.
        found = _read_config(client, wanted.name)
        if {key: found.get(key) for key in config} != config or _cors(found) != wanted.cors:
            raise ResourceExistsError(
                "The function has another URL",
                resource=wanted.name,
                why="Somebody has made it since the plan.",
                next_step="Make a new plan.",
                code="ResourceConflictException",
            ) from None


def update_function_url(client: Any, change: Update, wanted: FunctionUrl, clock: Clock) -> None:
    """Bring the differing fields of our URL to what is wanted; one that is gone is made anew."""
    old = {difference.field: difference.old for difference in change.differences}
    with asking("Updating the function's URL", wanted.name):
        if "permissions" in old:
            _put_statements(client, wanted, clock)
        if old.get("authorization") == "":
            _create_config(client, wanted)
        elif old.keys() & {"authorization", "invoke_mode", "cors"}:
            # What is left out stays as it is; an empty Cors takes all of it away.
            client.update_function_url_config(
                FunctionName=wanted.name,
                AuthType=wanted.authorization,
                InvokeMode=wanted.invoke_mode,
                Cors=dict(wanted.cors),
            )


def delete_function_url(client: Any, found: FunctionUrl) -> None:
    """Take the URL away, and then the statements that let callers use it; gone already is fine."""
    with asking("Deleting the function's URL", found.name):
        if found.authorization:
            try:
                client.delete_function_url_config(FunctionName=found.name)
            except ClientError as error:
                if error_code(error) != "ResourceNotFoundException":
                    raise
        for statement in found.permissions:
            remove_statement(client, found.name, statement["Sid"])
