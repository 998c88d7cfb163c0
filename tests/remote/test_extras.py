"""Dependencies on demand: fetched once, checked, and never half."""

from __future__ import annotations

import errno
import hashlib
import importlib
import importlib.util
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from podpac_lambda_widgets import errors
from podpac_lambda_widgets.remote import extras as extras_module
from podpac_lambda_widgets.remote.extras import Extras, code_version, extract, install, left_out

FILES = {
    "plw_extra/__init__.py": "VALUE = 41\nfrom plw_extra import inner\n",
    "plw_extra/inner.py": "import plw_single\nVALUE = plw_single.VALUE + 1\n",
    "plw_single.py": "VALUE = 6\n",
}


def make_zip(files: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


class Bucket:
    """What Extras needs of an S3 client, over bytes; counts its downloads."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.downloads = 0

    def download_file(self, bucket: str, key: str, target: str, Config: object) -> None:
        assert (bucket, key) == ("stack", "deps.zip")
        self.downloads += 1
        if not self.data:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        Path(target).write_bytes(self.data)


def make_extras(tmp_path: Path, bucket: Bucket, sha256: str = "") -> Extras:
    names = ["plw_extra", "plw_single", "plw_promised"]
    return Extras(
        names, "stack", "deps.zip", sha256 or hashlib.sha256(bucket.data).hexdigest(), tmp_path, lambda: bucket
    )


@pytest.fixture
def clean_imports() -> Iterator[None]:
    path, meta_path, modules = list(sys.path), list(sys.meta_path), set(sys.modules)
    yield
    sys.path[:], sys.meta_path[:] = path, meta_path
    for name in set(sys.modules) - modules:
        if name.startswith("plw_"):
            del sys.modules[name]


@pytest.mark.usefixtures("clean_imports")
def test_looking_for_a_module_fetches_nothing(tmp_path: Path) -> None:
    bucket = Bucket(make_zip(FILES))
    sys.meta_path.append(make_extras(tmp_path, bucket))
    assert importlib.util.find_spec("plw_extra") is not None
    assert importlib.util.find_spec("plw_unheard_of") is None
    assert bucket.downloads == 0


@pytest.mark.usefixtures("clean_imports")
def test_the_first_import_fetches_and_the_next_do_not(tmp_path: Path) -> None:
    bucket = Bucket(make_zip(FILES))
    extras = make_extras(tmp_path, bucket)
    sys.meta_path.append(extras)
    module = importlib.import_module("plw_extra")
    assert (module.VALUE, module.inner.VALUE) == (41, 7)
    assert module is sys.modules["plw_extra"]
    assert module.__spec__ is not None
    assert module.__file__ == str(tmp_path / f"podpac-deps-{extras.sha256}" / "plw_extra" / "__init__.py")
    assert importlib.reload(module).VALUE == 41
    assert not hasattr(sys.modules["plw_single"], "__path__")
    assert bucket.downloads == 1
    assert extras.seconds > 0
    assert [path.name for path in tmp_path.iterdir()] == [f"podpac-deps-{extras.sha256}"]


@pytest.mark.usefixtures("clean_imports")
def test_another_environment_process_takes_the_extracted_tree(tmp_path: Path) -> None:
    bucket = Bucket(make_zip(FILES))
    make_extras(tmp_path, bucket).fetch()
    again = make_extras(tmp_path, bucket)
    again.fetch()
    assert bucket.downloads == 1


@pytest.mark.usefixtures("clean_imports")
def test_a_tree_that_a_crash_left_half_is_not_taken(tmp_path: Path) -> None:
    bucket = Bucket(make_zip(FILES))
    half = tmp_path / ".podpac-deps-crashed" / "tree" / "plw_extra"
    half.mkdir(parents=True)
    (half / "__init__.py").write_text("raise SystemError")
    sys.meta_path.append(make_extras(tmp_path, bucket))
    assert importlib.import_module("plw_extra").VALUE == 41


@pytest.mark.usefixtures("clean_imports")
def test_many_threads_fetch_once(tmp_path: Path) -> None:
    bucket = Bucket(make_zip(FILES))
    sys.meta_path.append(make_extras(tmp_path, bucket))
    found: list[int] = []
    ready = threading.Barrier(8)

    def load() -> None:
        ready.wait()
        found.append(importlib.import_module("plw_extra").VALUE)

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [41] * 8
    assert bucket.downloads == 1


@pytest.mark.usefixtures("clean_imports")
def test_an_import_that_failed_may_be_tried_again(tmp_path: Path) -> None:
    bucket = Bucket(make_zip(FILES))
    data, bucket.data = bucket.data, b""
    sys.meta_path.append(make_extras(tmp_path, bucket, hashlib.sha256(data).hexdigest()))
    with pytest.raises(errors.ArchiveMissingError, match="NoSuchKey"):
        importlib.import_module("plw_extra")
    bucket.data = data
    assert importlib.import_module("plw_extra").VALUE == 41


@pytest.mark.usefixtures("clean_imports")
def test_an_archive_with_another_digest_is_not_extracted(tmp_path: Path) -> None:
    extras = make_extras(tmp_path, Bucket(make_zip(FILES)), "0" * 64)
    with pytest.raises(errors.ArchiveMismatchError):
        extras.fetch()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("clean_imports")
def test_a_promised_module_that_is_not_there_is_named(tmp_path: Path) -> None:
    sys.meta_path.append(make_extras(tmp_path, Bucket(make_zip(FILES))))
    with pytest.raises(errors.DependencyMissingError, match="plw_promised"):
        importlib.import_module("plw_promised")


@pytest.mark.usefixtures("clean_imports")
def test_it_works_with_podpacs_placeholders(tmp_path: Path) -> None:
    pytest.importorskip("lazy_import")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, lazy_import, pathlib, threading\n"
            "from podpac_lambda_widgets.remote.extras import Extras\n"
            "class Bucket:\n"
            # As boto3 does it: on other threads where it may, and with imports on the way.
            "    def download_file(self, bucket, key, target, Config):\n"
            "        def work():\n"
            "            import encodings.punycode\n"
            "            pathlib.Path(target).write_bytes(pathlib.Path(sys.argv[1]).read_bytes())\n"
            "        thread = threading.Thread(target=work)\n"
            "        thread.start() or thread.join() if Config.use_threads else work()\n"
            "names, folder = ['plw_extra', 'plw_single'], pathlib.Path(sys.argv[3])\n"
            "sys.meta_path.append(Extras(names, 'b', 'k', sys.argv[2], folder, Bucket))\n"
            "extra = lazy_import.lazy_module('plw_extra')\n"
            "inner = lazy_import.lazy_module('plw_extra.inner')\n"
            "assert not list(pathlib.Path(sys.argv[3]).iterdir())\n"
            "print(extra.VALUE, inner.VALUE)\n",
            str(save(tmp_path / "deps.zip", make_zip(FILES))),
            hashlib.sha256(make_zip(FILES)).hexdigest(),
            str(folder(tmp_path / "out")),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout == "41 7\n", done.stderr


def save(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def folder(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.mark.parametrize("name", ["/etc/x", "../x", "a/../../x", "a/..", "..", "C:/x", "a\\..\\x", "\\\\host\\x"])
def test_an_archive_with_an_entry_outside_is_refused(tmp_path: Path, name: str) -> None:
    archive = save(tmp_path / "a.zip", make_zip({name: "x"}))
    with pytest.raises(errors.ArchiveUnsafeError):
        extract(archive, tmp_path / "tree")
    assert not (tmp_path / "tree").exists()


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_an_archive_with_a_link_or_a_device_is_refused(tmp_path: Path, kind: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        entry = zipfile.ZipInfo("a")
        entry.external_attr = (kind | 0o777) << 16
        made.writestr(entry, "/etc/passwd")
    with pytest.raises(errors.ArchiveUnsafeError, match="link or a device"):
        extract(save(tmp_path / "a.zip", out.getvalue()), tmp_path / "tree")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_with_one_name_twice_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("a", "1")
        made.writestr("a", "2")
    with pytest.raises(errors.ArchiveUnsafeError, match="twice"):
        extract(save(tmp_path / "a.zip", out.getvalue()), tmp_path / "tree")


def test_an_entry_that_claims_to_grow_without_bound_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a", b"\0" * 123_457)
    bomb = out.getvalue().replace((123_457).to_bytes(4, "little"), (2**32 - 2).to_bytes(4, "little"))
    with pytest.raises(errors.ArchiveUnsafeError, match="grows"):
        extract(save(tmp_path / "a.zip", bomb), tmp_path / "tree")
    assert not (tmp_path / "tree").exists()


def test_a_bomb_of_ten_gigabytes_is_refused_before_it_is_extracted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each entry says no more than deflate can do; together they are more than there is room for."""
    size, packed = 2**32 - 2, 4 * 1024**2
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name in "abc":
            made.writestr(name, b"\0" * 123_457)
        honest = made.getinfo("a").compress_size
    bomb = out.getvalue().replace((123_457).to_bytes(4, "little"), size.to_bytes(4, "little"))
    bomb = bomb.replace(honest.to_bytes(4, "little"), packed.to_bytes(4, "little"))
    room = shutil.disk_usage(tmp_path)._replace(free=10 * 1024**3)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: room)
    with pytest.raises(errors.ArchiveTooLargeError, match=f"{3 * size:,} bytes"):
        extract(save(tmp_path / "a.zip", bomb), tmp_path / "tree")
    assert not (tmp_path / "tree").exists()


