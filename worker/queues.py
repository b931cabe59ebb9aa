"""Which function each job name means. RQ would import whatever name Redis holds; we look it up.

Whoever can write to Redis can ring a bell, and nothing else: no name outside the table, no
callback, no webhook and no argument but one text is ever used.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from prometheus_client import Counter
from redis import Redis
from rq import Queue, SimpleWorker, Worker
from rq.job import Job
from rq.worker.base import BaseWorker

from exchange import sweep
from exchange.doorbell import EXCHANGE, QUEUES, TRANSITIONS
from exchange.wiring import node
from worker import jobs
from worker.errors import JobRefused

JOBS: Final[Mapping[str, Callable[[str], None]]] = {
    "advance": jobs.advance,
    "fire": jobs.fire,
    "correlate": jobs.correlate,
    "deliver": jobs.deliver,
    "call": jobs.call,
}
_REFUSED: Final = Counter("lienthong_jobs_refused", "Jobs in Redis that are none of ours")
_LONGEST_ID: Final = 200
# Small, because RQ waits for Redis as long as this, whatever timeout the connection has.
_WORKER_TTL_SECONDS: Final = 30
_MONITOR_SECONDS: Final = 5
# What a foreign hand could make RQ import or call.
_FOREIGN: Final = (
    b"success_callback_name",
    b"failure_callback_name",
    b"stopped_callback_name",
    b"webhooks",
    b"dependency_ids",
    b"dependency_id",
)


def find_job(name: object, arguments: object, keywords: object) -> Callable[[], None]:
    """Return the call that a job stands for; raise `JobRefused` for anything else."""
    work = JOBS.get(name) if isinstance(name, str) else None
    if work is None or keywords:
        raise _refused("expected a known job")
    if not isinstance(arguments, list | tuple) or len(arguments) != 1:
        raise _refused("expected one argument")
    identifier = arguments[0]
    if not isinstance(identifier, str) or len(identifier) > _LONGEST_ID:
        raise _refused("expected an id")
    return lambda: work(identifier)


def _refused(message: str) -> JobRefused:
    _REFUSED.inc()
    return JobRefused(message)


class KnownJob(Job):
    """A job whose function comes from our table and never from Redis."""

    @property
    def func(self) -> Callable[..., None]:
        """Return the function of the table, already bound to its id."""
        call = find_job(self.func_name, self.args, self.kwargs)
        return lambda *_args, **_keywords: call()

    def restore(self, raw_data: Any) -> Any:  # noqa: ANN401 - RQ's own signature
        """Take over what Redis holds, but nothing that names code or addresses."""
        for name in _FOREIGN:
            raw_data.pop(name, None)
            raw_data.pop(name.decode(), None)
        return super().restore(raw_data)


class Bells(Queue):
    """A queue of known jobs."""

    job_class = KnownJob


class ExchangeWorker(Worker):
    """Runs each job in a process of its own, for untrusted XML and calls to partners."""

    _has_fallen = False  # the process of the last job

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """Fork without a database connection: parent and child would share one socket."""
        sweep.forget_connection()
        super().fork_work_horse(job, queue)

    def wait_for_horse(self) -> tuple[int | None, int | None, Any]:
        """Wait for the end of the process, and keep in mind whether it was a good one."""
        found = super().wait_for_horse()
        self._has_fallen = found[1] != os.EX_OK
        return found

    def monitor_work_horse(self, *arguments: Any) -> None:  # noqa: ANN401 - RQ's own signature
        """Give back what a process held that fell, whatever Redis still knows of its job."""
        self._has_fallen = False
        try:
            super().monitor_work_horse(*arguments)
        finally:
            if self._has_fallen:
                sweep.free_leases(sweep.own_name(), at=node().now())


def worker_of(queue: str, connection: Redis) -> BaseWorker:
    """Return the worker of a queue: long-lived for transitions, forking for the exchange."""
    kinds: Mapping[str, type[BaseWorker]] = {TRANSITIONS: SimpleWorker, EXCHANGE: ExchangeWorker}
    return kinds[queue](
        [Bells(queue, connection=connection, serializer="json")],
        connection=connection,
        serializer="json",
        job_class=KnownJob,
        queue_class=Bells,
        worker_ttl=_WORKER_TTL_SECONDS,
        job_monitoring_interval=_MONITOR_SECONDS,
        log_job_description=False,
    )


__all__ = ["JOBS", "QUEUES", "Bells", "ExchangeWorker", "KnownJob", "find_job", "worker_of"]
