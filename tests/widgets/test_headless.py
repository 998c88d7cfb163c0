"""The Studio without a browser, with the real thing behind it."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

_DRIVE = """
for press in (
    studio.credentials.use_embedded_aws,
    studio.source.build_archives,
    studio.deploy.plan,
    studio.deploy.build,
):
    press()
    studio.wait(300)
for name in ("Mean of an array", "Arithmetic of two sources", "SinCoords"):
    studio.pipeline.use_example(name)
    studio.pipeline.run()
    studio.wait(120)
    print(repr((name, studio.result.shape, studio.results.picture["alt"])))
"""
_COMPARE = """
import numpy as np, podpac
from podpac import clinspace
where = podpac.Coordinates([clinspace(-90, 90, 180), clinspace(90, -90, 180), "2018-01-01"], ["lat", "lon", "time"])
local = podpac.algorithm.SinCoords().eval(where)
print(studio.result.dims == local.dims and studio.result.values.tobytes() == local.values.tobytes())
"""
_DELETE = """
session = studio.credentials.connection.account.session
s3 = session.client("s3")
[bucket] = [found["Name"] for found in s3.list_buckets()["Buckets"]]
s3.put_object(Bucket=bucket, Key=f"output/podpac-lambda-autogen/{64 * '0'}.nc", Body=b"a result")
studio.deploy.delete(); studio.wait(60)
print(studio.deploy.question)
try:
    studio.deploy.really_delete()
except ValueError as error:
    print(error.field)
studio.deploy.confirmation.confirmation = "podpac-lambda-autogen"
studio.deploy.really_delete(); studio.wait(60)
print(len(session.client("lambda").list_functions()["Functions"]), len(session.client("s3").list_buckets()["Buckets"]))
print([form.standing for form in studio.forms])
"""


def printed(cell: Any) -> list[str]:
    return "".join(output["text"] for output in cell.outputs if output.get("name") == "stdout").splitlines()


@pytest.mark.local_aws
@pytest.mark.archive
@pytest.mark.timeout(600)
def test_the_projects_notebook_does_the_whole_job_under_nbclient(repository: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(repository / "notebooks" / "studio.ipynb", as_version=4)
    notebook.cells += [nbformat.v4.new_code_cell(cell) for cell in (_DRIVE, _COMPARE, _DELETE)]
    # So that the archives are built once, where the checkout has them.
    (tmp_path / "dist").symlink_to(repository / "dist")
    NotebookClient(
        notebook, kernel_name="python3", timeout=400, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    drive, compare, delete = notebook.cells[-3:]
    shown = [ast.literal_eval(line) for line in printed(drive)]
    assert [(name, shape) for name, shape, _ in shown] == [
        ("Mean of an array", (180, 1)),
        ("Arithmetic of two sources", (180, 180, 1)),
        ("SinCoords", (180, 180, 1)),
    ]
    assert [alt.split()[0] for _, _, alt in shown] == ["Line", "Map", "Map"]
    assert printed(compare)[-1] == "True"
    question, *rest = printed(delete)
    assert "1 result is in its bucket and nowhere else" in question
    assert rest == ["confirmation", "0 0", "['done', 'done', 'ready', 'ready', 'done']"]
    assert len(json.dumps(notebook)) < 80_000
