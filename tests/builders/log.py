"""Small logs for tests: tiles as rows, entries that are the decimal numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

from signing.log import Frontier, Tile, append


@dataclass
class Tiles:
    """Tiles as rows of a table: the row of a place is replaced."""

    rows: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def keep(self, tiles: tuple[Tile, ...]) -> None:
        self.rows |= {(tile.level, tile.index): tile.hashes for tile in tiles}

    def tile(self, level: int, index: int, width: int) -> bytes:
        return self.rows.get((level, index), b"")


def log_of(entries: list[bytes], *, batch: int = 100) -> tuple[Tiles, Frontier]:
    tiles, frontier = Tiles(), Frontier()
    for at in range(0, len(entries), batch):
        appended = append(frontier, entries[at : at + batch])
        tiles.keep(appended.tiles)
        frontier = appended.frontier
    return tiles, frontier


def numbered(count: int) -> list[bytes]:
    return [str(number).encode() for number in range(count)]
