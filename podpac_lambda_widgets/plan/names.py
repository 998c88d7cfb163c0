"""Every name of a stack, made from the wish and the account."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from podpac_lambda_widgets.model.aws_traits import ARCHIVES_FOLDER
from podpac_lambda_widgets.model.base import InvalidTraitError
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.plan.account import Identity
from podpac_lambda_widgets.plan.extras import EXTRAS_TAG, Extras
from podpac_lambda_widgets.plan.resources import Function

#: The IAM path of our roles: by it they are listed, whatever their names.
ROLE_PATH = "/podpac-lambda-widgets/"
#: Where the log groups lie that hold a stack for one builder.
LOCK_FOLDER = "/podpac-lambda-widgets/lock"


@dataclass(frozen=True)
class StackNames:
    """Every name of a stack, from the wish and the account alone."""

    stack: str
    function: str
    role: str
    #: The IAM path of the role: of an adopted one it is not known, and most have none.
    role_path: str
    bucket: str
    log_group: str
    #: The log group that holds the stack for one builder at a time.
    lock: str
    input: str
    output: str
    own_prefixes: tuple[str, ...]
    #: What is ours and begins so is no result: archives and requests.
    no_results: tuple[str, ...]
    own_keys: str
    api: str
    #: Stage, method and path by which the API is called.
    api_path: str
    budget: str
    #: The id of what bears no tag: statements of the function's policy, and the notification's entry.
    identifier: str


def stack_names(deployment: Deployment, identity: Identity) -> StackNames:
    """The names that a deployment has in an account; the same in every session."""
    function = deployment.function_name
    dependencies_key = deployment.function_s3_dependencies_key
    input_folder = f"{deployment.function_s3_input}/{function}"
    output = f"{deployment.function_s3_output}/{function}"
    archives = f"{ARCHIVES_FOLDER}/{function}"
    no_results = (f"{archives}/", f"{input_folder}/", *((dependencies_key,) if dependencies_key else ()))
    return StackNames(
        stack=f"{function}@{identity.region}",
        function=function,
        role=deployment.role_name(identity.region),
        role_path="/" if deployment.function_role_name in deployment.adopt else ROLE_PATH,
        bucket=deployment.bucket_name(identity.account, identity.region),
        log_group=f"/aws/lambda/{function}",
        lock=f"{LOCK_FOLDER}/{function}",
        input=input_folder,
        output=output,
        own_prefixes=(*no_results, f"{output}/"),
        no_results=no_results,
        own_keys=rf"{re.escape(archives)}/podpac_(dist|deps)_[0-9a-f]{{16}}\.zip|{re.escape(output)}/[0-9a-f]{{64}}\.(arrays|json|nc|png|tif|zarr\.json)",
        api=deployment.function_api_name or f"{function}-api",
        api_path=f"{deployment.function_api_stage}/*/{deployment.function_api_endpoint}",
        budget=deployment.function_budget_name or f"{function}-{identity.region}-budget",
        identifier=f"podpac-{function}-{identity.region}",
    )


def extras_of(function: Function) -> Extras | None:
    """What the deployed function says that belongs to it; None when it does not say."""
    return Extras.parse(function.tags.get(EXTRAS_TAG, ""))


def as_deployed(deployment: Deployment, function: Function) -> Deployment:
    """The wish, with the names that the deployed function tells: another session may have given others.

    The bucket it tells may be one that was adopted. What cannot be a name, because somebody has changed it, is left
    out.
    """
    environment = function.environment
    dependencies_key = environment.get("FUNCTION_DEPENDENCIES_KEY", "")
    told: dict[str, Any] = {
        "function_role_name": function.role.rpartition("/")[2],
        "function_s3_bucket": environment.get("S3_BUCKET_NAME", ""),
        "function_s3_input": environment.get("FUNCTION_S3_INPUT", "").removesuffix(f"/{function.name}"),
        "function_s3_output": environment.get("FUNCTION_S3_OUTPUT", "").removesuffix(f"/{function.name}"),
        "function_budget_name": (extras_of(function) or Extras()).budget,
        # Last, for it is checked against the folders.
        "function_s3_dependencies_key": "" if _is_made_key(dependencies_key, function.name) else dependencies_key,
    }
    same = {name: getattr(deployment, name) for name in Deployment.class_trait_names()}
    told = {name: value for name, value in told.items() if value}
    try:
        deployed = Deployment(**{**same, **told})
    except InvalidTraitError:
        deployed = Deployment(**same)
        for name, value in told.items():
            with suppress(InvalidTraitError):
                setattr(deployed, name, value)
    deployed.adopt = (*deployed.adopt, deployed.function_s3_bucket) if deployed.function_s3_bucket else deployed.adopt
    return deployed


def _is_made_key(key: str, function: str) -> bool:
    """Whether we have made up the key of the dependencies archive."""
    return re.fullmatch(rf"{ARCHIVES_FOLDER}/{re.escape(function)}/podpac_deps_[0-9a-f]{{16}}\.zip", key) is not None
