"""edXML, dialect A: the eight operations both ways, as deployed .NET and Java peers speak them."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from connectors.edxml import dialect_a, document_calls
from connectors.edxml.document_client import DocumentAccount, DocumentClient
from connectors.edxml.document_server import DocumentServer
from connectors.edxml.mime import MimeMessage, read_mime, write_mime
from connectors.edxml.model import (
    Attachment,
    Code,
    EdxmlFile,
    MessageHeader,
    Organ,
    Promulgation,
    Repair,
    ResponseFor,
    StatusCode,
    StatusHeader,
)
from connectors.errors import (
    EdxmlCallRefused,
    EdxmlFieldTooLong,
    EdxmlIncomplete,
    EdxmlRefused,
    HttpRefused,
    PartnerAnswerRefused,
)
from connectors.http import HttpClient, only_hosts
from connectors.multipart import Source
from dossier.wire import WireReply, WireRequest
from tests.builders.document_office import MemoryOffice
from tests.builders.wire_server import served

_HERE = "000.00.00.H28"
_THERE = "000.00.00.H08"
_PDF = b"%PDF-1.7 \r\n\x00 binary" * 40
_HEADER = MessageHeader(
    sender=Organ(organ_id=_HERE, name="UBND tỉnh Hòa Bình"),
    to=(Organ(organ_id=_THERE),),
    document_id=f"{_HERE},2022/04/20,512/UBND-NC",
    code=Code(number="512", notation="UBND-NC"),
    promulgation=Promulgation(place="Hòa Bình", date="2022/04/20"),
    subject="V/v học tập kinh nghiệm <“một cửa” & IOC>",
    due_date="2022/05/01",
    response_for=(ResponseFor(document_id="x", promulgation_date="2022/04/01"),),
)
_LETTER = EdxmlFile(
    header=_HEADER,
    attachments=(Attachment(name="công văn.pdf", description="bản chính", content=_PDF),),
)
_STATUS = StatusHeader(
    sender=Organ(organ_id=_THERE),
    response_for=ResponseFor(organ_id=_HERE, document_id=f"{_HERE},2022/04/20,512/UBND-NC"),
    status_code=StatusCode.ACCEPTED.value,
    timestamp="2022/04/20 10:00:00",
)
# As a deployed .NET client asks: spacing, no brackets at start, the token said twice.
_DOTNET = (
    "--Boundary\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
    "Content-ID:<Start>\r\n\r\n"
    '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/">'
    '<SOAP-ENV:Header><Token xmlns="http://e-doc.vn/xsd">secret-here</Token></SOAP-ENV:Header>'
    "<SOAP-ENV:Body><GetOrganizations><Token>secret-here</Token>"
    f"<OrganId>{_HERE}</OrganId></GetOrganizations></SOAP-ENV:Body></SOAP-ENV:Envelope>"
    "\r\n\r\n--Boundary--\r\n"
)
_DOTNET_TYPE = 'multipart/related;type="text/xml";boundary="Boundary";start="Start"'


@pytest.fixture
def office() -> MemoryOffice:
    return MemoryOffice(tokens={_HERE: "secret-here", _THERE: "secret-there"})


@pytest.fixture
def address(office: MemoryOffice) -> Iterator[str]:
    with served(DocumentServer(office)) as running:
        yield running


def _client(address: str, organ_id: str = _HERE, token: str = "secret-here") -> DocumentClient:
    account = DocumentAccount(address=address, organ_id=organ_id, token=token)
    return DocumentClient(account, http=HttpClient(may_call=only_hosts("127.0.0.1")))


def _asked(server: DocumentServer, body: bytes, content_type: str, action: str = "") -> WireReply:
    headers = {"content-type": content_type, "soapaction": action}
    return server(
        WireRequest(
            method="POST", path="/", query="", headers=headers, stream=BytesIO(body), peer="test"
        )
    )


def _errors(reply: WireReply) -> list[str]:
    message = read_mime(
        reply.headers["Content-Type"], Source(BytesIO(b"".join(reply.body))), limit_bytes=10**6
    )
    content = dialect_a.read_envelope(message.envelope).content
    assert content is not None
    return [error.code for error in document_calls.read_errors(content)]


def _message(file: EdxmlFile, *, token: str = "") -> MimeMessage:
    body = dialect_a.write_letter(file, token=token)
    return read_mime(body.content_type, Source(BytesIO(body.content)), limit_bytes=10**7)


def test_a_letter_is_sent_polled_fetched_confirmed_and_its_fate_told(
    address: str, office: MemoryOffice
) -> None:
    sender, receiver = _client(address), _client(address, _THERE, "secret-there")
    document_id = sender.send(_LETTER)
    assert receiver.pending() == (document_id,)
    fetched = receiver.fetch(document_id)
    assert fetched.file.header == _LETTER.header
    assert [one.content for one in fetched.file.attachments] == [_PDF]
    assert receiver.pending() == (document_id,)  # until it is confirmed
    receiver.confirm(document_id)
    receiver.confirm(document_id)
    assert receiver.pending() == ()
    receiver.update(_STATUS)
    assert sender.traces().statuses == (_STATUS,)
    sender.check_permission()
    assert [one.organ_id for one in sender.organizations()] == [_HERE, _THERE]
    # What came is kept bit for bit.
    received = office.received[0]
    again = read_mime(received.content_type, Source(BytesIO(received.content)), limit_bytes=10**7)
    assert dialect_a.read_file(again) == received.file


def test_dates_travel_as_the_peers_write_them() -> None:
    message = _message(_LETTER)
    assert "<edXML:PromulgationDate>20/04/2022<" in message.envelope.decode()
    assert "<edXML:DueDate>01/05/2022<" in message.envelope.decode()
    assert dialect_a.read_file(message).header == _LETTER.header


def test_the_wire_form_is_what_deployed_peers_look_for() -> None:
    body = dialect_a.write_letter(_LETTER, token="t")
    text = body.content.decode("utf-8", "replace")
    assert 'start="Start"' in body.content_type and "start-info" not in body.content_type
    assert re.search(r"<([^>]*)Envelope([^<]*)>[\S\s]*?</([^<]*):Envelope>", text)
    assert "Content-ID:<Start>" in text and "Content-Transfer-Encoding: BASE64" in text
    assert (
        '<edXML:MessageHeader ImmediateResponseRequired="true" OriginalBodyRequested="false">'
        in (text)
    )
    assert '<edXML:Reference xlink:href="cid:file-1">' in text
    assert '<Token xmlns="http://e-doc.vn/xsd">t</Token>' in text


def test_a_dotnet_client_reads_the_organs(office: MemoryOffice) -> None:
    reply = _asked(
        DocumentServer(office), _DOTNET.encode(), _DOTNET_TYPE, action="GetOrganizations"
    )
    text = b"".join(reply.body).decode()
    found = re.search(r"<([^>]*)Envelope([^<]*)>[\S\s]*?</([^<]*):Envelope>", text)
    assert found is not None
    root = etree.fromstring(found.group(0).encode())
    named = root.findall(f".//{{{dialect_a.NAMESPACE}}}GetOrganizationsResponse")
    assert len(named) == 1 and len(named[0].findall(".//{*}OrganId")) == 2


@pytest.mark.parametrize("token", ["", "secret-there", "secret-her"])
def test_a_wrong_token_opens_nothing(address: str, office: MemoryOffice, token: str) -> None:
    client = _client(address, token=token)
    for call in (client.pending, client.organizations, client.check_permission):
        with pytest.raises(EdxmlCallRefused):
            call()
    with pytest.raises(EdxmlCallRefused):
        client.send(_LETTER)
    assert office.received == []


def test_nobody_sends_in_the_name_of_another(address: str, office: MemoryOffice) -> None:
    letter = replace(_LETTER, header=replace(_HEADER, sender=Organ(organ_id=_THERE)))
    with pytest.raises(EdxmlCallRefused, match="success"):
        _client(address).send(letter)
    assert office.received == []


def test_a_status_in_the_name_of_another_is_refused(address: str, office: MemoryOffice) -> None:
    with pytest.raises(EdxmlCallRefused):
        _client(address).update(_STATUS)  # From is the other organ
    assert office.statuses == []


def test_two_tokens_are_one_too_many(office: MemoryOffice) -> None:
    body = _DOTNET.replace("<Token>secret-here<", "<Token>another<").encode()
    reply = _asked(DocumentServer(office), body, _DOTNET_TYPE)
    assert _errors(reply) == ["T.Envelope"]


def test_a_soap_action_that_contradicts_the_body_is_refused(office: MemoryOffice) -> None:
    reply = _asked(DocumentServer(office), _DOTNET.encode(), _DOTNET_TYPE, action='"SendDocument"')
    assert reply.status == 200
    assert _errors(reply) == ["T.Envelope"]


def test_an_unknown_document_is_told_by_a_report(address: str) -> None:
    with pytest.raises(EdxmlCallRefused) as refused:
        _client(address).fetch("99")
    assert refused.value.parameters["peer_code"] == "T.GetDocument"


def test_producers_of_the_first_edition_are_read() -> None:
    envelope = (
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Header>'
        "<edXML:MessageHeader><edXML:From><edXML:OrganId edXML:type='edXMLString'>A</edXML:OrganId>"
        "</edXML:From><edXML:Author><edXML:Function>Giám đốc</edXML:Function>"
        "<edXML:FullName>Trần B</edXML:FullName></edXML:Author>"
        "<edXML:PromulgationInfo><edXML:Date>20/04/2015</edXML:Date></edXML:PromulgationInfo>"
        "<edXML:type><edXML:value>1</edXML:value><edXML:description>Công văn</edXML:description>"
        "</edXML:type></edXML:MessageHeader>"
        "<edXML:TraceHeaderList><edXML:TraceHeader><edXML:Sender>A</edXML:Sender>"
        "</edXML:TraceHeader></edXML:TraceHeaderList></soap:Header>"
        "<soap:Body><edXML:Manifest/></soap:Body></soap:Envelope>"
    )
    file = dialect_a.read_file(MimeMessage(envelope=envelope.encode()))
    header = file.header
    assert isinstance(header, MessageHeader)
    assert (header.signer.position, header.signer.full_name) == ("Giám đốc", "Trần B")
    assert header.promulgation.date == "2015/04/20"
    assert (header.document_type.type, header.document_type.name) == ("1", "Công văn")
    assert file.trace.traces[0].organ_id == "A"
    assert file.repairs == (Repair.PREFIX_DECLARED, Repair.OLD_NAMES)


def test_an_attachment_that_cannot_be_decoded_is_marked_not_lost() -> None:
    body = dialect_a.write_letter(_LETTER)
    broken = body.content.replace(base64.b64encode(_PDF)[:60], b"!" * 60)
    file = dialect_a.read_file(
        read_mime(body.content_type, Source(BytesIO(broken)), limit_bytes=10**6)
    )
    assert file.attachments[0].content is None
    assert file.attachments[0].raw_text.startswith("!!!")
    assert Repair.CONTENT_UNREADABLE in file.repairs


def test_a_reference_without_its_part_is_told() -> None:
    message = _message(_LETTER)
    file = dialect_a.read_file(replace(message, parts={}))
    assert Repair.CONTENT_MISSING in file.repairs
    assert file.attachments[0].content is None


def test_what_peers_refuse_is_not_sent(address: str) -> None:
    without_addressee = replace(_LETTER, header=replace(_HEADER, to=()))
    with pytest.raises(EdxmlIncomplete):
        _client(address).send(without_addressee)
    long_subject = replace(_LETTER, header=replace(_HEADER, subject="x" * 501))
    with pytest.raises(EdxmlFieldTooLong):
        _client(address).send(long_subject)
    with pytest.raises(EdxmlRefused):
        _client(address).send(EdxmlFile(header=_STATUS))


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/html", b"<html/>"),
        ('multipart/related; boundary="b"; start="Start"', b"--b\r\n\r\nx"),
        ('multipart/related; boundary="b"', b"no delimiter"),
        ("text/xml", b"<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>"),
        ("text/xml", b"<a>" * 500),
        ("text/xml; charset=utf-16", b"<a/>"),
    ],
)
def test_what_is_no_call_is_answered_not_obeyed(
    office: MemoryOffice, content_type: str, body: bytes
) -> None:
    reply = _asked(DocumentServer(office), body, content_type)
    text = b"".join(reply.body)
    assert b"root:" not in text and b"Traceback" not in text
    assert reply.status != 200 or b"IsSuccess>false" in text


def test_a_reply_that_is_none_means_call_again(office: MemoryOffice) -> None:
    def nonsense(_request: WireRequest) -> WireReply:
        return WireReply(status=200, headers={"Content-Type": "text/html"}, body=(b"<p>hi</p>",))

    with served(nonsense) as address, pytest.raises(PartnerAnswerRefused):
        _client(address).pending()


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_our_error(content: bytes) -> None:
    body = write_mime(content)
    try:
        dialect_a.read_file(
            read_mime(body.content_type, Source(BytesIO(body.content)), limit_bytes=10_000)
        )
        read_mime('multipart/related; boundary="b"', Source(BytesIO(content)), limit_bytes=10_000)
    except (EdxmlRefused, HttpRefused):
        return
