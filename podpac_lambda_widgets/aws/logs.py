"""Log groups: read, create, update, delete."""

from __future__ import annotations

from typing import Any

from podpac_lambda_widgets.aws import tags
from podpac_lambda_widgets.aws.translate import asking
from podpac_lambda_widgets.errors import ResourceNotFoundError
from podpac_lambda_widgets.plan.resources import LeftLock, LogGroup, Observed


def read_log_group(logs: Any, wanted: LogGroup) -> Observed | None:
    """The log group as AWS has it."""
    with asking("Reading the log group", wanted.name):
        pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=wanted.name)
        found = next((g for page in pages for g in page["logGroups"] if g["logGroupName"] == wanted.name), None)
        if found is None:
            return None
        arn = str(found["arn"]).removesuffix(":*")
        found_tags: dict[str, str] = logs.list_tags_for_resource(resourceArn=arn).get("tags", {})
    group = LogGroup(
        name=wanted.name, retention=found.get("retentionInDays", 0), tags=tags.wanted_part(found_tags, wanted.tags)
    )
    return Observed(group, tags.stack_of(found_tags))


def read_left_lock(logs: Any, wanted: LeftLock) -> Observed | None:
    """The lock's log group as AWS has it."""
    found = read_log_group(logs, LogGroup(name=wanted.name, retention=0, tags={}))
    return None if found is None else Observed(wanted, found.stack)


def create_log_group(logs: Any, group: LogGroup) -> None:
    """Make the log group with its tags, and say how long lines are kept.

    Raises
    ------
    ResourceExistsError
        The account has a log group of that name in this region.
    """
    with asking("Creating the log group", group.name):
        logs.create_log_group(logGroupName=group.name, tags=dict(group.tags))
        logs.put_retention_policy(logGroupName=group.name, retentionInDays=group.retention)


def update_log_group(logs: Any, group: LogGroup, fields: set[str], arn: str) -> None:
    """Bring the named fields of the log group to what is wanted."""
    with asking("Updating the log group", group.name):
        if "retention" in fields:
            logs.put_retention_policy(logGroupName=group.name, retentionInDays=group.retention)
        if "tags" in fields:
            logs.tag_resource(resourceArn=arn, tags=dict(group.tags))


def delete_log_group(logs: Any, name: str) -> None:
    """Take the log group away; gone already is fine."""
    try:
        with asking("Deleting the log group", name):
            logs.delete_log_group(logGroupName=name)
    except ResourceNotFoundError:
        return
