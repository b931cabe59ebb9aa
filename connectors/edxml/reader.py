"""Read edXML files of every dialect as peers really send them, recording every deviation.

The caller archives the received bytes as they are: nothing here replaces them.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from lxml import etree

from connectors.edxml import attachments, pairing, structures, tolerant
from connectors.edxml.dates import Dates
from connectors.edxml.model import (
    NAMESPACE,
    Attachment,
    EdxmlFile,
    MessageHeader,
    Organ,
    Repair,
    StatusHeader,
    TraceHeaderList,
)
from connectors.edxml.names import respell
from connectors.edxml.pairing import Carried
from connectors.errors import EdxmlRefused

# The content is cut out before parsing: a text node of libxml2 holds 10,000,000 bytes only.
# Possessive: nothing that does not match may cost more than one pass.
_END: Final = rb"(?=</)"
_CONTENT: Final = re.compile(
    rb"(<(?:[a-z_][\w.-]{0,40}:)?contenttransferencoded(?:\s[^<>]{0,500})?>)"
    rb"(?:<!\[CDATA\[([^<\]]*+)\]\]>|((?:[^<&]++|&#(?:9|10|13|x9|xa|xd);)*+))" + _END,
    re.IGNORECASE,
)
# Other editions call it by names that other fields bear too: long and base64, or it stays.
_LONG_CONTENT: Final = re.compile(
    rb"(<(?:[a-z_][\w.-]{0,40}:)?(?:content|value)(?:\s[^<>]{0,500})?>)"
    rb"()([a-z0-9+/=\s]{4096,}+)" + _END,
    re.IGNORECASE,
)
_LINE_END: Final = re.compile(rb"&#(?:9|10|13|x9|xa|xd);", re.IGNORECASE)
_SECOND: Final = re.compile(
    rb"</[\w.-]{1,40}:envelope\s*>\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?=<(?:[\w.-]{1,40}:)?document[\s>])",
    re.IGNORECASE,
)
_BESIDE: Final = frozenset(
    {"edXMLManifest", "Manifest", "AttachmentEncoded", "Attachment", "document"}
)
_PATHS: Final = frozenset(
    {"AttachmentEncoded", "edXML", "edXMLEnvelope", "edXMLHeader", "edXMLBody"}
    | {"Envelope", "Header", "Body", "document", "attach"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class EdxmlCaps:
    """What one file may cost; the gateway of the national axis lets 50 MB through."""

    file_bytes: int = 72 * 1024 * 1024
    attachment_bytes: int = 128 * 1024 * 1024  # one of them, unpacked
    header_bytes: int = 8 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class _Parsed:
    """The documents of a file with placeholders for contents, names as they are read here."""

    roots: tuple[etree._Element, ...]
    held: Mapping[str, bytes]

    def every(self, name: str) -> Iterator[etree._Element]:
        """Yield the elements of a name outside reports and signatures."""
        for root in self.roots:
            yield from _known_below(root, name)


def read_edxml(content: bytes, *, caps: EdxmlCaps | None = None) -> EdxmlFile:
    """Return the letter or status in `content`; raise `EdxmlRefused` where there is none.

    An attachment that cannot be decoded does not fail the file: it is marked, and what stood
    there is kept.
    """
    limits = caps or EdxmlCaps()
    if len(content) > limits.file_bytes:
        raise EdxmlRefused(f"expected at most {limits.file_bytes} bytes", reason="size")
    repairs: list[Repair] = []
    parsed = _parsed(content, limits, repairs)
    message = next(parsed.every("MessageHeader"), None)
    if message is None:
        raise EdxmlRefused("expected a MessageHeader", reason="shape")
    header = message.getparent()
    if header is None:
        raise EdxmlRefused("expected a MessageHeader in a header", reason="shape")
    if structures.local_name(header) not in ("edXMLHeader", "Header"):
        repairs.append(Repair.STRUCTURE_UNUSUAL)
    said = read_header(message)
    is_soap = structures.local_name(parsed.roots[0]) == "Envelope"
    dates = Dates(repairs, is_dialect_a=is_soap)
    trace = structures.read(next(parsed.every("TraceHeaderList"), None), TraceHeaderList)
    return EdxmlFile(
        header=dates.header(said),
        trace=dates.trace(trace),
        attachments=tuple(_attachments(parsed, limits, repairs)),
        report=_report(parsed) if isinstance(said, MessageHeader) else b"",
        has_signature=has_signature(header),
        repairs=tuple(dict.fromkeys(repairs)),
    )


def read_header(message: etree._Element) -> MessageHeader | StatusHeader:
    """Return what a message header says; it is a status where it names a status code."""
    code = structures.child(message, "StatusCode")
    is_letter = any(structures.child(message, name) is not None for name in ("To", "Subject"))
    if code is not None and (structures.text_of(code) or not is_letter):
        return structures.read(message, StatusHeader)
    header = structures.read(message, MessageHeader)
    sender = structures.child(message, "From")
    if sender is not None and len(sender) == 0:
        # Dialect C names the sender without any structure.
        return replace(header, sender=Organ(organ_id=structures.text_of(sender)))
    return header


def has_signature(header: etree._Element) -> bool:
    """Tell whether a signature stands in the header; it proves nothing."""
    return any(structures.local_name(node) in ("Signature", "DigitalSignature") for node in header)


def attachment_of(
    *,
    name: str,
    description: str,
    content_type: str,
    encoded: bytes,
    transferred: bytes | None,
    number: int,
    caps: EdxmlCaps,
    repairs: list[Repair],
) -> Attachment:
    """Return a file as it is kept: `transferred` is None where `encoded` cannot be decoded."""
    safe = attachments.safe_name(name, number=number)
    if safe != name:
        repairs.append(Repair.NAME_REPLACED)
    raw_text, content = "", None
    if transferred is not None:
        unpacked = attachments.unpack(transferred, limit_bytes=caps.attachment_bytes)
        content = unpacked.content
        if unpacked.was_refused:
            repairs.append(Repair.ARCHIVE_REFUSED)
    else:
        repairs.append(Repair.CONTENT_UNREADABLE if encoded else Repair.CONTENT_MISSING)
        raw_text = encoded.decode("utf-8", "replace")
    return Attachment(
        name=safe,
        description=description,
        content_type=content_type,
        transferred=transferred,
        content=content,
        raw_text=raw_text,
    )


def _parsed(content: bytes, caps: EdxmlCaps, repairs: list[Repair]) -> _Parsed:
    # 1. Up to the first tag; 2. without the files; 3. document by document; 4. names as known.
    trimmed = tolerant.without_junk(content, repairs)
    slim, held = _cut_contents(trimmed)
    found = _SECOND.search(slim)
    pieces = [slim] if found is None else [slim[: found.end()], slim[found.end() :]]
    if found is not None:
        repairs.append(Repair.DOCUMENTS_JOINED)
        pieces[0] = re.sub(rb"<\?xml[^>]{0,200}\?>\s*\Z", b"", pieces[0])
    roots = tuple(
        tolerant.parse(piece, namespace=NAMESPACE, limit_bytes=caps.header_bytes, repairs=repairs)
        for piece in pieces
    )
    for root in roots:
        respell(root, repairs)
    return _Parsed(roots=roots, held=held)


def _cut_contents(content: bytes) -> tuple[bytes, dict[str, bytes]]:
    """Put random placeholders where base64 stood; return what each of them stands for."""
    held: dict[str, bytes] = {}

    def cut(found: re.Match[bytes]) -> bytes:
        placeholder = secrets.token_hex(16)
        held[placeholder] = _LINE_END.sub(b"\n", found.group(2) or found.group(3))
        return found.group(1) + placeholder.encode()

    return _LONG_CONTENT.sub(cut, _CONTENT.sub(cut, content)), held


def _known_below(root: etree._Element, name: str) -> Iterator[etree._Element]:
    """Yield the elements of a name, not descending into what nobody here knows."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        local = structures.local_name(node)
        if local == name:
            yield node
        elif local in _PATHS:
            waiting.extend(reversed(list(node)))


