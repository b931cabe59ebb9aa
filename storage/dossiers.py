"""Dossiers as the agencies of this node hold them, with the pauses of their clocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from dossier.canonical import Json
from dossier.ids import AgencyCode, ConversationId, Sha256
from dossier.model import Business, Delivery, Dossier, Money
from storage import bulk, sql
from storage.errors import RowMissing

_COLUMNS = (
    "id agency code conversation_id procedure procedure_version contract_sha256 role subject"
    " business money delivery is_open opened closed due bindings rule_pack directory_number"
)
_SELECT = f"SELECT {sql.columns(_COLUMNS)} FROM dossier"  # noqa: S608 - our own constants


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """A stretch in which the clock of a dossier stands still; open while `ended` is None."""

    dossier: UUID
    token: str  # the engine's token that stopped it
    basis: str
    started: datetime
    ended: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DossierFilter:
    """Which dossiers a list shows; empty fields ask nothing."""

    agencies: tuple[AgencyCode, ...]
    text: str = ""  # part of code or subject
    procedure: str = ""
    business: Business | None = None
    is_open: bool | None = None
    late_at: datetime | None = None


def add(dossier: Dossier, *, log_salt: bytes) -> None:
    """Store a new dossier; raise `RowConflict` for a code that the agency has used."""
    sql.execute(
        sql.insert_into("dossier", f"{_COLUMNS} due_trail log_salt log_sequence log_head reminded"),
        (
            str(dossier.id),
            dossier.agency,
            dossier.code,
            dossier.conversation_id,
            dossier.procedure,
            dossier.procedure_version,
            dossier.contract_sha256,
            dossier.role,
            dossier.subject,
            dossier.business.value,
            dossier.money.value,
            dossier.delivery.value,
            dossier.is_open,
            sql.from_instant(dossier.opened),
            sql.from_maybe(dossier.closed),
            sql.from_maybe(dossier.due),
            sql.from_json(dossier.bindings),
            dossier.rule_pack,
            dossier.directory_number,
            "null",
            log_salt,
            0,
            b"",
            0,
        ),
    )


def get(dossier_id: UUID) -> Dossier:
    """Return the dossier; raise `RowMissing`."""
    row = sql.one_row(f"{_SELECT} WHERE id = %s", (str(dossier_id),))
    if row is None:
        raise RowMissing("expected a known dossier", kind="dossier", id=str(dossier_id))
    return _dossier(row)


def load(ids: Sequence[UUID]) -> dict[UUID, Dossier]:
    """Return several dossiers by one query; unknown ids are left out."""
    if not ids:
        return {}
    condition, values = bulk.is_one_of("id", [str(one) for one in ids])
    found = [_dossier(row) for row in sql.all_rows(f"{_SELECT} WHERE {condition}", values)]
    return {one.id: one for one in found}


def find(agency: str, code: str) -> Dossier | None:
    """Return the agency's dossier of that code."""
    return _found(sql.one_row(f"{_SELECT} WHERE agency = %s AND code = %s", (agency, code)))


def find_code(code: str, *, agencies: Sequence[str]) -> Dossier | None:
    """Return the dossier of that code that one of the agencies holds."""
    if not agencies:
        return None
    return _found(
        sql.one_row(
            f"{_SELECT} WHERE code = %s AND agency IN ({sql.marks(len(agencies))})"
            " ORDER BY opened LIMIT 1",
            (code, *agencies),
        )
    )


def find_conversation(agency: str, conversation_id: str) -> Dossier | None:
    """Return the agency's dossier of a conversation."""
    return _found(
        sql.one_row(
            f"{_SELECT} WHERE conversation_id = %s AND agency = %s ORDER BY opened LIMIT 1",
            (conversation_id, agency),
        )
    )


# --- Changes -----------------------------------------------------------------------------------


def update(
    dossier_id: UUID,
    *,
    business: Business | None = None,
    money: Money | None = None,
    delivery: Delivery | None = None,
    bindings: Mapping[str, str] | None = None,
    is_open: bool | None = None,
    closed: datetime | None = None,
) -> None:
    """Change what is given and leave the rest."""
    changes: dict[str, Any] = {
        "business": business.value if business else None,
        "money": money.value if money else None,
        "delivery": delivery.value if delivery else None,
        "bindings": None if bindings is None else sql.from_json(bindings),
        "is_open": is_open,
        "closed": sql.from_maybe(closed),
    }
    given = {name: value for name, value in changes.items() if value is not None}
    if given:
        settings = ", ".join(f"{name} = %s" for name in given)
        sql.execute(
            f"UPDATE dossier SET {settings} WHERE id = %s",  # noqa: S608 - names from above
            (*given.values(), str(dossier_id)),
        )


