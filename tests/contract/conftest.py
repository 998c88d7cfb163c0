"""An embedded AWS whose every call is written down."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import cache
from types import SimpleNamespace
from typing import Any

import botocore.waiter
import pytest
from small_archives import write_sources
from wire import Observer, Wire, WiredSession

from podpac_lambda_widgets.aws import session as sessions
from podpac_lambda_widgets.local.emulator import local_aws
from podpac_lambda_widgets.model.source import Source


@pytest.fixture(scope="session")
def snapshot_sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Source]:
    """The same for a runtime that SnapStart takes."""
    return write_sources(tmp_path_factory.mktemp, python="3.12", runtime="python3.12")


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Source]:
    """Two versions of small archives."""
    return write_sources(tmp_path_factory.mktemp)


@pytest.fixture(scope="session")
def _shared() -> Iterator[Any]:
    pytest.importorskip("ministack")
    with local_aws(region_name="us-east-1") as aws:
        made = Wire()
        yield SimpleNamespace(wire=made, session=WiredSession(aws, made), observer=Observer(aws))


@pytest.fixture
def recorder(_shared: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``wire`` and its ``session``, and an ``observer`` whose calls are not written down."""
    _shared.wire.pending_polls = 1
    monkeypatch.setattr(botocore.waiter, "time", SimpleNamespace(sleep=lambda seconds: time.sleep(0.02)))
    monkeypatch.setattr(sessions, "regions", cache(sessions.regions))
    return _shared
