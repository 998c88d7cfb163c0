"""The front end, played by messages; and a backend that does what a test tells it to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from podpac_lambda_widgets.engine.apply import check_same
from podpac_lambda_widgets.engine.capacity import Capacity, wished_capacity
from podpac_lambda_widgets.engine.events import ChangeApplied, ChangeStarted, PlanFinished, PlanStarted, RunProgressed
from podpac_lambda_widgets.engine.history import RunRecord
from podpac_lambda_widgets.engine.jobs import Job, Jobs
from podpac_lambda_widgets.engine.preflight import check_confirmation
from podpac_lambda_widgets.engine.results import Result
from podpac_lambda_widgets.errors import CancelledError
from podpac_lambda_widgets.packaging.archive import Archive, Examination, Package
from podpac_lambda_widgets.packaging.finding import FoundArchive
from podpac_lambda_widgets.packaging.progress import BuildProgress
from podpac_lambda_widgets.plan.account import Identity, LogLine
from podpac_lambda_widgets.plan.changes import Create, Delete, Plan
from podpac_lambda_widgets.plan.description import Description
from podpac_lambda_widgets.plan.resources import Function, LogGroup, Observed
from podpac_lambda_widgets.studio import Studio
from podpac_lambda_widgets.widgets.backend import Connection
from podpac_lambda_widgets.widgets.form import Form

IDENTITY = Identity("123456789012", "arn:aws:iam::123456789012:user/ada", "eu-west-1", "aws")


def no_account(*_: Any) -> Any:
    raise AssertionError("the forms must not speak to the account themselves")


class SilentAccount:
    """An account that nobody may ask."""

    def __getattr__(self, name: str) -> Any:
        return no_account


def make_function(name: str, state: str = "Active") -> Function:
    """A function as it is found."""
    return Function(
        name=name, role="r", runtime="python3.12", architecture="x86_64", handler="handler.handler", description="",
        memory=2048, timeout=600, storage=512, environment={}, tags={}, code_sha256="", state=state,
    )  # fmt: skip


def make_package(directory: Path) -> Package:
    """Two archives as they are found."""
    return Package(
        *(
            Archive(directory / f"podpac_{name}.zip", kind, "0" * 64, 1024**2, 100 * 1024**2, None)
            for name, kind in (("dist", "dist"), ("deps", "dependencies"))
        )
    )


def make_result(array: xr.DataArray | None = None) -> Result:
    """A result as the engine gives it."""
    if array is None:
        array = xr.DataArray(
            np.arange(6.0).reshape(2, 3),
            {"lat": [0.0, 10.0], "lon": [0.0, 10.0, 20.0]},
            ("lat", "lon"),
            attrs={"units": "mm"},
        )
    return Result(
        array=array,
        timings={},
        versions={},
        elapsed=1.25,
        request_id="r-1",
        log="",
        billed_ms=900,
        memory_mb=128,
        memory_size=2048,
    )


@dataclass
class FakeStack:
    """A stack that is in no account: what it was asked is in ``asked``."""

    backend: FakeBackend
    deployment: Any
    source: Any

    def _plan(self, purpose: str, kind: type[Create] | type[Delete]) -> Plan:
        name = self.deployment.function_name
        changes = tuple(kind(LogGroup(name=f"/aws/lambda/{name}{tail}", retention=30, tags={})) for tail in ("", "-2"))
        return Plan(name, purpose, changes)

    def plan(self) -> Plan:
        self.backend.did("plan")
        if self.backend.hold_plan is not None:
            self.backend.running.set()
            self.backend.hold_plan.wait(10)
        return self.backend.planned or self._plan("build", Create)

    def build(self, listener: Callable[[Any], None], cancelled: Callable[[], bool], *, expected: Plan) -> Plan:
        now = self.backend.planned or self._plan("build", Create)
        if expected is not None:
            check_same(now, expected)
        self.backend.did("build")
        if self.backend.hold is not None:
            self.backend.running.set()
            self.backend.hold.wait(10)
        return self._apply(now, listener, cancelled)

    def plan_delete(self) -> Plan:
        self.backend.did("plan_delete")
        return self.backend.planned_delete or self._plan("delete", Delete)

    def delete(
        self,
        *,
        confirm: bool | str,
        listener: Callable[[Any], None],
        cancelled: Callable[[], bool],
        expected: Plan,
    ) -> Plan:
        now = self.backend.planned_delete or self._plan("delete", Delete)
        check_confirmation(now, confirm, self.deployment.function_name)
        if expected is not None:
            check_same(now, expected)
        self.backend.did("delete", confirm)
        return self._apply(now, listener, cancelled)

    def describe(self) -> Description:
        """What was built and not deleted; not among what was ``asked``, for it is asked in the background."""
        self.backend.threads.add(threading.get_ident())
        self.backend.described += 1
        self.backend.fail_if_told("describe")
        name = self.deployment.function_name
        group = LogGroup(name=f"/aws/lambda/{name}", retention=30, tags={})
        function = make_function(name)
        found = (
            tuple(Observed(each, name) for each in (function, group))
            if (self.backend.who.account, name) in self.backend.there
            else ()
        )
        return Description(name, self.backend.who, (function, group), found)

    def missing_for(self, purpose: str) -> tuple[str, ...] | None:
        """Asked in the background too."""
        self.backend.threads.add(threading.get_ident())
        self.backend.permissions_of.append(self.deployment.function_name)
        self.backend.fail_if_told("missing_for")
        if self.backend.hold_permissions is not None:
            self.backend.running.set()
            self.backend.hold_permissions.wait(10)
        return self.backend.missing

    def policy_for(self, purpose: str) -> dict[str, Any]:
        self.backend.did("policy_for", purpose)
        return {"Version": "2012-10-17", "Statement": [{"Sid": purpose}]}

    def _apply(self, plan: Plan, listener: Callable[[Any], None], cancelled: Callable[[], bool]) -> Plan:
        listener(PlanStarted(plan))
        for change in plan.writes:
            if cancelled():
                raise CancelledError("The plan was cancelled")
            listener(ChangeStarted(change))
            listener(ChangeApplied(change, 0.5))
        what = (self.backend.who.account, self.deployment.function_name)
        (self.backend.there.add if plan.purpose == "build" else self.backend.there.discard)(what)
        listener(PlanFinished(plan, 1.0))
        return plan

    def capacity(self) -> Capacity:
        self.backend.fail_if_told("capacity")
        return wished_capacity(self.deployment)

    def get_runs(self, *, limit: int) -> tuple[RunRecord, ...]:
        self.backend.fail_if_told("get_runs")
        return self.backend.history[:limit]

    def get_logs(self, *, request_id: str) -> tuple[LogLine, ...]:
        self.backend.did("get_logs", request_id)
        return self.backend.lines

    def submit(self, pipeline: Any, coordinates: Any, way: str, listener: Callable[[Job], None]) -> Job:
        self.backend.fail_if_told("submit")
        self.backend.ways.append(way)
        return self.backend.jobs.submit(
            pipeline.output, lambda progress, cancelled: self.run(pipeline, coordinates, progress, cancelled), listener
        )

    def submit_zarr(self, pipeline: Any, coordinates: Any, result: Result, listener: Callable[[Job], None]) -> Job:
        def work(progress: Callable[[Any], None], cancelled: Callable[[], bool]) -> Result:
            self.backend.did("zarr", pipeline, coordinates)
            self.run(pipeline, coordinates, progress, cancelled)
            return replace(result, zarr="s3://bucket/output/sin.zarr")

        return self.backend.jobs.submit(pipeline.output, work, listener)

    def resume(self, job: Job) -> Job:
        self.backend.did("resume", job.number)
        return self.backend.jobs.resume(job, job.work)

    def run(
        self, pipeline: Any, coordinates: Any, listener: Callable[[Any], None], cancelled: Callable[[], bool]
    ) -> Result:
        self.backend.did("run", pipeline, coordinates)
        listener(RunProgressed("sent", "6 points"))
        if self.backend.hold is not None:
            self.backend.running.set()
            while not self.backend.hold.wait(0.01):
                if cancelled():
                    raise CancelledError("The run was cancelled")
        listener(RunProgressed("done", "1.2 s"))
        return self.backend.result


@dataclass
class FakeBackend:
    """What the forms ask for, without AWS."""

    asked: list[tuple[Any, ...]] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)
    #: What to raise, by the name of the request.
    errors: dict[str, BaseException] = field(default_factory=dict)
    #: Given the secret, what to raise when connecting.
    connect_error: Callable[[Any], BaseException] | None = None
    result: Result = field(default_factory=make_result)
    planned: Plan | None = None
    planned_delete: Plan | None = None
    #: What the function's log tells of its runs, and of the one that is asked for.
    history: tuple[RunRecord, ...] = ()
    lines: tuple[LogLine, ...] = ()
    jobs: Jobs = field(default_factory=Jobs)
    ways: list[str] = field(default_factory=list)
    #: Holds a build or a run until it is set.
    hold: threading.Event | None = None
    #: Holds a comparison until it is set.
    hold_plan: threading.Event | None = None
    #: Accounts and names of the functions that are there, and how often it was asked what is.
    there: set[tuple[str, str]] = field(default_factory=set, repr=False)
    described: int = 0
    #: Permissions that are missing, in words.
    missing: tuple[str, ...] | None = ()
    #: Names of the functions whose permissions were asked for; what holds the answers until it is set.
    permissions_of: list[str] = field(default_factory=list)
    hold_permissions: threading.Event | None = None
    #: Archives below the working folder, and what is wrong with those that are looked into.
    archives: Sequence[FoundArchive] = ()
    problems: tuple[Any, ...] = ()
    running: threading.Event = field(default_factory=threading.Event)
    closed: list[str] = field(default_factory=list)
    #: Who AWS says we are. Not in the repr: its digits are also in the secrets that are looked for there.
    who: Identity = field(default=IDENTITY, repr=False)

    def did(self, name: str, *what: Any) -> None:
        self.asked.append((name, *what))
        self.threads.add(threading.get_ident())
        self.fail_if_told(name)

    def fail_if_told(self, name: str) -> None:
        if name in self.errors:
            raise self.errors[name]

    def names(self) -> list[str]:
        return [entry[0] for entry in self.asked]

    def profiles(self) -> Sequence[tuple[str, str]]:
        self.did("profiles")
        return (("default", "default"), ("lab", "lab · SSO"))

    def regions(self) -> Sequence[tuple[str, str]]:
        self.did("regions")
        return (("eu-west-1", "Europe (Ireland)"), ("us-east-1", "US East (N. Virginia)"))

    def connect(self, **given: Any) -> Connection:
        self.did("connect", {name: value for name, value in given.items() if isinstance(value, str)})
        if self.connect_error is not None:
            raise self.connect_error(given["secret_access_key"])
        return Connection(SilentAccount(), self.who, close=lambda: self.closed.append("aws"))

    def connect_embedded(self) -> Connection:
        self.did("connect_embedded")
        return Connection(SilentAccount(), IDENTITY, embedded=True, close=lambda: self.closed.append("embedded"))

    def identity(self, connection: Connection) -> Identity:
        self.did("identity")
        return self.who

    def build_archives(
        self, directory: Path, runtime: str, listener: Callable[[Any], None], cancelled: Callable[[], bool]
    ) -> Package:
        self.did("build_archives", directory, runtime)
        listener(BuildProgress("install", "Installing 30 packages", 10, 100))
        listener(BuildProgress("compress", "Compressing", 80, 100))
        return make_package(directory)

    def find_archives(self, folder: Path) -> Sequence[FoundArchive]:
        self.threads.add(threading.get_ident())
        return self.archives if folder == Path.cwd() else ()

    def examine_archives(self, source: Any, wish: Any) -> Examination:
        self.threads.add(threading.get_ident())
        self.fail_if_told("examine_archives")
        return Examination(make_package(Path(source.function_source_dist_zip).parent), self.problems)

    def measure_objects(self, connection: Any, source: Any) -> list[list[Any]]:
        self.threads.add(threading.get_ident())
        return [["Distribution", "81 MB in the bucket"]]

    def stack(self, account: Any, deployment: Any, source: Any) -> FakeStack:
        return FakeStack(self, deployment, source)


class FrontEnd:
    """Sends what the page would send."""

    def send(self, form: Any, content: dict[str, Any], *buffers: bytes) -> None:
        """One custom message, as the comm delivers it."""
        data = {"method": "custom", "content": content}
        form._handle_msg({"content": {"data": data}, "buffers": [memoryview(each) for each in buffers]})

    def type(self, form: Form, name: str, value: str) -> None:
        """Type into a field and leave it."""
        self.send(form, {"type": "input", "name": name, "value": value})

    def press(self, form: Form, name: str) -> None:
        """Press a button."""
        self.send(form, {"type": "action", "name": name})

    def type_secret(self, form: Form, name: str, value: str) -> None:
        """Type into a secret field and leave it."""
        self.send(form, {"type": "secret", "name": name}, value.encode())


@pytest.fixture
def front_end() -> FrontEnd:
    return FrontEnd()


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def studio(backend: FakeBackend, tmp_path: Path) -> Iterator[Studio]:
    studio = Studio(tmp_path, backend=backend)
    studio.wait(10)
    yield studio
    studio.close_all()


@pytest.fixture
def ready(studio: Studio) -> Studio:
    """A Studio that is connected and has its archives."""
    studio.credentials.use_embedded_aws()
    studio.wait(10)
    studio.source.build_archives()
    studio.wait(10)
    return studio


@pytest.fixture
def built(ready: Studio) -> Studio:
    """A Studio whose function is built."""
    ready.deploy.plan()
    ready.wait(10)
    ready.deploy.build()
    ready.wait(10)
    return ready
