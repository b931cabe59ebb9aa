"""The node that the worker's figures are taken on: PostgreSQL with synchronous commits, a load.

One transition takes a completed task of a sequence of five: the engine steps, and one commit holds
the history, the log leaves, an outbox row, the next task and the instance's new state.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

import psutil  # type: ignore[import-untyped]  # it ships no types

from dossier.clock import SystemClock
from exchange import doorbell
from exchange.advance import drain_transitions
from exchange.boot import boot
from exchange.settings import settings
from exchange.wiring import node
from storage import sql, transactions
from storage.transactions import transaction
from tests.builders import chaos
from tests.builders.fivetasks import open_five_tasks, publish_five_tasks
from tests.builders.postgresql import postgresql_cluster

BUDGET: Final = timedelta(seconds=60)
_START_SECONDS: Final = 30
_ROOT: Final = Path(__file__).parents[1]
# The id of the n-th copy of a row.
_ID: Final = "lpad(to_hex(n), 8, '0') || '-0000-4000-8000-000000000000'"
fork: Final = multiprocessing.get_context("fork")


@contextmanager
def bed() -> Iterator[tuple[Path, str]]:
    """Boot this process as a node on a new cluster; yield its folder and the database's URL."""
    room = Path(tempfile.mkdtemp(prefix="lt-bench-"))
    try:
        with postgresql_cluster(durable=True, options="-c track_commit_timestamp=on") as url:
            chaos.lay_out_storm(room, database_url=url)
            os.environ["LIENTHONG_HOME"] = str(room)
            os.environ["LIENTHONG_NODE"] = chaos.NODE
            os.environ["LIENTHONG_WORKERS"] = "2"
            settings.cache_clear()
            boot()
            chaos.fill_storm()
            publish_five_tasks()
            yield room, url
            transactions.close()
    finally:
        shutil.rmtree(room, ignore_errors=True)


def open_load(count: int) -> None:
    """Leave nothing but that many dossiers, each with its first task open."""
    chaos.clear_work()
    node.cache_clear()
    open_five_tasks(node(), count)
    while drain_transitions(node(), budget=BUDGET).more:
        pass


def open_backlog(count: int) -> None:
    """Leave nothing but that many dossiers that are due for their first transition."""
    chaos.clear_work()
    node.cache_clear()
    open_five_tasks(node(), 1)
    with transaction():
        _copy("dossier", {"id": _ID, "code": "code || n", "conversation_id": _ID}, count - 1)
        _copy("instance", {"id": _ID, "dossier": _ID}, count - 1)
        _copy("fact", {"instance": _ID}, count - 1)
    # What the server would do some time later must not fall into the measured span.
    sql.execute("VACUUM ANALYZE")
    sql.execute("CHECKPOINT")


def _copy(table: str, changed: Mapping[str, str], count: int) -> None:
    """Copy the one row of a table, with these SQL expressions of the copy's number n in it."""
    rows = sql.all_rows(
        "SELECT column_name::text FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND table_name = %s AND is_identity = 'NO'",
        (table,),
    )
    names = [row[0] for row in rows]
    chosen = ", ".join(changed.get(name, name) for name in names)
    sql.execute(
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {chosen}"  # noqa: S608 - our own columns
        f" FROM {table}, generate_series(1, %s) AS n",
        (count,),
    )


@contextmanager
def workers(count: int) -> Iterator[tuple[Callable[[], float], list[psutil.Process]]]:
    """Fork workers that live as long as the figure; yield what lets them drain once, and them.

    The call returns the seconds they take for everything that is due.
    """
    gate = fork.Barrier(count + 1)
    transactions.close()
    processes = [fork.Process(target=_serve, args=(gate,)) for _ in range(count)]
    for process in processes:
        process.start()

    def drain() -> float:
        gate.wait()
        started = time.perf_counter()
        gate.wait()
        return time.perf_counter() - started

    drain()  # until each has its connection and has compiled what it will meet
    try:
        yield drain, [psutil.Process(process.pid) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.join()


def _serve(gate: multiprocessing.synchronize.Barrier) -> None:
    node.cache_clear()
    node().contracts().all_effective(day=SystemClock().now().date())
    while True:
        gate.wait()
        while drain_transitions(node(), budget=BUDGET).more:
            pass
        gate.wait()


@contextmanager
def supervised(room: Path) -> Iterator[psutil.Process]:
    """Run the node's supervisor as an operator does, and yield its process when all work."""
    transactions.close()
    with (room / "bench.log").open("ab") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", "worker"], cwd=_ROOT, stdout=log, stderr=log
        )
    supervisor = psutil.Process(started.pid)
    try:
        wait_until(lambda: doorbell.waiting(doorbell.TRANSITIONS) is not None)
        wait_until(lambda: len(workers_of(supervisor)) >= 4)
        yield supervisor
    finally:
        started.terminate()
        started.wait(_START_SECONDS)


def workers_of(supervisor: psutil.Process) -> list[psutil.Process]:
    """Return the supervisor's own children that are not Redis."""
    return [one for one in supervisor.children() if "redis-server" not in one.name()]


def wait_until(condition: Callable[[], bool], *, seconds: float = _START_SECONDS) -> None:
    """Return when the condition holds; end the bench if it does not in time."""
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            raise SystemExit("bench: error: expected the node to work within its time")
        time.sleep(0.01)
