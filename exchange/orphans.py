"""Remove stored files that no row names: by command, and once a day by the sweep.

A file is stored before its row is committed; so only files older than the grace are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from prometheus_client import Counter

from exchange.drained import Drained
from exchange.node import Node
from exchange.settings import Settings
from exchange.stores import blob_store
from storage import agencies, orphans
from storage.blobs import Blobs
from storage.orphans import Orphan
from storage.transactions import transaction

_EVERY: Final = timedelta(days=1)
_LOOKED_AT: Final = "orphans_looked_at"
_REMOVED: Final = Counter("lienthong_orphans_removed", "Stored files removed that no row named")


def find(here: Settings, *, at: datetime) -> Iterator[Orphan]:
    """Yield what would be removed."""
    yield from orphans.find(blob_store(here), at=at, grace=_grace(here))


def collect(here: Settings, *, at: datetime) -> Iterator[Orphan]:
    """Remove what no row names, and yield each that is gone."""
    yield from _collect(blob_store(here), here, at=at)


def collect_daily(node: Node) -> Drained:
    """Remove what no row names, if that was not done within the last day by any process."""
    at = node.now()
    if not _is_time(at):
        return Drained(done=0, more=False)
    removed = sum(1 for _ in _collect(node.blobs, node.settings, at=at))
    return Drained(done=removed, more=False)


def _collect(blobs: Blobs, here: Settings, *, at: datetime) -> Iterator[Orphan]:
    grace = _grace(here)
    orphans.forget_abandoned(blobs, at=at)
    found = list(orphans.find(blobs, at=at, grace=grace))
    for one in orphans.remove(blobs, found, at=at, grace=grace):
        _REMOVED.inc()
        yield one


def _is_time(at: datetime) -> bool:
    """Tell whether a day has passed, and note for all processes that it is being done now."""
    if not _is_past(at, agencies.node_value(_LOOKED_AT)):
        return False
    with transaction():
        known = agencies.node_value(_LOOKED_AT)
        if not _is_past(at, known):
            return False
        agencies.set_node_value(_LOOKED_AT, at.isoformat())
        # The first time only begins the count: a node just started has better things to do.
        return known is not None


def _is_past(at: datetime, known: str | None) -> bool:
    if known is None:
        return True
    last = datetime.fromisoformat(known)
    # A clock that was set back must not stop this for ever.
    return not last <= at < last + _EVERY


def _grace(here: Settings) -> timedelta:
    return timedelta(hours=here.blob_grace_hours)
