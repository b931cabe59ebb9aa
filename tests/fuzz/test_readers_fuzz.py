"""Mutated envelopes, requests and edXML files are read exactly or refused by our own errors."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from connectors.edxml.attachments import pack
from connectors.edxml.model import NAMESPACE
from connectors.edxml.reader import EdxmlCaps, read_edxml
from connectors.request import Operation, Request, parse_request, write_request
from dossier.envelope import (
    Assurance,
    Contract,
    Envelope,
    FileKind,
    ManifestEntry,
    Urgency,
    parse_envelope,
    write_envelope,
)
from dossier.errors import LienThongError
from dossier.ids import ConversationId, Sha256
from tests.builders.connectors import BINH_DINH, HOA_BINH, message_id

_AT: Final = datetime(2022, 4, 20, tzinfo=UTC)
_ENVELOPE: Final = write_envelope(
    Envelope(
        message_id=message_id(),
        from_agency=HOA_BINH,
        to_agency=BINH_DINH,
        conversation_id=ConversationId("6f9619ff-8b86-4011-b42d-00c04fc964ff"),
        dossier_code="000.00.00.H28-220420-0001",
        contract=Contract(procedure="p8_official_letter", version="1.0", sha256=Sha256("0" * 64)),
        message_type="study_request",
        subject="V/v học tập",
        urgency=Urgency.NORMAL,
        issued=_AT,
        expires=_AT + timedelta(days=7),
        assurance=Assurance.SEALED,
        manifest=(
            ManifestEntry(
                name="a.pdf",
                media_type="application/pdf",
                size_bytes=1,
                sha256=Sha256("1" * 64),
                kind=FileKind.DOCUMENT,
            ),
        ),
    )
)
_REQUEST: Final = write_request(
    Request(
        operation=Operation.FETCH_MESSAGE,
        agency=BINH_DINH,
        to_agency=HOA_BINH,
        created=_AT,
        expires=_AT + timedelta(minutes=2),
        nonce="0" * 32,
        message_id=message_id(),
        from_agency=HOA_BINH,
    )
)
_PACKED: Final = base64.b64encode(pack("a.pdf", b"%PDF")).decode()
_EDXML: Final = (
    f'<edXML xmlns="{NAMESPACE}"><edXML:edXMLEnvelope xmlns:edXML="{NAMESPACE}">'
    "<edXML:edXMLHeader><edXML:MessageHeader><edXML:From><edXML:OrganId>H28</edXML:OrganId>"
    "</edXML:From><edXML:Subject>V/v</edXML:Subject></edXML:MessageHeader>"
    "</edXML:edXMLHeader><edXML:edXMLBody><edXML:edXMLManifest><edXML:Reference>"
    "<ContentId>cid:1</ContentId></edXML:Reference></edXML:edXMLManifest></edXML:edXMLBody>"
    "</edXML:edXMLEnvelope><AttachmentEncoded><Attachment><ContentId>1</ContentId>"
    f"<ContentTransferEncoded>{_PACKED}</ContentTransferEncoded></Attachment>"
    "</AttachmentEncoded></edXML>"
).encode()
_WORDS: Final = (
    b"<", b">", b"&lt;", b"&#xD;", b"\r\n", b"<!--x-->", b"<?x?>", b"<!DOCTYPE x>", b"]]>",
    b"xmlns:a='urn:a' ", b"\x00", b"\xff", b"</edXML:From>", b"<edXML:To/>", b"../",
    b"\xe2\x80\xae",
)  # fmt: skip
_EDITS: Final = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 40), st.binary(max_size=6) | st.sampled_from(_WORDS)),
    max_size=4,
)


def _edited(content: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    for where, removed, inserted in edits:
        at = int(where * len(content))
        content = content[:at] + inserted + content[at + removed :]
    return content


def _reads_back_or_refuses(
    content: bytes, parse: Callable[[bytes], object], write: Callable[..., bytes]
) -> None:
    try:
        value = parse(content)
    except LienThongError:
        return
    assert write(value) == content


@given(edits=_EDITS)
def test_an_envelope_has_one_spelling(edits: list[tuple[float, int, bytes]]) -> None:
    _reads_back_or_refuses(_edited(_ENVELOPE, edits), parse_envelope, write_envelope)


@given(edits=_EDITS)
def test_a_request_has_one_spelling(edits: list[tuple[float, int, bytes]]) -> None:
    _reads_back_or_refuses(_edited(_REQUEST, edits), parse_request, write_request)


@given(edits=_EDITS)
def test_edxml_is_read_or_refused(edits: list[tuple[float, int, bytes]]) -> None:
    caps = EdxmlCaps(file_bytes=100_000, attachment_bytes=100_000, header_bytes=100_000)
    try:
        read = read_edxml(_edited(_EDXML, edits), caps=caps)
    except LienThongError:
        return
    assert all("/" not in one.name and "\u202e" not in one.name for one in read.attachments)
