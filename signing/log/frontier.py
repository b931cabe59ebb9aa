"""The growing edge of the log: pending entries in, new tiles and the new root out.

`append` is the whole arithmetic of the sequencer. The caller stores what it returns in one
transaction and hands the stored edge back the next time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from signing.log.errors import LogTileMalformed, LogTileMissing
from signing.log.merkle import HASH_SIZE_BYTES, complete_root, leaf_hash, range_root
from signing.log.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    TileSource,
    check_entry,
    split_hashes,
    tile_path,
    tile_width,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One numbered entry of the log."""

    # Position in the log, from 0.
    index: int
    content: bytes
    leaf_hash: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Frontier:
    """The size of the log and the hashes of its unfinished tiles, lowest level first.

    `open_tiles[level]` holds the hashes of the last, partial tile of that level, which may be
    none. Everything else of the tree is full tiles that never change again.
    """

    size: int = 0
    open_tiles: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        """Refuse hashes that a log of this size cannot have."""
        expected = tuple(
            (self.size >> (TILE_HEIGHT * level)) % TILE_WIDTH * HASH_SIZE_BYTES
            for level in range(_levels(self.size))
        )
        if self.size < 0 or tuple(map(len, self.open_tiles)) != expected:
            raise LogTileMalformed(f"expected the open tiles of a log of {self.size} entries")

    @property
    def root(self) -> bytes:
        """Return the root of the log as it stands."""
        return range_root(0, self.size, self._subtree)

    def _subtree(self, height: int, index: int) -> bytes:
        # The complete subtrees that a root asks for all end in the open tiles.
        level, inside = divmod(height, TILE_HEIGHT)
        start = (index << inside) % TILE_WIDTH * HASH_SIZE_BYTES
        hashes = self.open_tiles[level][start : start + (HASH_SIZE_BYTES << inside)]
        return complete_root(split_hashes(hashes))


@dataclass(frozen=True, kw_only=True, slots=True)
class Appended:
    """What one `append` changed: rows to write, and the edge for the next one."""

    # The new entries with their numbers, in order.
    entries: tuple[Entry, ...]
    # Every tile that is new or grew; each replaces the row of the same level and index.
    tiles: tuple[Tile, ...]
    frontier: Frontier
    root: bytes


def append(frontier: Frontier, leaves: Sequence[bytes]) -> Appended:
    """Number `leaves` from the frontier's size on and return what changes.

    Raises `LogTileMalformed` for a leaf over 65,535 bytes, before anything is numbered.
    """
    for leaf in leaves:
        check_entry(leaf)
    hashes = [leaf_hash(leaf) for leaf in leaves]
    entries = tuple(
        Entry(index=index, content=leaf, leaf_hash=hashed)
        for index, (leaf, hashed) in enumerate(
            zip(leaves, hashes, strict=True), start=frontier.size
        )
    )
    size = frontier.size + len(leaves)
    tiles: list[Tile] = []
    open_tiles: list[bytes] = []
    for level in range(_levels(size)):
        grown, left, hashes = _grow(frontier, level, hashes)
        tiles += grown
        open_tiles.append(left)
    grown_frontier = Frontier(size=size, open_tiles=tuple(open_tiles))
    return Appended(
        entries=entries, tiles=tuple(tiles), frontier=grown_frontier, root=grown_frontier.root
    )


def frontier_at(source: TileSource, *, size: int) -> Frontier:
    """Read the frontier of a stored log of `size` entries back from its tiles."""
    return Frontier(
        size=size,
        open_tiles=tuple(_open_tile(source, level, size) for level in range(_levels(size))),
    )


def _open_tile(source: TileSource, level: int, size: int) -> bytes:
    index = (size >> (TILE_HEIGHT * level)) // TILE_WIDTH
    width = tile_width(level, index, size=size)
    if width == 0:
        return b""
    hashes = source.tile(level, index, width)[: width * HASH_SIZE_BYTES]
    if len(hashes) != width * HASH_SIZE_BYTES:
        raise LogTileMissing(
            f"expected {width} hashes in {tile_path(level, index)}, "
            f"got {len(hashes) // HASH_SIZE_BYTES}",
            hint="restore the log from a backup",
            tile=tile_path(level, index),
        )
    return hashes


def _grow(
    frontier: Frontier, level: int, added: list[bytes]
) -> tuple[list[Tile], bytes, list[bytes]]:
    """Return one level's changed tiles, what stays open, and the hashes for the level above."""
    before = frontier.open_tiles[level] if level < len(frontier.open_tiles) else b""
    if not added:
        return [], before, []
    first = (frontier.size >> (TILE_HEIGHT * level)) // TILE_WIDTH
    joined = before + b"".join(added)
    full_bytes = TILE_WIDTH * HASH_SIZE_BYTES
    tiles = [
        Tile(level=level, index=first + number, hashes=joined[at : at + full_bytes])
        for number, at in enumerate(range(0, len(joined), full_bytes))
    ]
    full = [tile for tile in tiles if tile.width == TILE_WIDTH]
    left = joined[len(full) * full_bytes :]
    return tiles, left, [complete_root(split_hashes(tile.hashes)) for tile in full]


def _levels(size: int) -> int:
    """Return how many tile levels a log of `size` entries has: a level needs one hash."""
    return -(-size.bit_length() // TILE_HEIGHT) if size > 0 else 0
