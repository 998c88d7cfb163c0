"""Writes a picture of each step of the Studio, in both themes, into ``docs/images``: run by ``make screenshots``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from lab import Lab, LabServer, StudioPage, chromium, find_chromium
from PIL import Image

REPOSITORY = Path(__file__).resolve().parents[2]
_THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
_WIDTH = 1180
#: As high as the whole Studio with a result: JupyterLab scrolls inside, and what is out of sight is not drawn.
_HEIGHT = 5400
_CELL = 'from podpac_lambda_widgets import Studio\n\nstudio = Studio("dist/aws")\nstudio'


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
            Image.open(path).save(path, optimize=True)
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
    studio.button("Use embedded AWS").click()
    studio.wait_for("Connect")
    studio.step("Connect").get_by_text("All that deploying takes").wait_for(timeout=60_000)
    camera.take("connect", "Connect")
    studio.button("Build archives").click()
    studio.wait_for("Package", timeout=300_000)
    # No path of the machine that takes the pictures is to be seen in them.
    for name, path in (("Distribution", "podpac_dist.zip"), ("Dependencies", "podpac_deps.zip")):
        studio.type(f"{name} archive", f"dist/aws/{path}")
    studio.button("Plan").click()
    studio.step("Deploy").get_by_role("cell", name="+ create").first.wait_for(timeout=60_000)
    camera.take("package", "Package")
    camera.take("plan", "Deploy")
    studio.button("Build").click()
    studio.wait_for("Deploy")
    camera.take("deploy", "Deploy")
    studio.button("Run").click()
    studio.wait_for("Results")
    # The first run is the cold one.
    studio.button("Run").click()
    studio.step("Run").get_by_role("cell", name="Done").nth(1).wait_for(timeout=60_000)
    studio.wait_for("Results")
    studio.wait_for_colours(studio.picture("Map of SinCoords"))
    camera.take("run", "Run")
    camera.take("results", "Results")
    camera.take("studio")


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
