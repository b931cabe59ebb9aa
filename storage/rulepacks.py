"""Published rule packs: never changed, found by version or by the day they take effect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from dossier.ids import Sha256
from storage import sql

_HEAD = "version package_sha256 effective_from published published_by confirmed_by"
_SELECT = f"SELECT {sql.columns(_HEAD)} FROM rule_pack"  # noqa: S608 - our own constants


@dataclass(frozen=True, kw_only=True, slots=True)
class RulePackHead:
    """A published rule pack without its files."""

    version: str
    package_sha256: Sha256
    effective_from: date
    published: datetime
    published_by: str  # who proposed it
    confirmed_by: str


def add(head: RulePackHead, files: Mapping[str, bytes]) -> None:
    """Store a pack; raise `RowConflict` for a version that is there."""
    sql.execute(
        sql.insert_into("rule_pack", _HEAD),
        (
            head.version,
            head.package_sha256,
            head.effective_from.isoformat(),
            sql.from_instant(head.published),
            head.published_by,
            head.confirmed_by,
        ),
    )
    sql.execute_many(
        sql.insert_into("rule_pack_file", "version path content"),
        [(head.version, path, content) for path, content in sorted(files.items())],
    )


def find_head(version: str) -> RulePackHead | None:
    """Return the pack of that version."""
    row = sql.one_row(f"{_SELECT} WHERE version = %s", (version,))
    return _head(row) if row else None


def heads() -> list[RulePackHead]:
    """Return all published packs, in the order of their effect."""
    return [_head(row) for row in sql.all_rows(f"{_SELECT} ORDER BY effective_from, published")]


def files(version: str) -> dict[str, bytes]:
    """Return the files of a pack by their path; none for an unknown version."""
    rows = sql.all_rows(
        "SELECT path, content FROM rule_pack_file WHERE version = %s ORDER BY path", (version,)
    )
    return {path: bytes(content) for path, content in rows}


def _head(row: sql.Row) -> RulePackHead:
    return RulePackHead(
        version=row[0],
        package_sha256=Sha256(row[1]),
        effective_from=date.fromisoformat(row[2]),
        published=sql.to_instant(row[3]),
        published_by=row[4],
        confirmed_by=row[5],
    )
