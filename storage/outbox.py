"""Messages that leave: claimed with a lease and a token, called outside, marked by the token.

A holder whose lease ran out may still be writing somewhere; its token no longer fits, so what it
says is not recorded. Sealed once: the first holder stores the container, every retry sends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from dossier.canonical import Json
from dossier.ids import AgencyCode, ConversationId, MessageId, Sha256
from dossier.model import Direction, Message, MessageState
from storage import bulk, sql
from storage.errors import RowMissing
from storage.transactions import transaction

_COLUMNS = (
    "id agency partner message_id message_type dossier dossier_code instance ref conversation_id"
    " request created expires supersedes superseded_by state attempts next_at token"
    " container_sha256 container_bytes receipt_sha256 receipt_outcome receipt_code receipt_time"
    " last_error"
)
_NEW: Final = (
    "id agency partner message_id message_type dossier dossier_code instance ref conversation_id"
    " request created expires supersedes"
)
_UNSENT: Final = {
    "state": f"'{MessageState.NEW.value}'",
    "next_at": "new.created",
    **dict.fromkeys(("attempts", "container_bytes", "hinted_at"), "0"),
    **dict.fromkeys(
        (
            *("superseded_by", "token", "container_sha256", "receipt_sha256", "receipt_outcome"),
            *("receipt_code", "last_error", "lease_owner"),
        ),
        "''",
    ),
}
_SELECT = f"SELECT {sql.columns(_COLUMNS)} FROM outbox"  # noqa: S608 - our own constants


@dataclass(frozen=True, kw_only=True, slots=True)
class NewOutgoing:
    """A message that a transition decided to send."""

    id: UUID
    agency: AgencyCode
    partner: AgencyCode
    dossier: UUID
    dossier_code: str
    instance: UUID
    ref: str  # the engine's send id
    message_id: MessageId
    message_type: str
    conversation_id: ConversationId
    request: Json  # what sealing needs, as decided in the transition
    created: datetime
    expires: datetime
    supersedes: MessageId | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    """An outgoing message with what its delivery needs."""

    message: Message
    instance: UUID | None
    ref: str
    conversation_id: ConversationId
    request: Json
    expires: datetime
    container_size: int  # bytes; 0 until it is sealed
    receipt_sha256: Sha256 | None
    supersedes: MessageId | None
    superseded_by: MessageId | None
    token: str  # of the present claim; empty: nobody's


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One try to deliver a message."""

    message: UUID
    number: int
    started: datetime
    took_ms: int
    error: str  # code; empty: answered
    endpoint: str


def add(new: NewOutgoing) -> bool:
    """Store a message, due at once; False when that message id is there: the step was repeated."""
    return add_many([new]) == 1


def add_many(new: Sequence[NewOutgoing]) -> int:
    """Store messages, due at once, and return how many were not there."""
    return bulk.insert(
        "outbox",
        _NEW,
        [_values(one) for one in new],
        fixed=_UNSENT,
        otherwise="ON CONFLICT (agency, message_id) DO NOTHING",
    )


def _values(new: NewOutgoing) -> tuple[Any, ...]:
    return (
        str(new.id),
        new.agency,
        new.partner,
        new.message_id,
        new.message_type,
        str(new.dossier),
        new.dossier_code,
        str(new.instance),
        new.ref,
        new.conversation_id,
        sql.from_json(new.request),
        sql.from_instant(new.created),
        sql.from_instant(new.expires),
        new.supersedes or "",
    )


# --- Delivering --------------------------------------------------------------------------------


def claim_due(
    *,
    token: str,
    lease: timedelta,
    limit: int,
    at: datetime,
    owner: str = "",
    blocked: Sequence[str] = (),
) -> list[Outgoing]:
    """Take due messages and count the attempt, in a commit of its own.

    `next_at` is moved to the end of the lease: a holder that dies gives the message back so. Of
    the messages to `blocked` partners only those are taken that have expired: they need no call.
    """
    instant = sql.from_instant(at)
    unblocked = (
        f" AND (expires <= %s OR partner NOT IN ({sql.marks(len(blocked))}))" if blocked else ""
    )
    due = sql.one_of(
        f"SELECT id FROM outbox WHERE state = 'new' AND next_at <= %s{unblocked}"  # noqa: S608 - marks
        f" ORDER BY next_at LIMIT %s"
    )
    others = (instant, *blocked) if blocked else ()
    with transaction():
        rows = sql.all_rows(
            "UPDATE outbox SET attempts = attempts + 1, token = %s, lease_owner = %s,"  # noqa: S608 - constants
            f" next_at = %s WHERE id {due} RETURNING {sql.columns(_COLUMNS)}",
            (token, owner, sql.from_instant(at + lease), instant, *others, limit),
        )
    return sorted((_outgoing(row) for row in rows), key=lambda one: one.message.created)


