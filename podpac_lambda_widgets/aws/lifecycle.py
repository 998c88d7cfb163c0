"""A bucket's lifecycle configuration: our rules in it are read and written, those of others stay as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from podpac_lambda_widgets.aws.error_codes import error_code
from podpac_lambda_widgets.aws.translate import asking

#: What ends the ids of our rules, after what they have in common (:func:`~.plan.policies.lifecycle_rules`).
_SUFFIXES = ("-uploads", "-results")

Rules = Sequence[Mapping[str, Any]]


def read_lifecycle(s3: Any, who: Mapping[str, str], wanted: Rules) -> tuple[Mapping[str, Any], ...]:
    """Our rules of the bucket, wanted or not any more: the wanted ones first, in their order and form.

    Parameters
    ----------
    who : mapping of str to str
        ``Bucket`` and ``ExpectedBucketOwner``.
    wanted : sequence of mapping
        The rules there should be; their ids say which are ours.
    """
    own = _own_ids(wanted)
    if not own:
        return ()
    found = {rule["ID"]: rule for rule in _read(s3, who).get("Rules", []) if rule.get("ID") in own}
    in_order = [*(rule["ID"] for rule in wanted), *sorted(own)]
    return tuple(_in_form_of(wanted, found[each]) for each in dict.fromkeys(in_order) if each in found)


def _own_ids(wanted: Rules) -> set[str]:
    given = [str(rule["ID"]) for rule in wanted]
    stems = {each.removesuffix(suffix) for each in given for suffix in _SUFFIXES if each.endswith(suffix)}
    return {*given, *(stem + suffix for stem in stems for suffix in _SUFFIXES)}


def _read(s3: Any, who: Mapping[str, str]) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = s3.get_bucket_lifecycle_configuration(**who)
    except ClientError as error:
        if error_code(error) != "NoSuchLifecycleConfiguration":
            raise
        return {}
    return answer


def _in_form_of(wanted: Rules, found: Mapping[str, Any]) -> Mapping[str, Any]:
    told = next((rule for rule in wanted if rule["ID"] == found["ID"]), None)
    return told if told is not None and _said(told) == _said(found) else found


def _said(value: Any) -> Any:
    """A rule without what AWS may add or leave out: what is empty, false or zero, which is what is not said."""
    if isinstance(value, Mapping):
        plain = {key: _said(item) for key, item in value.items()}
        return {key: item for key, item in plain.items() if item}
    return [_said(item) for item in value] if isinstance(value, list | tuple) else value


def put_lifecycle(s3: Any, who: Mapping[str, str], wanted: Rules) -> None:
    """Write our rules as wanted, beside those of others; botocore's errors pass."""
    if not wanted:
        return
    found, own = _read(s3, who), _own_ids(wanted)
    others = [rule for rule in found.get("Rules", []) if rule.get("ID") not in own]
    size = found.get("TransitionDefaultMinimumObjectSize")
    s3.put_bucket_lifecycle_configuration(
        **who,
        LifecycleConfiguration={"Rules": [*others, *wanted]},
        **({"TransitionDefaultMinimumObjectSize": size} if size else {}),
    )


def remove_rules(s3: Any, bucket: str, identifiers: Sequence[str], account: str) -> None:
    """Take our rules out of a bucket that stays, beside those of others; gone already is fine."""
    who = {"Bucket": bucket, "ExpectedBucketOwner": account}
    with asking("Taking our lifecycle rules away", bucket):
        found = _read(s3, who)
        others = [rule for rule in found.get("Rules", []) if rule.get("ID") not in identifiers]
        if not others:
            s3.delete_bucket_lifecycle(**who)
        elif len(others) < len(found["Rules"]):
            s3.put_bucket_lifecycle_configuration(**who, LifecycleConfiguration={"Rules": others})
