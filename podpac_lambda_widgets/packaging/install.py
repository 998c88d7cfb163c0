"""Installing wheels for another machine: uv where it is, pip where it is not."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from podpac_lambda_widgets.errors import DependencyMissingError
from podpac_lambda_widgets.packaging.command import Cancelled, run_command
from podpac_lambda_widgets.packaging.recipe import Pin
from podpac_lambda_widgets.packaging.target import GLIBC, Target

#: Pure Python, but published as a source distribution only.
SOURCE_ONLY = ("lazy-import",)


def find_uv() -> Path | None:
    """The uv beside this interpreter, in its ``uv`` package, or on the path."""
    beside = Path(sys.executable).parent / "uv"
    if beside.is_file():
        return beside
    if importlib.util.find_spec("uv") is not None:
        import uv

        try:
            return Path(uv.find_uv_bin())
        except FileNotFoundError:
            pass
    found = shutil.which("uv")
    return Path(found) if found else None


def install_pins(
    pins: Sequence[Pin], directory: Path, target: Target, *, cancelled: Cancelled, uv: Path | None = None
) -> None:
    """Install exactly `pins`, with their hashes checked and nothing added, into `directory`.

    Parameters
    ----------
    uv : Path, optional
        The uv to use; without one, pip does it, which is slower.

    Raises
    ------
    BuildError
        If the installer fails: no wheel for the target, a hash that differs, no network.
    DependencyMissingError
        If there is neither uv nor pip.
    CancelledError
        If the build was cancelled.
    """
    if uv is not None:
        _install_by_uv(pins, directory, target, uv, cancelled)
    elif importlib.util.find_spec("pip") is not None:
        _install_by_pip(pins, directory, target, cancelled)
    else:
        raise DependencyMissingError(
            "Building the archives needs uv or pip.", next_step="Install the 'build' extra, which brings uv."
        )


def _install_by_uv(pins: Sequence[Pin], directory: Path, target: Target, uv: Path, cancelled: Cancelled) -> None:
    platform = f"{target.machine}-manylinux_{GLIBC[0]}_{GLIBC[1]}"
    sources = [option for name in SOURCE_ONLY for option in ("--no-binary", name)]
    run_command(
        [
            str(uv), "pip", "install", "--quiet", "--no-progress", "--python", sys.executable,
            "--target", str(directory), "--python-version", target.full_python, "--python-platform", platform,
            "--only-binary", ":all:", *sources, "--no-deps", "--require-hashes",
            "--requirements", str(_write_requirements(pins, directory)),
        ],
        purpose="Installing the packages with uv",
        cancelled=cancelled,
        environment={"UV_PYTHON_DOWNLOADS": "never"},
    )  # fmt: skip


def _install_by_pip(pins: Sequence[Pin], directory: Path, target: Target, cancelled: Cancelled) -> None:
    pip = [
        sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile",
        "--no-deps", "--require-hashes", "--target", str(directory),
    ]  # fmt: skip
    platforms = [option for tag in target.platforms for option in ("--platform", tag)]
    wheels = [pin for pin in pins if pin.name not in SOURCE_ONLY]
    sources = [pin for pin in pins if pin.name in SOURCE_ONLY]
    if wheels:
        options = [
            "--only-binary",
            ":all:",
            "--implementation",
            "cp",
            "--python-version",
            target.full_python,
            *platforms,
        ]
        requirements = _write_requirements(wheels, directory)
        run_command([*pip, *options, "-r", str(requirements)], purpose="Installing with pip", cancelled=cancelled)
    if sources:  # pip takes no source distribution together with --platform
        requirements = _write_requirements(sources, directory)
        options = ["--no-binary", ",".join(SOURCE_ONLY)]
        run_command([*pip, *options, "-r", str(requirements)], purpose="Installing with pip", cancelled=cancelled)


def _write_requirements(pins: Sequence[Pin], directory: Path) -> Path:
    path = directory.with_name(f"{directory.name}.txt")
    path.write_text("".join(f"{pin.line()}\n" for pin in pins), encoding="utf-8")
    return path
