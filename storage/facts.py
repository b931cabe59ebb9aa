"""Facts: everything that happened to an instance, kept from the moment somebody learned it.

The use case that learns a fact stores it in its own transaction; a worker applies it later. So
no click waits for the engine, and nothing that was learned can be lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from dossier.canonical import Json
from storage import bulk, instances, sql


class FactKind(Enum):
    """What happened."""

    START = "start"
    TASK_COMPLETED = "task_completed"
    MESSAGE = "message"
    TIMER = "timer"
    SERVICE = "service"
    SIGNAL = "signal"
    RETRY = "retry"


@dataclass(frozen=True, kw_only=True, slots=True)
class NewFact:
    """Something that an instance must be told, once per (instance, kind, ref)."""

    instance: UUID
    kind: FactKind
    ref: str  # the engine's id of what was waiting
    payload: Json
    actor: str  # username, agency code, or `system`
    on_behalf_of: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """A stored fact; ids rise in the order in which the facts of one instance were learned."""

    id: int
    instance: UUID
    kind: FactKind
    ref: str
    payload: Json
    actor: str
    on_behalf_of: str
    at: datetime


def add(fact: NewFact) -> bool:
    """Store a fact and make its instance ready; False when it was there already.

    The caller rings the doorbell after its commit.
    """
    touched = sql.execute(
        sql.insert_into(
            "fact",
            "instance kind ref payload actor on_behalf_of at",
            otherwise="ON CONFLICT (instance, kind, ref) DO NOTHING",
        ),
        (
            str(fact.instance),
            fact.kind.value,
            fact.ref,
            sql.from_json(fact.payload),
            fact.actor,
            fact.on_behalf_of,
            sql.from_instant(fact.at),
        ),
    )
    if touched:
        instances.mark_ready(fact.instance, at=fact.at)
    return touched == 1


def opening(instance: UUID) -> Json:
    """Return the payload of the fact that opened an instance, None when it is not kept."""
    row = sql.one_row(
        "SELECT payload FROM fact WHERE instance = %s AND kind = %s",
        (str(instance), FactKind.START.value),
    )
    return sql.to_json(row[0]) if row else None


def unapplied(ids: Sequence[UUID]) -> dict[UUID, list[Fact]]:
    """Return the facts that wait, oldest first, by one query; an instance without any is empty."""
    found: dict[UUID, list[Fact]] = {one: [] for one in ids}
    if not found:
        return found
    condition, values = bulk.is_one_of("instance", [str(one) for one in found])
    rows = sql.all_rows(
        "SELECT id, instance, kind, ref, payload, actor, on_behalf_of, at FROM fact"  # noqa: S608 - our own constants
        f" WHERE {condition} AND applied_version IS NULL ORDER BY id",
        values,
    )
    for row in rows:
        found[UUID(row[1])].append(
            Fact(
                id=int(row[0]),
                instance=UUID(row[1]),
                kind=FactKind(row[2]),
                ref=row[3],
                payload=sql.to_json(row[4]),
                actor=row[5],
                on_behalf_of=row[6],
                at=sql.to_instant(row[7]),
            )
        )
    return found


def mark_applied(versions: Mapping[int, int]) -> None:
    """Note which version of its instance each fact led to, in the transaction that applies it."""
    bulk.update(
        "fact",
        "id applied_version",
        sorted(versions.items()),
        changes="applied_version = new.applied_version",
        where="fact.id = new.id AND fact.applied_version IS NULL",
    )
