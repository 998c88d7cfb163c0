"""What a build tells while it works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

#: What each step takes of a whole build with a warm cache, in hundredths (measured; only used to move a progress bar).
STEPS = {"recipe": 1, "install": 9, "prune": 10, "compile": 42, "compress": 32, "inspect": 6}


@dataclass(frozen=True)
class BuildProgress:
    """One thing that happened.

    Attributes
    ----------
    step : str
        ``"recipe"``, ``"install"``, ``"prune"``, ``"compile"``, ``"compress"`` or ``"inspect"``.
    message : str
        What is happening, for a person.
    done, total : int
        How far the whole build is; `done` never falls, and equals `total` once, at the end.
    """

    step: str
    message: str
    done: int
    total: int


Listener = Callable[[BuildProgress], None]


def ignore_progress(_progress: BuildProgress) -> None:
    """Listen to nothing."""


@dataclass(frozen=True)
class Reporter:
    """Turns the steps of a build into :class:`BuildProgress`."""

    listener: Listener

    def tell(self, step: str, message: str, fraction: float = 0.0) -> None:
        """Say that `fraction` of `step` is done."""
        before = sum(list(STEPS.values())[: list(STEPS).index(step)])
        total = sum(STEPS.values())
        self.listener(BuildProgress(step, message, before + int(STEPS[step] * fraction), total))
