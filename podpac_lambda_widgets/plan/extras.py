"""What a function says of itself: which things belong to it that bear no mark of their own."""

from __future__ import annotations

from dataclasses import dataclass

#: Where a function says what belongs to it that bears no mark of its own, or another name: see :class:`Extras`.
EXTRAS_TAG = "podpac-lambda-widgets:extras"


@dataclass(frozen=True)
class Extras:
    """What belongs to a function besides what every function has.

    Parameters
    ----------
    s3_trigger, api, url : bool
    budget : str
        Its name, or nothing.
    snapshot : bool
    """

    s3_trigger: bool = False
    api: bool = False
    url: bool = False
    budget: str = ""
    snapshot: bool = False

    def __str__(self) -> str:
        """The value of a function's :data:`EXTRAS_TAG`."""
        all_words = (("s3", self.s3_trigger), ("api", self.api), ("url", self.url), ("snapshot", self.snapshot))
        words = [word for word, there in all_words if there]
        return " ".join([*words, *([f"budget={self.budget}"] if self.budget else [])]) or "none"

    @classmethod
    def parse(cls, text: str) -> Extras | None:
        """Read the value of a function's :data:`EXTRAS_TAG`; None when it is none."""
        words, _, budget = text.partition("budget=")
        found = words.split()
        if not text or not set(found) <= {"s3", "api", "url", "snapshot", "none"}:
            return None
        return cls("s3" in found, "api" in found, "url" in found, budget, "snapshot" in found)
