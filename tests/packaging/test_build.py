"""The real archives: built once, evaluated in a process that has nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from podpac_lambda_widgets.errors import BuildError, CancelledError
from podpac_lambda_widgets.limits import UNZIPPED_CODE_BYTES
from podpac_lambda_widgets.packaging.__main__ import main
from podpac_lambda_widgets.packaging.archive import Package
from podpac_lambda_widgets.packaging.build import build_package
from podpac_lambda_widgets.packaging.install import find_uv, install_pins
from podpac_lambda_widgets.packaging.progress import BuildProgress
from podpac_lambda_widgets.packaging.recipe import find_recipe, select_pins
from podpac_lambda_widgets.packaging.target import choose_target

NAMES = ("podpac_dist.zip", "podpac_deps.zip")
#: What Lambda's runtime brings, in a folder of its own.
RUNTIME_BRINGS = ("boto3", "botocore", "s3transfer", "jmespath")
EVALUATE = Path(__file__).with_name("evaluate_core.py")
RUN_PODPACS_TESTS = Path(__file__).with_name("run_podpacs_tests.py")
#: What runs the tests, in a folder of its own.
PYTEST_BRINGS = ("_pytest", "iniconfig", "pluggy", "py", "pygments", "pytest")


@dataclass(frozen=True)
class Built:
    """The package, the folder it is in, and its archives extracted."""

    folder: Path
    package: Package
    code: Path
    dependencies: Path
    runtime: Path


@pytest.fixture(scope="session")
def built(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The host's archives: those in dist/aws if they are up to date, else built there."""
    folder = repository / "dist" / "aws"
    package = build_package(folder)
    extracted = tmp_path_factory.mktemp("extracted")
    for archive, name in ((package.dist, "code"), (package.dependencies, "dependencies")):
        with zipfile.ZipFile(archive.path) as opened:
            opened.extractall(extracted / name)
    runtime = link_packages(RUNTIME_BRINGS, extracted / "runtime")
    return Built(folder, package, extracted / "code", extracted / "dependencies", runtime)


def find_package(name: str) -> Path:
    """The folder of an installed package, or the file of a module."""
    found = find_spec(name)
    assert found is not None
    assert found.origin is not None
    path = Path(found.origin)
    return path.parent if path.name == "__init__.py" else path


def link_packages(names: Iterable[str], folder: Path) -> Path:
    """A folder with these and nothing else."""
    folder.mkdir()
    for path in map(find_package, names):
        (folder / path.name).symlink_to(path)
    return folder


