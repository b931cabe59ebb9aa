"""The messages of a dossier in both directions, as its page shows them."""

from __future__ import annotations

from uuid import UUID

from dossier.model import Message
from storage import inbox, outbox


def messages_of(dossier: UUID) -> list[Message]:
    """Return what a dossier has sent and received, oldest first."""
    found = [one.message for one in outbox.of_dossier(dossier)]
    found += [inbox.summary(one) for one in inbox.of_dossier(dossier)]
    return sorted(found, key=lambda one: (one.created, one.message_id))
