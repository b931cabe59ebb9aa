"""Service calls: claimed with a lease and a token, made outside any transaction, answered once.

A call is `new` until it is made; `offered` while external workers may take it, `sent` while a long
one is awaited; then `done`, `refused` (a business error), `parked` or `cancelled`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final
from uuid import UUID

from dossier.canonical import Json
from dossier.ids import AgencyCode
from storage import sql
from storage.transactions import transaction

_COLUMNS: Final = (
    "id ref instance dossier agency element_id operation inputs request state attempts next_at"
    " created token worker last_error answered answer_sha256"
)
_SELECT: Final = f"SELECT {sql.columns(_COLUMNS)} FROM service_call"  # noqa: S608 - our own constants
_OPEN: Final = "state IN ('new', 'offered', 'sent', 'parked')"


class CallState(Enum):
    """Where a call stands."""

    NEW = "new"
    OFFERED = "offered"
    SENT = "sent"
    DONE = "done"
    REFUSED = "refused"
    PARKED = "parked"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceCall:
    """One call of a service task."""

    id: UUID
    ref: str  # the engine's id of the call
    instance: UUID
    dossier: UUID
    agency: AgencyCode
    element_id: str
    operation: str
    inputs: Json  # as lt:input maps them; null: none declared
    created: datetime
    request: Json = None  # what is sent, fixed by the first attempt
    state: CallState = CallState.NEW
    attempts: int = 0
    next_at: datetime | None = None  # due, end of a lease, or until when a long call may take
    token: str = ""  # of the present claim or lock; empty: nobody's
    worker: str = ""  # name that the external worker gave itself
    last_error: str = ""
    answered: datetime | None = None
    answer_sha256: str = ""


def open_calls(new: Sequence[ServiceCall]) -> None:
    """Store new calls, due at once; a ref that is there keeps its row."""
    sql.execute_many(
        sql.insert_into(
            "service_call",
            f"{_COLUMNS} lease_owner",
            otherwise="ON CONFLICT (ref) DO NOTHING",
        ),
        [
            (
                str(one.id),
                one.ref,
                str(one.instance),
                str(one.dossier),
                one.agency,
                one.element_id,
                one.operation,
                sql.from_json(one.inputs),
                sql.from_json(one.request),
                one.state.value,
                0,
                sql.from_instant(one.created),
                sql.from_instant(one.created),
                *("", "", "", None, "", ""),
            )
            for one in new
        ],
    )


def cancel_calls(refs: Sequence[str]) -> None:
    """Withdraw calls whose answer is not wanted any more."""
    sql.execute_many(
        f"UPDATE service_call SET state = 'cancelled' WHERE ref = %s AND {_OPEN}",  # noqa: S608 - constants
        [(ref,) for ref in sorted(refs)],
    )


def claim_due(
    *, token: str, owner: str, lease: timedelta, limit: int, at: datetime
) -> list[ServiceCall]:
    """Take due calls and count the attempt, in a commit of its own."""
    due = sql.one_of(
        "SELECT id FROM service_call WHERE state IN ('new', 'sent') AND next_at <= %s"
        " ORDER BY next_at LIMIT %s"
    )
    with transaction():
        rows = sql.all_rows(
            "UPDATE service_call SET attempts = attempts + 1, token = %s, lease_owner = %s,"  # noqa: S608 - constants
            f" next_at = %s WHERE id {due} RETURNING {sql.columns(_COLUMNS)}",
            (token, owner, sql.from_instant(at + lease), sql.from_instant(at), limit),
        )
    return sorted((_call(row) for row in rows), key=lambda one: (one.created, one.ref))


def due(*, at: datetime, limit: int) -> list[UUID]:
    """Return calls that are due."""
    rows = sql.all_rows(
        "SELECT id FROM service_call WHERE state IN ('new', 'sent') AND next_at <= %s"
        " ORDER BY next_at LIMIT %s",
        (sql.from_instant(at), limit),
    )
    return [UUID(row[0]) for row in rows]


def clear_leases(owner: str, *, at: datetime) -> int:
    """Give back what a process held that is dead."""
    return sql.execute(
        "UPDATE service_call SET token = '', lease_owner = '', next_at = %s"
        " WHERE state = 'new' AND lease_owner = %s AND token <> ''",
        (sql.from_instant(at), owner),
    )


def keep_request(call: UUID, request: Json) -> None:
    """Fix what is sent, so that every repetition says the same."""
    sql.execute(
        "UPDATE service_call SET request = %s WHERE id = %s", (sql.from_json(request), str(call))
    )


def move(
    call: UUID,
    *,
    token: str,
    state: CallState,
    next_at: datetime | None = None,
    error: str = "",
) -> bool:
    """Let the holder of the claim give the call on; False when the claim is somebody else's."""
    touched = sql.execute(
        "UPDATE service_call SET state = %s, next_at = %s, last_error = %s, token = '',"  # noqa: S608 - constants
        f" lease_owner = '', worker = '' WHERE id = %s AND token = %s AND {_OPEN}",
        (state.value, sql.from_maybe(next_at), error, str(call), token),
    )
    return touched == 1


