"""The folder: containers and receipts pass through the same checks as by SOAP, whole or not."""

from __future__ import annotations

import io
import json
import os
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.errors import DropUnavailable
from connectors.filedrop import FileDrop, Swept
from connectors.mailbox import MessageStatus
from dossier.clock import SystemClock
from dossier.envelope import Assurance, Contract, Envelope, Urgency, write_envelope
from dossier.errors import Unavailable
from dossier.ids import AgencyCode, ConversationId, MessageId, Sha256
from dossier.wire import SendHints, Spooled
from tests.builders.connectors import (
    BINH_DINH,
    CONTAINER,
    HOA_BINH,
    DiskSpool,
    FakeReceiving,
    hints_for,
    message_id,
)
from tests.builders.pull import FakeMailbox, KeepingReceiving

_AT = datetime(2022, 4, 20, tzinfo=UTC)


@dataclass(kw_only=True)
class Place:
    """A drop folder of Bình Định and what stands behind it."""

    folder: Path
    drop: FileDrop
    receiving: KeepingReceiving
    mailbox: FakeMailbox
    spool: Path

    def leave(self, folder: str, name: str, content: bytes, *, settled: bool = True) -> Path:
        """Let the agency put a file there."""
        path = self.folder / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        if settled:
            os.utime(path, (1, 1))
        return path

    def names(self, folder: str) -> list[str]:
        """Return what lies in one of the folders."""
        return sorted(path.name for path in (self.folder / folder).iterdir())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    for name in ("drop", "kept", "spool"):
        (tmp_path / name).mkdir()
    receiving = KeepingReceiving(tmp_path / "kept")
    mailbox = FakeMailbox(receiving)
    drop = FileDrop(
        tmp_path / "drop",
        agency=BINH_DINH,
        mailbox=mailbox,
        receiving=receiving,
        spool=DiskSpool(tmp_path / "spool"),
        clock=SystemClock(),
    )
    return Place(
        folder=tmp_path / "drop",
        drop=drop,
        receiving=receiving,
        mailbox=mailbox,
        spool=tmp_path / "spool",
    )


def _container(number: int, *, to: AgencyCode = HOA_BINH) -> tuple[MessageId, bytes]:
    envelope = Envelope(
        message_id=message_id(number, to),
        from_agency=BINH_DINH,
        to_agency=to,
        conversation_id=ConversationId("6f9619ff-8b86-4011-b42d-00c04fc964ff"),
        dossier_code="000.00.00.H08-220420-0001",
        contract=Contract(procedure="p8_official_letter", version="1.0", sha256=Sha256("0" * 64)),
        message_type="study_reply",
        subject="",
        urgency=Urgency.NORMAL,
        issued=_AT,
        expires=_AT + timedelta(days=7),
        assurance=Assurance.SEALED,
        manifest=(),
    )
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("envelope.xml", write_envelope(envelope))
    return envelope.message_id, written.getvalue()


def _waiting(place: Place, number: int) -> SendHints:
    hints = hints_for(CONTAINER, number=number)
    path = place.spool / "sent"
    path.write_bytes(CONTAINER)
    place.receiving.receive(hints, _Lying(path, hints))
    path.unlink()
    return hints


class _Lying:
    """A `Spooled` of the test."""

    content: bytes | Path

    def __init__(self, path: Path, hints: SendHints) -> None:
        self.content = path
        self.sha256 = hints.container_sha256
        self.size_bytes = hints.size_bytes

    def drop(self) -> None:
        """Do nothing."""


def test_waiting_messages_are_offered_once_and_confirmed_by_a_receipt(place: Place) -> None:
    hints = _waiting(place, 1)
    assert place.drop.sweep() == Swept(offered=1)
    assert place.drop.sweep() == Swept()
    offered = place.folder / "inbox" / f"{hints.message_id}.asice"
    assert offered.read_bytes() == CONTAINER
    place.leave("receipts", f"{hints.message_id}.xml", b"valid receipt")
    assert place.drop.sweep() == Swept(confirmed=1)
    assert place.names("inbox") == []
    status = place.mailbox.status(HOA_BINH, hints.message_id)
    assert status is MessageStatus.ACCEPTED


