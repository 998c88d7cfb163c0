"""What a function prints."""

from __future__ import annotations

import os
import select
import subprocess
import threading

#: Output kept of one invocation, bytes; the oldest is dropped first.
_KEPT_BYTES = 4 * 1024 * 1024


class ProcessOutput:
    """What a process prints, read as it comes so that it never blocks."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is None:
            raise ValueError("the process has no pipe")
        self._pipe = process.stdout
        self._buffer = bytearray()
        self._lock = threading.Lock()
        os.set_blocking(self._pipe.fileno(), False)
        threading.Thread(target=self._follow, name="function-output", daemon=True).start()

    def take(self) -> str:
        """Everything printed since the last call. The runtime client flushes before it answers."""
        with self._lock:
            self._read()
            text = self._buffer.decode(errors="replace")
            self._buffer.clear()
        return text if not text or text.endswith("\n") else text + "\n"

    def _follow(self) -> None:
        # Not select(), which takes no descriptor above 1023.
        waiting = select.poll()
        waiting.register(self._pipe, select.POLLIN)
        open_still = True
        while open_still:
            waiting.poll()
            with self._lock:
                open_still = self._read()
        with self._lock:
            self._pipe.close()

    def _read(self) -> bool:
        while not self._pipe.closed:
            try:
                chunk = os.read(self._pipe.fileno(), 65536)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            self._buffer += chunk
            del self._buffer[:-_KEPT_BYTES]
        return False
