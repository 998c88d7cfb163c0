"""Execution environments and the code they share, without an emulator around them."""

from __future__ import annotations

import io
import json
import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podpac_lambda_widgets.local import memory
from podpac_lambda_widgets.local.code_store import CodeStore, extract, remove_tree
from podpac_lambda_widgets.local.function import Archive, Function, Invocation
from podpac_lambda_widgets.local.pool import Pool
from podpac_lambda_widgets.local.runtimes import Runtimes, choose_client, host_runtime

ENDPOINT = "http://127.0.0.1:1"
SOURCE = "import os\ndef handler(event, context):\n    return [os.getpid(), __file__]"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def archive(files: dict[str, str | bytes], modes: dict[str, int] | None = None) -> Archive:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as made:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (modes or {}).get(name, 0o100644) << 16
            made.writestr(entry, content)
    return Archive(str(sorted(files.items())), data.getvalue())


def function(code: Archive, **changes: object) -> Function:
    fields = {
        "name": "f",
        "version": "$LATEST",
        "revision": "1",
        "region": "us-east-1",
        "account": "0" * 12,
        "runtime": host_runtime(),
        "handler": "main.handler",
        "role": "",
        "code": code,
        "layers": (),
        "variables": {},
        "credentials": {},
        "timeout": 30.0,
        "memory_mb": 256,
        "ephemeral_storage_mb": 512,
        "log_group": "/aws/lambda/f",
    }
    return Function(**{**fields, **changes})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pool(tmp_path: Path, clock: Clock) -> Iterator[Pool]:
    runtimes = Runtimes(tmp_path / "runtimes", {}, ENDPOINT, "pure")
    pool = Pool(tmp_path, runtimes, endpoint=ENDPOINT, isolate=False, idle_seconds=100, clock=clock)
    yield pool
    pool.close()


@pytest.fixture
def run(pool: Pool) -> Callable[..., tuple[int, str]]:
    def run(called: Function) -> tuple[int, str]:
        outcome = pool.invoke(called, Invocation("request", "arn", b"null"))
        assert not outcome.error, outcome.payload
        return tuple(json.loads(outcome.payload))

    return run


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_environment_is_used_again_until_it_was_idle_for_too_long(pool, run, clock):
    called = function(archive({"main.py": SOURCE}))
    first, _ = run(called)
    clock.now = 99
    pool.reap()
    assert run(called)[0] == first
    clock.now = 199
    pool.reap()
    assert not alive(first)
    assert run(called)[0] != first


def test_a_change_of_configuration_closes_the_idle_environments(pool, run):
    code = archive({"main.py": SOURCE})
    first, _ = run(function(code))
    second, _ = run(function(code, memory_mb=300))
    assert second != first
    assert not alive(first)
    assert run(function(code, memory_mb=300))[0] == second
    assert run(function(code, memory_mb=300, revision="2"))[0] != second


def test_environments_of_the_same_code_share_one_tree_which_goes_with_the_last_of_them(pool, run, tmp_path, clock):
    code = archive({"main.py": SOURCE})
    _, one = run(function(code, name="one"))
    _, two = run(function(code, name="two"))
    assert one == two
    assert len(list((tmp_path / "code").iterdir())) == 1
    clock.now = 1000
    pool.reap()
    assert list((tmp_path / "code").iterdir()) == []
    assert not list(tmp_path.glob("tmp-*"))


def test_closing_the_pool_leaves_no_process_and_no_file(pool, run, tmp_path):
    pid, _ = run(function(archive({"main.py": SOURCE})))
    pool.close()
    assert not alive(pid)
    assert [path.name for path in tmp_path.iterdir() if path.name != "runtimes"] == ["code"]
    assert list((tmp_path / "code").iterdir()) == []


def test_code_that_is_no_archive_is_an_error_of_the_function(pool, tmp_path):
    outcome = pool.invoke(function(Archive("broken", b"not a zip")), Invocation("request", "arn", b"null"))
    assert outcome.error
    assert json.loads(outcome.payload)["errorType"] == "Runtime.InvalidCode"
    assert list((tmp_path / "code").iterdir()) == []