def keep_container(message: UUID, *, token: str, sha256: Sha256, size_bytes: int) -> bool:
    """Store the sealed container, once; False when the claim was lost or one is there already."""
    return _by_token(
        message,
        token,
        "container_sha256 = %s, container_bytes = %s",
        (sha256, size_bytes),
        condition="AND container_sha256 = ''",
    )


def mark_answered(
    message: UUID,
    *,
    token: str,
    state: MessageState,
    receipt_sha256: Sha256,
    outcome: str,
    code: str,
    received: datetime,
) -> bool:
    """Record the verified receipt, SENT or REFUSED; False when the claim was lost.

    `received` is when the receiver says it was.
    """
    return _by_token(
        message,
        token,
        "state = %s, receipt_sha256 = %s, receipt_outcome = %s, receipt_code = %s,"
        " receipt_time = %s, next_at = NULL, last_error = ''",
        (
            state.value,
            receipt_sha256,
            outcome,
            code,
            sql.from_instant(received),
        ),
    )


def retry(message: UUID, *, token: str, at: datetime, error: str) -> bool:
    """Record a failed attempt and when the next one is due; False when the claim was lost."""
    return _by_token(message, token, "next_at = %s, last_error = %s", (sql.from_instant(at), error))


def park(message: UUID, *, token: str, error: str) -> bool:
    """Give up after the last attempt; open the incident in the same transaction."""
    return _by_token(message, token, "state = 'parked', next_at = NULL, last_error = %s", (error,))


def resend(message: UUID, *, at: datetime) -> bool:
    """Try a parked message again, with the same id and the same bytes."""
    touched = sql.execute(
        "UPDATE outbox SET state = 'new', attempts = 0, next_at = %s, token = ''"
        " WHERE id = %s AND state = 'parked'",
        (sql.from_instant(at), str(message)),
    )
    return touched == 1


def withdraw(message: UUID) -> bool:
    """Take back a message that is not answered and that nobody is sending at this moment."""
    change = "UPDATE outbox SET state = 'withdrawn', next_at = NULL WHERE id = %s"
    return (
        sql.execute(f"{change} AND state IN ('new', 'parked') AND token = ''", (str(message),)) == 1
    )


def supersede(message: UUID, *, by: MessageId) -> bool:
    """Record that a reissued message stands for this one (protocol §6); only once."""
    touched = sql.execute(
        "UPDATE outbox SET superseded_by = %s WHERE id = %s AND superseded_by = ''",
        (by, str(message)),
    )
    return touched == 1


def _by_token(
    message: UUID, token: str, changes: str, values: Sequence[Any], *, condition: str = ""
) -> bool:
    # A mark that ends the claim clears the token, but a stored container keeps it for the sending.
    end = "" if condition else ", token = ''"
    touched = sql.execute(
        f"UPDATE outbox SET {changes}{end}"  # noqa: S608 - callers above
        f" WHERE id = %s AND state = 'new' AND token = %s {condition}",
        (*values, str(message), token),
    )
    return touched == 1


def add_attempt(attempt: Attempt) -> None:
    """Record how one try went."""
    sql.execute(
        sql.insert_into("attempt", "message number started took_ms error endpoint"),
        (
            str(attempt.message),
            attempt.number,
            sql.from_instant(attempt.started),
            attempt.took_ms,
            attempt.error,
            attempt.endpoint,
        ),
    )


# --- Reading -----------------------------------------------------------------------------------


def get(message: UUID) -> Outgoing:
    """Return the message; raise `RowMissing`."""
    row = sql.one_row(f"{_SELECT} WHERE id = %s", (str(message),))
    if row is None:
        raise RowMissing("expected a known message", kind="message", id=str(message))
    return _outgoing(row)


