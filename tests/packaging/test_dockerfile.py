"""The Dockerfile's steps, done here in a folder: what it copies is there, and is all that the builder needs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "dist" / "aws" / "Dockerfile").read_text().replace("\\\n", "")
#: Runs a module as ``python -m`` does, with nothing of this environment but what the image installs.
RUN = (
    "import runpy, sys; sys.path[:0] = {path!r}; runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)


def steps(name: str) -> list[str]:
    return [line.removeprefix(name).strip() for line in DOCKERFILE.splitlines() if line.startswith(f"{name} ")]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A folder that stands for the image's root, after COPY."""
    for step in steps("COPY"):
        *sources, target = step.split()
        place = tmp_path / target.lstrip("/")
        for source in (ROOT / each for each in sources):
            if source.is_file():
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, place)
            else:
                # What Dockerfile.dockerignore lets through.
                shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__", "*.zip", "*.sh", "*.md"))
    return tmp_path


def test_what_is_installed_is_uv_and_packaging_in_the_versions_of_the_locks(image: Path) -> None:
    (install,) = steps("RUN")
    collect, _, rest = install.partition("&&")
    subprocess.run(["sh", "-ec", collect.replace("/tmp/", f"{image}/tmp/")], check=True)
    assert "--require-hashes -r /tmp/locks/uv.txt" in rest
    lines = (image / "tmp/locks/uv.txt").read_text()
    pinned = re.findall(r"^(\S+)==(\S+) \\(?:\n +--hash=sha256:[0-9a-f]{64}(?: \\)?)+$", lines, re.MULTILINE)
    assert [name for name, _ in pinned] == ["uv", "packaging"]
    # Nothing else is in it, but comments.
    assert len(re.findall(r"^[^#\s]", lines, re.MULTILINE)) == len(pinned)


def test_the_builder_runs_with_what_was_copied_and_installed_and_nothing_else(image: Path) -> None:
    installed = image / "site"
    shutil.copytree(Path(str(distribution("packaging").locate_file("packaging"))), installed / "packaging")
    (entry,) = steps("ENTRYPOINT")
    python, option, module, *arguments = json.loads(entry)
    assert (python, option) == ("python", "-m")
    here = [each.replace("/build", f"{image}/build") for each in arguments]
    assert Path(here[here.index("--recipe") + 1], "handler.py").is_file()
    path = [f"{image}/build", str(installed)]
    told = subprocess.run(
        [sys.executable, "-I", "-S", "-c", RUN.format(path=path), module, *here, "--help"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert "--recipe" in told.stdout
    assert told.stderr == ""
