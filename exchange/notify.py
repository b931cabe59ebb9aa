"""Send notifications that are due: signed, repeated by the delivery policy, parked at its end."""

from __future__ import annotations

import time
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from connectors.webhooks import Event, Subscriber
from dossier.errors import LienThongError, Rejected
from exchange.deliver import backoff
from exchange.drained import Drained
from exchange.node import Node
from exchange.notice_errors import WebhookSecretRefused
from storage import webhooks
from storage.webhooks import Notice, NoticeState, Webhook

_LEAST_SECRET_BYTES: Final = 16
_LEASE: Final = timedelta(seconds=60)  # longer than a call may take
_BATCH: Final = 4
_KEPT: Final = timedelta(days=90)  # may be replayed so long


def drain_notices(node: Node, *, budget: timedelta) -> Drained:
    """Send due notifications until none is left or the budget is spent."""
    token, limit, done = uuid.uuid4().hex, time.monotonic() + budget.total_seconds(), 0
    while time.monotonic() < limit:
        claimed = webhooks.claim_due(token=token, lease=_LEASE, limit=_BATCH, at=node.now())
        if not claimed:
            return Drained(done=done, more=False)
        known = {one.name: one for one in webhooks.listed()}
        for notice in claimed:
            if notice.webhook in known:
                _send(node, known[notice.webhook], notice, token=token)
            done += 1
        webhooks.forget_sent(before=node.now() - _KEPT)
    return Drained(done=done, more=True)


def read_secret(path: Path) -> bytes:
    """Return a shared secret without the line end; raise `WebhookSecretRefused`."""
    try:
        secret = path.read_bytes().strip()
    except OSError as exc:
        raise WebhookSecretRefused("expected a readable secret", path=path.name) from exc
    if len(secret) < _LEAST_SECRET_BYTES:
        raise WebhookSecretRefused(
            f"expected at least {_LEAST_SECRET_BYTES} bytes of secret", path=path.name
        )
    return secret


def _send(node: Node, webhook: Webhook, notice: Notice, *, token: str) -> None:
    state, error, next_at = NoticeState.SENT, "", None
    content = notice.content if isinstance(notice.content, dict) else {}
    try:
        node.notifier().send(
            Subscriber(url=webhook.url, secret=read_secret(Path(webhook.secret_file))),
            Event(id=notice.event, kind=notice.kind, content=content),
        )
    except LienThongError as exc:
        error = exc.code
        state, next_at = _after(node, notice, exc, at=node.now())
    webhooks.mark(notice.id, token=token, state=state, error=error, next_at=next_at)


def _after(
    node: Node, notice: Notice, error: LienThongError, *, at: datetime
) -> tuple[NoticeState, datetime | None]:
    """Return where a notification stands after a failed attempt, and when it is tried again."""
    if isinstance(error, Rejected):
        return NoticeState.REFUSED, None
    if notice.attempts >= node.settings.delivery_attempts:
        return NoticeState.PARKED, None
    wait = backoff(
        notice.attempts,
        first=timedelta(seconds=node.settings.delivery_base_seconds),
        longest=timedelta(seconds=node.settings.delivery_cap_seconds),
    )
    return NoticeState.NEW, at + wait
