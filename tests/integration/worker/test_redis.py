"""The node's own Redis, and what a worker does with what foreign hands put into it."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from rq import Queue, Worker
from rq.job import Job

from exchange import doorbell, sweep
from exchange.redis_url import trouble
from exchange.settings import load
from worker import queues
from worker.own_redis import OwnRedis
from worker.queues import Bells, ExchangeWorker, KnownJob, worker_of


@pytest.fixture
def redis() -> Iterator[OwnRedis]:
    program = doorbell.find_program()
    assert program is not None, "expected a redis-server: the extra `embedded` brings one"
    folder = Path(tempfile.mkdtemp(prefix="lt-r-"))
    server = OwnRedis(program, socket=folder / "r.sock", log=folder / "redis.log")
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def connection(redis: OwnRedis) -> Iterator[Redis]:
    made = Redis(unix_socket_path=str(redis.socket))
    yield made
    made.close()


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    ids: list[str] = []
    monkeypatch.setattr(queues, "JOBS", {"advance": ids.append})
    return ids


def _work(connection: Redis) -> None:
    worker_of(doorbell.TRANSITIONS, connection).work(burst=True, logging_level="CRITICAL")


def _queue(connection: Redis) -> Queue:
    return Queue(doorbell.TRANSITIONS, connection=connection, serializer="json")


def test_the_server_is_private_and_listens_on_no_port(redis: OwnRedis, connection: Redis) -> None:
    assert redis.socket.parent.stat().st_mode & 0o777 == 0o700
    assert connection.config_get("port") == {"port": "0"}
    assert connection.config_get("save") == {"save": ""}


def test_a_stopped_server_answers_no_more_and_can_be_started_again(redis: OwnRedis) -> None:
    url = f"unix://{redis.socket}"
    redis.stop()
    assert not redis.is_running()
    assert trouble(url)
    redis.start()
    assert not trouble(url)


def test_a_known_bell_runs_its_job(connection: Redis, done: list[str]) -> None:
    _queue(connection).enqueue_call("advance", args=("the-id",), result_ttl=0)
    _work(connection)
    assert done == ["the-id"]


@pytest.mark.parametrize("name", ["os.system", "worker.jobs.advance", "builtins.eval"])
def test_a_foreign_function_is_never_called(
    connection: Redis, done: list[str], tmp_path: Path, name: str
) -> None:
    witness = tmp_path / "ran"
    _queue(connection).enqueue_call(name, args=(f"touch {witness}",), failure_ttl=5)
    _work(connection)
    assert not witness.exists()
    assert done == []


def test_a_foreign_callback_is_never_called(
    connection: Redis, done: list[str], tmp_path: Path
) -> None:
    job = _queue(connection).enqueue_call("advance", args=("x",), result_ttl=0)
    for kind in ("success", "failure", "stopped"):
        connection.hset(job.key, f"{kind}_callback_name", "os.system")
    _work(connection)
    found = KnownJob("restored", connection=connection, serializer="json")
    found.restore(
        {
            b"data": b'["advance", null, ["x"], {}]',
            b"success_callback_name": b"os.system",
            b"created_at": b"2022-04-11T02:00:00.000000Z",
        }
    )
    assert found.success_callback is None
    assert done == ["x"]


def test_a_job_on_a_foreign_instance_is_refused(connection: Redis, done: list[str]) -> None:
    job = _queue(connection).enqueue_call("advance", args=("x",), failure_ttl=5)
    connection.hset(job.key, "data", b'["upper", "a text", ["x"], {}]')
    _work(connection)
    assert done == []


def test_pickled_jobs_are_not_read(connection: Redis, done: list[str]) -> None:
    job = Job.create("advance", args=("x",), connection=connection, origin="transitions")
    job.save()
    connection.rpush("rq:queue:transitions", job.id)
    _work(connection)
    assert done == []


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(("falls", "freed"), [(True, 1), (False, 0)])
@pytest.mark.parametrize("is_flushed", [True, False])
def test_what_a_fallen_process_held_is_given_back_though_redis_forgot_its_job(
    connection: Redis,
    monkeypatch: pytest.MonkeyPatch,
    is_flushed: bool,
    falls: bool,
    freed: int,
) -> None:
    def deliver(_identifier: str) -> None:
        if is_flushed:
            connection.flushall()
        if falls:
            os.kill(os.getpid(), signal.SIGKILL)

    given_back: list[str] = []
    monkeypatch.setattr(queues, "JOBS", {"deliver": deliver})
    monkeypatch.setattr(queues, "node", lambda: SimpleNamespace(now=lambda: None))
    monkeypatch.setattr(sweep, "free_leases", lambda owner, at: given_back.append(owner))
    queue = Queue(doorbell.EXCHANGE, connection=connection, serializer="json")
    queue.enqueue_call("deliver", args=("x",), result_ttl=0, failure_ttl=5)
    worker_of(doorbell.EXCHANGE, connection).work(burst=True, logging_level="CRITICAL")
    assert given_back == [sweep.own_name()] * freed


def test_a_process_that_lives_keeps_what_it_holds_whatever_became_of_the_last_one(
    connection: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose_redis(*_arguments: object) -> None:
        raise RedisConnectionError("expected a Redis")

    given_back: list[str] = []
    monkeypatch.setattr(Worker, "monitor_work_horse", lose_redis)
    monkeypatch.setattr(sweep, "free_leases", lambda owner, at: given_back.append(owner))
    worker = worker_of(doorbell.EXCHANGE, connection)
    assert isinstance(worker, ExchangeWorker)
    monkeypatch.setattr(worker, "_has_fallen", True)
    with pytest.raises(RedisConnectionError):
        worker.monitor_work_horse(None, None, None)
    assert given_back == []


def test_the_worker_uses_our_classes(connection: Redis) -> None:
    worker = worker_of(doorbell.TRANSITIONS, connection)
    assert worker.job_class is KnownJob
    assert worker.queue_class is Bells
    assert len(worker.queues) == 1


def test_a_dead_redis_costs_a_click_almost_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = load({"LIENTHONG_HOME": str(tmp_path)})
    monkeypatch.setattr(doorbell, "settings", lambda: settings)
    started = time.monotonic()
    assert doorbell.ring("advance", "x") is False
    assert doorbell.waiting("transitions") is None
    assert time.monotonic() - started < 1


def test_no_more_bells_are_put_where_enough_wait(
    redis: OwnRedis, connection: Redis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = {"LIENTHONG_HOME": str(tmp_path), "LIENTHONG_REDIS_URL": f"unix://{redis.socket}"}
    monkeypatch.setattr(doorbell, "settings", lambda: load(here))
    rung = [doorbell.ring("advance", str(number)) for number in range(30)]
    assert all(rung)
    assert doorbell.waiting("transitions") == 16
    connection.flushall()
    assert doorbell.ring("advance", "again")
    assert doorbell.waiting("transitions") == 1


def test_a_long_home_gets_a_short_socket(tmp_path: Path) -> None:
    settings = load({"LIENTHONG_HOME": str(tmp_path / ("x" * 100))})
    assert len(str(doorbell.own_socket(settings))) <= 100
