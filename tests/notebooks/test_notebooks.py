"""Every notebook runs from top to bottom in a clean kernel, and keeps no secret."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from podpac_lambda_widgets.packaging.archive import Package

pytestmark = [pytest.mark.local_aws, pytest.mark.archive]

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def execute(path: Path, *more: str) -> nbformat.NotebookNode:
    """Run a notebook, and some code behind it, as nbclient does; widget state is stored."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells += [nbformat.v4.new_code_cell(code) for code in more]
    client = NotebookClient(notebook, timeout=280, kernel_name="python3", resources={"metadata": {"path": path.parent}})
    return client.execute()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(path: Path, package: Package) -> None:
    executed = execute(path)
    outputs = [output for cell in executed.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert outputs


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert not [cell for cell in notebook.cells if cell.cell_type == "code" and (cell.outputs or cell.execution_count)]
    assert "widgets" not in notebook.metadata


JOB = """
import numpy, warnings
studio.credentials.use_embedded_aws(); studio.wait()
studio.source.build_archives(); studio.wait()
studio.deploy.plan(); studio.wait()
studio.deploy.build(); studio.wait()
studio.pipeline.run(); studio.wait()
"""
EQUAL = """
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import podpac
grid = podpac.Coordinates(
    [podpac.clinspace(-90, 90, 180), podpac.clinspace(90, -90, 180), "2018-01-01"], ["lat", "lon", "time"])
expected = podpac.algorithm.SinCoords().eval(grid)
assert studio.result.values.tobytes() == expected.values.tobytes()
assert studio.result.dims == expected.dims
"equal bit for bit"
"""
SECRET = """
session = studio.credentials.connection.account.session
session.get_credentials().secret_key[::-1]
"""
DELETE = "studio.deploy.delete(); studio.wait(); studio.deploy.stack.plan_delete().changes"


def test_the_studio_does_its_job_without_a_browser_and_keeps_no_secret(repository: Path, package: Package) -> None:
    executed = execute(repository / "notebooks" / "studio.ipynb", JOB, EQUAL, SECRET)
    said = [output for output in executed.cells[-2].outputs if "data" in output]
    assert said[-1]["data"]["text/plain"] == "'equal bit for bit'"
    secret = executed.cells.pop().outputs[-1]["data"]["text/plain"].strip("'")[::-1]
    assert len(secret) > 20
    saved = json.dumps(executed)
    assert "application/vnd.jupyter.widget-state+json" in saved
    for form in (secret, base64.b64encode(secret.encode()).decode(), secret[:12], secret[-12:]):
        assert form not in saved
