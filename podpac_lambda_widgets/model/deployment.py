"""What a person wants to have in AWS: one function, its role, its bucket, what calls it, what it may cost."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import traitlets as tl

from podpac_lambda_widgets import limits
from podpac_lambda_widgets.model.agreement import SPECIAL_TAGS, check_dependencies_key, check_tags
from podpac_lambda_widgets.model.aws_traits import (
    Amount,
    BucketName,
    EmailAddress,
    Environment,
    Folder,
    PolicyDocument,
)
from podpac_lambda_widgets.model.base import (
    InvalidTraitError,
    Names,
    OneOf,
    StrictHasTraits,
    Tags,
    Text,
    WholeNumber,
)

#: What may call the function, under PODPAC's names; ``URL`` is Lambda's own HTTPS address, simpler than an API.
TRIGGERS = ("eval", "S3", "APIGateway", "URL")

_FUNCTION_RULE = "1 to 64 letters, digits, - or _ (a name, not an ARN)."
_DESCRIPTION, _DESCRIPTION_RULE = r"[^\x00-\x1f]{0,256}", "at most 256 characters."
#: IAM API reference, CreateRole, Description.
_ROLE_DESCRIPTION = r"[\t\n\r\x20-\x7e\xa1-\xff]{0,1000}"
_ROLE_RULE = "1 to 64 letters, digits or + = , . @ - _."
#: Where things are in the bucket.
_PLACES = ("function_s3_input", "function_s3_output", "function_s3_dependencies_key")


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
        "PODPAC Lambda function", pattern=_DESCRIPTION, rule=_DESCRIPTION_RULE, help="Shown in the AWS console."
    ).tag(label="Description", section="code")
    function_triggers = Names(
        OneOf(list(TRIGGERS), default_value="eval"),
        default_value=("eval",),
        help="What may call the function: a direct call (eval), an object in the bucket, an API, its own URL.",
    ).tag(label="Triggers", section="triggers")
    function_public_endpoint = tl.Bool(
        False,
        help="Lets anybody on the internet call the API or the address, at your cost. Else AWS asks who they are.",
    ).tag(label="Public endpoint", section="triggers")
    function_reserved_concurrency = WholeNumber(
        None,
        between=limits.RESERVED_CONCURRENCY,
        help="How many calls may run at once. Empty: all your account allows.",
    ).tag(label="Calls at once", section="size")
    function_snap_start = tl.Bool(
        False,
        help="A first run starts from a snapshot of the started function (SnapStart), which AWS bills you to keep.",
    ).tag(label="SnapStart", section="size")
    function_env_variables = Environment(help="Extra environment variables. Not a place for secrets.").tag(
        label="Environment", section="code"
    )
    function_tags = Tags(help="Put on everything that is made.").tag(label="Tags", section="names")
    function_s3_dependencies_key = Text(
        "",
        pattern=r"(?=.{1,500}$)(?!.*\.\.)(?!(.*/)?\./)[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*",
        rule="1 to 500 letters, digits, - _ . or /, with no /, // or .. where a name should be.",
        help="Where the dependencies archive goes in the bucket. Empty: chosen by its content.",
    ).tag(
        label="Dependencies key",
        section="code",
    )
    function_s3_input = Folder("input", help="A pipeline that is put here is run, with the S3 trigger.").tag(
        label="Input folder", section="triggers"
    )
    function_s3_output = Folder("output", help="Large results go here.").tag(label="Output folder", section="code")
    function_s3_output_expiration = WholeNumber(
        90, between=(0, 3650), unit="days", help="Older results are deleted by AWS. 0: they are kept."
    ).tag(label="Keep results (days)", section="size")
    function_s3_tags = Tags(help="Put on the bucket, besides the tags for everything.").tag(
        label="Bucket tags", section="names"
    )
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
    function_allowed_nodes = Names(
        Text(
            pattern=r"[A-Za-z_]\w{0,63}(\.[A-Za-z_]\w{0,63}){1,8}",
            rule="the full name of a node, such as core.data.dataset_source.Dataset or my_plugin.MyNode.",
            may_be_empty=False,
        ),
        help="Nodes that pipelines may use besides the safe ones. A plugin's are allowed by packing it.",
    ).tag(label="More nodes", section="code")
    function_allow_unsafe_eval = tl.Bool(
        False, help="Lets pipelines run code of their own. Only for trusted callers."
    ).tag(
        label="Allow unsafe evaluation",
        section="code",
    )
    function_role_description = Text(
        "",
        pattern=_ROLE_DESCRIPTION,
        rule="at most 1,000 characters of Latin-1, the only ones IAM takes.",
        help="Empty: it names the function.",
    ).tag(label="Role description", section="role")
    function_role_policy_document = PolicyDocument(help="What the function may do. Empty: the least that works.").tag(
        label="Role policy", section="role"
    )
    function_role_policy_arns = Names(
        Text(
            pattern=r"(?a)arn:aws[a-z-]*:iam::(aws|\d{12}):policy/[\w+=,.@/-]{1,512}",
            rule="the ARN of a managed policy.",
            may_be_empty=False,
        ),
        help="ARNs of managed policies the role has besides.",
    ).tag(label="Managed policies", section="role")
    function_role_assume_policy_document = PolicyDocument(help="Who may use the role. Empty: Lambda, for you.").tag(
        label="Trust policy", section="role"
    )
    function_role_tags = Tags(help="Put on the role, besides the tags for everything.").tag(
        label="Role tags", section="role"
    )
    function_api_name = Text(
        "", pattern=r"[\w.-]{1,128}", rule="1 to 128 letters, digits, - _ or .", help="Empty: named after the function."
    ).tag(label="API name", section="api")
    function_api_description = Text(
        "", pattern=_DESCRIPTION, rule=_DESCRIPTION_RULE, help="Empty: it names the function."
    ).tag(label="API description", section="api")
    function_api_stage = Text(
        "prod",
        pattern=r"[A-Za-z0-9_-]{1,128}",
        rule="1 to 128 letters, digits, - or _.",
        may_be_empty=False,
        help="Part of its URL.",
    ).tag(label="API stage", section="api")
    function_api_endpoint = Text(
        "eval",
        pattern=r"(?!\.{1,2}$)[A-Za-z0-9_.-]{1,100}",
        rule="1 to 100 letters, digits, - _ or .",
        may_be_empty=False,
        help="The last part of its URL.",
    ).tag(label="API endpoint", section="api")
    function_api_tags = Tags(help="Put on the API, besides the tags for everything.").tag(
        label="API tags", section="api"
    )
    function_budget_amount = Amount(help="AWS writes to you when a month costs 80 % of this. Empty: no budget.").tag(
        label="Budget", section="budget"
    )
    function_budget_currency = Text(
        "USD", pattern=r"[A-Z]{3}", rule="three capital letters, such as USD.", may_be_empty=False,
        help="The currency AWS bills you in.",
    ).tag(label="Currency", section="budget")  # fmt: skip
    function_budget_email = EmailAddress(help="Who is written to.").tag(label="Budget e-mail", section="budget")
    function_budget_name = Text(
        "",
        pattern=r"[\w .+=@-]{1,100}",
        rule="1 to 100 letters, digits, spaces or . + = @ - _.",
        help="Empty: named after the function.",
    ).tag(label="Budget name", section="budget")  # fmt: skip
    adopt = Names(
        Text(pattern=r"[A-Za-z0-9_+=,.@-]{1,64}", rule="the name of a bucket or a role.", may_be_empty=False),
        help="Names of existing buckets or roles that may be used though they are not ours.",
    ).tag(label="Adopt", section="names")

    @tl.validate("function_s3_input", "function_s3_output", "function_s3_dependencies_key")
    def _check_places(self, proposal: Any) -> str:
        place = str(proposal["value"])
        places = {name: getattr(self, name) for name in _PLACES} | {proposal["trait"].name: place}
        check_disjoint(places["function_s3_input"], places["function_s3_output"])
        check_dependencies_key(**places)
        return place

    @tl.validate("function_tags", *SPECIAL_TAGS)
    def _check_tags(self, proposal: Any) -> dict[str, str]:
        tags: dict[str, str] = proposal["value"]
        check_tags(self, **{proposal["trait"].name: tags})
        return tags

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


def check_disjoint(input_folder: str, output_folder: str) -> None:
    """Make sure that no result lands where it would call the function again.

    Raises
    ------
    InvalidValueError
        One folder is, or is inside, the other.
    """
    one, other = f"{input_folder}/", f"{output_folder}/"
    if one.startswith(other) or other.startswith(one):
        raise InvalidTraitError(
            "The input and the output folder overlap",
            field="function_s3_input",
            why=f"A result in {output_folder!r} would be taken for a new pipeline in {input_folder!r}, over and over.",
            next_step="Choose two folders that are not inside each other.",
        )


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:6]


def _shorten(text: str, length: int, name: str) -> str:
    """Cut a text that is too long, and keep it apart from others that begin alike."""
    return text if len(text) <= length else f"{text[: length - 7].rstrip('-')}-{_digest(name)}"