def close_many(ids: Sequence[UUID], *, at: datetime) -> None:
    """Close dossiers by one statement."""
    if not ids:
        return
    condition, values = bulk.is_one_of("id", sorted(str(one) for one in ids))
    sql.execute(
        f"UPDATE dossier SET is_open = %s, closed = %s WHERE {condition}",  # noqa: S608 - our own constants
        (False, sql.from_instant(at), *values),
    )


def rebind(dossier_id: UUID, *, version: str, contract_sha256: str) -> None:
    """Let a dossier go on under another version of its procedure."""
    sql.execute(
        "UPDATE dossier SET procedure_version = %s, contract_sha256 = %s WHERE id = %s",
        (version, contract_sha256, str(dossier_id)),
    )


def set_due(dossier_id: UUID, due: datetime | None, trail: Json) -> None:
    """Change the due instant together with its explanation."""
    sql.execute(
        "UPDATE dossier SET due = %s, due_trail = %s WHERE id = %s",
        (sql.from_maybe(due), sql.from_json(trail), str(dossier_id)),
    )


def due_trail(dossier_id: UUID) -> Json:
    """Return the explanation of the due instant, None while there is none."""
    row = sql.one_row("SELECT due_trail FROM dossier WHERE id = %s", (str(dossier_id),))
    return sql.to_json(row[0]) if row else None


def start_pause(pause: Pause) -> None:
    """Stop the dossier's clock."""
    sql.execute(
        sql.insert_into("pause", "dossier token basis started ended"),
        (
            str(pause.dossier),
            pause.token,
            pause.basis,
            sql.from_instant(pause.started),
            sql.from_maybe(pause.ended),
        ),
    )


def end_pause(dossier_id: UUID, token: str, at: datetime) -> None:
    """Let the clock go on that this token stopped."""
    sql.execute(
        "UPDATE pause SET ended = %s WHERE dossier = %s AND token = %s AND ended IS NULL",
        (sql.from_instant(at), str(dossier_id), token),
    )


def pauses(dossier_id: UUID) -> list[Pause]:
    """Return all pauses of the dossier, oldest first."""
    rows = sql.all_rows(
        "SELECT token, basis, started, ended FROM pause WHERE dossier = %s ORDER BY started, id",
        (str(dossier_id),),
    )
    return [
        Pause(
            dossier=dossier_id,
            token=token,
            basis=basis,
            started=sql.to_instant(started),
            ended=sql.to_maybe(ended),
        )
        for token, basis, started, ended in rows
    ]


# --- Lists -------------------------------------------------------------------------------------


def search(chosen: DossierFilter, *, limit: int = 50, offset: int = 0) -> list[Dossier]:
    """Return the dossiers that fit, newest first."""
    where, values = _where(chosen)
    rows = sql.all_rows(
        f"{_SELECT} {where} ORDER BY opened DESC, id LIMIT %s OFFSET %s", (*values, limit, offset)
    )
    return [_dossier(row) for row in rows]


def count(chosen: DossierFilter) -> int:
    """Return how many dossiers fit."""
    where, values = _where(chosen)
    return int(sql.the_row(f"SELECT COUNT(*) FROM dossier {where}", values)[0])  # noqa: S608 - ours


def _where(chosen: DossierFilter) -> tuple[str, list[Any]]:
    values: list[Any] = list(chosen.agencies) or [""]
    parts = [f"agency IN ({sql.marks(len(values))})"]
    if chosen.text:
        pattern = "%" + _escaped(chosen.text.casefold()) + "%"
        parts.append("(LOWER(code) LIKE %s ESCAPE '!' OR LOWER(subject) LIKE %s ESCAPE '!')")
        values += [pattern, pattern]
    if chosen.procedure:
        parts.append("procedure = %s")
        values.append(chosen.procedure)
    if chosen.business:
        parts.append("business = %s")
        values.append(chosen.business.value)
    if chosen.is_open is not None:
        parts.append("is_open = %s")
        values.append(chosen.is_open)
    if chosen.late_at:
        parts.append("is_open = %s AND due < %s")
        values += [True, sql.from_instant(chosen.late_at)]
    return f"WHERE {' AND '.join(parts)}", values


def _escaped(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _found(row: sql.Row | None) -> Dossier | None:
    return _dossier(row) if row else None


def _dossier(row: sql.Row) -> Dossier:
    return Dossier(
        id=UUID(row[0]),
        agency=AgencyCode(row[1]),
        code=row[2],
        conversation_id=ConversationId(row[3]),
        procedure=row[4],
        procedure_version=row[5],
        contract_sha256=Sha256(row[6]),
        role=row[7],
        subject=row[8],
        business=Business(int(row[9])),
        money=Money(row[10]),
        delivery=Delivery(row[11]),
        is_open=bool(row[12]),
        opened=sql.to_instant(row[13]),
        closed=sql.to_maybe(row[14]),
        due=sql.to_maybe(row[15]),
        bindings=sql.to_mapping(row[16]),
        rule_pack=row[17],
        directory_number=int(row[18]),
    )
