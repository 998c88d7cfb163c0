"""A hostile AWS for each test: one embedded AWS for all of them, rules of its own for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import botocore.session
import botocore.waiter
import pytest
from overlay import Overlay
from small_archives import write_sources
from wire import Observer, WiredSession
from world import read_inventory, scrub

from podpac_lambda_widgets.aws import session as sessions
from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.engine.stack import Stack
from podpac_lambda_widgets.local.emulator import local_aws
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.source import Source


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Source]:
    """Two versions of small archives."""
    return write_sources(tmp_path_factory.mktemp)


@pytest.fixture(scope="session")
def snapshot_sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Source]:
    """The same for a runtime that SnapStart takes."""
    return write_sources(tmp_path_factory.mktemp, python="3.12", runtime="python3.12")


@pytest.fixture(scope="session")
def _shared() -> Iterator[Any]:
    pytest.importorskip("ministack")
    with local_aws(region_name="us-east-1") as aws:
        overlay = Overlay()
        session = WiredSession(aws, overlay)
        session.events.register("before-send", overlay.send)
        session.events.register("before-parameter-build", _pager(overlay))
        yield SimpleNamespace(overlay=overlay, session=session, observer=Observer(aws))


def _pager(overlay: Any) -> Callable[..., None]:
    loader = botocore.session.Session().get_component("data_loader")

    @cache
    def paginators(service: str, operation: str) -> Any:
        try:
            return loader.load_service_model(service, "paginators-1")["pagination"].get(operation)
        except botocore.exceptions.UnknownServiceError:
            return None

    def handle(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        overlay.page(params, model, context, paginators)

    return handle


@pytest.fixture
def overlay(_shared: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The rules of the test; what it leaves in the account goes."""
    before = read_inventory(_shared.observer)
    found = _shared.overlay
    found.clear()
    # A client has a purse for its retries, which the test before may have emptied.
    _shared.session.forget()
    # botocore knows no clock but the machine's: its waiters and its retries are to wait in the overlay's time.
    time = SimpleNamespace(sleep=found.clock.sleep, time=botocore.endpoint.time.time)
    monkeypatch.setattr(botocore.waiter, "time", time)
    monkeypatch.setattr(botocore.endpoint, "time", time)
    monkeypatch.setattr(sessions, "regions", cache(sessions.regions))
    yield found
    found.clear()
    scrub(_shared.observer, before)


@pytest.fixture
def observer(_shared: Any) -> Any:
    """A session that has no rules."""
    return _shared.observer


@pytest.fixture
def make_stack(_shared: Any, overlay: Any, sources: dict[str, Source]) -> Callable[..., Stack]:
    """Makes a stack as a fresh kernel has it."""

    def make(version: str = "one", **traits: Any) -> Stack:
        deployment = Deployment(**{"function_name": "hostile", **traits})
        account = AwsAccount(_shared.session, overlay.clock)
        return Stack(account, deployment, sources[version], overlay.clock)

    return make
