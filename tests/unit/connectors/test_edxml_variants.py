"""EdXML as other systems write it: each oddity is read, and told, or refused with its reason."""

from __future__ import annotations

import base64
import io
import unicodedata
from collections.abc import Callable

import pytest

from connectors.edxml import dialect_a
from connectors.edxml.mime import read_mime
from connectors.edxml.mime_file import mime_file
from connectors.edxml.model import EdxmlFile, MessageHeader, Repair, StatusHeader
from connectors.edxml.reader import read_edxml
from connectors.errors import EdxmlRefused
from connectors.multipart import Source

_NS = "http://www.mic.gov.vn/TBT/QCVN_102_2016"
_A = "http://www.e-doc.vn/Schema/"
_PDF = b"%PDF-1.4 \r\n\x00\xff"
_LINES = base64.encodebytes(_PDF * 20).decode()
_HEAD = (
    "<edXML:MessageHeader><edXML:From><edXML:OrganId>000.00.00.H28</edXML:OrganId></edXML:From>"
    "<edXML:To><edXML:OrganId>H08.1.2</edXML:OrganId></edXML:To>"
    "<edXML:PromulgationInfo><edXML:PromulgationDate>2026/11/20</edXML:PromulgationDate>"
    "</edXML:PromulgationInfo><edXML:Subject>Về việc xử lý</edXML:Subject></edXML:MessageHeader>"
)
_MANIFEST = (
    "<edXML:Reference><edXML:ContentId>cid:1</edXML:ContentId>"
    "<edXML:AttachmentName>Tờ trình.pdf</edXML:AttachmentName></edXML:Reference>"
)
_FILES = (
    "<AttachmentEncoded><Attachment><ContentId>cid:1</ContentId>"
    "<AttachmentName>Tờ trình.pdf</AttachmentName>"
    f"<ContentTransferEncoded>{base64.b64encode(_PDF).decode()}</ContentTransferEncoded>"
    "</Attachment></AttachmentEncoded>"
)
_FILE = (
    f'<?xml version="1.0" encoding="utf-8"?><edXML xmlns="{_NS}">'
    f'<edXML:edXMLEnvelope xmlns:edXML="{_NS}"><edXML:edXMLHeader>{_HEAD}</edXML:edXMLHeader>'
    f"<edXML:edXMLBody><edXML:edXMLManifest>{_MANIFEST}</edXML:edXMLManifest></edXML:edXMLBody>"
    f"</edXML:edXMLEnvelope>{_FILES}</edXML>"
)
_SOAP = (
    '<soap-env:Envelope xmlns:soap-env="http://schemas.xmlsoap.org/soap/envelope/" '
    f'xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:edXML="{_A}"><soap-env:Header>'
    f"{_HEAD.replace('2026/11/20', '20/11/2026')}</soap-env:Header><soap-env:Body>"
    '<edXML:Manifest><edXML:Reference xlink:href="cid:a%40b"><edXML:AttachmentName>Tờ trình.pdf'
    "</edXML:AttachmentName></edXML:Reference></edXML:Manifest></soap-env:Body></soap-env:Envelope>"
)
_STATUS = (
    f'<edXML xmlns="{_NS}"><edXML:edXMLEnvelope xmlns:edXML="{_NS}"><edXML:edXMLHeader>'
    "<edXML:MessageHeader><edXML:From><edXML:OrganId>H08</edXML:OrganId></edXML:From>"
    "<edXML:ResponseFor><edXML:Code>512/UBND</edXML:Code></edXML:ResponseFor>"
    "<edXML:StatusCode>03</edXML:StatusCode>"
    "<edXML:Timestamp>2026/11/20 08:00:00</edXML:Timestamp></edXML:MessageHeader>"
    "</edXML:edXMLHeader></edXML:edXMLEnvelope></edXML>"
)


def _with(old: str, new: str) -> bytes:
    assert old in _FILE
    return _FILE.replace(old, new).encode()


def _content(text: str) -> bytes:
    return _with(f">{base64.b64encode(_PDF).decode()}<", f">{text}<")


def _moved(outside: str) -> bytes:
    """Return the file with its attachments before `outside` instead of at its end."""
    return _FILE.replace(_FILES, "").replace(outside, _FILES + outside).encode()


_OTHER_EDITION = (
    f'<edXML:edXMLEnvelope xmlns:edXML="http://www.go.vn/eDoc">{_HEAD}<edXML:Attachment>'
    "<edXML:FileName>Tờ trình.pdf</edXML:FileName><edXML:FileType>application/pdf</edXML:FileType>"
    f"<edXML:Content>{base64.b64encode(_PDF).decode()}</edXML:Content></edXML:Attachment>"
    "</edXML:edXMLEnvelope>"
)
_SECOND_DOCUMENT = (
    '<?xml version="1.0"?><edXML:document><edXML:attach><edXML:attachment>'
    f"<name>Tờ trình.pdf</name><value>{base64.b64encode(_PDF).decode()}</value>"
    "</edXML:attachment></edXML:attach></edXML:document>"
)


