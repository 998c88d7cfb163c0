"""What there is of ours in an account's region, found by its tag."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, TypeVar

from podpac_lambda_widgets.aws import tags
from podpac_lambda_widgets.aws.translate import asking
from podpac_lambda_widgets.errors import AccessDeniedError, ResourceNotFoundError
from podpac_lambda_widgets.plan.account import Identity, StackRecord
from podpac_lambda_widgets.plan.names import ROLE_PATH
from podpac_lambda_widgets.plan.resources import STACK_TAG

Value = TypeVar("Value")
Parameters = ParamSpec("Parameters")


def read_stacks(client: Callable[[str], Any], identity: Identity, now: datetime) -> tuple[StackRecord, ...]:
    """Every stack of ours in the clients' region, by name.

    Parameters
    ----------
    client : callable
        Gives a client by its service's name.
    identity : Identity
    now : datetime
        With a time zone.
    """
    found = find_stacks(client("resourcegroupstaggingapi"))
    roles = _readable(find_roles, client("iam"), identity.region) or {}
    return tuple(
        read_stack(client, stack, (*found.get(stack, ()), *roles.get(stack, ())), account=identity.account, now=now)
        for stack in sorted({*found, *roles})
    )


def find_stacks(tagging: Any) -> dict[str, tuple[str, ...]]:
    """The ARNs of all resources with our tag in the client's region, by stack.

    Parameters
    ----------
    tagging : client
        The Resource Groups Tagging API (``resourcegroupstaggingapi``). It does not know IAM's roles: see
        :func:`find_roles`.

    Raises
    ------
    AwsError
        It could not be asked.
    """
    with asking("Looking for stacks"):
        pages = tagging.get_paginator("get_resources").paginate(TagFilters=[{"Key": STACK_TAG}], ResourcesPerPage=100)
        found = [
            (tags.stack_of(tags.from_list(resource["Tags"])), str(resource["ResourceARN"]))
            for page in pages
            for resource in page["ResourceTagMappingList"]
        ]
    return _by_stack(found)


def find_buckets(tagging: Any, stack: str) -> tuple[str, ...] | None:
    """Names of the buckets that bear a stack's tag; None where they may not be looked for."""
    filters = [{"Key": STACK_TAG, "Values": [stack]}]
    try:
        with asking("Looking for buckets", stack):
            pages = tagging.get_paginator("get_resources").paginate(TagFilters=filters, ResourceTypeFilters=["s3"])
            arns = [str(each["ResourceARN"]) for page in pages for each in page["ResourceTagMappingList"]]
    except AccessDeniedError:
        return None
    return tuple(sorted(arn.rpartition(":")[2] for arn in arns))


def find_roles(iam: Any, region: str) -> dict[str, tuple[str, ...]]:
    """The ARNs of the roles with our tag for stacks of a region, by stack.

    Parameters
    ----------
    iam : client
    region : str
        Roles are of no region, but their stacks are.

    Raises
    ------
    AwsError
        Roles or their tags could not be read.
    """
    with asking("Looking for roles"):
        found = list(_own_roles(iam))
    return _by_stack((stack, arn) for stack, arn in found if stack and stack.endswith(f"@{region}"))


def find_own_roles(iam: Any, stack: str) -> tuple[str, ...] | None:
    """Names of the roles that bear a stack's tag; None where they may not be looked for."""
    try:
        with asking("Looking for roles", stack):
            return tuple(sorted(arn.rpartition("/")[2] for owner, arn in _own_roles(iam) if owner == stack))
    except AccessDeniedError:
        return None


def _own_roles(iam: Any) -> Iterator[tuple[str | None, str]]:
    """Stack and ARN of the roles on our path; a role's tags cost a call each."""
    for page in iam.get_paginator("list_roles").paginate(PathPrefix=ROLE_PATH, PaginationConfig={"PageSize": 1000}):
        for role in page["Roles"]:
            yield _role_stack(iam, role["RoleName"]), str(role["Arn"])


def _role_stack(iam: Any, name: str) -> str | None:
    try:
        pages = iam.get_paginator("list_role_tags").paginate(RoleName=name)
        return tags.stack_of(tags.from_list(tag for page in pages for tag in page["Tags"]))
    except iam.exceptions.NoSuchEntityException:  # gone since it was listed
        return None


def _by_stack(found: Iterable[tuple[str | None, str]]) -> dict[str, tuple[str, ...]]:
    stacks: dict[str, set[str]] = {}
    for stack, arn in found:
        if stack:
            stacks.setdefault(stack, set()).add(arn)
    return {stack: tuple(sorted(arns)) for stack, arns in sorted(stacks.items())}


