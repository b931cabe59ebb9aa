"""An agency without a service: its letter lies in its folder, its receipt and its answer count."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.mailbox import MessageKey
from dossier.directory import FILE_DROP, Channel
from dossier.envelope import Assurance
from dossier.errors import LienThongError
from dossier.model import MessageState
from dossier.receipt import parse_receipt
from exchange import folders
from exchange.pull import NodeMailbox
from signing.purpose import Purpose
from signing.verify import open_xml
from storage import inbox, outbox
from storage.outbox import Outgoing
from tests.builders.exchange import OneNode
from tests.builders.messages import Draft, hints_for, spooled
from tests.integration.exchange.test_pull import BINH_DINH, HOA_BINH, receipt_of


@pytest.fixture
def dropping(one: OneNode, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> OneNode:
    """Let Bình Định exchange through a folder only."""
    known = one.node.directory()
    channel = Channel(kind=FILE_DROP, assurance=Assurance.SEALED)
    changed = replace(
        known,
        agencies=tuple(
            replace(agency, endpoint="", channels=(channel,))
            if agency.code == BINH_DINH
            else agency
            for agency in known.agencies
        ),
    )
    monkeypatch.setattr(one.node, "directory", lambda: changed)
    one.node.settings = replace(one.node.settings, drop_dir=tmp_path / "drop")
    return one


@pytest.fixture
def folder(dropping: OneNode) -> Path:
    return folders.add_folder(dropping.node, BINH_DINH)


def letter_of(one: OneNode) -> Outgoing:
    return outbox.of_dossier(one.sides(one.send_letter())[HOA_BINH].id)[0]


def leave(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    os.utime(path, (1, 1))  # long settled


def test_letter_lies_in_the_folder_until_its_receipt(dropping: OneNode, folder: Path) -> None:
    letter = letter_of(dropping)
    assert folders.sweep_folders(dropping.node).done == 1
    (container,) = (folder / "inbox").glob("*.asice")
    key = MessageKey(
        addressee=BINH_DINH, from_agency=HOA_BINH, message_id=letter.message.message_id
    )
    with NodeMailbox(dropping.node).container(key) as (_, kept):
        assert container.read_bytes() == kept.read_bytes()
    assert [one.waiting for one in folders.listed(dropping.node)] == [1]
    assert folders.sweep_folders(dropping.node).done == 0
    leave(folder / "receipts" / f"{letter.message.message_id}.xml", receipt_of(dropping, letter))
    folders.sweep_folders(dropping.node)
    assert outbox.get(letter.message.id).message.state is MessageState.SENT
    assert list((folder / "inbox").iterdir()) == []


def test_container_of_the_agency_is_judged_and_answered(
    dropping: OneNode, folder: Path, tmp_path: Path
) -> None:
    draft = Draft(node=dropping.node, at=dropping.node.now(), sender=BINH_DINH, receiver=HOA_BINH)
    container = spooled(tmp_path, draft.container())
    hints = hints_for(draft, container)
    leave(folder / "outbox" / "letter.asice", container.path.read_bytes())
    folders.sweep_folders(dropping.node)
    (answer,) = (folder / "answers").iterdir()
    opened = open_xml(
        answer.read_bytes(),
        trust=dropping.node.trust(),
        at=dropping.node.now(),
        purposes=frozenset({Purpose.SEAL}),
    )
    assert parse_receipt(opened.content).code == "accepted"
    found = inbox.find(BINH_DINH, hints.message_id)
    assert found is not None
    assert found.assurance is Assurance.SEALED


def test_channel_that_the_directory_does_not_allow_is_refused(
    one: OneNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(LienThongError) as caught:
        folders.add_folder(one.node, BINH_DINH)
    assert caught.value.code == "channel_denied"
    with pytest.raises(LienThongError) as unknown:
        folders.add_folder(one.node, "000.00.00.H99")
    assert unknown.value.code == "partner_unknown"
    one.node.settings = replace(one.node.settings, drop_dir=tmp_path)
    (tmp_path / BINH_DINH / "outbox").mkdir(parents=True)
    assert folders.sweep_folders(one.node).done == 0


def test_folder_that_cannot_be_used_holds_up_nobody(dropping: OneNode, folder: Path) -> None:
    letter_of(dropping)
    (folder / "inbox").rmdir()
    (folder / "inbox").write_bytes(b"not a folder")
    assert folders.sweep_folders(dropping.node).done == 0
