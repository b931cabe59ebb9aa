"""What other durable-workflow libraries do on the same database, in processes of their own.

The work is the same order of five durable steps, each of which writes one row, with nothing of an
engine, an audit trail or an outbox on their side. DBOS runs a workflow of five steps; procrastinate
runs five jobs of which each defers the next. Every combination of processes and concurrency below
is tried, and the fastest one counts.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import psycopg

STEPS: Final = 5
INSERT: Final = "INSERT INTO peer_row (workflow, step) VALUES (%(workflow)s, %(step)s)"
_ARMS: Final = ((1, 8), (2, 4), (2, 8))  # processes, concurrency in each
_WORKFLOWS: Final = 60  # of each process; enough for a second or two
_WARM_UP: Final = 4
_LIMIT_SECONDS: Final = 120
_ROOT: Final = Path(__file__).parents[1]


def fastest(peer: str, url: str) -> float:
    """Return the most steps per second that `dbos` or `procrastinate` reaches in any arm."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS peer_row")
        connection.execute("CREATE TABLE peer_row (workflow text, step integer)")
    _rate(peer, url, 1, 1)  # makes the peer's own tables
    return max(_rate(peer, url, *arm) for arm in _ARMS)


def _rate(peer: str, url: str, processes: int, concurrency: int) -> float:
    spans = _spans(peer, url, processes, concurrency)
    taken = max(end for _, end in spans) - min(begun for begun, _ in spans)
    return processes * _WORKFLOWS * STEPS / taken


def _spans(peer: str, url: str, processes: int, concurrency: int) -> Sequence[tuple[float, float]]:
    """Run processes at once; return when each began and ended, warm-ups excluded."""
    running = [
        subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.peer_{peer}", url, str(concurrency), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
            text=True,
        )
        for number in range(processes)
    ]
    for one in running:
        if one.stdout is None or one.stdout.readline() != "ready\n":
            raise SystemExit(f"bench: error: expected {peer} to start; the extra `bench` has it")
    for one in running:
        if one.stdin is not None:
            one.stdin.write("go\n")
            one.stdin.flush()
    return [json.loads(one.communicate(timeout=_LIMIT_SECONDS)[0]) for one in running]


def time_in_peer(run: Callable[[str, int], None]) -> None:
    """Warm up, wait for the word, run, and say when it began and ended: in the peer's process."""
    run("warm", _WARM_UP)
    print("ready", flush=True)
    sys.stdin.readline()
    begun = time.time()
    run("run", _WORKFLOWS)
    print(json.dumps([begun, time.time()]), flush=True)
