"""Instants at which instances want to be told; due ones are rows, never jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from storage import bulk, sql


@dataclass(frozen=True, kw_only=True, slots=True)
class NewTimer:
    """One instant for one instance."""

    instance: UUID
    ref: str  # the engine's id, unique over all instances
    due: datetime


def open_timers(new: Sequence[NewTimer]) -> None:
    """Store new timers; a ref that is there keeps its row."""
    bulk.insert(
        "timer",
        "instance ref due fired",
        [(str(one.instance), one.ref, sql.from_instant(one.due), False) for one in new],
        otherwise="ON CONFLICT (ref) DO NOTHING",
    )


def close_timers(refs: Sequence[str]) -> None:
    """Forget timers that are over, fired or not."""
    bulk.delete("timer", "ref", sorted(refs))


def take_due(*, at: datetime, limit: int) -> list[NewTimer]:
    """Mark due timers as fired and return them; add their facts in the same transaction."""
    waiting = sql.one_of(
        "SELECT id FROM timer WHERE fired = %s AND due <= %s ORDER BY due LIMIT %s"
    )
    rows = sql.all_rows(
        f"UPDATE timer SET fired = %s WHERE id {waiting} RETURNING instance, ref, due",  # noqa: S608 - constants
        (True, False, sql.from_instant(at), limit),
    )
    found = [
        NewTimer(instance=UUID(row[0]), ref=row[1], due=sql.to_instant(row[2])) for row in rows
    ]
    return sorted(found, key=lambda one: (one.due, one.ref))


def put_back(ref: str, *, due: datetime) -> None:
    """Let a timer that was taken fire once more, later."""
    sql.execute(
        "UPDATE timer SET fired = %s, due = %s WHERE ref = %s",
        (False, sql.from_instant(due), ref),
    )


def next_due() -> datetime | None:
    """Return when the next timer is due."""
    row = sql.the_row("SELECT MIN(due) FROM timer WHERE fired = %s", (False,))
    return sql.to_maybe(row[0])


def count_due(*, at: datetime) -> int:
    """Return how many timers are due."""
    row = sql.the_row(
        "SELECT COUNT(*) FROM timer WHERE fired = %s AND due <= %s", (False, sql.from_instant(at))
    )
    return int(row[0])


def of_instance(instance: UUID) -> list[NewTimer]:
    """Return the timers of an instance that have not fired."""
    rows = sql.all_rows(
        "SELECT ref, due FROM timer WHERE instance = %s AND fired = %s ORDER BY due, ref",
        (str(instance), False),
    )
    return [NewTimer(instance=instance, ref=ref, due=sql.to_instant(due)) for ref, due in rows]
