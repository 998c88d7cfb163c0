"""Published versions with SnapStart, and the alias that leads to the present one: read, create, update, delete.

Neither versions nor aliases bear tags. Ours have the stack's name as their description.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from podpac_lambda_widgets.aws.error_codes import error_code
from podpac_lambda_widgets.aws.functions import read_configuration, wait_for, will_settle
from podpac_lambda_widgets.aws.translate import asking
from podpac_lambda_widgets.aws.waiting import retry
from podpac_lambda_widgets.clock import Clock
from podpac_lambda_widgets.errors import ResourceExistsError
from podpac_lambda_widgets.plan.changes import Update
from podpac_lambda_widgets.plan.resources import Observed
from podpac_lambda_widgets.plan.snapshot import ALIAS, Snapshot, settings_digest

_GONE = "ResourceNotFoundException"


def read_snapshot(client: Any, wanted: Snapshot) -> Observed | None:
    """The version that the alias leads to, and how many versions of ours there are.

    Without the alias our newest version is observed, with an empty ``state``: what a run left that was cut short.
    """
    with asking("Reading the function's versions", wanted.name):
        alias = _read_alias(client, wanted.function)
        if alias and alias.get("Description") != wanted.stack:
            return Observed(wanted, None)
        ours = _our_versions(client, wanted)
        number = alias["FunctionVersion"] if alias else max(ours, key=int, default="")
        if not number:
            return None
        found = client.get_function_configuration(FunctionName=wanted.function, Qualifier=number)
    snapshot = Snapshot(
        name=wanted.name,
        settings=settings_digest(read_configuration(wanted.function, found)),
        versions=len(ours | {number}),
        state=str(found.get("State", "Active")) if alias else "",
        memory=found["MemorySize"],
        stack=wanted.stack,
    )
    return Observed(snapshot, wanted.stack)


def _read_alias(client: Any, function: str) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = client.get_alias(FunctionName=function, Name=ALIAS)
    except ClientError as error:
        if error_code(error) != _GONE:
            raise
        return {}
    return found


def _our_versions(client: Any, snapshot: Snapshot) -> set[str]:
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=snapshot.function)
    try:
        return {
            found["Version"]
            for page in pages
            for found in page["Versions"]
            if found["Version"] != "$LATEST" and found.get("Description") == snapshot.stack
        }
    except ClientError as error:
        if error_code(error) != _GONE:
            raise
        return set()


def create_snapshot(client: Any, wanted: Snapshot, clock: Clock) -> None:
    """Publish the function as it is, wait for its snapshot, and have the alias lead to it.

    Raises
    ------
    ResourceExistsError
        Somebody has made an alias of that name since the plan.
    """
    with asking("Taking the function's snapshot", wanted.name):
        _Published(client, wanted, clock).lead()


def update_snapshot(client: Any, change: Update, wanted: Snapshot, clock: Clock) -> None:
    """Publish the function again where its settings have changed, and take our other versions away."""
    old = {difference.field: difference.old for difference in change.differences}
    published = _Published(client, wanted, clock)
    with asking("Taking the function's snapshot", wanted.name):
        if old.get("state") == "Failed":
            # The same settings would give the same failed version again.
            _delete(client, wanted)
        if old.keys() & {"settings"} or old.get("state") in ("", "Failed"):
            number = published.lead()
        else:
            number = str(_read_alias(client, wanted.function).get("FunctionVersion", ""))
            wait_for(client, "published_version_active", wanted.function, Qualifier=number)
        for other in sorted(_our_versions(client, wanted) - {number}, key=int):
            _delete_version(client, wanted.function, other)


@dataclass(frozen=True)
class _Published:
    client: Any
    wanted: Snapshot
    clock: Clock

    def lead(self) -> str:
        """Publish, and have the alias lead there; returns the version's number."""
        wanted = self.wanted
        code = base64.b64encode(bytes.fromhex(wanted.code_sha256)).decode()
        made = retry(
            lambda: self.client.publish_version(
                FunctionName=wanted.function, CodeSha256=code, Description=wanted.stack
            ),
            will_settle,
            self.clock,
        )
        number = str(made["Version"])
        wait_for(self.client, "published_version_active", wanted.function, Qualifier=number)
        alias = {"FunctionName": wanted.function, "Name": ALIAS, "FunctionVersion": number}
        found = _read_alias(self.client, wanted.function)
        if not found:
            self.client.create_alias(**alias, Description=wanted.stack)
        elif found.get("Description") != wanted.stack:
            raise ResourceExistsError(
                "The function has another alias of that name",
                resource=wanted.name,
                why="Somebody has made it since the plan.",
                next_step="Make a new plan.",
                code="ResourceConflictException",
            )
        else:
            self.client.update_alias(**alias)
        return number


def delete_snapshot(client: Any, found: Snapshot) -> None:
    """Take the alias and our versions away; gone already is fine."""
    with asking("Deleting the function's snapshot", found.name):
        _delete(client, found)


def _delete(client: Any, snapshot: Snapshot) -> None:
    alias = _read_alias(client, snapshot.function)
    if alias.get("Description") == snapshot.stack:
        client.delete_alias(FunctionName=snapshot.function, Name=ALIAS)
    for number in sorted(_our_versions(client, snapshot), key=int):
        _delete_version(client, snapshot.function, number)


def _delete_version(client: Any, function: str, number: str) -> None:
    try:
        client.delete_function(FunctionName=function, Qualifier=number)
    except ClientError as error:
        if error_code(error) != _GONE:
            raise
