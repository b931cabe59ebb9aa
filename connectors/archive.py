"""Open ZIP files from outside: what the standard library may raise, and what it may unpack."""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import Final

# zipfile does not wrap what hostile offsets and names make of its own code: negative seeks
# (ValueError), short headers (struct.error), encryption and unknown methods (RuntimeError).
BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    KeyError,
    RuntimeError,
    ValueError,
)
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


def read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, *, limit_bytes: int) -> bytes:
    """Return an entry's content, one byte more than the limit at most.

    Raises one of `BROKEN` for anything but a stored or deflated entry.
    """
    if entry.compress_type not in _METHODS:
        raise zipfile.BadZipFile("expected a stored or deflated entry")
    with archive.open(entry) as file:
        return file.read(limit_bytes + 1)
