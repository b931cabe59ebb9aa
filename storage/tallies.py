"""Counts for the figures of a node: one statement each, by groups."""

from __future__ import annotations

from datetime import datetime

from storage import sql
from storage.instances import Backlog


def deliveries() -> dict[tuple[str, str], int]:
    """Return how many outgoing messages stand where, by partner and state."""
    rows = sql.all_rows("SELECT partner, state, COUNT(*) FROM outbox GROUP BY partner, state")
    return {(str(partner), str(state)): int(count) for partner, state, count in rows}


def open_incidents() -> dict[str, int]:
    """Return how many incidents are open, by their code."""
    rows = sql.all_rows("SELECT code, COUNT(*) FROM incident WHERE resolved IS NULL GROUP BY code")
    return {str(code): int(count) for code, count in rows}


def delivery_backlog(at: datetime) -> Backlog:
    """Return how many messages are due and since when."""
    due, oldest = sql.the_row(
        "SELECT COUNT(*), MIN(next_at) FROM outbox WHERE state = 'new' AND next_at <= %s",
        (sql.from_instant(at),),
    )
    return Backlog(due=int(due), oldest=sql.to_maybe(oldest))
