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

from redis.exceptions import RedisError

from exchange.redis_url import open_redis
from worker.errors import RedisNotStarted

_START_SECONDS: Final = 5.0
_STOP_SECONDS: Final = 2.0
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
        while not answers(f"unix://{self.socket}"):
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


def answers(url: str) -> bool:
    """Tell whether a Redis answers at that address within a second."""
    connection = open_redis(url, seconds=1)
    try:
        return bool(connection.ping())
    except (RedisError, OSError):
        return False
    finally:
        connection.close()


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent is gone, however it went (Linux)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "prctl"):
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
