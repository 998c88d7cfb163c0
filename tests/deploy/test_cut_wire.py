"""Whatever call of building, updating or destroying is lost, the next run ends where it should, and nothing is left.

A sample of the cases runs by default, all of them with ``SWEEP=all``, more of them with a number for each operation.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.local_aws

#: Cases of one operation: a number, or ``all``.
SWEEP = os.environ.get("SWEEP", "5")
#: Where failures, and what is done, are written as they come.
FINDINGS = os.environ.get("SWEEP_FINDINGS", "")
#: What the wish is, and what it becomes in the update.
TRIGGERS = {
    "eval": ("eval",),
    "S3": ("eval", "S3"),
    "API": ("eval", "APIGateway"),
    "URL": ("eval", "URL"),
    "all": ("eval", "S3", "APIGateway", "URL"),
}
BECOMES = {"eval": "eval", "S3": "URL", "API": "S3", "URL": "API", "all": "eval"}
EXTRAS = {"function_budget_amount": 20.0, "function_budget_email": "a@example.org", "function_reserved_concurrency": 5}
CHANGED = {
    "function_memory": 3072,
    "function_tags": {"project": "soil"},
    "function_description": "changed",
    "function_log_retention": 7,
    "function_env_variables": {"COLOUR": "green"},
    "function_role_description": "changed",
    "function_role_policy_arns": ["arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"],
}


def wish(triggers: str, place: str, others: dict[str, Any] | None = None) -> dict[str, Any]:
    """Traits of a deployment."""
    extras: dict[str, Any] = EXTRAS if triggers == "all" else {}
    snapshot = {"function_snap_start": True} if place == "snapshot" else {}
    return {"function_name": "sweep", "function_triggers": TRIGGERS[triggers], **extras, **snapshot, **(others or {})}


@pytest.mark.timeout(0 if "SWEEP" in os.environ else 300)
@pytest.mark.parametrize("operation", ["build", "update", "destroy"])
@pytest.mark.parametrize(
    ("triggers", "place"),
    [
        *((triggers, "files") for triggers in TRIGGERS),
        ("eval", "large"),
        ("eval", "stored"),
        ("all", "stored"),
        ("eval", "snapshot"),
    ],
)
def test_a_cut_at_any_call_is_overcome_by_the_next_run(
    sweep: Callable[[dict[str, Any]], dict[str, Any]],
    operation: str,
    triggers: str,
    place: str,
    record_property: Callable[[str, object], None],
) -> None:
    began = time.monotonic()
    asked = {
        "operation": operation,
        "place": place,
        "first": wish(triggers, place),
        "then": wish(BECOMES[triggers], place, CHANGED),
        "size": None if SWEEP == "all" else int(SWEEP),
    }
    found = sweep(asked)
    failures, seconds = found["failures"], time.monotonic() - began
    counts = (found["possible"], found["tried"], found["states"], len(failures), seconds)
    record_property("cases of the cut wire", counts)
    if FINDINGS:
        with Path(FINDINGS).open("a") as file:
            print(f"{operation} {triggers} {place}: {counts}", *failures, sep="\n", file=file)
    assert found["tried"] == (found["possible"] if SWEEP == "all" else int(SWEEP))
    assert not failures, f"{len(failures)} of {found['tried']} cases:\n" + "\n".join(failures)
