"""Running instances: claiming those that are ready, and applying what a step decided.

Two guards, as worker.md §3 says: the lease keeps two workers from doing the same work, the version
keeps the result right when a lease was lost. Leases compare the database's clock only.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final
from uuid import UUID

from dossier.ids import AgencyCode, Sha256
from storage import bulk, sql
from storage.errors import RowMissing, VersionConflict
from storage.transactions import transaction

_COLUMNS = (
    "id dossier agency definition_sha256 role version status snapshot ready_at attempts"
    " opened closed"
)
_SELECT = f"SELECT {sql.columns(_COLUMNS)} FROM instance"  # noqa: S608 - our own constants
_FREE: Final = "status = 'ready' AND ready_at <= %s AND lease_until < {now}"
_SUSPECTS: Final = 10  # taken together on their second try
_ZLIB: Final = b"x"
_NO_LEASE: Final = "lease_owner = '', lease_token = '', lease_until = 0"
_STEPPED: Final = (
    "version = new.version + 1, snapshot = new.snapshot, attempts = 0, closed = new.closed,"
    " ready_at = new.ready_at, status = CASE WHEN new.status <> '' THEN new.status"
    " WHEN EXISTS (SELECT 1 FROM fact WHERE fact.instance = instance.id"
    " AND fact.applied_version IS NULL) THEN 'ready' ELSE 'waiting' END"
)


class InstanceStatus(Enum):
    """Whether a worker should look at an instance."""

    READY = "ready"  # a fact waits to be applied
    WAITING = "waiting"  # for people, messages or time
    INCIDENT = "incident"  # for a person to repair it
    DONE = "done"


@dataclass(frozen=True, kw_only=True, slots=True)
class NewInstance:
    """A run that begins with its `start` fact."""

    id: UUID
    dossier: UUID
    agency: AgencyCode
    definition_sha256: Sha256
    role: str  # the pool
    opened: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Instance:
    """A run as it stands."""

    id: UUID
    dossier: UUID
    agency: AgencyCode
    definition_sha256: Sha256
    role: str
    version: int  # rises by one with each applied step
    status: InstanceStatus
    snapshot: bytes  # what the engine restores; empty: not started
    ready_at: datetime | None
    attempts: int  # claims since the last applied step
    opened: datetime
    closed: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """An instance that is this worker's until the lease ends."""

    instance: UUID
    version: int
    attempts: int  # this claim included


@dataclass(frozen=True, kw_only=True, slots=True)
class InstanceChange:
    """What a step made of an instance."""

    id: UUID
    read_version: int
    snapshot: bytes
    done: bool = False
    incident: bool = False  # the step itself failed and needs a person


@dataclass(frozen=True, kw_only=True, slots=True)
class Backlog:
    """How much is due and since when."""

    due: int
    oldest: datetime | None


# --- One instance ------------------------------------------------------------------------------


def add(new: NewInstance) -> None:
    """Store a run without state; its first fact makes it ready."""
    sql.execute(
        sql.insert_into("instance", f"{_COLUMNS} hinted_at lease_owner lease_token lease_until"),
        (
            str(new.id),
            str(new.dossier),
            new.agency,
            new.definition_sha256,
            new.role,
            0,
            InstanceStatus.WAITING.value,
            b"",
            None,
            0,
            sql.from_instant(new.opened),
            None,
            *(0, "", "", 0),
        ),
    )


def find(instance: UUID) -> Instance | None:
    """Return the run of that id."""
    return load([instance]).get(instance)


def get(instance: UUID) -> Instance:
    """Return the run of that id; raise `RowMissing`."""
    found = find(instance)
    if found is None:
        raise RowMissing("expected a known instance", kind="instance", id=str(instance))
    return found


def load(ids: Sequence[UUID]) -> dict[UUID, Instance]:
    """Return several runs by one query; unknown ids are left out."""
    if not ids:
        return {}
    condition, values = bulk.is_one_of("id", [str(one) for one in ids])
    found = [_instance(row) for row in sql.all_rows(f"{_SELECT} WHERE {condition}", values)]
    return {one.id: one for one in found}


def of_dossier(dossier: UUID) -> list[Instance]:
    """Return the runs of a dossier, oldest first."""
    rows = sql.all_rows(f"{_SELECT} WHERE dossier = %s ORDER BY opened, id", (str(dossier),))
    return [_instance(row) for row in rows]


# --- Claiming ----------------------------------------------------------------------------------