def _letter(file: EdxmlFile) -> None:
    header = file.header
    assert isinstance(header, MessageHeader)
    assert (header.sender.organ_id, header.to[0].organ_id) == ("000.00.00.H28", "H08.1.2")
    assert (header.promulgation.date, header.subject) == ("2026/11/20", "Về việc xử lý")
    assert [(one.name, one.content) for one in file.attachments] == [("Tờ trình.pdf", _PDF)]


@pytest.mark.parametrize(
    ("content", "repairs"),
    [
        (_FILE.encode("utf-8-sig"), ()),
        (_FILE.replace("><", ">\r\n<").encode(), ()),
        (_FILE.encode() + b"\r\n", ()),
        (_FILE.encode() + bytes(300), (Repair.JUNK_REMOVED,)),
        (_with("2026/11/20", "20/11/2026"), (Repair.DATE_REWRITTEN,)),
        (_with("2026/11/20", "2026-11-19T17:00:00Z"), (Repair.DATE_REWRITTEN,)),
        (_with("2026/11/20", "20-11-2026 08:15"), (Repair.DATE_REWRITTEN,)),
        (_FILE.replace("utf-8", "utf-16").encode("utf-16"), (Repair.ENCODING_CONVERTED,)),
        (_FILE.replace("utf-8", "utf-16").encode("utf-16-be"), (Repair.ENCODING_CONVERTED,)),
        (_with("utf-8", "utf-16"), (Repair.ENCODING_CONVERTED,)),
        (unicodedata.normalize("NFD", _FILE).encode(), (Repair.TEXT_COMPOSED,)),
        (
            _FILE.replace("edXMLEnvelope", "EdxmlEnvelope").replace("OrganId", "organID").encode(),
            (Repair.NAMES_RESPELT,),
        ),
        (_FILE.replace(f'="{_NS}"', '="urn:another"').encode(), ()),
        (_FILE.replace("edXML:", "n1:").replace("xmlns:edXML", "xmlns:n1").encode(), ()),
        (_with("<ContentId>cid:1</ContentId>", "<ContentId>1</ContentId>"), ()),
        (
            _with("<ContentId>cid:1</ContentId>", "<ContentId>cid:9</ContentId>"),
            (Repair.CONTENT_MATCHED,),
        ),
        (_moved("</edXML:edXMLEnvelope>"), (Repair.STRUCTURE_UNUSUAL,)),
        (_moved("</edXML:edXMLBody>"), (Repair.STRUCTURE_UNUSUAL,)),
        (_OTHER_EDITION.encode(), (Repair.OLD_NAMES, Repair.STRUCTURE_UNUSUAL)),
        (
            (_SOAP + _SECOND_DOCUMENT).replace("cid:a%40b", "cid:x").encode(),
            (Repair.DOCUMENTS_JOINED, Repair.PREFIX_DECLARED, Repair.NAMES_RESPELT,
             Repair.OLD_NAMES),
        ),
    ],
)  # fmt: skip
def test_letters_of_other_systems_are_read_and_told(
    content: bytes, repairs: tuple[Repair, ...]
) -> None:
    file = read_edxml(content)
    _letter(file)
    assert set(file.repairs) == set(repairs)


@pytest.mark.parametrize(
    "spell",
    [
        lambda lines: lines.replace("\n", "\r\n"),
        lambda lines: lines.replace("\n", "&#13;\n"),
        lambda lines: lines.replace("\n", "&#xD;\n"),
        lambda lines: f"<![CDATA[{lines}]]>",
    ],
)
def test_base64_is_read_however_its_lines_end(spell: Callable[[str], str]) -> None:
    (attachment,) = read_edxml(_content(spell(_LINES))).attachments
    assert attachment.content == _PDF * 20


def test_more_than_a_text_node_holds_passes_with_marked_line_ends() -> None:
    large = bytes(8_000_000)
    lines = base64.encodebytes(large).decode().replace("\n", "&#13;\n")
    (attachment,) = read_edxml(_content(lines)).attachments
    assert attachment.content == large


def test_two_files_of_one_content_id_are_both_kept() -> None:
    second = "<Attachment><ContentId>cid:1</ContentId><AttachmentName>b.txt</AttachmentName>"
    second += "<ContentTransferEncoded>QUJD</ContentTransferEncoded></Attachment>"
    file = read_edxml(_with("</AttachmentEncoded>", f"{second}</AttachmentEncoded>"))
    assert [one.content for one in file.attachments] == [_PDF, b"ABC"]
    assert Repair.CONTENT_ID_REPEATED in file.repairs


