"""The calls that triggers and budgets will take, foretold from a plan alone: a part of ``plan.calls``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from podpac_lambda_widgets.plan.changes import Create, Delete, Update, old_values
from podpac_lambda_widgets.plan.difference import is_same
from podpac_lambda_widgets.plan.resources import Budget, FunctionUrl, RestApi, S3Trigger

#: What of an API is served only after a deployment.
_DEPLOYED = {
    *("execute_api_endpoint", "binary_media_types", "path", "method", "authorization", "integration"),
    *("stage", "deployed"),
}


def _put_statement(old: object) -> Iterator[str]:
    # A statement cannot be changed: another one of the same id gives way first.
    if isinstance(old, Mapping):
        yield "lambda.RemovePermission"
    yield "lambda.AddPermission"


def s3_trigger_operations(change: Create | Update | Delete, trigger: S3Trigger) -> Iterator[str]:
    """Of the notification's entry and the permission."""
    if isinstance(change, Delete):
        if trigger.function:
            yield "s3.PutBucketNotificationConfiguration"
        if trigger.permission is not None:
            yield "lambda.RemovePermission"
        return
    old = old_values(change, {"permission": None, "prefix": ""})
    if "permission" in old:
        yield from _put_statement(old["permission"])
    if old.keys() - {"permission"}:
        yield "s3.PutBucketNotificationConfiguration"


def rest_api_operations(change: Create | Update | Delete, api: RestApi) -> Iterator[str]:
    """Of the API, what is in it, and the permission."""
    if isinstance(change, Delete):
        if api.permission is not None:
            yield "lambda.RemovePermission"
        yield from ["apigateway.DeleteRestApi"] * api.copies
        return
    made = {"path": "", "method": "", "stage": "", "permission": None, "rate_limit": -1.0}
    old = old_values(change, made)
    if isinstance(change, Create) or old.get("copies") == 0:
        yield "apigateway.CreateRestApi"
        old = {**made, "permission": old.get("permission")}
    if old.keys() & {"description", "endpoint_type", "execute_api_endpoint", "binary_media_types"}:
        yield "apigateway.UpdateRestApi"
    if "tags" in old:
        yield "apigateway.TagResource"
    if old.keys() & {"path", "method", "authorization", "integration"}:
        yield from _method_operations(api, old)
    if "permission" in old:
        yield from _put_statement(old["permission"])
    if old.keys() & _DEPLOYED:
        yield "apigateway.CreateDeployment"
    if old.keys() & {"stage", "rate_limit", "burst_limit"}:
        yield "apigateway.UpdateStage"
    former = [stage for stage in str(old.get("stage", "")).split() if stage != api.stage]
    yield from ["apigateway.DeleteStage"] * len(former)
    yield from ["apigateway.DeleteRestApi"] * (old.get("copies", 1) - 1)


def _method_operations(api: RestApi, old: Mapping[str, Any]) -> Iterator[str]:
    if old.get("path"):
        yield "apigateway.DeleteResource"
    if "path" in old:
        yield "apigateway.CreateResource"
    methods = [] if "path" in old else str(old.get("method", api.method)).split()
    yield from ["apigateway.DeleteMethod"] * len([method for method in methods if method != api.method])
    if api.method not in methods:
        yield from ("apigateway.PutMethod", "apigateway.PutIntegration")
        return
    if "authorization" in old:
        yield "apigateway.UpdateMethod"
    if "integration" in old:
        yield "apigateway.PutIntegration"


def function_url_operations(change: Create | Update | Delete, url: FunctionUrl) -> Iterator[str]:
    """Of the URL and the statements that let callers use it."""
    if isinstance(change, Delete):
        if url.authorization:
            yield "lambda.DeleteFunctionUrlConfig"
        yield from ["lambda.RemovePermission"] * len(url.permissions)
        return
    old = old_values(change, {"permissions": (), "authorization": ""})
    if "permissions" in old:
        found = {statement["Sid"]: statement for statement in old["permissions"]}
        for statement in url.permissions:
            before = found.get(statement["Sid"])
            if not is_same(before, statement):
                yield from _put_statement(before)
    if old.get("authorization") == "":
        yield "lambda.CreateFunctionUrlConfig"
    elif old.keys() & {"authorization", "invoke_mode", "cors"}:
        yield "lambda.UpdateFunctionUrlConfig"


def budget_operations(change: Create | Update | Delete, budget: Budget) -> Iterator[str]:
    """Of the budget and its notification."""
    if isinstance(change, Create | Delete):
        yield "budgets.CreateBudget" if isinstance(change, Create) else "budgets.DeleteBudget"
        return
    old = old_values(change, {})
    if old.keys() & {"amount", "currency", "cost_filter"}:
        yield "budgets.UpdateBudget"
    if "threshold" in old:
        yield "budgets.UpdateNotification" if old["threshold"] else "budgets.CreateNotification"
    elif "email" in old:
        yield "budgets.UpdateSubscriber" if old["email"] else "budgets.CreateSubscriber"
    if "tags" in old:
        yield "budgets.TagResource"
