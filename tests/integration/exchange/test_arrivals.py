"""What has just arrived: in the commit that accepts it, then in the blob store; never nowhere."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dossier.errors import Unavailable
from dossier.ids import Sha256
from dossier.receipt import Outcome, parse_receipt
from exchange.arrivals import SMALL_BYTES, move_arrivals, receipt_of
from exchange.correlate import drain_inbox
from exchange.receive import Reception
from signing.purpose import Purpose
from signing.verify import open_xml
from storage import arrivals, documents, inbox, incidents, orphans, sql
from storage.blobfiles import BlobStore
from storage.errors import StorageUnavailable
from storage.inbox import InboxMessage
from storage.spool import Spooled
from tests.builders.exchange import OneNode
from tests.builders.messages import Draft, hints_for, spooled

BUDGET = timedelta(seconds=20)
LEASE = timedelta(seconds=3)


class _Taken:
    """A message as the SOAP server hands it over: few bytes, in memory."""

    def __init__(self, one: OneNode, *, large_in: Path | None = None) -> None:
        draft = Draft(node=one.node, at=one.node.now())
        if large_in is not None:
            draft.letter = replace(draft.letter, content=os.urandom(SMALL_BYTES))
        content = draft.container()
        digest = Sha256(hashlib.sha256(content).hexdigest())
        self.spooled = (
            spooled(large_in, content)
            if large_in is not None
            else Spooled(content, sha256=digest, size_bytes=len(content))
        )
        self.hints = hints_for(draft, self.spooled)
        self.answer = Reception(one.node).receive(self.hints, self.spooled)

    @property
    def message(self) -> InboxMessage:
        found = inbox.find(self.hints.from_agency, self.hints.message_id)
        assert found is not None
        return found

    def files(self) -> set[str]:
        message = self.message
        digests = {one.sha256 for one in message.envelope.manifest}
        return {*digests, message.container_sha256, message.receipt_sha256}


def _stored(one: OneNode, taken: _Taken) -> set[str]:
    return {digest for digest in taken.files() if one.node.blobs.has(digest)}


def _refuse(*_: object) -> None:
    raise StorageUnavailable("expected a disk", detail="test")


def test_accepting_writes_rows_and_no_blob(one: OneNode) -> None:
    taken = _Taken(one)
    opened = open_xml(
        taken.answer, trust=one.node.trust(), at=one.node.now(), purposes=frozenset({Purpose.SEAL})
    )
    assert parse_receipt(opened.content).outcome is Outcome.ACCEPTED
    assert not one.node.blobs.has(taken.message.container_sha256)
    assert arrivals.waiting_files() == {
        taken.message.container_sha256,
        taken.message.receipt_sha256,
    }
    assert documents.stored_files() >= arrivals.waiting_files()


def test_duplicate_gets_the_receipt_byte_for_byte_before_and_after_moving(one: OneNode) -> None:
    taken = _Taken(one)
    for _ in range(2):
        assert Reception(one.node).before(taken.hints) == taken.answer
        assert Reception(one.node).receive(taken.hints, taken.spooled) == taken.answer
        assert receipt_of(one.node, taken.message) == taken.answer
        move_arrivals(one.node)
    assert _stored(one, taken) == taken.files()
    assert arrivals.receipt_of(taken.message.id) is None


def test_instance_gets_a_message_only_with_its_files(
    one: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = _Taken(one)
    with monkeypatch.context() as broken, pytest.raises(Unavailable):
        broken.setattr(BlobStore, "put_all", _refuse)
        drain_inbox(one.node, budget=BUDGET)
    assert inbox.take_received(limit=9) == []
    one.clock.forward(LEASE)
    assert drain_inbox(one.node, budget=BUDGET).done == 1
    assert _stored(one, taken) == taken.files()
    assert taken.message.dossier is not None


def test_dying_between_store_and_row_moves_again(
    one: OneNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = _Taken(one)
    with monkeypatch.context() as dying, pytest.raises(Unavailable):
        dying.setattr(arrivals, "forget", _refuse)
        move_arrivals(one.node)
    assert _stored(one, taken) == taken.files()
    assert receipt_of(one.node, taken.message) == taken.answer
    assert move_arrivals(one.node) == 0  # somebody may still be at it
    one.clock.forward(LEASE)
    assert move_arrivals(one.node) == 1
    assert move_arrivals(one.node) == 0
    assert receipt_of(one.node, taken.message) == taken.answer


def test_clock_that_was_set_back_stops_nothing(one: OneNode) -> None:
    _Taken(one)
    sql.execute("UPDATE arrival SET due = due + %s", (sql.micros(timedelta(days=365)),))
    assert move_arrivals(one.node) == 1


def test_damaged_row_is_set_aside_and_holds_up_nobody(one: OneNode) -> None:
    damaged, sound = _Taken(one), _Taken(one)
    sql.execute(
        "UPDATE arrival SET container = %s WHERE message = %s",
        (b"PK\x03\x04", str(damaged.message.id)),
    )
    assert drain_inbox(one.node, budget=BUDGET).done == 1
    assert sound.message.dossier is not None
    (incident,) = incidents.open_incidents()
    assert (incident.code, incident.message) == ("blob_corrupt", damaged.message.id)
    assert drain_inbox(one.node, budget=BUDGET).done == 0
    assert receipt_of(one.node, damaged.message) == damaged.answer


def test_large_one_is_stored_as_it_came_and_its_files_follow(one: OneNode, tmp_path: Path) -> None:
    taken = _Taken(one, large_in=tmp_path)
    message = taken.message
    (letter,) = (file for file in message.envelope.manifest if file.name.endswith(".pdf"))
    assert taken.files() - _stored(one, taken) >= {letter.sha256}
    assert _stored(one, taken) >= {message.container_sha256, message.receipt_sha256}
    assert arrivals.waiting_files() == set()
    assert Reception(one.node).before(taken.hints) == taken.answer
    assert inbox.take_received(limit=9) == []
    assert drain_inbox(one.node, budget=BUDGET).done == 1
    assert _stored(one, taken) == taken.files()
    assert taken.message.dossier is not None
    assert list((one.node.settings.spool_dir / "moving").iterdir()) == []


def test_dying_while_a_large_one_is_unpacked_unpacks_it_again(
    one: OneNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = _Taken(one, large_in=tmp_path)
    with monkeypatch.context() as broken, pytest.raises(Unavailable):
        broken.setattr(BlobStore, "put_all", _refuse)
        move_arrivals(one.node)
    assert move_arrivals(one.node) == 0  # somebody may still be at it
    one.clock.forward(timedelta(minutes=1))
    assert move_arrivals(one.node) == 1
    assert _stored(one, taken) == taken.files()


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_large_one_that_is_damaged_holds_up_nobody(
    one: OneNode, tmp_path: Path, damage: str
) -> None:
    damaged, sound = _Taken(one, large_in=tmp_path), _Taken(one, large_in=tmp_path)
    digest = damaged.message.container_sha256
    path = one.node.settings.blob_dir / digest[:2] / digest[2:]
    content = path.read_bytes()
    path.unlink()
    if damage == "changed":
        path.write_bytes(content[:1000] + b"?" + content[1001:])
    drain_inbox(one.node, budget=BUDGET)
    drain_inbox(one.node, budget=BUDGET)
    path.write_bytes(content)  # other tests use this node too
    assert sound.message.dossier is not None
    assert damaged.message.dossier is None
    (incident,) = incidents.open_incidents()
    assert incident.message == damaged.message.id
    assert incident.code == ("blob_missing" if damage == "missing" else "blob_corrupt")


def test_what_waits_for_an_instance_is_no_orphan(one: OneNode) -> None:
    taken = _Taken(one)
    move_arrivals(one.node)
    grace = timedelta(hours=1)
    found = orphans.find(one.node.blobs, at=one.node.now() + timedelta(days=9), grace=grace)
    assert taken.files().isdisjoint(orphan.sha256 for orphan in found)
