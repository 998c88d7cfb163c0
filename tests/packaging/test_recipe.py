"""Locks hold exact pins with hashes, and each target gets what applies to it."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpac_lambda_widgets.errors import BuildError, InvalidValueError
from podpac_lambda_widgets.limits import ARCHITECTURES, RUNTIMES
from podpac_lambda_widgets.packaging import recipe as recipe_module
from podpac_lambda_widgets.packaging.recipe import LEFT_OUT, find_recipe, read_lock, select_pins
from podpac_lambda_widgets.packaging.target import Target, choose_target

HASH = "--hash=sha256:" + "a" * 64
TARGETS = [Target(runtime, architecture) for runtime in RUNTIMES for architecture in ARCHITECTURES]


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "core.txt"


def write_recipe(folder: Path, core: str, extras: str) -> Path:
    (folder / "locks").mkdir(parents=True)
    (folder / "handler.py").write_text("def handler(event, context): ...\n")
    (folder / "locks" / "core.txt").write_text(core)
    (folder / "locks" / "extras.txt").write_text(extras)
    return folder


def test_a_pin_keeps_its_marker_and_all_its_hashes(lock: Path) -> None:
    other = "--hash=sha256:" + "b" * 64
    lock.write_text(
        f"# by uv\nNum_Py==2.0 ; python_version < '3.12' \\\n    {HASH} \\\n    {other}\n    # via podpac\n"
    )
    (pin,) = read_lock(lock)
    assert (pin.name, pin.version) == ("num-py", "2.0")
    assert pin.marker is not None
    assert pin.line() == f"num-py==2.0 {HASH} {other}"


@pytest.mark.parametrize(
    "line", ["numpy==2.0", f"numpy>=2.0 {HASH}", f"numpy==2.* {HASH}", f"numpy {HASH}", f"-r other.txt {HASH}"]
)
def test_a_line_that_is_not_an_exact_pin_with_a_hash_is_refused(lock: Path, line: str) -> None:
    lock.write_text(line + "\n")
    with pytest.raises(BuildError, match="exact pin"):
        read_lock(lock)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: f"{target.runtime}-{target.architecture}")
def test_every_target_gets_each_package_once(target: Target) -> None:
    selection = select_pins(find_recipe(), target)
    core = [pin.name for pin in selection.core]
    extras = [pin.name for pin in selection.extras]
    assert len({*core, *extras}) == len(core) + len(extras)
    assert {"podpac", "numpy", "pandas", "xarray", "scipy", "lazy-import"} <= set(core)
    assert {"rasterio", "h5py", "h5netcdf", "s3fs", "lxml", "fonttools"} <= set(extras)
    assert not {"boto3", "botocore"} & {*core, *extras}
    assert selection.version_of("podpac") == "4.0.1"


def test_zarr_is_left_out_on_arm_with_the_reason_and_is_there_on_x86() -> None:
    recipe = find_recipe()
    arm, x86 = (select_pins(recipe, Target("python3.12", architecture)) for architecture in ("arm64", "x86_64"))
    assert "zarr" not in {pin.name for pin in arm.extras}
    assert arm.left_out["zarr"] == LEFT_OUT["arm64"]["zarr"]
    assert "zarr" in {pin.name for pin in x86.extras}
    assert "zarr" not in x86.left_out


def test_markers_are_judged_for_the_target_and_not_for_this_machine(tmp_path: Path) -> None:
    core = f"podpac==1 {HASH}\n" + "".join(
        f"{name}==1 ; {marker} {HASH}\n"
        for name, marker in {
            "old": "python_version < '3.13'",
            "new": "python_version >= '3.13'",
            "arm": "platform_machine == 'aarch64'",
            "windows": "sys_platform == 'win32'",
        }.items()
    )
    recipe = find_recipe(write_recipe(tmp_path, core, ""))
    names = {pin.name for pin in select_pins(recipe, Target("python3.13", "arm64")).core}
    assert names == {"podpac", "new", "arm"}
    names = {pin.name for pin in select_pins(recipe, Target("python3.12", "x86_64")).core}
    assert names == {"podpac", "old"}


def test_locks_that_disagree_are_refused(tmp_path: Path) -> None:
    core, extras = f"podpac==1 {HASH}\nnumpy==1 {HASH}\n", f"numpy==2 {HASH}\n"
    recipe = find_recipe(write_recipe(tmp_path, core, extras))
    with pytest.raises(BuildError, match=r"1 in core\.txt, 2 in extras\.txt"):
        select_pins(recipe, Target("python3.12", "x86_64"))


def test_a_core_without_podpac_is_refused(tmp_path: Path) -> None:
    recipe = find_recipe(write_recipe(tmp_path, f"numpy==1 {HASH}\n", ""))
    with pytest.raises(BuildError, match="no podpac"):
        select_pins(recipe, Target("python3.12", "x86_64"))


def test_a_missing_file_of_a_recipe_is_named(tmp_path: Path) -> None:
    write_recipe(tmp_path, "", "")
    (tmp_path / "handler.py").unlink()
    with pytest.raises(BuildError, match=r"handler\.py"):
        find_recipe(tmp_path)


def test_an_installed_copy_finds_the_recipe_that_was_installed_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = write_recipe(tmp_path / "share" / "podpac_lambda_widgets" / "aws", "", "")
    monkeypatch.setattr(recipe_module, "_IN_CHECKOUT", tmp_path / "no" / "checkout")
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path) if name == "data" else "")
    assert find_recipe().directory == installed


def test_the_lock_digest_tells_one_lock_from_the_other(tmp_path: Path) -> None:
    one = find_recipe(write_recipe(tmp_path / "one", "ab", "c"))
    other = find_recipe(write_recipe(tmp_path / "other", "a", "bc"))
    assert one.lock_sha256() != other.lock_sha256()


def test_the_locks_name_no_index(repository: Path) -> None:
    for path in (repository / "dist" / "aws" / "locks").iterdir():
        assert "://" not in path.read_text(encoding="utf-8")


@given(st.text(max_size=12).filter(lambda text: text and text not in RUNTIMES))
def test_only_runtimes_of_lambda_are_targets(runtime: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        choose_target(runtime, "x86_64")
    assert refused.value.field == "runtime"


def test_a_copy_of_podpac_takes_the_place_of_the_locks(tmp_path: Path) -> None:
    recipe = find_recipe(write_recipe(tmp_path / "mine", "ab", "c"))
    before = recipe.lock_sha256()
    for folder, text in (("mine", "__version__ = 'mine'"), ("installed", "__version__ = '4.0.1'")):
        (tmp_path / folder / "podpac" / "core").mkdir(parents=True)
        (tmp_path / folder / "podpac" / "__init__.py").write_text(text)
    (tmp_path / "installed" / "podpac" / "core" / "old.py").write_text("")
    (tmp_path / "mine" / "podpac" / "core" / "new.py").write_text("")
    recipe.put_podpac(tmp_path / "installed")
    assert [path.name for path in (tmp_path / "installed" / "podpac" / "core").iterdir()] == ["new.py"]
    assert "mine" in (tmp_path / "installed" / "podpac" / "__init__.py").read_text()
    with_copy = recipe.lock_sha256()
    (tmp_path / "mine" / "podpac" / "core" / "new.py").write_text("x = 1")
    assert len({before, with_copy, recipe.lock_sha256()}) == 3
