"""The Studio where it is not in JupyterLab: in Notebook 7, and on a page of its own."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

STUDIO = "from podpac_lambda_widgets import Studio\nstudio = Studio()\nstudio"


@pytest.mark.local_aws
@pytest.mark.archive
def test_notebook_7_runs_a_pipeline_and_draws_its_result(notebook7: Any, deployed: str, studio_page: Any) -> None:
    notebook7.write("where.ipynb", deployed, STUDIO)
    notebook7.open("where.ipynb")
    assert notebook7.run_all()
    studio = studio_page(notebook7)
    studio.button("Connect").click()
    studio.wait_for("Connect")
    studio.button("Run").click()
    studio.wait_for("Results")
    picture = studio.picture("Map of SinCoords")
    studio.wait_for_colours(picture)
    assert notebook7.run_code("print(studio.result.shape)").strip() == "(180, 180, 1)"
    # Notebook 7 has complaints of its own; our script is the one that comes from a blob.
    assert [said for said in notebook7.complaints if "blob:" in said] == []


@contextmanager
def app(repository: Path, log: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """``make app``: its address, and its process."""
    command = [sys.executable, "-m", "podpac_lambda_widgets.demo", "--app"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=repository, stdout=output, stderr=subprocess.STDOUT)
    try:
        link = None
        while link is None:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.2)
            link = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", log.read_text())
        yield link[0], process
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.local_aws
@pytest.mark.archive
def test_the_app_is_a_page_of_its_own_that_finds_the_embedded_aws(
    repository: Path, package: Any, tmp_path: Path, browser: Any
) -> None:
    context = browser.new_context(viewport={"width": 1200, "height": 1000})
    page = context.new_page()
    elsewhere: list[str] = []
    page.on("request", lambda request: elsewhere.append(request.url))
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    with app(repository, tmp_path / "app.log") as (link, process):
        page.goto(link.partition("?")[0])
        expect(page.locator(".plw")).to_have_count(0)
        assert "/login" in page.url
        page.goto(link)
        expect(page).to_have_title("PODPAC Studio")
        step = page.get_by_role("region", name="Step 1 Connect", exact=True)
        step.get_by_role("button", name="Connect", exact=True).click(timeout=60_000)
        expect(step.get_by_text("Connected to account 000000000000").first).to_be_visible(timeout=60_000)
        assert page.get_by_text("import Studio").count() == 0
        page.goto(f"{link}&theme=dark")
        expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
        expect(page.get_by_role("region", name="Step 5 Results", exact=True)).to_be_visible(timeout=60_000)
        process.terminate()
        assert process.wait(30) == 0
    context.close()
    assert [url for url in elsewhere if not url.startswith((link.partition("?")[0], "blob:", "data:"))] == []
    assert complaints == []
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.urlopen(link, timeout=5)
