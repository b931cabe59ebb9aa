"""Messages that were accepted: one row per (From, MessageId), never overwritten (protocol §6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID, uuid5

from dossier.envelope import Assurance, Envelope, parse_envelope, write_envelope
from dossier.ids import Sha256
from dossier.model import Direction, Message, MessageState
from storage import sql
from storage.errors import RowMissing
from storage.instances import Backlog

_NAMES = UUID("5d6b1b0a-2f43-5d5b-9a5e-6c7f1b0c9e11")
_COLUMNS = (
    "id from_agency to_agency message_id message_type conversation_id dossier_code envelope"
    " container_sha256 receipt_sha256 received assurance state dossier consumed_by"
)
_IS_MOVED = "NOT EXISTS (SELECT 1 FROM arrival WHERE arrival.message = inbox.id)"
_SELECT = f"SELECT {sql.columns(_COLUMNS)} FROM inbox"  # noqa: S608 - our own constants


@dataclass(frozen=True, kw_only=True, slots=True)
class NewMessage:
    """A verified message whose receipt says accepted."""

    envelope: Envelope
    container_sha256: Sha256
    receipt_sha256: Sha256
    received: datetime
    assurance: Assurance
    written: bytes = b""  # the envelope in its one spelling, where the caller has it already


@dataclass(frozen=True, kw_only=True, slots=True)
class InboxMessage:
    """An accepted message and what became of it."""

    id: UUID
    envelope: Envelope
    container_sha256: Sha256
    receipt_sha256: Sha256
    received: datetime
    assurance: Assurance
    state: MessageState  # RECEIVED, CORRELATED or BUFFERED
    dossier: UUID | None
    consumed_by: UUID | None  # the instance that took it


def reserve(new: NewMessage) -> InboxMessage | None:
    """Store the message and return None, or return the one that was there under its id."""
    envelope = new.envelope
    touched = sql.execute(
        sql.insert_into(
            "inbox", _COLUMNS, otherwise="ON CONFLICT (from_agency, message_id) DO NOTHING"
        ),
        (
            str(message_key(envelope)),
            _key(envelope.from_agency),
            _key(envelope.to_agency),
            envelope.message_id,
            envelope.message_type,
            envelope.conversation_id,
            envelope.dossier_code,
            new.written or write_envelope(envelope),
            new.container_sha256,
            new.receipt_sha256,
            sql.from_instant(new.received),
            new.assurance.value,
            MessageState.RECEIVED.value,
            None,
            None,
        ),
    )
    return None if touched else find(envelope.from_agency, envelope.message_id)


def find(from_agency: str, message_id: str) -> InboxMessage | None:
    """Return the message of that identity, whatever the case of the agency's code."""
    row = sql.one_row(
        f"{_SELECT} WHERE from_agency = %s AND message_id = %s", (_key(from_agency), message_id)
    )
    return _message(row) if row else None


def get(message: UUID) -> InboxMessage:
    """Return the message; raise `RowMissing`."""
    row = sql.one_row(f"{_SELECT} WHERE id = %s", (str(message),))
    if row is None:
        raise RowMissing("expected a known message", kind="message", id=str(message))
    return _message(row)


def take_received(*, limit: int) -> list[InboxMessage]:
    """Lock messages that nobody has looked at, oldest first, for this transaction to place.

    Those whose files are not in the blob store yet are left out.
    """
    rows = sql.all_rows(
        f"{_SELECT} WHERE state = 'received' AND {_IS_MOVED} ORDER BY received LIMIT %s"
        f" {sql.for_update(skip=True)}",
        (limit,),
    )
    return [_message(row) for row in rows]


def unplaced(*, received_before: datetime, limit: int) -> list[UUID]:
    """Return messages that nobody has looked at since that instant."""
    rows = sql.all_rows(
        "SELECT id FROM inbox WHERE state = 'received' AND received <= %s"
        " ORDER BY received LIMIT %s",
        (sql.from_instant(received_before), limit),
    )
    return [UUID(row[0]) for row in rows]


def conversations_kept(conversations: Sequence[str]) -> set[str]:
    """Return those of the conversations that have a message kept for somebody, by one query."""
    if not conversations:
        return set()
    rows = sql.all_rows(
        "SELECT DISTINCT conversation_id FROM inbox WHERE state = 'buffered'"  # noqa: S608 - marks
        f" AND conversation_id IN ({sql.marks(len(conversations))})",
        list(conversations),
    )
    return {row[0] for row in rows}


