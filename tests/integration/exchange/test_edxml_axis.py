"""Letters by the document axis: one bad file holds up no other, and each addressee gets its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.edxml.model import (
    BusinessKind,
    Code,
    EdxmlFile,
    MessageHeader,
    Organ,
    ResponseFor,
    StatusCode,
    StatusHeader,
)
from connectors.edxml.reader import read_edxml
from connectors.edxml.writer import write_edxml
from dossier.directory import ANY, AccessRule, Channel
from dossier.envelope import Action, Assurance
from dossier.ids import AgencyCode
from dossier.model import Direction, MessageState
from exchange import supersede
from exchange.edxml.accounts import read_configuration
from exchange.edxml.errors import LetterUnplaced
from exchange.edxml.fetch import fetch_all
from exchange.edxml.post import PostOffice, report_by_hand
from storage import dossiers, edxml, history, inbox, incidents, outbox
from storage.edxml import EdxmlState
from tests.builders.axis import IDENTITY, MockAxis, mock_axis
from tests.builders.exchange import OneNode

MINISTRY = AgencyCode("000.00.00.G22")
BINH_DINH = AgencyCode("000.00.00.H08")
HOA_BINH = AgencyCode("000.00.00.H28")
_CALLED = "H08.1.2"  # what Bình Định is called on the axis
_ID = f"{MINISTRY},2026/11/02,7816/VPCP-KSTT"


@pytest.fixture
def axis() -> Iterator[MockAxis]:
    with mock_axis() as running:
        running.sender = MINISTRY
        yield running


@pytest.fixture
def node(
    one: OneNode, axis: MockAxis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[OneNode]:
    """Let the directory know a ministry on the axis; the first account's service is dead."""
    known = one.node.directory()
    like = known.find(BINH_DINH)
    assert like is not None
    channel = Channel(kind="edxml_b", assurance=Assurance.CHANNEL)
    added = replace(
        like, code=MINISTRY, aliases=(), endpoint="", channels=(channel,), seals=(),
        name_vi="Văn phòng Chính phủ",
    )  # fmt: skip
    rules = [
        AccessRule(client=MINISTRY, server=ANY, procedure=ANY, message_type=ANY),
        AccessRule(client=ANY, server=MINISTRY, procedure=ANY, message_type=ANY),
    ]
    changed = replace(known, agencies=(*known.agencies, added), rules=(*known.rules, *rules))
    monkeypatch.setattr(one.node, "directory", lambda: changed)
    secret = tmp_path / "secret"
    secret.write_bytes(IDENTITY.secret)
    account = (
        '[[account]]\nagency = "{agency}"\ndialect = "b"\naddress = "http://127.0.0.1:{port}/"\n'
        f'system_id = "{IDENTITY.system_id}"\nsecret_file = "{secret}"\n'
    )
    one.node.settings.edxml.write_text(
        account.format(agency=HOA_BINH, port=1)
        + account.format(agency=BINH_DINH, port=axis.port)
        + f'organ_id = "{_CALLED}"\n'
        + '[letter]\nprocedure = "official-letter"\nmessage_type = "letter"\n'
        + '[letter.values]\nletter_number = "code"\nletter_subject = "subject"\n',
        "utf-8",
    )
    yield one
    one.node.settings.edxml.unlink()


def _letter(*to: str) -> bytes:
    header = MessageHeader(
        sender=Organ(organ_id=MINISTRY),
        to=tuple(Organ(organ_id=one) for one in to),
        document_id=_ID,
        code=Code(number="7816", notation="VPCP-KSTT"),
        subject="V/v kiểm soát thủ tục hành chính",
    )
    return write_edxml(EdxmlFile(header=header))


def _fetch(node: OneNode) -> int:
    return fetch_all(node.node, read_configuration(node.node.settings.edxml)).done


def test_a_file_that_cannot_be_read_is_kept_and_holds_up_no_other(
    node: OneNode, axis: MockAxis
) -> None:
    axis.files = {"bad": b"<html>502</html>", "doc-2": _letter(_CALLED)}
    assert _fetch(node)
    assert axis.reported == {"bad": "fail", "doc-2": "done"}
    (bad,) = edxml.find(Direction.IN, MINISTRY, "bad")
    assert (bad.state, bad.agency) == (EdxmlState.REFUSED, BINH_DINH)
    assert node.node.blobs.read(bad.sha256) == b"<html>502</html>"
    (incident,) = incidents.open_incidents()
    assert (incident.code, incident.parameters["document_id"]) == ("edxml_refused", "bad")
    (good,) = edxml.find(Direction.IN, MINISTRY, _ID)
    assert (good.state, good.agency) == (EdxmlState.RECEIVED, BINH_DINH)


