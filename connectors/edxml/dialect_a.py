"""Read and write the envelopes of dialect A: edXML in SOAP 1.1, attachments as MIME parts.

Namespaces, attributes and order as deployed peers send and expect them (interchange.md §3.1):
the root has a prefix, since a deployed client looks for one; what stands in the SOAP body of a
request has no namespace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from lxml import etree

from connectors.edxml import pairing, structures, tolerant
from connectors.edxml.dates import Dates
from connectors.edxml.mime import MimeBody, MimeFile, MimeMessage, MimePart, write_mime
from connectors.edxml.model import (
    Attachment,
    EdxmlFile,
    MessageHeader,
    Repair,
    StatusHeader,
    TraceHeaderList,
)
from connectors.edxml.names import respell
from connectors.edxml.pairing import Carried
from connectors.edxml.reader import EdxmlCaps, attachment_of, has_signature, read_header
from connectors.edxml.writer import check_complete
from connectors.errors import EdxmlIncomplete, EdxmlRefused
from dossier import xmltext

NAMESPACE: Final = "http://www.e-doc.vn/Schema/"

_SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_TOKEN: Final = "http://e-doc.vn/xsd"  # noqa: S105 - the namespace of an element of that name
_PREFIX: Final = "edXML:"
_ROOT: Final = (
    f'soap-env:Envelope xmlns:soap-env="{_SOAP}" xmlns:edXML="{NAMESPACE}" '
    f'xmlns:xlink="{tolerant.XLINK}"'
)
_DECLARATION: Final = '<?xml version="1.0" encoding="utf-8"?>\n'
_FILE_TYPE: Final = "application/octet-stream"
_OURS: Final = re.compile(r"(\d{4})/(\d{2})/(\d{2})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """A SOAP envelope taken apart, nothing in it judged yet."""

    token: str  # who calls, as the caller says in the header or the body; "" for nobody
    header: etree._Element
    content: etree._Element | None  # the first child of the body
    repairs: tuple[Repair, ...]


def read_envelope(content: bytes, *, caps: EdxmlCaps | None = None) -> Envelope:
    """Take an envelope apart; raise `EdxmlRefused` for anything that is none."""
    limits = caps or EdxmlCaps()
    repairs: list[Repair] = []
    trimmed = tolerant.without_junk(content, repairs)
    root = tolerant.parse(
        trimmed, namespace=NAMESPACE, limit_bytes=limits.header_bytes, repairs=repairs
    )
    respell(root, repairs)
    body = structures.child(root, "Body")
    if structures.local_name(root) != "Envelope" or body is None:
        raise EdxmlRefused("expected a SOAP envelope with a body", reason="shape")
    header = structures.child(root, "Header")
    first = next(iter(body), None)
    said = [structures.child(node, "Token") for node in (header, first) if node is not None]
    tokens = {text for text in map(structures.text_of, said) if text}
    if len(tokens) > 1:
        raise EdxmlRefused("expected one token", reason="token")
    return Envelope(
        token=next(iter(tokens), ""),
        header=header if header is not None else etree.Element("Header"),
        content=first,
        repairs=tuple(repairs),
    )


def read_letter(
    envelope: Envelope, parts: Mapping[str, MimePart], *, caps: EdxmlCaps | None = None
) -> EdxmlFile:
    """Return the letter or status in an envelope, dates as yyyy/MM/dd.

    Raises `EdxmlRefused` without a message header. A part that cannot be decoded is marked.
    """
    repairs = list(envelope.repairs)
    message = structures.child(envelope.header, "MessageHeader")
    if message is None:
        raise EdxmlRefused("expected a MessageHeader", reason="shape")
    dates = Dates(repairs, is_dialect_a=True)
    trace = structures.read(structures.child(envelope.header, "TraceHeaderList"), TraceHeaderList)
    files = tuple(_files(envelope.content, parts, caps or EdxmlCaps(), repairs))
    return EdxmlFile(
        header=dates.header(read_header(message)),
        trace=dates.trace(trace),
        attachments=files,
        has_signature=has_signature(envelope.header),
        repairs=tuple(dict.fromkeys(repairs)),
    )


def read_status(message: etree._Element) -> StatusHeader:
    """Return the status that a message header reports."""
    said = structures.read(message, StatusHeader)
    found = Dates([], is_dialect_a=True).header(said)
    return found if isinstance(found, StatusHeader) else said


def read_file(message: MimeMessage, *, caps: EdxmlCaps | None = None) -> EdxmlFile:
    """Return the letter or status that a whole message holds."""
    return read_letter(read_envelope(message.envelope, caps=caps), message.parts, caps=caps)


def write_letter(file: EdxmlFile, *, token: str = "") -> MimeBody:
    """Return a letter with its attachments, each as it is, or a status.

    Raises `EdxmlIncomplete` and `EdxmlFieldTooLong` for what deployed peers refuse.
    """
    check_complete(file)
    sent = [_sent(attachment, number) for number, attachment in enumerate(file.attachments, 1)]
    header = file.header
    if isinstance(header, MessageHeader):
        header = _with_dates(header, _OURS)
    blocks = xmltext.element(
        f"{_PREFIX}MessageHeader",
        structures.write(header, prefix=_PREFIX),
        OriginalBodyRequested="false",
        ImmediateResponseRequired="true",
    )
    blocks += xmltext.element(
        f"{_PREFIX}TraceHeaderList", structures.write(file.trace, prefix=_PREFIX)
    )
    blocks += f"<{_PREFIX}ErrorList/>"
    if isinstance(header, StatusHeader):
        body = xmltext.element("UpdateTraces", xmltext.text("OrganId", header.sender.organ_id))
    else:
        body = _manifest(file)
    return write_mime(write_envelope(body, header=blocks, token=token), sent)


def write_envelope(body: str, *, header: str = "", token: str = "") -> bytes:
    """Return the envelope around markup."""
    said = f'<Token xmlns="{_TOKEN}">{_escaped(token)}</Token>' if token else ""
    inner = xmltext.element("soap-env:Header", said, header)
    inner += xmltext.element("soap-env:Body", body)
    return f"{_DECLARATION}<{_ROOT}>{inner}</soap-env:Envelope>".encode()


def write_status(header: StatusHeader) -> str:
    """Return the markup of a status inside a list of them."""
    return xmltext.element(f"{_PREFIX}MessageHeader", structures.write(header, prefix=_PREFIX))


def _with_dates(header: MessageHeader, written: re.Pattern[str]) -> MessageHeader:
    """Return the header with dates of this shape turned round."""

    def turned(text: str) -> str:
        found = written.fullmatch(text)
        return "/".join(reversed(found.groups())) if found else text

    return replace(
        header,
        promulgation=replace(header.promulgation, date=turned(header.promulgation.date)),
        due_date=turned(header.due_date),
        response_for=tuple(
            replace(one, promulgation_date=turned(one.promulgation_date))
            for one in header.response_for
        ),
    )


def _manifest(file: EdxmlFile) -> str:
    references = "".join(
        f'<{_PREFIX}Reference xlink:href="cid:{_content_id(number)}">'
        + xmltext.text(f"{_PREFIX}AttachmentName", attachment.name)
        + xmltext.text(f"{_PREFIX}Description", attachment.description)
        + f"</{_PREFIX}Reference>"
        for number, attachment in enumerate(file.attachments, 1)
    )
    return f'<{_PREFIX}Manifest {_PREFIX}version="1.0">{references}</{_PREFIX}Manifest>'


def _sent(attachment: Attachment, number: int) -> MimeFile:
    if attachment.content is None:
        raise EdxmlIncomplete("expected the content of every attachment", element="Attachment")
    return MimeFile(
        content_id=_content_id(number), content_type=_FILE_TYPE, content=attachment.content
    )


def _content_id(number: int) -> str:
    return f"file-{number}"


def _escaped(text: str) -> str:
    return xmltext.text("t", text)[3:-4]


def _files(
    content: etree._Element | None,
    parts: Mapping[str, MimePart],
    caps: EdxmlCaps,
    repairs: list[Repair],
) -> Iterator[Attachment]:
    """Join the references of the manifest with the parts; parts nobody names come last."""
    is_manifest = content is not None and structures.local_name(content) == "Manifest"
    references = (
        list(structures.children(content, "Reference"))
        if content is not None and is_manifest
        else []
    )
    carried = [
        Carried(content_id=pairing.bare_id(content_id), name=part.name, content=part)
        for content_id, part in parts.items()
    ]
    paired = pairing.pair(references, carried, repairs)
    for number, (reference, part) in enumerate(paired, start=1):
        yield _file(reference, part, number, caps, repairs)


def _file(
    node: etree._Element | None,
    part: MimePart | None,
    number: int,
    caps: EdxmlCaps,
    repairs: list[Repair],
) -> Attachment:
    name, description = (
        structures.text_of(structures.child(node, element)) if node is not None else ""
        for element in ("AttachmentName", "Description")
    )
    return attachment_of(
        name=name or (part.name if part is not None else ""),
        description=description,
        content_type=part.content_type if part is not None else "",
        encoded=part.content if part is not None else b"",
        transferred=part.decoded() if part is not None else None,
        number=number,
        caps=caps,
        repairs=repairs,
    )
