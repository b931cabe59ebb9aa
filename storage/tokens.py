"""Clients of the REST interface: only the digest of a token is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from dossier.ids import AgencyCode
from storage import sql

_COLUMNS: Final = (
    "id name agency operations token_sha256 issued issued_by expires revoked revoked_by last_used"
)
_SELECT: Final = f"SELECT {sql.columns(_COLUMNS)} FROM rest_token"  # noqa: S608 - our own constants


@dataclass(frozen=True, kw_only=True, slots=True)
class RestToken:
    """What a client may do, for which agency, and until when."""

    id: UUID
    name: str
    agency: AgencyCode
    operations: tuple[str, ...]
    token_sha256: str
    issued: datetime
    issued_by: str
    expires: datetime
    revoked: datetime | None = None
    revoked_by: str = ""
    last_used: datetime | None = None


def add(token: RestToken) -> None:
    """Store a new token."""
    sql.execute(
        sql.insert_into("rest_token", _COLUMNS),
        (
            str(token.id),
            token.name,
            token.agency,
            sql.from_json(token.operations),
            token.token_sha256,
            sql.from_instant(token.issued),
            token.issued_by,
            sql.from_instant(token.expires),
            None,
            "",
            None,
        ),
    )


def find(token_sha256: str) -> RestToken | None:
    """Return the token of that digest, in force or not."""
    row = sql.one_row(f"{_SELECT} WHERE token_sha256 = %s", (token_sha256,))
    return _token(row) if row else None


def listed() -> list[RestToken]:
    """Return all tokens, newest first."""
    return [_token(row) for row in sql.all_rows(f"{_SELECT} ORDER BY issued DESC, id")]


def revoke(token: UUID, *, by: str, at: datetime) -> bool:
    """Let a token open nothing any more; False when it is unknown or revoked already."""
    touched = sql.execute(
        "UPDATE rest_token SET revoked = %s, revoked_by = %s WHERE id = %s AND revoked IS NULL",
        (sql.from_instant(at), by, str(token)),
    )
    return touched == 1


def note_use(token: UUID, *, at: datetime, unless_since: datetime) -> None:
    """Remember when a token was used, one write a period."""
    sql.execute(
        "UPDATE rest_token SET last_used = %s WHERE id = %s"
        " AND (last_used IS NULL OR last_used < %s)",
        (sql.from_instant(at), str(token), sql.from_instant(unless_since)),
    )


def _token(row: sql.Row) -> RestToken:
    return RestToken(
        id=UUID(row[0]),
        name=row[1],
        agency=AgencyCode(row[2]),
        operations=sql.to_texts(row[3]),
        token_sha256=row[4],
        issued=sql.to_instant(row[5]),
        issued_by=row[6],
        expires=sql.to_instant(row[7]),
        revoked=sql.to_maybe(row[8]),
        revoked_by=row[9],
        last_used=sql.to_maybe(row[10]),
    )