def finish(call: UUID, *, state: CallState, answer_sha256: str, worker: str, at: datetime) -> bool:
    """Record the answer, once; False when the call is answered or withdrawn already."""
    touched = sql.execute(
        "UPDATE service_call SET state = %s, answer_sha256 = %s, answered = %s, worker = %s,"  # noqa: S608 - constants
        f" next_at = NULL, lease_owner = '' WHERE id = %s AND {_OPEN}",
        (state.value, answer_sha256, sql.from_instant(at), worker, str(call)),
    )
    return touched == 1


def reopen(ref: str, *, at: datetime) -> UUID | None:
    """Make a parked call due again with its attempts forgotten; None when there is none."""
    rows = sql.all_rows(
        "UPDATE service_call SET state = 'new', next_at = %s, attempts = 0, request = 'null'"
        " WHERE ref = %s AND state = 'parked' RETURNING id",
        (sql.from_instant(at), ref),
    )
    return UUID(rows[0][0]) if rows else None


# --- External workers --------------------------------------------------------------------------


def offered(
    agency: str, operations: Sequence[str], *, limit: int, free_at: datetime | None = None
) -> list[ServiceCall]:
    """Return the calls that external workers may take, oldest first; `free_at`: unlocked ones."""
    if not operations:
        return []
    free = "AND (next_at IS NULL OR next_at <= %s)" if free_at else ""
    rows = sql.all_rows(
        f"{_SELECT} WHERE state = 'offered' AND agency = %s"
        f" AND operation IN ({sql.marks(len(operations))}) {free}"
        " ORDER BY created, ref LIMIT %s",
        (agency, *operations, *([sql.from_instant(free_at)] if free_at else []), limit),
    )
    return [_call(row) for row in rows]


def lock(
    call: UUID, *, token: str, worker: str, until: datetime, at: datetime
) -> ServiceCall | None:
    """Let a worker take an offered call that nobody holds; None when somebody was faster."""
    rows = sql.all_rows(
        "UPDATE service_call SET token = %s, worker = %s, next_at = %s, attempts = attempts + 1"  # noqa: S608 - constants
        " WHERE id = %s AND state = 'offered' AND (next_at IS NULL OR next_at <= %s)"
        f" RETURNING {sql.columns(_COLUMNS)}",
        (token, worker, sql.from_instant(until), str(call), sql.from_instant(at)),
    )
    return _call(rows[0]) if rows else None


def extend(call: UUID, *, token: str, until: datetime) -> bool:
    """Move the end of a lock that is still the worker's own."""
    touched = sql.execute(
        "UPDATE service_call SET next_at = %s"
        " WHERE id = %s AND state = 'offered' AND token = %s AND token <> ''",
        (sql.from_instant(until), str(call), token),
    )
    return touched == 1


def find(call: UUID) -> ServiceCall | None:
    """Return a call, locked until the end of the transaction."""
    row = sql.one_row(f"{_SELECT} WHERE id = %s {sql.for_update()}", (str(call),))
    return _call(row) if row else None


def of_dossier(dossier: UUID) -> list[ServiceCall]:
    """Return the calls of a dossier, oldest first."""
    rows = sql.all_rows(f"{_SELECT} WHERE dossier = %s ORDER BY created, ref", (str(dossier),))
    return [_call(row) for row in rows]


def _call(row: Sequence[Any]) -> ServiceCall:
    return ServiceCall(
        id=UUID(row[0]),
        ref=row[1],
        instance=UUID(row[2]),
        dossier=UUID(row[3]),
        agency=AgencyCode(row[4]),
        element_id=row[5],
        operation=row[6],
        inputs=sql.to_json(row[7]),
        request=sql.to_json(row[8]),
        state=CallState(row[9]),
        attempts=int(row[10]),
        next_at=sql.to_maybe(row[11]),
        created=sql.to_instant(row[12]),
        token=row[13],
        worker=row[14],
        last_error=row[15],
        answered=sql.to_maybe(row[16]),
        answer_sha256=row[17],
    )
