"""From a wish to resources: what there should be in the account, in the order in which it is made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from podpac_lambda_widgets import limits
from podpac_lambda_widgets.errors import InvalidValueError
from podpac_lambda_widgets.model.agreement import check_tags
from podpac_lambda_widgets.model.aws_traits import ARCHIVES_FOLDER
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.plan import policies
from podpac_lambda_widgets.plan.account import Identity
from podpac_lambda_widgets.plan.desired_triggers import (
    BUDGET_PARTITIONS,
    desired_triggers,
    named_budget,
    named_triggers,
)
from podpac_lambda_widgets.plan.extras import EXTRAS_TAG, Extras
from podpac_lambda_widgets.plan.names import StackNames, stack_names
from podpac_lambda_widgets.plan.resources import (
    STACK_TAG,
    Bucket,
    Function,
    LeftLock,
    LogGroup,
    Resource,
    Role,
    StoredObject,
)
from podpac_lambda_widgets.plan.snapshot import desired_snapshot, named_snapshot


@dataclass(frozen=True)
class ArchivePlace:
    """One archive and where its bytes are: a file, or an object of a bucket. ``sha256`` in hexadecimal."""

    sha256: str
    size: int
    path: Path | None = None
    bucket: str = ""
    key: str = ""


@dataclass(frozen=True)
class Archives:
    """The two archives, and what they were built for."""

    dist: ArchivePlace
    dependencies: ArchivePlace
    runtime: str
    architecture: str


def desired_resources(deployment: Deployment, archives: Archives, identity: Identity) -> tuple[Resource, ...]:
    """Everything there should be, what others need first."""
    check_tags(deployment)
    names = stack_names(deployment, identity)
    tags = {**deployment.function_tags, STACK_TAG: names.stack}
    dependencies = _dependencies_object(deployment, archives, names)
    # Both archives are kept in our own bucket: Lambda takes code only from a bucket in its own region, and another's
    # object may change after it was inspected.
    distribution = _archive_object(names, archives.dist, "distribution", "podpac_dist")
    function = _function(deployment, archives, identity, names, dependencies, distribution)
    resources: list[Resource | None] = [
        LogGroup(name=names.log_group, retention=deployment.function_log_retention, tags=tags),
        _role(deployment, identity, names, dependencies.key),
        Bucket(
            name=names.bucket,
            region=identity.region,
            tags={**deployment.function_tags, **deployment.function_s3_tags, STACK_TAG: names.stack},
            public_access_blocked=True,
            policy=policies.tls_only_statement(identity.partition, names.bucket),
            encrypted=True,
            lifecycle=policies.lifecycle_rules(
                names.function,
                output=f"{names.output}/",
                archives=names.own_prefixes[0],
                expiration=deployment.function_s3_output_expiration,
            ),
            own_prefixes=names.own_prefixes,
            own_keys=names.own_keys,
        ),
        dependencies,
        distribution if function.code_bucket else None,
        function,
        desired_snapshot(deployment, function, names),
        *desired_triggers(deployment, names, identity),
    ]
    return tuple(resource for resource in resources if resource is not None)


def _dependencies_object(deployment: Deployment, archives: Archives, names: StackNames) -> StoredObject:
    stored = _archive_object(names, archives.dependencies, "dependencies", "podpac_deps")
    key = deployment.function_s3_dependencies_key
    return replace(stored, name=f"{names.bucket}/{key}", key=key, own_key=False) if key else stored


def _archive_object(names: StackNames, place: ArchivePlace, content: str, stem: str) -> StoredObject:
    key = f"{ARCHIVES_FOLDER}/{names.function}/{stem}_{place.sha256[:16]}.zip"
    return StoredObject(
        name=f"{names.bucket}/{key}",
        bucket=names.bucket,
        key=key,
        sha256=place.sha256,
        size=place.size,
        content=content,
        own_key=True,
        path=place.path,
        copied_from=(place.bucket, place.key) if place.bucket else None,
    )


def _role(deployment: Deployment, identity: Identity, names: StackNames, dependencies_key: str) -> Role:
    # Any of our dependencies archives: while a new one is being put in place, the function still needs the old one.
    own_key = (dependencies_key,) if deployment.function_s3_dependencies_key else ()
    policy = policies.function_policy(
        partition=identity.partition,
        region=identity.region,
        account=identity.account,
        function_name=names.function,
        bucket=names.bucket,
        dependencies_keys=(f"{ARCHIVES_FOLDER}/{names.function}/podpac_deps_*", *own_key),
        output=names.output,
        input_prefix=f"{names.input}/" if "S3" in deployment.function_triggers else "",
        data_buckets=tuple(deployment.function_allowed_buckets),
    )
    _check_policy(policy)
    return Role(
        name=names.role,
        description=deployment.function_role_description or f"Role of the Lambda function {names.function}",
        trust=deployment.function_role_assume_policy_document or policies.lambda_trust(identity.account),
        policies={policies.POLICY_NAME: deployment.function_role_policy_document or policy},
        managed_policies=tuple(deployment.function_role_policy_arns),
        tags={**deployment.function_tags, **deployment.function_role_tags, STACK_TAG: names.stack},
    )


def _check_policy(policy: Mapping[str, Any]) -> None:
    # IAM counts no white space.
    size = len(json.dumps(policy, separators=(",", ":")))
    if size > limits.ROLE_POLICY_CHARACTERS:
        raise InvalidValueError(
            "The policy of the function's role is too large",
            field="function_allowed_buckets",
            why=f"{size:,} characters; IAM takes {limits.ROLE_POLICY_CHARACTERS:,}.",
            next_step="Allow fewer data buckets.",
        )


def _function(
    deployment: Deployment,
    archives: Archives,
    identity: Identity,
    names: StackNames,
    dependencies: StoredObject,
    distribution: StoredObject,
) -> Function:
    environment = {**deployment.function_env_variables, **_environment(deployment, names, dependencies)}
    _check_size(environment)
    return Function(
        name=names.function,
        role=f"arn:{identity.partition}:iam::{identity.account}:role{names.role_path}{names.role}",
        runtime=deployment.function_runtime or archives.runtime,
        architecture=deployment.function_architecture or archives.architecture,
        handler=deployment.function_handler,
        description=deployment.function_description,
        memory=deployment.function_memory,
        timeout=deployment.function_timeout,
        storage=deployment.function_ephemeral_storage,
        environment=environment,
        tags=_function_tags(deployment, names),
        code_sha256=distribution.sha256,
        reserved_concurrency=deployment.function_reserved_concurrency,
        snap_start=deployment.function_snap_start,
        **_code_place(distribution),
    )


def _function_tags(deployment: Deployment, names: StackNames) -> dict[str, str]:
    budget = names.budget if deployment.function_budget_amount is not None else ""
    wished = deployment.function_triggers
    extras = Extras(
        "S3" in wished, "APIGateway" in wished, "URL" in wished, budget, snapshot=deployment.function_snap_start
    )
    return {**deployment.function_tags, STACK_TAG: names.stack, EXTRAS_TAG: str(extras)}


def _code_place(distribution: StoredObject) -> dict[str, Any]:
    """A small file is sent in the call itself, a large one goes through the bucket."""
    if distribution.path is not None and distribution.size <= limits.DIRECT_ARCHIVE_BYTES:
        return {"code_path": distribution.path}
    return {"code_bucket": distribution.bucket, "code_key": distribution.key}


def _check_size(environment: Mapping[str, str]) -> None:
    size = sum(len(text.encode()) for pair in environment.items() for text in pair)
    if size > limits.ENVIRONMENT_BYTES:
        raise InvalidValueError(
            "The function's environment is too large",
            field="function_env_variables",
            why=f"{size:,} bytes with what the function needs itself; Lambda takes {limits.ENVIRONMENT_BYTES:,}.",
            next_step="Shorten the environment, or the lists of allowed pipelines, buckets and hosts.",
        )


def _environment(deployment: Deployment, names: StackNames, dependencies: StoredObject) -> dict[str, str]:
    """What the function reads of its surroundings; PODPAC's names where it has one."""
    return {
        "S3_BUCKET_NAME": names.bucket,
        "FUNCTION_DEPENDENCIES_BUCKET": dependencies.bucket,
        "FUNCTION_DEPENDENCIES_KEY": dependencies.key,
        "FUNCTION_DEPENDENCIES_SHA256": dependencies.sha256,
        "FUNCTION_S3_OUTPUT": names.output,
        "FUNCTION_STACK": names.stack,
        **({"FUNCTION_S3_INPUT": names.input} if "S3" in deployment.function_triggers else {}),
        **guard_environment(deployment),
    }


