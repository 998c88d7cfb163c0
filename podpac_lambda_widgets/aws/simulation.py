"""What a caller may not do, asked of IAM's policy simulator before it is tried."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from podpac_lambda_widgets.aws.credentials import is_root
from podpac_lambda_widgets.aws.translate import asking
from podpac_lambda_widgets.errors import AccessDeniedError, ResourceNotFoundError

#: Actions, the ARN of the resource they are done to, and the values of condition keys that the calls will have.
Grant = tuple[Sequence[str], str, Mapping[str, str]]


def denied(iam: Any, caller_arn: str, grants: Sequence[Grant]) -> list[tuple[str, str]] | None:
    """The actions that the caller's policies do not allow, each with its resource.

    Parameters
    ----------
    iam : client
        IAM, with the caller's own credentials.
    caller_arn : str
        As STS says it: a user, the session of a role, or root, to whom nothing is denied.
    grants : sequence of (actions, resource ARN, context)
        What is to be allowed, such as ``(["iam:PassRole"], arn, {"iam:PassedToService": "lambda.amazonaws.com"})``.

    Returns
    -------
    list of (action, resource ARN), or None
        Empty when all is allowed. None when it cannot be known: the caller may not ask, or has no policies of its own
        that can be asked about, as a federated user. What depends on a condition key that is not given counts as
        allowed: only trying tells.

    Raises
    ------
    AwsError
        IAM could not be asked for another reason.
    """
    if is_root(caller_arn):
        return []
    try:
        source = _policy_source(iam, caller_arn)
        if source is None:
            return None
        return [(action, grant[1]) for grant in grants for action in _denied_actions(iam, source, grant)]
    except (AccessDeniedError, ResourceNotFoundError):
        return None


def _policy_source(iam: Any, caller_arn: str) -> str | None:
    """The user or role whose policies the caller has; of a role's session only the role's name is known."""
    if re.fullmatch(r"arn:[\w-]+:iam::\d+:user/.+", caller_arn):
        return caller_arn
    session = re.fullmatch(r"arn:[\w-]+:sts::\d+:assumed-role/([^/]+)/.+", caller_arn)
    if session is None:
        return None
    # The role's own ARN has its path, as those of IAM Identity Center do.
    with asking("Reading the caller's role", session[1]):
        return str(iam.get_role(RoleName=session[1])["Role"]["Arn"])


def _denied_actions(iam: Any, source: str, grant: Grant) -> list[str]:
    actions, resource, context = grant
    request = {
        "PolicySourceArn": source,
        "ResourceArns": [resource],
        "ContextEntries": [
            {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
            for key, value in context.items()
        ],
    }
    with asking("Asking what the caller may do", resource):
        try:
            return _simulate(iam, {**request, "ActionNames": list(actions)})
        except iam.exceptions.InvalidInputException:
            # Actions that are authorised by different kinds of resource are not taken together.
            return [action for single in actions for action in _simulate_one(iam, request, single)]


def _simulate_one(iam: Any, request: dict[str, Any], action: str) -> list[str]:
    try:
        return _simulate(iam, {**request, "ActionNames": [action]})
    except iam.exceptions.InvalidInputException:  # the simulator does not know it
        return []


def _simulate(iam: Any, request: dict[str, Any]) -> list[str]:
    pages = iam.get_paginator("simulate_principal_policy").paginate(**request)
    return [
        result["EvalActionName"]
        for page in pages
        for result in page["EvaluationResults"]
        if result["EvalDecision"] != "allowed" and not result.get("MissingContextValues")
    ]
