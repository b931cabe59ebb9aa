"""The node's web processes in the storm, and the program that opens dossiers through them.

The program repeats an order, under its key, until it is told yes: whatever dies in between, each
key opens one dossier. Served as `gunicorn tests.chaos.web_process:application`.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

import psutil  # type: ignore[import-untyped]  # it ships no types

from exchange import tokens
from exchange.node import Node
from tests.builders import chaos

_ROOT: Final = Path(__file__).parents[2]
_PATIENCE_SECONDS: Final = 10
_AT_ONCE: Final = 5  # orders in one turn, so that tasks are completed meanwhile


class Web:
    """Mutable: the server's processes, and the orders that were not answered yet."""

    def __init__(self, node: Node, *, folder: Path, probability: float) -> None:
        self._node = node
        self._folder = folder
        self._probability = probability
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._token = ""
        self.waiting: list[str] = []  # keys
        self.ordered = 0

    def start(self) -> None:
        """Start the server, with the token that the program will show."""
        if not self._token:
            _, self._token = tokens.issue(
                self._node,
                name="storm",
                agency=chaos.COMMUNE,
                operations=(f"dossiers:start:{chaos.PROCEDURE}",),
                lasting=timedelta(days=1),
                by="storm",
            )
        command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self._port}"]
        command += ["--workers", "2", "--threads", "2", "--no-control-socket"]
        command += ["--log-level", "critical", "tests.chaos.web_process:application"]
        told = {"CHAOS_PROBABILITY": str(self._probability), "CHAOS_BOOK": str(self._book)}
        with (self._folder / "web.log").open("ab") as output:
            self._process = subprocess.Popen(
                command, cwd=_ROOT, stdout=output, stderr=output, env={**os.environ, **told}
            )

    @property
    def _book(self) -> Path:
        return self._folder / "points"

    def stop(self) -> None:
        """End the server."""
        for pid in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(pid).kill()
        if self._process is not None:
            self._process.wait(30)

    def processes(self) -> list[int]:
        """Return the ids of the server's processes, its master first."""
        if self._process is None or self._process.poll() is not None:
            return []
        with contextlib.suppress(psutil.NoSuchProcess):
            master = psutil.Process(self._process.pid)
            return [master.pid, *(one.pid for one in master.children())]
        return []

    def order(self) -> None:
        """Want one more dossier."""
        self.waiting.append(str(uuid4()))
        self.ordered += 1

    def keep(self) -> None:
        """Start the server again if it died, and repeat what was not answered yet."""
        if self._process is not None and self._process.poll() is not None:
            self.start()
        for key in self.waiting[:_AT_ONCE]:
            if self._ask(key):
                self.waiting.remove(key)

    def _ask(self, key: str) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE_SECONDS)
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        body = json.dumps({"procedure": chaos.PROCEDURE, "subject": "storm"})
        try:
            connection.request("POST", "/api/v1/dossiers", body, headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return answer.status in (200, 201)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
