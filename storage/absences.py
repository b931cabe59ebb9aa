"""Absences as lists show them, each with its number, so that it can be ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dossier.ids import AgencyCode
from storage import sql

_SELECT: Final = (
    "SELECT absence.id, absent.username, absent.display_name, present.username,"
    " present.display_name, absence.agency, absence.valid_from, absence.valid_until"
    " FROM absence JOIN account absent ON absent.id = absence.account"
    " JOIN account present ON present.id = absence.substitute"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class AbsenceLine:
    """One absence."""

    id: int
    user: str
    user_name: str
    substitute: str
    substitute_name: str
    agency: AgencyCode
    valid_from: datetime
    valid_until: datetime


def of_people(usernames: Sequence[str], *, ending_after: datetime) -> list[AbsenceLine]:
    """Return the absences in which one of these people is away or stands in, the next first."""
    if not usernames:
        return []
    some = sql.marks(len(usernames))
    rows = sql.all_rows(
        f"{_SELECT} WHERE absence.valid_until > %s"
        f" AND (absent.username IN ({some}) OR present.username IN ({some}))"
        " ORDER BY absence.valid_from, absence.id",
        (sql.from_instant(ending_after), *usernames, *usernames),
    )
    return [_line(row) for row in rows]


def of_agencies(agencies: Sequence[str], *, ending_after: datetime) -> list[AbsenceLine]:
    """Return the absences at these agencies, the next first."""
    if not agencies:
        return []
    rows = sql.all_rows(
        f"{_SELECT} WHERE absence.valid_until > %s"
        f" AND absence.agency IN ({sql.marks(len(agencies))})"
        " ORDER BY absence.valid_from, absence.id",
        (sql.from_instant(ending_after), *agencies),
    )
    return [_line(row) for row in rows]


def find(absence: int) -> AbsenceLine | None:
    """Return one absence."""
    row = sql.one_row(f"{_SELECT} WHERE absence.id = %s", (absence,))
    return _line(row) if row else None


def end(absence: int, *, at: datetime) -> None:
    """Let an absence end now; one that has not begun never does."""
    instant = sql.from_instant(at)
    sql.execute(
        "UPDATE absence SET valid_until = %s WHERE id = %s AND valid_until > %s",
        (instant, absence, instant),
    )


def _line(row: sql.Row) -> AbsenceLine:
    return AbsenceLine(
        id=int(row[0]),
        user=row[1],
        user_name=row[2],
        substitute=row[3],
        substitute_name=row[4],
        agency=AgencyCode(row[5]),
        valid_from=sql.to_instant(row[6]),
        valid_until=sql.to_instant(row[7]),
    )
