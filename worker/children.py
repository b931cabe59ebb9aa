"""What each child process of the supervisor does until it is told to stop.

With Redis a child waits for bells; without it the same drains run by polling the database. A
child that loses Redis exits, and the next one finds out how to work.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Final

from redis.exceptions import RedisError
from rq.worker import WorkerStatus

from dossier.errors import LienThongError
from exchange import sweep
from exchange.boot import settle
from exchange.doorbell import EXCHANGE, TRANSITIONS, redis_url
from exchange.drained import Drained
from exchange.redis_url import open_redis, trouble
from exchange.settings import settings
from exchange.wiring import node
from worker import jobs
from worker.own_redis import die_with_parent
from worker.queues import worker_of

TICKER: Final = "ticker"
UPKEEP: Final = "upkeep"
ROUNDS: Final = "rounds"
NO_BELLS: Final = signal.SIGUSR1  # from the supervisor: Redis takes no bells, do not wait for one
_POLL_SECONDS: Final = 0.5
_TICK_SECONDS: Final = 0.5
_ROUND_SECONDS: Final = 1.0
_LOOK_AGAIN_SECONDS: Final = 5.0
_UPKEEP_SECONDS: Final = 300.0
_log: Final = logging.getLogger(__name__)

# What the poller does in place of the bells of a queue.
_DRAINS: Final[Mapping[str, tuple[Callable[[], Drained], ...]]] = {
    TRANSITIONS: (jobs.timers, jobs.transitions),
    EXCHANGE: (jobs.incoming, jobs.outgoing, jobs.services),
}


# What time itself makes due.
_TICKS: Final[tuple[Callable[[], Drained], ...]] = (
    jobs.timers,
    jobs.starts,
    jobs.reminders,
    jobs.leaves,
    jobs.leases,
    jobs.bells,
)
# What is looked after in turns: outside systems, of which a slow one must hold up nothing else.
_ROUNDS: Final[tuple[Callable[[], Drained], ...]] = (
    jobs.folders,
    jobs.notifications,
    jobs.letters,
    jobs.portals,
    jobs.revocations,
)


class Stop:
    """Whether SIGTERM or SIGINT has come; mutable, set by the signal."""

    def __init__(self) -> None:
        self.is_asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.is_asked = True

    def sleep(self, seconds: float) -> None:
        """Sleep, but no longer than until the signal."""
        until = time.monotonic() + seconds
        while not self.is_asked and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))


def run_child(role: str) -> None:
    """Do the work of a queue, or of the ticker, until a signal or until Redis comes or goes."""
    die_with_parent()
    node.cache_clear()  # a node holds leases under the number of the process that built it
    stop = Stop()
    try:
        _live(role, stop)
    except RedisError as exc:
        # Away, full or read-only: the next process finds out, and polls until it is well again.
        _log.warning("redis failed a worker", extra={"role": role, "error": type(exc).__name__})
        raise SystemExit(1) from exc
    except LienThongError as exc:
        _log.warning("worker cannot work", extra={"role": role, "code": exc.code})
        raise SystemExit(1) from exc


def _live(role: str, stop: Stop) -> None:
    apart = {TICKER: _tick, ROUNDS: _go_round, UPKEEP: _clean}.get(role)
    if apart:
        apart(stop)
        return
    url = redis_url(settings())
    if reason := trouble(url):
        _log.warning("polling the database instead of redis", extra={"error": reason})
        _poll(role, stop, url)
        return
    node()  # built before the first job: a forked one inherits it
    settle()
    sweep.forget_connection()
    worker = worker_of(role, open_redis(url))

    def leave(_number: int, _frame: FrameType | None) -> None:
        # Not in an orderly way: that would say good-bye to Redis, and wait for its answer.
        if worker.get_state() != WorkerStatus.BUSY:
            os._exit(1)

    signal.signal(NO_BELLS, leave)
    worker.work(logging_level="WARNING")


def _poll(role: str, stop: Stop, url: str) -> None:
    look_again = time.monotonic() + _LOOK_AGAIN_SECONDS
    while not stop.is_asked:
        if not any(drain().done for drain in _DRAINS[role]):
            stop.sleep(_POLL_SECONDS)
        if time.monotonic() > look_again:
            if not trouble(url):
                _log.info("redis is back", extra={"role": role})
                return
            look_again = time.monotonic() + _LOOK_AGAIN_SECONDS


def _tick(stop: Stop) -> None:
    while not stop.is_asked:
        for step in _TICKS:
            while step().more and not stop.is_asked:
                pass
        stop.sleep(_TICK_SECONDS)


def _clean(stop: Stop) -> None:
    """Clean up now and then, in a process of its own: reading all rows may take minutes."""
    while not stop.is_asked:
        jobs.upkeep()
        sweep.forget_connection()
        stop.sleep(_UPKEEP_SECONDS)


def _go_round(stop: Stop) -> None:
    while not stop.is_asked:
        for step in _ROUNDS:
            step()
        stop.sleep(_ROUND_SECONDS)


def burst() -> int:
    """Work off everything that is due now, in this process, and return how many rows it were."""
    done = 0
    while True:
        found = sum(
            drain().done
            for drain in (
                jobs.timers,
                jobs.starts,
                jobs.reminders,
                jobs.transitions,
                jobs.incoming,
                jobs.outgoing,
                jobs.services,
                *_ROUNDS,
                jobs.leaves,
            )
        )
        if not found:
            return done
        done += found
