"""An entry that would leave its folder, or fill the disk, is refused before a byte of it is read."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podpac_lambda_widgets.errors import ArchiveUnsafeError
from podpac_lambda_widgets.packaging.entries import RATIO, check_entries, find_unsafe_name

PARTS = st.text(st.characters(codec="utf-8", exclude_characters="/\\:\0", exclude_categories=("Cc",)), min_size=1)
HARMLESS = PARTS.filter(lambda part: part not in (".", ".."))


def entry(name: str, size: int = 0, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("placeholder")
    info.filename = info.orig_filename = name
    info.file_size = size
    info.external_attr = mode << 16
    return info


@given(st.lists(HARMLESS, min_size=1, max_size=5))
def test_a_relative_path_of_plain_names_is_accepted(parts: list[str]) -> None:
    assert find_unsafe_name("/".join(parts)) == ""


@given(st.lists(HARMLESS | st.just(".."), max_size=4), st.lists(HARMLESS, max_size=4))
def test_a_name_with_a_parent_folder_is_refused(before: list[str], after: list[str]) -> None:
    assert find_unsafe_name("/".join([*before, "..", *after]))


@given(st.text(st.sampled_from("ab./\\:C~ \0\n"), max_size=12))
def test_no_accepted_name_leaves_its_folder_on_linux_or_windows(name: str) -> None:
    if find_unsafe_name(name) == "":
        for kind in (PurePosixPath, PureWindowsPath):
            path = kind(name)
            assert not path.is_absolute()
            assert not path.drive
            assert ".." not in path.parts


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "\\\\server\\share", "C:/windows", "c:x", "a\\..\\b", "a//b", "./a", "a\0b", "a\nb"]
)
def test_a_name_that_is_not_a_plain_relative_path_is_refused(name: str) -> None:
    with pytest.raises(ArchiveUnsafeError) as refused:
        check_entries([entry(name)], resource="x.zip", archive_bytes=1000)
    assert refused.value.next_step


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_a_link_or_device_is_refused(kind: int) -> None:
    with pytest.raises(ArchiveUnsafeError, match="symbolic link or a device"):
        check_entries([entry("a", mode=kind | 0o777)], resource="x.zip", archive_bytes=1000)


def test_a_name_that_is_there_twice_is_refused() -> None:
    with pytest.raises(ArchiveUnsafeError, match="twice"):
        check_entries([entry("a"), entry("a")], resource="x.zip", archive_bytes=1000)


@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b", "a"), ("a", "a/"), ("a/b/c", "a/b")])
def test_a_name_that_is_a_file_and_a_folder_is_refused(names: tuple[str, str]) -> None:
    with pytest.raises(ArchiveUnsafeError, match="file and a folder"):
        check_entries(map(entry, names), resource="x.zip", archive_bytes=1000)


def test_folders_may_have_entries_of_their_own() -> None:
    check_entries(map(entry, ("a/", "a/b/", "a/b/c")), resource="x.zip", archive_bytes=1000)


def test_an_encrypted_entry_is_refused() -> None:
    secret = entry("a")
    secret.flag_bits |= 1
    with pytest.raises(ArchiveUnsafeError, match="encrypted"):
        check_entries([secret], resource="x.zip", archive_bytes=1000)


@given(st.integers(1, 10**6))
def test_an_archive_may_grow_by_the_ratio_and_no_more(archive_bytes: int) -> None:
    most = RATIO * archive_bytes
    check_entries([entry("a", most)], resource="x.zip", archive_bytes=archive_bytes)
    with pytest.raises(ArchiveUnsafeError, match=f"{most + 1:,}"):
        check_entries([entry("a", most), entry("b", 1)], resource="x.zip", archive_bytes=archive_bytes)


def test_a_zip_bomb_on_disk_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(30_000_000))
    with zipfile.ZipFile(path) as archive, pytest.raises(ArchiveUnsafeError, match="30,000,000"):
        check_entries(archive.infolist(), resource="bomb.zip", archive_bytes=path.stat().st_size)
