"""Who does the next round of something that the whole node does now and then."""

from __future__ import annotations

from datetime import datetime, timedelta

from storage import sql
from storage.transactions import transaction


def take(name: str, *, every: timedelta, at: datetime) -> bool:
    """Begin a round and return True; False while the last one is younger than `every`.

    One process of the node wins, whichever asks first; an idle node only reads.
    """
    if not _is_due(name, every=every, at=at):
        return False
    before = f"{sql.from_instant(at - every):020d}"
    with transaction():
        touched = sql.execute(
            "INSERT INTO node_value (name, content) VALUES (%s, %s)"
            " ON CONFLICT (name) DO UPDATE SET content = excluded.content"
            " WHERE node_value.content <= %s",
            (f"round:{name}", f"{sql.from_instant(at):020d}", before),
        )
    return touched == 1


def _is_due(name: str, *, every: timedelta, at: datetime) -> bool:
    row = sql.one_row("SELECT content FROM node_value WHERE name = %s", (f"round:{name}",))
    return row is None or int(row[0]) <= sql.from_instant(at - every)
