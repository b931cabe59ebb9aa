"""Write what happens to dossiers: history rows and the log leaves that commit to them.

Each entry takes the dossier's next sequence number under the dossier's row lock, so a gap means
that something was left out; the leaf holds salted hashes only (docs/formats/log.md).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dossier import xmltext
from dossier.canonical import Json
from dossier.model import HistoryEntry
from exchange import notices
from signing.log.leaf import SALT_SIZE_BYTES, DossierPlace, LeafKind, Opening
from storage import history, log
from storage.history import Edge


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that happened to one dossier; its number is given when it is written."""

    dossier: UUID
    at: datetime
    kind: str
    leaf: LeafKind = LeafKind.TRANSITION
    instance: UUID | None = None
    element_id: str = ""
    actor: str = "system"
    on_behalf_of: str = ""
    parameters: Mapping[str, Json] | None = None


def write(events: Sequence[Event], *, edges: Mapping[UUID, Edge] | None = None) -> None:
    """Append the events to their dossiers' histories and to the log, in this transaction.

    A caller that has locked the dossiers hands over the edges that `history.lock` returned.
    """
    if not events:
        return
    if edges is None:
        edges = history.lock({event.dossier for event in events})
    numbers = {dossier: edge.last for dossier, edge in edges.items()}
    rows = []
    for event in events:
        numbers[event.dossier] += 1
        rows.append(_row(event, sequence=numbers[event.dossier], edge=edges[event.dossier]))
    history.append(rows, edges=edges)
    if any(edge.is_watched for edge in edges.values()):
        notices.queue([(row, edges[row.dossier]) for row in rows])


def write_node_event(kind: LeafKind, content: Json, *, at: datetime) -> None:
    """Append an event of no dossier (a directory edition, a new epoch) to the log."""
    opening = Opening(
        kind=kind,
        at=xmltext.truncated(at),
        content=content,
        salt=secrets.token_bytes(SALT_SIZE_BYTES),
        place=None,
    )
    leaf, opened = opening.dump_both()
    log.add_pending(leaf, opening=opened)


def content_of(entry: HistoryEntry) -> Json:
    """Return what the leaf of a history entry commits to."""
    return {
        "sequence": entry.sequence,
        "kind": entry.kind,
        "element": entry.element_id,
        "actor": entry.actor,
        "on_behalf_of": entry.on_behalf_of,
        "parameters": dict(entry.parameters),
    }


def _row(event: Event, *, sequence: int, edge: Edge) -> history.NewHistory:
    at = xmltext.truncated(event.at)
    entry = HistoryEntry(
        sequence=sequence,
        at=at,
        kind=event.kind,
        element_id=event.element_id,
        actor=event.actor,
        on_behalf_of=event.on_behalf_of,
        parameters=dict(event.parameters or {}),
    )
    opening = Opening(
        kind=event.leaf,
        at=at,
        content=content_of(entry),
        salt=secrets.token_bytes(SALT_SIZE_BYTES),
        place=DossierPlace(dossier=edge.code, salt=edge.salt, sequence=sequence),
    )
    leaf, opened = opening.dump_both()
    return history.NewHistory(
        dossier=event.dossier, entry=entry, instance=event.instance, leaf=leaf, opening=opened
    )
