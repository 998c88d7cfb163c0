"""API Gateway REST APIs as they are: which is ours, and what it serves.

Several APIs may bear one name: ours are those with our tag. What is changed in an API is served only when it has been
deployed to its stage: a deployment's description tells the settings it was made of. A stage's own description tells
whether we made it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError
from botocore.loaders import create_loader

from podpac_lambda_widgets.aws import tags
from podpac_lambda_widgets.aws.error_codes import error_code
from podpac_lambda_widgets.aws.function_policy import function_name, read_statements
from podpac_lambda_widgets.aws.translate import asking
from podpac_lambda_widgets.plan.resources import API_ID, Observed, RestApi

#: The most that a page of a list holds (API Gateway API reference, GetRestApis); it gives 25 unasked.
_PAGE = {"PageSize": 500}
#: What a stage serves only after a deployment.
DEPLOYED = ("execute_api_endpoint", "binary_media_types", "path", "method", "authorization", "integration")
#: The description of a stage that we made. One that somebody else has made in our API has another, though it may serve
#: a deployment of ours.
STAGE_DESCRIPTION = "podpac-lambda-widgets"
#: A stage's limit for all its methods together.
ALL_METHODS = "*/*"


def read_rest_api(client: Any, lambda_client: Any, wanted: RestApi, stack: str) -> Observed | None:
    """The stack's API as AWS has it; None when there is no trace of it.

    Of several APIs with our tag, that is the one which our statement in the function's policy names, or the oldest.
    A statement without an API is observed as an API with ``copies`` 0 and empty fields.

    Parameters
    ----------
    client, lambda_client : API Gateway and Lambda clients
    wanted : RestApi
    stack : str
        The value of the tag that is looked for.
    """
    with asking("Reading the API", wanted.name):
        permission = _read_permission(lambda_client, wanted)
        source = _source_arn(permission)
        apis = find_own_apis(client, stack)
        apis.sort(key=lambda api: (f":{api['id']}/" not in source, api["createdDate"], api["id"]))
        if apis:
            return Observed(_read_api(client, wanted, apis[0], permission, len(apis)), stack)
    return None if permission is None else Observed(_no_api(wanted, permission), stack)


def _read_permission(lambda_client: Any, wanted: RestApi) -> dict[str, Any] | None:
    if wanted.permission is None:
        return None
    statements = read_statements(lambda_client, function_name(wanted.function), [wanted.permission])
    return statements.get(wanted.permission["Sid"])


def _source_arn(permission: Mapping[str, Any] | None) -> str:
    return json.dumps(dict(permission or {}).get("Condition", {}))


def find_own_apis(client: Any, stack: str) -> list[dict[str, Any]]:
    """Every API with the stack's tag, as GetRestApi gives it. botocore's errors pass."""
    pages = client.get_paginator("get_rest_apis").paginate(PaginationConfig=_PAGE)
    listed = [
        api["id"] for page in pages for api in page.get("items", []) if tags.stack_of(api.get("tags", {})) == stack
    ]
    return [api for api in (_find_api(client, identifier) for identifier in listed) if api]


def _find_api(client: Any, identifier: str) -> dict[str, Any]:
    """The API, or nothing: a list may still name what has just been deleted."""
    try:
        api: dict[str, Any] = client.get_rest_api(restApiId=identifier)
    except ClientError as error:
        if error_code(error) != "NotFoundException":
            raise
        return {}
    return api


def _no_api(wanted: RestApi, permission: Mapping[str, Any]) -> RestApi:
    return RestApi(
        name=wanted.name, function=wanted.function, description="", endpoint_type="", binary_media_types=(), tags={},
        path="", method="", authorization="", integration="", stage="", rate_limit=-1.0, burst_limit=-1,
        permission=permission, deployed=False, copies=0,
    )  # fmt: skip


def _read_api(
    client: Any, wanted: RestApi, api: Mapping[str, Any], permission: Mapping[str, Any] | None, copies: int
) -> RestApi:
    identifier = str(api["id"])
    resource = _own_resource(read_resources(client, identifier), wanted)
    methods: Mapping[str, Any] = resource.get("resourceMethods", {})
    method: Mapping[str, Any] = methods.get(wanted.method) or next(iter(methods.values()), {})
    stages = _read_stages(client, identifier, wanted)
    stage = stages[0] if stages else {}
    limits = stage.get("methodSettings", {}).get(ALL_METHODS, {})
    found_tags = client.get_tags(resourceArn=api_arn(wanted, identifier))["tags"]
    return RestApi(
        name=str(api["name"]),
        function=wanted.function,
        description=api.get("description", ""),
        endpoint_type=" ".join(api.get("endpointConfiguration", {}).get("types", [])),
        # Their slashes are escaped where they were named by a JSON pointer.
        binary_media_types=tuple(each.replace("~1", "/") for each in api.get("binaryMediaTypes", [])),
        tags=tags.wanted_part(found_tags, wanted.tags),
        path=str(resource.get("path", "")).strip("/"),
        method=" ".join(sorted(methods)),
        authorization=_authorization(method),
        integration=_integration(method),
        stage=" ".join(each["stageName"] for each in stages),
        rate_limit=float(limits.get("throttlingRateLimit", -1.0)),
        burst_limit=int(limits.get("throttlingBurstLimit", -1)),
        permission=with_identifier(permission, identifier, API_ID),
        # Text where it was set by a patch.
        execute_api_endpoint=str(api.get("disableExecuteApiEndpoint", False)).lower() != "true",
        deployed=_is_deployed(client, identifier, stage, wanted),
        copies=copies,
        api_id=identifier,
        url=_url(wanted, identifier, stage["stageName"], resource["path"]) if stage and resource else "",
    )


def read_resources(client: Any, identifier: str) -> list[dict[str, Any]]:
    """The paths of an API with their methods, as GetResources gives them. botocore's errors pass."""
    pages = client.get_paginator("get_resources").paginate(
        restApiId=identifier, embed=["methods"], PaginationConfig=_PAGE
    )
    return [resource for page in pages for resource in page.get("items", [])]


