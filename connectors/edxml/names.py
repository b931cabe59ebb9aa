"""The element names of edXML, however a peer spells them: other cases, and the first edition's.

What stands under an element that nobody knows (a report, a signature) is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Final

from lxml import etree

from connectors.edxml.model import MessageHeader, Repair, StatusHeader, TraceHeaderList
from connectors.edxml.structures import children, local_name, text_of

_FRAME: Final = (
    *("edXML", "edXMLEnvelope", "edXMLHeader", "edXMLBody", "edXMLManifest"),
    *("Envelope", "Header", "Body", "Manifest", "Reference", "ErrorList"),
    *("MessageHeader", "TraceHeaderList", "AttachmentEncoded", "Attachment", "ContentId"),
    *("ContentType", "ContentTransferEncoded", "AttachmentName", "Description"),
    *("Signature", "DigitalSignature", "document", "attach"),
)
# What producers of other editions call things; the parent is the name that is read here.
_OLD_NAMES: Final[Mapping[tuple[str, str], str]] = {
    ("MessageHeader", "author"): "SignerInfo",
    ("SignerInfo", "function"): "Position",
    ("MessageHeader", "type"): "DocumentType",
    ("DocumentType", "value"): "Type",
    ("DocumentType", "description"): "TypeName",
    ("PromulgationInfo", "date"): "PromulgationDate",
    ("TraceHeader", "sender"): "OrganId",
    ("TraceHeaderList", "business"): "Bussiness",
    ("Bussiness", "businessdoctype"): "BussinessDocType",
    ("Bussiness", "businessdocreason"): "BussinessDocReason",
    ("Bussiness", "businessdocumentinfo"): "BussinessDocumentInfo",
    ("Attachment", "name"): "AttachmentName",
    ("Attachment", "filename"): "AttachmentName",
    ("Attachment", "filetype"): "ContentType",
    ("Attachment", "value"): "ContentTransferEncoded",
    ("Attachment", "content"): "ContentTransferEncoded",
}


def respell(root: etree._Element, repairs: list[Repair]) -> None:
    """Give every known element under `root` the name that is read here."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        parent = node.getparent()
        name = local_name(node)
        old = _OLD_NAMES.get((local_name(parent) if parent is not None else "", name.casefold()))
        known = old or _KNOWN.get(name.casefold())
        if known is None:
            continue
        if known != name:
            node.tag = known
            repairs.append(Repair.OLD_NAMES if old else Repair.NAMES_RESPELT)
        if known == "ResponseFor":
            _join_code(node, repairs)
        waiting.extend(node.iterchildren(etree.Element))


def _join_code(node: etree._Element, repairs: list[Repair]) -> None:
    """Make number/notation of a code whose parts stand in elements of their own."""
    for code in children(node, "Code"):
        parts = [text for text in map(text_of, code) if text]
        if len(code):
            code[:] = []
            code.text = "/".join(parts)
            repairs.append(Repair.CODE_COMPLETED)


def _named(kind: type) -> Iterator[str]:
    for field in fields(kind):
        yield field.metadata["element"]
        yield field.metadata.get("within", "")
        inner = field.metadata.get("kind")
        if is_dataclass(inner) and isinstance(inner, type):
            yield from _named(inner)


_KNOWN: Final[Mapping[str, str]] = {
    name.casefold(): name
    for name in (
        *_named(MessageHeader), *_named(StatusHeader), *_named(TraceHeaderList), *_FRAME,
    )
    if name
}  # fmt: skip