def test_a_sender_that_nobody_knows_is_an_incident_with_the_file(
    node: OneNode, axis: MockAxis
) -> None:
    axis.sender = "000.00.00.X99"
    axis.files = {"doc-1": _letter(_CALLED)}
    assert _fetch(node)
    axis.reported.clear()
    _fetch(node)  # listed again: kept once
    assert [one.code for one in incidents.open_incidents()] == ["sender_unknown"]
    assert len(edxml.find(Direction.IN, axis.sender, "doc-1")) == 1


def test_each_addressee_of_this_node_gets_the_letter(node: OneNode, axis: MockAxis) -> None:
    axis.files = {"doc-1": _letter("000.99.99.G01", _CALLED, HOA_BINH)}
    _fetch(node)
    axis.reported.clear()
    _fetch(node)
    found = edxml.find(Direction.IN, MINISTRY, _ID)
    assert {one.agency for one in found} == {BINH_DINH, HOA_BINH}
    assert len(found) == 2
    with pytest.raises(LetterUnplaced):
        report_by_hand(node.node, _ID, StatusCode.FINISHED.value)


def test_a_status_speaks_in_the_name_that_the_axis_knows(node: OneNode, axis: MockAxis) -> None:
    axis.files = {"doc-1": _letter(_CALLED)}
    _fetch(node)
    node.drain()
    assert PostOffice(node.node).report_all().done == 1
    sent = read_edxml(axis.files["doc-2"]).header
    assert isinstance(sent, StatusHeader)
    said = (sent.sender.organ_id, sent.response_for.document_id, sent.status_code)
    assert said == (_CALLED, _ID, StatusCode.ACCEPTED.value)


def test_a_status_that_names_only_the_number_finds_its_letter(
    node: OneNode, axis: MockAxis
) -> None:
    axis.files = {"doc-1": _letter(_CALLED)}
    _fetch(node)
    node.drain()
    (stored,) = edxml.find(Direction.IN, MINISTRY, _ID)
    assert stored.message is not None
    held = inbox.get(stored.message).dossier
    assert held is not None
    node.answer_letter(dossiers.get(held).code)
    (ours,) = edxml.letters_to(MINISTRY, limit=9)
    number = ours.document_id.split(",")[2]
    status = StatusHeader(
        sender=Organ(organ_id=MINISTRY),
        response_for=ResponseFor(document_id="?"),
        status_code="04",
        timestamp="2026/11/03 09:00:00",
    )
    content = write_edxml(EdxmlFile(header=status)).replace(
        b"<edXML:DocumentId>?</edXML:DocumentId>", f"<edXML:Code>{number}</edXML:Code>".encode()
    )
    axis.files = {"status": content}
    assert _fetch(node)
    assert axis.reported["status"] == "done"
    assert "letter_status" in [entry.kind for entry in history.of_dossier(held)]
    assert edxml.letters_to(MINISTRY, limit=9)[0].status == "04"


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        (Action.RECALL, BusinessKind.REVOKE),
        (Action.UPDATE, BusinessKind.UPDATE),
        (Action.REPLACE, BusinessKind.REPLACE),
    ],
)
def test_what_is_said_about_an_earlier_letter_travels_as_its_kind(
    node: OneNode, axis: MockAxis, action: Action, kind: BusinessKind
) -> None:
    axis.files = {"doc-1": _letter(_CALLED)}
    _fetch(node)
    node.drain()
    (stored,) = edxml.find(Direction.IN, MINISTRY, _ID)
    assert stored.message is not None
    held = inbox.get(stored.message).dossier
    assert held is not None
    node.answer_letter(dossiers.get(held).code)
    (sent,) = outbox.of_dossier(held)
    (first,) = edxml.letters_to(MINISTRY, limit=9)
    if action is Action.RECALL:
        supersede.recall(node.node, sent.message.id, reason="Ghi nhầm ngày", by="operator")
    else:
        supersede.amend(node.node, sent.message.id, action=action, by="operator")
    node.drain()
    told = read_edxml(axis.files[f"doc-{len(axis.files)}"])
    business = told.trace.business
    assert business.kind == kind.value
    named = business.replacements[0] if kind is BusinessKind.REPLACE else business
    assert named.document_id == first.document_id
    assert isinstance(told.header, MessageHeader)
    assert told.header.document_id != first.document_id
    assert (business.reason == "Ghi nhầm ngày") is (kind is BusinessKind.REVOKE)
    assert bool(told.attachments) is (kind is not BusinessKind.REVOKE)
    last = outbox.of_dossier(held)[-1]
    assert last.message.state is MessageState.SENT