def read_stack(
    client: Callable[[str], Any], stack: str, arns: Iterable[str], *, account: str, now: datetime
) -> StackRecord:
    """What is to be known of one stack; what may not be read is None.

    Parameters
    ----------
    client : callable
        Gives a client by its service's name: ``lambda``, ``logs``, ``s3``, ``cloudwatch``.
    stack : str
    arns : iterable of str
        As :func:`find_stacks` and :func:`find_roles` gave them.
    account : str
        The account they are in.
    now : datetime
        With a time zone.

    Raises
    ------
    PodpacLambdaError
        Another failure than a missing permission or a missing resource, such as expired credentials.
    """
    resources = tuple(sorted(arns))
    functions, groups = _names(resources, "lambda", "function:"), _names(resources, "logs", "log-group:")
    buckets = _names(resources, "s3", "")
    function_name = functions[0] if functions else stack.rpartition("@")[0] or stack
    settings = _readable(_read_function, client("lambda"), function_name) if functions else None
    times = [_readable(_group_time, client("logs"), name) for name in groups]
    times += [_readable(_bucket_time, client("s3"), name) for name in buckets]
    times += [_function_time(settings)] if settings else []
    stored = [_readable(_count_bytes, client("s3"), name, account) for name in buckets]
    sizes = [size for size in stored if size is not None]
    known = bool(buckets) and len(sizes) == len(buckets)
    return StackRecord(
        stack=stack,
        function_name=function_name,
        resources=resources,
        created=min((time for time in times if time is not None), default=None),
        code_bytes=int(settings["CodeSize"]) if settings else None,
        stored_objects=sum(objects for objects, _ in sizes) if known else None,
        stored_bytes=sum(size for _, size in sizes) if known else None,
        invocations=_readable(_count_invocations, client("cloudwatch"), function_name, now),
    )


def _readable(read: Callable[Parameters, Value], *args: Parameters.args, **kwargs: Parameters.kwargs) -> Value | None:
    try:
        return read(*args, **kwargs)
    except (AccessDeniedError, ResourceNotFoundError):
        return None


def _names(arns: Iterable[str], service: str, kind: str) -> list[str]:
    """Names of the resources of one kind."""
    split = (arn.split(":", 5) for arn in arns)
    return [parts[5].removeprefix(kind).removesuffix(":*") for parts in split if _is_kind(parts, service, kind)]


def _is_kind(parts: list[str], service: str, kind: str) -> bool:
    return len(parts) == 6 and parts[2] == service and parts[5].startswith(kind)


def _read_function(functions: Any, name: str) -> Mapping[str, Any]:
    with asking("Reading the function", name):
        settings: Mapping[str, Any] = functions.get_function_configuration(FunctionName=name)
    return settings


def _function_time(settings: Mapping[str, Any]) -> datetime:
    # ISO 8601 with a zone without colon (Lambda API reference, FunctionConfiguration).
    return datetime.strptime(str(settings["LastModified"]), "%Y-%m-%dT%H:%M:%S.%f%z")


def _group_time(logs: Any, name: str) -> datetime | None:
    with asking("Reading the log group", name):
        pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
        found = [group for page in pages for group in page["logGroups"] if group["logGroupName"] == name]
    return datetime.fromtimestamp(found[0]["creationTime"] / 1000, UTC) if found else None


def _bucket_time(s3: Any, name: str) -> datetime | None:
    with asking("Reading when the bucket was made", name):
        pages = s3.get_paginator("list_buckets").paginate(Prefix=name)
        found: Iterator[datetime] = (
            bucket["CreationDate"] for page in pages for bucket in page["Buckets"] if bucket["Name"] == name
        )
        return next(found, None)


def _count_bytes(s3: Any, name: str, account: str) -> tuple[int, int]:
    """Number and size of a bucket's objects."""
    with asking("Counting what is in the bucket", name):
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=name, ExpectedBucketOwner=account)
        sizes = [int(found["Size"]) for page in pages for found in page.get("Contents", [])]
    return len(sizes), sum(sizes)


def _count_invocations(cloudwatch: Any, function_name: str, now: datetime) -> int:
    now = now.astimezone(UTC)
    with asking("Counting the function's calls", function_name):
        answer = cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="Invocations",
            Dimensions=[{"Name": "FunctionName", "Value": function_name}],
            StartTime=now.replace(day=1, hour=0, minute=0, second=0, microsecond=0),
            # The end itself is left out, and what is younger than a period may be.
            EndTime=now + timedelta(days=1),
            Period=int(timedelta(days=1).total_seconds()),
            Statistics=["Sum"],
        )
    return sum(round(point["Sum"]) for point in answer["Datapoints"])