def _own_resource(resources: list[dict[str, Any]], wanted: RestApi) -> Mapping[str, Any]:
    """The resource of the wanted path, or else the one that now hands requests to our function."""
    here = (each for each in resources if each["path"] == f"/{wanted.path}" and wanted.path)
    elsewhere = (
        each
        for each in resources
        if any(wanted.function in _integration(method) for method in each.get("resourceMethods", {}).values())
    )
    return next(here, None) or next(elsewhere, {})


def _authorization(method: Mapping[str, Any]) -> str:
    return str(method.get("authorizationType", "")) + (" with API key" if method.get("apiKeyRequired") else "")


def _integration(method: Mapping[str, Any]) -> str:
    """The URI of what a method calls; of another kind of call than ours, also the kind."""
    found = method.get("methodIntegration") or {}
    how = (found.get("type", ""), found.get("httpMethod", ""))
    uri = str(found.get("uri", ""))
    return uri if not found or how == ("AWS_PROXY", "POST") else " ".join(filter(None, (*how, uri)))


def _read_stages(client: Any, identifier: str, wanted: RestApi) -> list[dict[str, Any]]:
    """The wanted stage, whoever made it, and then those that we made under other names."""
    stages: list[dict[str, Any]] = client.get_stages(restApiId=identifier).get("item", [])
    ours = [each for each in stages if wanted.stage == each["stageName"] or _is_own_stage(each)]
    return sorted(ours, key=lambda stage: (stage["stageName"] != wanted.stage, stage["stageName"]))


def _is_own_stage(stage: Mapping[str, Any]) -> bool:
    return bool(stage.get("description") == STAGE_DESCRIPTION)


def _is_deployed(client: Any, identifier: str, stage: Mapping[str, Any], wanted: RestApi) -> bool:
    if not stage.get("deploymentId"):
        return False
    deployment = client.get_deployment(restApiId=identifier, deploymentId=stage["deploymentId"])
    return bool(deployment.get("description") == settings_digest(wanted))


def settings_digest(api: RestApi) -> str:
    """What the description of a deployment of these settings is: SHA-256 of the fields :data:`DEPLOYED`."""
    settings = {field: getattr(api, field) for field in DEPLOYED}
    settings["binary_media_types"] = sorted(api.binary_media_types)
    return "podpac-lambda-widgets " + hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def with_identifier(permission: Mapping[str, Any] | None, old: str, new: str) -> dict[str, Any] | None:
    """The statement with another API in its source."""
    if permission is None:
        return None
    statement: dict[str, Any] = json.loads(json.dumps(dict(permission)).replace(f":{old}/", f":{new}/"))
    return statement


def api_arn(api: RestApi, identifier: str) -> str:
    """The ARN by which an API's tags are read and written; it has no account in it."""
    _, partition, _, region, *_ = api.function.split(":")
    return f"arn:{partition}:apigateway:{region}::/restapis/{identifier}"


def _url(api: RestApi, identifier: str, stage: str, path: str) -> str:
    _, partition, _, region, *_ = api.function.split(":")
    partitions = create_loader().load_data("partitions")["partitions"]
    suffix = next(each["outputs"]["dnsSuffix"] for each in partitions if each["id"] == partition)
    return f"https://{identifier}.execute-api.{region}.{suffix}/{stage}{path}"
