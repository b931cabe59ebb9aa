"""Parse Content-Type strictly: one type, each parameter once (RFC 9110 §8.3, RFC 2387)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from connectors.errors import MediaTypeRefused, MultipartRefused
from dossier.errors import XmlRefused

MULTIPART: Final = "multipart/related"
XOP: Final = "application/xop+xml"

_WORD: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_TYPE: Final = re.compile(rf"\s*({_WORD}/{_WORD})\s*")
# Deployed stacks leave out the quotes around <ids>, types and URIs; that has one reading too.
_UNQUOTED: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z/:<>@=?\[\]()]+"
_PARAMETER: Final = re.compile(rf';\s*(?:({_WORD})=(?:({_UNQUOTED})|"((?:[^"\\\r\n]|\\.)*)")\s*)?')
_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
_MAX_LENGTH: Final = 1_000
_UTF_8: Final = frozenset({"utf-8", "utf8", "us-ascii"})
_UTF_16: Final = "utf-16"
_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DECLARED: Final = re.compile(r"(<\?xml\s[^>]{0,100}?encoding\s*=\s*[\"'])([A-Za-z0-9._-]{1,40})")


@dataclass(frozen=True, kw_only=True, slots=True)
class MediaType:
    """A media type, in lower case, and its parameters, names in lower case."""

    name: str
    parameters: Mapping[str, str]

    def boundary(self) -> bytes:
        """Return the boundary of a multipart type; raise `MultipartRefused` without a sound one."""
        value = self.parameters.get("boundary", "")
        if not _BOUNDARY.fullmatch(value):
            raise MultipartRefused("expected a boundary as RFC 2046 describes it")
        return value.encode("ascii")


@lru_cache(maxsize=256)  # most of a message's types are the same in all messages
def parse_media_type(text: str) -> MediaType:
    """Return the type that `text` spells.

    Raises `MediaTypeRefused`, or `MultipartRefused` for a parameter that is given twice:
    two readers would choose different ones.
    """
    kind = _TYPE.match(text)
    if len(text) > _MAX_LENGTH or kind is None:
        raise MediaTypeRefused("expected a media type")
    parameters: dict[str, str] = {}
    at = kind.end()
    while at < len(text):
        found = _PARAMETER.match(text, at)
        if found is None:
            raise MediaTypeRefused("expected parameters of a media type")
        at = found.end()
        name, token, quoted = found.groups()
        if name is None:
            continue
        if name.lower() in parameters:
            raise MultipartRefused(f"expected each parameter once, got {name.lower()} twice")
        if token is None:
            token = re.sub(r"\\(.)", r"\1", quoted) if "\\" in quoted else quoted
        parameters[name.lower()] = token
    return MediaType(name=kind.group(1).lower(), parameters=parameters)


def check_charset(media: MediaType) -> None:
    """Refuse any charset but UTF-8 and its subset ASCII (interchange.md §12 rows 17 and 18)."""
    if _charset(media) not in _UTF_8:
        raise MediaTypeRefused("expected charset utf-8")


def check_xml_charset(media: MediaType) -> None:
    """Refuse any charset that `in_utf8` cannot read."""
    if _charset(media) not in _UTF_8 | {_UTF_16}:
        raise MediaTypeRefused("expected charset utf-8 or utf-16")


def in_utf8(content: bytes, media: MediaType) -> bytes:
    """Return an XML document in UTF-8; it may have come in UTF-16 with its mark (row 17).

    Raises `XmlRefused` where HTTP, mark and declaration name different encodings (row 18).
    """
    if not content.startswith(_MARKS):
        if _charset(media) == _UTF_16:
            raise XmlRefused("expected the mark of UTF-16, got none", reason="encoding")
        return content
    if _charset(media) != _UTF_16 and "charset" in media.parameters:
        raise XmlRefused("expected the charset that HTTP announces", reason="encoding")
    try:
        text = content.decode("utf-16")
    except UnicodeDecodeError as exc:
        raise XmlRefused("expected UTF-16 behind its mark", reason="encoding") from exc
    declared = _DECLARED.match(text)
    if declared is None:
        return text.encode()
    if declared.group(2).lower() != _UTF_16:
        raise XmlRefused("expected the declared encoding to be that of the mark", reason="encoding")
    return f"{declared.group(1)}UTF-8{text[declared.end() :]}".encode()


def _charset(media: MediaType) -> str:
    return media.parameters.get("charset", "utf-8").lower()
