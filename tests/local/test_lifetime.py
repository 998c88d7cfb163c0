"""The emulator ends with its owner, however that ends, and leaves nothing."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from podpac_lambda_widgets.local.emulator import local_aws
from podpac_lambda_widgets.local.state_directory import make_state_directory, sweep_state_directories

pytestmark = [
    pytest.mark.local_aws,
    pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="watching processes that are not ours needs Linux"),
]

#: Starts an emulator with one idle and one busy environment, says their process ids, then does what it is told.
OWNER = """
import io, json, sys, threading, zipfile
from podpac_lambda_widgets.local.emulator import local_aws
from podpac_lambda_widgets.local.runtimes import host_runtime

session = local_aws()
client = session.client("lambda")
trust = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
role = session.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
code = io.BytesIO()
with zipfile.ZipFile(code, "w") as archive:
    archive.writestr("main.py", '''
import os, subprocess, sys, threading
def handler(event, context):
    if event:
        threading.Event().wait()
    return [os.getpid(), os.getppid()]
''')
pids = []
for name in ("idle", "busy"):
    client.create_function(FunctionName=name, Runtime=host_runtime(), Handler="main.handler", Role=role, Timeout=600,
                           Code={"ZipFile": code.getvalue()})
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
    environment, server = json.load(client.invoke(FunctionName=name)["Payload"])
    pids.append(environment)
threading.Thread(target=lambda: client.invoke(FunctionName="busy", Payload=b"1"), daemon=True).start()
print(json.dumps([server, *pids]), flush=True)
order = sys.stdin.readline().strip()
if order == "stop":
    session.stop()
if order == "raise":
    raise SystemExit(3)
if order == "fork":
    import os
    child = os.fork()
    if child == 0:
        session.stop()      # not its own
        sys.exit(0)         # runs what the parent registered for its exit
    os.waitpid(child, 0)
    print(session.client("sts").get_caller_identity()["Arn"], flush=True)
    sys.stdin.readline()
"""


class Owner:
    """A process that owns an emulator, and handles to watch all its processes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore::DeprecationWarning", "-c", OWNER],
            env={**os.environ, "TMPDIR": str(directory)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.server, *self.environments = json.loads(self.process.stdout.readline())
        self._handles = [os.pidfd_open(pid) for pid in (self.server, *self.environments)]

    def tell(self, order: str) -> None:
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()

    def all_ended(self) -> bool:
        """Wait, at most half a minute for each, until the server and the environments have ended."""
        return all(select.select([handle], [], [], 30)[0] for handle in self._handles)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            stream.close()
        for handle in self._handles:
            os.close(handle)


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    owner = Owner(tmp_path)
    yield owner
    owner.close()


@pytest.mark.parametrize("order", ["stop", "exit", "raise"])
def test_an_owner_that_stops_or_ends_takes_everything_with_it(owner, order):
    assert [path.name[:17] for path in owner.directory.iterdir()] == ["podpac-local-aws-"]
    owner.tell(order)
    assert owner.all_ended()
    assert owner.process.wait(30) == (3 if order == "raise" else 0)
    assert list(owner.directory.iterdir()) == []


def test_an_owner_that_is_killed_takes_everything_with_it(owner):
    owner.process.kill()
    assert owner.all_ended()
    assert list(owner.directory.iterdir()) == []


def test_when_the_server_too_is_killed_its_environments_end_and_the_next_start_sweeps(owner, monkeypatch):
    owner.process.send_signal(signal.SIGSTOP)
    os.kill(owner.server, signal.SIGKILL)
    owner.process.kill()
    owner.process.wait()
    assert owner.all_ended()
    assert list(owner.directory.iterdir()) != []
    monkeypatch.setattr(tempfile, "tempdir", str(owner.directory))
    sweep_state_directories()
    assert list(owner.directory.iterdir()) == []


def test_a_fork_of_the_owner_does_not_stop_the_emulator(owner):
    owner.tell("fork")
    assert ":user/podpac-" in owner.process.stdout.readline()
    owner.process.kill()
    assert owner.all_ended()


def test_the_sweep_leaves_what_is_in_use_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    directory, lock = make_state_directory()
    making = tmp_path / "podpac-local-aws-being-made"
    making.mkdir()
    foreign = tmp_path / "something-else"
    foreign.mkdir()
    sweep_state_directories()
    assert directory.exists() and making.exists() and foreign.exists()
    os.close(lock)
    os.utime(making, (0, 0))
    sweep_state_directories()
    assert list(tmp_path.iterdir()) == [foreign]


def test_nothing_on_disk_holds_a_payload_or_a_secret(tmp_path, monkeypatch, make_functions):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with local_aws() as session:
        functions = make_functions(session)
        source = "def handler(event, context):\n    print(event)\n    raise ValueError(event)"
        name = functions.create(source, Environment={"Variables": {"TOKEN": "planted-in-a-variable"}})
        assert "planted-in-a-payload" in functions.invoke(name, "planted-in-a-payload").log
        with pytest.raises(ClientError):
            session.client("s3").get_object(Bucket="planted-bucket", Key="planted-key")
        secrets = [session.get_credentials().secret_key, "planted-in-a-payload", "planted-in-a-variable"]
        own = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()]
        found = {path.name: path.read_text(errors="replace") for path in own if path.suffix != ".py"}
        assert "server.log" in found
        assert not [(name, secret) for name, text in found.items() for secret in secrets if secret in text]


def test_a_directory_that_is_being_made_is_never_swept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    rename = Path.rename

    def sweep_just_before(self: Path, target: Path) -> Path:
        sweep_state_directories()
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", sweep_just_before)
    directory, lock = make_state_directory()
    monkeypatch.undo()
    assert (directory / "lock").exists()
    os.close(lock)
