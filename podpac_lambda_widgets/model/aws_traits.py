"""Traits of what AWS names: buckets, folders, environments, policies, addresses, amounts."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import traitlets as tl

from podpac_lambda_widgets import limits
from podpac_lambda_widgets.model.base import AnyDict, Text, TextDict, refuse

#: Folder of the archives in the bucket; the function may not write there.
ARCHIVES_FOLDER = "archives"

_BUCKET_RULE = "3 to 63 lower-case letters, digits, hyphens or dots; a letter or digit at both ends."


class BucketName(Text):
    """An S3 bucket name, by AWS's naming rules for general purpose buckets. Empty means: chosen for you."""

    def __init__(self, default_value: str = "", **kwargs: Any) -> None:
        super().__init__(default_value, pattern=r"[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]", rule=_BUCKET_RULE, **kwargs)

    def validate(self, obj: Any, value: Any) -> str:
        name = super().validate(obj, value)
        if ".." in name or ".-" in name or "-." in name:
            refuse(obj, self, "a dot may not stand beside another dot or a hyphen.")
        if re.fullmatch(r"\d+\.\d+\.\d+\.\d+", name):
            refuse(obj, self, "a bucket name may not look like an IP address.")
        if name.startswith(("xn--", "sthree-", "amzn-s3-demo-")):
            refuse(obj, self, f"the beginning {name.split('-')[0]}- is reserved by AWS.")
        if name.endswith(("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")):
            refuse(obj, self, "this ending is reserved by AWS.")
        return name


#: Names of what is better kept elsewhere.
_SECRET_NAME = re.compile(r"SECRET|PASSW(OR)?D|TOKEN|(ACCESS|API|PRIVATE)_?KEY|CREDENTIAL", re.IGNORECASE)


class Environment(TextDict):
    """Environment variables of the function; together at most 4 KB. Never a place for a secret."""

    def validate(self, obj: Any, value: Any) -> dict[str, str]:
        if not isinstance(value, dict) or not all(isinstance(t, str) for pair in value.items() for t in pair):
            refuse(obj, self, "must be a mapping of names to text.")
        for name in value:
            if name.startswith(("AWS_", "LAMBDA_", "FUNCTION_")) or name == "S3_BUCKET_NAME":
                refuse(obj, self, f"{name!r} is set by Lambda or by this package: use the field that belongs to it.")
            if not re.fullmatch(r"[a-zA-Z]\w+", name, re.ASCII):
                refuse(obj, self, f"{name!r} must begin with a letter and have letters, digits or _ only.")
            if _SECRET_NAME.search(name):
                refuse(obj, self, f"{name!r} looks like a secret: function environments are readable by others.")
        if sum(len(t.encode()) for pair in value.items() for t in pair) > limits.ENVIRONMENT_BYTES:
            refuse(obj, self, f"Lambda takes {limits.ENVIRONMENT_BYTES:,} bytes in all.")
        return dict(value)


class Folder(Text):
    """A folder in the bucket, without slashes at its ends."""

    def __init__(self, default_value: str, **kwargs: Any) -> None:
        # S3 takes more, but compares bytes: what looks the same may be written in two ways.
        rule = "1 to 200 letters from A to Z, digits, - _ . or / and no '..'."
        super().__init__(default_value, pattern=r"(?a)(?!.*\.\.)[\w\-.]+(/[\w\-.]+)*", rule=rule, **kwargs)

    def validate(self, obj: Any, value: Any) -> str:
        folder = super().validate(obj, value.strip("/ ") if isinstance(value, str) else value)
        if not 1 <= len(folder) <= 200:
            refuse(obj, self, self.rule)
        if folder.split("/")[0] == ARCHIVES_FOLDER:
            refuse(obj, self, f"{ARCHIVES_FOLDER} is where the function's own code lies.")
        return folder


class PolicyDocument(AnyDict):
    """An IAM policy document, as a mapping. Empty means: the least that works, chosen for you."""

    def validate(self, obj: Any, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            refuse(obj, self, f"must be a mapping, not {type(value).__name__}.")
        if not value:
            return {}
        if not isinstance(value.get("Statement"), list | dict) or "Version" not in value:
            refuse(obj, self, "must have a Version and a Statement, as IAM policies do.")
        try:
            size = len(json.dumps(dict(value), separators=(",", ":"), allow_nan=False))
        except (TypeError, ValueError):
            refuse(obj, self, "must be made of text, numbers, lists and mappings.")
        if size > limits.ROLE_POLICY_CHARACTERS:
            refuse(obj, self, f"IAM takes {limits.ROLE_POLICY_CHARACTERS:,} characters; this has {size:,}.")
        return dict(value)


class EmailAddress(Text):
    """An address of electronic mail."""

    def __init__(self, default_value: str = "", **kwargs: Any) -> None:
        pattern = r"[^@\s<>\"',;:\\()\[\]]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"
        super().__init__(default_value, pattern=pattern, rule="an address such as you@example.org.", **kwargs)


class Amount(tl.Float[Any, Any]):
    """An amount of money above zero, or None."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(None, allow_none=True, **kwargs)

    def validate(self, obj: Any, value: Any) -> float:
        try:
            amount = float(value)
        except (TypeError, ValueError, OverflowError):
            amount = math.nan
        if isinstance(value, bool) or not 0.01 <= amount <= 1e9:
            refuse(obj, self, f"must be a number above zero, such as 25 or 7.50, not {value!r}.")
        return round(amount, 2)
