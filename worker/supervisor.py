"""Keeps the node's worker processes alive: starts, restarts and stops them, and owns its Redis.

RQ's workers exit by design when Redis fails them, so any exit means a new start. What a dead
process held is given back at once, so that work goes on without waiting for a lease to end.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final, TextIO

from prometheus_client import Counter

from dossier.clock import SystemClock
from dossier.errors import LienThongError
from exchange import figures, sweep
from exchange.boot import settle
from exchange.doorbell import EXCHANGE, TRANSITIONS, find_program, own_socket, redis_url
from exchange.settings import Settings
from worker.children import NO_BELLS, ROUNDS, TICKER, UPKEEP, Stop, run_child
from worker.errors import RedisNotStarted, SupervisorRunning
from worker.own_redis import OwnRedis, RedisWatch

_LOOK_SECONDS: Final = 0.1
_GRACE_SECONDS: Final = 10.0
_SHORT_LIFE_SECONDS: Final = 2.0
_AT_ONCE: Final = 2  # short lives in a row after which the next one still begins at once
_SLOWEST_RESTART_SECONDS: Final = 2.0
_REFUSED: Final = Counter("lienthong_supervisors_refused", "Supervisors beside a running one")
_fork: Final = multiprocessing.get_context("fork")
_log: Final = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Child:
    """A place for a process, and the process that fills it; mutable."""

    role: str
    process: BaseProcess | None = None
    started: float = 0.0
    failures: int = 0  # short lives in a row
    not_before: float = 0.0


class Supervisor:
    """The processes of one node on one machine."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # SQLite has one writer; a second transitions worker would only make it wait.
        count = 1 if settings.is_embedded else settings.workers
        roles = [TRANSITIONS] * count + [EXCHANGE] * settings.exchange_workers
        roles += [TICKER, ROUNDS, UPKEEP]
        self._children = [Child(role=role) for role in roles]
        self._redis: OwnRedis | None = None
        self._watch = RedisWatch(redis_url(settings))
        self._lock: TextIO | None = None

    def run(self) -> None:
        """Run until SIGTERM or SIGINT; raise `SupervisorRunning` beside another supervisor."""
        self._lock = _lock(self._settings.run_dir)
        stop = Stop()
        signal.signal(NO_BELLS, signal.SIG_IGN)  # as its children do that do not wait for bells
        settle()  # for the children
        self._start_redis()
        try:
            while not stop.is_asked:
                self._keep_redis()
                if self._has_redis() and self._watch.has_fallen_ill():
                    self._send_to_poll()
                for child in self._children:
                    self._keep(child)
                stop.sleep(_LOOK_SECONDS)
        finally:
            self._stop_children()
            if self._redis:
                self._redis.stop()

    # --- Redis ---------------------------------------------------------------------------------

    def _start_redis(self) -> None:
        if self._settings.redis_url:
            _log.info("using the redis of LIENTHONG_REDIS_URL")
            return
        program = find_program()
        if program is None:
            _log.warning("no redis-server found: polling the database instead")
            return
        redis = OwnRedis(
            program,
            socket=own_socket(self._settings),
            log=self._settings.logs_dir / "redis.log",
        )
        try:
            redis.start()
        except RedisNotStarted as exc:
            redis.stop()
            _log.warning("redis does not start: polling the database instead", extra=exc.parameters)
            return
        self._redis = redis
        _log.info("running an own redis", extra={"program": str(program)})

    def _keep_redis(self) -> None:
        if self._redis is None or self._redis.is_running():
            return
        try:
            self._redis.start()
        except RedisNotStarted as exc:
            _log.warning("redis does not come back", extra=exc.parameters)

    def _has_redis(self) -> bool:
        return bool(self._settings.redis_url) or self._redis is not None

    def _send_to_poll(self) -> None:
        """Let those that wait for bells end: the next processes poll."""
        _log.warning("redis takes no bells: polling the database instead")
        for child in self._children:
            if child.process is not None and child.process.pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child.process.pid, NO_BELLS)

    # --- Children ------------------------------------------------------------------------------

    def _keep(self, child: Child) -> None:
        process, now = child.process, time.monotonic()
        if process is not None and process.is_alive():
            return
        if process is not None:
            self._bury(child, process)
        if now >= child.not_before:
            self._start(child)

    def _start(self, child: Child) -> None:
        sweep.forget_connection()
        child.process = _fork.Process(target=run_child, args=(child.role,), name=child.role)
        child.process.start()
        child.started = time.monotonic()

    def _bury(self, child: Child, process: BaseProcess) -> None:
        now = time.monotonic()
        is_short = process.exitcode != 0 and now - child.started < _SHORT_LIFE_SECONDS
        child.failures = child.failures + 1 if is_short else 0
        # A process that cannot live must not burn the machine.
        wait = 0.1 * 2**child.failures if child.failures > _AT_ONCE else 0.0
        child.not_before = now + min(wait, _SLOWEST_RESTART_SECONDS)
        _log.warning(
            "worker process ended",
            extra={"role": child.role, "process_id": process.pid, "exit": process.exitcode},
        )
        if process.pid is not None:
            _free_leases(process.pid)
        child.process = None

    def _stop_children(self) -> None:
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + _GRACE_SECONDS
        for process in running:
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()
            if process.pid is not None:
                _free_leases(process.pid)

    def processes(self) -> Mapping[str, int]:
        """Return the process id of each living child by role."""
        return {
            child.role: child.process.pid
            for child in self._children
            if child.process is not None and child.process.pid is not None
        }


def _free_leases(process_id: int) -> None:
    try:
        if sweep.free_leases(sweep.owner_of(process_id), at=SystemClock().now()):
            sweep.wake_all()
    except LienThongError as exc:
        # The leases end by themselves; the database may be what killed the child.
        _log.warning("leases not given back", extra={"code": exc.code})
    finally:
        sweep.forget_connection()


def _lock(folder: Path) -> TextIO:
    """Become this node's one supervisor on this machine until the process ends."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "supervisor.pid"
    file = path.open("a+", encoding="ascii")
    try:
        # A POSIX lock: children of a fork do not keep it alive.
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        file.seek(0)
        other = file.read(20).strip()
        file.close()
        _REFUSED.inc()
        figures.publish(folder, now=True)
        raise SupervisorRunning(
            "expected no other supervisor of this node", process_id=other or "?"
        ) from exc
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
