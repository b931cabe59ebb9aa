"""What each destination was told of each dossier, and what is still to be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dossier.canonical import Json
from storage import sql

_COLUMNS = (
    "destination dossier told reference_id reference_code payload attempts next_at last_error at"
)
_SELECT = f"SELECT {sql.columns(_COLUMNS)} FROM portal_sync"  # noqa: S608 - our own constants


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """How far a destination knows a dossier."""

    destination: str
    dossier: UUID
    told: int  # the last entry of the dossier's history that it knows; 0: none
    reference_id: str  # what the portal calls it; empty while it knows nothing
    reference_code: str
    payload: Json  # what was sent last, for the difference
    attempts: int  # since the last success
    next_at: datetime | None  # None: nothing to be tried again
    last_error: str
    at: datetime


def unknown(destination: str, dossier: UUID, *, at: datetime) -> Told:
    """Return what stands for a dossier that the destination has not heard of."""
    return Told(
        destination=destination,
        dossier=dossier,
        told=0,
        reference_id="",
        reference_code="",
        payload=None,
        attempts=0,
        next_at=None,
        last_error="",
        at=at,
    )


def find(destination: str, dossier: UUID) -> Told | None:
    """Return what the destination knows of a dossier."""
    row = sql.one_row(
        f"{_SELECT} WHERE destination = %s AND dossier = %s", (destination, str(dossier))
    )
    return _told(row) if row else None


def keep(told: Told) -> None:
    """Record how far a destination knows a dossier."""
    sql.execute(
        sql.insert_into(
            "portal_sync",
            _COLUMNS,
            otherwise="ON CONFLICT (destination, dossier) DO UPDATE SET told = excluded.told,"
            " reference_id = excluded.reference_id, reference_code = excluded.reference_code,"
            " payload = excluded.payload, attempts = excluded.attempts,"
            " next_at = excluded.next_at, last_error = excluded.last_error, at = excluded.at",
        ),
        (
            told.destination,
            str(told.dossier),
            told.told,
            told.reference_id,
            told.reference_code,
            sql.from_json(told.payload),
            told.attempts,
            sql.from_maybe(told.next_at),
            told.last_error,
            sql.from_instant(told.at),
        ),
    )


def behind(
    destination: str,
    *,
    procedures: Sequence[str],
    agencies: Sequence[str],
    at: datetime,
    limit: int,
) -> list[UUID]:
    """Return dossiers with history that the destination does not know, longest unchanged first.

    One that failed waits until it is due again.
    """
    if not procedures or not agencies:
        return []
    rows = sql.all_rows(
        "SELECT d.id FROM dossier d"  # noqa: S608 - marks
        " LEFT JOIN portal_sync s ON s.destination = %s AND s.dossier = d.id"
        f" WHERE d.procedure IN ({sql.marks(len(procedures))})"
        f" AND d.agency IN ({sql.marks(len(agencies))})"
        " AND d.log_sequence > COALESCE(s.told, 0)"
        " AND (s.next_at IS NULL OR s.next_at <= %s)"
        " ORDER BY d.opened, d.id LIMIT %s",
        (destination, *procedures, *agencies, sql.from_instant(at), limit),
    )
    return [UUID(row[0]) for row in rows]


def failing(destination: str) -> list[Told]:
    """Return what could not be told, oldest first."""
    rows = sql.all_rows(
        f"{_SELECT} WHERE destination = %s AND last_error <> '' ORDER BY at", (destination,)
    )
    return [_told(row) for row in rows]


def _told(row: sql.Row) -> Told:
    return Told(
        destination=row[0],
        dossier=UUID(row[1]),
        told=int(row[2]),
        reference_id=row[3],
        reference_code=row[4],
        payload=sql.to_json(row[5]),
        attempts=int(row[6]),
        next_at=sql.to_maybe(row[7]),
        last_error=row[8],
        at=sql.to_instant(row[9]),
    )
