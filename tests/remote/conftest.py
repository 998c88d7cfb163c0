"""podpac and hypothesis in one process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says something about the machine, not about the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def _drop_stubs() -> None:
    """Take podpac's placeholders for packages that are not installed out of ``sys.modules``.

    hypothesis looks at every module there, and a placeholder raises ImportError as soon as it is looked at.
    """
    lazy_import = sys.modules.get("lazy_import")
    if lazy_import is None:
        return
    for name, module in list(sys.modules.items()):
        if issubclass(type(module), lazy_import.LazyModule) and PathFinder.find_spec(name.partition(".")[0]) is None:
            del sys.modules[name]


@pytest.hookimpl(tryfirst=True, wrapper=True)
def pytest_collection_modifyitems() -> Iterator[None]:
    _drop_stubs()
    yield


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    _drop_stubs()