@pytest.fixture(scope="session")
def report(built: Built, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What evaluate_core.py found, with nothing but the code, then the dependencies, on its path."""
    answer = subprocess.run(
        [sys.executable, "-I", "-S", str(EVALUATE), str(built.code), str(built.runtime), str(built.dependencies)],
        capture_output=True, text=True, check=False, cwd=tmp_path_factory.mktemp("work"),
        env={"HOME": str(tmp_path_factory.mktemp("home")), "PATH": ""},
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr[-3000:]
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


@pytest.mark.archive
def test_the_code_fits_lambda(built: Built) -> None:
    assert built.package.dist.unzipped_size <= UNZIPPED_CODE_BYTES


@pytest.mark.archive
def test_an_ordinary_pipeline_asks_for_none_of_the_dependencies(report: dict[str, Any]) -> None:
    assert report["extras_asked_for"] == []


@pytest.mark.archive
def test_the_function_starts_without_what_only_some_pipelines_use(report: dict[str, Any]) -> None:
    imported = set(report["imported at the start"])
    assert {"podpac.algorithm", "xarray", "matplotlib.cm"} <= imported
    # Modules in packages: podpac has stand-ins for some of the packages themselves.
    late = {
        "boto3.session", "botocore.session", "podpac.core.managers.aws", "podpac.core.registry", "pydap.model",
        "requests.sessions", "scipy.special", "scipy.stats", "urllib3.util", "webob.exc",
    }  # fmt: skip
    assert imported & late == set()


@pytest.mark.archive
def test_ordinary_nodes_evaluate_to_what_they_do_everywhere(report: dict[str, Any]) -> None:
    assert all(report["finite"].values())
    assert report["shapes"]["SinCoords"] == [180, 180, 1]
    assert report["sum"]["Array"] == 1210.0
    assert report["sum"]["Arithmetic"] == 3 * 1210.0
    assert report["sum"]["Mean"] == 110.0
    assert report["sum"]["compositor"] == 1210.0
    assert report["sum"]["bilinear"] == pytest.approx(68.25)
    assert report["repeatable"]


@pytest.mark.archive
def test_a_result_can_be_written_as_netcdf_without_the_dependencies(report: dict[str, Any]) -> None:
    assert report["netcdf"]


@pytest.mark.archive
def test_every_package_of_the_dependencies_imports(report: dict[str, Any]) -> None:
    assert {name: found for name, found in report["extras"].items() if found != "ok"} == {}
    assert {"rasterio", "h5netcdf", "zarr", "s3fs"} <= set(report["extras"])


@pytest.mark.archive
def test_the_code_passes_the_tests_of_podpacs_wheel_exactly_as_podpac_does(built: Built, tmp_path: Path) -> None:
    plain = find_package("podpac")
    code = tmp_path / "code"
    code.mkdir()
    for path in built.code.iterdir():
        (code / path.name).symlink_to(path)
    (code / "podpac").unlink()
    shutil.copytree(built.code / "podpac", code / "podpac")
    for path in [plain / "conftest.py", *plain.glob("**/test/*.py")]:
        copy = code / "podpac" / path.relative_to(plain)
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, copy)
    pytest_alone = link_packages(PYTEST_BRINGS, tmp_path / "pytest")
    path = (code, built.dependencies, built.runtime, pytest_alone)
    with ThreadPoolExecutor(2) as pool:
        there = pool.submit(run_podpacs_tests, plain, (plain.parent,), tmp_path / "there")
        here = pool.submit(run_podpacs_tests, code / "podpac", path, tmp_path / "here")
    expected = there.result()
    assert here.result() == expected
    counts = Counter(outcome.split()[0] for outcome in expected.values())
    # Those that fail need files that the wheel does not carry; those that are skipped, a network or bindings of GDAL.
    assert counts == {"passed": 91, "failed": 44, "skipped": 19}


def run_podpacs_tests(package: Path, path: Iterable[Path], home: Path) -> dict[str, str]:
    """The outcome of each test in `package`, with nothing but `path` to import from."""
    home.mkdir()
    answer = subprocess.run(
        [sys.executable, "-S", str(RUN_PODPACS_TESTS), str(package), *map(str, path)],
        capture_output=True, text=True, check=False, cwd=home,
        env={"HOME": str(home), "PATH": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr[-3000:]
    found: dict[str, str] = json.loads(answer.stdout)
    return found


@pytest.mark.archive
def test_archives_that_are_up_to_date_are_not_built_again(built: Built) -> None:
    before = [(built.folder / name).stat().st_mtime_ns for name in NAMES]
    told: list[BuildProgress] = []
    again = build_package(built.folder, listener=told.append)
    assert again == built.package
    assert [(built.folder / name).stat().st_mtime_ns for name in NAMES] == before
    assert {progress.step for progress in told} == {"recipe", "inspect"}


@pytest.mark.archive
def test_a_second_build_is_byte_identical_and_its_progress_never_falls(built: Built, tmp_path: Path) -> None:
    told: list[BuildProgress] = []
    again = build_package(tmp_path, listener=told.append, force=True)
    assert (again.dist.sha256, again.dependencies.sha256) == (
        built.package.dist.sha256,
        built.package.dependencies.sha256,
    )
    done = [progress.done for progress in told]
    assert done == sorted(done)
    assert done.count(told[-1].total) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(NAMES)


@pytest.mark.archive
def test_code_of_another_architecture_can_be_built_here(tmp_path: Path) -> None:
    package = build_package(tmp_path, runtime="python3.13", architecture="arm64")
    assert package.dist.unzipped_size <= UNZIPPED_CODE_BYTES
    assert package.dist.manifest is not None
    assert "zarr" in package.dist.manifest.left_out
    assert "zarr" not in package.dist.manifest.dependencies_provides


@pytest.mark.archive
def test_pip_installs_what_uv_installs(tmp_path: Path) -> None:
    target = choose_target("python3.13", "arm64")
    pins = [
        pin
        for pin in select_pins(find_recipe(), target).core
        if pin.name in ("lazy-import", "six", "kiwisolver", "traitlets")
    ]
    assert len(pins) == 4
    trees = []
    for uv in (find_uv(), None):
        tree = tmp_path / ("uv" if uv else "pip")
        install_pins(pins, tree, target, cancelled=lambda: False, uv=uv)
        trees.append({path.relative_to(tree).as_posix(): path.read_bytes() for path in _modules(tree)})
    assert trees[0] == trees[1]
    assert any(name.endswith("aarch64-linux-gnu.so") for name in trees[0])


def _modules(tree: Path) -> Iterator[Path]:
    return (path for path in tree.rglob("*") if path.suffix in (".py", ".so") and path.is_file())


def _previous(folder: Path) -> dict[str, bytes]:
    for name in NAMES:
        (folder / name).write_bytes(b"the archive that was there before")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("step", ["recipe", "install", "prune", "compile", "compress"])
@pytest.mark.archive
def test_a_build_cancelled_in_any_step_leaves_the_archives_that_were_there(tmp_path: Path, step: str) -> None:
    before = _previous(tmp_path)
    steps: list[str] = []
    with pytest.raises(CancelledError):
        build_package(
            tmp_path,
            listener=lambda progress: steps.append(progress.step),
            cancelled=lambda: step in steps,
            force=True,
        )
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert steps[-1] == ("install" if step == "recipe" else step)


def test_a_build_that_fails_leaves_the_archives_that_were_there(tmp_path: Path) -> None:
    before = _previous(tmp_path)
    with pytest.raises(BuildError):
        build_package(tmp_path, recipe=tmp_path / "none")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.archive
def test_a_package_whose_hash_differs_stops_the_build(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe"
    (recipe / "locks").mkdir(parents=True)
    (recipe / "handler.py").write_text("def handler(event, context): ...\n")
    wrong = "--hash=sha256:" + "0" * 64
    (recipe / "locks" / "core.txt").write_text(f"podpac==4.0.1 {wrong}\n")
    (recipe / "locks" / "extras.txt").write_text("")
    with pytest.raises(BuildError, match=r"(?i)hash"):
        build_package(tmp_path, recipe=recipe)
    assert [path.name for path in tmp_path.iterdir()] == ["recipe"]


@pytest.mark.archive
def test_the_shell_names_both_archives_in_its_last_lines(built: Built) -> None:
    answer = subprocess.run(["bash", str(built.folder / "build_lambda.sh")], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[-2:] == [
        "Built podpac deployment package: podpac_dist.zip",
        "Built podpac dependencies: podpac_deps.zip",
    ]
    assert "[100 %]" in answer.stderr


def test_the_command_line_says_what_is_wrong_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--output", str(tmp_path), "--recipe", str(tmp_path / "none")]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "BuildError: The recipe for the archives is incomplete." in said.err
    assert "Traceback" not in said.err
