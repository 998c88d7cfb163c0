"""The repository names no machine, and its documents agree with its code."""

from __future__ import annotations

import configparser
import re
import subprocess
from pathlib import Path

import pytest


def tracked(repository: Path) -> list[Path]:
    names = subprocess.check_output(["git", "ls-files", "-z"], cwd=repository, text=True).split("\0")
    return [repository / name for name in names if name and (repository / name).is_file()]


def test_no_file_names_a_package_index(repository: Path) -> None:
    index = re.compile(r"https?://(files\.)?(py" + r"pi|python" + r"hosted|registry\.np" + r"m)[\w.]*")
    found = [
        path.name
        for path in tracked(repository)
        if path.suffix not in (".png", ".nc", ".zip") and index.search(path.read_text("utf-8", errors="ignore"))
    ]
    assert found == []


def test_every_dependency_has_its_reason(repository: Path) -> None:
    setup = configparser.ConfigParser()
    setup.read(repository / "setup.cfg")
    listed = setup["options"]["install_requires"] + "".join(setup["options.extras_require"].values())
    reasons = (repository / "docs" / "dependencies.md").read_text()
    names = {re.split(r"[<>=!;\[ ]", line)[0] for line in listed.splitlines() if line and not line.startswith("#")}
    assert sorted(name for name in names if name and f"`{name}`" not in reasons) == []


def test_the_readme_names_only_targets_there_are(repository: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (repository / "Makefile").read_text(), re.MULTILINE))
    readme = (repository / "README.md").read_text()
    named = set(re.findall(r"`make ([a-z-]+)", readme)) | set(re.findall(r"^make ([a-z-]+)", readme, re.MULTILINE))
    assert named
    assert named <= targets


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/architecture.md", "dist/aws/README.md"])
def test_every_relative_link_leads_somewhere(repository: Path, name: str) -> None:
    page = repository / name
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
