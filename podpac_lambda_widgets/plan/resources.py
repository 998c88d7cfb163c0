"""What can exist in AWS, as values. The same type says what is wanted and what was found."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

#: The tag that marks a resource as ours; its value is the stack it belongs to.
STACK_TAG = "podpac-lambda-widgets:stack"
#: The same mark on an object of a bucket, as user metadata.
STACK_METADATA = "podpac-lambda-widgets-stack"


def unmanaged(**kwargs: Any) -> Any:
    """A dataclass field that is not compared: it says how to make the resource, not what the resource is."""
    return field(compare=False, metadata={"managed": False}, **kwargs)


@dataclass(frozen=True)
class Resource:
    """Base of all resources.

    Parameters
    ----------
    name : str
        AWS's name of it, unique for its kind.
    """

    kind: ClassVar[str] = "resource"
    name: str

    def managed_fields(self) -> Iterator[tuple[str, Any]]:
        """Name and value of every field that a plan compares."""
        for item in dataclasses.fields(self):
            if item.name != "name" and item.metadata.get("managed", True):
                yield item.name, getattr(self, item.name)

    @property
    def title(self) -> str:
        """What it is, for a person."""
        return self.kind

    @property
    def short_name(self) -> str:
        """Its name where there is little room."""
        return self.name

    def __str__(self) -> str:
        return f"{self.title} {self.name}"


@dataclass(frozen=True)
class Role(Resource):
    """The IAM role a function runs with. Policies are documents by name."""

    kind: ClassVar[str] = "role"
    description: str
    trust: Mapping[str, Any]
    policies: Mapping[str, Any]
    managed_policies: tuple[str, ...]
    tags: Mapping[str, str]
    #: As AWS has it; a role made in the console may have a path in it.
    arn: str = unmanaged(default="")


@dataclass(frozen=True)
class Bucket(Resource):
    """The S3 bucket that holds archives and results.

    ``policy`` is the statement that refuses plain HTTP; ``public_access_blocked`` all four settings together;
    ``encrypted`` whether new objects are encrypted by default, whichever way; ``lifecycle`` our rules in the bucket's
    lifecycle configuration, in the form of S3's own API.
    """

    kind: ClassVar[str] = "bucket"
    region: str
    tags: Mapping[str, str]
    public_access_blocked: bool
    policy: Mapping[str, Any] | None
    encrypted: bool = True
    lifecycle: tuple[Mapping[str, Any], ...] = ()
    #: For deleting: how many objects are ours, how many of these are results, how many are somebody else's, and how
    #: many of our uploads were broken off.
    own_objects: int = unmanaged(default=0)
    results: int = unmanaged(default=0)
    foreign_objects: int = unmanaged(default=0)
    own_uploads: int = unmanaged(default=0)
    own_prefixes: tuple[str, ...] = unmanaged(default=())
    #: What is ours and begins so is no result: archives and requests.
    no_results: tuple[str, ...] = unmanaged(default=())
    #: Regular expression of the keys that only we make; an object elsewhere is ours by its metadata alone.
    own_keys: str = unmanaged(default="")
    #: Whether only our own prefixes are to be looked through: the rest of an adopted bucket is none of our business.
    adopted: bool = unmanaged(default=False)


@dataclass(frozen=True)
class StoredObject(Resource):
    """An archive in a bucket. ``name`` is ``bucket/key``; ``sha256`` is in hexadecimal, ``size`` in bytes."""

    kind: ClassVar[str] = "object"
    bucket: str
    key: str
    sha256: str
    size: int
    content: str = unmanaged(default="archive")
    #: Whether only we make such a key: what lies there is ours, even when somebody has written something else over it.
    own_key: bool = unmanaged(default=False)
    #: Where the bytes come from: a file here, or another object.
    path: Path | None = unmanaged(default=None)
    copied_from: tuple[str, str] | None = unmanaged(default=None)

    @property
    def title(self) -> str:
        """What is in it, for a person."""
        return self.content

    @property
    def short_name(self) -> str:
        """The last part of its key."""
        return self.key.rsplit("/", 1)[-1]

    def __str__(self) -> str:
        return f"{self.content} s3://{self.bucket}/{self.key}"


@dataclass(frozen=True)
class LogGroup(Resource):
    """The log group of a function; ``retention`` in days."""

    kind: ClassVar[str] = "log group"
    retention: int
    tags: Mapping[str, str]


@dataclass(frozen=True)
class LeftLock(Resource):
    """The log group that holds a stack for one builder, left by one that was cut off."""

    kind: ClassVar[str] = "lock"


#: The old value of a function's ``role`` when that role is gone: one made anew under the same name is another role.
ROLE_GONE = "a role that is gone"


@dataclass(frozen=True)
class Function(Resource):
    """The Lambda function. ``memory`` and ``storage`` in MB, ``timeout`` in seconds, ``code_sha256`` in hexadecimal."""

    kind: ClassVar[str] = "function"
    role: str
    runtime: str
    architecture: str
    handler: str
    description: str
    memory: int
    timeout: int
    storage: int
    environment: Mapping[str, str] = field(repr=False)
    tags: Mapping[str, str]
    code_sha256: str
    #: How many calls may run at once, taken from the account's own; None when it shares what the account has.
    reserved_concurrency: int | None = None
    #: Whether SnapStart makes a snapshot of each version that is published.
    snap_start: bool = False
    #: ``Active``; found may also be ``Pending``, ``Updating``, ``UpdateFailed`` or ``Failed``.
    state: str = "Active"
    #: Where the code is: an object, or a file here that is small enough to be sent in the call itself.
    code_bucket: str = unmanaged(default="")
    code_key: str = unmanaged(default="")
    code_path: Path | None = unmanaged(default=None)


@dataclass(frozen=True)
class S3Trigger(Resource):
    """What calls the function when an object comes into a bucket. ``name`` is the id of the notification's entry.

    ``permission`` is the statement of the function's policy that lets S3 call it, in the form in which Lambda gives it.
    """

    kind: ClassVar[str] = "S3 trigger"
    bucket: str
    function: str
    events: tuple[str, ...]
    prefix: str
    suffix: str
    permission: Mapping[str, Any] | None
    stack: str = unmanaged(default="")


#: The old value of a trigger's ``permission`` when the function whose policy it was in is made anew.
PERMISSION_GONE = "gone with the function"
#: Stands in a permission for the id of an API, which AWS chooses when it is made.
API_ID = "{api}"


@dataclass(frozen=True)
class RestApi(Resource):
    """An API Gateway REST API that hands requests to the function.

    API Gateway lets several APIs bear one name: ours is the one with our tag. ``permission`` is the statement of the
    function's policy, with :data:`API_ID` for the id. ``deployed`` says whether the stage serves these very settings.
    ``copies`` counts the APIs of the stack: more than one when an answer was lost.
    """

    kind: ClassVar[str] = "API"
    function: str
    description: str
    endpoint_type: str
    binary_media_types: tuple[str, ...]
    tags: Mapping[str, str]
    path: str
    method: str
    authorization: str
    integration: str
    stage: str
    #: Requests per second, and in a burst, that the stage lets through.
    rate_limit: float
    burst_limit: int
    permission: Mapping[str, Any] | None
    #: Whether its own address answers, and not only a domain of the user's.
    execute_api_endpoint: bool = True
    deployed: bool = True
    copies: int = 1
    api_id: str = unmanaged(default="")
    url: str = unmanaged(default="")


@dataclass(frozen=True)
class FunctionUrl(Resource):
    """The function's own HTTPS address. ``name`` is the function's.

    It bears no tag: it is ours when the function's policy has our statements, which are put before it is made.
    ``cors`` is what browsers let pages of other origins do with it, in the form of Lambda's own API; nothing, for us.
    """

    kind: ClassVar[str] = "function URL"
    authorization: str
    invoke_mode: str
    permissions: tuple[Mapping[str, Any], ...]
    cors: Mapping[str, Any] = field(default_factory=dict)
    url: str = unmanaged(default="")
    stack: str = unmanaged(default="")


@dataclass(frozen=True)
class Budget(Resource):
    """A monthly budget that sends an e-mail. ``amount`` in ``currency``, ``threshold`` in percent of it.

    ``cost_filter`` is the cost allocation tag that is counted, as ``key$value``.
    """

    kind: ClassVar[str] = "budget"
    amount: float
    currency: str
    email: str
    threshold: float
    cost_filter: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Observed:
    """A resource as AWS has it.

    Parameters
    ----------
    resource : Resource
        With the fields that were read.
    stack : str or None
        The stack its tag names; None when it bears no tag of ours.
    conflict : str, optional
        What stands in the way of making or changing it, though it is not there or is ours.
    remedy : str, optional
        What can be done about the conflict.
    """

    resource: Resource
    stack: str | None
    conflict: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class BucketContents(Resource):
    """Our objects in a bucket that itself stays."""

    kind: ClassVar[str] = "objects"
    own_objects: int = unmanaged(default=0)
    results: int = unmanaged(default=0)
    own_uploads: int = unmanaged(default=0)
    own_prefixes: tuple[str, ...] = unmanaged(default=())
    no_results: tuple[str, ...] = unmanaged(default=())
    own_keys: str = unmanaged(default="")
    adopted: bool = unmanaged(default=True)
    #: Our rules in its lifecycle configuration, which go too.
    lifecycle_ids: tuple[str, ...] = unmanaged(default=())

    def __str__(self) -> str:
        return f"our objects in s3://{self.name}"
