"""A Redis by its URL: with a password, behind TLS, found by a sentinel; and one that misbehaves."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from redis import Redis

from exchange import doorbell
from exchange.errors import SettingRefused
from exchange.redis_url import open_redis, trouble
from tests.builders.redis_server import behind_tls, redis_sentinel, redis_server
from worker import own_redis
from worker.own_redis import RedisWatch
from worker.queues import worker_of


def _ring(url: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(doorbell, "redis_url", lambda _settings: url)
    return doorbell.ring("advance", "an-id")


def test_a_master_is_found_by_its_sentinel(monkeypatch: pytest.MonkeyPatch) -> None:
    with redis_server() as port, redis_sentinel(port, name="bells") as watching:
        url = f"redis+sentinel://127.0.0.1:1,127.0.0.1:{watching}/bells/2"
        assert not trouble(url)
        assert _ring(url, monkeypatch)
        assert Redis(port=port, db=2).llen("rq:queue:transitions") == 1
        worker_of("transitions", open_redis(url)).work(burst=True, logging_level="CRITICAL")
        assert doorbell.waiting("transitions") == 0
        assert trouble(f"redis+sentinel://127.0.0.1:{watching}/unknown")


def test_tls_needs_the_authority_that_the_url_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with redis_server("--requirepass", "sesame") as port, behind_tls(port, tmp_path) as tls:
        url = f"rediss://:sesame@127.0.0.1:{tls}/0"
        trusted = f"{url}?ssl_ca_certs={tmp_path / 'ca.pem'}"
        assert not trouble(trusted)
        assert _ring(trusted, monkeypatch)
        assert trouble(url)
        assert trouble(f"rediss://:wrong@127.0.0.1:{tls}/0?ssl_ca_certs={tmp_path / 'ca.pem'}")


@pytest.mark.parametrize(
    "url", ["redis+sentinel://h:1", "redis+sentinel://h:x/bells", "redis+sentinel://h:1/bells/x"]
)
def test_a_sentinel_url_without_its_parts_is_refused(url: str) -> None:
    with pytest.raises(SettingRefused):
        open_redis(url)


def _lost() -> float:
    return REGISTRY.get_sample_value("lienthong_bells_total", {"outcome": "lost"}) or 0.0


def test_a_full_redis_loses_the_bell_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    with redis_server("--maxmemory", "1", "--maxmemory-policy", "noeviction") as port:
        before, url = _lost(), f"redis://127.0.0.1:{port}"
        assert not _ring(url, monkeypatch)
        assert _lost() == before + 1
        assert "maxmemory" in trouble(url)  # so its workers poll, although it answers a ping


def test_a_redis_that_follows_another_takes_no_bells(monkeypatch: pytest.MonkeyPatch) -> None:
    with redis_server("--replicaof", "127.0.0.1", "1") as port:
        url = f"redis://127.0.0.1:{port}"
        assert not _ring(url, monkeypatch)
        assert trouble(url)


def test_a_silent_redis_costs_a_click_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        assert not _ring(f"redis://127.0.0.1:{silent.getsockname()[1]}", monkeypatch)
        assert time.monotonic() - started < 1


def test_a_flushed_redis_rings_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with redis_server() as port:
        url = f"redis://127.0.0.1:{port}"
        assert _ring(url, monkeypatch)
        Redis(port=port).flushall()
        assert doorbell.waiting("transitions") == 0
        assert _ring(url, monkeypatch)


def test_a_redis_that_falls_ill_is_told_once_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_redis, "_WATCH_SECONDS", 0.2)
    with redis_server() as port:
        watch, other = RedisWatch(f"redis://127.0.0.1:{port}"), Redis(port=port)

        def told(seconds: float) -> int:
            until, count = time.monotonic() + seconds, 0
            while time.monotonic() < until:
                count += watch.has_fallen_ill()
                time.sleep(0.01)
            return count

        assert told(0.5) == 0
        other.config_set("maxmemory", "1")
        assert told(1.2) == 1
        other.config_set("maxmemory", "0")
        assert told(0.5) == 0
        other.config_set("maxmemory", "1")
        assert told(0.8) == 1