def state_of(message: UUID) -> MessageState | None:
    """Return how far a message has come; None for one that is not in the outbox."""
    row = sql.one_row("SELECT state FROM outbox WHERE id = %s", (str(message),))
    return MessageState(row[0]) if row else None


def find(agency: str, message_id: str) -> Outgoing | None:
    """Return the agency's outgoing message of that id."""
    row = sql.one_row(f"{_SELECT} WHERE agency = %s AND message_id = %s", (agency, message_id))
    return _outgoing(row) if row else None


def of_dossier(dossier: UUID) -> list[Outgoing]:
    """Return the outgoing messages of a dossier, oldest first."""
    rows = sql.all_rows(f"{_SELECT} WHERE dossier = %s ORDER BY created, id", (str(dossier),))
    return [_outgoing(row) for row in rows]


def list_outgoing(
    agencies: Sequence[str],
    *,
    state: MessageState | None = None,
    limit: int = 50,
    offset: int = 0,
) -> list[Outgoing]:
    """Return the outgoing messages of these agencies, newest first."""
    if not agencies:
        return []
    chosen = "AND state = %s" if state else ""
    rows = sql.all_rows(
        f"{_SELECT} WHERE agency IN ({sql.marks(len(agencies))}) {chosen}"
        " ORDER BY created DESC, id LIMIT %s OFFSET %s",
        (*agencies, *([state.value] if state else []), limit, offset),
    )
    return [_outgoing(row) for row in rows]


def attempts(message: UUID) -> list[Attempt]:
    """Return how the tries went, oldest first."""
    rows = sql.all_rows(
        "SELECT number, started, took_ms, error, endpoint FROM attempt"
        " WHERE message = %s ORDER BY id",
        (str(message),),
    )
    return [
        Attempt(
            message=message,
            number=int(number),
            started=sql.to_instant(started),
            took_ms=int(took_ms),
            error=error,
            endpoint=endpoint,
        )
        for number, started, took_ms, error, endpoint in rows
    ]


def hint_due(*, at: datetime, hinted_before: datetime, limit: int) -> list[UUID]:
    """Return due messages that nobody was told of since, and note that somebody is now."""
    instant = sql.from_instant(at)
    due = next_due()
    if due is None or due > at:
        return []
    unseen = sql.one_of(
        "SELECT id FROM outbox WHERE state = 'new' AND next_at <= %s"
        " AND NOT hinted_at BETWEEN %s AND %s ORDER BY next_at LIMIT %s"
    )
    rows = sql.all_rows(
        f"UPDATE outbox SET hinted_at = %s WHERE id {unseen} RETURNING id",  # noqa: S608 - constants
        # A hint later than now is of a clock that was set back since.
        (instant, instant, sql.from_instant(hinted_before), instant, limit),
    )
    return [UUID(row[0]) for row in rows]


def next_due() -> datetime | None:
    """Return when the next message is due; a read, so an idle sweep locks nothing."""
    return sql.to_maybe(sql.the_row("SELECT MIN(next_at) FROM outbox WHERE state = 'new'")[0])


def _outgoing(row: sql.Row) -> Outgoing:
    message = Message(
        id=UUID(row[0]),
        direction=Direction.OUT,
        agency=AgencyCode(row[1]),
        partner=AgencyCode(row[2]),
        message_id=MessageId(row[3]),
        message_type=row[4],
        dossier=sql.to_uuid(row[5]),
        dossier_code=row[6],
        state=MessageState(row[15]),
        created=sql.to_instant(row[11]),
        attempts=int(row[16]),
        next_attempt=sql.to_maybe(row[17]),
        container_sha256=Sha256(row[19]) if row[19] else None,
        receipt_outcome=row[22],
        receipt_code=row[23],
        receipt_time=sql.to_maybe(row[24]),
        assurance="sealed",
        last_error=row[25],
    )
    return Outgoing(
        message=message,
        instance=sql.to_uuid(row[7]),
        ref=row[8],
        conversation_id=ConversationId(row[9]),
        request=sql.to_json(row[10]),
        expires=sql.to_instant(row[12]),
        supersedes=MessageId(row[13]) if row[13] else None,
        superseded_by=MessageId(row[14]) if row[14] else None,
        token=row[18],
        container_size=int(row[20]),
        receipt_sha256=Sha256(row[21]) if row[21] else None,
    )
