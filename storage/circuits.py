"""How calls to each partner went lately: what all workers of a node know of a partner in trouble.

A row stands only for partners that failed since their last answer; a healthy node has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage import sql

_COLUMNS = "partner failures opened retry_at last_failure last_error"


@dataclass(frozen=True, kw_only=True, slots=True)
class Circuit:
    """A partner that failed since it last answered."""

    partner: str
    failures: int  # in a row
    opened: datetime | None  # since when nothing but probes is sent; None: still closed
    retry_at: datetime | None  # when one call may try it again
    last_failure: datetime
    last_error: str  # code


def all_circuits() -> list[Circuit]:
    """Return the partners in trouble."""
    rows = sql.all_rows(f"SELECT {sql.columns(_COLUMNS)} FROM partner_circuit ORDER BY partner")  # noqa: S608 - constants
    return [_circuit(row) for row in rows]


def calls_under_way(*, at: datetime) -> dict[str, int]:
    """Return how many drains hold messages for each partner under a lease that has not ended."""
    rows = sql.all_rows(
        "SELECT partner, COUNT(DISTINCT token) FROM outbox"
        " WHERE state = 'new' AND token <> '' AND lease_owner <> '' AND next_at > %s"
        " GROUP BY partner",
        (sql.from_instant(at),),
    )
    return {str(partner): int(count) for partner, count in rows}


def note_failure(partner: str, *, error: str, at: datetime) -> Circuit:
    """Count one more failure in a row and return what stands."""
    instant = sql.from_instant(at)
    rows = sql.all_rows(
        sql.insert_into(
            "partner_circuit",
            _COLUMNS,
            otherwise="ON CONFLICT (partner) DO UPDATE SET"
            " failures = partner_circuit.failures + 1,"
            " last_failure = excluded.last_failure, last_error = excluded.last_error"
            f" RETURNING {sql.columns(_COLUMNS)}",
        ),
        (partner, 1, None, None, instant, error),
    )
    return _circuit(rows[0])


def open_circuit(partner: str, *, at: datetime, retry_at: datetime) -> None:
    """Let nothing go to the partner before `retry_at`."""
    sql.execute(
        "UPDATE partner_circuit SET opened = COALESCE(opened, %s), retry_at = %s"
        " WHERE partner = %s",
        (sql.from_instant(at), sql.from_instant(retry_at), partner),
    )


def take_probe(partner: str, *, at: datetime, until: datetime) -> bool:
    """Become the one who tries an open circuit, if a message is due for it.

    False when it is not time yet or another worker does.
    """
    instant = sql.from_instant(at)
    touched = sql.execute(
        "UPDATE partner_circuit SET retry_at = %s WHERE partner = %s AND retry_at <= %s AND EXISTS"
        " (SELECT 1 FROM outbox WHERE state = 'new' AND outbox.partner = partner_circuit.partner"
        " AND next_at <= %s)",
        (sql.from_instant(until), partner, instant, instant),
    )
    return touched == 1


def close_circuit(partner: str) -> bool:
    """Forget the failures of a partner that answered; False when there were none."""
    return sql.execute("DELETE FROM partner_circuit WHERE partner = %s", (partner,)) == 1


def _circuit(row: sql.Row) -> Circuit:
    return Circuit(
        partner=row[0],
        failures=int(row[1]),
        opened=sql.to_maybe(row[2]),
        retry_at=sql.to_maybe(row[3]),
        last_failure=sql.to_instant(row[4]),
        last_error=row[5],
    )
