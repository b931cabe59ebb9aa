"""The editions of the directory that this node has imported, as sealed bytes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dossier.ids import Sha256
from storage import sql

_COLUMNS = "number sha256 previous_sha256 content unsigned imported imported_by"
_SELECT = f"SELECT {sql.columns(_COLUMNS)} FROM directory_edition"  # noqa: S608 - our own constants


@dataclass(frozen=True, kw_only=True, slots=True)
class DirectoryEdition:
    """One edition, verified before it was stored."""

    number: int
    sha256: Sha256
    previous_sha256: str
    content: bytes  # the document with its seal
    unsigned: bytes  # what the seal covers
    imported: datetime
    imported_by: str


def add_edition(edition: DirectoryEdition) -> None:
    """Store an edition; raise `RowConflict` for a number that is there."""
    sql.execute(
        sql.insert_into("directory_edition", _COLUMNS),
        (
            edition.number,
            edition.sha256,
            edition.previous_sha256,
            edition.content,
            edition.unsigned,
            sql.from_instant(edition.imported),
            edition.imported_by,
        ),
    )


def current() -> DirectoryEdition | None:
    """Return the edition with the highest number."""
    return _found(sql.one_row(f"{_SELECT} ORDER BY number DESC LIMIT 1"))


def current_number() -> int:
    """Return the highest number, 0 before the first import; cheaper than reading the edition."""
    return int(sql.the_row("SELECT COALESCE(MAX(number), 0) FROM directory_edition")[0])


def find_edition(number: int) -> DirectoryEdition | None:
    """Return the edition of that number."""
    return _found(sql.one_row(f"{_SELECT} WHERE number = %s", (number,)))


def editions() -> list[DirectoryEdition]:
    """Return all editions, oldest first."""
    return [_edition(row) for row in sql.all_rows(f"{_SELECT} ORDER BY number")]


def _found(row: sql.Row | None) -> DirectoryEdition | None:
    return _edition(row) if row else None


def _edition(row: sql.Row) -> DirectoryEdition:
    return DirectoryEdition(
        number=int(row[0]),
        sha256=Sha256(row[1]),
        previous_sha256=row[2],
        content=bytes(row[3]),
        unsigned=bytes(row[4]),
        imported=sql.to_instant(row[5]),
        imported_by=row[6],
    )
