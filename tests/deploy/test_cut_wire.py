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
from sweep import Operation, Wish, all_cases, sample_cases

from podpac_lambda_widgets.model.source import Source

pytestmark = pytest.mark.local_aws

#: Cases of one operation: a number, or ``all``.
SWEEP = os.environ.get("SWEEP", "5")
#: Where failures are written as they come.
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


def traits(triggers: str, **others: Any) -> dict[str, Any]:
    extras: dict[str, Any] = EXTRAS if triggers == "all" else {}
    return {"function_name": "sweep", "function_triggers": TRIGGERS[triggers], **extras, **others}


def operation(name: str, triggers: str, place: str, sources: dict[str, Source]) -> Operation:
    snapshot = {"function_snap_start": True} if place == "snapshot" else {}
    first = Wish(traits(triggers, **snapshot), sources["one"])
    if name == "build":
        return Operation(name, first)
    if name == "destroy":
        return Operation(name, first, first)
    return Operation(name, Wish(traits(BECOMES[triggers], **CHANGED, **snapshot), sources["two"]), first)


@pytest.fixture
def chosen(request: pytest.FixtureRequest, place: str) -> dict[str, Source]:
    """The archives: small or large files, or objects in a bucket, whose code goes by way of our own."""
    found: dict[str, Source] = request.getfixturevalue({"files": "sources"}.get(place, f"{place}_sources"))
    return found


@pytest.mark.timeout(0 if "SWEEP" in os.environ else 300)
@pytest.mark.parametrize("name", ["build", "update", "destroy"])
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
    bench: Any,
    chosen: dict[str, Source],
    name: str,
    triggers: str,
    place: str,
    record_property: Callable[[str, object], None],
) -> None:
    cut = operation(name, triggers, place, chosen)
    calls = bench.calls_of(cut)
    every = list(all_cases(cut, calls))
    cases = every if SWEEP == "all" else sample_cases(cut, calls, int(SWEEP))
    began = time.monotonic()
    failures = [told for told in map(bench.run, cases) if told]
    record_property("cases of the cut wire", (len(cases), len(every), len(failures), time.monotonic() - began))
    if FINDINGS and failures:
        with Path(FINDINGS).open("a") as file:
            file.write("\n".join(failures) + "\n")
    assert not failures, f"{len(failures)} of {len(cases)} cases:\n" + "\n".join(failures)
