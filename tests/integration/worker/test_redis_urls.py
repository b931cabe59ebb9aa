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
from exchange.redis_url import open_redis
from tests.builders.redis_server import behind_tls, redis_sentinel, redis_server
from worker.own_redis import answers
from worker.queues import worker_of


def _ring(url: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(doorbell, "redis_url", lambda _settings: url)
    return doorbell.ring("advance", "an-id")


def test_a_master_is_found_by_its_sentinel(monkeypatch: pytest.MonkeyPatch) -> None:
    with redis_server() as port, redis_sentinel(port, name="bells") as watching:
        url = f"redis+sentinel://127.0.0.1:1,127.0.0.1:{watching}/bells/2"
        assert answers(url)
        assert _ring(url, monkeypatch)
        assert Redis(port=port, db=2).llen("rq:queue:transitions") == 1
        worker_of("transitions", open_redis(url)).work(burst=True, logging_level="CRITICAL")
        assert doorbell.waiting("transitions") == 0
        assert not answers(f"redis+sentinel://127.0.0.1:{watching}/unknown")


def test_tls_needs_the_authority_that_the_url_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with redis_server("--requirepass", "sesame") as port, behind_tls(port, tmp_path) as tls:
        url = f"rediss://:sesame@127.0.0.1:{tls}/0"
        trusted = f"{url}?ssl_ca_certs={tmp_path / 'ca.pem'}"
        assert answers(trusted)
        assert _ring(trusted, monkeypatch)
        assert not answers(url)
        assert not answers(f"rediss://:wrong@127.0.0.1:{tls}/0?ssl_ca_certs={tmp_path / 'ca.pem'}")


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
        before = _lost()
        assert not _ring(f"redis://127.0.0.1:{port}", monkeypatch)
        assert _lost() == before + 1


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
