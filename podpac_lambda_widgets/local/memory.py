"""How much memory a process and its children use, read from Linux's ``/proc``.

Elsewhere nothing can be read: the figures are 0, and the memory limit of a function is not enforced.
"""

from __future__ import annotations

from pathlib import Path

_KILOBYTES_PER_MB = 1024


def resident_mb(pid: int) -> int:
    """Resident memory of a process and all its children now, MB."""
    return sum(_status_kb(found, "VmRSS") for found in _with_children(pid)) // _KILOBYTES_PER_MB


def peak_mb(pid: int) -> int:
    """Largest resident memory the process itself ever had, MB."""
    return _status_kb(pid, "VmHWM") // _KILOBYTES_PER_MB


def _status_kb(pid: int, name: str) -> int:
    for line in _read(Path(f"/proc/{pid}/status")).splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    return 0


def _with_children(pid: int) -> list[int]:
    found = [pid]
    for known in found:
        for task in Path(f"/proc/{known}/task").glob("*/children"):
            found.extend(int(child) for child in _read(task).split())
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # the process has ended, or there is no /proc
        return ""
