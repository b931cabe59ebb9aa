"""Published versions of procedures: never changed, found by the digest of their folder.

Two versions may share one contract (`process.bpmn`) and differ in a deadline only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime

from dossier.ids import Sha256
from storage import sql
from storage.errors import RowConflict

_HEAD = "sha256 package_sha256 procedure version effective_from published published_by confirmed_by"
_SELECT = f"SELECT {sql.columns(_HEAD)} FROM procedure_version"  # noqa: S608 - our own constants


@dataclass(frozen=True, kw_only=True, slots=True)
class DefinitionHead:
    """A published version without its files."""

    sha256: Sha256  # of `process.bpmn`: the contract between the agencies
    package_sha256: Sha256  # of the whole folder
    procedure: str
    version: str
    effective_from: date
    published: datetime
    published_by: str  # who proposed it
    confirmed_by: str  # the second person


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """A published version with the files of its folder."""

    sha256: Sha256
    package_sha256: Sha256
    procedure: str
    version: str
    effective_from: date
    published: datetime
    published_by: str
    confirmed_by: str
    files: Mapping[str, bytes]


def add(definition: Definition) -> bool:
    """Publish a version; return False when the same folder was there already.

    Raises `RowConflict` when the version is there with other files.
    """
    known = find_version(definition.procedure, definition.version)
    if known:
        if known.package_sha256 == definition.package_sha256:
            return False
        raise RowConflict(
            "expected a new version, got other files for a published one", detail=definition.version
        )
    sql.execute(
        sql.insert_into("procedure_version", _HEAD),
        (
            definition.sha256,
            definition.package_sha256,
            definition.procedure,
            definition.version,
            definition.effective_from.isoformat(),
            sql.from_instant(definition.published),
            definition.published_by,
            definition.confirmed_by,
        ),
    )
    sql.execute_many(
        sql.insert_into("procedure_file", "package_sha256 path content"),
        [
            (definition.package_sha256, path, content)
            for path, content in sorted(definition.files.items())
        ],
    )
    return True


def find(package_sha256: str) -> Definition | None:
    """Return the version whose folder has that digest, with its files."""
    row = sql.one_row(f"{_SELECT} WHERE package_sha256 = %s", (package_sha256,))
    if row is None:
        return None
    rows = sql.all_rows(
        "SELECT path, content FROM procedure_file WHERE package_sha256 = %s", (package_sha256,)
    )
    return Definition(**asdict(_head(row)), files={path: bytes(content) for path, content in rows})


def find_version(procedure: str, version: str) -> DefinitionHead | None:
    """Return that version of the procedure."""
    row = sql.one_row(f"{_SELECT} WHERE procedure = %s AND version = %s", (procedure, version))
    return _head(row) if row else None


def effective(procedure: str, day: date) -> DefinitionHead | None:
    """Return the version under which a dossier is opened on that day: the latest in effect."""
    row = sql.one_row(
        f"{_SELECT} WHERE procedure = %s AND effective_from <= %s"
        " ORDER BY effective_from DESC, published DESC LIMIT 1",
        (procedure, day.isoformat()),
    )
    return _head(row) if row else None


def latest(procedure: str) -> DefinitionHead | None:
    """Return the version that is, or comes, into effect last."""
    return effective(procedure, date.max)


def list_definitions() -> list[DefinitionHead]:
    """Return all published versions."""
    return [_head(row) for row in sql.all_rows(f"{_SELECT} ORDER BY procedure, published")]


def _head(row: sql.Row) -> DefinitionHead:
    return DefinitionHead(
        sha256=Sha256(row[0]),
        package_sha256=Sha256(row[1]),
        procedure=row[2],
        version=row[3],
        effective_from=date.fromisoformat(row[4]),
        published=sql.to_instant(row[5]),
        published_by=row[6],
        confirmed_by=row[7],
    )
