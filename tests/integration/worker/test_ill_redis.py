"""A Redis that is full or hangs stops no worker: those that wait for bells leave, and poll."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from redis import Redis

from exchange import sweep
from exchange.doorbell import TRANSITIONS
from exchange.drained import Drained
from tests.builders.redis_server import redis_server
from worker import children
from worker.children import NO_BELLS, run_child

_fork = multiprocessing.get_context("fork")


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[int]:
    """Let a worker's drains only note that they ran, on a Redis of its own."""

    def drain() -> Drained:
        (tmp_path / "polled").touch()
        return Drained(done=0, more=False)

    monkeypatch.setattr(children, "node", _Built())
    monkeypatch.setattr(sweep, "forget_connection", lambda: None)
    monkeypatch.setattr(children, "settings", lambda: None)
    monkeypatch.setattr(children, "_DRAINS", {TRANSITIONS: (drain,)})
    with redis_server() as port:
        monkeypatch.setattr(children, "redis_url", lambda _: f"redis://127.0.0.1:{port}")
        yield port


@pytest.fixture
def worker(port: int, tmp_path: Path) -> Iterator[Callable[[], BaseProcess]]:
    started: list[BaseProcess] = []

    def start() -> BaseProcess:
        process = _fork.Process(target=run_child, args=(TRANSITIONS,))
        process.start()
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.join()


def _wait(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "expected it within ten seconds"
        time.sleep(0.02)


def test_a_worker_polls_beside_a_full_redis(
    worker: Callable[[], BaseProcess], port: int, tmp_path: Path
) -> None:
    Redis(port=port).config_set("maxmemory", "1")
    process = worker()
    _wait((tmp_path / "polled").exists)
    assert process.is_alive()


def test_a_worker_that_waits_for_bells_leaves_at_once_when_none_can_come(
    worker: Callable[[], BaseProcess], port: int
) -> None:
    process, redis = worker(), Redis(port=port)
    _wait(lambda: redis.client_list() and _is_waiting(redis))
    redis.config_set("maxmemory", "1")
    started = time.monotonic()
    assert process.pid is not None
    os.kill(process.pid, NO_BELLS)
    process.join(5)
    assert process.exitcode == 1
    assert time.monotonic() - started < 2


class _Built:
    """A node that is built already."""

    def __call__(self) -> None:
        """Return nothing: nobody asks it."""

    def cache_clear(self) -> None:
        """Forget nothing."""


def _is_waiting(redis: Redis) -> bool:
    return any(str(one["cmd"]).startswith(("bl", "br")) for one in redis.client_list())
