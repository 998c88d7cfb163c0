"""Modules of the user's own that go into the function's code: found, refused, described, packed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from podpac_lambda_widgets.errors import BuildError, CancelledError, InvalidValueError
from podpac_lambda_widgets.packaging.__main__ import main
from podpac_lambda_widgets.packaging.archive import Package
from podpac_lambda_widgets.packaging.build import build_package
from podpac_lambda_widgets.packaging.plugin_imports import check_imports, find_imports
from podpac_lambda_widgets.packaging.plugin_nodes import describe_plugins
from podpac_lambda_widgets.packaging.plugins import Plugin, find_plugins, pack_plugins
from podpac_lambda_widgets.packaging.recipe import find_recipe
from podpac_lambda_widgets.packaging.zipping import extend_archive, measure_files, write_archive
from podpac_lambda_widgets.remote.allowlist import PLUGIN_NODES, read_plugin_nodes

NODE = (
    "import podpac\nimport traitlets as tl\n\n\n"
    "class Risk(podpac.algorithm.Algorithm):\n"
    "    source = podpac.utils.NodeTrait().tag(attr=True)\n"
    "    depth = tl.Float(1.0).tag(attr=True)\n"
    "    secret = tl.Instance(object).tag(attr=True)\n\n\n"
    "class _Hidden(Risk):\n    pass\n\n\n"
    "Alias = podpac.algorithm.SinCoords\n"
)


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def find(*named: str | Path) -> tuple[Plugin, ...]:
    return find_plugins(named, find_recipe())


def never() -> bool:
    return False


@pytest.fixture
def hydrology(tmp_path: Path) -> Path:
    """A package with what should be packed and what should not."""
    return write(
        tmp_path,
        {
            "hydrology/__init__.py": "",
            "hydrology/floods.py": NODE,
            "hydrology/data/soil.py": "",
            "hydrology/tests/test_floods.py": "",
            "hydrology/test_more.py": "",
            "hydrology/conftest.py": "",
            "hydrology/notes.txt": "",
            "hydrology/.hidden.py": "",
            "hydrology/__pycache__/floods.cpython-311.pyc": "",
            "beside.py": "",
        },
    ) / "hydrology"  # fmt: skip


def test_of_a_package_only_its_modules_are_packed(hydrology: Path) -> None:
    (plugin,) = find(hydrology)
    assert sorted(plugin.sources) == ["hydrology/__init__.py", "hydrology/data/soil.py", "hydrology/floods.py"]
    assert plugin.modules == ("hydrology", "hydrology.data.soil", "hydrology.floods")


def test_a_module_is_found_by_its_path_and_by_its_name(
    hydrology: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    by_name, by_part = find("hydrology")[0], find("hydrology.floods")[0]
    assert by_name == find(hydrology)[0]
    assert sorted(by_part.sources) == ["hydrology/__init__.py", "hydrology/floods.py"]
    assert by_part.modules == ("hydrology.floods",)
    monkeypatch.chdir(hydrology)
    assert find("floods.py")[0].modules == ("floods",)
    assert find("floods.py")[0].sha256() == find(hydrology / "floods.py")[0].sha256() != by_name.sha256()
    assert "hydrology" not in sys.modules


@pytest.mark.parametrize(
    "name",
    [
        "handler", "json", "podpac", "podpac_lambda_widgets", "boto3", "awslambdaric", "sitecustomize", "algorithm",
        "core", "class", "nodes-of-mine", "nödes", "1st", "__pycache__",
    ],
)  # fmt: skip
def test_a_module_that_would_hide_another_or_has_no_modules_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidValueError, match="cannot be a plugin") as caught:
        find(write(tmp_path, {f"{name}.py": NODE}) / f"{name}.py")
    assert caught.value.next_step


@pytest.mark.parametrize(
    "named", ["no_such_module", "no/such/folder", "sys", "zoneinfo..x", "", "../", "numpy.core._x"]
)
def test_what_has_no_sources_is_refused(named: str) -> None:
    with pytest.raises(InvalidValueError, match="cannot be a plugin"):
        find(named)


def test_a_folder_without_init_and_a_text_in_place_of_a_list_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError):
        find(write(tmp_path, {"bare/floods.py": NODE}) / "bare")
    with pytest.raises(InvalidValueError, match=r"plugins=\[") as caught:
        find_plugins("floods.py", find_recipe())
    assert caught.value.field == "plugins"


def test_two_plugins_of_one_name_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"a/floods.py": NODE, "b/floods.py": NODE})
    with pytest.raises(InvalidValueError, match="Two plugins"):
        find(tmp_path / "a" / "floods.py", tmp_path / "b" / "floods.py")


def test_a_link_that_leads_out_of_the_package_is_refused(hydrology: Path) -> None:
    (hydrology / "inner.py").symlink_to(hydrology / "floods.py")
    assert "hydrology/inner.py" in find(hydrology)[0].sources
    (hydrology / "outer.py").symlink_to(hydrology.parent / "beside.py")
    with pytest.raises(InvalidValueError, match="leads out"):
        find(hydrology)
    (hydrology / "outer.py").unlink()
    (hydrology / "folder").symlink_to(hydrology.parent)
    with pytest.raises(InvalidValueError, match="link to a folder"):
        find(hydrology)


@pytest.mark.parametrize("source", ["class Risk(:\n", "\0", "(" * 20_000, "def f():\n\treturn 1\n        return 2\n"])
def test_a_plugin_that_is_not_python_is_a_typed_error(source: str) -> None:
    with pytest.raises(BuildError, match="not Python"):
        find_imports(source.encode(), resource="floods.py")


FORGIVEN = """
import numpy as np, podpac.algorithm
from . import data
from .data import soil
from typing import TYPE_CHECKING
import typing
if TYPE_CHECKING:
    import not_here
