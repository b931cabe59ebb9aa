"""The letter (P8) between two real nodes while workers are killed and Redis is emptied.

People work over HTTP as in the demo; the nemesis strikes at random moments of a printed seed.
"""

from __future__ import annotations

import contextlib
import random
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it ships no types
import pytest
import redis
from rich.console import Console

from dossier.clock import SystemClock
from exchange import doorbell
from exchange.demo.fixture import load_fixture
from exchange.demo.layout import Home, lay_out
from exchange.settings import load
from lienthong.demo import launch, story
from lienthong.demo.launch import RunningNode
from tests.builders import demo

SEED = 20260411
NODES = ("h28", "h08")
_MEAN_SECONDS = 0.7


class Nemesis:
    """Mutable: kills worker processes and empties Redis until it is told to stop."""

    def __init__(self, home: Home, nodes: list[RunningNode]) -> None:
        self.kills = 0
        self.floods = 0
        self._home = home
        self._nodes = nodes
        self._random = random.Random(SEED)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._rage, daemon=True)

    def __enter__(self) -> Nemesis:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _rage(self) -> None:
        while not self._stopped.wait(self._random.expovariate(1 / _MEAN_SECONDS)):
            node = self._random.choice(self._nodes)
            if self._random.random() < 0.7:
                self._kill(node)
            else:
                self._flush(node)

    def _kill(self, node: RunningNode) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            supervisor = psutil.Process(node.processes["work"].pid)
            workers = [
                one
                for one in supervisor.children(recursive=True)
                if "redis-server" not in one.name()
            ]
            if workers:
                self._random.choice(workers).send_signal(signal.SIGKILL)
                self.kills += 1

    def _flush(self, node: RunningNode) -> None:
        home = {"LIENTHONG_HOME": str(self._home.root), "LIENTHONG_NODE": node.name}
        path = doorbell.own_socket(load(home))  # elsewhere when the folder's name is long
        with contextlib.suppress(redis.RedisError, OSError):
            redis.Redis(unix_socket_path=str(path), socket_timeout=1).flushall()
            self.floods += 1


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[tuple[Home, list[RunningNode]]]:
    home = Home(root=tmp_path / "var")
    ports = demo.free_ports()
    lay_out(
        home,
        fixture=load_fixture(),
        ports={name: ports.of(name) for name in NODES},
        at=SystemClock().now(),
    )
    for name in NODES:
        launch.run_command(home.root, name, "migrate")
        launch.run_command(home.root, name, "demo", "--seed")
    with demo.served(home, *NODES, ports=ports) as running:
        yield home, list(running.values())


def test_letter_is_delivered_once_whatever_dies(nodes: tuple[Home, list[RunningNode]]) -> None:
    home, running = nodes
    stage = story.stage_of(Console(quiet=True), home, running)
    started = time.monotonic()
    with Nemesis(home, running) as nemesis:
        letter = story.play_letter(stage)
    sys.stderr.write(
        f"seed {SEED}: {nemesis.kills} kills, {nemesis.floods} empty Redis, "
        f"{time.monotonic() - started:.1f} s\n"
    )
    assert nemesis.kills >= 3
    assert nemesis.floods >= 1
    for name in NODES:
        told = _told(home.node(name), letter.code)
        assert told["sent"] == 1, name
        assert told["received"] == 1, name
        assert told["completed twice"] == 0, name
        assert told["sequence gaps"] == 0, name
        assert told["open"] == 0, name


def _told(folder: Path, code: str) -> dict[str, int]:
    """Return what a node's rows say of one dossier."""
    questions = {
        "sent": "SELECT count(*) FROM outbox o JOIN dossier d ON d.id = o.dossier"
        " WHERE d.code = ? AND o.state = 'sent'",
        "received": "SELECT count(*) FROM inbox i JOIN dossier d ON d.id = i.dossier"
        " WHERE d.code = ? AND i.state = 'correlated'",
        "completed twice": "SELECT count(*) FROM (SELECT element_id FROM history h JOIN dossier d"
        " ON d.id = h.dossier WHERE d.code = ? AND h.kind = 'task_completed'"
        " GROUP BY element_id HAVING count(*) > 1)",
        "sequence gaps": "SELECT coalesce(max(sequence), 0) - count(*) FROM history h JOIN dossier"
        " d ON d.id = h.dossier WHERE d.code = ?",
        "open": "SELECT count(*) FROM dossier d WHERE d.code = ? AND d.is_open",
    }
    with contextlib.closing(sqlite3.connect(folder / "db.sqlite3")) as database:
        return {
            name: int(database.execute(question, (code,)).fetchone()[0])
            for name, question in questions.items()
        }
