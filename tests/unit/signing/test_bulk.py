"""Walking through large content gives what one call would, and leaves no mapped page behind."""

from __future__ import annotations

import hashlib
import mmap
import zlib
from pathlib import Path

import pytest

from signing import bulk


def _resident_kilobytes() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("RssFile:")[2].split()[0])


@pytest.mark.parametrize("size", [0, 1, bulk.PIECE_BYTES, 2 * bulk.PIECE_BYTES + 3])
def test_digest_and_checksum_are_those_of_the_whole(size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert bulk.sha256(content) == hashlib.sha256(content).digest()
    assert bulk.crc32(memoryview(content)) == zlib.crc32(content)
    assert b"".join(bulk.pieces(content)) == content


def test_a_mapped_file_does_not_stay_resident(tmp_path: Path) -> None:
    path = tmp_path / "large"
    size = 12 * bulk.PIECE_BYTES
    with path.open("wb") as large:
        large.truncate(size)
    with path.open("rb") as source:
        view = memoryview(mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ))
    before = _resident_kilobytes()
    most = 0
    for piece in bulk.pieces(view):
        zlib.crc32(piece)
        most = max(most, _resident_kilobytes())
    assert (most - before) * 1024 < 3 * bulk.PIECE_BYTES
    assert bulk.sha256(view) == hashlib.sha256(bytes(size)).digest()
