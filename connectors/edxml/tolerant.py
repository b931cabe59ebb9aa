"""Parse edXML as peers really send it, recording each deviation (interchange.md §3.7)."""

from __future__ import annotations

import codecs
import re
import unicodedata
from typing import Final

from lxml import etree

from connectors.edxml.model import Repair
from connectors.errors import EdxmlRefused
from dossier import safexml
from dossier.errors import XmlRefused

XLINK: Final = "http://www.w3.org/1999/xlink"

_JUNK_BYTES: Final = 64
_PADDING: Final = b" \t\r\n\0"  # zeros: the rest of a buffer that was sent whole
_ELEMENTS: Final = 20_000
# Each attachment may declare the prefix anew; nothing here is ever canonicalised.
_NAMESPACES: Final = 1_000
_ROOT: Final = re.compile(rb"<(?![?!])[^\s/>]+")
_DECLARED: Final = re.compile(
    rb"\A(<\?xml[^>]{0,100}?)\s+encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']"
)
_ONE_BYTE: Final = frozenset({"iso-8859-1", "windows-1252", "windows-1258"})
_TWO_BYTES: Final = (
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)


def without_junk(content: bytes, repairs: list[Repair]) -> bytes:
    """Return what begins at the first tag, in UTF-8 and without padding.

    Raises `EdxmlRefused` where no tag is near.
    """
    text = _in_utf8(content, repairs)
    start = text.find(b"<", 0, _JUNK_BYTES + 1)
    if start < 0:
        raise EdxmlRefused("expected XML", reason="shape")
    end = text.rstrip(_PADDING)
    if text[:start].removeprefix(codecs.BOM_UTF8).strip() or b"\0" in text[len(end) :]:
        repairs.append(Repair.JUNK_REMOVED)
    return _relabelled(end[start:], repairs)


def parse(
    content: bytes, *, namespace: str, limit_bytes: int, repairs: list[Repair]
) -> etree._Element:
    """Return the root, without comments; `namespace` is what an undeclared `edXML:` means.

    Raises `EdxmlRefused` for what one declaration of the known prefixes does not mend.
    """
    caps = safexml.Caps(
        size_bytes=limit_bytes, elements=_ELEMENTS, namespaces_per_document=_NAMESPACES
    )
    composed = _composed(content, repairs)
    try:
        root = safexml.parse(composed, caps=caps, keep_comments=True)
    except XmlRefused as exc:
        declared = _with_prefixes(composed, namespace)
        if exc.parameters.get("reason") != "syntax" or declared == composed:
            raise _refused(exc) from exc
        try:
            root = safexml.parse(declared, caps=caps, keep_comments=True)
        except XmlRefused as again:
            raise _refused(again) from again
        repairs.append(Repair.PREFIX_DECLARED)
    if any(not isinstance(node.tag, str) for node in root.iter()):
        etree.strip_elements(root, etree.Comment, etree.ProcessingInstruction, with_tail=False)
        repairs.append(Repair.COMMENTS_REMOVED)
    return root


def _in_utf8(content: bytes, repairs: list[Repair]) -> bytes:
    for mark, encoding in _TWO_BYTES:
        if content.startswith(mark):
            repairs.append(Repair.ENCODING_CONVERTED)
            return _decoded(content, encoding).removeprefix("\ufeff").encode()
    return content


def _relabelled(content: bytes, repairs: list[Repair]) -> bytes:
    """Return the file in UTF-8 and without its label where the label says another encoding."""
    found = _DECLARED.match(content)
    said = found.group(2).decode().lower() if found else "utf-8"
    if found is None or said in ("utf-8", "utf8", "us-ascii"):
        return content
    unlabelled = found.group(1) + content[found.end() :]
    if said in _ONE_BYTE:
        repairs.append(Repair.ENCODING_CONVERTED)
        return _decoded(unlabelled, said).encode()
    if said.startswith("utf-16"):
        # Serialised as a string that calls itself UTF-16, then written as UTF-8: mostly .NET.
        repairs.append(Repair.ENCODING_CONVERTED)
        return unlabelled
    raise EdxmlRefused(f"expected UTF-8 or UTF-16, got {said}", reason="encoding")


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as exc:
        raise EdxmlRefused(f"expected text in {encoding}", reason="encoding") from exc


def _composed(content: bytes, repairs: list[Repair]) -> bytes:
    """Return the text with Vietnamese letters composed: a letter and its marks as one sign."""
    if content.isascii():
        return content
    text = _decoded(content, "utf-8")
    if unicodedata.is_normalized("NFC", text):
        return content
    repairs.append(Repair.TEXT_COMPOSED)
    return unicodedata.normalize("NFC", text).encode()


def _refused(exc: XmlRefused) -> EdxmlRefused:
    return EdxmlRefused(exc.message, reason=str(exc.parameters.get("reason", "xml")))


def _with_prefixes(content: bytes, namespace: str) -> bytes:
    """Declare on the root those of the two known prefixes that it does not declare."""
    root = _ROOT.search(content)
    if root is None:
        return content
    opening = content[root.start() : content.find(b">", root.end())]
    missing = b"".join(
        b" xmlns:%s='%s'" % (prefix, uri.encode())
        for prefix, uri in ((b"edXML", namespace), (b"xlink", XLINK))
        if b"xmlns:" + prefix not in opening and prefix + b":" in content
    )
    return content[: root.end()] + missing + content[root.end() :]
