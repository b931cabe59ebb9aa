"""How steadily the node's own processes work: bells, kills, idleness, memory.

The supervisor runs as an operator starts it, with its own Redis, on PostgreSQL with synchronous
commits. `python -m benchmarks soak` measures the memory over 100,000 transitions instead of fewer.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from typing import Final

import psutil  # type: ignore[import-untyped]  # it ships no types

from benchmarks.bed import (
    bed,
    open_load,
    supervised,
    wait_until,
    workers,
    workers_of,
)
from benchmarks.measure import Measure
from exchange.drained import ring_after_commit
from exchange.sweep import owner_of
from exchange.wiring import node
from storage import sql
from storage.transactions import transaction
from tests.builders import chaos
from tests.builders.fivetasks import QUIET, TASKS, complete, complete_all, open_five_tasks

_WORKERS: Final = 2
_GROUP: Final = 5  # tasks that are completed in one commit, as a click in a list does
_LATENCY_DOSSIERS: Final = 600
_LATENCY_SECONDS: Final = 100 / 1000
_KILLS: Final = 50
_KILL_DOSSIERS: Final = 800
_BACK_SECONDS: Final = 5.0
_IDLE_SECONDS: Final = 15.0
_IDLE_SHARE: Final = 0.02  # of one core
_MEMORY_GROWTH: Final = 1.2
_MEMORY_ROUND: Final = 400  # dossiers, each of six transitions
_SHORT, _LONG = 5, 42  # rounds; the long one is 100,800 transitions


def run(only: str) -> Iterator[Measure]:
    """Yield the figures; those of a soak only when it is asked for."""
    with bed() as (room, _url):
        if only.startswith("soak"):
            yield _memory("soak.memory", rounds=_LONG)
            return
        half = _rate() / 2
        chaos.clear_work()  # its messages would be delivered during what follows
        with supervised(room) as supervisor:
            yield _idle(supervisor)
            yield _doorbell(half)
            yield _recovery(supervisor)
        yield _memory("worker.memory", rounds=_SHORT)


# --- A bell to its commit ----------------------------------------------------------------------


def _rate() -> float:
    """Return transitions per second of two workers at full load, for half of it."""
    done, taken = 0, 0.0
    with workers(_WORKERS) as (drain, _):
        open_load(120)
        for _ in range(TASKS):
            done += complete_all(node())
            taken += drain()
    return done / taken


def _doorbell(rate: float) -> Measure:
    """Complete tasks at that rate; take the time from before the bell to the worker's commit."""
    _open_quiet(_LATENCY_DOSSIERS)
    tokens = sql.all_rows("SELECT instance, token FROM task WHERE state = 'open' ORDER BY token")
    started = time.monotonic()
    for first in range(0, len(tokens), _GROUP):
        group = tokens[first : first + _GROUP]
        with transaction():
            complete(node(), group)
            ring_after_commit("advance", group[0][0])
        time.sleep(max(0.0, started + (first + _GROUP) / rate - time.monotonic()))
    wait_until(lambda: _waiting() == 0)
    # The row of a fact was last written by the transaction that applied it.
    rows = sql.all_rows(
        "SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000 - at FROM fact"
        " WHERE kind = 'task_completed'"
    )
    taken = sorted(float(row[0]) / 1e6 for row in rows)
    worst = taken[int(len(taken) * 0.99)]
    return Measure(
        name="worker.doorbell",
        value=worst * 1000,
        unit="ms from the bell to the commit, p99",
        baseline=f"100 ms, at half load ({rate:.0f} transitions/s)",
        ratio=worst / _LATENCY_SECONDS,
        gate=1.0,
    )


def _open_quiet(count: int) -> None:
    """Open dossiers without messages, so that nobody delivers any meanwhile."""
    open_five_tasks(node(), count, procedure=QUIET)
    wait_until(lambda: _waiting() == 0)


def _waiting() -> int:
    return int(sql.the_row("SELECT COUNT(*) FROM instance WHERE status = 'ready'")[0])


# --- A kill to progress again ------------------------------------------------------------------


def _recovery(supervisor: psutil.Process) -> Measure:
    """Kill workers with instances in their hands, and wait until each of these has moved on."""
    taken: list[float] = []
    while len(taken) < _KILLS:
        if not complete_all(node()):
            open_five_tasks(node(), _KILL_DOSSIERS, procedure=QUIET)
        ring_after_commit("advance", "bench")
        wait_until(lambda: _waiting() == 0 or any(map(_held, workers_of(supervisor))))
        for worker in workers_of(supervisor):
            if _held(worker):
                taken.append(_kill(worker))
                break
    taken.sort()
    worst = taken[int(len(taken) * 0.99)]
    return Measure(
        name="worker.recovery",
        value=worst,
        unit="s from SIGKILL to the next commit of what the worker held, p99 of 50",
        baseline=f"5 s; median {statistics.median(taken):.2f} s",
        ratio=worst / _BACK_SECONDS,
        gate=1.0,
    )


def _held(worker: psutil.Process) -> dict[str, int]:
    rows = sql.all_rows(
        "SELECT id, version FROM instance WHERE lease_owner = %s", (owner_of(worker.pid),)
    )
    return {row[0]: int(row[1]) for row in rows}


def _kill(worker: psutil.Process) -> float:
    """Return how long it takes until everything that it held has been advanced by another."""
    worker.suspend()  # so that what it holds changes no more
    held = _held(worker)
    killed = time.monotonic()
    worker.kill()
    wait_until(lambda: not _not_moved(held))
    return time.monotonic() - killed


def _not_moved(held: dict[str, int]) -> Sequence[str]:
    if not held:
        return []
    rows = sql.all_rows(
        f"SELECT id, version FROM instance WHERE id IN ({sql.marks(len(held))})",  # noqa: S608 - marks
        list(held),
    )
    return [one for one, version in rows if int(version) <= held[one]]


# --- Nothing to do -----------------------------------------------------------------------------


def _idle(supervisor: psutil.Process) -> Measure:
    """Take the processor time of the whole node, its Redis too, while nothing is due."""
    time.sleep(3.0)  # let the start be over
    before = _processor_seconds(supervisor)
    time.sleep(_IDLE_SECONDS)
    share = (_processor_seconds(supervisor) - before) / _IDLE_SECONDS
    return Measure(
        name="worker.idle",
        value=share * 100,
        unit="% of one core, all processes of an idle node",
        baseline="2 % of one core",
        ratio=share / _IDLE_SHARE,
        gate=1.0,
    )


def _processor_seconds(supervisor: psutil.Process) -> float:
    everybody = [supervisor, *supervisor.children(recursive=True)]
    return sum(sum(one.cpu_times()[:2]) for one in everybody)


# --- Memory ------------------------------------------------------------------------------------


def _memory(name: str, *, rounds: int) -> Measure:
    """Compare a worker's memory after all transitions with that after the first round."""
    sizes = []
    with workers(1) as (drain, (worker,)):
        for _ in range(rounds):
            chaos.clear_work()
            open_five_tasks(node(), _MEMORY_ROUND)
            for _ in range(TASKS + 1):
                drain()
                complete_all(node())
            sizes.append(worker.memory_info().rss)
    done = rounds * _MEMORY_ROUND * (TASKS + 1)
    return Measure(
        name=name,
        value=sizes[-1] / 2**20,
        unit=f"MiB of a worker after {done:,} transitions",
        baseline=f"the same worker after the first {done // rounds:,}",
        ratio=sizes[-1] / sizes[0],
        gate=_MEMORY_GROWTH,
    )
