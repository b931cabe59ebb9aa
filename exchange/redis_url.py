"""Open the Redis of a URL: one server, by TLS too, or whichever server its sentinels call master.

`redis+sentinel://[user:password@]host:port,host:port/name[/number]` names sentinels and the master
they watch. With `rediss` in place of `redis` all connections are TLS; `?ssl_ca_certs=/path` names
the authority, as in every URL of redis-py.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from redis.sentinel import Sentinel

from exchange.errors import SettingRefused

_SENTINEL: Final = "+sentinel"
_PORT: Final = 26379
_PROBE: Final = "rq:lienthong:probe"  # beside the keys of RQ, so that one right covers both
_PROBE_MILLISECONDS: Final = 1000
_EXPECTED: Final = "redis+sentinel://host:port,host:port/name"


def open_redis(url: str, *, seconds: float | None = None) -> Redis:
    """Return a client; `seconds` bound each connect and answer, and then it tries only once."""
    patience: dict[str, Any] = {}
    if seconds is not None:
        # redis-py waits four seconds for a dead server by default, and a click with it.
        once = Retry(NoBackoff(), 0)
        patience = {"socket_connect_timeout": seconds, "socket_timeout": seconds, "retry": once}
    if _SENTINEL not in url.partition(":")[0]:
        return Redis.from_url(url, **patience)
    return _by_sentinel(url, patience)


def trouble(url: str, *, seconds: float = 1.0) -> str:
    """Return why the Redis at that address takes no bell now, empty when it takes them.

    It is asked to write: one that is full, or follows another, answers a ping all the same.
    """
    connection = open_redis(url, seconds=seconds)
    try:
        connection.set(_PROBE, "", px=_PROBE_MILLISECONDS)
    except (RedisError, OSError) as exc:
        return str(exc).partition("\n")[0][:200] or type(exc).__name__
    finally:
        connection.close()
    return ""


def _by_sentinel(url: str, patience: dict[str, Any]) -> Redis:
    parts = urlsplit(url)
    places = parts.netloc.rpartition("@")[2]
    name, _, number = parts.path.strip("/").partition("/")
    if not name or (number and not number.isdecimal()):
        raise _refused()
    secrets = {"username": parts.username, "password": parts.password}
    asked = {key: unquote(value) for key, value in secrets.items() if value}
    tls = {"ssl": True} if parts.scheme.startswith("rediss") else {}
    shared = {**patience, **tls, **dict(parse_qsl(parts.query))}
    sentinel: Any = Sentinel(  # type: ignore[no-untyped-call]  # redis-py has no types here
        [_place(one) for one in places.split(",")], sentinel_kwargs=shared
    )
    master: Redis = sentinel.master_for(name, db=int(number or 0), **shared, **asked)
    return master


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":") if ":" in text else (text, "", str(_PORT))
    if not host or not port.isdecimal():
        raise _refused()
    return host.strip("[]"), int(port)


def _refused() -> SettingRefused:
    return SettingRefused(
        f"expected {_EXPECTED} in LIENTHONG_REDIS_URL, got something else",
        name="LIENTHONG_REDIS_URL",
        expected=_EXPECTED,
    )
