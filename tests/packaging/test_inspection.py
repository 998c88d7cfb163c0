"""Two archives are inspected before anything is uploaded; each violation says the number and the cure."""

from __future__ import annotations

import random
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from podpac_lambda_widgets import limits
from podpac_lambda_widgets.errors import (
    ArchiveCorruptError,
    ArchiveMismatchError,
    ArchiveMissingError,
    ArchiveTooLargeError,
    ArchiveUnsafeError,
    InvalidValueError,
)
from podpac_lambda_widgets.limits import MEGABYTE, UNZIPPED_CODE_BYTES
from podpac_lambda_widgets.packaging.archive import check_code_size, inspect_package
from podpac_lambda_widgets.packaging.manifest import MANIFEST_NAME

HANDLER = b"def handler(event, context): ..."
HOST = f"{sys.version_info.major}.{sys.version_info.minor}"
OTHER = next(python for python in ("3.12", "3.13") if python != HOST)


def test_two_good_archives_are_a_package(pair: Any) -> None:
    package = pair.inspect()
    assert package.dist.kind == "dist"
    assert package.dependencies.kind == "dependencies"
    assert package.dist.size == pair.dist.stat().st_size
    with zipfile.ZipFile(pair.dist) as archive:
        assert package.dist.unzipped_size == sum(entry.file_size for entry in archive.infolist())
    assert package.dist.manifest is not None
    assert package.dist.manifest.runtime == f"python{HOST}"


def test_a_package_shows_itself_as_a_small_table(pair: Any) -> None:
    html = pair.inspect()._repr_html_()
    assert f"podpac 4.0.1 for python{HOST} on x86_64" in html
    assert "podpac_dist.zip" in html
    assert "<script" not in html


def test_a_missing_archive_is_named(pair: Any, tmp_path: Path) -> None:
    pair.write()
    pair.dependencies.unlink()
    with pytest.raises(ArchiveMissingError, match=r"podpac_deps\.zip"):
        inspect_package(pair.dist, pair.dependencies, architecture="x86_64")
    with pytest.raises(ArchiveMissingError):
        inspect_package(tmp_path, pair.dependencies, architecture="x86_64")


