"""The Studio in a browser, with an embedded AWS behind it: in JupyterLab, or as a page of its own by Voila.

Both listen on loopback, at a free port, and want a token. They end with this process, and the embedded AWS with them.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from podpac_lambda_widgets.errors import DependencyMissingError
from podpac_lambda_widgets.local.session import LocalSession

#: Where Jupyter finds the page's template, below ``voila/templates``.
_TEMPLATES = Path(__file__).parent / "share"
#: Seconds until a server answers; and until it has ended, with the kernels that it has.
_PATIENCE_S, _PARTING_S = 60, 20
#: Seconds for which a page may be out of reach, as a machine that sleeps is, and find its kernel again.
_LEFT_S = 600


@dataclass(frozen=True)
class _Server:
    """What is started.

    Parameters
    ----------
    name : str
        What a person calls it.
    extra : str
        The extra of this package that installs it.
    command : sequence of str
        The program and its arguments.
    environment : mapping of str to str
        What it is told beside what every server is told.
    page : str
        Path of the Studio's page.
    """

    name: str
    extra: str
    command: Sequence[str]
    environment: Mapping[str, str]
    page: str


def serve_lab(session: LocalSession, repository: Path) -> int:
    """Serve the checkout's ``notebooks/studio.ipynb`` in JupyterLab until it is stopped; returns its exit status."""
    port = _free_port()
    with _quiet_settings() as settings:
        command = [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}"),
            *("--ServerApp.port_retries=0", f"--ServerApp.root_dir={repository}"),
            f"--LabApp.app_settings_dir={settings}",
            *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
        ]
        return _serve(_Server("JupyterLab", "lab", command, {}, "lab/tree/notebooks/studio.ipynb"), session, port)


def serve_app(session: LocalSession, archives: Path) -> int:
    """Serve the Studio as a page of its own until it is stopped; returns the server's exit status.

    Every visit of the page has a kernel, and so a Studio, of its own. ``theme=dark`` in the address makes it dark.

    Parameters
    ----------
    session : LocalSession
        Credentials and endpoint that the Studio finds in its environment.
    archives : Path
        Where the two archives are, or are built.
    """
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="podpac-app-") as folder:
        # The notebook is alone in its folder: the server shows nothing else of this machine.
        notebook = _write_app(Path(folder), archives.resolve())
        command = [
            *(sys.executable, "-m", "voila", str(notebook), "--no-browser", f"--port={port}"),
            *("--Voila.ip=127.0.0.1", "--Voila.auto_token=True", "--template=podpac-studio"),
            "--VoilaConfiguration.allow_theme_override=YES",
            # A page that was left has no use for its kernel any more.
            *(f"--MappingKernelManager.cull_idle_timeout={_LEFT_S}", "--MappingKernelManager.cull_interval=60"),
        ]
        paths = os.pathsep.join(filter(None, [str(_TEMPLATES), os.environ.get("JUPYTER_PATH")]))
        return _serve(_Server("Voila", "app", command, {"JUPYTER_PATH": paths}, ""), session, port)


def _write_app(folder: Path, archives: Path) -> Path:
    code = f"from podpac_lambda_widgets import Studio\nstudio = Studio({str(archives)!r})\nstudio"
    cell: dict[str, object] = {
        "cell_type": "code",
        "source": code,
        "metadata": {},
        "outputs": [],
        "execution_count": None,
    }
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"title": "PODPAC Studio", "kernelspec": kernel, "language_info": {"name": "python"}}
    path = folder / "studio.ipynb"
    path.write_text(json.dumps({"cells": [cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 4}))
    return path


@contextmanager
def _quiet_settings() -> Iterator[str]:
    """JupyterLab settings under which it asks nothing of the network, and the user nothing about news."""
    quiet = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
    with tempfile.TemporaryDirectory(prefix="podpac-lab-") as folder:
        (Path(folder) / "overrides.json").write_text(json.dumps(quiet))
        yield folder


def _environment(session: LocalSession, token: str, more: Mapping[str, str]) -> dict[str, str]:
    keys = session.get_credentials().get_frozen_credentials()
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    # The names every AWS SDK reads: the notebook's own `connect()` finds this AWS as it would find any other.
    # They live as long as this process, for an AWS that ends with it.
    # It runs functions with this very Python, so archives are to be built for that.
    return {
        **own,
        "JUPYTER_TOKEN": token,
        "AWS_ENDPOINT_URL": session.endpoint_url,
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_DEFAULT_REGION": str(session.region_name),
        "FUNCTION_RUNTIME": f"python{sys.version_info.major}.{sys.version_info.minor}",
        **more,
    }


def _serve(server: _Server, session: LocalSession, port: int) -> int:
    token = secrets.token_urlsafe(24)
    environment = _environment(session, token, server.environment)
    # A file, and not a pipe: nobody reads along, and who writes into a full pipe stands still.
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(server.command, env=environment, stdout=subprocess.DEVNULL, stderr=said)
        except OSError as error:
            raise DependencyMissingError(f"{server.name} did not start", why=str(error)) from None
        # However it is told to stop, and even when a shell started it with Ctrl-C ignored.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        try:
            if not _is_up(process, port, token):
                said.seek(0)
                why = said.read().decode("utf-8", "replace").replace(token, "********")[-2000:]
                raise DependencyMissingError(
                    f"{server.name} did not start",
                    why=why,
                    next_step=f"Install podpac-lambda-widgets[{server.extra}].",
                )
            _show(f"http://127.0.0.1:{port}/{server.page}?token={token}")
            return process.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            process.terminate()
            try:
                process.wait(_PARTING_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _show(link: str) -> None:
    sys.stdout.write(f"\n  The Studio is open at\n\n    {link}\n\n  Press Ctrl-C to stop it and the embedded AWS.\n")
    sys.stdout.flush()
    if os.environ.get("DISPLAY") or sys.platform == "darwin":
        webbrowser.open(link)


def _is_up(process: subprocess.Popen[bytes], port: int, token: str) -> bool:
    """Wait until the server answers; False when it has ended, or does not answer in time."""
    # A page that both have, and that costs no kernel.
    page = f"http://127.0.0.1:{port}/login"
    request = urllib.request.Request(page, headers={"Authorization": f"token {token}"})
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        try:
            process.wait(0.2)
        except subprocess.TimeoutExpired:
            try:
                urllib.request.urlopen(request, timeout=2).close()  # noqa: S310 - our own server on loopback
            except (urllib.error.URLError, OSError):
                continue
            return True
        return False
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
