"""Build the archives from a shell: ``python -m podpac_lambda_widgets.packaging``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from podpac_lambda_widgets.errors import PodpacLambdaError
from podpac_lambda_widgets.limits import ARCHITECTURES, RUNTIMES
from podpac_lambda_widgets.packaging.archive import Package, describe_manifest
from podpac_lambda_widgets.packaging.build import DEPENDENCIES_NAME, DIST_NAME, build_package
from podpac_lambda_widgets.packaging.progress import BuildProgress, Listener

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Build as the command line says; progress and errors go to standard error, the result to standard output."""
    options = _parser().parse_args(arguments)
    try:
        package = build_package(
            options.output,
            runtime=options.runtime,
            architecture=options.architecture,
            recipe=options.recipe,
            plugins=options.plugins,
            listener=show_progress(sys.stderr),
            force=options.force,
        )
    except PodpacLambdaError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("Cancelled; the archives that were there are untouched.\n")
        return _INTERRUPTED
    sys.stdout.write(_summary(package))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m podpac_lambda_widgets.packaging", description=__doc__)
    parser.add_argument(
        "--runtime", choices=list(RUNTIMES), help="Lambda runtime (default: this interpreter's version)"
    )
    parser.add_argument("--architecture", choices=ARCHITECTURES, help="default: this machine's")
    parser.add_argument("--output", type=Path, default=Path(), metavar="DIR", help="default: the current folder")
    parser.add_argument("--recipe", type=Path, metavar="DIR", help="folder with handler.py and locks/")
    parser.add_argument(
        "--plugin", action="append", dest="plugins", default=[], metavar="MODULE",
        help="a .py file, a package's folder or an importable module with nodes of yours; may be given several times",
    )  # fmt: skip
    parser.add_argument("--force", action="store_true", help="build even if equal archives are there")
    return parser


def show_progress(stream: TextIO) -> Listener:
    """A listener that writes to `stream`: one line that is rewritten on a terminal, one line per step elsewhere."""
    shown = ""

    def show(progress: BuildProgress) -> None:
        nonlocal shown
        percent = 100 * progress.done // progress.total
        if stream.isatty():
            end = "\n" if progress.done == progress.total else ""
            stream.write(f"\r\x1b[K[{percent:3d} %] {progress.message}{end}")
        elif progress.step != shown or progress.done == progress.total:
            stream.write(f"[{percent:3d} %] {progress.message}\n")
        shown = progress.step
        stream.flush()

    return show


def _summary(package: Package) -> str:
    lines = [describe_manifest(package.dist.manifest)]
    for archive in (package.dist, package.dependencies):
        lines.append(
            f"  {archive.path.name}  {archive.size / 1e6:6.1f} MB, {archive.unzipped_size / 1e6:6.1f} MB extracted, "
            f"sha256 {archive.sha256}"
        )
    lines += [f"  with the node {node}" for node in package.dist.nodes]
    lines += [f"Built podpac deployment package: {DIST_NAME}", f"Built podpac dependencies: {DEPENDENCIES_NAME}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
