"""Runs one command the way Lambda runs a runtime: alone with its code, on a read-only file system, with its own /tmp.

Executed as a script, by path, in the new process: standard library only. ``sandbox.py SPECIFICATION COMMAND...``,
where the specification is JSON (see :class:`Specification`). With ``isolate`` it needs Linux user namespaces; without,
it only sees to it that the command ends with its parent.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

# From linux/sched.h, linux/mount.h, linux/prctl.h.
_CLONE_NEWNS = 0x00020000
_CLONE_NEWUSER = 0x10000000
_MS_NOSUID = 0x2
_MS_NODEV = 0x4
_MS_BIND = 0x1000
_MS_REC = 0x4000
_MS_PRIVATE = 0x40000
_PR_SET_PDEATHSIG = 1
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_MOUNT_ATTR_RDONLY = 0x1
#: The same number on every architecture.
_SYS_MOUNT_SETATTR = 442
#: Who functions run as on Lambda (``sbx_user1051``).
_LAMBDA_UID, _LAMBDA_GID = 993, 990
#: Open files that Lambda allows a function (AWS's "Lambda quotas").
_LAMBDA_DESCRIPTORS = 1024


@dataclass(frozen=True)
class Specification:
    """How to run the command.

    Attributes
    ----------
    directory : str
        Working directory of the command, as it will see it.
    isolate : bool
        Use namespaces.
    tmp_mb : int
        Size of the private ``/tmp``, MB.
    mounts : dict
        Directories to show elsewhere, read-only: place to source. Parents of the places are covered.
    keep : tuple of str
        Directories that must stay visible where they are although a covered one holds them.
    """

    directory: str
    isolate: bool = False
    tmp_mb: int = 512
    mounts: dict[str, str] | None = None
    keep: tuple[str, ...] = ()

    def to_argument(self) -> str:
        """The specification as the script's first argument."""
        return json.dumps(asdict(self))


class _MountAttributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("attr_set", "attr_clr", "propagation", "userns_fd")]


def _check(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _mount(libc: ctypes.CDLL, source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    arguments = (source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode())
    _check(libc.mount(*arguments), f"mount {target}")


def _make_read_only(libc: ctypes.CDLL, target: str) -> None:
    attributes = _MountAttributes(attr_set=_MOUNT_ATTR_RDONLY)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    reference = ctypes.byref(attributes)
    call = libc.syscall(_SYS_MOUNT_SETATTR, _AT_FDCWD, target.encode(), _AT_RECURSIVE, reference, size)
    _check(call, f"mount_setattr {target}")


def _enter_namespaces(libc: ctypes.CDLL) -> None:
    uid, gid = os.geteuid(), os.getegid()
    _check(libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNS), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    # Not root inside: executing the command then drops the capabilities that the mounts below need.
    Path("/proc/self/uid_map").write_text(f"{_LAMBDA_UID} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{_LAMBDA_GID} {gid} 1")
    _mount(libc, "none", "/", "", _MS_REC | _MS_PRIVATE)


def _isolate(libc: ctypes.CDLL, specification: Specification) -> None:
    _enter_namespaces(libc)
    mounts = specification.mounts or {}
    covers = {str(Path("/", *Path(place).parts[1:2])) for place in mounts} | {"/tmp"}  # noqa: S108 - the function's own
    kept = [path for path in specification.keep if any(Path(path).is_relative_to(cover) for cover in covers)]
    # Held open, because a cover hides the path.
    sources = {
        place: os.open(source, os.O_PATH) for place, source in {**{path: path for path in kept}, **mounts}.items()
    }
    _make_read_only(libc, "/")
    for cover in sorted(covers):
        size = f"size={specification.tmp_mb}m,mode=1777" if cover == "/tmp" else "size=1m,mode=755"  # noqa: S108
        _mount(libc, "none", cover, "tmpfs", _MS_NOSUID | _MS_NODEV, size)
    for place, descriptor in sources.items():
        Path(place).mkdir(parents=True, exist_ok=True)
        _mount(libc, f"/proc/self/fd/{descriptor}", place, "", _MS_BIND | _MS_REC)
        os.close(descriptor)
    for cover in covers - {"/tmp"}:  # noqa: S108
        _make_read_only(libc, cover)


def main(arguments: list[str]) -> None:
    """Prepare this process as specified and become the command."""
    fields = json.loads(arguments[0])
    specification = Specification(**{**fields, "keep": tuple(fields["keep"])})
    command = arguments[1:]
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        parent = os.getppid()
        if specification.isolate:
            _isolate(libc, specification)
        # After the namespaces: entering one resets it.
        _check(libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL), "prctl")
        if not specification.isolate and os.getppid() != parent:
            sys.exit("the parent has ended")
    resource.setrlimit(resource.RLIMIT_NOFILE, (_LAMBDA_DESCRIPTORS, _LAMBDA_DESCRIPTORS))
    os.chdir(specification.directory)
    os.execve(command[0], command, os.environ)  # noqa: S606 - becoming the command is the purpose


if __name__ == "__main__":
    main(sys.argv[1:])
