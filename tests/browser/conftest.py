"""One JupyterLab and one Chromium for all browser tests; a notebook and a kernel of its own for each."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from lab import Lab, LabServer, Notebook, Shelf, StudioPage, chromium, find_chromium

from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.engine.stack import Stack
from podpac_lambda_widgets.local.emulator import local_aws
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.examples import EXAMPLES, tutorial_coordinates
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.packaging.archive import Package

FAILED = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("browser")
            if not find_chromium():
                item.add_marker(pytest.mark.skip(reason="no Chromium: install it, or set CHROMIUM to its program"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Any]:
    root = tmp_path_factory.mktemp("notebooks")
    # So that the archives are built once, where the checkout has them.
    (root / "dist").symlink_to(repository / "dist")
    server = LabServer(root, tmp_path_factory.mktemp("jupyter"))
    yield server
    server.stop()


# For this folder only: Playwright leaves an event loop running on the main thread, where other tests need none.
@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def shelf(browser: Any) -> Iterator[Any]:
    """Keeps one page between tests: JupyterLab takes longer to load than most tests take."""
    shelf = Shelf(browser)
    yield shelf
    shelf.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture
def lab(request: pytest.FixtureRequest, server: Any, shelf: Any) -> Iterator[Any]:
    """A page for a notebook; a test that changes the page itself says ``lab.keep = False``."""
    lab = Lab(server, shelf.take())
    yield lab
    shelf.put_back(lab, spoilt=FAILED in request.node.stash)
    server.stop_kernels()


@pytest.fixture
def notebook7(server: Any, browser: Any) -> Iterator[Any]:
    """A page for a notebook in Notebook 7."""
    context = browser.new_context(viewport=Shelf.VIEWPORT)
    yield Notebook(server, context.new_page())
    context.close()
    server.stop_kernels()


@pytest.fixture(scope="session")
def deployed(package: Package) -> Iterator[str]:
    """Code that leads a kernel to an AWS where the Studio's function is built, and warm."""
    with local_aws(region_name="us-east-1") as session:
        dist, dependencies = str(package.dist.path), str(package.dependencies.path)
        source = Source(function_source_dist_zip=dist, function_source_dependencies_zip=dependencies)
        stack = Stack(AwsAccount(session), Deployment(), source)
        stack.build()
        stack.run(EXAMPLES[0].pipeline, tutorial_coordinates())
        keys = session.get_credentials().get_frozen_credentials()
        found = {
            "AWS_ENDPOINT_URL": session.endpoint_url,
            "AWS_ACCESS_KEY_ID": keys.access_key,
            "AWS_SECRET_ACCESS_KEY": keys.secret_key,
            "AWS_DEFAULT_REGION": session.region_name,
        }
        yield f"import os\nos.environ.update({found!r})"


@pytest.fixture
def open_studio(lab: Any) -> Any:
    """Opens a notebook with a Studio (and more cells, if given) and returns its page."""

    def open_studio(*cells: str, theme: str = "light") -> Any:
        lab.write("studio-test.ipynb", "from podpac_lambda_widgets import Studio\nstudio = Studio()\nstudio", *cells)
        lab.open("studio-test.ipynb", theme)
        assert lab.run_all()
        return StudioPage(lab)

    return open_studio


@pytest.fixture
def open_notebook(lab: Any, repository: Path) -> Any:
    """Opens a copy of one of the project's notebooks, runs it, and returns the Studio in it."""

    def open_notebook(name: str) -> Any:
        (lab.server.root / name).write_bytes((repository / "notebooks" / name).read_bytes())
        lab.open(name)
        assert lab.run_all()
        return StudioPage(lab)

    return open_notebook


@pytest.fixture
def studio_page() -> Any:
    """The class that reads a Studio off the page."""
    return StudioPage
