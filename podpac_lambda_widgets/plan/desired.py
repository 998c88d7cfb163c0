"""From a wish to resources: what there should be in the account, in the order in which it is made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from podpac_lambda_widgets import limits
from podpac_lambda_widgets.errors import InvalidValueError
from podpac_lambda_widgets.model.deployment import ARCHIVES_FOLDER, Deployment
from podpac_lambda_widgets.plan import policies
from podpac_lambda_widgets.plan.account import Identity
from podpac_lambda_widgets.plan.resources import (
    STACK_TAG,
    Bucket,
    Function,
    LogGroup,
    Resource,
    Role,
    StoredObject,
)


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


@dataclass(frozen=True)
class StackNames:
    """Every name of a stack, from the wish and the account alone."""

    stack: str
    function: str
    role: str
    bucket: str
    log_group: str
    output: str
    own_prefixes: tuple[str, ...]
    own_keys: str


def stack_names(deployment: Deployment, identity: Identity) -> StackNames:
    """The names that a deployment has in an account; the same in every session."""
    function = deployment.function_name
    output = f"{deployment.function_s3_output}/{function}"
    archives = f"{ARCHIVES_FOLDER}/{function}"
    return StackNames(
        stack=f"{function}@{identity.region}",
        function=function,
        role=deployment.role_name(identity.region),
        bucket=deployment.bucket_name(identity.account, identity.region),
        log_group=f"/aws/lambda/{function}",
        output=output,
        own_prefixes=(f"{archives}/", f"{output}/"),
        own_keys=rf"{re.escape(archives)}/podpac_(dist|deps)_[0-9a-f]{{16}}\.zip|{re.escape(output)}/[0-9a-f]{{64}}\.nc",
    )


def desired_resources(deployment: Deployment, archives: Archives, identity: Identity) -> tuple[Resource, ...]:
    """Everything there should be, what others need first."""
    names = stack_names(deployment, identity)
    tags = {**deployment.function_tags, STACK_TAG: names.stack}
    dependencies = _dependencies_object(deployment, archives, names)
    # Both archives are kept in our own bucket: Lambda takes code only from a bucket in its own region, and another's
    # object may change after it was inspected.
    distribution = _archive_object(names, archives.dist, "distribution", "podpac_dist")
    resources: list[Resource] = [
        LogGroup(name=names.log_group, retention=deployment.function_log_retention, tags=tags),
        _role(deployment, identity, names, dependencies.key, tags),
        Bucket(
            name=names.bucket,
            region=identity.region,
            tags=tags,
            public_access_blocked=True,
            policy=policies.tls_only_statement(identity.partition, names.bucket),
            own_prefixes=names.own_prefixes,
            own_keys=names.own_keys,
        ),
        dependencies,
        distribution,
        _function(deployment, archives, identity, names, dependencies, distribution),
    ]
    return tuple(resources)


def _dependencies_object(deployment: Deployment, archives: Archives, names: StackNames) -> StoredObject:
    stored = _archive_object(names, archives.dependencies, "dependencies", "podpac_deps")
    key = deployment.function_s3_dependencies_key
    return replace(stored, name=f"{names.bucket}/{key}", key=key) if key else stored


def _archive_object(names: StackNames, place: ArchivePlace, content: str, stem: str) -> StoredObject:
    key = f"{ARCHIVES_FOLDER}/{names.function}/{stem}_{place.sha256[:16]}.zip"
    return StoredObject(
        name=f"{names.bucket}/{key}",
        bucket=names.bucket,
        key=key,
        sha256=place.sha256,
        size=place.size,
        content=content,
        path=place.path,
        copied_from=(place.bucket, place.key) if place.bucket else None,
    )


def _role(
    deployment: Deployment, identity: Identity, names: StackNames, dependencies_key: str, tags: dict[str, str]
) -> Role:
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
        data_buckets=tuple(deployment.function_allowed_buckets),
    )
    return Role(
        name=names.role,
        description=f"Role of the Lambda function {names.function}",
        trust=policies.lambda_trust(identity.account),
        policies={policies.POLICY_NAME: policy},
        managed_policies=(),
        tags=tags,
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
        role=f"arn:{identity.partition}:iam::{identity.account}:role/{names.role}",
        runtime=deployment.function_runtime or archives.runtime,
        architecture=deployment.function_architecture or archives.architecture,
        handler=deployment.function_handler,
        description=deployment.function_description,
        memory=deployment.function_memory,
        timeout=deployment.function_timeout,
        storage=deployment.function_ephemeral_storage,
        environment=environment,
        tags={**deployment.function_tags, STACK_TAG: names.stack},
        code_sha256=distribution.sha256,
        code_bucket=distribution.bucket,
        code_key=distribution.key,
    )


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
        **guard_environment(deployment),
    }


def guard_environment(deployment: Deployment) -> dict[str, str]:
    """The variables that tell the guard what it lets pass, in the cloud as here."""
    lists = {
        "FUNCTION_RESTRICT_PIPELINES": deployment.function_restrict_pipelines,
        "FUNCTION_ALLOWED_BUCKETS": deployment.function_allowed_buckets,
        "FUNCTION_ALLOWED_HOSTS": deployment.function_allowed_hosts,
    }
    environment = {name: ",".join(values) for name, values in lists.items() if values}
    if deployment.function_allow_unsafe_eval:
        environment["FUNCTION_ALLOW_UNSAFE_EVAL"] = "true"
    return environment


def named_resources(deployment: Deployment, identity: Identity) -> tuple[Resource, ...]:
    """Bearers of the stack's names and nothing else, to be looked for in an account; last made first."""
    names = stack_names(deployment, identity)
    function = Function(
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
    )
    bucket = Bucket(name=names.bucket, region=identity.region, tags={}, public_access_blocked=True, policy=None)
    role = Role(name=names.role, description="", trust={}, policies={}, managed_policies=(), tags={})
    return function, LogGroup(name=names.log_group, retention=0, tags={}), role, bucket
