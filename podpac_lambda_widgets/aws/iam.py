"""Roles: read, create, update, delete."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from podpac_lambda_widgets.aws import tags
from podpac_lambda_widgets.aws.error_codes import error_code
from podpac_lambda_widgets.aws.translate import asking
from podpac_lambda_widgets.aws.waiting import retry
from podpac_lambda_widgets.clock import Clock
from podpac_lambda_widgets.errors import ResourceNotFoundError
from podpac_lambda_widgets.plan.names import ROLE_PATH
from podpac_lambda_widgets.plan.resources import Observed, Role


def read_role(iam: Any, wanted: Role) -> Observed | None:
    """The role as AWS has it.

    Of a role of ours all policies are read, so that more rights than planned are seen; of another's only those that
    are wanted, for its owner may have added any.
    """
    try:
        with asking("Reading the role", wanted.name):
            found = iam.get_role(RoleName=wanted.name)["Role"]
    except ResourceNotFoundError:
        return None
    with asking("Reading the role's tags and policies", wanted.name):
        found_tags = tags.from_list(
            tag for page in iam.get_paginator("list_role_tags").paginate(RoleName=wanted.name) for tag in page["Tags"]
        )
        inline, attached = _inline_policy_names(iam, wanted.name), _attached_policy_arns(iam, wanted.name)
        if tags.stack_of(found_tags) is None:
            inline = [name for name in inline if name in wanted.policies]
            attached = [arn for arn in attached if arn in wanted.managed_policies]
        policies = {
            name: iam.get_role_policy(RoleName=wanted.name, PolicyName=name)["PolicyDocument"] for name in inline
        }
    role = Role(
        name=wanted.name,
        description=found.get("Description", ""),
        trust=found["AssumeRolePolicyDocument"],
        policies=policies,
        managed_policies=tuple(attached),
        tags=tags.wanted_part(found_tags, wanted.tags),
        arn=found["Arn"],
    )
    return Observed(role, tags.stack_of(found_tags))


def _inline_policy_names(iam: Any, name: str) -> list[str]:
    pages = iam.get_paginator("list_role_policies").paginate(RoleName=name)
    return [policy for page in pages for policy in page["PolicyNames"]]


def _attached_policy_arns(iam: Any, name: str) -> list[str]:
    pages = iam.get_paginator("list_attached_role_policies").paginate(RoleName=name)
    return [policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]]


def create_role(iam: Any, role: Role) -> None:
    """Make the role with its tags, then give it its policies.

    Raises
    ------
    ResourceExistsError
        The account has a role of that name.
    """
    with asking("Creating the role", role.name):
        iam.create_role(
            RoleName=role.name,
            Path=ROLE_PATH,
            Description=role.description,
            AssumeRolePolicyDocument=json.dumps(role.trust),
            Tags=tags.to_list(role.tags),
        )
        iam.get_waiter("role_exists").wait(RoleName=role.name)
        _put_policies(iam, role)


def update_role(iam: Any, role: Role, fields: set[str]) -> None:
    """Bring the named fields of a role of ours to what is wanted; policies that are not wanted go."""
    with asking("Updating the role", role.name):
        if "trust" in fields:
            iam.update_assume_role_policy(RoleName=role.name, PolicyDocument=json.dumps(role.trust))
        if "description" in fields:
            iam.update_role(RoleName=role.name, Description=role.description)
        if "tags" in fields:
            iam.tag_role(RoleName=role.name, Tags=tags.to_list(role.tags))
        if fields & {"policies", "managed_policies"}:
            _remove_other_policies(iam, role)
            _put_policies(iam, role)


def _put_policies(iam: Any, role: Role) -> None:
    for name, document in role.policies.items():
        iam.put_role_policy(RoleName=role.name, PolicyName=name, PolicyDocument=json.dumps(document))
    for arn in role.managed_policies:
        iam.attach_role_policy(RoleName=role.name, PolicyArn=arn)


def _remove_other_policies(iam: Any, role: Role) -> None:
    for arn in _attached_policy_arns(iam, role.name):
        if arn not in role.managed_policies:
            _if_there(iam.detach_role_policy, RoleName=role.name, PolicyArn=arn)
    for name in _inline_policy_names(iam, role.name):
        if name not in role.policies:
            _if_there(iam.delete_role_policy, RoleName=role.name, PolicyName=name)


def _if_there(call: Callable[..., object], **arguments: str) -> None:
    """Take away what a repeated call, whose first answer was lost, may have taken away already."""
    try:
        call(**arguments)
    except ClientError as error:
        if error_code(error) != "NoSuchEntity":
            raise


def delete_role(iam: Any, name: str, clock: Clock) -> None:
    """Take the role away, with all that is attached to it; gone already is fine."""

    def remove() -> None:
        for arn in _attached_policy_arns(iam, name):
            _if_there(iam.detach_role_policy, RoleName=name, PolicyArn=arn)
        for policy in _inline_policy_names(iam, name):
            _if_there(iam.delete_role_policy, RoleName=name, PolicyName=policy)
        iam.delete_role(RoleName=name)

    try:
        with asking("Deleting the role", name):
            retry(remove, lambda error: error_code(error) in ("DeleteConflict", "ConcurrentModification"), clock)
    except ResourceNotFoundError:
        return
