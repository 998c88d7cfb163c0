"""What a notebook shows of the forms where no kernel is."""

from __future__ import annotations

import base64
import copy
import io
import re
from html.parser import HTMLParser
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from PIL import Image

from podpac_lambda_widgets.widgets.result_thumbnail import MOST_BYTES

_STUDIO = "from podpac_lambda_widgets import Studio\nstudio = Studio()\nstudio"
_HAPPENS = """
import numpy as np, xarray as xr
from podpac_lambda_widgets.engine.results import Result
from podpac_lambda_widgets.errors import AwsError
from podpac_lambda_widgets.widgets.result_view import prepare_result
lat, lon = np.linspace(-90, 90, 180), np.linspace(-180, 180, 180)
values = np.sin(np.radians(lat))[:, None] * np.cos(np.radians(lon))
waves = xr.DataArray(values, {"lat": lat, "lon": lon}, ("lat", "lon"), attrs={"units": "mm"})
said = dict(timings={}, versions={}, elapsed=1.25, request_id="r-1", log="", billed_ms=900, memory_mb=1)
result = Result(array=waves, **said)
studio.results.show(prepare_result("Waves", result, {"Ran on": "account 123456789012"}))
studio.credentials.stand("done", "Connected to account 123456789012, eu-west-1")
studio.pipeline.show_error(AwsError("It <b>failed</b>", why="<script>alert(1)</script>", next_step="Correct it."))
studio.deploy.stand("done", "It is built")
studio.wait(30)
"""


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    """A Studio, shown twice, and one of its forms alone; with widget state, as nbclient leaves it."""
    cells = [nbformat.v4.new_code_cell(cell) for cell in (_STUDIO, "studio", "studio.deploy", _HAPPENS)]
    folder = str(tmp_path_factory.mktemp("notebook"))
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, kernel_name="python3", timeout=120, resources={"metadata": {"path": folder}}).execute()
    return notebook


@pytest.fixture(scope="module")
def saved(executed: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The Studio, shown once; without widget state, as JupyterLab leaves it unless it is told otherwise."""
    notebook = copy.deepcopy(executed)
    del notebook.metadata["widgets"]
    del notebook.cells[1:3]
    return notebook


class Text(HTMLParser):
    """The text that is seen, and the tags there are."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.tags = "", set[str]()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


def read(html: str) -> Text:
    parser = Text()
    parser.feed(html)
    parser.text = " ".join(parser.text.split())
    return parser


def test_it_tells_how_the_forms_stand_when_the_notebook_was_saved(saved: nbformat.NotebookNode) -> None:
    widget, snapshot = saved.cells[0].outputs
    assert "application/vnd.jupyter.widget-view+json" in widget["data"]
    seen = read(snapshot["data"]["text/html"]).text
    assert "PODPAC on AWS Lambda" in seen
    assert "Connect Done Connected to account ********9012, eu-west-1" in seen
    assert "Results Done" in seen
    assert "Map of Waves" in seen
    assert "Run Needs attention It <b>failed</b>" in seen
    assert re.search(r"As it stood at \d{4}-\d\d-\d\d \d\d:\d\d UTC\.", seen)
    lines = snapshot["data"]["text/plain"].splitlines()
    assert lines[0] == "PODPAC on AWS Lambda"
    assert len(lines) == 6


def test_the_result_is_seen_in_a_small_picture(saved: nbformat.NotebookNode) -> None:
    found = re.findall(r"src='data:image/png;base64,([^']+)'", saved.cells[0].outputs[1]["data"]["text/html"])
    [png] = [base64.b64decode(each) for each in found]
    assert len(png) <= MOST_BYTES
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    height, width, _ = pixels.shape
    assert width > 1.5 * height > 15
    # The wave is highest in the north of the middle, and lowest in the south of it.
    for row, colour in ((0, (236, 229, 27)), (height - 1, (71, 16, 99))):
        assert np.abs(pixels[row, width // 2] - colour).max() < 12


def test_what_is_in_it_is_text_and_never_markup(saved: nbformat.NotebookNode) -> None:
    seen = read(saved.cells[0].outputs[1]["data"]["text/html"])
    assert "It <b>failed</b> <script>alert(1)</script> Correct it." in seen.text
    assert seen.tags <= {"style", "div", "h3", "table", "tbody", "tr", "th", "td", "p", "strong", "img"}


def test_no_account_number_is_in_it(saved: nbformat.NotebookNode) -> None:
    assert "123456789012" in saved.cells[1].source
    assert "123456789012" not in str(saved.cells[0].outputs)


def test_the_whole_studio_with_a_result_adds_little_to_the_notebook(saved: nbformat.NotebookNode) -> None:
    empty = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.source) for cell in saved.cells])
    added = len(nbformat.writes(saved)) - len(nbformat.writes(empty))
    assert 1_000 < added <= 20_000


def test_exported_html_shows_it(saved: nbformat.NotebookNode, executed: nbformat.NotebookNode) -> None:
    for notebook in (saved, executed):
        html, _ = HTMLExporter().from_notebook_node(notebook)
        seen = read(html).text
        assert "Connect Done Connected to account ********9012, eu-west-1" in seen
        assert "Map of Waves" in seen


def test_a_second_view_and_a_form_alone_have_it_too(executed: nbformat.NotebookNode) -> None:
    first, second, alone = (read(cell.outputs[1]["data"]["text/html"]).text for cell in executed.cells[:3])
    assert first == second
    assert "Deploy Done It is built" in first
    assert "Deploy Done It is built" in alone
    assert "Connect" not in alone
