"""An embedded AWS whose every call is written down."""

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

from podpac_lambda_widgets.aws import session as sessions
from podpac_lambda_widgets.local.emulator import local_aws
from podpac_lambda_widgets.model.source import Source

_TESTS = Path(__file__).parent.parent


def _load(name: str, path: Path) -> Any:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


_load("archive_pair", _TESTS / "packaging" / "conftest.py")
small_archives = _load("small_archives", _TESTS / "deploy" / "small_archives.py")
wire = _load("wire", _TESTS / "deploy" / "wire.py")
_load("service_model", Path(__file__).parent / "service_model.py")


@pytest.fixture(scope="session")
def snapshot_sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Source]:
    """The same for a runtime that SnapStart takes."""
    made: dict[str, Source] = small_archives.write_sources(tmp_path_factory.mktemp, python="3.12", runtime="python3.12")
    return made


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Source]:
    """Two versions of small archives."""
    made: dict[str, Source] = small_archives.write_sources(tmp_path_factory.mktemp)
    return made


@pytest.fixture(scope="session")
def _shared() -> Iterator[Any]:
    pytest.importorskip("ministack")
    with local_aws(region_name="us-east-1") as aws:
        made = wire.Wire()
        yield SimpleNamespace(wire=made, session=wire.WiredSession(aws, made), observer=wire.Observer(aws))


@pytest.fixture
def recorder(_shared: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``wire`` and its ``session``, and an ``observer`` whose calls are not written down."""
    _shared.wire.pending_polls = 1
    monkeypatch.setattr(botocore.waiter, "time", SimpleNamespace(sleep=lambda seconds: time.sleep(0.02)))
    monkeypatch.setattr(sessions, "regions", cache(sessions.regions))
    return _shared
