"""S3 triggers: one entry of a bucket's notification configuration, and the statement that lets S3 call the function.

S3 takes the configuration only as a whole: it is read, our entry is changed in it, and all of it is written back.
Every other entry stays as it was. A trigger bears no tag: it is known by the entry's Id and the statement's Sid.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from podpac_lambda_widgets.aws.error_codes import error_code, error_message, request_id
from podpac_lambda_widgets.aws.function_policy import function_name, put_statement, read_statements, remove_statement
from podpac_lambda_widgets.aws.translate import asking
from podpac_lambda_widgets.aws.waiting import retry
from podpac_lambda_widgets.clock import Clock
from podpac_lambda_widgets.errors import AccessDeniedError, AwsError, ResourceNotFoundError
from podpac_lambda_widgets.plan.resources import Observed, S3Trigger

_FUNCTIONS = "LambdaFunctionConfigurations"
#: The kinds of entries, and where each names what it calls.
_KINDS = {_FUNCTIONS: "LambdaFunctionArn", "QueueConfigurations": "QueueArn", "TopicConfigurations": "TopicArn"}
#: What S3 says of a function that it may not call (yet), whosever entry names it.
_UNREACHABLE = "unable to validate the following destination configurations"
#: How long a new permission is waited for, in seconds.
_SETTLING_SECONDS = 60.0


def read_s3_trigger(s3: Any, lambda_client: Any, wanted: S3Trigger, account: str, stack: str) -> Observed | None:
    """The trigger as AWS has it; None when there is no trace of it and nothing in its way.

    A trace is our entry, or our statement in the function's policy: a run that was cut short leaves only the
    statement, and the trigger is then observed with empty fields. So it is, as nobody's, when an entry of another
    calls for the same events of the same keys: then ``conflict`` names that entry. A bucket that is missing, or
    another account's, has no entries.

    Parameters
    ----------
    s3, lambda_client : S3 and Lambda clients
    wanted : S3Trigger
    account : str
        Whose the bucket must be.
    stack : str
        Whose the trigger is when it is ours: the entry has our Id and calls our function.

    Raises
    ------
    AccessDeniedError
        The notifications of a bucket of this account may not be read.
    """
    configuration = _read_configuration(s3, wanted.bucket, account, wanted.function.split(":")[3])
    with asking("Reading the permission of the S3 trigger", wanted.name):
        permission = _read_permission(lambda_client, wanted)
    entries = list(_entries(configuration))
    own = next((entry for _, entry in entries if entry.get("Id") == wanted.name), None)
    found = _describe(wanted, own or {}, permission)
    conflict = next(filter(None, (_conflict(wanted, kind, entry) for kind, entry in entries)), "")
    if own is None:
        if permission is None and not conflict:
            return None
        return Observed(found, stack if permission else None, conflict)
    return Observed(found, stack if _calls(own, wanted.function) else None, conflict)


def _read_configuration(s3: Any, bucket: str, account: str, region: str) -> dict[str, Any]:
    try:
        with asking("Reading the bucket's notifications", bucket):
            return _ask_configuration(s3, bucket, account)
    except ResourceNotFoundError:
        return {}
    except AccessDeniedError as error:
        # AWS names the action to callers of the bucket's own account alone, and a name in its namespace is its own.
        if error.action or bucket.endswith(f"-{account}-{region}-an"):
            raise
        return {}


def _ask_configuration(s3: Any, bucket: str, account: str) -> dict[str, Any]:
    answer = s3.get_bucket_notification_configuration(Bucket=bucket, ExpectedBucketOwner=account)
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def _read_permission(lambda_client: Any, wanted: S3Trigger) -> dict[str, Any] | None:
    if wanted.permission is None:
        return None
    found = read_statements(lambda_client, function_name(wanted.function), [wanted.permission])
    return found.get(wanted.permission["Sid"])


def _entries(configuration: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind in _KINDS:
        for entry in configuration.get(kind, []):
            yield kind, entry


def _calls(entry: Mapping[str, Any], function: str) -> bool:
    arn = str(entry.get("LambdaFunctionArn", ""))
    return arn == function or arn.startswith(f"{function}:")


def _describe(wanted: S3Trigger, entry: Mapping[str, Any], permission: Mapping[str, Any] | None) -> S3Trigger:
    return S3Trigger(
        name=wanted.name,
        bucket=wanted.bucket,
        function=next((str(entry[arn]) for arn in _KINDS.values() if arn in entry), ""),
        events=tuple(entry.get("Events", ())),
        prefix=_filter_value(entry, "prefix"),
        suffix=_filter_value(entry, "suffix"),
        permission=permission,
        stack=wanted.stack,
    )


def _filter_value(entry: Mapping[str, Any], name: str) -> str:
    rules = entry.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    # S3 gives the names of the rules back with a capital.
    return next((str(rule["Value"]) for rule in rules if rule["Name"].lower() == name), "")


def _conflict(wanted: S3Trigger, kind: str, entry: Mapping[str, Any]) -> str:
    """The sentence for an entry of another that S3 does not take beside the wanted one, or nothing.

    Entries for one kind of event must have prefixes or suffixes that no key can share (S3 user guide, "Configuring
    event notifications using object key name filtering").
    """
    prefix, suffix = _filter_value(entry, "prefix"), _filter_value(entry, "suffix")
    if entry.get("Id") == wanted.name or not (
        _same_events(wanted.events, entry.get("Events", ()))
        and (wanted.prefix.startswith(prefix) or prefix.startswith(wanted.prefix))
        and (wanted.suffix.endswith(suffix) or suffix.endswith(wanted.suffix))
    ):
        return ""
    keys = f"the prefix {prefix!r}" if prefix else "any prefix"
    keys += f" and the suffix {suffix!r}" if suffix else ""
    return (
        f"The bucket's notification {entry.get('Id', '')!r}, for keys with {keys}, calls {entry.get(_KINDS[kind], '')} "
        "for the same objects, and S3 allows one receiver only."
    )


def _same_events(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return any(_covers(a, b) or _covers(b, a) for a in one for b in other)


def _covers(pattern: str, event: str) -> bool:
    return event.startswith(pattern[:-1]) if pattern.endswith("*") else event == pattern


def create_s3_trigger(s3: Any, lambda_client: Any, wanted: S3Trigger, account: str, clock: Clock) -> None:
    """Let S3 call the function, then have it do so; waits until S3 sees the permission.

    Raises
    ------
    AwsError
        S3 does not take the configuration; says so when it is because of an entry that calls a function which is gone.
    """
    _put_permission(lambda_client, wanted, clock)
    _put_entry(s3, lambda_client, wanted, account, clock)


def update_s3_trigger(
    s3: Any, lambda_client: Any, wanted: S3Trigger, fields: set[str], account: str, clock: Clock
) -> None:
    """Bring the named fields of the trigger to what is wanted; raises as :func:`create_s3_trigger` does."""
    if "permission" in fields:
        _put_permission(lambda_client, wanted, clock)
    if fields - {"permission"}:
        _put_entry(s3, lambda_client, wanted, account, clock)


def _put_permission(lambda_client: Any, wanted: S3Trigger, clock: Clock) -> None:
    if wanted.permission is not None:
        with asking("Permitting S3 to call the function", wanted.name):
            put_statement(lambda_client, function_name(wanted.function), wanted.permission, clock)


def _put_entry(s3: Any, lambda_client: Any, wanted: S3Trigger, account: str, clock: Clock) -> None:
    entry: dict[str, Any] = {
        "Id": wanted.name,
        "LambdaFunctionArn": wanted.function,
        "Events": list(wanted.events),
    }
    filters = {"prefix": wanted.prefix, "suffix": wanted.suffix}
    rules = [{"Name": name, "Value": value} for name, value in filters.items() if value]
    if rules:
        entry["Filter"] = {"Key": {"FilterRules": rules}}
    with asking("Changing the bucket's notifications", wanted.bucket):
        try:
            _merge(s3, wanted, entry, account, clock, settling=True)
        except ClientError as error:
            _explain(error, s3, lambda_client, wanted, account)
            raise


def _merge(
    s3: Any, trigger: S3Trigger, entry: Mapping[str, Any] | None, account: str, clock: Clock, *, settling: bool
) -> None:
    """Write the configuration with our entry in place of ours, or without; each attempt starts from what is there."""

    def write() -> None:
        found = _ask_configuration(s3, trigger.bucket, account)
        own = [each for each in found.get(_FUNCTIONS, []) if _is_own(each, trigger)]
        others = [each for each in found.get(_FUNCTIONS, []) if not _is_own(each, trigger)]
        wanted = [entry] if entry is not None else []
        if [_plain(each) for each in own] == [_plain(each) for each in wanted]:
            return
        merged = {**found, _FUNCTIONS: [*others, *wanted]}
        if not merged[_FUNCTIONS]:
            del merged[_FUNCTIONS]
        s3.put_bucket_notification_configuration(
            Bucket=trigger.bucket, ExpectedBucketOwner=account, NotificationConfiguration=merged
        )

    retry(
        write,
        lambda error: error_code(error) == "OperationAborted" or (settling and _is_unreachable(error)),
        clock,
        seconds=_SETTLING_SECONDS,
    )


def _is_own(entry: Mapping[str, Any], trigger: S3Trigger) -> bool:
    return entry.get("Id") == trigger.name and _calls(entry, trigger.function)


def _plain(entry: Mapping[str, Any]) -> tuple[object, ...]:
    return (
        entry["LambdaFunctionArn"],
        sorted(entry["Events"]),
        _filter_value(entry, "prefix"),
        _filter_value(entry, "suffix"),
    )


def _is_unreachable(error: Exception) -> bool:
    return error_code(error) == "InvalidArgument" and _UNREACHABLE in error_message(error).lower()


def _explain(error: ClientError, s3: Any, lambda_client: Any, trigger: S3Trigger, account: str) -> None:
    """Raise a better error when S3 refuses the configuration because of another's entry whose function is gone."""
    if not _is_unreachable(error):
        return
    for kind, entry in _entries(_ask_configuration(s3, trigger.bucket, account)):
        arn = str(entry.get("LambdaFunctionArn", ""))
        if kind == _FUNCTIONS and entry.get("Id") != trigger.name and _is_gone(lambda_client, arn):
            raise AwsError(
                "S3 does not take the bucket's notifications",
                resource=trigger.bucket,
                why=f"Its notification {entry.get('Id', '')!r} calls the function {arn}, which does not exist.",
                next_step="It is not ours: let its owner delete it (S3 console, Properties, Event notifications), "
                "then try again.",
                code=error_code(error),
                request_id=request_id(error),
            ) from None


def _is_gone(lambda_client: Any, function: str) -> bool:
    try:
        lambda_client.get_function(FunctionName=function)
    except ClientError as error:
        # One that we may not look at may be there.
        return error_code(error) == "ResourceNotFoundException"
    return False


def delete_s3_trigger(s3: Any, lambda_client: Any, found: S3Trigger, account: str, clock: Clock) -> None:
    """Take our entry out of the bucket's notifications, and then the permission away; gone already is fine.

    Parameters
    ----------
    found : S3Trigger
        As it was read: ``function`` is empty when there was no entry.

    Raises
    ------
    AwsError
        S3 does not take the configuration without our entry, as :func:`create_s3_trigger` says.
    """
    if found.function:
        try:
            with asking("Changing the bucket's notifications", found.bucket):
                try:
                    _merge(s3, found, None, account, clock, settling=False)
                except ClientError as error:
                    _explain(error, s3, lambda_client, found, account)
                    raise
        except ResourceNotFoundError:
            pass
    if found.permission is not None:
        with asking("Taking S3's permission away", found.name):
            remove_statement(lambda_client, function_name(found.permission["Resource"]), found.permission["Sid"])