def claim_ready(
    *, owner: str, token: str, lease: timedelta, limit: int, at: datetime
) -> list[Claim]:
    """Take up to `limit` ready instances and count the attempt, in a commit of its own.

    The count must survive the death of this process: it is how poison is found. Suspects, which
    were claimed before and never applied, are taken a few together at first, so that the many that
    a killed process held are back soon, then each alone: poison harms no neighbour a third time.
    They keep their place in the queue: neither they nor fresh ones ever wait for the others' end.
    """
    now = sql.now()
    with transaction():
        rows = sql.all_rows(
            "WITH due AS (SELECT id, attempts, ready_at FROM instance"  # noqa: S608 - constants
            # The limit stands in the text: a planner that does not know it reads a whole backlog.
            f" WHERE {_FREE.format(now=now)} ORDER BY ready_at LIMIT {limit:d}"
            f" {sql.for_update(skip=True)}),"
            " oldest AS (SELECT id, attempts FROM due ORDER BY ready_at, attempts DESC LIMIT 1),"
            " alike AS (SELECT due.id, due.attempts, row_number() OVER (ORDER BY due.ready_at)"
            " AS place FROM due, oldest WHERE due.attempts = oldest.attempts"
            " AND (oldest.attempts < 2 OR due.id = oldest.id))"
            " UPDATE instance SET attempts = attempts + 1, lease_owner = %s, lease_token = %s,"
            f" lease_until = {now} + %s WHERE id IN (SELECT id FROM alike"
            f" WHERE attempts <> 1 OR place <= {_SUSPECTS:d}) RETURNING id, version, attempts",
            (sql.from_instant(at), owner, token, sql.micros(lease)),
        )
    return [Claim(instance=UUID(row[0]), version=int(row[1]), attempts=int(row[2])) for row in rows]


# --- Applying ----------------------------------------------------------------------------------


def lock(ids: Sequence[UUID], *, token: str | None) -> dict[UUID, int]:
    """Lock the instances that are still this worker's and return their versions.

    First statement of an applying transaction: what it returns may be applied, the rest was lost
    to another. With token None the lease does not count, only the version will.
    """
    if not ids:
        return {}
    mine, values = ("AND lease_token = %s", [token]) if token is not None else ("", [])
    condition, wanted = bulk.is_one_of("id", sorted(str(one) for one in ids))
    rows = sql.all_rows(
        f"SELECT id, version FROM instance WHERE {condition} {mine}"  # noqa: S608 - our own constants
        f" ORDER BY id {sql.for_update()}",
        [*wanted, *values],
    )
    return {UUID(row[0]): int(row[1]) for row in rows}


def apply(changes: Sequence[InstanceChange], *, token: str | None, at: datetime) -> None:
    """Write the new states over the versions that were read; facts must be marked before.

    The status follows from what is left: an instance with another unapplied fact stays ready.
    Raises `VersionConflict` when one row was lost; then the whole transaction must roll back.
    """
    names = "id version snapshot closed status ready_at"
    touched = bulk.update(
        "instance",
        names if token is None else f"{names} lease_token",
        [
            (
                str(change.id),
                change.read_version,
                change.snapshot,
                sql.from_instant(at) if change.done else None,
                "done" if change.done else "incident" if change.incident else "",
                sql.from_instant(at),
                *([token] if token is not None else []),
            )
            for change in changes
        ],
        changes=f"{_STEPPED}, {_NO_LEASE}",
        where="instance.id = new.id AND instance.version = new.version"
        + (" AND instance.lease_token = new.lease_token" if token is not None else ""),
    )
    if touched != len(changes):
        raise VersionConflict(
            f"expected {len(changes)} instances unchanged, got {touched}", names="instance"
        )


def rebind(instance: UUID, *, definition_sha256: str) -> None:
    """Let a run go on under another definition; its new state is applied in the same commit."""
    sql.execute(
        "UPDATE instance SET definition_sha256 = %s WHERE id = %s",
        (definition_sha256, str(instance)),
    )


def of_definition(definition_sha256: str) -> list[UUID]:
    """Return the runs of a definition that are not done, oldest first."""
    rows = sql.all_rows(
        "SELECT id FROM instance WHERE definition_sha256 = %s AND status <> 'done'"
        " ORDER BY opened, id",
        (definition_sha256,),
    )
    return [UUID(row[0]) for row in rows]


def mark_ready(instance: UUID, *, at: datetime) -> bool:
    """Let a worker look at the instance; False when it is done or waits for a repair."""
    instant = sql.from_instant(at)
    touched = sql.execute(
        "UPDATE instance SET ready_at = CASE WHEN status = 'ready' AND ready_at < %s"
        " THEN ready_at ELSE %s END, status = 'ready'"
        " WHERE id = %s AND status IN ('ready', 'waiting')",
        (instant, instant, str(instance)),
    )
    return touched == 1


# --- Failing -----------------------------------------------------------------------------------


def retry_later(instance: UUID, *, token: str, ready_at: datetime) -> bool:
    """Give the instance back and look at it again at that instant; the attempt stays counted."""
    return _leave(instance, token, "ready_at = %s", sql.from_instant(ready_at))


