"""The account of the sweep, and archives that are whole but small."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.waiter
import pytest
from boto3.s3.transfer import TransferConfig

from podpac_lambda_widgets import limits
from podpac_lambda_widgets.aws import objects
from podpac_lambda_widgets.aws import session as sessions
from podpac_lambda_widgets.local.emulator import local_aws
from podpac_lambda_widgets.model.source import Source

_HERE = Path(__file__).parent


def _load(name: str, path: Path) -> Any:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


_load("archive_pair", _HERE.parent / "packaging" / "conftest.py")
small_archives = _load("small_archives", _HERE / "small_archives.py")
wire = _load("wire", _HERE / "wire.py")
world = _load("world", _HERE / "world.py")
sweep = _load("sweep", _HERE / "sweep.py")

FUNCTION = "sweep"
COUNT = "cases of the cut wire"


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Source]:
    """Two versions of the archives."""
    made: dict[str, Source] = small_archives.write_sources(tmp_path_factory.mktemp)
    return made


@pytest.fixture(scope="session")
def bench() -> Iterator[Any]:
    """An account of its own, with what others have in it."""
    pytest.importorskip("ministack")
    with local_aws(region_name="us-east-1") as aws:
        observer = wire.Observer(aws)
        foreign = world.ForeignWorld(observer, FUNCTION)
        foreign.plant()
        made = wire.Wire()
        yield sweep.Bench(wire.WiredSession(aws, made), made, observer, world.read_inventory(observer))


@pytest.fixture(scope="session")
def snapshot_sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Source]:
    """Archives for a runtime that SnapStart takes."""
    made: dict[str, Source] = small_archives.write_sources(tmp_path_factory.mktemp, python="3.12", runtime="python3.12")
    return made


@pytest.fixture(scope="session")
def _large(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Source]:
    made: dict[str, Source] = small_archives.write_sources(tmp_path_factory.mktemp, 6 * limits.MEGABYTE)
    return made


@pytest.fixture
def large_sources(_large: dict[str, Source], monkeypatch: pytest.MonkeyPatch) -> dict[str, Source]:
    """Archives that are too large for the call itself and go to the bucket in parts, with bounds that are as small."""
    # The smallest part that S3 takes.
    part = 5 * limits.MEGABYTE
    monkeypatch.setattr(objects, "_TRANSFER", TransferConfig(multipart_threshold=part, multipart_chunksize=part))
    monkeypatch.setattr(limits, "DIRECT_ARCHIVE_BYTES", part)
    return _large


@pytest.fixture
def stored_sources(bench: Any, sources: dict[str, Source]) -> Iterator[dict[str, Source]]:
    """The archives as objects in somebody's bucket."""
    s3, name, made = bench.observer.client("s3"), "archives-of-somebody", {}
    s3.create_bucket(Bucket=name)
    for version, source in sources.items():
        keys = {part: f"{version}/podpac_{part}.zip" for part in ("dist", "deps")}
        s3.upload_file(source.function_source_dist_zip, name, keys["dist"])
        s3.upload_file(source.function_source_dependencies_zip, name, keys["deps"])
        made[version] = Source(
            function_source_bucket=name,
            function_source_dist_key=keys["dist"],
            function_source_dependencies_key=keys["deps"],
        )
    before, bench.before = bench.before, world.read_inventory(bench.observer)
    yield made
    bench.before = before
    world.scrub(bench.observer, before)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore's waiters know no clock but the machine's; here nobody waits long: the embedded AWS needs a moment."""
    monkeypatch.setattr(botocore.waiter, "time", SimpleNamespace(sleep=lambda seconds: time.sleep(0.02)))
    # Reading botocore's list of regions takes as long as twenty calls.
    monkeypatch.setattr(sessions, "regions", cache(sessions.regions))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many cases were tried."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    counts = [dict(report.user_properties).get(COUNT) for report in reports]
    tried = [count for count in counts if count]
    if tried:
        cases, possible, bad, seconds = (sum(numbers) for numbers in zip(*tried, strict=True))
        terminalreporter.write_line(
            f"cut the wire: {cases} of {possible} cases, {cases - bad} converged, {seconds / cases * 1000:.0f} ms each"
        )
