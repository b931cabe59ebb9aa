"""edXML, dialect B: what peers send is read and every repair told; what we write has one form."""

from __future__ import annotations

import base64
import io
import random
import re
import zipfile
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from connectors.edxml.attachments import pack, safe_name, unpack
from connectors.edxml.model import (
    NAMESPACE,
    Attachment,
    Business,
    BusinessKind,
    Code,
    EdxmlFile,
    LetterDetails,
    MessageHeader,
    Organ,
    Promulgation,
    Repair,
    Replacement,
    ResponseFor,
    Signer,
    Staff,
    StatusCode,
    StatusHeader,
    TraceHeader,
    TraceHeaderList,
)
from connectors.edxml.reader import EdxmlCaps, read_edxml
from connectors.edxml.writer import write_edxml
from connectors.errors import EdxmlFieldTooLong, EdxmlIncomplete, EdxmlRefused
from dossier import safexml
from dossier.texts import Language, known_codes

_PDF = b"%PDF-1.7 \r\n\x00 binary"
_LETTER = EdxmlFile(
    header=MessageHeader(
        sender=Organ(organ_id="000.00.00.H28", name="UBND tỉnh Hòa Bình", email="vt@h28.example"),
        to=(Organ(organ_id="000.00.00.H08"), Organ(organ_id="000.00.12.H08")),
        document_id="000.00.00.H28,2022/04/20,512/UBND-NC",
        code=Code(number="512", notation="UBND-NC"),
        promulgation=Promulgation(place="Hòa Bình", date="2022/04/20"),
        subject="V/v học tập kinh nghiệm <“một cửa” & IOC>",
        signer=Signer(position="Phó Chủ tịch", full_name="Nguyễn Văn A"),
        other=LetterDetails(priority="0", appendixes=("Phụ lục 1", "Phụ lục 2")),
        response_for=(ResponseFor(organ_id="000.00.00.H08", code="1/UBND"),),
        steering_type="1",
        to_places=("Như trên", "Lưu VT"),
        task_codes=("T1",),
    ),
    trace=TraceHeaderList(
        business=Business(
            kind=BusinessKind.REPLACE.value,
            replacements=(Replacement(document_id="x", organ_ids=("000.00.00.H08",)),),
            staff=Staff(staff="Trần B", mobile="0900000000"),
        ),
        traces=(TraceHeader(organ_id="000.00.00.H28", timestamp="2022/04/20 09:00:00"),),
    ),
    attachments=(
        Attachment(name="công văn.pdf", description="bản chính", content=_PDF),
        Attachment(name="phụ lục.docx", content=pack("a", b"1")[:0] + b"plain"),
    ),
)
_STATUS = EdxmlFile(
    header=StatusHeader(
        sender=Organ(organ_id="000.00.00.H08"),
        response_for=ResponseFor(document_id="000.00.00.H28,2022/04/20,512/UBND-NC"),
        status_code=StatusCode.ACCEPTED.value,
        timestamp="2022/04/20 10:00:00",
    ),
)


def test_what_is_written_is_read_back() -> None:
    for written in (_LETTER, _STATUS):
        read = read_edxml(write_edxml(written))
        assert read.header == written.header
        assert read.trace == written.trace
        assert [(one.name, one.content) for one in read.attachments] == [
            (one.name, one.content) for one in written.attachments
        ]
        assert read.repairs == ()


def test_writing_keeps_the_prefixes_and_the_order_that_peers_need() -> None:
    written = write_edxml(_LETTER)
    for literal in (
        f'<edXML xmlns="{NAMESPACE}"><edXML:edXMLEnvelope xmlns:edXML="{NAMESPACE}">',
        "<edXML:edXMLHeader><edXML:MessageHeader><edXML:From><edXML:OrganId>",
        '<edXML:edXMLBody><edXML:edXMLManifest version="1.0"><edXML:Reference>',
        "</edXML:edXMLEnvelope><AttachmentEncoded><Attachment><ContentId>cid:1</ContentId>",
        f'<edXML:ContentTransferEncoded xmlns:edXML="{NAMESPACE}">',
        "<edXML:TraceHeaderList><edXML:Bussiness>",
    ):
        assert literal.encode() in written
    names = re.findall(rb"<edXML:(From|To|DocumentId|Code|Subject|ToPlaces)>", written)
    assert names[:6] == [b"From", b"To", b"To", b"DocumentId", b"Code", b"Subject"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"subject": ""}, EdxmlIncomplete),
        ({"document_id": ""}, EdxmlIncomplete),
        ({"to": ()}, EdxmlIncomplete),
        ({"to": (Organ(organ_id="A"), Organ(organ_id="a"))}, EdxmlIncomplete),
        ({"sender": Organ()}, EdxmlIncomplete),
        ({"subject": "x" * 501}, EdxmlFieldTooLong),
        ({"code": Code(number="1" * 12)}, EdxmlFieldTooLong),
        ({"to_places": ("x" * 151,)}, EdxmlFieldTooLong),
    ],
)
def test_what_peers_refuse_is_not_written(changes: dict[str, Any], error: type[Exception]) -> None:
    assert isinstance(_LETTER.header, MessageHeader)
    header = replace(_LETTER.header, **changes)
    with pytest.raises(error):
        write_edxml(replace(_LETTER, header=header))


