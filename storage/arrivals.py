"""What has just arrived: container and receipt in the rows of the commit that accepts a message.

They wait there until a worker has moved them to the blob store. Large ones are there before that
commit, as wholes; their rows say that their files are not. A row is leased, not locked: moving
twice changes nothing, and a dead mover's rows come due again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from dossier.envelope import Envelope, parse_envelope
from dossier.ids import Sha256
from storage import sql
from storage.transactions import transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """What came with a message and what answered it."""

    container: bytes = field(repr=False)
    receipt: bytes = field(repr=False)


IN_BLOBS: Final = Waiting(container=b"", receipt=b"")
"""Both are in the blob store already."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """An accepted message whose files are not in the blob store yet."""

    message: UUID
    envelope: Envelope
    container_sha256: Sha256
    receipt_sha256: Sha256
    waiting: Waiting


def add(message: UUID, waiting: Waiting, *, at: datetime) -> None:
    """Keep what waits of a message, in this transaction."""
    sql.execute(
        sql.insert_into("arrival", "message due error container receipt"),
        (str(message), sql.from_instant(at), "", waiting.container, waiting.receipt),
    )


def receipt_of(message: UUID) -> bytes | None:
    """Return the receipt of a message that is still here; None when it is in the blob store."""
    row = sql.one_row("SELECT receipt FROM arrival WHERE message = %s", (str(message),))
    return bytes(row[0]) or None if row else None


def claim(*, in_blobs: bool, lease: timedelta, limit: int, at: datetime) -> list[Arrival]:
    """Take the oldest that nobody moves, in a commit of its own.

    `in_blobs` asks for those whose containers are in the blob store; they take longer.
    """
    instant, until = sql.from_instant(at), sql.from_instant(at + lease)
    # A lease that ends later than one taken now is of a clock that was set back since.
    free = f"length(container) {'=' if in_blobs else '>'} 0 AND error = ''"
    free += " AND NOT (due > %s AND due <= %s)"
    if sql.one_row(f"SELECT id FROM arrival WHERE {free} LIMIT 1", (instant, until)) is None:  # noqa: S608 - our own words
        return []
    with transaction():
        oldest = sql.one_of(
            f"SELECT id FROM arrival WHERE {free} ORDER BY id LIMIT %s"  # noqa: S608 - our own words
        )
        taken = sql.all_rows(
            f"UPDATE arrival SET due = %s WHERE id {oldest} RETURNING message",  # noqa: S608 - our own words
            (until, instant, until, limit),
        )
    return _arrivals([row[0] for row in taken])


def forget(messages: Sequence[UUID]) -> None:
    """Let go of what is in the blob store now."""
    if messages:
        sql.execute(
            f"DELETE FROM arrival WHERE message IN ({sql.marks(len(messages))})",  # noqa: S608 - marks
            [str(one) for one in messages],
        )


def refuse(message: UUID, *, error: str) -> None:
    """Leave a row where it is, for people: its bytes are not what was accepted."""
    sql.execute("UPDATE arrival SET error = %s WHERE message = %s", (error, str(message)))


def waiting_files() -> set[Sha256]:
    """Return the digests of what rows here hold themselves."""
    rows = sql.stream(
        "SELECT container_sha256, receipt_sha256 FROM inbox"
        " WHERE id IN (SELECT message FROM arrival WHERE length(container) > 0)"
    )
    return {Sha256(digest) for row in rows for digest in row}


def _arrivals(messages: Sequence[str]) -> list[Arrival]:
    if not messages:
        return []
    rows = sql.all_rows(
        "SELECT arrival.message, envelope, container_sha256, receipt_sha256, container, receipt"  # noqa: S608 - marks
        " FROM arrival JOIN inbox ON inbox.id = arrival.message"
        f" WHERE arrival.message IN ({sql.marks(len(messages))}) ORDER BY arrival.id",
        messages,
    )
    return [
        Arrival(
            message=UUID(message),
            envelope=parse_envelope(bytes(envelope)),
            container_sha256=Sha256(container_sha256),
            receipt_sha256=Sha256(receipt_sha256),
            waiting=Waiting(container=bytes(container), receipt=bytes(receipt)),
        )
        for message, envelope, container_sha256, receipt_sha256, container, receipt in rows
    ]
