"""Rules of silence that wait beside a timer, what they came to, and the opinions that came late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dossier.canonical import Json
from storage import sql

_COLUMNS = (
    "ref instance dossier element_id policy citation confirmed result question awaits span opened"
    " due decided outcomes late"
)
_SELECT = f"SELECT {sql.columns(_COLUMNS)} FROM silence"  # noqa: S608 - our own constants


@dataclass(frozen=True, kw_only=True, slots=True)
class Silence:
    """One rule of one wait; its timer has the same ref."""

    ref: str
    instance: UUID
    dossier: UUID
    element_id: str
    policy: str
    citation: str
    confirmed: bool
    result: str  # case value that takes the outcome; empty: none
    question: str  # message type that asked; empty: the last one to that agency
    awaits: tuple[str, ...]  # elements whose messages are waited for
    span: str  # the agencies' time, counted from the delivery; empty: `due` is a fixed instant
    opened: datetime
    due: datetime
    decided: datetime | None = None
    outcomes: Json = ()  # one object per silent agency
    late: Json = ()  # one object per opinion that came too late
    remind_at: datetime | None = None  # of the first reminder


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """The message that asked an agency."""

    message_id: str
    message_type: str
    delivered: datetime | None  # receive time of the verified receipt that accepts it
    receipt_sha256: str


def question(
    dossier: UUID, instance: UUID, *, partner: str, message_type: str, before: datetime
) -> Question | None:
    """Return what asked an agency: the last message to it, of that type if one is named.

    A message that was reissued counts as its replacement, whenever that left.
    """
    row = sql.one_row(
        "SELECT message_id, message_type, state, receipt_time, receipt_sha256 FROM outbox"
        " WHERE dossier = %s AND instance = %s AND partner = %s AND superseded_by = ''"
        " AND (created <= %s OR supersedes <> '') AND (message_type = %s OR %s = '')"
        " ORDER BY created DESC, message_id DESC LIMIT 1",
        (
            str(dossier),
            str(instance),
            partner,
            sql.from_instant(before),
            message_type,
            message_type,
        ),
    )
    if row is None:
        return None
    return Question(
        message_id=row[0],
        message_type=row[1],
        delivered=sql.to_maybe(row[3]) if row[2] == "sent" else None,
        receipt_sha256=row[4],
    )


def open_silences(new: Sequence[Silence]) -> None:
    """Store new rules; a ref that is there keeps its row."""
    sql.execute_many(
        sql.insert_into(
            "silence", f"{_COLUMNS} remind_at reminded", otherwise="ON CONFLICT (ref) DO NOTHING"
        ),
        [
            (
                one.ref,
                str(one.instance),
                str(one.dossier),
                one.element_id,
                one.policy,
                one.citation,
                one.confirmed,
                one.result,
                one.question,
                sql.from_json(one.awaits),
                one.span,
                sql.from_instant(one.opened),
                sql.from_instant(one.due),
                sql.from_maybe(one.decided),
                sql.from_json(one.outcomes),
                sql.from_json(one.late),
                sql.from_maybe(one.remind_at),
                0,
            )
            for one in new
        ],
    )


def of_refs(refs: Sequence[str]) -> dict[str, Silence]:
    """Return the rules beside these timers, by ref."""
    if not refs:
        return {}
    rows = sql.all_rows(f"{_SELECT} WHERE ref IN ({sql.marks(len(refs))})", tuple(refs))
    return {row[0]: _silence(row) for row in rows}


def of_dossier(dossier: UUID) -> list[Silence]:
    """Return the rules of a dossier, oldest first."""
    rows = sql.all_rows(f"{_SELECT} WHERE dossier = %s ORDER BY opened, ref", (str(dossier),))
    return [_silence(row) for row in rows]


def fallen(dossier: UUID) -> list[Silence]:
    """Return the rules of a dossier that have fallen, the latest first."""
    rows = sql.all_rows(
        f"{_SELECT} WHERE dossier = %s AND decided IS NOT NULL ORDER BY decided DESC, ref",
        (str(dossier),),
    )
    return [_silence(row) for row in rows]


def move(ref: str, *, due: datetime) -> None:
    """Put the end of a rule's time where the delivery puts it."""
    sql.execute("UPDATE silence SET due = %s WHERE ref = %s", (sql.from_instant(due), ref))


def decide(ref: str, *, at: datetime, outcomes: Json) -> None:
    """Record that the rule has fallen, and for whom."""
    sql.execute(
        "UPDATE silence SET decided = %s, outcomes = %s WHERE ref = %s",
        (sql.from_instant(at), sql.from_json(outcomes), ref),
    )


def keep_late(ref: str, late: Json) -> None:
    """Record the opinions that came after the rule had fallen."""
    sql.execute("UPDATE silence SET late = %s WHERE ref = %s", (sql.from_json(late), ref))


def _silence(row: sql.Row) -> Silence:
    return Silence(
        ref=row[0],
        instance=UUID(row[1]),
        dossier=UUID(row[2]),
        element_id=row[3],
        policy=row[4],
        citation=row[5],
        confirmed=bool(row[6]),
        result=row[7],
        question=row[8],
        awaits=sql.to_texts(row[9]),
        span=row[10],
        opened=sql.to_instant(row[11]),
        due=sql.to_instant(row[12]),
        decided=sql.to_maybe(row[13]),
        outcomes=sql.to_json(row[14]),
        late=sql.to_json(row[15]),
    )
