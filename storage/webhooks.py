"""Who is told of events, and each event for each of them until it was taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final
from uuid import UUID

from dossier.canonical import Json
from storage import sql
from storage.transactions import transaction

_COLUMNS: Final = "id event webhook kind content created state attempts next_at token last_error"
_SELECT: Final = f"SELECT {sql.columns(_COLUMNS)} FROM webhook_event"  # noqa: S608 - our own constants


class NoticeState(Enum):
    """How far a notification has come."""

    NEW = "new"
    SENT = "sent"
    REFUSED = "refused"  # the receiver will not take it, however often it is sent
    PARKED = "parked"  # tried as often as allowed


@dataclass(frozen=True, kw_only=True, slots=True)
class Webhook:
    """Somebody who is told of events."""

    name: str
    url: str
    secret_file: str  # where the shared secret lies; it is never stored
    kinds: tuple[str, ...]  # empty: all
    agency: str  # only events of this agency's dossiers; empty: of all
    added: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class NewNotice:
    """One event for one subscriber."""

    id: UUID
    event: UUID  # the same for all subscribers
    webhook: str
    kind: str
    content: Json
    created: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """A notification and how far it has come."""

    id: UUID
    event: UUID
    webhook: str
    kind: str
    content: Json
    created: datetime
    state: NoticeState
    attempts: int
    next_at: datetime | None
    last_error: str  # code


def add(webhook: Webhook) -> bool:
    """Store a subscription; False when the name is taken."""
    touched = sql.execute(
        sql.insert_into(
            "webhook",
            "name url secret_file kinds agency added",
            otherwise="ON CONFLICT (name) DO NOTHING",
        ),
        (
            webhook.name,
            webhook.url,
            webhook.secret_file,
            sql.from_json(list(webhook.kinds)),
            webhook.agency,
            sql.from_instant(webhook.added),
        ),
    )
    return touched == 1


def remove(name: str) -> bool:
    """Drop a subscription with what was not sent yet; False when there is none."""
    with transaction():
        sql.execute("DELETE FROM webhook_event WHERE webhook = %s", (name,))
        return sql.execute("DELETE FROM webhook WHERE name = %s", (name,)) == 1


def listed() -> list[Webhook]:
    """Return the subscriptions by name."""
    rows = sql.all_rows(
        "SELECT name, url, secret_file, kinds, agency, added FROM webhook ORDER BY name"
    )
    return [_webhook(row) for row in rows]


def count_by_state() -> dict[tuple[str, str], int]:
    """Return how many notifications of each subscriber stand where."""
    rows = sql.all_rows(
        "SELECT webhook, state, COUNT(*) FROM webhook_event GROUP BY webhook, state"
    )
    return {(str(webhook), str(state)): int(count) for webhook, state, count in rows}


def queue(notices: Sequence[NewNotice]) -> None:
    """Store notifications, due at once, in the transaction of the event."""
    sql.execute_many(
        sql.insert_into("webhook_event", _COLUMNS),
        [
            (
                str(one.id),
                str(one.event),
                one.webhook,
                one.kind,
                sql.from_json(one.content),
                sql.from_instant(one.created),
                NoticeState.NEW.value,
                0,
                sql.from_instant(one.created),
                *("", ""),
            )
            for one in notices
        ],
    )


def claim_due(*, token: str, lease: timedelta, limit: int, at: datetime) -> list[Notice]:
    """Take due notifications and count the attempt, in a commit of its own."""
    due = sql.one_of(
        "SELECT id FROM webhook_event WHERE state = 'new' AND next_at <= %s"
        " ORDER BY next_at LIMIT %s"
    )
    with transaction():
        rows = sql.all_rows(
            "UPDATE webhook_event SET attempts = attempts + 1, token = %s, next_at = %s"  # noqa: S608 - constants
            f" WHERE id {due} RETURNING {sql.columns(_COLUMNS)}",
            (token, sql.from_instant(at + lease), sql.from_instant(at), limit),
        )
    return sorted((_notice(row) for row in rows), key=lambda one: one.created)


def mark(
    notice: UUID, *, token: str, state: NoticeState, error: str, next_at: datetime | None
) -> bool:
    """Record what came of an attempt; False when the claim was lost."""
    touched = sql.execute(
        "UPDATE webhook_event SET state = %s, last_error = %s, next_at = %s, token = ''"
        " WHERE id = %s AND token = %s AND state = 'new'",
        (
            state.value,
            error,
            None if next_at is None else sql.from_instant(next_at),
            str(notice),
            token,
        ),
    )
    return touched == 1


def replay(name: str, *, since: datetime | None, event: UUID | None, at: datetime) -> int:
    """Make due again what was sent, refused or parked; the id and the body stay the same."""
    conditions = ["webhook = %s", "state <> 'new'"]
    values: list[str | int] = [name]
    if since is not None:
        conditions.append("created >= %s")
        values.append(sql.from_instant(since))
    if event is not None:
        conditions.append("event = %s")
        values.append(str(event))
    return sql.execute(
        "UPDATE webhook_event SET state = 'new', attempts = 0, token = '', next_at = %s WHERE "  # noqa: S608 - constants
        + " AND ".join(conditions),
        (sql.from_instant(at), *values),
    )


def notices(name: str, *, limit: int) -> list[Notice]:
    """Return the newest notifications of a subscriber."""
    rows = sql.all_rows(
        f"{_SELECT} WHERE webhook = %s ORDER BY created DESC, id LIMIT %s", (name, limit)
    )
    return [_notice(row) for row in rows]


def forget_sent(*, before: datetime) -> int:
    """Delete what was taken before that instant."""
    return sql.execute(
        "DELETE FROM webhook_event WHERE state = 'sent' AND created < %s",
        (sql.from_instant(before),),
    )


def _webhook(row: sql.Row) -> Webhook:
    kinds: Any = sql.to_json(row[3])
    return Webhook(
        name=row[0],
        url=row[1],
        secret_file=row[2],
        kinds=tuple(str(one) for one in kinds),
        agency=row[4],
        added=sql.to_instant(row[5]),
    )


def _notice(row: sql.Row) -> Notice:
    return Notice(
        id=UUID(row[0]),
        event=UUID(row[1]),
        webhook=row[2],
        kind=row[3],
        content=sql.to_json(row[4]),
        created=sql.to_instant(row[5]),
        state=NoticeState(row[6]),
        attempts=int(row[7]),
        next_at=sql.to_maybe(row[8]),
        last_error=row[10],
    )
