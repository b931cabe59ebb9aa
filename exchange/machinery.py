"""Examine the machinery under a node: schema, Redis, stored files, keys, queues, the log."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from dossier.errors import LienThongError, Misconfigured
from exchange import doorbell, logkey
from exchange.epoch import known_epoch
from exchange.errors import LogKeyDiffers
from exchange.finding import Finding, finding
from exchange.redis_url import trouble
from exchange.settings import Settings
from exchange.stores import blob_store
from signing.certificate import parse_certificate
from signing.keys import read_certificates
from storage import inbox, instances, log, schema, tallies, timers

_SOON: Final = timedelta(days=30)
_OLDEST: Final = timedelta(minutes=5)
_LOG_LAG: Final = timedelta(minutes=1)
_MOST_BELLS: Final = 10_000
# Any digest: the answer "not there" is as good as "there".
_PROBE: Final = "0" * 64


def schema_version() -> Finding:
    """Tell whether the tables are those of this program."""
    try:
        schema.check()
    except Misconfigured as exc:
        return finding("schema", False, migration=str(exc.parameters.get("migration", "?")))
    return finding("schema", True)


def redis(here: Settings) -> Finding:
    """Tell whether the node's Redis takes bells; without it the workers poll.

    The node's own one lives and ends with the workers: without its socket nothing is wrong.
    """
    if not here.redis_url and not doorbell.own_socket(here).exists():
        return finding("own_redis_rests", True)
    error = trouble(doorbell.redis_url(here))
    return finding("redis", not error, error=error)


def queues() -> list[Finding]:
    """Tell how many bells wait in each queue."""
    counts = {name: doorbell.waiting(name) for name in sorted(set(doorbell.QUEUES.values()))}
    return [
        finding("queue", count < _MOST_BELLS, queue=name, count=count)
        for name, count in counts.items()
        if count is not None
    ]


def files(here: Settings) -> Finding:
    """Tell whether the store of files answers."""
    place = here.blob_url or str(here.blob_dir)
    try:
        blob_store(here).has(_PROBE)
    except LienThongError as exc:
        return finding("files", False, place=place, error=exc.code)
    return finding("files", True, place=place)


def oldest_due(now: datetime) -> Finding:
    """Tell how long the oldest due work has been waiting."""
    starts = [
        one.oldest
        for one in (instances.backlog(now), tallies.delivery_backlog(now), inbox.backlog())
    ] + [timers.next_due()]
    waiting = [now - one for one in starts if one is not None]
    age = max(waiting, default=timedelta())
    return finding("oldest", age < _OLDEST, seconds=max(0, int(age.total_seconds())))


def log_head(now: datetime) -> Finding:
    """Tell whether every event has its number and the head is signed."""
    waiting, edge, newest = log.backlog(), log.state(), log.last_checkpoint()
    signed = newest.size if newest else 0
    lag = now - waiting.oldest if waiting.oldest else timedelta()
    is_good = lag < _LOG_LAG and signed == edge.size
    return finding("log", is_good, size=edge.size, signed=signed, waiting=waiting.due)


def log_key(here: Settings) -> list[Finding]:
    """Tell whether this machine holds the key that the log's heads are signed with."""
    epoch = known_epoch()
    if not epoch:
        return []
    try:
        logkey.own(here.keys_dir, epoch=epoch)
    except LogKeyDiffers as exc:
        return [finding("log_key", False, file=str(exc.parameters["file"]))]
    return [finding("log_key", True)]


def keys(here: Settings, now: datetime) -> list[Finding]:
    """Tell which private keys others can read, and how long the time-stamp key is good."""
    private = [*sorted(here.keys_dir.rglob("*.key.pem")), here.secret_key_file]
    exposed = [path.name for path in private if path.exists() and _is_exposed(path)]
    found = [
        finding("keys", not exposed, count=len(private), names=", ".join(exposed)),
    ]
    if not here.tsa_url:
        found.append(_time_stamp_key(here, now))
    return found


def _time_stamp_key(here: Settings, now: datetime) -> Finding:
    path = here.keys_dir / "tsa.crt.pem"
    try:
        until = parse_certificate(read_certificates(path.read_bytes())[0]).not_after
    except (LienThongError, OSError):
        return finding("time_stamps", False, days=0)
    return finding("time_stamps", until > now + _SOON, days=(until - now).days)


def _is_exposed(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def without_database(here: Settings, now: datetime) -> Sequence[Finding]:
    """Return what this module sees of Redis, files and keys."""
    return [redis(here), *queues(), files(here), *keys(here, now)]


def of_database(here: Settings, now: datetime) -> Sequence[Finding]:
    """Return what this module sees in the database."""
    return [schema_version(), oldest_due(now), log_head(now), *log_key(here)]
