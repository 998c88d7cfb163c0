"""An account in memory that fulfils the engine's port, fails on a timetable, and remembers what was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from podpac_lambda_widgets.errors import PodpacLambdaError, ResourceNotFoundError, StackBusyError
from podpac_lambda_widgets.plan.account import BucketCount, Identity, Invocation, LogLine, Progress, StackRecord, Tagged
from podpac_lambda_widgets.plan.actions import Grant
from podpac_lambda_widgets.plan.changes import Update
from podpac_lambda_widgets.plan.quotas import BucketQuota, LambdaQuotas
from podpac_lambda_widgets.plan.resources import Bucket, BucketContents, Observed, Resource, StoredObject

Key = tuple[str, str]


@dataclass
class FakeAccount:
    """Resources by kind and name; ``fail_at`` maps the number of a writing call to the error it raises."""

    resources: dict[Key, Observed] = field(default_factory=dict)
    fail_at: dict[int, PodpacLambdaError] = field(default_factory=dict)
    answer: Callable[[bytes], Invocation] | None = None
    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    lines: list[LogLine] = field(default_factory=list)
    writes: list[tuple[str, str]] = field(default_factory=list)
    lambda_quotas: LambdaQuotas | None = None
    quota_of_buckets: BucketQuota | None = None
    held: set[str] = field(default_factory=set)
    sent: list[tuple[str, bytes]] = field(default_factory=list)
    #: Actions that are denied; None when it may not be asked.
    forbidden: set[str] | None = field(default_factory=set)

    def identity(self) -> Identity:
        return Identity("123456789012", "arn:aws:iam::123456789012:user/me", "eu-west-1", "aws")

    def read(self, wanted: Resource) -> Observed | None:
        return self.resources.get((wanted.kind, wanted.name))

    def _write(self, action: str, resource: Resource) -> None:
        self.writes.append((action, str(resource)))
        if error := self.fail_at.pop(len(self.writes), None):
            raise error

    def create(self, wanted: Resource, stack: str, progress: Progress) -> None:
        self._write("create", wanted)
        assert (wanted.kind, wanted.name) not in self.resources
        progress(1, 2)
        progress(2, 2)
        self.resources[wanted.kind, wanted.name] = Observed(wanted, stack)

    def update(self, change: Update, stack: str, progress: Progress) -> None:
        self._write("update", change.resource)
        found = self.resources[change.resource.kind, change.resource.name]
        fields = {item.field: item.new for item in change.differences}
        self.resources[change.resource.kind, change.resource.name] = Observed(
            replace(found.resource, **fields), found.stack
        )

    def delete(self, found: Resource, stack: str, progress: Progress) -> None:
        self._write("delete", found)
        if isinstance(found, BucketContents | Bucket):
            gone = [key for key in self.objects if key[0] == found.name and key[1].startswith(found.own_prefixes)]
            for key in gone:
                del self.objects[key]
        if isinstance(found, BucketContents):
            bucket = self.resources[Bucket.kind, found.name]
            assert isinstance(bucket.resource, Bucket)
            kept = replace(bucket, resource=replace(bucket.resource, lifecycle=()))
            self.resources[Bucket.kind, found.name] = kept
            return
        assert self.resources[found.kind, found.name].stack == stack
        del self.resources[found.kind, found.name]

    def lock(self, stack: str) -> FakeLock:
        if stack in self.held:
            raise StackBusyError("Somebody else is building", resource=stack)
        self.held.add(stack)
        return FakeLock(self.held, stack)

    def denied(self, grants: Sequence[Grant]) -> tuple[str, ...] | None:
        if self.forbidden is None:
            return None
        asked = [action for grant in grants for action in grant.actions]
        return tuple(action for action in asked if action in self.forbidden)

    def quotas(self) -> LambdaQuotas | None:
        return self.lambda_quotas

    def bucket_quota(self) -> BucketQuota | None:
        return self.quota_of_buckets

    def tagged(self, stack: str) -> Tagged:
        names = {key[0]: [] for key in self.resources}
        for (kind, name), found in self.resources.items():
            names[kind] += [name] if found.stack == stack else []
        return Tagged(tuple(names.get("bucket", ())), tuple(names.get("role", ())))

    def stacks(self) -> tuple[StackRecord, ...]:
        names = {found.stack for found in self.resources.values() if found.stack}
        return tuple(StackRecord(name, name.split("@")[0], (), None, None, None, None, None) for name in sorted(names))

    def stored_archives(self, bucket: Bucket) -> tuple[StoredObject, ...]:
        found = [found.resource for (kind, _), found in self.resources.items() if kind == "object"]
        return tuple(each for each in found if isinstance(each, StoredObject) and each.bucket == bucket.name)

    def count_objects(self, bucket: Bucket | BucketContents, stack: str) -> BucketCount:
        inside = [key for name, key in self.objects if name == bucket.name]
        own = [key for key in inside if key.startswith(bucket.own_prefixes)]
        return BucketCount(len(own), len(inside) - len(own), len([key for key in own if key.startswith("output/")]))

    def inspect_object(self, bucket: str, key: str) -> Mapping[str, str | int]:
        if (bucket, key) not in self.objects:
            raise ResourceNotFoundError("Reading the object failed", resource=f"s3://{bucket}/{key}")
        return {"size": len(self.objects[bucket, key]), "sha256": "", "etag": str(hash(self.objects[bucket, key]))}

    def invoke(self, function_name: str, payload: bytes, timeout: float) -> Invocation:
        assert self.answer is not None
        return self.answer(payload)

    def log_lines(
        self, group: str, *, start: datetime | None, end: datetime | None, request_id: str
    ) -> Iterator[LogLine]:
        if not self.lines:
            raise ResourceNotFoundError("Reading the log failed", resource=group)
        return iter([line for line in self.lines if start is None or line.time >= start])

    def send(self, function_name: str, payload: bytes) -> str:
        self.sent.append((function_name, payload))
        return f"request-{len(self.sent)}"

    def put(self, bucket: str, key: str, body: bytes, stack: str) -> None:
        self.objects[bucket, key] = body

    def remove(self, bucket: str, key: str) -> None:
        self.objects.pop((bucket, key), None)

    def fetch(self, bucket: str, key: str, progress: Progress, *, own: bool = False) -> bytes:
        if (bucket, key) not in self.objects:
            raise ResourceNotFoundError("Fetching failed", resource=f"s3://{bucket}/{key}")
        return self.objects[bucket, key]


@dataclass
class FakeLock:
    """A stack held in memory."""

    held: set[str]
    stack: str

    def renew_if_needed(self) -> None:
        assert self.stack in self.held

    def __enter__(self) -> FakeLock:
        return self

    def __exit__(self, *failure: object) -> None:
        self.held.discard(self.stack)


@dataclass
class FakeClock:
    """A clock that nobody waits for."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
