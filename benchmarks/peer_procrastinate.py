"""Chains of five jobs: `python -m benchmarks.peer_procrastinate URL CONCURRENCY NUMBER`."""

from __future__ import annotations

import asyncio
import sys

from procrastinate import App, PsycopgConnector

from benchmarks.peers import INSERT, STEPS, time_in_peer


def main(url: str, concurrency: int, number: int) -> None:
    """Time chains of jobs from a queue of this process's own."""
    app = App(connector=PsycopgConnector(conninfo=url, min_size=concurrency + 1))
    queue = f"bench-{number}"

    async def step(workflow: str, step: int) -> None:
        await app.connector.execute_query_async(INSERT, workflow=workflow, step=step)
        if step + 1 < STEPS:
            await task.defer_async(workflow=workflow, step=step + 1)

    task = app.task(name="step", queue=queue)(step)

    async def chains(name: str, count: int) -> None:
        async with app.open_async():
            if not await app.check_connection_async():
                await app.schema_manager.apply_schema_async()
            first = [{"workflow": f"{name}-{at}", "step": 0} for at in range(count)]
            await task.batch_defer_async(*first)
            await app.run_worker_async(
                queues=[queue], concurrency=concurrency, wait=False, install_signal_handlers=False
            )

    time_in_peer(lambda name, count: asyncio.run(chains(name, count)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
