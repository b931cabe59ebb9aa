"""What foreign ZIP archives carry besides: extra fields with 64-bit sizes, data descriptors.

An archive never has more than 32 bits of anything here. Tools that do not know a size before they
write nevertheless leave room for 64 bits (APPNOTE 6.3.10 §4.3.9.2, §4.5.3): that room must agree.
"""

from __future__ import annotations

import struct
from typing import Final

from signing.errors import ZipRefused

MARKER: Final = 0xFFFF_FFFF  # stands where the size or offset is in the ZIP64 field
_ZIP64: Final = 0x0001
_UNICODE_PATH: Final = 0x7075
_DESCRIPTOR_MARK: Final = b"PK\x07\x08"


def wide_values(extra: memoryview) -> tuple[int, ...] | None:
    """Return the values of the ZIP64 field, None without one; refuse a field that renames."""
    found: tuple[int, ...] | None = None
    position = 0
    while position < len(extra):
        if position + 4 > len(extra):
            raise ZipRefused("expected whole extra fields, got a torn one", reason="extra")
        kind, size = struct.unpack_from("<HH", extra, position)
        start, position = position + 4, position + 4 + size
        if kind == _UNICODE_PATH or position > len(extra):
            raise ZipRefused(f"expected no extra field {kind:#06x}, got it", reason="extra")
        if kind == _ZIP64:
            if found is not None or size not in (8, 16, 24):
                raise ZipRefused("expected one plain zip64 field, got another", reason="zip64")
            found = struct.unpack_from(f"<{size // 8}Q", extra, start)
    return found


def central_values(
    size: int, packed: int, offset: int, wide: tuple[int, ...] | None
) -> tuple[int, int, int]:
    """Return size, packed size and offset of a directory line, with the markers filled in."""
    narrow = (size, packed, offset)
    if wide is None:
        return narrow
    count = narrow.count(MARKER)
    if not count and wide == narrow[: len(wide)]:
        return narrow
    if count != len(wide):
        raise ZipRefused("expected the zip64 values of the line, got others", reason="zip64")
    values = iter(wide)
    size, packed, offset = (next(values) if one == MARKER else one for one in narrow)
    return size, packed, offset


def local_values(local: tuple[int, int, int], wide: tuple[int, ...] | None) -> tuple[int, int, int]:
    """Return checksum, packed size and size of a local header, with the markers filled in."""
    if wide is None:
        return local
    checksum, *narrow = local
    held = wide[::-1]  # the field has the size first
    if len(held) != 2 or any(
        one not in (MARKER, value) for one, value in zip(narrow, held, strict=True)
    ):
        raise ZipRefused("expected the zip64 values of the header, got others", reason="zip64")
    return checksum, *held


def skip_descriptor(
    view: memoryview, position: int, known: tuple[int, int, int], *, limit: int, is_wide: bool
) -> int:
    """Return the offset behind a data descriptor that repeats what is `known`."""
    narrow, wide = struct.pack("<III", *known), struct.pack("<IQQ", *known)
    # The narrow one of an empty file is the beginning of its wide one.
    for plain in (wide, narrow) if is_wide else (narrow, wide):
        for form in (_DESCRIPTOR_MARK + plain, plain):
            if position + len(form) <= limit and view[position : position + len(form)] == form:
                return position + len(form)
    raise ZipRefused("expected a data descriptor, got something else", reason="mismatch")
