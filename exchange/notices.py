"""Queue notifications with the event itself: what foreign systems are told of dossiers.

A notification names codes and states only, never personal data or documents; `exchange.notify`
sends it after the commit.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Final

from dossier import xmltext
from dossier.canonical import Json
from dossier.ids import same_agency
from storage import webhooks
from storage.history import Edge, NewHistory
from storage.webhooks import NewNotice, Webhook

# What a history entry is called outside; what is not here is nobody else's concern.
KINDS: Final = {
    "dossier_opened": "dossier.opened",
    "status_changed": "dossier.status",
    "dossier_closed": "dossier.closed",
    "message_received": "message.received",
    "message_buffered": "message.received",
    "message_sent": "message.sent",
    "message_refused": "message.refused",
    "message_parked": "message.parked",
    "message_withdrawn": "message.withdrawn",
    "silence_fell": "dossier.silence",
}
_TELLABLE: Final = frozenset(
    {"status", "procedure", "version", "message_id", "type", "from", "to", "code", "container"}
)


def queue(happened: Sequence[tuple[NewHistory, Edge]]) -> None:
    """Queue what happened for those who listen, in the transaction of the event."""
    listening = webhooks.listed()
    webhooks.queue([new for row, edge in happened for new in _for_each(row, edge, listening)])


def _for_each(row: NewHistory, edge: Edge, listening: Sequence[Webhook]) -> Iterator[NewNotice]:
    kind = KINDS.get(row.entry.kind)
    if kind is None:
        return
    event = uuid.uuid4()
    told = {name: value for name, value in row.entry.parameters.items() if name in _TELLABLE}
    content: dict[str, Json] = {
        "agency": edge.agency,
        "dossier": edge.code,
        "sequence": row.entry.sequence,
        "at": xmltext.instant(row.entry.at),
        **told,
    }
    for one in listening:
        is_theirs = not one.agency or same_agency(one.agency, edge.agency)
        if is_theirs and (not one.kinds or kind in one.kinds):
            yield NewNotice(
                id=uuid.uuid4(),
                event=event,
                webhook=one.name,
                kind=kind,
                content=content,
                created=row.entry.at,
            )
