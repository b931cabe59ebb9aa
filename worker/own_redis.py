"""The node's own Redis: a server we start on a private socket and that forgets everything.

It holds bells only, so it writes nothing to disk; it never listens on a port (worker.md §9).
"""

from __future__ import annotations

import ctypes
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

from exchange.redis_url import trouble
from worker.errors import RedisNotStarted

_START_SECONDS: Final = 5.0
_STOP_SECONDS: Final = 2.0
_WATCH_SECONDS: Final = 1.0
_ILL: Final = 2  # failures in a row: a single pause must not end every worker
_MEMORY: Final = "64mb"
_PR_SET_PDEATHSIG: Final = 1


class OwnRedis:
    """A redis-server process of this supervisor."""

    def __init__(self, program: Path, *, socket: Path, log: Path) -> None:
        self._program = program
        self.socket = socket  # where it listens
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait until it answers; raise `RedisNotStarted`."""
        self.socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.socket.parent.chmod(0o700)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), stdout=log, stderr=log, preexec_fn=die_with_parent
            )
        deadline = time.monotonic() + _START_SECONDS
        while trouble(f"unix://{self.socket}"):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RedisNotStarted(
                    "expected redis-server to answer on its socket", log=str(self._log)
                )
            time.sleep(0.02)

    def is_running(self) -> bool:
        """Tell whether the server's process is there."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Stop the server; what it held does not matter."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _command(self) -> list[str]:
        options = {
            "--port": "0",
            "--unixsocket": str(self.socket),
            "--unixsocketperm": "600",
            "--save": "",
            "--appendonly": "no",
            "--maxmemory": _MEMORY,
            "--maxmemory-policy": "noeviction",
            "--dir": str(self.socket.parent),
        }
        return [str(self._program), *(part for option in options.items() for part in option)]


class RedisWatch:
    """Asks Redis now and then whether it takes bells; mutable.

    A worker that waits for a bell would notice only after many seconds that none can come.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._failures = 0
        self._next = 0.0

    def has_fallen_ill(self) -> bool:
        """Tell, once each time, that Redis has failed twice in a row."""
        if time.monotonic() < self._next:
            return False
        self._failures = self._failures + 1 if trouble(self._url, seconds=_WATCH_SECONDS) else 0
        self._next = time.monotonic() + _WATCH_SECONDS
        return self._failures == _ILL


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent is gone, however it went (Linux)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "prctl"):
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
