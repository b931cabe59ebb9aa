"""The files of dossiers: rows are added, never changed; the newest of a kind counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from dossier.ids import Sha256
from dossier.model import Document, DocumentOrigin
from storage import sql
from storage.errors import RowMissing

_COLUMNS = "id dossier name media_type kind sha256 size_bytes origin added added_by"
_SELECT = f"SELECT {sql.columns(_COLUMNS)} FROM document"  # noqa: S608 - our own constants


def add(document: Document, *, task: UUID | None = None) -> None:
    """Store a document, and the task in which it came; its bytes are in the blob store already."""
    sql.execute(
        sql.insert_into("document", f"{_COLUMNS} task"),
        (
            str(document.id),
            str(document.dossier),
            document.name,
            document.media_type,
            document.kind,
            document.sha256,
            document.size_bytes,
            document.origin.value,
            sql.from_instant(document.added),
            document.added_by,
            sql.from_uuid(task),
        ),
    )


def add_signature(document: UUID, sha256: Sha256, *, signer: str, role: str, at: datetime) -> None:
    """Store that a person's signature, a blob, covers the document; twice is once."""
    sql.execute(
        sql.insert_into(
            "document_signature",
            "document sha256 signer role at",
            otherwise="ON CONFLICT (document, sha256) DO NOTHING",
        ),
        (str(document), sha256, signer, role, sql.from_instant(at)),
    )


def get(document: UUID) -> Document:
    """Return the document with its signatures; raise `RowMissing`."""
    rows = sql.all_rows(f"{_SELECT} WHERE id = %s", (str(document),))
    if not rows:
        raise RowMissing("expected a known document", kind="document", id=str(document))
    return _documents(rows)[0]


def of_dossier(dossier: UUID) -> list[Document]:
    """Return the documents of a dossier, oldest first."""
    return _documents(
        sql.all_rows(f"{_SELECT} WHERE dossier = %s ORDER BY added, id", (str(dossier),))
    )


def latest(dossier: UUID, kind: str) -> Document | None:
    """Return the newest document of a kind."""
    rows = sql.all_rows(
        f"{_SELECT} WHERE dossier = %s AND kind = %s ORDER BY added DESC, id LIMIT 1",
        (str(dossier), kind),
    )
    return next(iter(_documents(rows)), None)


def _documents(rows: Sequence[sql.Row]) -> list[Document]:
    signatures = _signatures([row[0] for row in rows])
    return [
        Document(
            id=UUID(row[0]),
            dossier=UUID(row[1]),
            name=row[2],
            media_type=row[3],
            kind=row[4],
            sha256=Sha256(row[5]),
            size_bytes=int(row[6]),
            origin=DocumentOrigin(row[7]),
            added=sql.to_instant(row[8]),
            added_by=row[9],
            signatures=tuple(signatures.get(row[0], ())),
        )
        for row in rows
    ]


def _signatures(documents: Sequence[str]) -> dict[str, list[Sha256]]:
    found: dict[str, list[Sha256]] = {}
    if documents:
        rows = sql.all_rows(
            "SELECT document, sha256 FROM document_signature"  # noqa: S608 - marks
            f" WHERE document IN ({sql.marks(len(documents))}) ORDER BY id",
            documents,
        )
        for document, sha256 in rows:
            found.setdefault(document, []).append(Sha256(sha256))
    return found


def stored_files() -> set[Sha256]:
    """Return the digests of all files that rows name, documents and messages."""
    rows = sql.stream(
        "SELECT sha256 FROM document UNION SELECT sha256 FROM document_signature"
        " UNION SELECT container_sha256 FROM outbox UNION SELECT receipt_sha256 FROM outbox"
        " UNION SELECT container_sha256 FROM inbox UNION SELECT receipt_sha256 FROM inbox"
    )
    return {Sha256(row[0]) for row in rows if row[0]}
