"""The main job in one command: in JupyterLab, on a page (``--app``), or without a browser (``--headless``)."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.engine.stack import Stack
from podpac_lambda_widgets.errors import PodpacLambdaError, ResultError
from podpac_lambda_widgets.local.emulator import local_aws
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.examples import EXAMPLES, tutorial_coordinates
from podpac_lambda_widgets.model.source import Source
from podpac_lambda_widgets.packaging.build import build_package
from podpac_lambda_widgets.serving import serve_app, serve_lab

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


def run_in_browser(archives: Path, *, app: bool) -> int:
    """Build the archives, start an embedded AWS, and serve the Studio until it is stopped; returns an exit status.

    Parameters
    ----------
    archives : Path
        Folder of the two archives.
    app : bool
        Whether on a page of its own, by Voila; else in JupyterLab.
    """
    steps = Steps()
    steps.take("Archives", lambda: build_package(archives))
    with steps.take("Embedded AWS", local_aws, lambda s: str(s.endpoint_url)) as session:
        return serve_app(session, archives) if app else serve_lab(session, Path.cwd())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo from the command line."""
    parser = argparse.ArgumentParser(prog="python -m podpac_lambda_widgets.demo", description=__doc__)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--headless", action="store_true", help="do the job without a browser, and exit")
    how.add_argument("--app", action="store_true", help="the Studio alone, without a notebook around it")
    parser.add_argument("--output", type=Path, default=Path(), help="folder of demo.nc and demo.png")
    parser.add_argument("--archives", type=Path, default=Path("dist/aws"), help="folder of the two archives")
    options = parser.parse_args(arguments)
    try:
        if options.headless:
            return run_headless(options.archives, options.output)
        return run_in_browser(options.archives, app=options.app)
    except PodpacLambdaError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
