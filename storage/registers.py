"""Numbers without gaps: books of letters, and dossiers per unit and day.

A number is taken in the transaction that uses it. The row stays locked until that commits, so a
number that is rolled back is given to the next clerk.
"""

from __future__ import annotations

from datetime import date

from dossier.ids import AgencyCode
from storage import sql


def take_number(agency: AgencyCode, book: str, year: int) -> int:
    """Return the next number of the book, from 1 in each year."""
    row = sql.the_row(
        "INSERT INTO register (agency, book, year, last_number) VALUES (%s, %s, %s, 1)"
        " ON CONFLICT (agency, book, year) DO UPDATE SET last_number = register.last_number + 1"
        " RETURNING last_number",
        (agency, book, year),
    )
    return int(row[0])


def last_number(agency: AgencyCode, book: str, year: int) -> int:
    """Return the last number taken from the book, 0 when none."""
    row = sql.one_row(
        "SELECT last_number FROM register WHERE agency = %s AND book = %s AND year = %s",
        (agency, book, year),
    )
    return int(row[0]) if row else 0


def take_dossier_sequence(unit: str, day: date) -> int:
    """Return the next dossier number of a unit, from 1 on each day (domain.md §4.1)."""
    row = sql.the_row(
        "INSERT INTO dossier_counter (unit, day, last_number) VALUES (%s, %s, 1)"
        " ON CONFLICT (unit, day) DO UPDATE SET last_number = dossier_counter.last_number + 1"
        " RETURNING last_number",
        (unit, day.isoformat()),
    )
    return int(row[0])
