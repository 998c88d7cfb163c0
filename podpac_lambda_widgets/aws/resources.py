"""Reads, creates, updates and deletes any resource, each in the module of its own service."""

from __future__ import annotations

from podpac_lambda_widgets.aws import (
    bucket_contents,
    budgets,
    function_urls,
    functions,
    gateway,
    gateway_reading,
    iam,
    lifecycle,
    logs,
    notifications,
    objects,
    s3,
    snapshots,
)
from podpac_lambda_widgets.aws.clients import Clients
from podpac_lambda_widgets.aws.head import Confirm
from podpac_lambda_widgets.aws.waiting import TRANSFER_TIMEOUT
from podpac_lambda_widgets.clock import Clock
from podpac_lambda_widgets.plan.account import Identity, Progress
from podpac_lambda_widgets.plan.changes import Update
from podpac_lambda_widgets.plan.resources import (
    STACK_TAG,
    Bucket,
    BucketContents,
    Budget,
    Function,
    FunctionUrl,
    LeftLock,
    LogGroup,
    Observed,
    Resource,
    RestApi,
    Role,
    S3Trigger,
    StoredObject,
)
from podpac_lambda_widgets.plan.snapshot import Snapshot


class Resources:
    """The resources of one account in one region.

    Parameters
    ----------
    clients : Clients
    identity : Identity
    confirm : callable
        Asks AWS anew who we are; see :data:`~podpac_lambda_widgets.aws.head.Confirm`.
    clock : Clock
    """

    def __init__(self, clients: Clients, identity: Identity, confirm: Confirm, clock: Clock) -> None:
        self._client = clients
        self._identity = identity
        self._confirm = confirm
        self._clock = clock

    def read(self, wanted: Resource) -> Observed | None:
        """The resource of that kind and name as AWS has it, or None when there is none."""
        account, client = self._identity.account, self._client
        match wanted:
            case Role():
                return iam.read_role(client("iam"), wanted)
            case Bucket():
                return s3.read_bucket(client("s3"), wanted, account, self._confirm)
            case StoredObject():
                return objects.read_object(client("s3"), wanted, account, self._confirm)
            case LogGroup():
                return logs.read_log_group(client("logs"), wanted)
            case LeftLock():
                return logs.read_left_lock(client("logs"), wanted)
            case Function():
                return functions.read_function(client("lambda"), wanted)
            case Snapshot():
                return snapshots.read_snapshot(client("lambda"), wanted)
            case S3Trigger():
                return notifications.read_s3_trigger(client("s3"), client("lambda"), wanted, account, wanted.stack)
            case RestApi():
                stack = wanted.tags[STACK_TAG]
                return gateway_reading.read_rest_api(client("apigateway"), client("lambda"), wanted, stack)
            case FunctionUrl():
                return function_urls.read_function_url(client("lambda"), wanted, wanted.stack)
            case Budget():
                return budgets.read_budget(client("budgets"), wanted, account, self._identity.partition)
        raise TypeError(f"no such kind of resource: {wanted.kind}")

    def create(self, wanted: Resource, stack: str, progress: Progress) -> None:
        """Make it, marked as the stack's in the creating call where AWS allows."""
        account, client, clock = self._identity.account, self._client, self._clock
        match wanted:
            case Role():
                iam.create_role(client("iam"), wanted)
            case Bucket():
                s3.create_bucket(client("s3"), wanted, account, clock)
            case StoredObject():
                self._put_object(wanted, stack, progress)
            case LogGroup():
                logs.create_log_group(client("logs"), wanted)
            case Function():
                functions.create_function(self._lambda_for_code(), wanted, clock)
            case Snapshot():
                snapshots.create_snapshot(client("lambda"), wanted, clock)
            case S3Trigger():
                notifications.create_s3_trigger(client("s3"), client("lambda"), wanted, account, clock)
            case RestApi():
                gateway.create_rest_api(client("apigateway"), client("lambda"), wanted, clock)
            case FunctionUrl():
                function_urls.create_function_url(client("lambda"), wanted, clock)
            case Budget():
                budgets.create_budget(client("budgets"), wanted, account)

    def update(self, change: Update, stack: str, progress: Progress) -> None:
        """Bring the differing fields to what is wanted."""
        wanted, fields = change.resource, {difference.field for difference in change.differences}
        identity, client, clock = self._identity, self._client, self._clock
        match wanted:
            case Role():
                iam.update_role(client("iam"), wanted, fields)
            case Bucket():
                s3.update_bucket(client("s3"), wanted, fields, identity.account, clock)
            case StoredObject():
                self._put_object(wanted, stack, progress)
            case LogGroup():
                logs.update_log_group(client("logs"), wanted, fields, self._arn("logs", f"log-group:{wanted.name}"))
            case Function():
                arn = self._arn("lambda", f"function:{wanted.name}")
                functions.update_function(self._lambda_for_code(), change, wanted, clock, arn)
            case Snapshot():
                snapshots.update_snapshot(client("lambda"), change, wanted, clock)
            case S3Trigger():
                notifications.update_s3_trigger(client("s3"), client("lambda"), wanted, fields, identity.account, clock)
            case RestApi():
                gateway.update_rest_api(client("apigateway"), client("lambda"), change, wanted, stack, clock)
            case FunctionUrl():
                function_urls.update_function_url(client("lambda"), change, wanted, clock)
            case Budget():
                budgets.update_budget(client("budgets"), change, wanted, identity.account, identity.partition)

    def delete(self, found: Resource, stack: str, progress: Progress) -> None:
        """Take it away; gone already is fine. A lock goes when it is released."""
        account, client, clock = self._identity.account, self._client, self._clock
        match found:
            case Role():
                iam.delete_role(client("iam"), found.name, clock)
            case Bucket():
                bucket_contents.empty_bucket(client("s3"), found, stack, account, progress)
                s3.delete_bucket(client("s3"), found.name, account, clock)
            case BucketContents():
                bucket_contents.empty_bucket(client("s3"), found, stack, account, progress)
                if found.lifecycle_ids:
                    lifecycle.remove_rules(client("s3"), found.name, found.lifecycle_ids, account)
            case StoredObject():
                objects.delete_object(client("s3"), found, account)
            case LogGroup():
                logs.delete_log_group(client("logs"), found.name)
            case Function():
                functions.delete_function(client("lambda"), found.name, clock)
            case Snapshot():
                snapshots.delete_snapshot(client("lambda"), found)
            case S3Trigger():
                notifications.delete_s3_trigger(client("s3"), client("lambda"), found, account, clock)
            case RestApi():
                gateway.delete_rest_api(client("apigateway"), client("lambda"), found, stack, clock)
            case FunctionUrl():
                function_urls.delete_function_url(client("lambda"), found)
            case Budget():
                budgets.delete_budget(client("budgets"), found.name, account)

    def _put_object(self, wanted: StoredObject, stack: str, progress: Progress) -> None:
        client = self._client("s3", TRANSFER_TIMEOUT)
        objects.put_object(client, wanted, stack, self._identity.account, progress, self._confirm)

    def _lambda_for_code(self) -> object:
        # The code may be in the call itself.
        return self._client("lambda", TRANSFER_TIMEOUT)

    def _arn(self, service: str, what: str) -> str:
        who = self._identity
        return f"arn:{who.partition}:{service}:{who.region}:{who.account}:{what}"