def guard_environment(deployment: Deployment) -> dict[str, str]:
    """The variables that tell the guard what it lets pass, in the cloud as here."""
    lists = {
        "FUNCTION_RESTRICT_PIPELINES": deployment.function_restrict_pipelines,
        "FUNCTION_ALLOWED_BUCKETS": deployment.function_allowed_buckets,
        "FUNCTION_ALLOWED_HOSTS": deployment.function_allowed_hosts,
        "FUNCTION_ALLOWED_NODES": deployment.function_allowed_nodes,
    }
    environment = {name: ",".join(values) for name, values in lists.items() if values}
    if deployment.function_allow_unsafe_eval:
        environment["FUNCTION_ALLOW_UNSAFE_EVAL"] = "true"
    return environment


def named_function(names: StackNames) -> Function:
    """The bearer of the function's name and nothing else, to be looked for in an account."""
    return Function(
        name=names.function, role="", runtime="", architecture="", handler="", description="", memory=0, timeout=0,
        storage=0, environment={}, tags={EXTRAS_TAG: ""}, code_sha256="",
    )  # fmt: skip


def named_role(names: StackNames) -> Role:
    """The bearer of the role's name and nothing else."""
    return Role(name=names.role, description="", trust={}, policies={}, managed_policies=(), tags={})


