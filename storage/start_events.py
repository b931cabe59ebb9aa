"""The timer and signal start events of the procedures in force, by which dossiers are opened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dossier.ids import AgencyCode, Sha256
from storage import sql

_COLUMNS: Final = "procedure agency element_id package_sha256 signal armed due fired"
_SELECT: Final = f"SELECT {sql.columns(_COLUMNS)} FROM start_event"  # noqa: S608 - our own constants
_STATE: Final = "start_events"


@dataclass(frozen=True, kw_only=True, slots=True)
class StartEvent:
    """One start event of one procedure at one agency."""

    procedure: str
    agency: AgencyCode
    element_id: str
    package_sha256: Sha256  # of the version in force when it was armed
    signals: tuple[str, ...]  # their names; empty: a timer
    armed: datetime
    due: datetime | None  # nothing: a signal, or a timer that does not fire any more
    fired: int  # how often since it was armed


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What tells by one statement whether there is anything to arm or to open."""

    armed_for: str  # what was in force when timers were armed last
    versions: int
    agencies: int
    next_due: datetime | None


def standing() -> Standing:
    """Return what was armed last, what there is now and when the next timer is due."""
    row = sql.the_row(
        "SELECT (SELECT content FROM node_value WHERE name = %s),"
        " (SELECT COUNT(*) FROM procedure_version), (SELECT COUNT(*) FROM hosted_agency),"
        " (SELECT MIN(due) FROM start_event)",
        (_STATE,),
    )
    return Standing(
        armed_for=row[0] or "",
        versions=int(row[1]),
        agencies=int(row[2]),
        next_due=sql.to_maybe(row[3]),
    )


def lock(armed_for: str) -> list[StartEvent]:
    """Write down what timers are armed for, and return those there are; others wait until then."""
    sql.execute(
        sql.insert_into(
            "node_value",
            "name content",
            otherwise="ON CONFLICT (name) DO UPDATE SET content = excluded.content",
        ),
        (_STATE, armed_for),
    )
    return [_start(row) for row in sql.all_rows(f"{_SELECT} {sql.for_update()}")]


def put(start: StartEvent) -> None:
    """Store a start event in place of what the element had at the agency."""
    sql.execute(
        sql.insert_into(
            "start_event",
            _COLUMNS,
            otherwise="ON CONFLICT (procedure, agency, element_id) DO UPDATE SET"
            " package_sha256 = excluded.package_sha256, signal = excluded.signal,"
            " armed = excluded.armed, due = excluded.due, fired = excluded.fired",
        ),
        (
            start.procedure,
            start.agency,
            start.element_id,
            start.package_sha256,
            "\n".join(start.signals),
            sql.from_instant(start.armed),
            sql.from_maybe(start.due),
            start.fired,
        ),
    )


def drop(start: StartEvent) -> None:
    """Forget an element that is not in force any more."""
    sql.execute(
        "DELETE FROM start_event WHERE procedure = %s AND agency = %s AND element_id = %s",
        (start.procedure, start.agency, start.element_id),
    )


def take_due(*, at: datetime) -> StartEvent | None:
    """Return one due timer, locked: open its dossier and move it on in this transaction."""
    row = sql.one_row(
        f"{_SELECT} WHERE due <= %s ORDER BY due, procedure, agency LIMIT 1"
        f" {sql.for_update(skip=True)}",
        (sql.from_instant(at),),
    )
    return _start(row) if row else None


def move_on(start: StartEvent, *, due: datetime | None) -> None:
    """Count one firing and set the next, unless another version or worker came in between."""
    sql.execute(
        "UPDATE start_event SET due = %s, fired = fired + 1 WHERE procedure = %s AND agency = %s"
        " AND element_id = %s AND package_sha256 = %s AND due = %s",
        (
            sql.from_maybe(due),
            start.procedure,
            start.agency,
            start.element_id,
            start.package_sha256,
            sql.from_maybe(start.due),
        ),
    )


def of_signal(name: str) -> list[StartEvent]:
    """Return the start events that wait for a signal of that name."""
    rows = sql.all_rows(f"{_SELECT} WHERE signal <> '' ORDER BY procedure, agency")
    return [start for start in map(_start, rows) if name in start.signals]


def _start(row: sql.Row) -> StartEvent:
    return StartEvent(
        procedure=row[0],
        agency=AgencyCode(row[1]),
        element_id=row[2],
        package_sha256=Sha256(row[3]),
        signals=tuple(filter(None, row[4].split("\n"))),
        armed=sql.to_instant(row[5]),
        due=sql.to_maybe(row[6]),
        fired=int(row[7]),
    )
