"""History and log: no event without a leaf, no gap, and a batch of the sequencer whole or not."""

from __future__ import annotations

import hashlib
from uuid import UUID

import pytest

from dossier.ids import Sha256
from storage import dossiers, history, log
from storage.errors import RowConflict, VersionConflict
from storage.transactions import transaction
from tests.builders.storage import AT, SALT, dossier, entry

pytestmark = pytest.mark.usefixtures("database")


def new_dossier(code: str = "H28-220411-0001") -> UUID:
    of = dossier(code=code)
    dossiers.add(of, log_salt=SALT)
    return of.id


def _event(of: UUID, sequence: int) -> history.NewHistory:
    leaf = f"{of} {sequence}".encode()
    return history.NewHistory(
        dossier=of, entry=entry(sequence), instance=None, leaf=leaf, opening=b"opening"
    )


def append(of: UUID, count: int = 1) -> None:
    with transaction():
        edges = history.lock([of])
        first = edges[of].last + 1
        history.append([_event(of, first + step) for step in range(count)], edges=edges)


def test_events_are_numbered_and_chained() -> None:
    of = new_dossier()
    append(of, 2)
    append(of)
    rows = history.rows(of)
    assert [row.entry.sequence for row in rows] == [1, 2, 3]
    chained = b""
    for row in rows:
        chained = hashlib.sha256(chained + row.leaf).digest()
        assert row.chain_hash == chained
    assert history.head(of) == chained
    assert rows[0].entry == entry(1)


def test_a_number_that_is_not_the_next_is_refused() -> None:
    of = new_dossier()
    with pytest.raises(VersionConflict), transaction():
        history.append([_event(of, 2)], edges=history.lock([of]))


def test_every_event_leaves_a_pending_leaf_in_its_own_commit() -> None:
    of = new_dossier()
    append(of, 2)
    assert [one.leaf for one in log.take_pending(10)] == [row.leaf for row in history.rows(of)]
    with pytest.raises(RuntimeError), transaction():
        history.append([_event(of, 3)], edges=history.lock([of]))
        raise RuntimeError
    assert log.backlog().due == 2
    assert len(history.rows(of)) == 2


def test_a_code_is_used_once_per_agency() -> None:
    new_dossier()
    with pytest.raises(RowConflict):
        new_dossier()


def test_the_edge_of_the_log_survives() -> None:
    of = new_dossier()
    append(of, 2)
    assert log.state() == log.LogState()
    pending = log.take_pending(10)
    edge = log.LogState(size=2, root=b"r" * 32, open_tiles=(b"t" * 64,))
    with transaction():
        assert log.lock_sequencer()
        log.write_batch(
            log.Batch(
                leaves=[
                    log.NumberedLeaf(pending=one.id, index=index, leaf_hash=Sha256(f"{index:064}"))
                    for index, one in enumerate(pending)
                ],
                tiles=[log.StoredTile(level=0, index=0, hashes=b"t" * 64)],
                state=edge,
            )
        )
    assert log.state() == edge
    assert log.take_pending(10) == []
    assert log.Tiles().tile(0, 0, 2) == b"t" * 64
    assert [(one.index, one.leaf) for one in log.entries(0, 9)] == [
        (index, one.leaf) for index, one in enumerate(pending)
    ]
    assert [one.dossier_sequence for one in log.of_dossier(of)] == [1, 2]
    assert log.index_of(f"{1:064}") == 1


def test_the_checkpoint_that_covers_an_entry_is_found() -> None:
    for size in (3, 7):
        log.add_checkpoint(log.StoredCheckpoint(size=size, root=b"r", note=b"n", at=AT))
    covering = log.checkpoint_covering(5)
    assert covering is not None
    assert covering.size == 7
    assert log.checkpoint_covering(7) is None