def buffered_for(agency: str, conversation_id: str, message_type: str) -> list[InboxMessage]:
    """Lock the messages kept for somebody who waits now, oldest first."""
    rows = sql.all_rows(
        f"{_SELECT} WHERE state = 'buffered' AND to_agency = %s AND conversation_id = %s"
        f" AND message_type = %s ORDER BY received {sql.for_update()}",
        (_key(agency), conversation_id, message_type),
    )
    return [_message(row) for row in rows]


def correlate(message: UUID, *, instance: UUID, dossier: UUID) -> bool:
    """Record that an instance takes the message; False when one did already."""
    touched = sql.execute(
        "UPDATE inbox SET state = 'correlated', consumed_by = %s, dossier = %s"
        " WHERE id = %s AND consumed_by IS NULL",
        (str(instance), str(dossier), str(message)),
    )
    return touched == 1


def buffer(message: UUID, *, dossier: UUID | None) -> bool:
    """Keep the message until somebody waits for it; False when an instance took it already."""
    touched = sql.execute(
        "UPDATE inbox SET state = 'buffered', dossier = %s WHERE id = %s AND consumed_by IS NULL",
        (sql.from_uuid(dossier), str(message)),
    )
    return touched == 1


def withdraw(message: UUID) -> bool:
    """Take a message back that no instance has taken; False when one did."""
    touched = sql.execute(
        "UPDATE inbox SET state = 'withdrawn' WHERE id = %s AND consumed_by IS NULL",
        (str(message),),
    )
    return touched == 1


def of_dossier(dossier: UUID) -> list[InboxMessage]:
    """Return the messages that came for a dossier, oldest first."""
    rows = sql.all_rows(f"{_SELECT} WHERE dossier = %s ORDER BY received, id", (str(dossier),))
    return [_message(row) for row in rows]


def list_incoming(
    agencies: Sequence[str],
    *,
    state: MessageState | None = None,
    limit: int = 50,
    offset: int = 0,
) -> list[InboxMessage]:
    """Return the messages that came for these agencies, newest first."""
    if not agencies:
        return []
    chosen = "AND state = %s" if state else ""
    rows = sql.all_rows(
        f"{_SELECT} WHERE to_agency IN ({sql.marks(len(agencies))}) {chosen}"
        " ORDER BY received DESC, id LIMIT %s OFFSET %s",
        (*map(_key, agencies), *([state.value] if state else []), limit, offset),
    )
    return [_message(row) for row in rows]


def backlog() -> Backlog:
    """Return how many messages nobody has looked at, and since when."""
    due, oldest = sql.the_row("SELECT COUNT(*), MIN(received) FROM inbox WHERE state = 'received'")
    return Backlog(due=int(due), oldest=sql.to_maybe(oldest))


def summary(message: InboxMessage) -> Message:
    """Return the message as dossier pages show it."""
    envelope = message.envelope
    return Message(
        id=message.id,
        direction=Direction.IN,
        agency=envelope.to_agency,
        partner=envelope.from_agency,
        message_id=envelope.message_id,
        dossier=message.dossier,
        dossier_code=envelope.dossier_code,
        message_type=envelope.message_type,
        state=message.state,
        created=message.received,
        attempts=0,
        next_attempt=None,
        container_sha256=message.container_sha256,
        receipt_outcome="accepted",
        receipt_code="accepted",
        receipt_time=message.received,
        assurance=message.assurance.value,
        last_error="",
    )


def message_key(envelope: Envelope) -> UUID:
    """Return the id of the row of a message."""
    return _key_of(_key(envelope.from_agency), envelope.message_id)


@lru_cache(maxsize=256)  # asked for more than once while a message is received
def _key_of(agency: str, message_id: str) -> UUID:
    return uuid5(_NAMES, f"{agency} {message_id}")


def _key(agency: str) -> str:
    # One agency may be written in two cases; its messages still have one identity (§4.3).
    return agency.casefold()


def _message(row: sql.Row) -> InboxMessage:
    return InboxMessage(
        id=UUID(row[0]),
        envelope=parse_envelope(bytes(row[7])),
        container_sha256=Sha256(row[8]),
        receipt_sha256=Sha256(row[9]),
        received=sql.to_instant(row[10]),
        assurance=Assurance(row[11]),
        state=MessageState(row[12]),
        dossier=sql.to_uuid(row[13]),
        consumed_by=sql.to_uuid(row[14]),
    )
