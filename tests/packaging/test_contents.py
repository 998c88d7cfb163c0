"""What goes into an archive: pruned, patched, compiled, and the same bytes every time."""

from __future__ import annotations

import importlib.util
import io
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpac_lambda_widgets.errors import ArchiveCorruptError, BuildError, CancelledError
from podpac_lambda_widgets.packaging.__main__ import show_progress
from podpac_lambda_widgets.packaging.bytecode import compile_tree, find_interpreter
from podpac_lambda_widgets.packaging.command import redact_addresses, run_command
from podpac_lambda_widgets.packaging.contents import find_top_level_imports
from podpac_lambda_widgets.packaging.elf import drop_unloaded_tail, read_header
from podpac_lambda_widgets.packaging.manifest import digest_files, parse_manifest
from podpac_lambda_widgets.packaging.patches import PATCHES, Patch, apply_patches
from podpac_lambda_widgets.packaging.progress import BuildProgress
from podpac_lambda_widgets.packaging.prune import RULES, prune_tree
from podpac_lambda_widgets.packaging.zipping import write_archive

HOST = f"{sys.version_info.major}.{sys.version_info.minor}"


def write_tree(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def names_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_part_of_a_library_behind_its_segments_is_dropped(make_library: Any) -> None:
    kept = drop_unloaded_tail(make_library(tail=b"symbols" * 100))
    assert len(kept) == len(make_library())
    header = read_header(kept)
    assert header is not None
    assert header.machine == 62
    assert kept[40:48] == bytes(8)
    assert kept[60:64] == bytes(4)
    assert drop_unloaded_tail(kept) == kept


@given(st.binary(max_size=200))
def test_what_is_not_a_library_is_left_alone(data: bytes) -> None:
    if not data.startswith(b"\x7fELF"):
        assert drop_unloaded_tail(data) == data


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs ELF modules to load")
def test_a_trimmed_module_still_loads(tmp_path: Path) -> None:
    import _testcapi as module  # a compiled module of every CPython

    source = Path(module.__file__)
    (tmp_path / source.name).write_bytes(drop_unloaded_tail(source.read_bytes()))
    code = "import sys; sys.path.insert(0, sys.argv[1]); import _testcapi; print(_testcapi.__file__)"
    answer = subprocess.run(
        [sys.executable, "-I", "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == str(tmp_path / source.name)


def test_a_pruned_tree_keeps_modules_and_loses_the_rest(tmp_path: Path, make_library: Any) -> None:
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    kept = {
        "numpy/__init__.py": b"",
        "numpy/testing/__init__.py": b"",
        f"numpy/_core/_multiarray_umath{suffix}": make_library(),
        "numpy.libs/libopenblas-1.so": make_library(),
        "contest/__init__.py": b"",
        "matplotlib/backends/backend_agg.py": b"",
        "matplotlib/mpl-data/fonts/ttf/DejaVuSans.ttf": b"",
        "podpac-4.0.1.dist-info/METADATA": b"Name: podpac\nVersion: 4.0.1\n",
        "podpac-4.0.1.dist-info/licenses/LICENSE": b"",
    }
    lost = {
        "numpy/tests/test_a.py": b"",
        "podpac/core/test/test_a.py": b"",
        "pint/testsuite/test_a.py": b"",
        f"numpy/_core/_simd{suffix}": make_library(),
        "numpy/_core/include/numpy/arrayobject.h": b"",
        "numpy/__init__.pyi": b"",
        "numpy/__pycache__/__init__.cpython-311.pyc": b"",
        "bin/f2py": b"",
        "matplotlib/mpl-data/fonts/ttf/DejaVuSans-Bold.ttf": b"",
        "podpac-4.0.1.dist-info/RECORD": b"",
    }
    write_tree(tmp_path, {**kept, **lost})
    prune_tree(tmp_path)
    assert names_in(tmp_path) == set(kept)


def test_pruning_never_changes_a_file_that_is_linked_to_elsewhere(tmp_path: Path, make_library: Any) -> None:
    cached = write_tree(tmp_path / "cache", {"a.so": make_library(tail=b"debug")})
    tree = tmp_path / "tree"
    tree.mkdir()
    os.link(cached / "a.so", tree / "a.so")
    pruned = prune_tree(tree)
    assert (cached / "a.so").read_bytes() == make_library(tail=b"debug")
    assert (tree / "a.so").stat().st_size == len(make_library())
    assert pruned.total == len(b"debug")


def test_every_rule_has_its_reason() -> None:
    assert all(rule.reason.endswith(".") for rule in RULES)
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(patch.reason.endswith(".") for patch in PATCHES)


def test_a_patch_is_applied_the_expected_number_of_times(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a.py": b"x = 1\ny = x\nz = x\n"})
    apply_patches(tmp_path, (Patch("rename", "a.py", "= x", "= 2", 2, "Because."),))
    assert (tmp_path / "a.py").read_text() == "x = 1\ny = 2\nz = 2\n"


@pytest.mark.parametrize("files", [{}, {"a/b.py": b""}])
def test_a_patch_may_write_a_file_that_is_missing_or_empty(tmp_path: Path, files: dict[str, bytes]) -> None:
    (write_tree(tmp_path, files) / "a").mkdir(exist_ok=True)
    apply_patches(tmp_path, (Patch("write", "a/b.py", "", "x = 1\n", 0, "Because."),))
    assert (tmp_path / "a" / "b.py").read_text() == "x = 1\n"
    with pytest.raises(BuildError, match="'write' does not fit"):
        apply_patches(tmp_path, (Patch("write", "a/b.py", "", "x = 1\n", 0, "Because."),))


@pytest.mark.parametrize("files", [{}, {"a.py": b"y = x\n"}, {"a.py": b"= x = x = x"}])
def test_a_patch_that_does_not_fit_stops_the_build_and_says_which(tmp_path: Path, files: dict[str, bytes]) -> None:
    write_tree(tmp_path, files)
    with pytest.raises(BuildError, match=r"'rename' does not fit.*a\.py") as refused:
        apply_patches(tmp_path, (Patch("rename", "a.py", "= x", "= 2", 2, "Because."),))
    assert "not 2" in refused.value.why
    assert names_in(tmp_path) == set(files)


def test_the_patches_fit_the_podpac_that_is_installed(tmp_path: Path) -> None:
    # Found, not imported: podpac leaves stand-ins for what is not installed in sys.modules, where other tests trip.
    found = importlib.util.find_spec("podpac")
    assert found is not None
    assert found.origin is not None
    site = Path(found.origin).parent.parent
    paths = {patch.file: site / patch.file for patch in PATCHES}
    files = {name: path.read_bytes() for name, path in paths.items() if path.is_file()}
    write_tree(tmp_path, files)
    apply_patches(tmp_path)
    assert all((tmp_path / name).read_bytes() != files.get(name) for name in paths)


def test_compiled_modules_replace_sources_but_for_those_to_keep(tmp_path: Path) -> None:
    write_tree(
        tmp_path, {"numpy/__init__.py": b"a = 1", "six.py": b"b = 2", "podpac/x.py": b"c = 3", "numpy/bad.py": b"d ="}
    )
    compile_tree(tmp_path, Path(sys.executable), prefix="/var/task", keep_sources=("podpac",), cancelled=lambda: False)
    cached = f"podpac/__pycache__/x.{sys.implementation.cache_tag}.pyc"
    assert names_in(tmp_path) == {"numpy/__init__.pyc", "six.pyc", "podpac/x.py", cached, "numpy/bad.py"}
    code = "import sys; sys.path.insert(0, sys.argv[1]); import numpy, six; print(numpy.a, six.b, six.__spec__.cached)"
    answer = subprocess.run(
        [sys.executable, "-I", "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert answer.stdout.split()[:2] == ["1", "2"]
    assert b"/var/task" in (tmp_path / "six.pyc").read_bytes()
    assert str(tmp_path).encode() not in (tmp_path / "six.pyc").read_bytes()
    assert (tmp_path / cached).read_bytes()[4:8] == b"\x01\0\0\0", "an unchecked hash: never compared with the source"


def test_an_interpreter_that_is_not_there_is_not_found() -> None:
    assert find_interpreter(HOST) == Path(sys.executable)
    assert find_interpreter("3.99") is None


def test_equal_trees_give_equal_archives_whatever_their_times_and_order(tmp_path: Path, make_manifest: Any) -> None:
    files = {"b/c.py": b"1", "a.py": b"2" * 1000, "b.py": b"3"}
    archives = []
    for index, order in enumerate((list(files), sorted(files))):
        tree = write_tree(tmp_path / f"tree{index}", {name: files[name] for name in order})
        os.utime(tree / "a.py", (index * 10**9, index * 10**9))
        (tree / "b.py").chmod(0o600 if index else 0o755)
        archives.append(tmp_path / f"{index}.zip")
        write_archive(tree, archives[-1], make_manifest(files), advanced=lambda count: None)
    assert archives[0].read_bytes() == archives[1].read_bytes()
    with zipfile.ZipFile(archives[0]) as archive:
        assert all(entry.external_attr >> 16 & 0o777 == 0o644 for entry in archive.infolist())


def test_a_manifest_survives_its_file(make_manifest: Any) -> None:
    manifest = make_manifest({"a": b"1"}, left_out={"zarr": "no wheel"})
    assert parse_manifest(manifest.to_json()) == manifest


@pytest.mark.parametrize(
    "change",
    [{"provides": "numpy"}, {"unzipped_bytes": "1"}, {"unzipped_bytes": True}, {"left_out": {"a": 1}}, {"kind": 1}],
)
def test_a_manifest_with_a_field_of_another_type_is_refused(make_manifest: Any, change: dict[str, Any]) -> None:
    with pytest.raises(ArchiveCorruptError):
        parse_manifest(make_manifest({}, **change).to_json())


@given(st.dictionaries(st.text(max_size=5), st.text("0123456789abcdef", min_size=64, max_size=64), max_size=5))
def test_the_digest_of_files_does_not_depend_on_their_order(files: dict[str, str]) -> None:
    assert digest_files(files.items()) == digest_files(reversed(files.items()))


def test_top_level_imports_are_packages_and_modules(tmp_path: Path) -> None:
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    names = ["numpy/__init__.pyc", "six.pyc", f"_yaml{suffix}", "numpy.libs/x.so", "numpy-2.dist-info/METADATA",
             "__pycache__/handler.pyc", "wrapt-stubs/a.py", "README"]  # fmt: skip
    write_tree(tmp_path, dict.fromkeys(names, b""))
    assert find_top_level_imports(names_in(tmp_path)) == ("_yaml", "numpy", "six")


def test_a_program_that_fails_is_quoted_without_the_password_of_an_address() -> None:
    address = "https://user:hunter2@example.org/simple"
    assert redact_addresses(address) == "https://***@example.org/simple"
    with pytest.raises(BuildError, match="status 3") as failed:
        run_command(
            [sys.executable, "-c", f"print('{address}'); raise SystemExit(3)"], purpose="It", cancelled=lambda: False
        )
    assert "example.org" in failed.value.why
    assert "hunter2" not in str(failed.value)


def test_a_program_that_does_not_exist_is_a_build_error(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="could not be started"):
        run_command([str(tmp_path / "none")], purpose="It", cancelled=lambda: False)


def test_cancelling_ends_the_running_program() -> None:
    answers = iter([False, True])
    with pytest.raises(CancelledError):
        run_command(
            [sys.executable, "-c", "import threading; threading.Event().wait()"],
            purpose="It",
            cancelled=lambda: next(answers, True),
        )


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_one_line_on_a_terminal_and_a_line_per_step_elsewhere(terminal: bool) -> None:
    class Stream(io.StringIO):
        def isatty(self) -> bool:
            return terminal

    stream = Stream()
    show = show_progress(stream)
    for step, done in (("install", 1), ("install", 5), ("compress", 60), ("inspect", 100)):
        show(BuildProgress(step, f"{step} at {done}", done, 100))
    lines = stream.getvalue().splitlines()
    if terminal:
        assert stream.getvalue().count("\n") == 1
        assert stream.getvalue().endswith("[100 %] inspect at 100\n")
    else:
        assert lines == ["[  1 %] install at 1", "[ 60 %] compress at 60", "[100 %] inspect at 100"]


def test_the_patched_zarr_source_opens_the_bucket_it_is_given(tmp_path: Path) -> None:
    (patch,) = [patch for patch in PATCHES if patch.name == "zarr source: the bucket"]
    found = importlib.util.find_spec("podpac")
    assert found is not None
    assert found.origin is not None
    write_tree(tmp_path, {patch.file: (Path(found.origin).parent.parent / patch.file).read_bytes()})
    apply_patches(tmp_path, (patch,))
    script = (
        "import importlib.util, sys, types\n"
        "names = {'S3Map': lambda root, **options: print(root), 'S3FileSystem': lambda **options: None}\n"
        "sys.modules['s3fs'] = types.SimpleNamespace(**names)\n"
        "spec = importlib.util.spec_from_file_location('zarr_source', sys.argv[1])\n"
        "module = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
        "module.Zarr(source='s3://soil-data/x.zarrs', anon=True)._get_store()\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, str(tmp_path / patch.file)],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "soil-data/x.zarrs\n", done.stderr
