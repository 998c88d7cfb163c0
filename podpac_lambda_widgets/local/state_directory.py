"""The emulator's temporary directory, and the sweep of those that killed emulators left."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import time
from pathlib import Path

from podpac_lambda_widgets.local.code_store import remove_tree

_PREFIX = "podpac-local-aws-"
_LOCK = "lock"
#: A directory without a lock file is one that is being made, unless it is older than this, seconds.
_MAKING_SECONDS = 60.0


def make_state_directory() -> tuple[Path, int]:
    """Make a directory that lasts as long as its lock is held.

    Returns
    -------
    Path
        The directory, readable by its owner alone.
    int
        Descriptor of the locked file. Whoever inherits it keeps the lock; it ends with the last of them, however that
        process ends.
    """
    directory = Path(tempfile.mkdtemp(prefix=_PREFIX))
    # Locked before it has the name by which a sweep knows it: an unlocked lock means that the owner is gone.
    making = directory / f"{_LOCK}.making"
    descriptor = os.open(making, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    making.rename(directory / _LOCK)
    return directory, descriptor


def sweep_state_directories() -> None:
    """Remove this user's directories whose lock nobody holds any more."""
    for directory in Path(tempfile.gettempdir()).glob(_PREFIX + "*"):
        with contextlib.suppress(OSError):  # another sweep was faster, or it is another user's
            if directory.stat().st_uid == os.geteuid() and _abandoned(directory):
                remove_tree(directory)


def _abandoned(directory: Path) -> bool:
    try:
        descriptor = os.open(directory / _LOCK, os.O_RDWR)
    except FileNotFoundError:
        return time.time() - directory.stat().st_mtime > _MAKING_SECONDS
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
