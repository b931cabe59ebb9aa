"""Bring a modeller's file to UTF-8, the only encoding that the project's XML parser takes."""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from dossier import safexml

_DECLARED: Final = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_ENCODING: Final = re.compile(r"(\A<\?xml[^>]{0,200}?)\s+encoding\s*=\s*[\"'][^\"']{1,40}[\"']")
# What modellers of the last twenty years write; anything else is refused by the parser.
_KNOWN: Final = {
    b"iso-8859-1": "iso-8859-1",
    b"latin1": "iso-8859-1",
    b"windows-1252": "windows-1252",
    b"windows-1258": "windows-1258",
    b"utf-16": "utf-16",
}


# Modellers declare dozens of namespaces and nest diagrams deeply; messages never do.
_CAPS: Final = safexml.Caps(depth=128, namespaces_per_element=96, namespaces_per_document=512)


def parse_model(source: bytes) -> etree._Element:
    """Return the root of a modeller's file; raise `XmlRefused`."""
    return safexml.parse(as_utf8(source), caps=_CAPS, keep_comments=True)


def as_utf8(source: bytes) -> bytes:
    """Return the same text in UTF-8, lines kept; an unknown encoding is left to the parser."""
    codec = "utf-16" if source[:2] in (b"\xff\xfe", b"\xfe\xff") else None
    if codec is None:
        declared = _DECLARED.match(source[:300])
        codec = _KNOWN.get(declared[1].lower()) if declared else None
    if codec is None:
        return source
    try:
        text = source.decode(codec)
    except UnicodeDecodeError:
        return source
    return _ENCODING.sub(r"\1", text).encode()
