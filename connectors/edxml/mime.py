"""Wrap dialect A in MIME as its peers do, and unwrap what they send (interchange.md §3.1).

`start` stands without angle brackets and attachments are base64: neither MTOM nor SwA.
"""

from __future__ import annotations

import base64
import quopri
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from connectors.edxml import attachments
from connectors.errors import BodyTooLarge, EdxmlRefused, HttpRefused
from connectors.media import MULTIPART, check_charset, parse_media_type
from connectors.multipart import Multipart, MultipartCaps, Source, bare_id, joined

_START: Final = "Start"
_ENCODINGS: Final = frozenset({"base64", "quoted-printable"})
_ENVELOPES: Final = ("text/xml", "application/soap+xml", "application/xop+xml")
_PARTS: Final = 201  # the envelope and 200 attachments
_LINE_BYTES: Final = 57  # of content: 76 characters of base64


@dataclass(frozen=True, kw_only=True, slots=True)
class MimePart:
    """A part as it travelled: `content` still in its transfer encoding."""

    content: bytes
    encoding: str = ""  # in lower case
    content_type: str = ""
    name: str = ""  # as its headers say

    def decoded(self) -> bytes | None:
        """Return the file; None for base64 that is none."""
        match self.encoding:
            case "base64":
                return attachments.decode(self.content)
            case "quoted-printable":
                return quopri.decodestring(self.content)
            case _:
                return self.content


@dataclass(frozen=True, kw_only=True, slots=True)
class MimeMessage:
    """An envelope and the parts beside it, by Content-ID."""

    envelope: bytes
    parts: Mapping[str, MimePart] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class MimeFile:
    """An attachment to be sent."""

    content_id: str
    content_type: str
    content: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class MimeBody:
    """A whole HTTP body."""

    content_type: str
    content: bytes


def write_mime(envelope: bytes, files: Sequence[MimeFile] = ()) -> MimeBody:
    """Return the envelope as the start part, the files behind it in base64."""
    boundary = f"lt-{secrets.token_hex(16)}"
    head = (
        f"--{boundary}\r\n"
        "Content-Type: text/xml; charset=utf-8\r\n"
        "Content-Transfer-Encoding: 8bit\r\n"
        f"Content-ID:<{_START}>\r\n\r\n"
    )
    pieces = [head.encode(), envelope]
    for file in files:
        between = (
            f"\r\n--{boundary}\r\n"
            f"Content-Type: {file.content_type}\r\n"
            "Content-Transfer-Encoding: BASE64\r\n"
            f"Content-ID:<{file.content_id}>\r\n\r\n"
        )
        pieces += [between.encode("ascii"), _base64_lines(file.content)]
    pieces.append(f"\r\n--{boundary}--\r\n".encode())
    kind = f'{MULTIPART}; type="text/xml"; boundary="{boundary}"; start="{_START}"'
    return MimeBody(content_type=kind, content=b"".join(pieces))


def read_mime(content_type: str, source: Source, *, limit_bytes: int) -> MimeMessage:
    """Return what a body holds; bare `text/xml` has no parts.

    Raises `EdxmlRefused`, or an `HttpRefused` for a body that breaks its framing or a cap.
    """
    media = parse_media_type(content_type)
    if media.name == "text/xml":
        check_charset(media)
        return MimeMessage(envelope=source.all(limit_bytes))
    if media.name != MULTIPART:
        raise EdxmlRefused("expected multipart/related or text/xml", reason="media")
    caps = MultipartCaps(parts=_PARTS)
    body = Multipart(source, boundary=media.boundary(), caps=caps, encodings=_ENCODINGS)
    start = bare_id(media.parameters.get("start", ""))
    found: dict[str, MimePart] = {}
    left = limit_bytes
    for number, part in enumerate(body.parts()):
        content_id = part.content_id or f"#{number}"
        if content_id in found:
            raise EdxmlRefused("expected each Content-ID once", reason="parts")
        if left <= 0:
            raise BodyTooLarge(f"expected at most {limit_bytes} bytes", limit_bytes=limit_bytes)
        content = joined(part.chunks, limit_bytes=left)
        left -= len(content)
        found[content_id] = MimePart(
            content=content,
            encoding=part.headers.get("content-transfer-encoding", "").lower(),
            content_type=part.headers.get("content-type", ""),
            name=_name_of(part.headers),
        )
    root = found.pop(_root_id(found, start), None)
    envelope = root.decoded() if root is not None else None
    if envelope is None:
        raise EdxmlRefused("expected an envelope as the start part", reason="parts")
    return MimeMessage(envelope=envelope, parts=found)


def _root_id(parts: Mapping[str, MimePart], start: str) -> str:
    """Return the id of the part that `start` names, else of the first that is XML, else none."""
    if start in parts:
        return start
    of_xml = (one for one, part in parts.items() if part.content_type.startswith(_ENVELOPES))
    return next(of_xml, next(iter(parts), ""))


def _name_of(headers: Mapping[str, str]) -> str:
    """Return the file name in a part's headers."""
    disposition = headers.get("content-disposition", "")
    for text in (f"attachment/x;{disposition.partition(';')[2]}", headers.get("content-type", "")):
        try:
            said = parse_media_type(text).parameters
        except HttpRefused:
            continue
        if name := said.get("filename", said.get("name", "")):
            return name
    return ""


def _base64_lines(content: bytes) -> bytes:
    lines = (
        base64.b64encode(content[at : at + _LINE_BYTES])
        for at in range(0, len(content), _LINE_BYTES)
    )
    return b"\r\n".join(lines)
