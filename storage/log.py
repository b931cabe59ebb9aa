"""The rows of the node's Merkle log: leaves wait here with their event and are numbered later.

The sequencer reads what is visible and deletes it. A cursor over ids would skip for ever what
commits late, because ids are given before the commit (worker.md §7).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from dossier.ids import Sha256
from storage import bulk, sql
from storage.instances import Backlog

# Any number, the same in every process: who holds it is the one sequencer.
_SEQUENCER_LOCK: Final = 4_815_162_342
_STATE: Final = 1
_TAKEN: Final = {
    name: f"log_pending.{name}" for name in ("leaf", "opening", "dossier", "dossier_sequence")
}


@dataclass(frozen=True, kw_only=True, slots=True)
class NewLeaf:
    """A leaf of an event, with what opens it."""

    leaf: bytes
    opening: bytes
    dossier: UUID | None = None
    dossier_sequence: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class PendingLeaf:
    """A leaf that waits for its number."""

    id: int
    leaf: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberedLeaf:
    """A leaf and the number that the sequencer gave it."""

    pending: int  # id of the pending row
    index: int
    leaf_hash: Sha256


@dataclass(frozen=True, kw_only=True, slots=True)
class LogEntry:
    """A numbered leaf as stored."""

    index: int
    leaf: bytes
    opening: bytes
    dossier: UUID | None
    dossier_sequence: int


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredTile:
    """Up to 256 hashes, one after the other."""

    level: int
    index: int
    hashes: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class LogState:
    """The growing edge of the log."""

    size: int = 0
    root: bytes = b""
    open_tiles: tuple[bytes, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Everything that one run of the sequencer writes."""

    leaves: Sequence[NumberedLeaf]
    tiles: Sequence[StoredTile]
    state: LogState


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredCheckpoint:
    """A signed checkpoint."""

    size: int
    root: bytes
    note: bytes = field(repr=False)
    at: datetime


# --- Leaves wait -------------------------------------------------------------------------------


def add_pending(
    leaf: bytes, *, opening: bytes = b"", dossier: UUID | None = None, dossier_sequence: int = 0
) -> None:
    """Store the leaf of an event that belongs to no dossier's history."""
    add_many(
        [NewLeaf(leaf=leaf, opening=opening, dossier=dossier, dossier_sequence=dossier_sequence)]
    )


def add_many(leaves: Sequence[NewLeaf]) -> None:
    """Store leaves in the transaction of their events."""
    bulk.insert(
        "log_pending",
        "leaf opening dossier dossier_sequence",
        [
            (one.leaf, one.opening, sql.from_uuid(one.dossier), one.dossier_sequence)
            for one in leaves
        ],
        fixed={"added": sql.now()},
    )


def backlog() -> Backlog:
    """Return how many leaves wait and since when, by the database's clock."""
    due, oldest = sql.the_row("SELECT COUNT(*), MIN(added) FROM log_pending")
    return Backlog(due=int(due), oldest=sql.to_maybe(oldest))


# --- The sequencer numbers ---------------------------------------------------------------------


def lock_sequencer() -> bool:
    """Become the one sequencer until this transaction ends; False while another one is.

    Must be the first statement of the transaction, so that what follows sees all it committed.
    """
    if not sql.is_postgresql():
        return True  # the transaction is the database's one writer
    return bool(sql.the_row("SELECT pg_try_advisory_xact_lock(%s)", (_SEQUENCER_LOCK,))[0])


def take_pending(limit: int) -> list[PendingLeaf]:
    """Return the visible leaves that wait, in the order of their ids."""
    rows = sql.all_rows("SELECT id, leaf FROM log_pending ORDER BY id LIMIT %s", (limit,))
    return [PendingLeaf(id=int(number), leaf=bytes(leaf)) for number, leaf in rows]


def state() -> LogState:
    """Return the edge of the log; an empty one before the first leaf."""
    row = sql.one_row("SELECT size, root, open_tiles FROM log_state WHERE id = %s", (_STATE,))
    if row is None:
        return LogState()
    return LogState(
        size=int(row[0]),
        root=bytes(row[1]),
        open_tiles=tuple(bytes.fromhex(line) for line in row[2].split("\n")) if row[2] else (),
    )


