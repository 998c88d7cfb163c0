"""What a person wants to have in AWS: one function, its role, its bucket."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import traitlets as tl

from podpac_lambda_widgets import limits
from podpac_lambda_widgets.model.base import (
    Names,
    OneOf,
    StrictHasTraits,
    Tags,
    Text,
    TextDict,
    WholeNumber,
    refuse,
)

#: Folder of the archives in the bucket; the function may not write there.
ARCHIVES_FOLDER = "archives"

_FUNCTION_RULE = "1 to 64 letters, digits, - or _ (a name, not an ARN)."
_ROLE_RULE = "1 to 64 letters, digits or + = , . @ - _."
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
            if re.search(r"SECRET|PASSWORD|TOKEN|ACCESS_KEY", name, re.IGNORECASE):
                refuse(obj, self, f"{name!r} looks like a secret: function environments are readable by others.")
        if sum(len(t.encode()) for pair in value.items() for t in pair) > limits.ENVIRONMENT_BYTES:
            refuse(obj, self, f"Lambda takes {limits.ENVIRONMENT_BYTES:,} bytes in all.")
        return dict(value)


class Folder(Text):
    """A folder in the bucket, without slashes at its ends."""

    def __init__(self, default_value: str, **kwargs: Any) -> None:
        rule = "1 to 200 letters, digits, - _ . or / and no '..'."
        super().__init__(default_value, pattern=r"(?!.*\.\.)[\w\-.]+(/[\w\-.]+)*", rule=rule, **kwargs)

    def validate(self, obj: Any, value: Any) -> str:
        folder = super().validate(obj, value.strip("/ ") if isinstance(value, str) else value)
        if not 1 <= len(folder) <= 200:
            refuse(obj, self, self.rule)
        if folder.split("/")[0] == ARCHIVES_FOLDER:
            refuse(obj, self, f"{ARCHIVES_FOLDER} is where the function's own code lies.")
        return folder


class Deployment(StrictHasTraits):
    """The wish: everything PODPAC's Lambda node deploys, under PODPAC's own names.

    Changing a trait changes nothing in AWS; a :class:`~podpac_lambda_widgets.engine.stack.Stack` compares this with
    what is there.
    """

    function_name = Text(
        "podpac-lambda-autogen",
        pattern=r"[A-Za-z0-9_-]{1,64}",
        may_be_empty=False,
        rule=_FUNCTION_RULE,
        help="The name of the Lambda function, and of everything that belongs to it.",
    ).tag(
        label="Function name",
        section="names",
    )
    function_role_name = Text(
        "",
        pattern=r"[A-Za-z0-9_+=,.@-]{1,64}",
        rule=_ROLE_RULE,
        help="The IAM role the function runs with. Empty: named after the function.",
    ).tag(label="Role name", section="names")
    function_s3_bucket = BucketName(help="Holds the archives and large results. Empty: named after the function.").tag(
        label="Bucket name",
        section="names",
    )
    function_memory = WholeNumber(
        2048, between=limits.MEMORY_MB, unit="MB", help="More memory also means more processor."
    ).tag(label="Memory (MB)", section="size")
    function_timeout = WholeNumber(
        600, between=limits.TIMEOUT_S, unit="seconds", help="A run that takes longer is stopped."
    ).tag(label="Timeout (s)", section="size")
    function_ephemeral_storage = WholeNumber(
        512,
        between=limits.EPHEMERAL_STORAGE_MB,
        unit="MB",
        help="Room for the dependencies archive and temporary files.",
    ).tag(label="Storage (MB)", section="size")
    function_runtime = OneOf(
        ["", *limits.RUNTIMES], default_value="", help="Empty: the one the archives were built for."
    ).tag(label="Runtime", section="code")
    function_architecture = OneOf(
        ["", *limits.ARCHITECTURES], default_value="", help="Empty: the one the archives were built for."
    ).tag(label="Architecture", section="code")
    function_handler = Text(
        "handler.handler",
        pattern=r"[A-Za-z_][\w/]*(\.[A-Za-z_]\w*)+",
        rule="module.function, such as handler.handler.",
        help="The function of the archive that Lambda calls.",
    ).tag(label="Handler", section="code")
    function_description = Text(
        "PODPAC Lambda function", pattern=r".{0,256}", rule="at most 256 characters.", help="Shown in the AWS console."
    ).tag(label="Description", section="code")
    function_env_variables = Environment(help="Extra environment variables. Not a place for secrets.").tag(
        label="Environment", section="code"
    )
    function_tags = Tags(help="Put on everything that is made.").tag(label="Tags", section="names")
    function_s3_dependencies_key = Text(
        "",
        pattern=r"[\w\-./]{1,500}",
        rule="letters, digits, - _ . or /.",
        help="Where the dependencies archive goes in the bucket. Empty: chosen by its content.",
    ).tag(
        label="Dependencies key",
        section="code",
    )
    function_s3_output = Folder("output", help="Large results go here.").tag(label="Output folder", section="code")
    function_log_retention = OneOf(
        list(limits.LOG_RETENTION_DAYS), default_value=30, help="Older log lines are deleted by AWS."
    ).tag(label="Keep logs (days)", section="size")
    function_allowed_buckets = Names(
        BucketName(may_be_empty=False), help="Buckets that pipelines may read data from. Empty: none."
    ).tag(label="Data buckets", section="code")
    function_allowed_hosts = Names(
        Text(
            pattern=r"[a-z0-9.-]{1,253}",
            rule="a host name in lower case, such as data.example.org.",
            may_be_empty=False,
        ),
        help="Hosts that pipelines may read data from. Empty: none.",
    ).tag(label="Data hosts", section="code")
    function_restrict_pipelines = Names(
        Text(
            pattern=r"[0-9a-fA-F]{32}|[0-9a-fA-F]{64}",
            rule="a pipeline's hash: 32 or 64 hexadecimal digits.",
            may_be_empty=False,
        ),
        help="Hashes of the only pipelines the function may run. Empty: all safe ones.",
    ).tag(label="Allowed pipelines", section="code")
    function_allow_unsafe_eval = tl.Bool(
        False, help="Lets pipelines run code of their own. Only for trusted callers."
    ).tag(
        label="Allow unsafe evaluation",
        section="code",
    )
    adopt = Names(
        Text(pattern=r"[A-Za-z0-9_+=,.@-]{1,64}", rule="the name of a bucket or a role.", may_be_empty=False),
        help="Names of existing buckets or roles that may be used though they are not ours.",
    ).tag(label="Adopt", section="names")

    def role_name(self, region: str) -> str:
        """The role's name: the one given, else made from function and region, for IAM is one for all regions."""
        if self.function_role_name:
            return self.function_role_name
        return _shorten(f"{self.function_name}-{region}", limits.ROLE_NAME_CHARACTERS, self.function_name)

    def bucket_name(self, account: str, region: str) -> str:
        """The bucket's name: the one given, else made from function, account and region.

        The made one lies in the account's own regional namespace (``-an``), where nobody else can take the name
        (S3 user guide, "Account regional namespaces"), but in the regions that have none.
        """
        if self.function_s3_bucket:
            return self.function_s3_bucket
        tail = f"-{account}-{region}" + ("" if region in limits.REGIONS_WITHOUT_BUCKET_NAMESPACE else "-an")
        name = self.function_name.lower()
        stem = re.sub(r"[^a-z0-9]+", "-", name if name.startswith("podpac") else f"podpac-{name}").strip("-")
        if stem not in (self.function_name, f"podpac-{self.function_name}"):
            stem += "-" + _digest(self.function_name)
        return _shorten(stem, limits.BUCKET_NAME_CHARACTERS[1] - len(tail), self.function_name) + tail


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:6]


def _shorten(text: str, length: int, name: str) -> str:
    """Cut a text that is too long, and keep it apart from others that begin alike."""
    return text if len(text) <= length else f"{text[: length - 7].rstrip('-')}-{_digest(name)}"
