"""One JupyterLab and one Chromium for all browser tests; a fresh page and kernel for each."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def _load_lab() -> ModuleType:
    # Test files are imported by path, so that their neighbours are not on Python's path.
    name = "podpac_lambda_widgets_browser_lab"
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("lab.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


lab_module = _load_lab()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("browser")
            if not lab_module.find_chromium():
                item.add_marker(pytest.mark.skip(reason="no Chromium: install it, or set CHROMIUM to its program"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Any]:
    root = tmp_path_factory.mktemp("notebooks")
    # So that the archives are built once, where the checkout has them.
    (root / "dist").symlink_to(repository / "dist")
    server = lab_module.LabServer(root, tmp_path_factory.mktemp("jupyter"))
    yield server
    server.stop()


# For this folder only: Playwright leaves an event loop running on the main thread, where other tests need none.
@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    with lab_module.chromium() as browser:
        yield browser


@pytest.fixture
def lab(server: Any, browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1400, "height": 1600}, accept_downloads=True)
    lab = lab_module.Lab(server, context.new_page())
    yield lab
    context.close()
    server.stop_kernels()


@pytest.fixture
def open_studio(lab: Any) -> Any:
    """Opens a notebook with a Studio (and more cells, if given) and returns its page."""

    def open_studio(*cells: str, theme: str = "light") -> Any:
        lab.write("studio-test.ipynb", "from podpac_lambda_widgets import Studio\nstudio = Studio()\nstudio", *cells)
        lab.open("studio-test.ipynb", theme)
        assert lab.run_all()
        return lab_module.StudioPage(lab)

    return open_studio


@pytest.fixture
def open_notebook(lab: Any, repository: Path) -> Any:
    """Opens a copy of one of the project's notebooks, runs it, and returns the Studio in it."""

    def open_notebook(name: str) -> Any:
        (lab.server.root / name).write_bytes((repository / "notebooks" / name).read_bytes())
        lab.open(name)
        assert lab.run_all()
        return lab_module.StudioPage(lab)

    return open_notebook


@pytest.fixture
def studio_page() -> Any:
    """The class that reads a Studio off the page."""
    return lab_module.StudioPage
