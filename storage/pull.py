"""What waits to be fetched, and which nonces were used: the rows behind the pull operations."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from storage import outbox, sql
from storage.outbox import Outgoing


def pending_for(partner: str, *, limit: int) -> list[Outgoing]:
    """Return the sealed messages that wait for an agency, oldest first; case does not count."""
    rows = sql.all_rows(
        "SELECT id FROM outbox WHERE state = 'new' AND container_sha256 <> ''"
        " AND lower(partner) = %s ORDER BY created LIMIT %s",
        (partner.lower(), limit),
    )
    return [outbox.get(UUID(row[0])) for row in rows]


def take(message: UUID, *, token: str) -> Outgoing | None:
    """Put a token on a waiting message so that its answer may be recorded; None when it has one."""
    touched = sql.execute(
        "UPDATE outbox SET token = %s WHERE id = %s AND state = 'new'", (token, str(message))
    )
    return outbox.get(message) if touched else None


def remember_nonce(agency: str, nonce: str, *, until: datetime, at: datetime) -> bool:
    """Remember a nonce until it cannot count any more; False when the agency has used it."""
    sql.execute("DELETE FROM request_nonce WHERE until < %s", (sql.from_instant(at),))
    touched = sql.execute(
        sql.insert_into(
            "request_nonce",
            "agency nonce until",
            otherwise="ON CONFLICT (agency, nonce) DO NOTHING",
        ),
        (agency.lower(), nonce, sql.from_instant(until)),
    )
    return bool(touched)
