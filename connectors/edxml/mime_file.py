"""Find the MIME body in a file: with the headers it travelled with, some of them, or none."""

from __future__ import annotations

import re
from typing import Final

from connectors.edxml.model import Repair
from connectors.media import MULTIPART

_HEAD_BYTES: Final = 16 * 1024
_XML_BYTES: Final = 64
_LINE: Final = re.compile(rb"\r?\n")
_BLANK: Final = re.compile(rb"\r?\n\r?\n")
_HEADER: Final = re.compile(rb"[!-9;-~]{1,100}:")
_HTTP: Final = re.compile(rb"(POST \S+ HTTP/[\d.]+|HTTP/[\d.]+ \d{3}.*)")
_TYPE: Final = re.compile(rb"(?im)^content-type:[ \t]*((?:[^\r\n]|\r?\n[ \t])+)")
_BOUNDARY: Final = re.compile(rb"(?m)^--([0-9A-Za-z'()+_,\-./:=?]{1,70})[ \t]*\r?$")


def mime_file(content: bytes) -> tuple[str, bytes, list[Repair]]:
    """Return the Content-Type, the body and what was repaired; no type where it is no MIME."""
    head = content[:_HEAD_BYTES].lstrip()
    if b"<" in content[:_XML_BYTES] and not head.startswith(b"--"):
        return "", content, []
    said, body = _without_headers(content.lstrip())
    repairs: list[Repair] = []
    first = _BOUNDARY.search(body, 0, _HEAD_BYTES)
    if first is None:
        return "", content, []
    if not said:
        said = f'{MULTIPART}; boundary="{first.group(1).decode("ascii")}"'
    if not first.group().endswith(b"\r"):
        repairs.append(Repair.LINE_ENDS_CONVERTED)
        body = body.replace(b"\n", b"\r\n")
    return said, body, repairs


def _without_headers(content: bytes) -> tuple[str, bytes]:
    """Return the Content-Type among the headers of a message, and what stands behind them."""
    lines = _LINE.split(content[:_HEAD_BYTES])
    is_http = bool(lines) and _HTTP.fullmatch(lines[0]) is not None
    end = _BLANK.search(content, 0, _HEAD_BYTES)
    if end is None or not (is_http or (lines and _HEADER.match(lines[0]))):
        return "", content
    found = _TYPE.search(content, 0, end.start() + 2)
    said = " ".join(found.group(1).decode("ascii", "replace").split()) if found else ""
    return said, content[end.end() :]