if typing.TYPE_CHECKING:
    import not_here
try:
    import not_here
except ImportError:
    not_here = None
try:
    import not_here
except (ValueError, ModuleNotFoundError):
    import json
"""


def test_only_what_a_plugin_cannot_do_without_must_be_there() -> None:
    plugin = Plugin("floods", {"floods.py": FORGIVEN.encode()})
    check_imports(plugin, ("numpy", "podpac"))
    with pytest.raises(BuildError, match="no numpy"):
        check_imports(plugin, ("podpac",))


@pytest.mark.parametrize(
    "source",
    [
        "import not_here", "from not_here.deep import x", "def f():\n    import not_here",
        "try:\n    import not_here\nexcept ValueError:\n    pass",
        "try:\n    pass\nexcept ImportError:\n    import not_here",
        "if TYPE_CHECKING:\n    pass\nelse:\n    import not_here", "if not TYPE_CHECKING or x:\n    import not_here",
    ],
)  # fmt: skip
def test_a_missing_dependency_is_named_with_its_line(source: str) -> None:
    with pytest.raises(BuildError, match="no not_here") as caught:
        check_imports(Plugin("floods", {"floods.py": source.encode()}), ("podpac",))
    assert caught.value.resource == f"floods.py, line {source[: source.index('not_here')].count(chr(10)) + 1}"
    assert "extras.in" in caught.value.next_step


def test_nodes_are_described_without_importing_the_plugin_here(hydrology: Path, tmp_path: Path, podpac: Any) -> None:
    plugins = find(hydrology)
    described = describe_plugins(plugins, cancelled=never)
    assert set(described) == {"hydrology.floods.Risk"}
    attrs = described["hydrology.floods.Risk"]["attrs"]
    assert (attrs["depth"], attrs["source"]) == ("float", "node")
    assert "secret" not in attrs
    assert "hydrology" not in sys.modules
    pack_plugins(plugins, described, tmp_path / "archive")
    assert set(read_plugin_nodes(tmp_path / "archive")) == set(described)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("raise ValueError('no data')", "ValueError: no data"),
        ("import beside", "No module named 'beside'"),
        ("import os, sys\nsys.exit('bye')", "SystemExit: bye"),
        ("import os\nos._exit(0)", "ended the process"),
        ("print('x')\nx: int = 5\n", "no public node|None of its modules"),
    ],
)
def test_a_plugin_that_cannot_be_imported_or_has_no_node_is_a_typed_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, why: str, podpac: Any
) -> None:
    monkeypatch.chdir(write(tmp_path, {"floods.py": source, "beside.py": ""}))
    with pytest.raises(BuildError, match=why) as caught:
        describe_plugins(find("floods.py"), cancelled=never)
    assert caught.value.resource == "floods"


def test_importing_a_plugin_that_never_ends_can_be_cancelled(tmp_path: Path, podpac: Any) -> None:
    plugins = find(write(tmp_path, {"floods.py": "while True:\n    pass\n"}) / "floods.py")
    asked: list[bool] = []
    with pytest.raises(CancelledError):
        describe_plugins(plugins, cancelled=lambda: asked.append(True) or len(asked) > 2)  # type: ignore[func-returns-value]


def test_an_extended_archive_has_the_bytes_of_one_written_anew(
    tmp_path: Path, make_manifest: Callable[..., Any]
) -> None:
    trees = [write(tmp_path / name, files) for name, files in (
        ("packages", {"numpy/a.py": "x" * 5000, "podpac.py": "y"}), ("large", {"handler.py": "z" * 9000, "a.py": ""}),
        ("small", {"handler.py": "w"}))]  # fmt: skip
    manifests = [make_manifest({}, builder_version=name) for name in ("large", "small")]
    written = []
    for order in ((0, 1), (1,), (1, 0, 1)):
        archive = tmp_path / f"{len(written)}.zip"
        write_archive(trees[0], archive, None, advanced=lambda count: None)
        for number in order:
            extend_archive(archive, 2, trees[1 + number], manifests[number])
        with zipfile.ZipFile(archive) as opened:
            assert opened.testzip() is None
            assert opened.namelist() == ["numpy/a.py", "podpac.py", "handler.py", "podpac_lambda_manifest.json"]
        written.append(archive.read_bytes())
    assert written[0] == written[1] == written[2]
    assert measure_files(trees[0]).size == 5001


def test_the_builder_needs_no_more_than_lambdas_image_gets(repository: Path) -> None:
    code = "import sys, podpac_lambda_widgets.packaging.build; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=repository)
    assert {"traitlets", "numpy", "xarray", "podpac", "boto3", "platformdirs"}.isdisjoint(done.stdout.split())


@pytest.mark.archive
def test_a_plugin_is_packed_and_missing_again_without_it(
    hydrology: Path, package: Package, repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "built"
    steps: list[str] = []
    built = build_package(folder, plugins=[hydrology], listener=lambda progress: steps.append(progress.step))
    assert built.dist.nodes == ("hydrology.floods.Risk",)
    assert "hydrology.floods.Risk" in built._repr_html_()
    # The packages are those of the archives that are there.
    assert {"install", "prune"}.isdisjoint(steps)
    assert built.dependencies.sha256 == package.dependencies.sha256
    assert build_package(folder, plugins=[str(hydrology)]).dist == built.dist
    with zipfile.ZipFile(built.dist.path) as archive:
        names = set(archive.namelist())
        assert archive.read("hydrology/floods.py").decode() == NODE
        assert list(json.loads(archive.read(PLUGIN_NODES))["nodes"]) == ["hydrology.floods.Risk"]
    assert any(name.startswith("hydrology/__pycache__/floods.") for name in names)
    shutil.copy(package.dist.path, folder / "podpac_dist.zip.base")
    assert main(["--output", str(folder)]) == 0
    assert (folder / "podpac_dist.zip").read_bytes() == (folder / "podpac_dist.zip.base").read_bytes()
    before = (folder / "podpac_dist.zip").stat().st_mtime_ns
    (hydrology / "floods.py").write_text("import not_here\n")
    assert main(["--output", str(folder), "--plugin", str(hydrology)]) == 1
    assert "BuildError: A plugin cannot be imported." in capsys.readouterr().err
    assert (folder / "podpac_dist.zip").stat().st_mtime_ns == before
