"""Remembers, from one session to the next, which archives were inspected and found good."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from platformdirs import user_cache_path

from podpac_lambda_widgets import __version__
from podpac_lambda_widgets.plan.desired import ArchivePlace, Archives

#: Names the folder to use instead of the user's cache folder.
CACHE_VARIABLE = "PODPAC_LAMBDA_WIDGETS_CACHE"
#: Older entries are forgotten.
_ENTRIES = 64


class Inspected:
    """Archives by what they were when they were inspected: of a file its time and size, of an object its ETag.

    Inspecting takes seconds, and archives in a bucket have to be fetched for it. What is remembered is no more than
    their digest and size, and what they were built for; Lambda itself, and the function, check the digests again. A
    memory that cannot be read or written is no memory, and no error.

    Parameters
    ----------
    path : Path, optional
        The file; else ``inspected.json`` in the user's cache folder, or in the one that :data:`CACHE_VARIABLE` names.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path

    def _file(self) -> Path:
        folder = os.environ.get(CACHE_VARIABLE)
        return self._path or (Path(folder) if folder else user_cache_path("podpac_lambda_widgets")) / "inspected.json"

    def find(self, state: tuple[object, ...]) -> Archives | None:
        """What was found of archives in this state, by this version of the package; places are left out."""
        entry = self._read().get(_key(state))
        try:
            return None if entry is None else _decode(entry)
        except (TypeError, KeyError, AttributeError):
            return None

    def remember(self, state: tuple[object, ...], archives: Archives) -> None:
        """Keep what was found."""
        entries = self._read()
        entries.pop(_key(state), None)
        entries[_key(state)] = asdict(archives)
        kept = dict(list(entries.items())[-_ENTRIES:])
        path = self._file()
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".json", delete=False) as file:
                json.dump(kept, file, default=lambda value: None)
            Path(file.name).replace(path)

    def _read(self) -> dict[str, dict[str, object]]:
        try:
            found = json.loads(self._file().read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def _key(state: tuple[object, ...]) -> str:
    return hashlib.sha256(repr((__version__, *state)).encode()).hexdigest()


def _decode(entry: dict[str, object]) -> Archives:
    dist, dependencies = (_place(entry[name]) for name in ("dist", "dependencies"))
    return Archives(dist, dependencies, str(entry["runtime"]), str(entry["architecture"]))


def _place(entry: object) -> ArchivePlace:
    if not isinstance(entry, dict) or not isinstance(entry["size"], int) or len(str(entry["sha256"])) != 64:
        raise KeyError("sha256")
    return ArchivePlace(sha256=str(entry["sha256"]), size=entry["size"])
