"""Letters and statuses in edXML: one row a file, as it travelled, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from dossier.ids import AgencyCode, Sha256
from dossier.model import Direction
from storage import sql

_COLUMNS = (
    "id direction dialect agency organ document_id peer_ref identity sha256 media_type kind state"
    " status message dossier repairs at"
)
_SELECT = f"SELECT {sql.columns(_COLUMNS)} FROM edxml_file"  # noqa: S608 - our own constants


class EdxmlKind(Enum):
    """What a file is for; the four business types and the status."""

    NEW = "new"
    REVOKE = "revoke"
    UPDATE = "update"
    REPLACE = "replace"
    STATUS = "status"


class EdxmlState(Enum):
    """Where a file stands."""

    RECEIVED = "received"  # in: archived and placed
    REFUSED = "refused"  # in: archived, nothing of it was used
    WAITING = "waiting"  # out: until the organ fetches and confirms it
    SENT = "sent"  # out: the peer has it
    WITHDRAWN = "withdrawn"  # out: taken back before the organ fetched it


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredFile:
    """A file that travelled."""

    id: UUID
    direction: Direction
    dialect: str  # a or b
    agency: AgencyCode  # ours
    organ: AgencyCode  # theirs, as the directory spells it
    document_id: str  # as in the file; of a status: the letter that it is about
    peer_ref: str  # what the peer's service calls it
    identity: Sha256  # of what was read: the same letter may travel in other bytes
    sha256: Sha256  # of the bytes that travelled
    media_type: str
    kind: EdxmlKind
    state: EdxmlState
    status: str  # the last code told or heard about it, 01 to 16; empty: none
    message: UUID | None  # in the outbox or the inbox
    dossier: UUID | None
    repairs: tuple[str, ...]
    at: datetime


def add(new: StoredFile) -> bool:
    """Store a file; False when the same one came or went before."""
    touched = sql.execute(
        sql.insert_into(
            "edxml_file",
            _COLUMNS,
            otherwise="ON CONFLICT (direction, agency, organ, document_id, identity, state)"
            " DO NOTHING",
        ),
        (
            str(new.id),
            new.direction.value,
            new.dialect,
            new.agency,
            new.organ.casefold(),
            new.document_id,
            new.peer_ref,
            new.identity,
            new.sha256,
            new.media_type,
            new.kind.value,
            new.state.value,
            new.status,
            sql.from_uuid(new.message),
            sql.from_uuid(new.dossier),
            sql.from_json(list(new.repairs)),
            sql.from_instant(new.at),
        ),
    )
    return touched == 1


def get(file: UUID) -> StoredFile | None:
    """Return the file of that id."""
    return next(iter(_files("WHERE id = %s", (str(file),))), None)


def find(direction: Direction, organ: str, document_id: str) -> list[StoredFile]:
    """Return the files about a document that came from or went to an organ, newest first."""
    return _files(
        "WHERE direction = %s AND organ = %s AND document_id = %s ORDER BY at DESC, id",
        (direction.value, organ.casefold(), document_id),
    )


def letters_to(organ: str, *, limit: int) -> list[StoredFile]:
    """Return the letters that went to an organ, newest first."""
    return _files(
        "WHERE direction = 'out' AND organ = %s AND kind <> 'status' ORDER BY at DESC, id LIMIT %s",
        (organ.casefold(), limit),
    )


def of_message(message: UUID) -> StoredFile | None:
    """Return the file that carried a message of the outbox or the inbox."""
    return next(iter(_files("WHERE message = %s ORDER BY at DESC", (str(message),))), None)


def waiting_for(organ: str, *, limit: int) -> list[StoredFile]:
    """Return what waits to be fetched by an organ, oldest first."""
    return _files(
        "WHERE organ = %s AND state = 'waiting' ORDER BY at, id LIMIT %s", (organ.casefold(), limit)
    )


def received_letters(*, since: datetime, limit: int) -> list[StoredFile]:
    """Return letters that came and were placed, newest first."""
    return _files(
        "WHERE direction = 'in' AND state = 'received' AND kind <> 'status' AND at >= %s"
        " ORDER BY at DESC, id LIMIT %s",
        (sql.from_instant(since), limit),
    )


def letters_from(organ: str, *, limit: int) -> list[StoredFile]:
    """Return the letters that an organ sent, newest first, refused ones too."""
    return _files(
        "WHERE direction = 'in' AND organ = %s AND kind <> 'status' ORDER BY at DESC, id LIMIT %s",
        (organ.casefold(), limit),
    )


def set_state(file: UUID, state: EdxmlState) -> bool:
    """Record where a file stands; False when it stood there already."""
    touched = sql.execute(
        "UPDATE edxml_file SET state = %s WHERE id = %s AND state <> %s",
        (state.value, str(file), state.value),
    )
    return touched == 1


def set_status(file: UUID, status: str) -> bool:
    """Record the last status told or heard; False when it was that already."""
    touched = sql.execute(
        "UPDATE edxml_file SET status = %s WHERE id = %s AND status <> %s",
        (status, str(file), status),
    )
    return touched == 1


def _files(condition: str, values: Sequence[object]) -> list[StoredFile]:
    return [_stored(row) for row in sql.all_rows(f"{_SELECT} {condition}", values)]


def _stored(row: sql.Row) -> StoredFile:
    repairs = sql.to_json(row[15])
    return StoredFile(
        id=UUID(row[0]),
        direction=Direction(row[1]),
        dialect=row[2],
        agency=AgencyCode(row[3]),
        organ=AgencyCode(row[4]),
        document_id=row[5],
        peer_ref=row[6],
        identity=Sha256(row[7]),
        sha256=Sha256(row[8]),
        media_type=row[9],
        kind=EdxmlKind(row[10]),
        state=EdxmlState(row[11]),
        status=row[12],
        message=sql.to_uuid(row[13]),
        dossier=sql.to_uuid(row[14]),
        repairs=tuple(str(one) for one in repairs) if isinstance(repairs, list) else (),
        at=sql.to_instant(row[16]),
    )