def write_batch(batch: Batch) -> None:
    """Move the numbered leaves into the log and store the tiles and the new edge."""
    bulk.insert(
        "log_entry",
        "number leaf_hash log_pending.id",
        [(one.index, one.leaf_hash, one.pending) for one in batch.leaves],
        fixed=_TAKEN,
        beside="log_pending",
        where="log_pending.id = new.id",
    )
    bulk.delete("log_pending", "id", [one.pending for one in batch.leaves])
    sql.execute_many(
        sql.insert_into(
            "log_tile",
            "level number hashes",
            otherwise="ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes",
        ),
        [(tile.level, tile.index, tile.hashes) for tile in batch.tiles],
    )
    sql.execute(
        sql.insert_into(
            "log_state",
            "id size root open_tiles",
            otherwise="ON CONFLICT (id) DO UPDATE SET size = excluded.size,"
            " root = excluded.root, open_tiles = excluded.open_tiles",
        ),
        (
            _STATE,
            batch.state.size,
            batch.state.root,
            "\n".join(tile.hex() for tile in batch.state.open_tiles),
        ),
    )


# --- Reading the log ---------------------------------------------------------------------------


class Tiles:
    """Reads tiles back; fits `signing.log.tiles.TileSource`."""

    def tile(self, level: int, index: int, width: int) -> bytes:
        """Return at least the first `width` hashes of the tile, or fewer if it has fewer."""
        row = sql.one_row(
            "SELECT hashes FROM log_tile WHERE level = %s AND number = %s", (level, index)
        )
        return bytes(row[0]) if row else b""


def entries(start: int, end: int) -> list[LogEntry]:
    """Return the entries with these numbers, `end` excluded."""
    rows = sql.all_rows(
        "SELECT number, leaf, opening, dossier, dossier_sequence FROM log_entry"
        " WHERE number >= %s AND number < %s ORDER BY number",
        (start, end),
    )
    return [_entry(row) for row in rows]


def of_dossier(dossier: UUID) -> list[LogEntry]:
    """Return the numbered leaves of a dossier in the order of its events."""
    rows = sql.all_rows(
        "SELECT number, leaf, opening, dossier, dossier_sequence FROM log_entry"
        " WHERE dossier = %s ORDER BY dossier_sequence",
        (str(dossier),),
    )
    return [_entry(row) for row in rows]


def index_of(leaf_hash: str) -> int | None:
    """Return the number of the leaf with that hash."""
    row = sql.one_row(
        "SELECT number FROM log_entry WHERE leaf_hash = %s ORDER BY number LIMIT 1", (leaf_hash,)
    )
    return int(row[0]) if row else None


def add_checkpoint(checkpoint: StoredCheckpoint) -> None:
    """Store a signed checkpoint."""
    sql.execute(
        sql.insert_into("checkpoint", "size root note at"),
        (
            checkpoint.size,
            checkpoint.root,
            checkpoint.note,
            sql.from_instant(checkpoint.at),
        ),
    )


def last_checkpoint() -> StoredCheckpoint | None:
    """Return the newest checkpoint."""
    row = sql.one_row("SELECT size, root, note, at FROM checkpoint ORDER BY size DESC LIMIT 1")
    return _checkpoint(row) if row else None


def checkpoint_covering(index: int) -> StoredCheckpoint | None:
    """Return the newest checkpoint whose tree contains the entry of that number."""
    row = sql.one_row(
        "SELECT size, root, note, at FROM checkpoint WHERE size > %s ORDER BY size DESC LIMIT 1",
        (index,),
    )
    return _checkpoint(row) if row else None


def _entry(row: sql.Row) -> LogEntry:
    return LogEntry(
        index=int(row[0]),
        leaf=bytes(row[1]),
        opening=bytes(row[2]),
        dossier=sql.to_uuid(row[3]),
        dossier_sequence=int(row[4]),
    )


def _checkpoint(row: sql.Row) -> StoredCheckpoint:
    return StoredCheckpoint(
        size=int(row[0]), root=bytes(row[1]), note=bytes(row[2]), at=sql.to_instant(row[3])
    )