def test_a_status_needs_its_code_document_and_time() -> None:
    assert isinstance(_STATUS.header, StatusHeader)
    header = _STATUS.header
    for missing in (replace(header, status_code=""), replace(header, timestamp="")):
        with pytest.raises(EdxmlIncomplete):
            write_edxml(replace(_STATUS, header=missing))


def test_children_are_read_in_any_order() -> None:
    root = safexml.parse(write_edxml(_LETTER).partition(b"?>\n")[2])
    shuffle = random.Random(1).shuffle
    for node in root.iter():
        if etree.QName(node).localname in ("MessageHeader", "From", "Bussiness", "Attachment"):
            children = list(node)
            shuffle(children)
            node[:] = children
    read = read_edxml(etree.tostring(root))
    assert isinstance(read.header, MessageHeader)
    assert isinstance(_LETTER.header, MessageHeader)
    assert read.header.code == _LETTER.header.code
    assert {organ.organ_id for organ in read.header.to} == {"000.00.00.H08", "000.00.12.H08"}
    assert read.attachments[0].content == _PDF


def _sample(
    *, root: str = "", between: str = "", content: bytes | str = b"", **names: str
) -> bytes:
    text = content if isinstance(content, str) else base64.b64encode(content).decode()
    reference = names.get("reference", "cid:1")
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\r\n<edXML xmlns="{NAMESPACE}"{root}>\r\n'
        f'<edXML:edXMLEnvelope xmlns:edXML="{NAMESPACE}"><edXML:edXMLHeader>'
        "<edXML:MessageHeader><edXML:From><edXML:OrganName/><edXML:OrganId>28.22.H17"
        "</edXML:OrganId><edXML:Unknown>N/A</edXML:Unknown></edXML:From><edXML:ResponseFor/>"
        f"</edXML:MessageHeader>{between}</edXML:edXMLHeader><edXML:edXMLBody>"
        f"<edXML:edXMLManifest><edXML:Reference><ContentId>{reference}</ContentId>"
        f"<AttachmentName>{names.get('name', 'a.pdf')}</AttachmentName></edXML:Reference>"
        "</edXML:edXMLManifest></edXML:edXMLBody></edXML:edXMLEnvelope>\r\n<AttachmentEncoded>"
        f"<Attachment><ContentType>text/plain</ContentType><ContentId>1</ContentId>"
        f"<ContentTransferEncoded>{text}</ContentTransferEncoded></Attachment>"
        "</AttachmentEncoded></edXML>\r\n"
    ).encode()


def test_missing_and_empty_are_the_same() -> None:
    read = read_edxml(_sample(content=_PDF))
    assert isinstance(read.header, MessageHeader)
    assert read.header.sender == Organ(organ_id="28.22.H17")
    assert read.header.response_for == ()
    assert read.header.subject == ""
    assert read.repairs == ()


def test_references_and_contents_are_joined_with_and_without_cid() -> None:
    (attachment,) = read_edxml(_sample(content=_PDF)).attachments
    assert (attachment.name, attachment.content_type) == ("a.pdf", "text/plain")
    assert attachment.content == attachment.transferred == _PDF


@pytest.mark.parametrize(
    ("content", "repair"),
    [
        (b"1212" + _sample(content=_PDF), Repair.JUNK_REMOVED),
        (_sample(between="<!-- x --><?y z?>", content=_PDF), Repair.COMMENTS_REMOVED),
        (
            _sample(between='<edXML:a xlink:href="b"/>', content=_PDF),
            Repair.PREFIX_DECLARED,
        ),
        (_sample(content="not base64!"), Repair.CONTENT_UNREADABLE),
        (_sample(content=_PDF, reference="cid:other"), Repair.CONTENT_MATCHED),
        (_sample(content=_PDF, name="../../etc/passwd"), Repair.NAME_REPLACED),
        (_sample(content=b"PK\x03\x04 broken"), Repair.ARCHIVE_REFUSED),
    ],
)
def test_deviations_are_put_up_with_and_told(content: bytes, repair: Repair) -> None:
    read = read_edxml(content)
    assert repair in read.repairs
    assert isinstance(read.header, MessageHeader)
    assert read.header.sender.organ_id == "28.22.H17"


def test_a_prefix_that_is_declared_nowhere_is_known() -> None:
    content = _sample(content=_PDF).replace(f' xmlns:edXML="{NAMESPACE}"'.encode(), b"")
    read = read_edxml(content)
    assert read.repairs == (Repair.PREFIX_DECLARED,)
    assert isinstance(read.header, MessageHeader)
    assert read.header.sender.organ_id == "28.22.H17"


def test_unreadable_content_is_kept_as_it_stood() -> None:
    (attachment,) = read_edxml(_sample(content="AAA*")).attachments
    assert (attachment.content, attachment.raw_text) == (None, "AAA*")


