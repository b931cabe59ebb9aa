"""Transitions per second through the worker, on PostgreSQL with synchronous commits.

The load is a sequence of five tasks: each completed task is one transition, with the engine, the
history, the log leaves, an outbox row and the next task's row, as in production. The baseline is
what a queue alone would do: one RQ job per transition, each in a forked process.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from redis import Redis
from rq import Queue, Worker
from rq.job import Job

from benchmarks.measure import Bound, Measure
from dossier.clock import SystemClock
from exchange.advance import drain_transitions
from exchange.boot import boot
from exchange.doorbell import find_program
from exchange.settings import settings
from exchange.wiring import node
from storage import sql, transactions
from tests.builders import chaos
from tests.builders.fivetasks import (
    TASKS,
    complete,
    complete_all,
    open_five_tasks,
    publish_five_tasks,
)
from tests.builders.postgresql import postgresql_cluster
from worker.own_redis import OwnRedis

_DOSSIERS: Final = 120
_NAIVE: Final = 20
_WORKERS: Final = 2
_BUDGET: Final = timedelta(seconds=60)
_fork: Final = multiprocessing.get_context("fork")


def run(only: str) -> Iterator[Measure]:
    """Yield the worker's figures; they need PostgreSQL and a redis-server."""
    room = Path(tempfile.mkdtemp(prefix="lt-bench-"))
    try:
        with postgresql_cluster(durable=True) as url:
            _prepare(room, url)
            one = _rate(workers=1)
            two = _rate(workers=_WORKERS)
            naive = _naive_rate(room)
            transactions.close()
        yield Measure(
            name="worker.transitions",
            value=two,
            unit="transitions/s",
            baseline="one RQ job per transition in forked processes, engine included",
            ratio=two / naive,
            gate=30.0,
            bound=Bound.AT_LEAST,
        )
        yield Measure(
            name="worker.second_process",
            value=two,
            unit="transitions/s",
            baseline="the same load with one worker process",
            ratio=two / one,
        )
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _prepare(room: Path, url: str) -> None:
    chaos.lay_out_storm(room, database_url=url)
    os.environ["LIENTHONG_HOME"] = str(room)
    os.environ["LIENTHONG_NODE"] = chaos.NODE
    settings.cache_clear()
    boot()
    chaos.fill_storm()
    publish_five_tasks()


def _rate(*, workers: int) -> float:
    """Return transitions per second of a load that is made before the time is taken."""
    _load(_DOSSIERS)
    taken, done = 0.0, 0
    for _ in range(TASKS):
        done += complete_all(node())
        taken += _seconds(workers)
    return done / taken


def _load(count: int) -> None:
    chaos.clear_work()
    node.cache_clear()
    open_five_tasks(node(), count)
    drain_transitions(node(), budget=_BUDGET)


def _seconds(workers: int) -> float:
    """Return how long that many worker processes take for everything that is due."""
    gate = _fork.Barrier(workers + 1)
    transactions.close()
    processes = [_fork.Process(target=_drain, args=(gate,)) for _ in range(workers)]
    for process in processes:
        process.start()
    gate.wait()
    started = time.perf_counter()
    for process in processes:
        process.join()
    return time.perf_counter() - started


def _drain(gate: multiprocessing.synchronize.Barrier) -> None:
    node.cache_clear()
    node().contracts().all_effective(day=SystemClock().now().date())
    gate.wait()
    while drain_transitions(node(), budget=_BUDGET).more:
        pass
    transactions.close()


# --- The baseline ------------------------------------------------------------------------------


def advance_one(_identifier: str) -> None:
    """Advance what is due in a process of its own: the job of the baseline."""
    node.cache_clear()
    drain_transitions(node(), budget=_BUDGET)
    transactions.close()


def _naive_rate(room: Path) -> float:
    program = find_program()
    if program is None:
        raise SystemExit("bench: error: expected a redis-server; the extra `embedded` brings one")
    server = OwnRedis(program, socket=room / "bench.sock", log=room / "redis.log")
    server.start()
    try:
        _load(_NAIVE)
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
