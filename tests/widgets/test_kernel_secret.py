"""A secret that goes the real way from the page to a kernel is left in nothing that Jupyter writes or says."""

from __future__ import annotations

import os
import queue
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbconvert import HTMLExporter, PythonExporter

_STUDIO = "from podpac_lambda_widgets import Studio\nstudio = Studio()\nstudio.wait(60)\nstudio"


@dataclass
class Kernel:
    """A kernel at ``--debug`` with two front ends, of which one types and both listen.

    Parameters
    ----------
    folder : Path
        For everything that Jupyter and IPython write.
    """

    folder: Path
    heard: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.log = self.folder / "kernel.log"
        self._manager = KernelManager(kernel_name="python3")
        environment = {**os.environ, "IPYTHONDIR": str(self.folder / "ipython"), "PYTHONUNBUFFERED": "1"}
        with self.log.open("wb") as log:
            self._manager.start_kernel(
                extra_arguments=["--debug"], env=environment, cwd=str(self.folder), stdout=log, stderr=log
            )
        self._typing, self._watching = self._manager.blocking_client(), self._manager.blocking_client()
        for client in (self._typing, self._watching):
            client.start_channels()
            client.wait_for_ready(timeout=60)

    def run(self, code: str) -> str:
        """Run a cell, and return what it printed or raised."""
        reply = self._typing.execute_interactive(code, timeout=60, output_hook=self._keep)
        self.heard.append(reply)
        self._listen()
        return self._said

    def send(self, comm: str, content: dict[str, Any], *buffers: bytes) -> None:
        """What the page sends when somebody leaves a field, or presses a button."""
        data = {"comm_id": comm, "data": {"method": "custom", "content": content}}
        message = self._typing.session.msg("comm_msg", data)
        self._typing.session.send(self._typing.shell_channel.socket, message, buffers=list(buffers))
        self.run("pass")

    def stop(self) -> None:
        """End it, so that all it writes is written."""
        for client in (self._typing, self._watching):
            client.stop_channels()
        self._manager.shutdown_kernel()

    _said = ""

    def _keep(self, message: dict[str, Any]) -> None:
        self.heard.append(message)
        content = message["content"]
        self._said = content.get("text", "") if message["msg_type"] == "stream" else self._said
        if message["msg_type"] == "error":
            self._said = "\n".join(content["traceback"])

    def _listen(self) -> None:
        while True:
            try:
                message = self._watching.get_iopub_msg(timeout=0.2)
            except queue.Empty:
                return
            self.heard += [message, *(bytes(buffer) for buffer in message["buffers"])]


@pytest.fixture(scope="module")
def typed(plant: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Kernel]]:
    """A secret, and a kernel to which it was sent, in which much went wrong, and which has ended."""
    planted, kernel = plant(), Kernel(tmp_path_factory.mktemp("kernel"))
    try:
        # A port that nobody listens at: connecting fails as it does without a network.
        closed = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
        kernel.run(f"import logging, os\nos.environ.update({closed!r})\nlogging.basicConfig(level=logging.DEBUG)")
        kernel.run("%xmode Verbose")
        kernel.run(_STUDIO)
        comm = kernel.run("print(studio.credentials.comm.comm_id)").strip()
        for name, value in (("access_key_id", planted.key_id), ("region", "eu-west-1")):
            kernel.send(comm, {"type": "input", "name": name, "value": value})
        kernel.send(comm, {"type": "secret", "name": "secret_access_key"}, planted.secret.encode())
        kernel.send(comm, {"type": "secret", "name": "session_token"}, planted.token.encode())
        kernel.run("studio")
        kernel.send(comm, {"type": "action", "name": "connect", "view": "one"})
        assert "EndpointUnreachableError" in kernel.run("studio.wait(60)")
        # Typed again, and left where it is.
        kernel.send(comm, {"type": "secret", "name": "secret_access_key"}, planted.secret.encode())
        assert "KeyError" in kernel.run("studio.credentials.enter('no such field', 1)")
        kernel.run("%history -g\n%whos\nprint(In, Out, globals().keys(), vars(studio.credentials))")
        kernel.run(
            "import pickle\nfor each in studio.forms:\n    try: print(pickle.dumps(each))\n    except Exception: raise"
        )
    finally:
        kernel.stop()
    yield planted, kernel


def test_no_message_to_any_front_end_has_it(typed: tuple[Any, Kernel]) -> None:
    planted, kernel = typed
    assert planted.key_id in repr(kernel.heard)
    assert planted.hits(*kernel.heard) == []


def test_the_kernels_debug_log_does_not_have_it(typed: tuple[Any, Kernel]) -> None:
    planted, kernel = typed
    log = kernel.log.read_bytes()
    assert b"comm_msg" in log
    assert planted.hits(log) == []


def test_no_file_has_it(typed: tuple[Any, Kernel]) -> None:
    planted, kernel = typed
    files = {path.name: path.read_bytes() for path in kernel.folder.rglob("*") if path.is_file()}
    assert b"studio.wait(60)" in files["history.sqlite"]
    assert [name for name, content in files.items() if planted.hits(content)] == []


_TYPE = """
import os
send = lambda name, *buffers, kind="secret", **content: studio.credentials._handle_msg({
    "content": {"data": {"method": "custom", "content": {"type": kind, "name": name, **content}}},
    "buffers": [memoryview(buffer) for buffer in buffers]})
send("access_key_id", kind="input", value=os.environ["PLANTED_KEY_ID"])
send("secret_access_key", os.environ["PLANTED_SECRET"].encode())
send("session_token", os.environ["PLANTED_TOKEN"].encode())
"""
_FAIL = "%xmode Verbose\nstudio.credentials.enter('no such field', 1)"


def test_a_notebook_run_by_nbclient_does_not_have_it_nor_what_is_made_of_it(planted: Any, tmp_path: Path) -> None:
    cells = [nbformat.v4.new_code_cell(code) for code in (_STUDIO, _TYPE, "studio", "studio.credentials", _FAIL)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    given = {"PLANTED_KEY_ID": planted.key_id, "PLANTED_SECRET": planted.secret, "PLANTED_TOKEN": planted.token}
    client = NotebookClient(
        notebook, kernel_name="python3", timeout=120, allow_errors=True, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute(env={**os.environ, **given, "IPYTHONDIR": str(tmp_path)})
    saved = nbformat.writes(notebook)
    assert planted.key_id in saved and "KeyError" in saved
    assert "Held by the kernel" in saved
    html, script = (exporter.from_notebook_node(notebook)[0] for exporter in (HTMLExporter(), PythonExporter()))
    assert "PODPAC on AWS Lambda" in html and "studio" in script
    assert planted.hits(saved, html, script) == []
