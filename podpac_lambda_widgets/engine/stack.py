"""A stack: one function and what belongs to it, from wish to account and back."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from podpac_lambda_widgets.engine.apply import apply_plan
from podpac_lambda_widgets.engine.events import Listener, ignore
from podpac_lambda_widgets.engine.ports import Account, Clock
from podpac_lambda_widgets.engine.results import Result
from podpac_lambda_widgets.engine.runner import run_pipeline
from podpac_lambda_widgets.errors import (
    ConfirmationRequiredError,
    DeployError,
    InvalidValueError,
    ResourceNotFoundError,
)
from podpac_lambda_widgets.model.coordinates import CoordinatesDefinition
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.pipeline import Pipeline
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.packaging.archive import Archive, inspect_package
from podpac_lambda_widgets.packaging.scan import scan_archive
from podpac_lambda_widgets.packaging.target import choose_target
from podpac_lambda_widgets.plan.changes import Plan
from podpac_lambda_widgets.plan.description import Description
from podpac_lambda_widgets.plan.desired import ArchivePlace, Archives, desired_resources, guard_environment, stack_names
from podpac_lambda_widgets.plan.difference import plan_build, plan_delete
from podpac_lambda_widgets.plan.resources import Bucket, Function, LogGroup, Observed, Resource, Role
from podpac_lambda_widgets.remote import guard
from podpac_lambda_widgets.remote.wire import Request


def _never() -> bool:
    return False


class _SystemClock:
    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Stack:
    """Plans, builds, runs and deletes one deployment in one account.

    Parameters
    ----------
    account : Account
        Such as ``AwsAccount(session)``.
    deployment : Deployment
        The wish. It may be changed between calls; the next plan follows.
    source : Source, optional
        Where the archives are; needed to plan and build, not to run or delete.
    clock : Clock, optional
        Time, for tests.
    """

    def __init__(
        self, account: Account, deployment: Deployment, source: Source | None = None, clock: Clock | None = None
    ) -> None:
        self.account = account
        self.deployment = deployment
        self.source = source
        self._clock: Clock = clock or _SystemClock()
        self._inspected: dict[tuple[str, ...], Archives] = {}

    def __repr__(self) -> str:
        return f"Stack({self.deployment.function_name!r})"

    def plan(self) -> Plan:
        """Compare the wish with the account. Reads only.

        Raises
        ------
        PodpacLambdaError
            The archives cannot be used, or the account cannot be read.
        """
        identity = self.account.identity()
        wanted = desired_resources(self.deployment, self._archives(), identity)
        pairs = [(resource, self.account.read(resource)) for resource in wanted]
        return plan_build(stack_names(self.deployment, identity).stack, pairs, self.deployment.adopt)

    def build(self, listener: Listener = ignore, cancelled: Callable[[], bool] = _never) -> Plan:
        """Make the account as the wish says, and return the plan that was applied. May be run again and again."""
        plan = self.plan()
        apply_plan(plan, self.account, self._clock, listener, cancelled)
        return plan

    def plan_delete(self) -> Plan:
        """What deleting would take away, found by names and tags alone. Reads only."""
        identity = self.account.identity()
        names = stack_names(self.deployment, identity)
        found = [observed for observed in map(self.account.read, self._named()) if observed is not None]
        return plan_delete(names.stack, [self._counted(each, names.stack) for each in found], self.deployment.adopt)

    def delete(
        self, *, confirm: bool = False, listener: Listener = ignore, cancelled: Callable[[], bool] = _never
    ) -> Plan:
        """Take away everything of this stack and nothing else, and return the plan that was applied.

        Raises
        ------
        ConfirmationRequiredError
            Without ``confirm=True``; it says what would go.
        """
        plan = self.plan_delete()
        if plan.writes and not confirm:
            raise ConfirmationRequiredError(
                f"Deleting {plan.stack} takes away {len(plan.writes)} resources",
                resource=", ".join(str(change.resource) for change in plan.writes),
                next_step="Say confirm=True to go on.",
            )
        apply_plan(plan, self.account, self._clock, listener, cancelled)
        return plan

    def validate(self, raise_exceptions: bool = False) -> bool:
        """Whether the account is as the wish says. Reads only.

        Raises
        ------
        DeployError
            With ``raise_exceptions=True``, when something is missing or differs; it says what.
        """
        plan = self.plan()
        if plan.is_empty or not raise_exceptions:
            return plan.is_empty
        raise DeployError(
            f"The stack {plan.stack} is not as it should be",
            why=str(plan),
            next_step="Build again: it makes what is missing and mends what differs.",
        )

    def describe(self) -> Description:
        """What there is of this stack in the account. Reads only."""
        identity = self.account.identity()
        stack = stack_names(self.deployment, identity).stack
        return Description(stack, identity, tuple((named, self.account.read(named)) for named in self._named()))

    def run(
        self,
        pipeline: Pipeline,
        coordinates: CoordinatesDefinition,
        listener: Listener = ignore,
        cancelled: Callable[[], bool] = _never,
    ) -> Result:
        """Evaluate a pipeline at coordinates in the function.

        The function checks the same things again; checking here first saves the call.
        """
        request = Request(pipeline=pipeline.definition, coordinates=coordinates.definition)
        memory = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.deployment.function_memory)}
        guard.check(request, guard.Policy.from_environment({**guard_environment(self.deployment), **memory}))
        try:
            return run_pipeline(
                self.account,
                self.deployment.function_name,
                request,
                timeout=self.deployment.function_timeout,
                clock=self._clock,
                listener=listener,
                cancelled=cancelled,
            )
        except ResourceNotFoundError as error:
            error.next_step = "Build the function first."
            raise

    def _named(self) -> tuple[Resource, ...]:
        """Bearers of the stack's names, to be looked for in the account; last made first."""
        identity = self.account.identity()
        names = stack_names(self.deployment, identity)
        return (
            Function(
                name=names.function,
                role="",
                runtime="",
                architecture="",
                handler="",
                description="",
                memory=0,
                timeout=0,
                storage=0,
                environment={},
                tags={},
                code_sha256="",
            ),
            LogGroup(name=names.log_group, retention=0, tags={}),
            Role(name=names.role, description="", trust={}, policies={}, managed_policies=(), tags={}),
            Bucket(
                name=names.bucket,
                region=identity.region,
                tags={},
                public_access_blocked=True,
                policy=None,
                own_prefixes=names.own_prefixes,
            ),
        )

    def _counted(self, observed: Observed, stack: str) -> Observed:
        bucket = observed.resource
        if not isinstance(bucket, Bucket):
            return observed
        own_prefixes = stack_names(self.deployment, self.account.identity()).own_prefixes
        bucket = replace(bucket, own_prefixes=own_prefixes)
        if observed.stack == stack or bucket.name in self.deployment.adopt:
            own, foreign = self.account.count_objects(bucket, stack)
            bucket = replace(bucket, own_objects=own, foreign_objects=foreign)
        return replace(observed, resource=bucket)

    def _archives(self) -> Archives:
        """What the archives are, once they have been inspected; looked at again when they have changed."""
        if self.source is None:
            raise InvalidValueError(
                "No archives were named",
                field="function_source_dist_zip",
                next_step="Build them with build_package(), or name the files or the bucket they are in.",
            )
        self.source.check()
        source = self.source
        if not source.is_bucket:
            return self._inspect(Path(source.function_source_dist_zip), Path(source.function_source_dependencies_zip))
        return self._inspect_bucket(source)

    def _inspect(self, dist: Path, dependencies: Path) -> Archives:
        """Check the archives for the runtime that was asked for, else for the one they say they were built for."""
        manifest = scan_archive(dist).manifest
        target = choose_target(
            self.deployment.function_runtime or (manifest.runtime if manifest else None),
            self.deployment.function_architecture or (manifest.architecture if manifest else None),
        )
        package = inspect_package(
            dist,
            dependencies,
            runtime=target.runtime,
            architecture=target.architecture,
            handler=self.deployment.function_handler,
            ephemeral_storage=self.deployment.function_ephemeral_storage,
        )
        return Archives(
            dist=_place(package.dist),
            dependencies=_place(package.dependencies),
            runtime=target.runtime,
            architecture=target.architecture,
        )

    def _inspect_bucket(self, source: Source) -> Archives:
        bucket = source.function_source_bucket
        keys = (source.function_source_dist_key, source.function_source_dependencies_key)
        versions = [str(self.account.inspect_object(bucket, key)["etag"]) for key in keys]
        known = (bucket, *keys, *versions, repr(self.deployment.trait_values()))
        if known not in self._inspected:
            with tempfile.TemporaryDirectory(prefix="podpac-lambda-") as directory:
                paths = []
                for name, key in zip(("podpac_dist.zip", "podpac_deps.zip"), keys, strict=True):
                    path = Path(directory) / name
                    path.write_bytes(self.account.fetch(bucket, key, lambda done, total: None))
                    paths.append(path)
                found = self._inspect(*paths)
            self._inspected[known] = replace(
                found,
                dist=replace(found.dist, path=None, bucket=bucket, key=keys[0]),
                dependencies=replace(found.dependencies, path=None, bucket=bucket, key=keys[1]),
            )
        return self._inspected[known]


def _place(archive: Archive) -> ArchivePlace:
    return ArchivePlace(sha256=archive.sha256, size=archive.size, path=archive.path)
