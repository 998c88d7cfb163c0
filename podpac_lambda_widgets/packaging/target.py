"""What an archive is built for: a Lambda runtime on an architecture."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass

from podpac_lambda_widgets.errors import InvalidValueError
from podpac_lambda_widgets.limits import ARCHITECTURES, RUNTIMES

#: The C library the wheels may ask for. Amazon Linux 2023, under the python3.12 and later runtimes, has 2.34.
GLIBC = (2, 28)
#: Oldest C library of the wheels pip is told to accept; manylinux2014 is glibc 2.17.
OLDEST_GLIBC = (2, 17)

_MACHINES = {"x86_64": ("x86_64", 62), "arm64": ("aarch64", 183)}


@dataclass(frozen=True)
class Target:
    """A Lambda runtime (``"python3.12"``) on an architecture (``"x86_64"`` or ``"arm64"``)."""

    runtime: str
    architecture: str

    @property
    def python(self) -> str:
        """The language version, ``"3.12"``."""
        return self.runtime.removeprefix("python")

    @property
    def full_python(self) -> str:
        """A patch release later than any, because AWS keeps a runtime at a late one: ``"3.12.99"``."""
        return f"{self.python}.99"

    @property
    def machine(self) -> str:
        """The machine as Linux and the wheels call it."""
        return _MACHINES[self.architecture][0]

    @property
    def elf_machine(self) -> int:
        """``e_machine`` of a shared library for this architecture (System V ABI)."""
        return _MACHINES[self.architecture][1]

    @property
    def platforms(self) -> tuple[str, ...]:
        """Wheel platform tags that run here, best first (PEP 600)."""
        minors = range(GLIBC[1], OLDEST_GLIBC[1] - 1, -1)
        return (*(f"manylinux_2_{minor}_{self.machine}" for minor in minors), f"manylinux2014_{self.machine}", "any")

    def marker_environment(self) -> dict[str, str]:
        """What environment markers (PEP 508) see there."""
        return {
            "implementation_name": "cpython",
            "implementation_version": self.full_python,
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": self.full_python,
            "python_version": self.python,
            "sys_platform": "linux",
            "extra": "",
        }


def choose_target(runtime: str | None = None, architecture: str | None = None) -> Target:
    """The target asked for; what is left out is the host's own.

    Raises
    ------
    InvalidValueError
        If Lambda has no such runtime or architecture, or none that matches the host's.
    """
    chosen_runtime = runtime or f"python{sys.version_info.major}.{sys.version_info.minor}"
    if chosen_runtime not in RUNTIMES:
        raise InvalidValueError(
            f"{chosen_runtime} is not a runtime archives can be built for.",
            field="runtime",
            why="" if runtime else "It is this interpreter's own version, used because no runtime was named.",
            next_step=f"Choose one of {', '.join(RUNTIMES)}.",
        )
    chosen_architecture = architecture or host_architecture()
    if chosen_architecture not in ARCHITECTURES:
        raise InvalidValueError(
            f"{chosen_architecture} is not an architecture of Lambda.",
            field="architecture",
            next_step=f"Choose one of {', '.join(ARCHITECTURES)}.",
        )
    return Target(chosen_runtime, chosen_architecture)


def host_architecture() -> str:
    """This machine's architecture, in Lambda's words where it has one."""
    machine = platform.machine()
    names = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
    return names.get(machine, machine)


def architecture_of(elf_machine: int | None) -> str:
    """What an ``e_machine`` is for, in Lambda's words where it has some."""
    names = {number: name for name, (_, number) in _MACHINES.items()}
    return "another system than Linux" if elf_machine is None else names.get(elf_machine, f"machine {elf_machine}")
