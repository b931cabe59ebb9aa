"""Read dialects B and C as peers really send them; every deviation put up with is recorded.

The caller archives the received bytes as they are: nothing here replaces them.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from lxml import etree

from connectors.edxml import attachments, structures, tolerant
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
from connectors.errors import EdxmlRefused

_ATTACHMENTS: Final = 200
# The content is cut out before parsing: a text node of libxml2 holds 10,000,000 bytes only.
_CONTENT: Final = re.compile(
    rb"(<(?:[A-Za-z_][\w.-]{0,40}:)?ContentTransferEncoded(?:\s[^<>]{0,500})?>)([^<&]*)(?=</)"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class EdxmlCaps:
    """What one file may cost; the gateway of the national axis lets 50 MB through."""

    file_bytes: int = 72 * 1024 * 1024
    attachment_bytes: int = 128 * 1024 * 1024  # one of them, unpacked
    header_bytes: int = 8 * 1024 * 1024


def read_edxml(content: bytes, *, caps: EdxmlCaps | None = None) -> EdxmlFile:
    """Return the letter or status in `content`; raise `EdxmlRefused` where there is none.

    An attachment that cannot be decoded does not fail the file: it is marked, and what stood
    there is kept.
    """
    limits = caps or EdxmlCaps()
    if len(content) > limits.file_bytes:
        raise EdxmlRefused(f"expected at most {limits.file_bytes} bytes", reason="size")
    repairs: list[Repair] = []
    # 1. Up to the first tag; 2. without the files; 3. as XML; 4. into the model.
    trimmed = tolerant.without_junk(content, repairs)
    slim, held = _cut_contents(trimmed)
    root = tolerant.parse(
        slim, namespace=NAMESPACE, limit_bytes=limits.header_bytes, repairs=repairs
    )
    header, body = _header_and_body(root)
    message = structures.child(header, "MessageHeader")
    if message is None:
        raise EdxmlRefused("expected a MessageHeader", reason="shape")
    trace = structures.child(header, "TraceHeaderList")
    files = tuple(_attachments(root, body, held, limits, repairs))
    return EdxmlFile(
        header=_header(message),
        trace=structures.read(trace, TraceHeaderList),
        attachments=files,
        report=_report(body),
        has_signature=any(
            structures.local_name(node) in ("Signature", "DigitalSignature") for node in header
        ),
        repairs=tuple(dict.fromkeys(repairs)),
    )


def _header(message: etree._Element) -> MessageHeader | StatusHeader:
    if structures.child(message, "StatusCode") is not None:
        return structures.read(message, StatusHeader)
    header = structures.read(message, MessageHeader)
    sender = structures.child(message, "From")
    if sender is not None and len(sender) == 0:
        # Dialect C names the sender without any structure.
        return replace(header, sender=Organ(organ_id=structures.text_of(sender)))
    return header


def _cut_contents(content: bytes) -> tuple[bytes, dict[str, bytes]]:
    """Put random placeholders where base64 stood; return what each of them stands for."""
    held: dict[str, bytes] = {}

    def cut(found: re.Match[bytes]) -> bytes:
        placeholder = secrets.token_hex(16)
        held[placeholder] = found.group(2)
        return found.group(1) + placeholder.encode()

    return _CONTENT.sub(cut, content), held


def _header_and_body(root: etree._Element) -> tuple[etree._Element, etree._Element | None]:
    """Find them in dialect B, in its bare envelope, and in the SOAP envelope of dialect C."""
    name = structures.local_name(root)
    if name == "Envelope":
        header, body = structures.child(root, "Header"), structures.child(root, "Body")
    else:
        envelope = root if name == "edXMLEnvelope" else structures.child(root, "edXMLEnvelope")
        if envelope is None:
            raise EdxmlRefused("expected an edXMLEnvelope", reason="shape")
        header = structures.child(envelope, "edXMLHeader")
        body = structures.child(envelope, "edXMLBody")
    if header is None:
        raise EdxmlRefused("expected an edXMLHeader", reason="shape")
    return header, body


def _report(body: etree._Element | None) -> bytes:
    """Return what stands in the body beside the list of files."""
    nodes = body if body is not None else ()
    found = [node for node in nodes if structures.local_name(node) != "edXMLManifest"]
    return etree.tostring(found[0], with_tail=False) if found else b""


def _attachments(
    root: etree._Element,
    body: etree._Element | None,
    held: Mapping[str, bytes],
    caps: EdxmlCaps,
    repairs: list[Repair],
) -> Iterator[Attachment]:
    """Join the references of the manifest with the contents, by Content-ID."""
    encoded = _by_content_id(structures.child(root, "AttachmentEncoded"), "Attachment")
    manifest = structures.child(body, "edXMLManifest") if body is not None else None
    references = _by_content_id(manifest, "Reference")
    for number, content_id in enumerate(dict.fromkeys([*references, *encoded]), start=1):
        if number > _ATTACHMENTS:
            raise EdxmlRefused(f"expected at most {_ATTACHMENTS} attachments", reason="count")
        nodes = [one[content_id] for one in (encoded, references) if content_id in one]
        if content_id not in encoded:
            repairs.append(Repair.CONTENT_MISSING)
        yield _attachment(nodes, held, number, caps, repairs)


def _by_content_id(holder: etree._Element | None, name: str) -> dict[str, etree._Element]:
    found: dict[str, etree._Element] = {}
    for number, node in enumerate(structures.children(holder, name) if holder is not None else ()):
        content_id = structures.text_of(structures.child(node, "ContentId"))
        bare = content_id.removeprefix("cid:").strip().strip("<>")
        found.setdefault(bare or f"#{number}", node)
    return found


def _attachment(
    nodes: list[etree._Element],
    held: Mapping[str, bytes],
    number: int,
    caps: EdxmlCaps,
    repairs: list[Repair],
) -> Attachment:
    name = _first(nodes, "AttachmentName")
    safe = attachments.safe_name(name, number=number)
    if safe != name:
        repairs.append(Repair.NAME_REPLACED)
    text = _first(nodes, "ContentTransferEncoded")
    raw = held.get(text, text.encode())
    transferred = attachments.decode(raw) if raw else None
    if transferred is None and raw:
        repairs.append(Repair.CONTENT_UNREADABLE)
    content = None
    if transferred is not None:
        unpacked = attachments.unpack(transferred, limit_bytes=caps.attachment_bytes)
        content = unpacked.content
        if unpacked.was_refused:
            repairs.append(Repair.ARCHIVE_REFUSED)
    return Attachment(
        name=safe,
        description=_first(nodes, "Description"),
        content_type=_first(nodes, "ContentType"),
        transferred=transferred,
        content=content,
        raw_text="" if transferred is not None else raw.decode("utf-8", "replace"),
    )


def _first(nodes: list[etree._Element], name: str) -> str:
    texts = (structures.text_of(structures.child(node, name)) for node in nodes)
    return next((text for text in texts if text), "")
