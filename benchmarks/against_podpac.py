"""Building and deleting, beside what PODPAC's own Lambda node needs for the same wish in the same account."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest import mock

from benchmarks.table import Row
from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.clock import SystemClock
from podpac_lambda_widgets.engine.stack import Stack
from podpac_lambda_widgets.local.session import LocalSession
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.packaging.archive import Package

TRIGGER_SETS = (("eval",), ("eval", "S3", "APIGateway"))

NOTES = """\
Both sides take the archives from one bucket (PODPAC takes none from this machine), in one account, in us-east-1 (in
other regions PODPAC makes no bucket), with the same sizes, folders and triggers, once each. Calls are counted as
botocore sends them, those that are tried again and the parts of a large copy included.
One thing had to be done for PODPAC: it asks its session for get_account_id(), a method that only PODPAC's own kind of
session has, and that kind takes no endpoint; so the embedded AWS's session is lent this method. Nothing of PODPAC's
code is changed; its module's time.sleep() is wrapped, notes the seconds and sleeps them.
The two do not make the same. PODPAC's function is for python3.7, which these archives do not run on, and whoever knows
its API's address may call it. Ours fetches the archives and reads them before it trusts them (most of its time), asks
AWS whether all is permitted, holds the stack for one builder, and makes besides: the log group, and the bucket's
encryption, access block, policy and rule for old results."""

#: How the names of operations that change nothing begin.
_READS = ("Describe", "Filter", "Get", "Head", "List", "Simulate")
_SOURCE_BUCKET, _DIST_KEY, _DEPENDENCIES_KEY = "bench-archives", "podpac_dist.zip", "podpac_deps.zip"


@dataclass(frozen=True)
class Effort:
    """What something took: seconds, those of them asleep, and calls that read and write."""

    seconds: float
    slept: float
    reads: int
    writes: int

    def __add__(self, other: Effort) -> Effort:
        return Effort(
            self.seconds + other.seconds,
            self.slept + other.slept,
            self.reads + other.reads,
            self.writes + other.writes,
        )


class Meter(SystemClock):
    """A clock that notes how long it was asked to sleep, and a counter of the calls of a session's clients."""

    def __init__(self, session: LocalSession) -> None:
        self._asleep: list[float] = []
        self._operations: list[str] = []
        # Clients that are made from now on take this over.
        session.events.register("before-send", self._count)

    def _count(self, request: Any, event_name: str, **_: Any) -> None:
        self._operations.append(event_name.rsplit(".", 1)[1])

    def sleep(self, seconds: float) -> None:
        """Wait, and note it."""
        self._asleep.append(seconds)
        super().sleep(seconds)

    def measure(self, call: Callable[[], object]) -> Effort:
        """Do it, and say what it took."""
        self._asleep.clear()
        self._operations.clear()
        began = time.perf_counter()
        call()
        seconds = time.perf_counter() - began
        reads = sum(name.startswith(_READS) for name in self._operations)
        return Effort(seconds, sum(self._asleep), reads, len(self._operations) - reads)


def compare_with_podpac(session: LocalSession, package: Package) -> list[Row]:
    """Rows for every set of triggers: ours here, PODPAC's there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import podpac.core.managers.aws as podpac_aws
    logging.getLogger("podpac").setLevel(logging.WARNING)
    in_bucket = Source(
        function_source_bucket=_SOURCE_BUCKET,
        function_source_dist_key=_DIST_KEY,
        function_source_dependencies_key=_DEPENDENCIES_KEY,
    )
    here = Source(
        function_source_dist_zip=str(package.dist.path), function_source_dependencies_zip=str(package.dependencies.path)
    )
    rows = []
    with _archives_in_bucket(session, package):
        for triggers in TRIGGER_SETS:
            ours, from_here = (_ours(session, triggers, source) for source in (in_bucket, here))
            rows += _rows(triggers, ours, _podpacs(podpac_aws, session, triggers), from_here)
    return rows


@contextmanager
def _archives_in_bucket(session: LocalSession, package: Package) -> Iterator[None]:
    bucket = session.resource("s3").create_bucket(Bucket=_SOURCE_BUCKET)
    bucket.upload_file(str(package.dist.path), _DIST_KEY)
    bucket.upload_file(str(package.dependencies.path), _DEPENDENCIES_KEY)
    yield
    bucket.objects.delete()
    bucket.delete()


def _ours(session: LocalSession, triggers: tuple[str, ...], source: Source) -> tuple[Effort, Effort]:
    meter = Meter(session)
    deployment = Deployment(function_name="bench-ours", function_triggers=triggers)
    stack = Stack(AwsAccount(session, meter), deployment, source, meter)
    return meter.measure(stack.build), meter.measure(lambda: stack.delete(confirm=True))


def _podpacs(podpac_aws: Any, session: LocalSession, triggers: tuple[str, ...]) -> tuple[Effort, Effort]:
    meter = Meter(session)
    lent = podpac_aws.Session.get_account_id.__get__(session)
    with (
        mock.patch.object(session, "get_account_id", lent, create=True),
        mock.patch.object(podpac_aws, "time", SimpleNamespace(sleep=meter.sleep)),
    ):
        # Given, not left to PODPAC: its defaults depend on the user's settings, and write to them.
        node = podpac_aws.Lambda(
            session=session,
            function_name="bench-podpac",
            function_role_name="bench-podpac",
            function_triggers=list(triggers),
            function_tags={},
            function_allow_unsafe_eval=False,
            function_budget_amount=None,
            function_s3_bucket="bench-podpac",
            function_s3_dependencies_key=_DEPENDENCIES_KEY,
            function_s3_input="input/",
            function_s3_output="output/",
            function_source_bucket=_SOURCE_BUCKET,
            function_source_dist_key=_DIST_KEY,
            function_source_dependencies_key=_DEPENDENCIES_KEY,
        )
        return meter.measure(node.build), meter.measure(lambda: node.delete(confirm=True))


def _rows(
    triggers: tuple[str, ...],
    ours: tuple[Effort, Effort],
    theirs: tuple[Effort, Effort],
    from_here: tuple[Effort, Effort],
) -> list[Row]:
    here, there = ours[0] + ours[1], theirs[0] + theirs[1]
    of = f"PODPAC's [{', '.join(triggers)}]"
    return [
        Row(f"build() + delete() [{', '.join(triggers)}]", here.seconds, of, there.seconds),
        Row("... of it build()", ours[0].seconds, of, theirs[0].seconds),
        Row("... of it delete()", ours[1].seconds, of, theirs[1].seconds),
        Row("... with archives of this machine", sum(each.seconds for each in from_here), of, there.seconds),
        Row("... asleep", here.slept, of, there.slept),
        Row("... awake", here.seconds - here.slept, of, there.seconds - there.slept),
        Row("... build(): calls that read", ours[0].reads, of, theirs[0].reads, "calls"),
        Row("... build(): calls that write", ours[0].writes, of, theirs[0].writes, "calls"),
        Row("... delete(): calls that read", ours[1].reads, of, theirs[1].reads, "calls"),
        Row("... delete(): calls that write", ours[1].writes, of, theirs[1].writes, "calls"),
    ]
