"""Writes a picture of each step of the Studio, in both themes, into ``docs/images``: run by ``make screenshots``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from lab import Lab, LabServer, StudioPage, chromium, find_chromium

REPOSITORY = Path(__file__).resolve().parents[2]
_THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
_WIDTH = 1180
#: As high as the whole Studio with a result: JupyterLab scrolls inside, and what is out of sight is not drawn.
_HEIGHT = 3400
#: A relative folder: no path of the machine that takes the pictures is to be seen in them.
_CELL = 'from podpac_lambda_widgets import Studio\n\nstudio = Studio("dist/aws")\nstudio'

#: A result in the bucket, as a run leaves one that is too large for an answer.
_RESULT = """
s3 = studio.credentials.connection.account.session.client("s3")
[bucket] = [found["Name"] for found in s3.list_buckets()["Buckets"]]
s3.put_object(Bucket=bucket, Key=f"output/podpac-lambda-autogen/{64 * '0'}.nc", Body=b"a result")
"""


class Camera:
    """Takes a step's picture in both themes.

    Parameters
    ----------
    lab : Lab
        Shows the Studio.
    directory : Path
        Where the pictures go.
    """

    def __init__(self, lab: Lab, directory: Path) -> None:
        self.lab, self.directory = lab, directory
        self.studio = StudioPage(lab)

    def take(self, name: str, step: str = "") -> None:
        """Photograph a step, or the whole Studio."""
        what = self.studio.step(step).locator(".plw-panel") if step else self.studio.root
        # Neither a focus ring nor a button under the pointer.
        self.lab.page.mouse.move(0, 0)
        self.lab.page.evaluate("() => document.activeElement?.blur()")
        for theme, theme_name in _THEMES.items():
            self.lab.set_theme(theme_name)
            path = self.directory / f"{name}-{theme}.png"
            what.screenshot(path=path, animations="disabled")
            print(path)
        self.lab.set_theme(_THEMES["light"])


def photograph(lab: Lab, directory: Path) -> None:
    """Go through the Studio on the embedded AWS, and photograph each step when it has something to show."""
    lab.write("studio.ipynb", _CELL)
    lab.open("studio.ipynb")
    lab.run_all()
    lab.page.evaluate("() => jupyterapp.commands.execute('application:toggle-left-area')")
    camera = Camera(lab, directory)
    studio = camera.studio
    camera.take("studio-begin")
    studio.type("Memory (MB)", "64")
    studio.step("Deploy").get_by_text("not 64.").wait_for()
    camera.take("field-error", "Deploy")
    studio.type("Memory (MB)", "2048")
    studio.button("Use embedded AWS").click()
    studio.wait_for("Connect")
    camera.take("connect", "Connect")
    studio.button("Build archives").click()
    studio.wait_for("Package", timeout=300_000)
    camera.take("package", "Package")
    more = studio.step("Deploy").locator("summary").first
    more.click()
    studio.field("Objects in the bucket (S3)").check()
    studio.field("Own URL").check()
    studio.field("Public endpoint").check()
    studio.step("Deploy").get_by_text("you pay for it").wait_for()
    camera.take("more", "Deploy")
    studio.field("Own URL").uncheck()
    more.click()
    studio.button("Plan").click()
    studio.step("Deploy").get_by_role("cell", name="+ create").first.wait_for(timeout=60_000)
    camera.take("plan", "Deploy")
    studio.button("Build").click()
    studio.wait_for("Deploy")
    camera.take("deploy", "Deploy")
    studio.button("Run").click()
    studio.wait_for("Results")
    studio.root.get_by_role("img", name="Map of SinCoords").wait_for()
    camera.take("run", "Run")
    camera.take("results", "Results")
    camera.take("studio")
    lab.run_code(_RESULT)
    studio.button("Delete").click()
    studio.button("Really delete").wait_for(timeout=60_000)
    camera.take("delete", "Deploy")
    studio.type("Type the function's name to delete it", "podpac-lambda-autogen")
    studio.button("Really delete").click()
    studio.step("Deploy").get_by_text("Deleted: nothing of it is left").wait_for(timeout=60_000)


def main() -> int:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", nargs="?", type=Path, default=REPOSITORY / "docs" / "images")
    directory = parser.parse_args().directory
    if not find_chromium():
        print("There is no Chromium: install it, or set CHROMIUM to its program.", file=sys.stderr)
        return 1
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        root, state = Path(scratch) / "notebooks", Path(scratch) / "jupyter"
        root.mkdir()
        state.mkdir()
        (root / "dist").symlink_to(REPOSITORY / "dist")
        server = LabServer(root, state)
        try:
            with chromium() as browser:
                page = browser.new_page(viewport={"width": _WIDTH, "height": _HEIGHT})
                photograph(Lab(server, page), directory)
        finally:
            server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
