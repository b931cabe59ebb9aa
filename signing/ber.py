"""BER (X.690) brought into DER: lengths made definite, pieces of octet strings joined.

Other tools write CMS in BER. What is definite already is kept octet for octet, so certificates
stay what their issuers signed; the order of sets is kept too.
"""

from __future__ import annotations

from typing import Final

from signing import der
from signing.errors import DerRefused

MAX_DEPTH: Final = 48
MAX_VALUES: Final = 1_000_000  # a list of a hundred thousand revocations is half of it

_CONSTRUCTED: Final = 0x20
_LONG_TAG: Final = 0x1F
_PIECES: Final = der.OCTET_STRING | _CONSTRUCTED
_END: Final = b"\x00\x00"


def to_der(content: bytes) -> bytes:
    """Return one BER value with definite lengths in their shortest form; raise `DerRefused`."""
    octets, position = _Walk(content).value(0, len(content), depth=0)
    if position != len(content):
        raise DerRefused("expected the end of the value, got further octets")
    return octets


def first_value(content: bytes) -> tuple[bytes, bytes]:
    """Return the first value as it stands, and the octets behind it; raise `DerRefused`."""
    _, position = _Walk(content).value(0, len(content), depth=0)
    return content[:position], content[position:]


class _Walk:
    """One pass over one buffer, with a limit to its steps."""

    def __init__(self, buffer: bytes) -> None:
        self._buffer = buffer
        self._left = MAX_VALUES

    def value(self, begin: int, end: int, *, depth: int) -> tuple[bytes, int]:
        """Return the value at `begin` in its new form, and the offset behind its old one."""
        self._left -= 1
        if depth > MAX_DEPTH or self._left < 0:
            raise DerRefused("expected fewer values inside each other, got more")
        tag, position = _tag(self._buffer, begin, end)
        size, start = _length(self._buffer, position, end)
        if not tag[0] & _CONSTRUCTED:
            if size is None:
                raise DerRefused("expected a definite length of a plain value, got none")
            return self._kept(begin, start, start + size, tag), start + size
        parts, stop = self._children(start, end if size is None else start + size, size, depth)
        if tag == bytes((_PIECES,)):
            return der.tlv(der.OCTET_STRING, b"".join(_octets_of(one) for one in parts)), stop
        joined = b"".join(parts)
        if size is not None and joined == self._buffer[start:stop]:
            return self._kept(begin, start, stop, tag), stop
        return tag + _shortest(len(joined)) + joined, stop

    def _kept(self, begin: int, start: int, stop: int, tag: bytes) -> bytes:
        header = tag + _shortest(stop - start)
        if self._buffer[begin:start] == header:
            return self._buffer[begin:stop]
        return header + self._buffer[start:stop]

    def _children(
        self, start: int, end: int, size: int | None, depth: int
    ) -> tuple[list[bytes], int]:
        parts: list[bytes] = []
        position = start
        while position < end:
            if size is None and self._buffer[position : position + 2] == _END:
                return parts, position + 2
            part, position = self.value(position, end, depth=depth + 1)
            parts.append(part)
        if size is None:
            raise DerRefused("expected the end of an indefinite value, got the end of the file")
        return parts, position


def _shortest(size: int) -> bytes:
    if size < 0x80:
        return bytes((size,))
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(length),)) + length


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
