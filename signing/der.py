"""DER (X.690) as needed for time-stamps: a few encoders, and a cursor that reads strictly.

The cursor refuses every encoding that a canonical writer would not produce, so that a token has
one spelling only.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from signing.errors import DerRefused

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OID: Final = 0x06
UTF8_STRING: Final = 0x0C
SEQUENCE: Final = 0x30
SET: Final = 0x31
UTC_TIME: Final = 0x17
GENERALIZED_TIME: Final = 0x18


def tlv(tag: int, content: bytes) -> bytes:
    """Return tag, shortest length and content."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def sequence(*parts: bytes) -> bytes:
    """Return a SEQUENCE of encoded parts."""
    return tlv(SEQUENCE, b"".join(parts))


def set_of(*parts: bytes) -> bytes:
    """Return a SET OF, in the order that DER demands."""
    return tlv(SET, b"".join(sorted(parts)))


def integer(value: int) -> bytes:
    """Return a non-negative INTEGER."""
    return tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER."""
    arcs = [int(arc) for arc in dotted.split(".")]
    numbers = [arcs[0] * 40 + arcs[1], *arcs[2:]]
    return tlv(OID, b"".join(_base128(number) for number in numbers))


def generalized_time(at: datetime) -> bytes:
    """Return a GeneralizedTime in UTC, in whole seconds (rounded down)."""
    return tlv(GENERALIZED_TIME, at.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode())


def utc_time(at: datetime) -> bytes:
    """Return the Time of CMS: UTCTime until 2049, GeneralizedTime from then on (RFC 5652 §11.3)."""
    moment = at.astimezone(UTC)
    if moment.year >= 2050:
        return generalized_time(moment)
    return tlv(UTC_TIME, moment.strftime("%y%m%d%H%M%SZ").encode())


def _base128(number: int) -> bytes:
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(0x80 | number & 0x7F)
    return bytes(reversed(groups))


class Cursor:
    """Walk over DER between two offsets of one buffer; every step raises `DerRefused` or advances.

    Ask for what must come next; call `finish` at the end, so that nothing is left unread.
    """

    __slots__ = ("_buffer", "_end", "_position")

    def __init__(self, buffer: bytes, start: int = 0, end: int | None = None) -> None:
        """Stand at `start` of `buffer` and stop at `end`."""
        self._buffer = buffer
        self._position = start
        self._end = len(buffer) if end is None else end

    @property
    def position(self) -> int:
        """Return the offset in the buffer where the next value begins."""
        return self._position

    def next_tag(self) -> int | None:
        """Return the tag that comes next without reading it; None at the end."""
        return self._buffer[self._position] if self._position < self._end else None

    def take(self, tag: int) -> bytes:
        """Read one value with `tag` and return its content octets."""
        start = self._step(tag)
        return self._buffer[start : self._position]

    def take_whole(self, tag: int) -> bytes:
        """Read one value with `tag` and return it with its header."""
        begin = self._position
        self._step(tag)
        return self._buffer[begin : self._position]

    def enter(self, tag: int) -> Cursor:
        """Read one value with `tag` and return a cursor over its content."""
        start = self._step(tag)
        return Cursor(self._buffer, start, self._position)

    def take_integer(self) -> int:
        """Read a non-negative INTEGER in its shortest form."""
        content = self.take(INTEGER)
        padded = len(content) > 1 and content[0] == 0 and content[1] < 0x80
        if not content or content[0] & 0x80 or padded:
            raise DerRefused("expected a shortest non-negative INTEGER, got another encoding")
        return int.from_bytes(content, "big")

    def take_signed(self) -> int:
        """Read an INTEGER in its shortest form, negative ones too."""
        content = self.take(INTEGER)
        head = int.from_bytes(content[:2], "big") >> 7
        if not content or (len(content) > 1 and head in (0, 0x1FF)):
            raise DerRefused("expected a shortest INTEGER, got another encoding")
        return int.from_bytes(content, "big", signed=True)

    def take_time(self) -> datetime:
        """Read a GeneralizedTime in UTC with an optional fraction without trailing zeros."""
        return parse_generalized_time(self.take(GENERALIZED_TIME))

    def finish(self) -> None:
        """Raise unless everything was read."""
        if self._position != self._end:
            raise DerRefused("expected the end of the value, got further octets")

    def _step(self, tag: int) -> int:
        """Move behind the next value and return where its content begins."""
        buffer, position, end = self._buffer, self._position, self._end
        if position + 2 > end:
            raise DerRefused("expected a DER value, got the end")
        if buffer[position] != tag:
            raise DerRefused(f"expected tag {tag:#04x}, got {buffer[position]:#04x}")
        start = position + 2
        size = buffer[position + 1]
        if size >= 0x80:
            size, start = self._long_length(start, size & 0x7F)
        self._position = position = start + size
        if position > end:
            raise DerRefused("expected a value inside its parent, got one that is longer")
        return start

    def _long_length(self, start: int, count: int) -> tuple[int, int]:
        end = start + count
        if not 1 <= count <= 4 or end > self._end:
            raise DerRefused("expected a definite length, got another form")
        size = int.from_bytes(self._buffer[start:end], "big")
        if size < 0x80 or not self._buffer[start]:
            raise DerRefused("expected the shortest length, got a longer form")
        return size, end


def parse_generalized_time(content: bytes) -> datetime:
    """Return the instant of GeneralizedTime octets as RFC 3161 §2.4.2 restricts them."""
    whole, dot, fraction = content.removesuffix(b"Z").partition(b".")
    well_formed = (
        content.endswith(b"Z")
        and len(whole) == 14
        and whole.isdigit()
        and (not dot or (fraction.isdigit() and not fraction.endswith(b"0")))
    )
    if not well_formed:
        raise DerRefused("expected YYYYMMDDhhmmss[.f]Z, got another time")
    try:
        moment = datetime.fromisoformat(f"{whole[:8].decode()}T{whole[8:].decode()}Z")
    except ValueError as exc:
        raise DerRefused("expected an existing instant, got another time") from exc
    micro = int((fraction[:6] or b"0").ljust(6, b"0")) if dot else 0
    return moment.replace(microsecond=micro)


def signed_parts(content: bytes) -> Cursor:
    """Return a cursor behind the signature of a signed structure: certificate, CRL, OCSP body.

    Raises `DerRefused` unless it begins with the signed part, the algorithm and whole octets of
    signature: the count of unused bits is the one octet that nobody else compares.
    """
    outer = Cursor(content)
    parts = outer.enter(SEQUENCE)
    outer.finish()
    parts.take(SEQUENCE)
    parts.take(SEQUENCE)
    if not parts.take(BIT_STRING).startswith(b"\x00"):
        raise DerRefused("expected a signature of whole octets, got unused bits")
    return parts
