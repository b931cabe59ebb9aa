"""Workflows of five durable steps in DBOS: `python -m benchmarks.peer_dbos URL THREADS NUMBER`."""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
from dbos import DBOS, SetWorkflowID

from benchmarks.peers import INSERT, STEPS, time_in_peer


def main(url: str, threads: int, number: int) -> None:
    """Time workflows that this process runs in that many threads."""
    DBOS(
        config={
            "name": "bench",
            "system_database_url": url.replace("postgresql://", "postgresql+psycopg://"),
            "executor_id": f"bench-{number}",
            "application_version": "1",
            "log_level": "ERROR",
        }
    )
    local = threading.local()

    def write(workflow: str, step: int) -> None:
        if not hasattr(local, "connection"):
            local.connection = psycopg.connect(url, autocommit=True, prepare_threshold=2)
        local.connection.execute(INSERT, {"workflow": workflow, "step": step})

    durable = DBOS.step()(write)

    def sequence(workflow: str) -> None:
        for step in range(STEPS):
            durable(workflow, step)

    workflow = DBOS.workflow()(sequence)
    DBOS.launch()

    def one(identifier: str) -> None:
        with SetWorkflowID(identifier):
            workflow(identifier)

    def run(name: str, count: int) -> None:
        ids = [f"{name}-{number}-{time.time_ns()}-{at}" for at in range(count)]
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(one, ids))

    time_in_peer(run)
    DBOS.destroy()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
