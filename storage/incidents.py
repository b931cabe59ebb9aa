"""What a person must look at: opened once per cause, resolved by somebody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from dossier.model import Incident
from storage import sql
from storage.errors import RowMissing

_COLUMNS = "id code parameters dossier instance message element_id opened resolved resolved_by"
_SELECT = f"SELECT {sql.columns(_COLUMNS)} FROM incident"  # noqa: S608 - our own constants


@dataclass(frozen=True, kw_only=True, slots=True)
class NewIncident:
    """What went wrong and where; parameters hold no personal data."""

    code: str
    opened: datetime
    parameters: Mapping[str, str] = field(default_factory=dict)
    dossier: UUID | None = None
    instance: UUID | None = None
    message: UUID | None = None
    element_id: str = ""
    ref: str = ""  # the engine's token that stopped, or the start event of an agency


def open_incident(new: NewIncident) -> UUID:
    """Store an incident and return its id; the same cause, still open, keeps its incident."""
    known = sql.one_row(
        "SELECT id FROM incident WHERE resolved IS NULL AND code = %s AND ref = %s"
        " AND COALESCE(instance, '') = %s AND COALESCE(message, '') = %s"
        " AND COALESCE(dossier, '') = %s AND parameters = %s",
        (
            new.code,
            new.ref,
            sql.from_uuid(new.instance) or "",
            sql.from_uuid(new.message) or "",
            sql.from_uuid(new.dossier) or "",
            sql.from_json(new.parameters),
        ),
    )
    if known:
        return UUID(known[0])
    made = uuid4()
    sql.execute(
        sql.insert_into("incident", f"{_COLUMNS} ref"),
        (
            str(made),
            new.code,
            sql.from_json(new.parameters),
            sql.from_uuid(new.dossier),
            sql.from_uuid(new.instance),
            sql.from_uuid(new.message),
            new.element_id,
            sql.from_instant(new.opened),
            None,
            "",
            new.ref,
        ),
    )
    return made


def resolve(incident: UUID, *, by: str, at: datetime) -> bool:
    """Close an incident; False when it is closed already."""
    return _resolve("id = %s", (str(incident),), by, at) == 1


def resolve_ref(instance: UUID, ref: str, *, by: str, at: datetime) -> int:
    """Close the incidents of a token that goes on, and return how many there were."""
    return _resolve("instance = %s AND ref = %s", (str(instance), ref), by, at)


def resolve_message(message: UUID, *, by: str, at: datetime) -> int:
    """Close the incidents of a message that is sent again or answered."""
    return _resolve("message = %s", (str(message),), by, at)


def resolve_start(ref: str, *, by: str, at: datetime) -> int:
    """Close the incidents of a start event that has opened a dossier since."""
    return _resolve("ref = %s AND dossier IS NULL", (ref,), by, at)


def _resolve(which: str, values: Sequence[Any], by: str, at: datetime) -> int:
    return sql.execute(
        "UPDATE incident SET resolved = %s, resolved_by = %s"  # noqa: S608 - callers above
        f" WHERE resolved IS NULL AND {which}",
        (sql.from_instant(at), by, *values),
    )


def get(incident: UUID) -> Incident:
    """Return the incident; raise `RowMissing`."""
    row = sql.one_row(f"{_SELECT} WHERE id = %s", (str(incident),))
    if row is None:
        raise RowMissing("expected a known incident", kind="incident", id=str(incident))
    return _incident(row)


def ref_of(incident: UUID) -> str:
    """Return the engine's token of an incident, empty where none stopped."""
    row = sql.one_row("SELECT ref FROM incident WHERE id = %s", (str(incident),))
    return str(row[0]) if row else ""


def of_dossier(dossier: UUID) -> list[Incident]:
    """Return the incidents of a dossier, oldest first."""
    rows = sql.all_rows(f"{_SELECT} WHERE dossier = %s ORDER BY opened, id", (str(dossier),))
    return [_incident(row) for row in rows]


def open_incidents(*, limit: int = 50, offset: int = 0) -> list[Incident]:
    """Return the open incidents of the node, newest first."""
    rows = sql.all_rows(
        f"{_SELECT} WHERE resolved IS NULL ORDER BY opened DESC, id LIMIT %s OFFSET %s",
        (limit, offset),
    )
    return [_incident(row) for row in rows]


def count_open() -> int:
    """Return how many incidents are open."""
    return int(sql.the_row("SELECT COUNT(*) FROM incident WHERE resolved IS NULL")[0])


def _incident(row: sql.Row) -> Incident:
    return Incident(
        id=UUID(row[0]),
        code=row[1],
        parameters=sql.to_mapping(row[2]),
        dossier=sql.to_uuid(row[3]),
        instance=sql.to_uuid(row[4]),
        message=sql.to_uuid(row[5]),
        element_id=row[6],
        opened=sql.to_instant(row[7]),
        resolved=sql.to_maybe(row[8]),
        resolved_by=row[9],
    )
