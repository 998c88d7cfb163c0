"""The calls that will write to the account, foretold from a plan alone.

Each function here mirrors one module of the ``aws`` room; a test compares what is foretold with what is called.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from podpac_lambda_widgets import limits
from podpac_lambda_widgets.plan.changes import Create, Delete, Plan, Update, old_values
from podpac_lambda_widgets.plan.resources import (
    ROLE_GONE,
    Bucket,
    BucketContents,
    Budget,
    Function,
    FunctionUrl,
    LeftLock,
    LogGroup,
    RestApi,
    Role,
    S3Trigger,
    StoredObject,
)
from podpac_lambda_widgets.plan.snapshot import Snapshot, snapshot_operations
from podpac_lambda_widgets.plan.trigger_calls import (
    budget_operations,
    function_url_operations,
    rest_api_operations,
    s3_trigger_operations,
)


@dataclass(frozen=True)
class Call:
    """A call that writes, and the resource it is made for.

    Parameters
    ----------
    operation : str
        ``service.Operation``; what takes permissions of its own has a service of its own, see
        :data:`~podpac_lambda_widgets.plan.actions.OPERATIONS`.
    resource : str
    """

    operation: str
    resource: str

    @property
    def api(self) -> str:
        """The operation as AWS and its trail know it."""
        service, _, name = self.operation.partition(".")
        return f"{_SERVICES.get(service, service)}.{name}"


#: The calls that hold the stack are made to a log group; those for a version, to Lambda.
_SERVICES = {"lock": "logs", "version": "lambda"}


def calls_of(plan: Plan) -> tuple[Call, ...]:
    """Every writing call of a plan, in order; first and last those that hold the stack for one builder."""
    if not plan.writes or plan.refusals:
        return ()
    calls = [Call(operation, str(change.resource)) for change in plan.writes for operation in _operations(change)]
    is_left = any(isinstance(change.resource, LeftLock) for change in plan.writes)
    hold = "lock.TagResource" if is_left else "lock.CreateLogGroup"
    return (Call(hold, plan.stack), *calls, Call("lock.DeleteLogGroup", plan.stack))


def _operations(change: Create | Update | Delete) -> Iterator[str]:
    foretell: Callable[[Any, Any], Iterator[str]] = _OF[type(change.resource)]
    return foretell(change, change.resource)


def _role(change: Create | Update | Delete, role: Role) -> Iterator[str]:
    if isinstance(change, Delete):
        yield from ["iam.DetachRolePolicy"] * len(role.managed_policies)
        yield from ["iam.DeleteRolePolicy"] * len(role.policies)
        yield "iam.DeleteRole"
        return
    old = old_values(change, {})
    if isinstance(change, Create):
        yield "iam.CreateRole"
    if "trust" in old:
        yield "iam.UpdateAssumeRolePolicy"
    if "description" in old:
        yield "iam.UpdateRole"
    if "tags" in old:
        yield "iam.TagRole"
    if isinstance(change, Create) or {"policies", "managed_policies"} & old.keys():
        surplus = set(old.get("managed_policies", ())) - set(role.managed_policies)
        yield from ["iam.DetachRolePolicy"] * len(surplus)
        yield from ["iam.DeleteRolePolicy"] * len(set(old.get("policies", ())) - set(role.policies))
        yield from ["iam.PutRolePolicy"] * len(role.policies)
        yield from ["iam.AttachRolePolicy"] * len(role.managed_policies)


_BUCKET_FIELDS = {
    "tags": "s3.PutBucketTagging",
    "public_access_blocked": "s3.PutPublicAccessBlock",
    "encrypted": "s3.PutBucketEncryption",
    "lifecycle": "s3.PutBucketLifecycleConfiguration",
    "policy": "s3.PutBucketPolicy",
}


def _bucket(change: Create | Update | Delete, bucket: Bucket | BucketContents) -> Iterator[str]:
    if isinstance(change, Delete):
        yield from ["s3.DeleteObjects"] * math.ceil(bucket.own_objects / limits.DELETED_OBJECTS)
        yield from ["s3.AbortMultipartUpload"] * bucket.own_uploads
        if isinstance(bucket, Bucket):
            yield "s3.DeleteBucket"
        elif bucket.lifecycle_ids:
            # Were there rules of others beside ours, it would be PutBucketLifecycleConfiguration.
            yield "s3.DeleteBucketLifecycle"
    elif isinstance(change, Create):
        yield "s3.CreateBucket"
        yield from list(_BUCKET_FIELDS.values())[1:]
    else:
        yield from (operation for field, operation in _BUCKET_FIELDS.items() if field in old_values(change, {}))


def _stored_object(change: Create | Update | Delete, stored: StoredObject) -> Iterator[str]:
    if isinstance(change, Delete):
        yield "s3.DeleteObject"
    elif stored.copied_from is not None:
        yield "s3.CopyObject"
    elif stored.size < limits.MULTIPART_BYTES:
        yield "s3.PutObject"
    else:
        yield "s3.CreateMultipartUpload"
        yield from ["s3.UploadPart"] * math.ceil(stored.size / limits.MULTIPART_BYTES)
        yield "s3.CompleteMultipartUpload"


def _log_group(change: Create | Update | Delete, group: LogGroup) -> Iterator[str]:
    if isinstance(change, Delete):
        yield "logs.DeleteLogGroup"
    elif isinstance(change, Create):
        yield from ("logs.CreateLogGroup", "logs.PutRetentionPolicy")
    else:
        old = old_values(change, {})
        yield from ["logs.PutRetentionPolicy"] * ("retention" in old) + ["logs.TagResource"] * ("tags" in old)


#: The fields that UpdateFunctionCode changes.
CODE_FIELDS = {"code_sha256", "architecture"}


def _function(change: Create | Update | Delete, function: Function) -> Iterator[str]:
    if isinstance(change, Delete):
        yield "lambda.DeleteFunction"
        return
    old = old_values(change, {})
    anew = old.get("state") == "Failed" or old.get("role") == ROLE_GONE
    if anew:
        yield "lambda.DeleteFunction"
    if anew or isinstance(change, Create):
        yield "lambda.CreateFunction"
        if function.reserved_concurrency is not None:
            yield "lambda.PutFunctionConcurrency"
        return
    fields = old.keys() - {"state"}
    if old.get("state") == "UpdateFailed":
        fields |= {"code_sha256", "environment"}
    if fields & CODE_FIELDS:
        yield "lambda.UpdateFunctionCode"
    if fields - CODE_FIELDS - {"tags", "reserved_concurrency"}:
        yield "lambda.UpdateFunctionConfiguration"
    if "reserved_concurrency" in fields:
        unreserved = function.reserved_concurrency is None
        yield "lambda.DeleteFunctionConcurrency" if unreserved else "lambda.PutFunctionConcurrency"
    if "tags" in fields:
        yield "lambda.TagResource"


_OF: dict[type, Callable[[Any, Any], Iterator[str]]] = {
    Role: _role,
    Bucket: _bucket,
    BucketContents: _bucket,
    StoredObject: _stored_object,
    LogGroup: _log_group,
    # It is taken over first, and given back last.
    LeftLock: lambda change, lock: iter(()),
    Function: _function,
    Snapshot: snapshot_operations,
    S3Trigger: s3_trigger_operations,
    RestApi: rest_api_operations,
    FunctionUrl: function_url_operations,
    Budget: budget_operations,
}