def postpone(instance: UUID, *, token: str, ready_at: datetime) -> bool:
    """Leave the instance to another worker from that instant on, and return its attempt."""
    changes = "attempts = attempts - 1, ready_at = %s"
    return _leave(instance, token, changes, sql.from_instant(ready_at))


def park(instance: UUID, *, token: str) -> bool:
    """Leave the instance to a person; open its incident in the same transaction."""
    return _leave(instance, token, "status = 'incident'")


def _leave(instance: UUID, token: str, changes: str, *values: int) -> bool:
    touched = sql.execute(
        f"UPDATE instance SET {changes}, {_NO_LEASE} WHERE id = %s AND lease_token = %s",  # noqa: S608 - callers above
        (*values, str(instance), token),
    )
    return touched == 1


def reopen(instance: UUID, *, at: datetime) -> bool:
    """Take an instance out of its incident and let a worker try again."""
    touched = sql.execute(
        "UPDATE instance SET status = 'ready', ready_at = %s, attempts = 0"
        " WHERE id = %s AND status = 'incident'",
        (sql.from_instant(at), str(instance)),
    )
    return touched == 1


def lease_owners() -> set[str]:
    """Return who holds leases that have not ended."""
    rows = sql.all_rows(
        "SELECT DISTINCT lease_owner FROM instance"  # noqa: S608 - our own constants
        f" WHERE status = 'ready' AND lease_token <> '' AND lease_until > {sql.now()}"
    )
    return {row[0] for row in rows}


def clear_leases(owner: str) -> int:
    """Free what a dead worker held; its attempts stay counted."""
    return sql.execute(
        f"UPDATE instance SET {_NO_LEASE} WHERE lease_owner = %s AND lease_token <> ''",  # noqa: S608 - constants
        (owner,),
    )


# --- Looking for work --------------------------------------------------------------------------


def next_ready() -> datetime | None:
    """Return when the next instance is ready; a read, so an idle sweep locks nothing."""
    row = sql.the_row("SELECT MIN(ready_at) FROM instance WHERE status = 'ready'")
    return sql.to_maybe(row[0])


def hint_due(*, at: datetime, hinted_before: datetime, limit: int) -> list[UUID]:
    """Return free due instances that nobody was told of since, and note that somebody is now."""
    ready, now = next_ready(), sql.from_instant(at)
    if ready is None or ready > at:
        return []
    unseen = sql.one_of(
        f"SELECT id FROM instance WHERE {_FREE.format(now=sql.now())}"  # noqa: S608 - constants
        f" AND NOT hinted_at BETWEEN %s AND %s ORDER BY ready_at LIMIT %s"
    )
    rows = sql.all_rows(
        f"UPDATE instance SET hinted_at = %s WHERE id {unseen} RETURNING id",  # noqa: S608 - constants
        # A hint later than now is of a clock that was set back since.
        (now, now, sql.from_instant(hinted_before), now, limit),
    )
    return [UUID(row[0]) for row in rows]


def bring_forward(*, at: datetime, later_than: datetime) -> int:
    """Make instances ready now that would be only then; return how many it were.

    Nothing here waits longer than a retry: such an instant is of a clock that was set back since.
    """
    limit = sql.from_instant(later_than)
    row = sql.the_row("SELECT MAX(ready_at) FROM instance WHERE status = 'ready'")
    if row[0] is None or int(row[0]) <= limit:
        return 0  # a read, so an idle sweep locks nothing
    return sql.execute(
        "UPDATE instance SET ready_at = %s WHERE status = 'ready' AND ready_at > %s",
        (sql.from_instant(at), limit),
    )


def backlog(at: datetime) -> Backlog:
    """Return how many instances are due and since when."""
    due, oldest = sql.the_row(
        "SELECT COUNT(*), MIN(ready_at) FROM instance WHERE status = 'ready' AND ready_at <= %s",
        (sql.from_instant(at),),
    )
    return Backlog(due=int(due), oldest=sql.to_maybe(oldest))


def count_by_status() -> Mapping[InstanceStatus, int]:
    """Return how many instances stand where."""
    rows = sql.all_rows("SELECT status, COUNT(*) FROM instance GROUP BY status")
    return {InstanceStatus(status): int(number) for status, number in rows}


def _instance(row: sql.Row) -> Instance:
    snapshot = bytes(row[7])
    return Instance(
        id=UUID(row[0]),
        dossier=UUID(row[1]),
        agency=AgencyCode(row[2]),
        definition_sha256=Sha256(row[3]),
        role=row[4],
        version=int(row[5]),
        status=InstanceStatus(row[6]),
        # Until the engine's own bytes were kept as they are, they were compressed once more.
        snapshot=zlib.decompress(snapshot) if snapshot[:1] == _ZLIB else snapshot,
        ready_at=sql.to_maybe(row[8]),
        attempts=int(row[9]),
        opened=sql.to_instant(row[10]),
        closed=sql.to_maybe(row[11]),
    )
