"""What one function takes: which pipelines, how many points, for how long, and by which ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.plan.desired import guard_environment
from podpac_lambda_widgets.plan.resources import Function
from podpac_lambda_widgets.remote.policy import Policy

#: How a run may reach the function.
Way = Literal["eval", "async", "S3"]
WAYS: tuple[Way, ...] = ("eval", "async", "S3")


@dataclass(frozen=True)
class Capacity:
    """What a function takes.

    Parameters
    ----------
    policy : Policy
        What its guard allows, as far as it can be known here.
    memory : int
        MB.
    timeout : int
        Seconds.
    architecture : {"x86_64", "arm64"}
    ways : tuple of str
        By which a run reaches it.
    deployed : bool
        Whether this is what the function says itself; else it is what was wished.
    """

    policy: Policy
    memory: int
    timeout: int
    architecture: str
    ways: tuple[Way, ...]
    deployed: bool


def wished_capacity(deployment: Deployment) -> Capacity:
    """What the function will take once it is built as wished."""
    return Capacity(
        policy=_policy(guard_environment(deployment), deployment.function_memory),
        memory=deployment.function_memory,
        timeout=deployment.function_timeout,
        # Left open, it is that of the archives; the price of the other differs by a fifth.
        architecture=deployment.function_architecture or "x86_64",
        ways=_ways("S3" in deployment.function_triggers),
        deployed=False,
    )


def deployed_capacity(function: Function) -> Capacity:
    """What a function takes by its own environment variables."""
    return Capacity(
        policy=_policy(function.environment, function.memory),
        memory=function.memory,
        timeout=function.timeout,
        architecture=function.architecture or "x86_64",
        ways=_ways(bool(function.environment.get("FUNCTION_S3_INPUT"))),
        deployed=True,
    )


def _policy(environment: Mapping[str, str], memory: int) -> Policy:
    environment = {**environment, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory)}
    # What plugins are in its archive, the function knows.
    return Policy.from_environment(environment, judges_plugins=False)


def _ways(has_trigger: bool) -> tuple[Way, ...]:
    return WAYS if has_trigger else ("eval", "async")
