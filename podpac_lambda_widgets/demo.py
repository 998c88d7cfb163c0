"""The main job in one command: with a browser (the Studio), or without (``--headless``)."""

from __future__ import annotations

import argparse
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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.engine.stack import Stack
from podpac_lambda_widgets.errors import DependencyMissingError, PodpacLambdaError, ResultError
from podpac_lambda_widgets.local.emulator import local_aws
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.examples import EXAMPLES, tutorial_coordinates
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.packaging.build import build_package

Value = TypeVar("Value")


@dataclass
class Steps:
    """Runs steps, and says what each took."""

    rows: list[tuple[str, float, str]] = field(default_factory=list)

    def take(self, name: str, call: Callable[[], Value], describe: Callable[[Value], str] = lambda value: "") -> Value:
        """Run one step and print its line."""
        began = time.perf_counter()
        value = call()
        row = (name, time.perf_counter() - began, describe(value))
        self.rows.append(row)
        _say(f"  {row[0]:<28}{row[1]:>8.2f} s   {row[2]}")
        return value


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def run_headless(archives: Path, output: Path) -> int:
    """Do the main job without a browser.

    Builds the archives into ``archives``, deploys to an embedded AWS, evaluates PODPAC's tutorial grid, writes
    ``demo.nc`` and ``demo.png`` to ``output``, and deletes everything it made.

    Returns
    -------
    int
        0 when all went well.
    """
    from podpac_lambda_widgets.plots import draw, render_png

    steps = Steps()
    package = steps.take(
        "Archives",
        lambda: build_package(archives),
        lambda p: f"{p.dist.size / 1e6:.0f} + {p.dependencies.size / 1e6:.0f} MB",
    )
    session = steps.take("Embedded AWS", local_aws, lambda s: str(s.endpoint_url))
    with session:
        source = Source(
            function_source_dist_zip=str(package.dist.path),
            function_source_dependencies_zip=str(package.dependencies.path),
        )
        stack = Stack(AwsAccount(session), Deployment(function_name="podpac-demo"), source)
        steps.take("Plan", stack.plan, lambda plan: plan.summary)
        steps.take("Build", stack.build, lambda plan: f"{len(plan.writes)} resources")
        example = EXAMPLES[0]
        job = f"{example.name}, 180 x 180 x 1"
        result = steps.take(
            "First run (cold)", lambda: stack.run(example.pipeline, tutorial_coordinates()), lambda r: job
        )
        again = steps.take("Second run (warm)", lambda: stack.run(example.pipeline, tutorial_coordinates()))
        if not result.array.identical(again.array):
            raise ResultError("Two runs of the same pipeline differ", resource=example.name)
        steps.take("demo.nc", lambda: (output / "demo.nc").write_bytes(result.netcdf), lambda n: f"{n:,} bytes")
        picture = steps.take("Plot", lambda: render_png(draw(result.array)))
        steps.take("demo.png", lambda: (output / "demo.png").write_bytes(picture), lambda n: f"{n:,} bytes")
        steps.take("Delete", lambda: stack.delete(confirm=True), lambda plan: f"{len(plan.writes)} resources")
        left = stack.plan_delete()
        if left.changes:
            raise ResultError("Deleting left something behind", why=str(left))
    _say(f"  {'Everything':<28}{sum(row[1] for row in steps.rows):>8.2f} s")
    return 0


def run_lab(archives: Path, repository: Path) -> int:
    """Start an embedded AWS and JupyterLab on loopback, and open the Studio; returns when JupyterLab ends."""
    steps = Steps()
    steps.take("Archives", lambda: build_package(archives))
    with steps.take("Embedded AWS", local_aws, lambda s: str(s.endpoint_url)) as session:
        token = secrets.token_urlsafe(24)
        port = _free_port()
        keys = session.get_credentials().get_frozen_credentials()
        # The names every AWS SDK reads: the notebook's own `connect()` finds this AWS as it would find any other.
        # They live as long as this process, for an AWS that ends with it.
        # It runs functions with this very Python, so archives are to be built for that.
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment = {
            **own,
            "JUPYTER_TOKEN": token,
            "AWS_ENDPOINT_URL": session.endpoint_url,
            "AWS_ACCESS_KEY_ID": keys.access_key,
            "AWS_SECRET_ACCESS_KEY": keys.secret_key,
            "AWS_DEFAULT_REGION": str(session.region_name),
            "FUNCTION_RUNTIME": f"python{sys.version_info.major}.{sys.version_info.minor}",
        }
        settings = _quiet_settings()
        command = [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}"),
            *("--ServerApp.port_retries=0", f"--ServerApp.root_dir={repository}"),
            f"--LabApp.app_settings_dir={settings.name}",
            *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
        ]
        try:
            server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        except OSError as error:
            raise DependencyMissingError("JupyterLab did not start", why=str(error)) from None
        with settings:
            return _serve(server, port, token)


def _quiet_settings() -> tempfile.TemporaryDirectory[str]:
    """JupyterLab settings under which it asks nothing of the network, and the user nothing about news."""
    folder = tempfile.TemporaryDirectory(prefix="podpac-lab-")
    quiet = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
    (Path(folder.name) / "overrides.json").write_text(json.dumps(quiet))
    return folder


def _serve(server: subprocess.Popen[bytes], port: int, token: str) -> int:
    # However it is told to stop, and even when a shell started it with Ctrl-C ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        _wait_for(server, port, token)
        link = f"http://127.0.0.1:{port}/lab/tree/notebooks/studio.ipynb?token={token}"
        _say(f"\n  The Studio is open at\n\n    {link}\n\n  Press Ctrl-C to stop it and the embedded AWS.")
        if os.environ.get("DISPLAY") or sys.platform == "darwin":
            webbrowser.open(link)
        while True:
            try:
                server.communicate(timeout=3600)
                return server.returncode
            except subprocess.TimeoutExpired:
                continue
    except KeyboardInterrupt:
        return 0
    finally:
        if server.poll() is None:
            server.send_signal(signal.SIGTERM)
            server.wait(20)


def _wait_for(server: subprocess.Popen[bytes], port: int, token: str) -> None:
    deadline = time.monotonic() + 60
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/status", headers={"Authorization": f"token {token}"})
    while time.monotonic() < deadline:
        try:
            server.wait(0.2)
        except subprocess.TimeoutExpired:
            try:
                urllib.request.urlopen(request, timeout=2).close()  # noqa: S310 - our own server on loopback
            except (urllib.error.URLError, OSError):
                continue
            return
        said = server.stderr.read().decode("utf-8", "replace")[-2000:] if server.stderr else ""
        raise DependencyMissingError(
            "JupyterLab did not start", why=said, next_step="Install podpac-lambda-widgets[lab]."
        )
    raise DependencyMissingError("JupyterLab did not answer within 60 seconds")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo from the command line."""
    parser = argparse.ArgumentParser(prog="python -m podpac_lambda_widgets.demo", description=__doc__)
    parser.add_argument("--headless", action="store_true", help="do the job without a browser, and exit")
    parser.add_argument("--output", type=Path, default=Path(), help="folder of demo.nc and demo.png")
    parser.add_argument("--archives", type=Path, default=Path("dist/aws"), help="folder of the two archives")
    options = parser.parse_args(arguments)
    try:
        if options.headless:
            return run_headless(options.archives, options.output)
        return run_lab(options.archives, Path.cwd())
    except PodpacLambdaError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
