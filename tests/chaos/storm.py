"""The storm: a node's real processes, a load of dossiers, and a nemesis with a printed seed."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import uuid4

from redis import Redis
from redis.exceptions import RedisError

from dossier.errors import Conflict, Unavailable
from exchange import doorbell
from exchange.node import Node
from exchange.settings import settings
from storage import sql, transactions
from tests.builders import chaos
from tests.builders.postgresql import restart_postgresql
from tests.chaos.faults import POINTS
from tests.chaos.web import Web

_ROOT: Final = Path(__file__).parents[2]
_CLICKS: Final = 10  # of people in one turn
_PAUSED_SECONDS: Final = 6.0  # longer than the lease of an instance
_LIMIT_SECONDS: Final = 90.0  # for the work to end after the last fault


@dataclass(kw_only=True, slots=True)
class Report:
    """What happened, for the closing line; mutable while the storm lasts."""

    seed: int
    pairs: int
    faults: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)
    redelivered: int = 0
    violations: list[str] = field(default_factory=list)

    def line(self) -> str:
        """Return the closing line."""
        kills = sum(count for name, count in self.faults.items() if name.startswith("kill"))
        return (
            f"seed {self.seed}: {self.pairs} pairs, kills {kills + self.points.total()}, "
            f"faults {dict(self.faults)}, points {dict(self.points)}, "
            f"redelivered {self.redelivered}, losses {len(self.violations)}, "
            f"violations {self.violations}"
        )


class Storm:
    """One node under attack."""

    def __init__(self, node: Node, *, folder: Path, seed: int, probability: float) -> None:
        self._node = node
        self._book = folder / "points"
        self._output = folder / "node.log"
        self._random = random.Random(seed)
        self._probability = probability
        self._process: subprocess.Popen[bytes] | None = None
        self._web = Web(node, folder=folder, probability=probability)
        self._paused: dict[int, float] = {}
        self.report = Report(seed=seed, pairs=0)

    def rage(self, *, seconds: float, batch: int) -> None:
        """Open dossiers and complete tasks while processes die; then let everything end."""
        with self._running():
            ends = time.monotonic() + seconds
            next_fault = time.monotonic() + 1.0
            while time.monotonic() < ends:
                self._people(batch)
                while time.monotonic() > next_fault:  # also those that slow people delayed
                    self._strike()
                    next_fault += self._random.expovariate(1 / 0.4)
                time.sleep(0.05)
            self._settle()
        self._count()

    @contextlib.contextmanager
    def _running(self) -> Iterator[None]:
        self._start()
        self._web.start()
        try:
            yield
        finally:
            self._wake_paused(now=float("inf"))
            self._web.stop()
            if self._process is not None:
                self._process.send_signal(signal.SIGTERM)
                self._process.wait(30)

    def _start(self) -> None:
        transactions.close()
        arguments = ["-m", "tests.chaos.node_process", str(self._probability), str(self._book)]
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, *arguments], cwd=_ROOT, stdout=output, stderr=output
            )

    # --- People --------------------------------------------------------------------------------

    def _people(self, batch: int = 0) -> None:
        """Open dossiers over HTTP until that many are open, and complete tasks."""
        with self._undaunted():
            for _ in range(batch - chaos.count_open() - len(self._web.waiting)):
                self._web.order()
        self.report.pairs = self._web.ordered
        self._web.keep()
        with self._undaunted():
            chaos.complete_open_tasks(self._node, most=_CLICKS)

    @contextlib.contextmanager
    def _undaunted(self) -> Iterator[None]:
        """Go on when the database is away; the next attempt connects anew."""
        try:
            yield
        except Conflict:
            pass
        except Unavailable:
            transactions.close()

    def _settle(self) -> None:
        """Stop the faults and wait until all is done."""
        self._book.with_name("calm").touch()
        limit = time.monotonic() + _LIMIT_SECONDS
        while self._web.waiting or chaos.count_open() or self._busy():
            self._wake_paused(now=time.monotonic())
            if self._process is None or self._process.poll() is not None:
                self._start()
            self._people()
            if time.monotonic() > limit:
                self.report.violations.append(f"not at the end within the limit: {_left()}")
                return
            time.sleep(0.1)

    def _busy(self) -> bool:
        rows = sql.the_row(
            "SELECT (SELECT COUNT(*) FROM outbox WHERE state = 'new')"
            " + (SELECT COUNT(*) FROM inbox WHERE state = 'received')"
            " + (SELECT COUNT(*) FROM instance WHERE status = 'ready')"
        )
        return bool(rows[0])

    # --- Nemesis -------------------------------------------------------------------------------

    def _strike(self) -> None:
        self._wake_paused(now=time.monotonic())
        if self._process is None or self._process.poll() is not None:
            self._start()
            return
        faults = (
            [self._kill_worker] * 8
            + [self._flush_redis] * 3
            + [self._double_bells] * 6
            + [self._kill_redis, self._kill_supervisor, self._pause_worker]
            + [self._cut_connections] * 3
            + [self._kill_web] * 4
            + [self._restart_postgresql]
        )
        fault = self._random.choice(faults)
        fault()

    def _kill_worker(self) -> None:
        victims = [pid for pid in self._descendants() if not self._is_redis(pid)]
        if victims:
            self._signal(self._random.choice(victims), signal.SIGKILL)
            self.report.faults["kill_worker"] += 1

    def _kill_web(self) -> None:
        pids = self._web.processes()
        if pids:
            self._signal(self._random.choice(pids), signal.SIGKILL)
            self.report.faults["kill_web"] += 1

    def _restart_postgresql(self) -> None:
        """Let the server end as if its machine had, and come back."""
        if not sql.is_postgresql():
            return
        with self._undaunted():
            (folder,) = sql.the_row("SHOW data_directory")
            transactions.close()
            restart_postgresql(Path(folder))
            self.report.faults["restart_postgresql"] += 1

    def _kill_redis(self) -> None:
        for pid in self._descendants():
            if self._is_redis(pid):
                self._signal(pid, signal.SIGKILL)
                self.report.faults["kill_redis"] += 1

    def _kill_supervisor(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self.report.faults["kill_supervisor"] += 1

    def _pause_worker(self) -> None:
        victims = [pid for pid in self._descendants() if not self._is_redis(pid)]
        if victims and not self._paused:
            victim = self._random.choice(victims)
            self._signal(victim, signal.SIGSTOP)
            self._paused[victim] = time.monotonic() + _PAUSED_SECONDS
            self.report.faults["pause"] += 1

    def _wake_paused(self, *, now: float) -> None:
        for victim, until in list(self._paused.items()):
            if now >= until:
                self._signal(victim, signal.SIGCONT)
                del self._paused[victim]

    def _flush_redis(self) -> None:
        url = doorbell.redis_url(settings())
        with contextlib.suppress(RedisError, OSError), Redis.from_url(url) as connection:
            connection.flushall()
            self.report.faults["flush_redis"] += 1

    def _double_bells(self) -> None:
        for job in doorbell.QUEUES:
            for _ in range(3):
                doorbell.ring(job, str(uuid4()))
        self.report.faults["double_bells"] += 1

    def _cut_connections(self) -> None:
        if not sql.is_postgresql():
            return
        with self._undaunted():
            sql.all_rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database()"
                " ORDER BY random() LIMIT 2"
            )
            self.report.faults["cut_connections"] += 1

    def _descendants(self) -> list[int]:
        found: list[int] = []
        waiting = [self._process.pid] if self._process else []
        while waiting:
            pid = waiting.pop()
            with contextlib.suppress(OSError):
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
                waiting += [int(child) for child in children]
                found += [int(child) for child in children]
        return found

    def _is_redis(self, pid: int) -> bool:
        with contextlib.suppress(OSError):
            return b"redis-server" in Path(f"/proc/{pid}/cmdline").read_bytes()
        return False

    def _signal(self, pid: int, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    def _count(self) -> None:
        if self._book.exists():
            told = self._book.read_text().split()
            self.report.points.update(one for one in told if one in POINTS)
            self.report.faults.update(one for one in told if one not in POINTS)
        row = sql.the_row("SELECT COALESCE(SUM(attempts), 0), COUNT(*) FROM outbox")
        self.report.redelivered = int(row[0]) - int(row[1])


def _left() -> str:
    """Say what still waits, for the person who reads the closing line."""
    statements = {
        "instances": "SELECT status, attempts, COUNT(*) FROM instance WHERE status <> 'done'"
        " GROUP BY status, attempts",
        "messages": "SELECT state, attempts, last_error FROM outbox WHERE state <> 'sent'",
        "tasks": "SELECT element_id, COUNT(*) FROM task WHERE state = 'open' GROUP BY element_id",
        "timers": "SELECT fired, COUNT(*) FROM timer GROUP BY fired",
    }
    return str({name: sql.all_rows(statement) for name, statement in statements.items()})
