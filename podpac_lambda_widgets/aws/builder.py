"""Who builds: a person, a machine and a process, in the characters of a tag."""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import os
import re
import socket
from pathlib import Path

from podpac_lambda_widgets.limits import TAG_VALUE_CHARACTERS


def describe_builder() -> str:
    """User, host and process, for a person to read."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name, as in a container
        user = str(os.getuid())
    return tag_value(f"{user}@{socket.gethostname()} pid {os.getpid()}")


def tag_value(text: str) -> str:
    """The text with a hyphen for every character that a tag may not have.

    Source: CloudWatch Logs API reference, TagResource; of the letters there are only ASCII's are kept.
    """
    return re.sub(r"[^A-Za-z0-9 _.:/=+@-]", "-", text)[:TAG_VALUE_CHARACTERS]


def own_process() -> str:
    """This process, told apart from all others.

    Not by host name and id alone: containers share both, and ids come again.
    """
    return _identify(os.getpid())


def process_has_ended(process: str) -> bool:
    """Whether what :func:`own_process` once returned is known to have ended; False when nobody here can know."""
    found = re.fullmatch(r"([0-9a-f]{16}):([1-9][0-9]{0,6}):[0-9]*", process)
    return found is not None and found[1] == _machine() and _identify(int(found[2])) != process


def _identify(pid: int) -> str:
    """Machine, id and start of a running process, or an empty string when there is none of that id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:  # it runs, as another user
        pass
    started = ""
    with contextlib.suppress(OSError):
        # proc_pid_stat(5), from behind the name, which may have spaces and brackets: state first, start 20th.
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        if fields[0] in "ZX":  # ended, and nobody has asked for its exit code
            return ""
        started = fields[19]
    return f"{_machine()}:{pid}:{started}"


def _machine() -> str:
    """What a process id is unique on: a machine since it was started, or a container on it."""
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):
        parts += [Path("/proc/sys/kernel/random/boot_id").read_text(), str(Path("/proc/self/ns/pid").readlink())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
