"""Transitions per second through the worker, beside a bare queue and two durable libraries.

The baseline of 30 is what a queue alone would do: one RQ job per transition, each in a forked
process. DBOS and procrastinate run on the same database in the same run (`benchmarks.peers`).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from redis import Redis
from rq import Queue, Worker
from rq.job import Job

from benchmarks.bed import BUDGET, bed, open_backlog, open_load, workers
from benchmarks.measure import Bound, Measure
from benchmarks.peers import fastest
from exchange.advance import drain_transitions
from exchange.doorbell import find_program
from exchange.wiring import node
from storage import sql, transactions
from tests.builders.fivetasks import TASKS, complete, complete_all
from worker.own_redis import OwnRedis

_DOSSIERS: Final = 500
_WARM_UP: Final = 100  # dossiers of five transitions
_NAIVE: Final = 20
_WORKERS: Final = 2
_ROUNDS: Final = 3
_GOAL: Final = 1000.0  # transitions per second
_SMALL_BACKLOG: Final = 100
_LARGE_BACKLOG: Final = 100_000
_SPAN: Final = timedelta(seconds=4)


def run(only: str) -> Iterator[Measure]:
    """Yield the worker's rates; they need PostgreSQL and a redis-server."""
    with bed() as (room, url):
        one = _rate(1)
        rates = [_rate(_WORKERS)]
        yield _gated(
            "worker.transitions",
            rates,
            "one RQ job per transition in forked processes, engine included",
            _naive_rate(room),
            gate=30.0,
        )
        rates.append(_rate(_WORKERS))
        yield _gated(
            "worker.dbos", rates, "steps/s of DBOS, fastest arm", fastest("dbos", url), 4.0
        )
        rates.append(_rate(_WORKERS))
        peer = fastest("procrastinate", url)
        yield _gated(
            "worker.procrastinate", rates, "steps/s of procrastinate, fastest arm", peer, 4.0
        )
        yield _gated("worker.rate", rates, "1,000 transitions per second", _GOAL, 1.0)
        yield _gated("worker.second_process", rates, "the same load with one process", one, None)
        yield _backlog()


def _gated(
    name: str, rates: Sequence[float], baseline: str, figure: float, gate: float | None
) -> Measure:
    """Return the median of our rates so far against a baseline's figure."""
    value = statistics.median(rates)
    return Measure(
        name=name,
        value=value,
        unit="transitions/s",
        baseline=baseline,
        ratio=value / figure,
        gate=gate,
        bound=Bound.AT_LEAST,
    )


def _rate(count: int) -> float:
    """Return transitions per second of that many workers, after a warm-up as the peers have one."""
    taken, done = 0.0, 0
    with workers(count) as (drain, _):
        open_load(_WARM_UP)
        for _ in range(TASKS):
            complete_all(node())
            drain()
        open_load(_DOSSIERS)
        for _ in range(TASKS):
            done += complete_all(node())
            taken += drain()
    return done / taken


# --- Under a backlog ---------------------------------------------------------------------------


def _backlog() -> Measure:
    """Compare one process among 100,000 due dossiers with the same among 100, in turns."""
    small, large = _small_backlog(), 0.0
    open_backlog(_LARGE_BACKLOG)
    started = time.perf_counter()
    done = drain_transitions(node(), budget=_SPAN).done
    large = done / (time.perf_counter() - started)
    small = statistics.mean([small, _small_backlog()])
    return Measure(
        name="worker.backlog",
        value=large,
        unit="transitions/s",
        baseline="the same process with 100 due dossiers instead of 100,000",
        ratio=large / small,
        gate=0.9,
        bound=Bound.AT_LEAST,
    )


def _small_backlog() -> float:
    done, taken = 0, 0.0
    while taken < _SPAN.total_seconds() / 2:
        open_backlog(_SMALL_BACKLOG)
        started = time.perf_counter()
        done += drain_transitions(node(), budget=BUDGET).done
        taken += time.perf_counter() - started
    return done / taken


# --- The baseline ------------------------------------------------------------------------------


def advance_one(_identifier: str) -> None:
    """Advance what is due in a process of its own: the job of the baseline."""
    node.cache_clear()
    drain_transitions(node(), budget=BUDGET)
    transactions.close()


def _naive_rate(room: Path) -> float:
    program = find_program()
    if program is None:
        raise SystemExit("bench: error: expected a redis-server; the extra `embedded` brings one")
    server = OwnRedis(program, socket=room / "bench.sock", log=room / "redis.log")
    server.start()
    try:
        open_load(_NAIVE)
        tokens = sql.all_rows("SELECT instance, token FROM task WHERE state = 'open'")
        with Redis(unix_socket_path=str(server.socket)) as connection:
            return len(tokens) / _naive_seconds(connection, tokens)
    finally:
        server.stop()


def _naive_seconds(connection: Redis, tokens: Sequence[sql.Row]) -> float:
    queue = Queue("bench", connection=connection, serializer="json")
    worker = Worker([queue], connection=connection, serializer="json")
    taken = 0.0
    for instance, token in tokens:
        # One at a time, so that each job finds one transition.
        complete(node(), [(instance, token)])
        queue.enqueue_call("benchmarks.worker.advance_one", args=(instance,), result_ttl=0)
        transactions.close()
        taken += _timed(lambda: worker.execute_job(*_next(queue)))
    return taken


def _next(queue: Queue) -> tuple[Job, Queue]:
    job = queue.fetch_job(queue.pop_job_id() or "")
    if job is None:
        raise SystemExit("bench: error: expected the job that was just enqueued")
    return job, queue


def _timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
