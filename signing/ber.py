"""BER (X.690) brought into DER: lengths made definite, pieces of octet strings joined.

Other tools write CMS in BER. What is definite already is kept octet for octet, so certificates
stay what their issuers signed; the order of sets is kept too.
"""

from __future__ import annotations

from typing import Final

from signing import der
from signing.errors import DerRefused

MAX_DEPTH: Final = 48

_CONSTRUCTED: Final = 0x20
_LONG_TAG: Final = 0x1F
_PIECES: Final = der.OCTET_STRING | _CONSTRUCTED
_END: Final = b"\x00\x00"


def to_der(content: bytes) -> bytes:
    """Return one BER value with definite lengths in their shortest form; raise `DerRefused`."""
    octets, position = _value(content, 0, len(content), depth=0)
    if position != len(content):
        raise DerRefused("expected the end of the value, got further octets")
    return octets


def first_value(content: bytes) -> tuple[bytes, bytes]:
    """Return the first value as it stands, and the octets behind it; raise `DerRefused`."""
    _, position = _value(content, 0, len(content), depth=0)
    return content[:position], content[position:]


def _value(buffer: bytes, begin: int, end: int, *, depth: int) -> tuple[bytes, int]:
    """Return the value at `begin` in its new form, and the offset behind its old one."""
    if depth > MAX_DEPTH:
        raise DerRefused(f"expected at most {MAX_DEPTH} levels, got more")
    tag, position = _tag(buffer, begin, end)
    size, start = _length(buffer, position, end)
    if size is None and not tag[0] & _CONSTRUCTED:
        raise DerRefused("expected a definite length of a plain value, got none")
    if not tag[0] & _CONSTRUCTED and size is not None:
        stop = start + size
        return _kept(buffer, begin, start, stop, tag), stop
    parts, stop = _children(buffer, start, end if size is None else start + size, size, depth)
    if tag == bytes((_PIECES,)):
        return der.tlv(der.OCTET_STRING, b"".join(_octets_of(one) for one in parts)), stop
    joined = b"".join(parts)
    if size is not None and joined == buffer[start:stop]:
        return _kept(buffer, begin, start, stop, tag), stop
    return tag + _shortest(len(joined)) + joined, stop


def _kept(buffer: bytes, begin: int, start: int, stop: int, tag: bytes) -> bytes:
    header = tag + _shortest(stop - start)
    if buffer[begin:start] == header:
        return buffer[begin:stop]
    return header + buffer[start:stop]


def _shortest(size: int) -> bytes:
    if size < 0x80:
        return bytes((size,))
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(length),)) + length


def _children(
    buffer: bytes, start: int, end: int, size: int | None, depth: int
) -> tuple[list[bytes], int]:
    parts: list[bytes] = []
    position = start
    while position < end:
        if size is None and buffer[position : position + 2] == _END:
            return parts, position + 2
        part, position = _value(buffer, position, end, depth=depth + 1)
        parts.append(part)
    if size is None:
        raise DerRefused("expected the end of an indefinite value, got the end of the file")
    return parts, position


def _octets_of(part: bytes) -> bytes:
    outer = der.Cursor(part)
    content = outer.take(der.OCTET_STRING)
    outer.finish()
    return content


def _tag(buffer: bytes, begin: int, end: int) -> tuple[bytes, int]:
    position = begin + 1
    if position > end:
        raise DerRefused("expected a value, got the end")
    if buffer[begin] & _LONG_TAG == _LONG_TAG:
        while position < end and buffer[position] & 0x80 and position - begin < 4:
            position += 1
        position += 1
    return buffer[begin:position], position


def _length(buffer: bytes, position: int, end: int) -> tuple[int | None, int]:
    """Return the length, None for an indefinite one, and where the content begins."""
    if position >= end:
        raise DerRefused("expected a length, got the end")
    size, start = buffer[position], position + 1
    if size == 0x80:
        return None, start
    if size > 0x80:
        count = size & 0x7F
        if count > 8 or start + count > end:
            raise DerRefused("expected a length of at most eight octets, got another")
        size, start = int.from_bytes(buffer[start : start + count], "big"), start + count
    if start + size > end:
        raise DerRefused("expected a value inside its parent, got one that is longer")
    return size, start
