"""The leases of claimed messages: prolonged, given back, and ended when their holder is dead."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from storage import sql


def lease_owners() -> set[str]:
    """Return who is delivering something."""
    rows = sql.all_rows(
        "SELECT DISTINCT lease_owner FROM outbox WHERE state = 'new' AND token <> ''"
    )
    return {row[0] for row in rows}


def clear_leases(owner: str, *, at: datetime) -> int:
    """Give back at once what a dead worker was delivering; its attempts stay counted."""
    return sql.execute(
        "UPDATE outbox SET token = '', lease_owner = '', next_at = %s"
        " WHERE lease_owner = %s AND token <> '' AND state = 'new'",
        (sql.from_instant(at), owner),
    )


def give_back(message: UUID, *, token: str, at: datetime) -> bool:
    """Return a claimed message that was not tried; its attempt does not count."""
    touched = sql.execute(
        "UPDATE outbox SET attempts = attempts - 1, next_at = %s, token = ''"
        " WHERE id = %s AND state = 'new' AND token = %s",
        (sql.from_instant(at), str(message), token),
    )
    return touched == 1


def extend(*, token: str, until: datetime) -> None:
    """Move the end of a lease: a call may take longer than the lease of a small message."""
    sql.execute(
        "UPDATE outbox SET next_at = %s WHERE state = 'new' AND token = %s AND next_at < %s",
        (sql.from_instant(until), token, sql.from_instant(until)),
    )


def hasten(partner: str, *, at: datetime) -> int:
    """Make due at once what waits for a partner that answers again; return how many rows."""
    instant = sql.from_instant(at)
    return sql.execute(
        "UPDATE outbox SET next_at = %s WHERE state = 'new' AND token = '' AND partner = %s"
        " AND next_at > %s",
        (instant, partner, instant),
    )