def _report(parsed: _Parsed) -> bytes:
    """Return what stands in the body beside the list of files."""
    for name in ("edXMLBody", "Body"):
        for body in parsed.every(name):
            found = [node for node in body if structures.local_name(node) not in _BESIDE]
            return etree.tostring(found[0], with_tail=False) if found else b""
    return b""


def _attachments(parsed: _Parsed, caps: EdxmlCaps, repairs: list[Repair]) -> Iterator[Attachment]:
    """Join the references of the manifest with the contents."""
    references = [
        node
        for name in ("edXMLManifest", "Manifest")
        for manifest in parsed.every(name)
        for node in structures.children(manifest, "Reference")
    ]
    nodes = list(parsed.every("Attachment"))
    if any(not _is_usual(node) for node in nodes):
        repairs.append(Repair.STRUCTURE_UNUSUAL)
    carried = [
        Carried(
            content_id=pairing.content_id_of(node),
            name=structures.text_of(structures.child(node, "AttachmentName")),
            content=node,
        )
        for node in nodes
    ]
    paired = pairing.pair(references, carried, repairs)
    for number, (reference, node) in enumerate(paired, start=1):
        both = [one for one in (node, reference) if one is not None]
        text = _first(both, "ContentTransferEncoded")
        raw = parsed.held.get(text, text.encode())
        yield attachment_of(
            name=_first(both, "AttachmentName"),
            description=_first(both, "Description"),
            content_type=_first(both, "ContentType"),
            encoded=raw.strip(),
            transferred=attachments.decode(raw) if raw.strip() else None,
            number=number,
            caps=caps,
            repairs=repairs,
        )


def _is_usual(node: etree._Element) -> bool:
    holder = node.getparent()
    above = holder.getparent() if holder is not None else None
    return above is not None and structures.local_name(above) in ("edXML", "document")


def _first(nodes: list[etree._Element], name: str) -> str:
    texts = (structures.text_of(structures.child(node, name)) for node in nodes)
    return next((text for text in texts if text), "")
