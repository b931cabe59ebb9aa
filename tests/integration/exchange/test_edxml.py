"""A ministry that speaks edXML only: letters both ways, their fates, and what is proved by whom."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.edxml.document_client import DocumentAccount, DocumentClient
from connectors.edxml.document_server import DocumentServer
from connectors.edxml.model import (
    Attachment,
    Business,
    BusinessKind,
    Code,
    EdxmlFile,
    MessageHeader,
    Organ,
    ResponseFor,
    StatusCode,
    StatusHeader,
    TraceHeaderList,
)
from connectors.errors import EdxmlCallRefused
from connectors.http import HttpClient, only_hosts
from dossier.directory import ANY, AccessRule, Channel
from dossier.envelope import Assurance
from dossier.ids import AgencyCode
from dossier.model import Direction, Dossier, MessageState
from dossier.report import Answer
from dossier.wire import WireEndpoint, WireReply, WireRequest
from exchange import sequence, supersede
from exchange.edxml.accounts import read_configuration
from exchange.edxml.fetch import fetch_all
from exchange.edxml.office import NodeOffice
from exchange.edxml.post import PostOffice, report_by_hand
from exchange.edxml.rounds import make_round
from exchange.export import export
from exchange.sweep import forget_connection
from exchange.verify import TrustFiles, given_of, judge_bytes
from storage import cases, documents, dossiers, edxml, history, inbox, incidents, outbox
from storage.edxml import EdxmlKind, EdxmlState
from tests.builders.document_office import MemoryOffice
from tests.builders.exchange import LETTER, OneNode
from tests.builders.wire_server import served

MINISTRY = AgencyCode("000.00.00.G22")
BINH_DINH = AgencyCode("000.00.00.H08")
HOA_BINH = AgencyCode("000.00.00.H28")
_DOCUMENT_ID = f"{MINISTRY},2026/11/02,7816/VPCP-KSTT"
_LETTER = MessageHeader(
    sender=Organ(organ_id=MINISTRY, name="Văn phòng Chính phủ"),
    to=(Organ(organ_id=BINH_DINH),),
    document_id=_DOCUMENT_ID,
    code=Code(number="7816", notation="VPCP-KSTT"),
    subject="V/v kiểm soát thủ tục hành chính",
)
_PDF = b"%PDF-1.4\n%%EOF\n"


@pytest.fixture
def ministry(one: OneNode, monkeypatch: pytest.MonkeyPatch) -> OneNode:
    """Let the directory know a ministry whose system speaks dialect A, and let it call us."""
    known = one.node.directory()
    like = known.find(BINH_DINH)
    assert like is not None
    channel = Channel(kind="edxml_a", assurance=Assurance.CHANNEL)
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
    token = hashlib.sha256(b"secret").hexdigest()
    _configure(
        one,
        f'[[caller]]\norgan_id = "{MINISTRY}"\ntoken_sha256 = "{token}"\n'
        '[letter]\nprocedure = "official-letter"\nmessage_type = "letter"\n'
        '[letter.values]\nletter_number = "code"\nletter_subject = "subject"\n',
    )
    return one


def _configure(one: OneNode, text: str) -> None:
    one.node.settings.edxml.write_text(text, "utf-8")


@pytest.fixture(autouse=True)
def forgotten(one: OneNode) -> Iterator[None]:
    yield
    one.node.settings.edxml.unlink(missing_ok=True)


def _served(one: OneNode) -> WireEndpoint:
    server = DocumentServer(NodeOffice(one.node, read_configuration(one.node.settings.edxml)))

    def answer(request: WireRequest) -> WireReply:
        try:
            return server(request)
        finally:
            forget_connection()  # of the server's thread, as the web server does

    return answer


def _client(address: str) -> DocumentClient:
    account = DocumentAccount(address=address, organ_id=MINISTRY, token="secret")
    return DocumentClient(account, http=HttpClient(may_call=only_hosts("127.0.0.1")))


def _letter(kind: BusinessKind = BusinessKind.NEW, *, header: MessageHeader = _LETTER) -> EdxmlFile:
    business = Business(document_id=_DOCUMENT_ID, kind=kind.value, reason="Ghi nhầm ngày")
    return EdxmlFile(
        header=header,
        trace=TraceHeaderList(business=business),
        attachments=(Attachment(name="công văn.pdf", content=_PDF),),
    )


def _opened(one: OneNode) -> Dossier:
    one.drain()
    (stored,) = edxml.find(Direction.IN, MINISTRY, _DOCUMENT_ID)
    assert stored.message is not None
    held = inbox.get(stored.message).dossier
    assert held is not None
    return dossiers.get(held)


def test_a_letter_opens_a_dossier_and_the_reply_is_fetched(ministry: OneNode) -> None:
    with served(_served(ministry)) as address:
        client = _client(address)
        assert client.send(_letter()) == client.send(_letter())  # the same letter, once
        held = _opened(ministry)
        assert cases.values(held.id)["letter_number"] == "7816/VPCP-KSTT"
        names = {one.name for one in documents.of_dossier(held.id)}
        assert names == {"công văn.pdf", "edxml.mime"}
        assert [one.status_code for one in client.traces().statuses] == [StatusCode.ACCEPTED.value]

        ministry.answer_letter(held.code)
        (waiting,) = client.pending()
        reply = client.fetch(waiting).file
        assert isinstance(reply.header, MessageHeader)
        assert reply.header.response_for[0].document_id == _DOCUMENT_ID
        assert reply.attachments[0].content is not None
        client.confirm(waiting)
        assert client.pending() == ()
        (sent,) = outbox.of_dossier(held.id)
        assert sent.message.state is MessageState.SENT

        status = StatusHeader(
            sender=Organ(organ_id=MINISTRY),
            response_for=ResponseFor(document_id=reply.header.document_id),
            status_code=StatusCode.ACCEPTED.value,
            timestamp="2026/11/03 09:00:00",
        )
        client.update(status)
        client.update(status)
        kinds = [entry.kind for entry in history.of_dossier(held.id)]
        assert kinds.count("letter_status") == 1
        assert kinds.count("letter_sent") == 1
        ministry.drain()
        assert [one.status_code for one in client.traces().statuses] == [StatusCode.FINISHED.value]
    assert incidents.count_open() == 0


def test_what_is_exported_proves_the_receipt_and_not_the_sender(ministry: OneNode) -> None:
    with served(_served(ministry)) as address:
        _client(address).send(_letter())
    held = _opened(ministry)
    while sequence.sequence_log(ministry.node).done:
        pass
    bundle = export(ministry.node, held, at=ministry.node.now())
    anchor = str(ministry.home.evidence / "anchor.pem")
    given = given_of(TrustFiles(anchors=(anchor,)))
    report = judge_bytes(bundle, name="letter.asice", given=given, at=ministry.node.now())
    (message,) = report.messages
    codes = {reason.code for reason in message.reasons}
    assert report.indication is Answer.INDETERMINATE, codes
    assert "sender_not_proved" in codes


def test_a_letter_of_ours_is_answered_in_its_own_matter(ministry: OneNode) -> None:
    from exchange import submit  # noqa: PLC0415 - the builder's method of this name is fixed

    opened = submit.submit(
        ministry.node,
        ministry.actor("hb.chuyenvien"),
        procedure="official-letter",
        agency=HOA_BINH,
        subject="V/v xin ý kiến",
        addressee=MINISTRY,
    )
    ministry.drain()
    code = dossiers.get(opened).code
    ministry.do("hb.chuyenvien", code, "draft_letter", LETTER)
    ministry.do("hb.lanhdao", code, "sign_letter")
    ministry.do("hb.vanthu", code, "number_letter")
    with served(_served(ministry)) as address:
        client = _client(address)
        (waiting,) = client.pending()
        asked = client.fetch(waiting).file.header
        assert isinstance(asked, MessageHeader)
        client.confirm(waiting)
        answer = replace(
            _letter(),
            header=replace(
                _LETTER,
                to=(Organ(organ_id=HOA_BINH),),
                response_for=(ResponseFor(document_id=asked.document_id),),
            ),
        )
        client.send(answer)
    ministry.drain()
    assert "register_reply" in ministry.open_tasks(code)
    (received,) = inbox.of_dossier(opened)
    assert received.assurance is Assurance.CHANNEL


def test_a_letter_that_nobody_fetched_is_withdrawn(ministry: OneNode) -> None:
    with served(_served(ministry)) as address:
        client = _client(address)
        client.send(_letter())
        held = _opened(ministry)
        ministry.answer_letter(held.code)
        (waiting,) = client.pending()
        (sent,) = outbox.of_dossier(held.id)
        supersede.recall(ministry.node, sent.message.id, reason="Ghi nhầm", by="operator")
        ministry.drain()
        assert client.pending() == ()
        with pytest.raises(EdxmlCallRefused):
            client.fetch(waiting)
    assert edxml.letters_to(MINISTRY, limit=9)[0].state is EdxmlState.WITHDRAWN


@pytest.mark.parametrize("kind", [BusinessKind.REVOKE, BusinessKind.UPDATE])
def test_a_revoked_or_changed_letter_is_told_to_its_dossier(
    ministry: OneNode, kind: BusinessKind
) -> None:
    with served(_served(ministry)) as address:
        client = _client(address)
        client.send(_letter())
        held = _opened(ministry)
        later = replace(_LETTER, document_id=f"{MINISTRY},2026/11/04,7900/VPCP-KSTT")
        client.send(_letter(kind, header=later))
        event = f"letter_{kind.name.lower()}"
        assert event in [entry.kind for entry in history.of_dossier(held.id)]
        assert [one.code for one in incidents.open_incidents()] == [event]
        report_by_hand(ministry.node, _DOCUMENT_ID, StatusCode.TAKE_BACK_AGREED.value)
        fates = {one.response_for.document_id: one.status_code for one in client.traces().statuses}
    assert fates[_DOCUMENT_ID] == StatusCode.TAKE_BACK_AGREED.value


def test_strangers_and_agencies_with_an_address_are_not_let_in(ministry: OneNode) -> None:
    with served(_served(ministry)) as address, pytest.raises(EdxmlCallRefused):
        _client(address).send(_letter(header=replace(_LETTER, sender=Organ(organ_id=HOA_BINH))))
    assert edxml.find(Direction.IN, MINISTRY, _DOCUMENT_ID) == []


def test_a_letter_that_cannot_be_placed_is_kept_with_an_incident(ministry: OneNode) -> None:
    _configure(ministry, "\n".join(ministry.node.settings.edxml.read_text().split("\n")[:3]))
    with served(_served(ministry)) as address:
        client = _client(address)
        with pytest.raises(EdxmlCallRefused):
            client.send(_letter())
        assert [one.status_code for one in client.traces().statuses] == [StatusCode.REFUSED.value]
    (stored,) = edxml.find(Direction.IN, MINISTRY, _DOCUMENT_ID)
    assert stored.state is EdxmlState.REFUSED
    assert ministry.node.blobs.read(stored.sha256)
    assert [one.code for one in incidents.open_incidents()] == ["letter_unplaced"]


def test_a_round_fetches_stores_confirms_and_reports(ministry: OneNode, tmp_path: Path) -> None:
    theirs = MemoryOffice(tokens={MINISTRY: "m", BINH_DINH: "ours"})
    token = tmp_path / "token"
    token.write_text("ours\n", "utf-8")
    with served(DocumentServer(theirs)) as address:
        sender = DocumentClient(
            DocumentAccount(address=address, organ_id=MINISTRY, token="m"),
            http=HttpClient(may_call=only_hosts("127.0.0.1")),
        )
        sender.send(_letter())
        account = (
            f'[[account]]\nagency = "{BINH_DINH}"\ndialect = "a"\naddress = "{address}"\n'
            f'token_file = "{token}"\n'
        )
        _configure(ministry, account + ministry.node.settings.edxml.read_text())
        make_round(ministry.node)
        assert make_round(ministry.node).done == 0  # not due again yet
        assert theirs.waiting[BINH_DINH] == []
        held = _opened(ministry)
        PostOffice(ministry.node).report_all()
        told = [one.status_code for one in theirs.statuses]
        assert told == [StatusCode.ARRIVED.value, StatusCode.ACCEPTED.value]
        ministry.answer_letter(held.code)
        assert theirs.waiting[MINISTRY] == ["2"]  # the reply went to the service we call
        (sent,) = outbox.of_dossier(held.id)
        assert sent.message.state is MessageState.SENT
        found = edxml.of_message(sent.message.id)
        assert found is not None
        assert (found.peer_ref, found.kind) == ("2", EdxmlKind.NEW)
        PostOffice(ministry.node).report_all()
        assert theirs.statuses[-1].status_code == StatusCode.FINISHED.value

        # What the addressee makes of our letter, by the number that its service gave it.
        status = StatusHeader(
            sender=Organ(organ_id=MINISTRY),
            response_for=ResponseFor(organ_id=BINH_DINH, document_id="2"),
            status_code=StatusCode.PROCESSING.value,
            timestamp="2026/11/04 08:00:00",
        )
        unknown = replace(status, response_for=ResponseFor(organ_id=BINH_DINH, document_id="77"))
        theirs.statuses = [status, unknown]
        configuration = read_configuration(ministry.node.settings.edxml)
        assert fetch_all(ministry.node, configuration).done == 2
        theirs.statuses = [replace(status, timestamp="2026/11/04 09:00:00"), unknown]
        fetch_all(ministry.node, configuration)  # told again, at another time
    kinds = [entry.kind for entry in history.of_dossier(held.id)]
    assert kinds.count("letter_status") == 1
    assert [one.code for one in incidents.open_incidents()] == ["letter_unplaced"]
    assert len(edxml.find(Direction.IN, MINISTRY, "77")) == 1