def named_bucket(names: StackNames, identity: Identity, name: str = "") -> Bucket:
    """The bearer of a bucket's name, and of the ids of our rules in it; the stack's own where none is given."""
    rules = policies.lifecycle_rules(names.function, output="", archives="", expiration=1)
    return Bucket(
        name=name or names.bucket, region=identity.region, tags={}, public_access_blocked=True, policy=None,
        lifecycle=rules,
    )  # fmt: skip


def named_extras(names: StackNames, identity: Identity, extras: Extras | None = None) -> tuple[Resource, ...]:
    """Bearers of the names of what only some wishes have; of all of it, or of what a function says it has."""
    s3_trigger, api, url = named_triggers(names, identity)
    budget = named_budget(names) if identity.partition in BUDGET_PARTITIONS else None
    snapshot = named_snapshot(names)
    if extras is None:
        return s3_trigger, api, url, snapshot, *((budget,) if budget else ())
    there = (
        (s3_trigger, extras.s3_trigger), (api, extras.api), (url, extras.url), (snapshot, extras.snapshot),
        (budget, bool(extras.budget)),
    )  # fmt: skip
    return tuple(resource for resource, is_there in there if resource is not None and is_there)


def named_resources(deployment: Deployment, identity: Identity) -> tuple[Resource, ...]:
    """Bearers of the names of what every stack has, and nothing else, to be looked for in an account."""
    names = stack_names(deployment, identity)
    return (
        LogGroup(name=names.log_group, retention=0, tags={}),
        named_role(names),
        named_bucket(names, identity),
        named_function(names),
        LeftLock(name=names.lock),
    )