def test_an_entry_that_is_larger_than_it_says_writes_no_more_than_it_said(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a", b"\0" * 50_000_000)
    liar = out.getvalue().replace((50_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    with pytest.raises(errors.ArchiveCorruptError):
        extract(save(tmp_path / "a.zip", liar), tmp_path / "tree")
    assert (tmp_path / "tree" / "a").stat().st_size <= 1000


@pytest.mark.usefixtures("clean_imports")
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_fills_up_meanwhile_is_a_typed_error_that_leaves_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    written: list[object] = []

    def fail(source: Any, file: Any, length: int) -> None:
        written.append(file.write(source.read(3)))
        raise OSError(code, os.strerror(code))

    extras = make_extras(tmp_path, Bucket(make_zip(FILES)))
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copyfileobj", fail)
        with pytest.raises(errors.ArchiveTooLargeError, match=os.strerror(code)) as caught:
            extras.fetch()
    assert written
    assert "ephemeral storage" in caught.value.next_step
    assert list(tmp_path.iterdir()) == []
    # Once there is room again.
    assert (extras.fetch() / "plw_single.py").is_file()


def test_an_archive_that_does_not_fit_is_refused_before_it_is_extracted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: full)
    with pytest.raises(errors.ArchiveTooLargeError, match="1,000 are free"):
        extract(save(tmp_path / "a.zip", make_zip(FILES)), tmp_path / "tree")
    assert not (tmp_path / "tree").exists()


@pytest.mark.parametrize("cut", [0, 10, 100, 300])
def test_a_truncated_archive_is_refused(tmp_path: Path, cut: int) -> None:
    with pytest.raises(errors.ArchiveCorruptError):
        extract(save(tmp_path / "a.zip", make_zip(FILES)[:cut]), tmp_path / "tree")


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    data = bytearray(make_zip({"a": b"0123456789" * 100 + bytes(range(256))}))
    data[60] ^= 0xFF
    with pytest.raises(errors.ArchiveCorruptError):
        extract(save(tmp_path / "a.zip", bytes(data)), tmp_path / "tree")


def test_extracting_gives_the_files_as_they_were(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        f"p{number}/q/{number}.bin": bytes([number]) * (number * 1000) for number in range(40)
    }
    extract(save(tmp_path / "a.zip", make_zip(files)), tmp_path / "tree")
    found = {
        str(path.relative_to(tmp_path / "tree")): path.read_bytes()
        for path in (tmp_path / "tree").rglob("*")
        if path.is_file()
    }
    assert found == files


def test_a_function_without_a_dependencies_archive_has_no_finder(tmp_path: Path) -> None:
    before = list(sys.meta_path)
    assert install({"LAMBDA_TASK_ROOT": str(tmp_path)}) is None
    assert code_version({"LAMBDA_TASK_ROOT": str(tmp_path)}) == ""
    assert sys.meta_path == before


@pytest.mark.usefixtures("clean_imports")
def test_the_manifest_says_what_is_in_the_archive_and_what_was_left_out(tmp_path: Path) -> None:
    manifest = {
        "files_sha256": "5" * 64,
        "dependencies_provides": ["plw_extra"],
        "left_out": {"zarr": "no build for arm64"},
    }
    (tmp_path / extras_module.MANIFEST).write_text(json.dumps(manifest))
    environ = {
        "LAMBDA_TASK_ROOT": str(tmp_path),
        "FUNCTION_DEPENDENCIES_BUCKET": "stack",
        "FUNCTION_DEPENDENCIES_KEY": "deps.zip",
        "FUNCTION_DEPENDENCIES_SHA256": hashlib.sha256(make_zip(FILES)).hexdigest(),
        "TMPDIR": str(tmp_path / "tmp"),
    }
    bucket = Bucket(make_zip(FILES))
    extras = install(environ, lambda: bucket)
    assert extras is not None
    assert sys.meta_path[-1] is extras
    assert left_out(environ) == {"zarr": "no build for arm64"}
    assert code_version(environ) == "5" * 12
    assert importlib.import_module("plw_extra").VALUE == 41


@pytest.mark.usefixtures("clean_imports")
def test_a_folder_that_cannot_be_written_to_is_a_typed_error(tmp_path: Path) -> None:
    bucket = Bucket(make_zip(FILES))
    sha256 = hashlib.sha256(make_zip(FILES)).hexdigest()
    extras = Extras(["plw_extra"], "stack", "deps.zip", sha256, save(tmp_path / "file", b"") / "tmp", lambda: bucket)
    with pytest.raises(errors.ArchiveTooLargeError, match="could not be extracted"):
        extras.fetch()


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / extras_module.MANIFEST).write_text("{")
    with pytest.raises(errors.ArchiveCorruptError):
        install({"LAMBDA_TASK_ROOT": str(tmp_path)})
