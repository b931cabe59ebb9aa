"""Checksums and digests of large octets, which leave memory again as they are walked through.

A mapped file counts as resident as far as it was touched: one pass over a container of 400 MB would
make the process that much larger. So mapped pages are let go behind the walk; the kernel keeps them
in its cache as long as it likes.
"""

from __future__ import annotations

import hashlib
import mmap
import zlib
from collections.abc import Iterator
from typing import Final

PIECE_BYTES: Final = 8 * 1024**2
"""How much of a large content is looked at before its pages are let go."""


def pieces(octets: bytes | memoryview) -> Iterator[bytes | memoryview]:
    """Yield the octets in their order; each piece is to be done with before the next."""
    view = memoryview(octets)
    for at in range(0, len(view), PIECE_BYTES):
        yield view[at : at + PIECE_BYTES]
        release(view)


def release(view: memoryview) -> None:
    """Let go of the pages of a mapped file that `view` looks into; reading brings them back."""
    if isinstance(view.obj, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        view.obj.madvise(mmap.MADV_DONTNEED)


def crc32(octets: bytes | memoryview) -> int:
    """Return the CRC-32 that ZIP uses."""
    if len(octets) <= PIECE_BYTES:
        return zlib.crc32(octets)
    found = 0
    for piece in pieces(octets):
        found = zlib.crc32(piece, found)
    return found


def sha256(octets: bytes | memoryview) -> bytes:
    """Return the SHA-256 digest."""
    if len(octets) <= PIECE_BYTES:
        return hashlib.sha256(octets).digest()
    digest = hashlib.sha256()
    for piece in pieces(octets):
        digest.update(piece)
    return digest.digest()
