"""From a wish to resources: what there should be in the account, in the order in which it is made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from podpac_lambda_widgets.model.deployment import Deployment
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


def stack_names(deployment: Deployment, identity: Identity) -> StackNames:
    """The names that a deployment has in an account; the same in every session."""
    function = deployment.function_name
    output = f"{deployment.function_s3_output}/{function}"
    return StackNames(
        stack=f"{function}@{identity.region}",
        function=function,
        role=deployment.role_name,
        bucket=deployment.bucket_name(identity.account, identity.region),
        log_group=f"/aws/lambda/{function}",
        output=output,
        own_prefixes=(f"archives/{function}/", f"{output}/"),
    )


def desired_resources(deployment: Deployment, archives: Archives, identity: Identity) -> tuple[Resource, ...]:
    """Everything there should be, what others need first."""
    names = stack_names(deployment, identity)
    tags = {**deployment.function_tags, STACK_TAG: names.stack}
    dependencies = _dependencies_object(deployment, archives, names)
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
        ),
        dependencies,
    ]
    code = archives.dist
    if code.path is not None:
        stored = _archive(names, f"archives/{names.function}/podpac_dist_{code.sha256[:16]}.zip", code, "distribution")
        resources.append(stored)
        code = ArchivePlace(sha256=code.sha256, size=code.size, bucket=stored.bucket, key=stored.key)
    resources.append(_function(deployment, archives, identity, names, dependencies, code))
    return tuple(resources)


def _dependencies_object(deployment: Deployment, archives: Archives, names: StackNames) -> StoredObject:
    place = archives.dependencies
    key = deployment.function_s3_dependencies_key or f"archives/{names.function}/podpac_deps_{place.sha256[:16]}.zip"
    return _archive(names, key, place, "dependencies")


def _archive(names: StackNames, key: str, place: ArchivePlace, title: str) -> StoredObject:
    return StoredObject(
        name=f"{names.bucket}/{key}",
        bucket=names.bucket,
        key=key,
        sha256=place.sha256,
        size=place.size,
        content=title,
        path=place.path,
        copied_from=(place.bucket, place.key) if place.bucket else None,
    )


def _role(
    deployment: Deployment, identity: Identity, names: StackNames, dependencies_key: str, tags: dict[str, str]
) -> Role:
    policy = policies.function_policy(
        partition=identity.partition,
        region=identity.region,
        account=identity.account,
        function_name=names.function,
        bucket=names.bucket,
        dependencies_key=dependencies_key,
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
    code: ArchivePlace,
) -> Function:
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
        environment={**deployment.function_env_variables, **_environment(deployment, names, dependencies)},
        tags={**deployment.function_tags, STACK_TAG: names.stack},
        code_sha256=code.sha256,
        code_bucket=code.bucket,
        code_key=code.key,
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