def test_a_signature_is_seen_and_proves_nothing() -> None:
    assert read_edxml(_sample(between="<edXML:Signature/>", content=_PDF)).has_signature


def test_large_attachments_pass_the_text_limit_of_the_parser() -> None:
    content = bytes(12_000_000)
    (attachment,) = read_edxml(_sample(content=content)).attachments
    assert attachment.content == content


_SOAP_REPORT = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:x="http://edxml.gov.vn/schema"><e:Header><x:MessageHeader><x:From>H28</x:From>'
    "<x:Subject>AV</x:Subject></x:MessageHeader>"
    '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/></e:Header>'
    "<e:Body><x:Report>ok</x:Report></e:Body></e:Envelope>"
)
_BARE_REPORT = (
    f'<edXMLEnvelope xmlns="{NAMESPACE}"><edXMLHeader><MessageHeader><From>H28</From>'
    "<Subject>AV</Subject></MessageHeader><Signature/></edXMLHeader>"
    "<edXMLBody><AVReport>ok</AVReport></edXMLBody></edXMLEnvelope>"
)


@pytest.mark.parametrize("text", [_SOAP_REPORT, _BARE_REPORT])
def test_reports_of_dialect_c_are_read_and_never_written(text: str) -> None:
    read = read_edxml(text.encode())
    assert isinstance(read.header, MessageHeader)
    assert (read.header.sender.organ_id, read.header.subject) == ("H28", "AV")
    assert read.report.endswith(b"Report>")
    assert read.has_signature
    with pytest.raises(EdxmlIncomplete):
        write_edxml(read)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no xml at all",
        b"x" * 65 + _sample(),
        _sample().replace(b"<edXML xmlns", b"<!DOCTYPE a><edXML xmlns"),
        _sample(between="<other:a/>"),
        b"<a/>",
        b"<edXMLEnvelope/>",
        b"<edXMLEnvelope><edXMLHeader/></edXMLEnvelope>",
        _sample(between="<a>" * 100 + "</a>" * 100),
        _sample().replace(b"utf-8", b"utf-7"),
    ],
)
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(EdxmlRefused):
        read_edxml(content)


def test_files_and_attachments_have_caps() -> None:
    with pytest.raises(EdxmlRefused):
        read_edxml(_sample(content=_PDF), caps=EdxmlCaps(file_bytes=100))
    many = "".join(f"<Attachment><ContentId>{n}</ContentId></Attachment>" for n in range(300))
    with pytest.raises(EdxmlRefused):
        read_edxml(_sample().replace(b"<AttachmentEncoded>", f"<AttachmentEncoded>{many}".encode()))


def _zip(*entries: tuple[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return written.getvalue()


def test_one_layer_of_one_entry_is_unpacked() -> None:
    inner = _zip(("x", b"y"))
    assert unpack(_zip(("../../evil", _PDF)), limit_bytes=100).content == _PDF
    assert unpack(_zip(("a.zip", inner)), limit_bytes=1_000).content == inner
    two = _zip(("a", b"1"), ("b", b"2"))
    assert unpack(two, limit_bytes=100).content == two
    assert unpack(_PDF, limit_bytes=1).content == _PDF


def test_bombs_and_false_sizes_stay_packed() -> None:
    bomb = _zip(("bomb", bytes(30_000_000)))
    assert unpack(bomb, limit_bytes=1 << 30).was_refused
    assert unpack(_zip(("a", b"12345")), limit_bytes=4).was_refused
    broken = bytearray(_zip(("a", b"12345")))
    broken[broken.index(b"PK\x01\x02") + 16] ^= 0xFF  # the checksum in the central directory
    assert unpack(bytes(broken), limit_bytes=100).content == bytes(broken)


def test_archives_with_false_offsets_stay_packed() -> None:
    # Found by fuzzing: zipfile seeks to a negative place when bytes are missing before its end.
    whole = pack("a.pdf", b"%PDF")
    for cut in range(4, len(whole)):
        packed = whole[:cut] + whole[cut + 3 :]
        assert unpack(packed, limit_bytes=100).content in (packed, b"%PDF", b"%PD")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Công văn số 1.pdf", "Công văn số 1.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\a.doc", "a.doc"),
        ("a\x00b\r\n.pdf", "ab.pdf"),
        ("a\u202efdp.exe", "afdp.exe"),
        ("CON.txt", "attachment-7"),
        ("..", "attachment-7"),
        ("", "attachment-7"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
    ],
)
def test_names_are_never_paths(name: str, safe: str) -> None:
    assert safe_name(name, number=7) == safe


@given(content=st.binary(max_size=300))
def test_any_bytes_are_a_file_or_our_error(content: bytes) -> None:
    for tried in (content, _sample(between="").replace(b"N/A", content)):
        try:
            read_edxml(tried)
        except EdxmlRefused:
            continue


def test_every_repair_has_its_sentence() -> None:
    for language in Language:
        assert known_codes("repair", language) == {repair.value for repair in Repair}
