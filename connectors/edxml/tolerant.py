"""Parse edXML as peers really send it, recording each deviation (interchange.md §3.7)."""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from connectors.edxml.model import Repair
from connectors.errors import EdxmlRefused
from dossier import safexml
from dossier.errors import XmlRefused

XLINK: Final = "http://www.w3.org/1999/xlink"

_JUNK_BYTES: Final = 64
_ELEMENTS: Final = 20_000
_ROOT: Final = re.compile(rb"<(?![?!])[^\s/>]+")


def without_junk(content: bytes, repairs: list[Repair]) -> bytes:
    """Return what begins at the first tag; raise `EdxmlRefused` where none is near."""
    start = content.find(b"<", 0, _JUNK_BYTES + 1)
    if start < 0:
        raise EdxmlRefused("expected XML", reason="shape")
    if content[:start].removeprefix(b"\xef\xbb\xbf").strip():
        repairs.append(Repair.JUNK_REMOVED)
    return content[start:].rstrip()


def parse(
    content: bytes, *, namespace: str, limit_bytes: int, repairs: list[Repair]
) -> etree._Element:
    """Return the root, without comments; `namespace` is what an undeclared `edXML:` means.

    Raises `EdxmlRefused` for what one declaration of the known prefixes does not mend.
    """
    caps = safexml.Caps(size_bytes=limit_bytes, elements=_ELEMENTS)
    try:
        root = safexml.parse(content, caps=caps, keep_comments=True)
    except XmlRefused as exc:
        declared = _with_prefixes(content, namespace)
        if exc.parameters.get("reason") != "syntax" or declared == content:
            raise EdxmlRefused("expected well-formed XML", reason="xml") from exc
        try:
            root = safexml.parse(declared, caps=caps, keep_comments=True)
        except XmlRefused as again:
            raise EdxmlRefused("expected well-formed XML", reason="xml") from again
        repairs.append(Repair.PREFIX_DECLARED)
    if any(not isinstance(node.tag, str) for node in root.iter()):
        etree.strip_elements(root, etree.Comment, etree.ProcessingInstruction, with_tail=False)
        repairs.append(Repair.COMMENTS_REMOVED)
    return root


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