@pytest.mark.parametrize("damage", ["truncated", "empty", "text", "flipped"])
def test_a_damaged_archive_is_refused(pair: Any, damage: str) -> None:
    pair.dist_files["data"] = bytes(range(256)) * 64
    pair.write()
    data = bytearray(pair.dist.read_bytes())
    if damage == "flipped":
        with zipfile.ZipFile(pair.dist) as archive:
            entry = archive.getinfo("data")
        data[entry.header_offset + 30 + len("data") + entry.compress_size // 2] ^= 0xFF
    changed = {"truncated": bytes(data[: len(data) // 2]), "empty": b"", "text": b"not a zip", "flipped": bytes(data)}
    pair.dist.write_bytes(changed[damage])
    with pytest.raises(ArchiveCorruptError, match=r"podpac_dist\.zip"):
        inspect_package(pair.dist, pair.dependencies, architecture="x86_64")


def test_an_archive_changed_after_it_was_built_is_refused(pair: Any) -> None:
    pair.write()
    with zipfile.ZipFile(pair.dist, "a") as archive:
        archive.writestr("added.py", b"")
    with pytest.raises(ArchiveCorruptError, match="not those it was built with"):
        inspect_package(pair.dist, pair.dependencies, architecture="x86_64")


def test_an_archive_replaced_between_two_inspections_is_read_again(pair: Any) -> None:
    pair.inspect()
    del pair.dist_files["handler.py"]
    with pytest.raises(ArchiveMismatchError, match="lacks the handler"):
        pair.inspect()


def test_an_archive_with_a_symlink_is_refused(pair: Any) -> None:
    pair.write()
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(pair.dependencies, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ArchiveUnsafeError, match="link"):
        inspect_package(pair.dist, pair.dependencies, architecture="x86_64")


@pytest.mark.parametrize("which", ["dist", "dependencies"])
def test_an_archive_for_another_runtime_is_refused_with_both_runtimes(pair: Any, which: str) -> None:
    getattr(pair, f"{which}_changes").update(python=OTHER, runtime=f"python{OTHER}")
    with pytest.raises(ArchiveMismatchError) as refused:
        pair.inspect()
    assert f"python{OTHER}" in refused.value.why
    assert f"python{HOST}" in refused.value.why


def test_an_archive_for_another_architecture_is_refused(pair: Any) -> None:
    with pytest.raises(ArchiveMismatchError, match=r"x86_64; the function is python.* on arm64"):
        pair.inspect(architecture="arm64")


def test_a_library_is_believed_over_the_manifest(pair: Any, make_library: Any) -> None:
    pair.dependencies_files["rasterio/_io.so"] = make_library(183)
    with pytest.raises(ArchiveMismatchError, match=r"rasterio/_io\.so.*\n.*arm64"):
        pair.inspect()


def test_a_windows_module_is_refused(pair: Any) -> None:
    pair.dist_files["numpy/core.pyd"] = b"MZ" + bytes(100)
    with pytest.raises(ArchiveMismatchError, match="another system than Linux"):
        pair.inspect()


def test_a_module_for_another_python_is_refused(pair: Any, make_library: Any) -> None:
    tag = f"cpython-{OTHER.replace('.', '')}-x86_64-linux-gnu"
    pair.dist_files[f"numpy/fast.{tag}.so"] = make_library()
    with pytest.raises(ArchiveMismatchError, match=rf"Python {OTHER}"):
        pair.inspect()


def test_modules_of_the_stable_abi_fit_every_python(pair: Any, make_library: Any) -> None:
    pair.dist_files["numpy/fast.abi3.so"] = make_library()
    assert pair.inspect()


@pytest.mark.parametrize("handler", ["handler.main", "other.handler", "handler", "", ".", "handler."])
def test_a_handler_that_is_not_there_is_refused(pair: Any, handler: str) -> None:
    with pytest.raises(ArchiveMismatchError, match="lacks the handler"):
        pair.inspect(handler=handler)


@pytest.mark.parametrize(
    "source", [b"async def handler(e, c): ...", b"handler = print", b"from x import y as handler", b"import handler"]
)
def test_a_handler_may_be_defined_in_any_way(pair: Any, source: bytes) -> None:
    pair.dist_files["handler.py"] = source
    assert pair.inspect()


def test_a_handler_in_a_package_is_found(pair: Any) -> None:
    pair.dist_files["own/entry.py"] = b"def main(event, context): ..."
    assert pair.inspect(handler="own/entry.main")
    assert pair.inspect(handler="own.entry.main")


def test_a_handler_that_is_not_python_is_refused(pair: Any) -> None:
    pair.dist_files["handler.py"] = b"def handler(:"
    with pytest.raises(ArchiveCorruptError, match="not Python"):
        pair.inspect()


@pytest.mark.parametrize("name", ["podpac_version", "lock_sha256"])
def test_archives_of_two_builds_are_refused(pair: Any, name: str) -> None:
    pair.dependencies_changes[name] = "other"
    with pytest.raises(ArchiveMismatchError, match=f"not built together.*\n{name}"):
        pair.inspect()


def test_dependencies_of_another_content_are_refused(pair: Any) -> None:
    pair.dist_changes["dependencies_files_sha256"] = "1" * 64
    with pytest.raises(ArchiveMismatchError, match="another content"):
        pair.inspect()


def test_dependencies_that_lack_a_package_the_code_expects_are_refused(pair: Any) -> None:
    pair.dist_changes["dependencies_provides"] = ("rasterio", "zarr")
    with pytest.raises(ArchiveMismatchError, match="expects other packages"):
        pair.inspect()


def test_exchanged_archives_are_recognised(pair: Any) -> None:
    pair.write()
    with pytest.raises(ArchiveMismatchError, match="Exchange the two archives"):
        inspect_package(pair.dependencies, pair.dist, architecture="x86_64")


def test_archives_without_a_manifest_are_inspected_by_what_is_in_them(pair: Any, make_zip: Any) -> None:
    make_zip(pair.dist, pair.dist_files)
    make_zip(pair.dependencies, pair.dependencies_files)
    package = inspect_package(pair.dist, pair.dependencies, architecture="x86_64")
    assert package.dist.manifest is None
    assert "Not built by" in package._repr_html_()
    with pytest.raises(ArchiveMismatchError, match="another architecture"):
        inspect_package(pair.dist, pair.dependencies, architecture="arm64")


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"format": 2}', b'{"format": 1, "kind": "dist"}', b"[" * 20_000])
def test_a_manifest_that_cannot_be_read_is_refused(pair: Any, make_zip: Any, text: bytes) -> None:
    pair.write()
    make_zip(pair.dist, pair.dist_files, text)
    with pytest.raises(ArchiveCorruptError, match=MANIFEST_NAME):
        inspect_package(pair.dist, pair.dependencies, architecture="x86_64")


def test_code_of_exactly_the_limit_is_accepted_and_a_byte_more_is_not() -> None:
    check_code_size(UNZIPPED_CODE_BYTES, resource="x.zip")
    with pytest.raises(ArchiveTooLargeError) as refused:
        check_code_size(UNZIPPED_CODE_BYTES + 1, resource="x.zip")
    assert "262,144,001" in refused.value.why
    assert "262,144,000" in refused.value.why
    assert refused.value.next_step


def test_code_over_the_limit_is_refused(pair: Any) -> None:
    pair.write()
    megabyte = bytes(MEGABYTE)
    with zipfile.ZipFile(pair.dist, "w") as archive:
        archive.writestr("handler.py", HANDLER)
        for index in range(250):
            archive.writestr(f"data{index}", megabyte)
    size = len(HANDLER) + 250 * MEGABYTE
    with pytest.raises(ArchiveTooLargeError, match=f"{size:,}"):
        inspect_package(pair.dist, pair.dependencies, architecture="x86_64")


def test_dependencies_must_fit_ephemeral_storage_together_with_their_archive(pair: Any) -> None:
    pair.dependencies_files["data"] = random.Random(1).randbytes(3 * MEGABYTE + 1)
    package = pair.inspect(ephemeral_storage=limits.EPHEMERAL_STORAGE_MB[0])
    needed = package.dependencies.size + package.dependencies.unzipped_size
    exact = -(-needed // MEGABYTE)
    assert inspect_package(pair.dist, pair.dependencies, architecture="x86_64", ephemeral_storage=exact)
    with pytest.raises(ArchiveTooLargeError) as refused:
        inspect_package(pair.dist, pair.dependencies, architecture="x86_64", ephemeral_storage=exact - 1)
    assert f"{needed:,}" in refused.value.why
    assert f"{exact} MB" in refused.value.next_step


@pytest.mark.parametrize("options", [{"runtime": "python3.8"}, {"architecture": "riscv64"}])
def test_a_target_lambda_does_not_have_is_refused(pair: Any, options: dict[str, str]) -> None:
    with pytest.raises(InvalidValueError) as refused:
        pair.inspect(**options)
    assert refused.value.field == next(iter(options))
