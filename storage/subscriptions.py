"""What instances wait for from outside: messages of one named agency, signals, conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from dossier.ids import AgencyCode, ConversationId
from storage import bulk, sql

_COLUMNS = (
    "instance ref kind name from_agency agency dossier_code conversation_id element_id opened"
)
_SELECT = f"SELECT {sql.columns(_COLUMNS)} FROM subscription"  # noqa: S608 - our own constants


class WaitKind(Enum):
    """What is waited for; timers have rows of their own."""

    MESSAGE = "message"
    SIGNAL = "signal"
    CONDITION = "condition"


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """One open wait; a message correlates only from `from_agency` (protocol §7)."""

    instance: UUID
    ref: str  # the engine's id, unique over all instances
    kind: WaitKind
    name: str  # message type or signal name
    from_agency: str  # the agency bound to the sending pool; empty for other kinds
    agency: AgencyCode  # ours, to which the message must be addressed
    dossier_code: str
    conversation_id: ConversationId
    element_id: str
    opened: datetime


def open_subscriptions(new: Sequence[Subscription]) -> None:
    """Store new waits; a ref that is there keeps its row."""
    bulk.insert(
        "subscription",
        _COLUMNS,
        [
            (
                str(one.instance),
                one.ref,
                one.kind.value,
                one.name,
                one.from_agency,
                one.agency,
                one.dossier_code,
                one.conversation_id,
                one.element_id,
                sql.from_instant(one.opened),
            )
            for one in new
        ],
        otherwise="ON CONFLICT (ref) DO NOTHING",
    )


def close_subscriptions(refs: Sequence[str]) -> None:
    """Forget waits that are over."""
    bulk.delete("subscription", "ref", sorted(refs))


def redirect(dossier: UUID, *, old: str, new: str) -> int:
    """Wait for another agency where a dossier waits for `old`; return how many waits it were."""
    return sql.execute(
        "UPDATE subscription SET from_agency = %s WHERE lower(from_agency) = %s AND instance IN"
        " (SELECT id FROM instance WHERE dossier = %s)",
        (new, old.lower(), str(dossier)),
    )


def waiting(agency: str, conversation_id: str, message_type: str) -> list[Subscription]:
    """Return who waits for such a message, whichever agency it must come from, oldest first."""
    rows = sql.all_rows(
        f"{_SELECT} WHERE conversation_id = %s AND kind = 'message' AND name = %s"
        " AND agency = %s ORDER BY opened, ref",
        (conversation_id, message_type, agency),
    )
    return [_subscription(row) for row in rows]


def signal_waiters(name: str) -> list[Subscription]:
    """Return who waits for a signal."""
    rows = sql.all_rows(
        f"{_SELECT} WHERE kind = 'signal' AND name = %s ORDER BY opened, ref", (name,)
    )
    return [_subscription(row) for row in rows]


def of_instance(instance: UUID) -> list[Subscription]:
    """Return what an instance waits for."""
    rows = sql.all_rows(f"{_SELECT} WHERE instance = %s ORDER BY opened, ref", (str(instance),))
    return [_subscription(row) for row in rows]


def of_dossier(dossier: UUID) -> list[Subscription]:
    """Return what the instances of a dossier wait for."""
    rows = sql.all_rows(
        f"{_SELECT} WHERE instance IN"  # noqa: S608 - our own constants
        " (SELECT id FROM instance WHERE dossier = %s)"
        " ORDER BY opened, ref",
        (str(dossier),),
    )
    return [_subscription(row) for row in rows]


def _subscription(row: sql.Row) -> Subscription:
    return Subscription(
        instance=UUID(row[0]),
        ref=row[1],
        kind=WaitKind(row[2]),
        name=row[3],
        from_agency=row[4],
        agency=AgencyCode(row[5]),
        dossier_code=row[6],
        conversation_id=ConversationId(row[7]),
        element_id=row[8],
        opened=sql.to_instant(row[9]),
    )
