"""A JupyterLab of its own on loopback, and Chromium looking at it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, sync_playwright

_CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
_QUIET = {
    "@jupyterlab/docmanager-extension/plugin.jupyterlab-settings": {"autosave": False},
    "@jupyter-widgets/jupyterlab-manager/plugin.jupyterlab-settings": {"saveState": True},
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": {"fetchNews": "false", "checkForUpdates": False},
}


def find_chromium() -> str:
    """The browser's program: ``$CHROMIUM``, else the one on the path; empty when there is none."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or ""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=_CHROMIUM_OPTIONS)
        try:
            yield browser
        finally:
            browser.close()


class LabServer:
    """JupyterLab on a free port of loopback, with configuration of its own.

    Parameters
    ----------
    root : Path
        Folder of the notebooks.
    state : Path
        Folder for everything Jupyter writes.
    """

    def __init__(self, root: Path, state: Path) -> None:
        self.root, self.state = root, state
        self.token = secrets.token_hex(16)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        for name, settings in _QUIET.items():
            path = state / "settings" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(settings))
        self.log_path = state / "server.log"
        with self.log_path.open("w") as log:
            self._process = subprocess.Popen(
                self._command(port),
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment(),
                start_new_session=True,
            )
        try:
            self._wait_until_up()
        except BaseException:
            self.stop()
            raise

    def _command(self, port: int) -> list[str]:
        return [
            sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
            "--ServerApp.port_retries=0", f"--ServerApp.root_dir={self.root}", "--LabApp.extension_manager=readonly",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.expose_app_in_browser=True",
            "--JupyterNotebookApp.expose_app_in_browser=True",
        ]  # fmt: skip

    def _environment(self) -> dict[str, str]:
        own = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "IPYTHONDIR": "ipython",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "MPLCONFIGDIR": "matplotlib",
        }
        # The machine's own profiles are nobody's business, least of all a screenshot's.
        own |= {"AWS_CONFIG_FILE": "no-config", "AWS_SHARED_CREDENTIALS_FILE": "no-credentials"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MPLBACKEND"))}
        return {
            "AWS_EC2_METADATA_DISABLED": "true",
            **kept,
            **{name: str(self.state / folder) for name, folder in own.items()},
            "JUPYTER_TOKEN": self.token,
        }

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            try:
                self.ask("status")
            except (urllib.error.URLError, ConnectionError):
                if self._process.poll() is not None:
                    break
                time.sleep(0.1)
            else:
                return
        raise RuntimeError(f"JupyterLab did not start:\n{self.log_path.read_text()}")

    def ask(self, path: str, method: str = "GET") -> Any:
        """Call the server's REST interface."""
        request = urllib.request.Request(
            f"{self.url}/api/{path}", method=method, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def stop_kernels(self) -> None:
        """End every kernel, and with it what it started."""
        for session in self.ask("sessions"):
            self.ask(f"sessions/{session['id']}", "DELETE")

    def stop(self) -> None:
        """End the server."""
        if self._process.poll() is None:
            try:
                self.stop_kernels()
            finally:
                self._process.terminate()
                self._process.wait(30)


class Lab:
    """A page of Chromium with one notebook open in JupyterLab.

    Parameters
    ----------
    server : LabServer
        Serves the notebook.
    page : playwright Page
        Shows it.
    """

    #: Where the server has this front end.
    address = "lab/tree"

    def __init__(self, server: LabServer, page: Page) -> None:
        self.server, self.page = server, page
        self.complaints: list[str] = []
        #: Whether another test may go on with the page.
        self.keep = True
        self._listener = lambda error: self.complaints.append(error.stack or str(error))
        self._opened = False
        page.on("pageerror", self._listener)

    def write(self, name: str, *cells: str) -> Path:
        """Write a notebook with these code cells."""
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata={"kernelspec": _KERNEL}
        )
        path = self.server.root / name
        nbformat.write(notebook, path)
        return path

    def open(self, name: str, theme: str = "light") -> None:
        """Open a notebook, alone, and wait for its kernel. The second time, the page is loaded anew."""
        fresh, self._opened = not self._opened, True
        if fresh and self.page.evaluate("() => Boolean(globalThis.jupyterapp)"):
            # The command returns the notebook's widget, which is too much to be handed over.
            self.page.evaluate(
                "async path => { await jupyterapp.commands.execute('docmanager:open', { path }); }", name
            )
        else:
            self.page.goto(f"{self.server.url}/{self.address}/{name}?reset&token={self.server.token}")
        self.page.wait_for_function(
            "name => window.jupyterapp?.shell?.currentWidget?.context?.path === name", arg=name, timeout=90_000
        )
        self.page.evaluate(
            """async () => {
                const context = jupyterapp.shell.currentWidget.context;
                await context.ready;
                await context.sessionContext.ready;
                await context.sessionContext.session.kernel.info;
            }"""
        )
        # The server remembers which theme was chosen last.
        self.set_theme("JupyterLab Dark" if theme == "dark" else "JupyterLab Light")

    def set_theme(self, name: str) -> None:
        """Change JupyterLab's theme."""
        light = "false" if "Dark" in name else "true"
        if self.page.evaluate("() => document.body.dataset.jpThemeLight") != light:
            self.page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', { theme })", name)
        self.page.wait_for_function("light => document.body.dataset.jpThemeLight === light", arg=light)

    def run_all(self) -> bool:
        """Run all cells; whether none raised."""
        return bool(self.page.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')"))

    def run_code(self, code: str) -> str:
        """Run code in the notebook's kernel, beside the cells, and return what it printed."""
        return str(
            self.page.evaluate(
                """async code => {
                    const kernel = jupyterapp.shell.currentWidget.context.sessionContext.session.kernel;
                    let text = '';
                    const future = kernel.requestExecute({ code, store_history: false });
                    future.onIOPub = message => {
                        if (message.header.msg_type === 'stream') text += message.content.text;
                        if (message.header.msg_type === 'error') text += message.content.traceback.join('\\n');
                    };
                    await future.done;
                    return text;
                }""",
                code,
            )
        )

    def restart_kernel(self) -> None:
        """Restart the notebook's kernel, and wait until it answers again."""
        self.page.evaluate(
            """async () => {
                const { kernel } = jupyterapp.shell.currentWidget.context.sessionContext.session;
                await kernel.restart();
                await kernel.info;
            }"""
        )

    def crash_kernel(self) -> None:
        """Kill the kernel's process, and wait until the server has started another that answers."""
        os.kill(int(self.run_code("import os\nprint(os.getpid())")), signal.SIGKILL)
        # JupyterLab says that it died, and has started another.
        self.page.locator(".jp-Dialog").get_by_role("button", name="Ok").click(timeout=60_000)
        self.page.evaluate("() => jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.info")

    def save(self, name: str) -> str:
        """Save the notebook, and return what is in the file."""
        self.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
        return (self.server.root / name).read_text()

    def leave(self) -> None:
        """Close the notebook as it is, and leave the page as a new one would be."""
        self.page.remove_listener("pageerror", self._listener)
        self.page.context.clear_permissions()
        self.page.mouse.move(0, 0)
        self.page.evaluate("() => [...jupyterapp.shell.widgets('main')].forEach(widget => widget.dispose())")
        if self.page.locator(".jp-Dialog").count():
            raise RuntimeError("a dialog is open")


class Notebook(Lab):
    """A page of Chromium with one notebook open in Notebook 7, which the same server has."""

    address = "notebooks"


class Shelf:
    """Keeps a page with JupyterLab loaded from one test to the next.

    Parameters
    ----------
    browser : playwright Browser
        Makes the pages.
    """

    VIEWPORT = {"width": 1400, "height": 1600}

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._page: Page | None = None

    def take(self) -> Page:
        """The page that is here, else a new one."""
        page, self._page = self._page, None
        if page is None:
            page = self._browser.new_context(accept_downloads=True).new_page()
        page.set_viewport_size(self.VIEWPORT)
        return page

    def put_back(self, lab: Lab, *, spoilt: bool) -> None:
        """Keep a page for the next test, unless something may be left on it."""
        if lab.keep and not spoilt and not lab.complaints:
            with contextlib.suppress(Exception):
                lab.leave()
                self._page = lab.page
                return
        lab.page.context.close()

    def close(self) -> None:
        """Close what is kept."""
        if self._page is not None:
            self._page.context.close()


class StudioPage:
    """The Studio as it is seen, by the names of its controls.

    Parameters
    ----------
    lab : Lab
        Has it on the page.
    view : int
        Which of several views.
    """

    STEPS = ("Connect", "Package", "Deploy", "Run", "Results")

    def __init__(self, lab: Lab, view: int = 0) -> None:
        self.page = lab.page
        self.root = lab.page.locator(".jp-OutputArea .plw").nth(view)
        self.root.locator("section").nth(len(self.STEPS) - 1).wait_for(timeout=30_000)

    def step(self, name: str) -> Locator:
        """The section of a step."""
        return self.root.get_by_role("region", name=f"Step {self.STEPS.index(name) + 1} {name}", exact=True)

    def button(self, name: str) -> Locator:
        """A button, by its whole name."""
        return self.root.get_by_role("button", name=name, exact=True)

    def picture(self, words: str) -> Locator:
        """A picture, by how its description begins."""
        return self.root.get_by_role("img", name=re.compile(rf"^{re.escape(words)}")).first

    def wait_for_colours(self, picture: Locator, least: int = 200) -> None:
        """Wait until so many colours are on the screen where the picture is: its pixels come behind it."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            picture.scroll_into_view_if_needed()
            pixels = np.asarray(Image.open(io.BytesIO(picture.screenshot())).convert("RGB"))
            count = len(np.unique(pixels.reshape(-1, 3), axis=0))
            if count >= least:
                return
        raise AssertionError(f"the picture has {count} colours")

    def field(self, name: str) -> Locator:
        """A field, by its whole label."""
        return self.root.get_by_label(name, exact=True)

    def type(self, name: str, text: str) -> None:
        """Type into a field and leave it."""
        self.field(name).fill(text)
        self.field(name).blur()

    def wait_for(self, name: str, standing: str = "done", timeout: float = 180_000) -> None:
        """Wait until a step stands so; an error card ends the waiting."""
        step = self.step(name)
        wanted = step.and_(self.page.locator(f"[data-standing={standing}]"))
        wanted.or_(step.locator(".plw-card[data-tone=error]")).first.wait_for(timeout=timeout)
        if step.get_attribute("data-standing") != standing:
            raise AssertionError(step.inner_text())
