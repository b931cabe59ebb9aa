"""C2SP tlog-tiles: how the tree's hashes are cut into tiles, and proofs read from tiles.

The store keeps rows (level, index, hashes); this module says which hashes go where and never
touches a row. A full tile holds 256 hashes; only the last tile of a level may hold fewer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from signing.log.errors import LogTileMalformed, LogTileMissing
from signing.log.merkle import (
    HASH_SIZE_BYTES,
    SubtreeHash,
    complete_root,
    consistency_path,
    inclusion_path,
    range_root,
)

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT
# An entry travels behind a uint16 of its length.
MAX_ENTRY_BYTES: Final = 0xFFFF
# 63 bits of tree size, eight of them per level.
MAX_LEVEL: Final = 7

_INDEX: Final = re.compile(r"\A(?:x[0-9]{3}/)*[0-9]{3}\Z")
_PATH: Final = re.compile(
    r"\Atile/(?P<level>entries|[0-9]{1,2})/(?P<index>[x0-9/]{3,40}?)(?:\.p/(?P<width>[0-9]{1,3}))?\Z"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tile:
    """Hashes of one level, side by side: level 0 hashes are leaf hashes."""

    level: int
    index: int
    # 1 to 256 hashes of 32 bytes, concatenated.
    hashes: bytes

    @property
    def width(self) -> int:
        """Return how many hashes the tile holds; 256 when it is full."""
        return len(self.hashes) // HASH_SIZE_BYTES


class TileSource(Protocol):
    """Whoever can read tiles back: rows of a database, files, or a dict in a test."""

    def tile(self, level: int, index: int, width: int) -> bytes:
        """Return at least the first `width` hashes of the tile, or fewer if it has fewer."""


def tile_width(level: int, index: int, *, size: int) -> int:
    """Return how many hashes tile (level, index) holds in a tree of `size` entries, 0 to 256."""
    in_level = size >> (TILE_HEIGHT * level)
    return max(0, min(TILE_WIDTH, in_level - index * TILE_WIDTH))


def root_at(source: TileSource, *, size: int) -> bytes:
    """Return the root that the tree had when it held `size` entries."""
    return range_root(0, size, _reader(source, size))


def inclusion_proof(source: TileSource, *, index: int, size: int) -> tuple[bytes, ...]:
    """Return the hashes that lead from entry `index` to the root at `size`."""
    return inclusion_path(index, size, _reader(source, size))


def consistency_proof(source: TileSource, *, old_size: int, size: int) -> tuple[bytes, ...]:
    """Return the hashes that show the tree at `size` to be a continuation of that at `old_size`."""
    return consistency_path(old_size, size, _reader(source, size))


def tile_path(level: int, index: int, *, width: int = TILE_WIDTH) -> str:
    """Return the C2SP address of a tile, such as `tile/0/x001/234.p/5`."""
    return _path(str(level), index, width)


def entries_path(index: int, *, width: int = TILE_WIDTH) -> str:
    """Return the C2SP address of an entry bundle, such as `tile/entries/000.p/5`."""
    return _path("entries", index, width)


def parse_path(path: str) -> tuple[int | None, int, int]:
    """Return (level, index, width) of an address; the level of an entry bundle is None."""
    match = _PATH.match(path)
    if match is None or not _INDEX.match(match["index"]):
        raise LogTileMalformed("expected the address of a tile, got another text")
    index = int(match["index"].replace("x", "").replace("/", ""))
    width = int(match["width"]) if match["width"] else TILE_WIDTH
    level = None if match["level"] == "entries" else int(match["level"])
    if level is not None and level > MAX_LEVEL:
        raise LogTileMalformed(f"expected a tile level up to {MAX_LEVEL}, got {level}")
    printed = tile_path(level, index, width=width) if level is not None else ""
    if path != (printed or entries_path(index, width=width)):
        raise LogTileMalformed("expected the one address of a tile, got another spelling")
    return level, index, width


def dump_entries(entries: Sequence[bytes]) -> bytes:
    """Return the bytes of an entry bundle: each entry behind its length as big-endian uint16."""
    if not 1 <= len(entries) <= TILE_WIDTH:
        raise LogTileMalformed(f"expected 1 to {TILE_WIDTH} entries, got {len(entries)}")
    for entry in entries:
        check_entry(entry)
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def parse_entries(content: bytes) -> tuple[bytes, ...]:
    """Return the entries of a bundle; raise `LogTileMalformed` when a length lies."""
    entries: list[bytes] = []
    at = 0
    while at < len(content):
        end = at + 2 + int.from_bytes(content[at : at + 2], "big")
        if at + 2 > len(content) or end > len(content):
            raise LogTileMalformed("expected whole entries, got a bundle cut short")
        entries.append(content[at + 2 : end])
        at = end
    if not 1 <= len(entries) <= TILE_WIDTH:
        raise LogTileMalformed(f"expected 1 to {TILE_WIDTH} entries, got {len(entries)}")
    return tuple(entries)


def check_entry(entry: bytes) -> None:
    """Raise `LogTileMalformed` for an entry that no bundle can carry."""
    if len(entry) > MAX_ENTRY_BYTES:
        raise LogTileMalformed(
            f"expected an entry of at most {MAX_ENTRY_BYTES} bytes, got {len(entry)}",
            limit=MAX_ENTRY_BYTES,
        )


def _path(level: str, index: int, width: int) -> str:
    if index < 0 or not 1 <= width <= TILE_WIDTH:
        raise LogTileMalformed("expected an index from 0 and a width from 1 to 256, got another")
    digits = f"{index:0{-(-len(str(index)) // 3) * 3}d}"
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return "/".join(["tile", level, *(f"x{group}" for group in groups[:-1]), groups[-1]]) + partial


def _reader(source: TileSource, size: int) -> SubtreeHash:
    """Return a subtree look-up over the tiles of a tree of `size` that reads each tile once."""
    seen: dict[tuple[int, int], bytes] = {}

    def hashes_of(level: int, index: int) -> bytes:
        if (level, index) not in seen:
            width = tile_width(level, index, size=size)
            hashes = source.tile(level, index, width)
            if len(hashes) < width * HASH_SIZE_BYTES:
                raise LogTileMissing(
                    f"expected {width} hashes in {tile_path(level, index)}, "
                    f"got {len(hashes) // HASH_SIZE_BYTES}",
                    hint="restore the log from a backup",
                    tile=tile_path(level, index),
                )
            seen[level, index] = hashes
        return seen[level, index]

    def subtree(height: int, index: int) -> bytes:
        level, inside = divmod(height, TILE_HEIGHT)
        first = index << inside
        hashes = hashes_of(level, first // TILE_WIDTH)
        start = first % TILE_WIDTH * HASH_SIZE_BYTES
        return complete_root(split_hashes(hashes[start : start + (HASH_SIZE_BYTES << inside)]))

    return subtree


def split_hashes(hashes: bytes) -> list[bytes]:
    """Return the 32-byte hashes of a concatenation."""
    return [hashes[at : at + HASH_SIZE_BYTES] for at in range(0, len(hashes), HASH_SIZE_BYTES)]