def test_initialisation_that_never_ends_is_stopped_by_the_time_limit(tmp_path, monkeypatch):
    monkeypatch.setattr("podpac_lambda_widgets.local.environment.INIT_SECONDS", 0)
    pool = Pool(tmp_path, Runtimes(tmp_path / "r", {}, ENDPOINT, "pure"), endpoint=ENDPOINT, isolate=False)
    code = archive({"main.py": "import threading; threading.Event().wait()"})
    outcome = pool.invoke(function(code, timeout=1.0), Invocation("request", "arn", b"null"))
    pool.close()
    assert json.loads(outcome.payload)["errorType"] == "Sandbox.Timedout"


def test_another_interpreter_serves_its_runtime_with_the_pure_client(tmp_path):
    import sys

    runtimes = Runtimes(tmp_path, {"python3.12": sys.executable}, ENDPOINT)
    found = runtimes.find("python3.12")
    assert (found.interpreter, found.client) == (sys.executable, "pure")
    assert runtimes.find(host_runtime()).client == choose_client(host_runtime())
    assert choose_client("python3.99") == "pure"
    assert runtimes.find("python3.99") is None


def test_a_tree_is_extracted_once_for_users_at_the_same_time(tmp_path, monkeypatch):
    extracted = []

    def counting(archives: list[bytes], tree: Path) -> None:
        extracted.append(tree)
        extract(archives, tree)

    monkeypatch.setattr("podpac_lambda_widgets.local.code_store.extract", counting)
    store, code = CodeStore(tmp_path), archive({f"{n}.txt": str(n) for n in range(200)})
    with ThreadPoolExecutor(8) as threads:
        trees = set(threads.map(lambda _: store.acquire((code,)), range(8)))
    assert extracted == list(trees)
    for _ in range(8):
        assert trees == set(tmp_path.iterdir())
        store.release((code,))
    assert list(tmp_path.iterdir()) == []


def test_an_extracted_tree_keeps_content_links_and_the_right_to_execute_and_is_read_only(tmp_path):
    modes = {"bin/run": 0o100755, "link": stat.S_IFLNK | 0o777}
    code = archive({"a/b.txt": "text", "bin/run": "#!/bin/sh\n", "link": "a/b.txt"}, modes)
    tree = tmp_path / "tree"
    extract([code.data], tree)
    assert (tree / "link").is_symlink()
    assert (tree / "link").read_text() == "text"
    assert os.access(tree / "bin/run", os.X_OK)
    assert stat.S_IMODE((tree / "a").stat().st_mode) == 0o555
    remove_tree(tree)
    remove_tree(tree)
    assert not tree.exists()


@pytest.mark.parametrize("name", ["../outside", "/outside", "a/../../outside"])
@pytest.mark.parametrize("mode", [0o100644, stat.S_IFLNK | 0o777])
def test_nothing_is_extracted_outside_the_tree(tmp_path, name, mode):
    tree = tmp_path / "deep" / "tree"
    try:
        extract([archive({name: "target"}, {name: mode}).data], tree)
    except zipfile.BadZipFile:
        assert not tree.exists()
    assert not [path for path in tmp_path.rglob("outside") if tree not in path.parents]
    remove_tree(tree)


def test_a_link_cannot_lead_another_link_outside(tmp_path):
    link = stat.S_IFLNK | 0o777
    files = {"door": "../..", "door/outside": "x"}
    with pytest.raises(zipfile.BadZipFile, match="outside"):
        extract([archive(files, {"door": link, "door/outside": link}).data], tmp_path / "deep" / "tree")
    assert not (tmp_path / "outside").exists()


@settings(max_examples=20, deadline=None)
@given(
    files=st.dictionaries(st.from_regex(r"[a-z]{1,8}(/[A-Z]{1,8}){0,2}\.txt", fullmatch=True), st.binary(max_size=200))
)
def test_what_is_extracted_is_what_was_archived(files, tmp_path_factory):
    tree = tmp_path_factory.mktemp("extract") / "tree"
    extract([archive(files).data], tree)
    found = {str(path.relative_to(tree)): path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    remove_tree(tree)
    assert found == files


def test_memory_of_a_process_that_has_ended_is_nothing():
    assert memory.resident_mb(os.getpid()) > 1
    assert memory.peak_mb(os.getpid()) > 1
    assert memory.resident_mb(2**22 + 1) == 0