def test_attachments_may_each_declare_the_prefix() -> None:
    one = f'<Attachment xmlns:n="{_NS}x"><AttachmentName>%d</AttachmentName></Attachment>'
    many = "".join(one % number for number in range(150))
    file = read_edxml(_with("</AttachmentEncoded>", f"{many}</AttachmentEncoded>"))
    assert len(file.attachments) == 151


def test_what_an_attachment_lacks_is_told() -> None:
    for content in (_content(""), _FILE.replace(_FILES, "").encode()):
        file = read_edxml(content)
        assert file.repairs == (Repair.CONTENT_MISSING,)
        assert file.attachments[0].content is None


def test_a_date_that_is_none_stays_as_it_was_sent() -> None:
    header = read_edxml(_with("2026/11/20", "32/13/2026")).header
    assert isinstance(header, MessageHeader)
    assert header.promulgation.date == "32/13/2026"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (">03<", ">3<"),
        ("2026/11/20 08:00:00", "20/11/2026 08:00:00"),
        ("2026/11/20 08:00:00", "2026-11-20T01:00:00.123Z"),
        ("512/UBND", "<edXML:CodeNumber>512</edXML:CodeNumber><edXML:CodeNotation>UBND"
         "</edXML:CodeNotation>"),
    ],
)  # fmt: skip
def test_statuses_are_completed(old: str, new: str) -> None:
    file = read_edxml(_STATUS.replace(old, new).encode())
    header = file.header
    assert isinstance(header, StatusHeader)
    said = (header.status_code, header.timestamp, header.response_for.code)
    assert said == ("03", "2026/11/20 08:00:00", "512/UBND")
    assert len(file.repairs) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (_with("Về việc xử lý", "GD & ĐT"), "syntax"),
        (_with("utf-8", "utf-7"), "encoding"),
        (_FILE.encode().replace("ề".encode(), b"\xf2"), "encoding"),
        (_with("<edXML:Subject>", "<a>" * 100 + "</a>" * 100 + "<edXML:Subject>"), "depth"),
        (_with('"utf-8"?>', '"utf-8"?><!DOCTYPE edXML>'), "doctype"),
        (_with("</AttachmentEncoded>", "<Attachment/>" * 201 + "</AttachmentEncoded>"), "count"),
        (b"<html><body>502 Bad Gateway</body></html>", "shape"),
        (b'{"status":"FAIL"}', "shape"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(content: bytes, reason: str) -> None:
    with pytest.raises(EdxmlRefused) as refused:
        read_edxml(content)
    assert refused.value.parameters["reason"] == reason


def _mime(*, head: str = "", file: str = "Content-ID: <a@b>", end: str = "\r\n") -> bytes:
    envelope = "Content-Type: text/xml; charset=utf-8\r\nContent-ID:<Start>"
    parts = [(envelope, _SOAP), (f"{file}\r\nContent-Transfer-Encoding: BASE64", _LINES)]
    body = "".join(f"--B\r\n{headers}\r\n\r\n{content}\r\n" for headers, content in parts)
    return (head + body + "--B--\r\n").replace("\r\n", end).encode()


_TYPE = 'Content-Type: multipart/related; type="text/xml";\r\n boundary=B; start="Start"\r\n\r\n'


@pytest.mark.parametrize(
    ("content", "repairs"),
    [
        (_mime(), []),
        (_mime(head=_TYPE), []),
        (_mime(head=f"POST /edxml HTTP/1.1\r\nHost: x\r\n{_TYPE}"), []),
        (_mime(head="This is a message in MIME.\r\n\r\n"), []),
        (_mime(end="\n"), [Repair.LINE_ENDS_CONVERTED]),
    ],
)
def test_mime_is_found_in_a_file(content: bytes, repairs: list[Repair]) -> None:
    media, body, found = mime_file(content)
    assert found == repairs
    message = read_mime(media, Source(io.BytesIO(body)), limit_bytes=1_000_000)
    file = dialect_a.read_file(message)
    assert [one.content for one in file.attachments] == [_PDF * 20]
    assert file.repairs == ()


def test_a_part_without_an_id_is_joined_by_its_name() -> None:
    named = 'Content-Disposition: attachment; filename="Tờ trình.pdf"'
    media, body, _ = mime_file(_mime(file=named))
    file = dialect_a.read_file(read_mime(media, Source(io.BytesIO(body)), limit_bytes=1_000_000))
    assert [one.content for one in file.attachments] == [_PDF * 20]
    assert file.repairs == (Repair.CONTENT_MATCHED,)
