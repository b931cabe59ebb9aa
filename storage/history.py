"""What happened to each dossier: numbered without gaps, chained, and committed with its log leaf.

The number is taken first, because the leaf states it: lock, build the leaves, append. All in the
transaction of the event, so that there is no event without a leaf and no leaf without one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dossier.model import HistoryEntry
from storage import bulk, log, sql
from storage.errors import RowMissing, VersionConflict

_COLUMNS = (
    "dossier sequence instance at kind element_id actor on_behalf_of parameters leaf opening"
    " chain_hash"
)
_SELECT = f"SELECT {sql.columns(_COLUMNS)} FROM history"  # noqa: S608 - our own constants


@dataclass(frozen=True, kw_only=True, slots=True)
class NewHistory:
    """One event of a dossier with the leaf that commits to it."""

    dossier: UUID
    entry: HistoryEntry
    instance: UUID | None
    leaf: bytes
    opening: bytes  # what the leaf commits to, with its salts


@dataclass(frozen=True, kw_only=True, slots=True)
class Edge:
    """Where the history of a dossier ends, and what its leaves need of the dossier."""

    code: str
    salt: bytes  # hides the code in the log
    last: int  # number of the last event, 0 before the first
    head: bytes  # hash of the chain, empty before the first
    agency: str = ""  # whose dossier it is
    is_watched: bool = False  # whether somebody is told of events (`storage.webhooks`)


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryRow:
    """A stored event."""

    entry: HistoryEntry
    instance: UUID | None
    leaf: bytes
    opening: bytes
    chain_hash: bytes  # SHA-256 over the previous one and the leaf


def lock(dossiers: Collection[UUID]) -> dict[UUID, Edge]:
    """Lock the dossiers, in one order for everybody, and return where their histories end.

    What is read after it in this transaction, nobody changes before the commit. Raises
    `RowMissing`.
    """
    if not dossiers:
        return {}
    condition, ids = bulk.is_one_of("id", sorted(str(one) for one in dossiers))
    rows = sql.all_rows(
        "SELECT id, code, log_salt, log_sequence, log_head, agency,"  # noqa: S608 - our own constants
        f" EXISTS (SELECT 1 FROM webhook) FROM dossier WHERE {condition}"
        f" ORDER BY id {sql.for_update()}",
        ids,
    )
    found = {
        UUID(row[0]): Edge(
            code=row[1],
            salt=bytes(row[2]),
            last=int(row[3]),
            head=bytes(row[4]),
            agency=row[5],
            is_watched=bool(row[6]),
        )
        for row in rows
    }
    for dossier in dossiers:
        if dossier not in found:
            raise RowMissing("expected a known dossier", kind="dossier", id=str(dossier))
    return found


def append(events: Sequence[NewHistory], *, edges: Mapping[UUID, Edge]) -> None:
    """Store events with their leaves after the edges that `lock` returned.

    Raises `VersionConflict` if a number is not the next one.
    """
    ends = {
        event.dossier: (edges[event.dossier].last, edges[event.dossier].head) for event in events
    }
    ordered = sorted(events, key=lambda one: (str(one.dossier), one.entry.sequence))
    written: list[tuple[Any, ...]] = []
    for event in ordered:
        last, head = ends[event.dossier]
        if event.entry.sequence != last + 1:
            raise VersionConflict(
                f"expected sequence {last + 1}, got {event.entry.sequence}", names="sequence"
            )
        head = hashlib.sha256(head + event.leaf).digest()
        ends[event.dossier] = (last + 1, head)
        written.append(_values(event, head))
    bulk.update(
        "dossier",
        "id log_sequence log_head",
        [(str(dossier), last, head) for dossier, (last, head) in ends.items()],
        changes="log_sequence = new.log_sequence, log_head = new.log_head",
        where="dossier.id = new.id",
    )
    bulk.insert("history", _COLUMNS, written)
    log.add_many(
        [
            log.NewLeaf(
                leaf=event.leaf,
                opening=event.opening,
                dossier=event.dossier,
                dossier_sequence=event.entry.sequence,
            )
            for event in ordered
        ]
    )


def of_dossier(dossier: UUID) -> list[HistoryEntry]:
    """Return what happened to a dossier, in order."""
    return [row.entry for row in rows(dossier)]


def rows(dossier: UUID) -> list[HistoryRow]:
    """Return what happened to a dossier with the leaves and the chain, in order."""
    found = sql.all_rows(f"{_SELECT} WHERE dossier = %s ORDER BY sequence", (str(dossier),))
    return [_row(row) for row in found]


def head(dossier: UUID) -> bytes:
    """Return the hash of the last event's chain, empty before the first."""
    return lock([dossier])[dossier].head


def _values(event: NewHistory, chain_hash: bytes) -> tuple[Any, ...]:
    entry = event.entry
    return (
        str(event.dossier),
        entry.sequence,
        sql.from_uuid(event.instance),
        sql.from_instant(entry.at),
        entry.kind,
        entry.element_id,
        entry.actor,
        entry.on_behalf_of,
        sql.from_json(entry.parameters),
        event.leaf,
        event.opening,
        chain_hash,
    )


def _row(row: sql.Row) -> HistoryRow:
    return HistoryRow(
        entry=HistoryEntry(
            sequence=int(row[1]),
            at=sql.to_instant(row[3]),
            kind=row[4],
            element_id=row[5],
            actor=row[6],
            on_behalf_of=row[7],
            parameters=sql.to_mapping(row[8]),
        ),
        instance=sql.to_uuid(row[2]),
        leaf=bytes(row[9]),
        opening=bytes(row[10]),
        chain_hash=bytes(row[11]),
    )
