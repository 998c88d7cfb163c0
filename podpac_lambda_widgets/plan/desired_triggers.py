"""What calls the function, and what says that it costs too much: as wished, and as bare names to look for."""

from __future__ import annotations

from podpac_lambda_widgets.errors import InvalidValueError
from podpac_lambda_widgets.model.deployment import Deployment, check_disjoint
from podpac_lambda_widgets.plan import policies
from podpac_lambda_widgets.plan.account import Identity
from podpac_lambda_widgets.plan.names import StackNames
from podpac_lambda_widgets.plan.resources import (
    API_ID,
    STACK_TAG,
    Budget,
    FunctionUrl,
    Resource,
    RestApi,
    S3Trigger,
)

#: The partitions whose AWS has budgets (botocore's list of endpoints; the sovereign cloud bills on its own).
BUDGET_PARTITIONS = ("aws", "aws-cn")
#: Requests per second, and in a burst, that an API's stage lets through; the function's concurrency is the real cap.
_RATE, _BURST = 10.0, 20
#: What AWS writes an e-mail at, in percent of the budget.
_THRESHOLD = 80.0


def desired_triggers(deployment: Deployment, names: StackNames, identity: Identity) -> tuple[Resource, ...]:
    """The triggers and the budget of a wish, in the order of making.

    Raises
    ------
    InvalidValueError
        The folders overlap, or a budget lacks its e-mail address or its country.
    """
    wished = deployment.function_triggers
    resources: list[Resource] = []
    if "S3" in wished:
        check_disjoint(deployment.function_s3_input, deployment.function_s3_output)
        resources.append(_s3_trigger(names, identity))
    if "APIGateway" in wished:
        resources.append(_rest_api(deployment, names, identity))
    if "URL" in wished:
        resources.append(_function_url(deployment, names, identity))
    if deployment.function_budget_amount is not None:
        resources.append(_budget(deployment, names, identity))
    return tuple(resources)


def _function_arn(names: StackNames, identity: Identity) -> str:
    return f"arn:{identity.partition}:lambda:{identity.region}:{identity.account}:function:{names.function}"


def _s3_trigger(names: StackNames, identity: Identity) -> S3Trigger:
    function = _function_arn(names, identity)
    return S3Trigger(
        name=names.identifier,
        bucket=names.bucket,
        function=function,
        events=("s3:ObjectCreated:*",),
        prefix=f"{names.input}/",
        suffix=".json",
        permission=policies.s3_permission(
            f"{names.identifier}-s3",
            function_arn=function,
            bucket_arn=f"arn:{identity.partition}:s3:::{names.bucket}",
            account=identity.account,
        ),
        stack=names.stack,
    )


def _rest_api(deployment: Deployment, names: StackNames, identity: Identity) -> RestApi:
    function = _function_arn(names, identity)
    here = f"{identity.region}:{identity.account}"
    path, stage = deployment.function_api_endpoint, deployment.function_api_stage
    permission = policies.api_permission(
        f"{names.identifier}-api",
        function_arn=function,
        source_arn=f"arn:{identity.partition}:execute-api:{here}:{API_ID}/{stage}/*/{path}",
    )
    return RestApi(
        name=names.api,
        function=function,
        description=deployment.function_api_description or f"Hands requests to the Lambda function {names.function}",
        endpoint_type="REGIONAL",
        # Whatever it is, it is passed on byte for byte: arrays and images come back as they are.
        binary_media_types=("*/*",),
        tags={**deployment.function_tags, **deployment.function_api_tags, STACK_TAG: names.stack},
        path=path,
        method="ANY",
        authorization="NONE" if deployment.function_public_endpoint else "AWS_IAM",
        integration=(
            f"arn:{identity.partition}:apigateway:{identity.region}:lambda:path"
            f"/2015-03-31/functions/{function}/invocations"
        ),
        stage=stage,
        rate_limit=_RATE,
        burst_limit=_BURST,
        permission=permission,
    )


def _function_url(deployment: Deployment, names: StackNames, identity: Identity) -> FunctionUrl:
    public = deployment.function_public_endpoint
    statements = policies.url_permissions(
        f"{names.identifier}-url",
        function_arn=_function_arn(names, identity),
        partition=identity.partition,
        account=identity.account,
        public=public,
    )
    return FunctionUrl(
        name=names.function,
        authorization="NONE" if public else "AWS_IAM",
        invoke_mode="BUFFERED",
        permissions=tuple(statements),
        stack=names.stack,
    )


def _budget(deployment: Deployment, names: StackNames, identity: Identity) -> Budget:
    if not deployment.function_budget_email:
        raise InvalidValueError(
            "A budget needs an e-mail address",
            field="function_budget_email",
            why="AWS's budgets stop nothing: all they do is write to somebody.",
            next_step="Give one, or clear the budget.",
        )
    if identity.partition not in BUDGET_PARTITIONS:
        raise InvalidValueError(
            f"There are no budgets in {identity.region}",
            field="function_budget_amount",
            why=f"The partition {identity.partition} has no AWS Budgets.",
            next_step="Clear the budget; reserve few calls at once instead.",
        )
    return Budget(
        name=names.budget,
        amount=float(deployment.function_budget_amount),
        currency=deployment.function_budget_currency,
        email=deployment.function_budget_email,
        threshold=_THRESHOLD,
        cost_filter=f"user:{STACK_TAG}${names.stack}",
        tags={**deployment.function_tags, STACK_TAG: names.stack},
    )


def named_triggers(names: StackNames, identity: Identity) -> tuple[Resource, ...]:
    """Bearers of the triggers' names and nothing else, to be looked for in an account."""
    function = _function_arn(names, identity)
    return (
        S3Trigger(
            name=names.identifier, bucket=names.bucket, function=function, events=(), prefix="", suffix="",
            permission=policies.s3_permission(
                f"{names.identifier}-s3", function_arn=function, bucket_arn="", account=identity.account
            ),
            stack=names.stack,
        ),
        RestApi(
            name=names.api, function=function, description="", endpoint_type="", binary_media_types=(),
            tags={STACK_TAG: names.stack}, path="", method="", authorization="", integration="", stage="",
            rate_limit=0.0, burst_limit=0,
            permission=policies.api_permission(f"{names.identifier}-api", function_arn=function, source_arn=""),
        ),
        FunctionUrl(
            name=names.function, authorization="", invoke_mode="",
            permissions=tuple(
                policies.url_permissions(
                    f"{names.identifier}-url", function_arn=function, partition=identity.partition,
                    account=identity.account, public=False,
                )
            ),
            stack=names.stack,
        ),
    )  # fmt: skip


def named_budget(names: StackNames) -> Budget:
    """The bearer of the budget's name and nothing else."""
    return Budget(
        name=names.budget, amount=0.0, currency="", email="", threshold=0.0, cost_filter="",
        tags={STACK_TAG: names.stack},
    )  # fmt: skip
