"""SnapStart: a published version of the function that starts from a snapshot, behind an alias.

Lambda makes snapshots of published versions only (Lambda developer guide, "Improving startup performance with Lambda
SnapStart"), so that each build which changes the function publishes another one and takes the old one away.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from podpac_lambda_widgets import limits
from podpac_lambda_widgets.errors import InvalidValueError
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.plan.changes import Create, Delete, Update, old_values
from podpac_lambda_widgets.plan.names import StackNames
from podpac_lambda_widgets.plan.resources import Function, Resource, unmanaged

#: The alias by which the version with the snapshot is called.
ALIAS = "podpac-snapshot"


@dataclass(frozen=True)
class Snapshot(Resource):
    """The published version, and the alias that leads to it. ``name`` is ``function:alias``.

    Neither bears a tag: both are ours by their description, which is the stack's name. ``settings`` is the
    :func:`settings_digest` of what was published; ``versions`` counts what we have published and not taken away
    again: AWS bills each.
    """

    kind: ClassVar[str] = "snapshot"
    settings: str
    versions: int = 1
    #: ``Active``; found may also be ``Pending`` or ``Failed``, and empty where the alias is missing.
    state: str = "Active"
    #: MB, for its price.
    memory: int = unmanaged(default=0)
    code_sha256: str = unmanaged(default="")
    stack: str = unmanaged(default="")

    @property
    def function(self) -> str:
        """The function's name."""
        return self.name.partition(":")[0]


def settings_digest(function: Function) -> str:
    """What a published version keeps of its function, in 16 hexadecimal digits: another one means an old version."""
    kept = [
        function.role, function.runtime, function.architecture, function.handler, function.memory, function.timeout,
        function.storage, sorted(function.environment.items()), function.code_sha256,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(kept).encode()).hexdigest()[:16]


def desired_snapshot(deployment: Deployment, function: Function, names: StackNames) -> Snapshot | None:
    """The snapshot of a wish, if it is wished.

    Raises
    ------
    InvalidValueError
        SnapStart does not take such a function.
    """
    if not deployment.function_snap_start:
        return None
    if function.runtime not in limits.SNAP_START_RUNTIMES:
        raise _unfit(
            f"Lambda takes snapshots of {' and '.join(limits.SNAP_START_RUNTIMES)}; the function has "
            f"{function.runtime or 'no runtime'}.",
            "Build the archives for one of these, or turn SnapStart off.",
        )
    if function.storage > limits.SNAP_START_STORAGE_MB:
        raise _unfit(
            f"Lambda takes snapshots of functions with {limits.SNAP_START_STORAGE_MB} MB of ephemeral storage; this "
            f"one has {function.storage:,}.",
            f"Set function_ephemeral_storage to {limits.SNAP_START_STORAGE_MB}, or turn SnapStart off.",
        )
    return Snapshot(
        name=f"{names.function}:{ALIAS}",
        settings=settings_digest(function),
        memory=function.memory,
        code_sha256=function.code_sha256,
        stack=names.stack,
    )


def _unfit(why: str, next_step: str) -> InvalidValueError:
    return InvalidValueError(
        "SnapStart does not fit this function", field="function_snap_start", why=why, next_step=next_step
    )


def named_snapshot(names: StackNames) -> Snapshot:
    """The bearer of the snapshot's name and nothing else."""
    return Snapshot(name=f"{names.function}:{ALIAS}", settings="", stack=names.stack)


def snapshot_operations(change: Create | Update | Delete, snapshot: Snapshot) -> Iterator[str]:
    """The calls that a change of a snapshot makes; mirrors ``aws.snapshots``."""
    if isinstance(change, Delete):
        yield from ["lambda.DeleteAlias"] * (snapshot.state != "")
        yield from ["version.DeleteFunction"] * snapshot.versions
        return
    old = old_values(change, {})
    if isinstance(change, Create):
        yield from ("lambda.PublishVersion", "lambda.CreateAlias")
        return
    left = int(old.get("versions", 1))
    if old.get("state") == "Failed":
        yield "lambda.DeleteAlias"
        yield from ["version.DeleteFunction"] * left
        yield from ("lambda.PublishVersion", "lambda.CreateAlias")
        return
    if "settings" in old or old.get("state") == "":
        yield "lambda.PublishVersion"
        yield "lambda.CreateAlias" if old.get("state") == "" else "lambda.UpdateAlias"
    # Where the alias is missing, what is there may be the very version that is wanted: nobody knows its settings.
    kept = 0 if "settings" in old else 1
    yield from ["version.DeleteFunction"] * (left - kept)
