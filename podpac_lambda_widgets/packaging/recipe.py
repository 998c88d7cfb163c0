"""What an archive is built from: the handler and the two locks."""

from __future__ import annotations

import hashlib
import re
import shutil
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from podpac_lambda_widgets.errors import BuildError
from podpac_lambda_widgets.packaging.target import Target

PACKAGE_FOLDER = Path(__file__).resolve().parent.parent
_IN_CHECKOUT = PACKAGE_FOLDER.parent / "dist" / "aws"
_HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")

_RUNTIME_BRINGS = "Lambda's runtime brings it"
_NO_ZARR_ON_ARM = "zarr 2 needs numcodecs before 0.16, which has no wheel for arm64"
#: Architecture ("" = every one) -> distribution -> why it is left out although the lock has it.
LEFT_OUT: dict[str, dict[str, str]] = {
    "": dict.fromkeys(("boto3", "botocore", "jmespath", "s3transfer"), _RUNTIME_BRINGS),
    "arm64": dict.fromkeys(("zarr", "numcodecs", "asciitree", "fasteners"), _NO_ZARR_ON_ARM),
}


@dataclass(frozen=True)
class Pin:
    """One line of a lock: a distribution, its version, where it applies, and the hashes of its files."""

    name: str
    version: str
    marker: Marker | None
    hashes: tuple[str, ...]

    def line(self) -> str:
        """The pin as a requirements line without its marker."""
        return " ".join((f"{self.name}=={self.version}", *(f"--hash={digest}" for digest in self.hashes)))


@dataclass(frozen=True)
class Recipe:
    """A folder with ``handler.py``, modules it may need beside it, ``locks/core.txt`` and ``locks/extras.txt``.

    A package ``podpac`` in it takes the place of the lock's.
    """

    directory: Path

    @property
    def handler(self) -> Path:
        return self.directory / "handler.py"

    @property
    def modules(self) -> tuple[Path, ...]:
        """The handler and the modules beside it, by name."""
        return tuple(sorted(self.directory.glob("*.py")))

    @property
    def core_lock(self) -> Path:
        return self.directory / "locks" / "core.txt"

    @property
    def extras_lock(self) -> Path:
        return self.directory / "locks" / "extras.txt"

    @property
    def podpac(self) -> Path | None:
        """A copy of podpac of the user's own, if there is one."""
        folder = self.directory / "podpac"
        return folder if (folder / "__init__.py").is_file() else None

    def lock_sha256(self) -> str:
        """One digest over both locks, and over the copy of podpac if there is one."""
        digest = hashlib.sha256(self.core_lock.read_bytes() + b"\0" + self.extras_lock.read_bytes())
        own = self.podpac.rglob("*") if self.podpac else ()
        for path in sorted(path for path in own if path.is_file() and "__pycache__" not in path.parts):
            name = path.relative_to(self.directory).as_posix()
            digest.update(f"\0{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
        return digest.hexdigest()

    def put_podpac(self, directory: Path) -> None:
        """Put the copy of podpac in the place of the one that was installed into `directory`, if there is one."""
        if self.podpac is not None:
            shutil.rmtree(directory / "podpac")
            shutil.copytree(self.podpac, directory / "podpac", ignore=shutil.ignore_patterns("__pycache__"))


@dataclass(frozen=True)
class Selection:
    """What goes where for one target."""

    core: tuple[Pin, ...]
    extras: tuple[Pin, ...]
    left_out: dict[str, str]

    def version_of(self, name: str) -> str:
        """The version of a distribution of the core."""
        return next(pin.version for pin in self.core if pin.name == name)


def find_recipe(directory: Path | None = None) -> Recipe:
    """The recipe in `directory`; without one, the checkout's ``dist/aws`` or the installed copy of it.

    Raises
    ------
    BuildError
        If a file of the recipe is missing.
    """
    recipe = Recipe(Path(directory or own_recipe_folder()))
    for path in (recipe.handler, recipe.core_lock, recipe.extras_lock):
        if not path.is_file():
            raise BuildError(
                "The recipe for the archives is incomplete.",
                resource=str(path),
                why="The file does not exist.",
                next_step="Name a folder with handler.py, locks/core.txt and locks/extras.txt as the recipe.",
            )
    return recipe


def own_recipe_folder() -> Path:
    """The checkout's ``dist/aws``, or the installed copy of it."""
    installed = Path(sysconfig.get_path("data")) / "share" / "podpac_lambda_widgets" / "aws"
    return _IN_CHECKOUT if (_IN_CHECKOUT / "locks").is_dir() else installed


def read_lock(path: Path) -> tuple[Pin, ...]:
    """The pins of a hashed requirements file, as pip and uv write it.

    Raises
    ------
    BuildError
        If a line is not an exact pin with at least one SHA-256.
    """
    text = re.sub(r"\\\r?\n", " ", path.read_text(encoding="utf-8"))
    lines = (line.split(" #")[0].strip() for line in text.splitlines())
    return tuple(_parse_pin(line, path) for line in lines if line and not line.startswith("#"))


def _parse_pin(line: str, path: Path) -> Pin:
    specification = line.split("--hash=")[0].strip()
    try:
        requirement = Requirement(specification)
    except InvalidRequirement as error:
        raise _not_a_pin(path, specification, str(error)) from error
    versions = list(requirement.specifier)
    hashes = tuple(_HASH.findall(line))
    if len(versions) != 1 or versions[0].operator != "==" or versions[0].version.endswith(".*"):
        raise _not_a_pin(path, specification, "It does not name one exact version.")
    if not hashes:
        raise _not_a_pin(path, specification, "It has no SHA-256.")
    return Pin(canonicalize_name(requirement.name), versions[0].version, requirement.marker, hashes)


def _not_a_pin(path: Path, line: str, why: str) -> BuildError:
    return BuildError(
        f"{path.name} has a line that is not an exact pin with a hash.",
        resource=line[:80],
        why=why,
        next_step="Write the lock with locks/update.sh.",
    )


def select_pins(recipe: Recipe, target: Target) -> Selection:
    """What the core and the extras hold for `target`.

    The extras lock is complete in itself; what the core has already is taken out of it.

    Raises
    ------
    BuildError
        If a lock is damaged, the two disagree about a version, or podpac is not in the core.
    """
    environment = target.marker_environment()
    left_out = {**LEFT_OUT[""], **LEFT_OUT.get(target.architecture, {})}
    core = _applicable(read_lock(recipe.core_lock), environment)
    extras = _applicable(read_lock(recipe.extras_lock), environment)
    versions = {pin.name: pin.version for pin in core}
    if "podpac" not in versions:
        raise BuildError("The lock has no podpac.", resource=str(recipe.core_lock), next_step="Add it to core.in.")
    for pin in extras:
        if versions.get(pin.name, pin.version) != pin.version:
            raise BuildError(
                "The two locks disagree.",
                resource=pin.name,
                why=f"{versions[pin.name]} in core.txt, {pin.version} in extras.txt.",
                next_step="Write both again with locks/update.sh.",
            )
    named = {pin.name for pin in (*core, *extras)}
    return Selection(
        tuple(pin for pin in core if pin.name not in left_out),
        tuple(pin for pin in extras if pin.name not in left_out and pin.name not in versions),
        {name: reason for name, reason in sorted(left_out.items()) if name in named},
    )


def _applicable(pins: Sequence[Pin], environment: dict[str, str]) -> tuple[Pin, ...]:
    return tuple(pin for pin in pins if pin.marker is None or pin.marker.evaluate(environment))