def test_a_receipt_that_does_not_verify_leaves_the_message_offered(place: Place) -> None:
    hints = _waiting(place, 2)
    place.drop.sweep()
    place.leave("receipts", f"{hints.message_id}.xml", b"forged")
    assert place.drop.sweep() == Swept(refused=1)
    note = place.folder / "refused" / f"{hints.message_id}.xml.json"
    assert json.loads(note.read_bytes()) == {"code": "denied"}
    assert f"{hints.message_id}.asice" in place.names("inbox")


def test_containers_are_received_and_answered(place: Place) -> None:
    known, content = _container(3)
    place.leave("outbox", "anything.asice", content)
    assert place.drop.sweep() == Swept(received=1)
    assert place.names("answers") == [f"{known}.xml"]
    assert place.names("done") == ["anything.asice"]
    assert list(place.spool.iterdir()) == []


def test_a_sweep_that_was_interrupted_is_repeated(place: Place) -> None:
    known, content = _container(4)
    place.leave("outbox", "a.asice", content)
    place.drop.sweep()
    answer = (place.folder / "answers" / f"{known}.xml").read_bytes()
    place.leave("outbox", "a.asice", content)
    assert place.drop.sweep() == Swept(received=1)
    assert (place.folder / "answers" / f"{known}.xml").read_bytes() == answer


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no zip"])
def test_what_is_no_container_is_put_aside_with_its_reason(place: Place, content: bytes) -> None:
    place.leave("outbox", "a.asice", content)
    assert place.drop.sweep() == Swept(refused=1)
    assert place.names("refused") == ["a.asice", "a.asice.json"]
    assert place.names("outbox") == []


def test_what_was_refused_for_good_is_put_aside(place: Place) -> None:
    _, content = _container(5, to=FakeReceiving.DENIED)
    place.leave("outbox", "a.asice", content)
    assert place.drop.sweep() == Swept(refused=1)


def test_what_may_work_later_stays(place: Place) -> None:
    _, content = _container(6, to=FakeReceiving.DOWN)
    place.leave("outbox", "a.asice", content)
    with pytest.raises(Unavailable):
        place.drop.sweep()
    assert place.names("outbox") == ["a.asice"]


def test_files_in_the_making_links_and_other_files_are_left_alone(
    place: Place, tmp_path: Path
) -> None:
    _, content = _container(7)
    place.drop.sweep()
    place.leave("outbox", "new.asice", content, settled=False)
    place.leave("outbox", ".hidden.asice", content)
    place.leave("outbox", "readme.txt", content)
    secret = tmp_path / "secret"
    secret.write_bytes(content)
    (place.folder / "outbox" / "link.asice").symlink_to(secret)
    assert place.drop.sweep() == Swept()


@pytest.mark.parametrize("name", ["unknown.xml", f"{message_id(9)}.xml"])
def test_receipts_of_no_offered_message_are_put_aside(place: Place, name: str) -> None:
    place.drop.sweep()
    place.leave("receipts", name, b"valid receipt")
    assert place.drop.sweep() == Swept(refused=1)


def test_a_folder_that_is_none_is_unavailable(tmp_path: Path, place: Place) -> None:
    (tmp_path / "file").write_bytes(b"")
    drop = FileDrop(
        tmp_path / "file",
        agency=BINH_DINH,
        mailbox=place.mailbox,
        receiving=place.receiving,
        spool=DiskSpool(place.spool),
        clock=SystemClock(),
    )
    with pytest.raises(DropUnavailable):
        drop.sweep()


def test_the_fake_is_a_spooled() -> None:
    spooled: Spooled = _Lying(Path("x"), hints_for(b""))
    assert spooled.size_bytes == 0
