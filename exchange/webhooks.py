"""Subscriptions to notifications: who is told of which events, and what they were told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from connectors.http import check_endpoint, only_hosts
from exchange.notice_errors import WebhookKindUnknown, WebhookNameTaken, WebhookUnknown
from exchange.notices import KINDS
from exchange.notify import read_secret
from exchange.settings import Settings
from storage import webhooks
from storage.transactions import transaction
from storage.webhooks import NoticeState, Webhook

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """A subscription and how its notifications stand."""

    name: str
    url: str
    kinds: tuple[str, ...]  # empty: all
    agency: str  # empty: all
    waiting: int
    stuck: int  # refused, or tried as often as allowed


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """One notification as a line."""

    event: UUID
    kind: str
    dossier: str
    created: datetime
    state: str
    attempts: int
    last_error: str


def subscribe(
    here: Settings,
    name: str,
    *,
    url: str,
    secret_file: Path,
    kinds: Sequence[str],
    agency: str,
    at: datetime,
) -> None:
    """Add a subscription whose address may be called and whose secret can be read."""
    if not _NAME.fullmatch(name):
        raise WebhookUnknown("expected lower-case letters, digits and -", name=name)
    known = sorted(set(KINDS.values()))
    unknown = sorted(set(kinds) - set(known))
    if unknown:
        raise WebhookKindUnknown(
            "expected a known kind of event", kind=unknown[0], known=", ".join(known)
        )
    check_endpoint(url, only_hosts(*here.webhook_hosts))
    secret_file = secret_file.absolute()
    read_secret(secret_file)
    new = Webhook(
        name=name,
        url=url,
        secret_file=str(secret_file),
        kinds=tuple(kinds),
        agency=agency,
        added=at,
    )
    with transaction():
        if not webhooks.add(new):
            raise WebhookNameTaken("expected a new name", name=name)


def unsubscribe(name: str) -> None:
    """Remove a subscription and what was not sent to it."""
    if not webhooks.remove(name):
        raise WebhookUnknown("expected a known subscription", name=name)


def listed() -> list[Subscription]:
    """Return the subscriptions by name."""
    counted = webhooks.count_by_state()
    stuck = (NoticeState.REFUSED.value, NoticeState.PARKED.value)
    return [
        Subscription(
            name=one.name,
            url=one.url,
            kinds=one.kinds,
            agency=one.agency,
            waiting=counted.get((one.name, NoticeState.NEW.value), 0),
            stuck=sum(counted.get((one.name, state), 0) for state in stuck),
        )
        for one in webhooks.listed()
    ]


def told(name: str, *, limit: int = 100) -> list[Told]:
    """Return the newest notifications of a subscriber."""
    _demand(name)
    return [
        Told(
            event=one.event,
            kind=one.kind,
            dossier=str(one.content.get("dossier", "")) if isinstance(one.content, dict) else "",
            created=one.created,
            state=one.state.value,
            attempts=one.attempts,
            last_error=one.last_error,
        )
        for one in webhooks.notices(name, limit=limit)
    ]


def replay(name: str, *, since: datetime | None, event: UUID | None, at: datetime) -> int:
    """Send again what a subscriber was sent, with the same ids; return how many there are."""
    _demand(name)
    return webhooks.replay(name, since=since, event=event, at=at)


def _demand(name: str) -> None:
    if all(one.name != name for one in webhooks.listed()):
        raise WebhookUnknown("expected a known subscription", name=name)
