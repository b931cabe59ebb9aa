"""Outgoing messages of this node, for the command."""

from __future__ import annotations

from uuid import UUID

from dossier.clock import SystemClock
from dossier.model import Message, MessageState
from exchange.drained import ring_after_commit
from exchange.errors import NothingToResend
from exchange.wiring import node
from storage import incidents, outbox
from storage.transactions import transaction


def outgoing(*, state: str = "", limit: int = 100) -> list[Message]:
    """Return the newest outgoing messages, of one state if given."""
    chosen = MessageState(state) if state else None
    found = outbox.list_outgoing(node().hosted_agencies(), state=chosen, limit=limit)
    return [one.message for one in found]


def resend(message: UUID) -> None:
    """Send a parked message again, as the operator of the node."""
    now = SystemClock().now()
    with transaction():
        if not outbox.resend(message, at=now):
            raise NothingToResend("expected a parked message")
        incidents.resolve_message(message, by="operator", at=now)
        ring_after_commit("deliver", str(message))
