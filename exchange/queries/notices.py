"""What one person is told, with what the words need; dismissing one is here too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dossier.model import Actor
from exchange.node import Node
from exchange.people_errors import NoticeUnknown
from exchange.queries.partners import names_of
from storage import dossiers
from storage import reminders as rows
from storage.transactions import transaction

_NAMED = ("by", "agency")


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticeLine:
    """One notice on a desk."""

    id: int
    kind: str
    code: str  # of the dossier
    subject: str
    dossier: UUID
    task: UUID | None
    at: datetime
    parameters: Mapping[str, str]  # as the sentence of the kind wants them; people by username
    names: Mapping[str, Mapping[str, str]]  # of the people and agencies among them


def notices(node: Node, actor: Actor, *, limit: int = 20) -> list[NoticeLine]:
    """Return what the person has not dismissed, newest first."""
    told = rows.told(actor.username, limit=limit)
    held = dossiers.load([one.dossier for one in told])
    codes = {str((one.parameters or {}).get(key, "")) for one in told for key in _NAMED}
    names = names_of(node, codes - {""}) if told else {}
    return [
        NoticeLine(
            id=one.id,
            kind=one.kind,
            code=held[one.dossier].code,
            subject=held[one.dossier].subject,
            dossier=one.dossier,
            task=one.task,
            at=one.created,
            parameters={key: str(value) for key, value in (one.parameters or {}).items()},
            names=names,
        )
        for one in told
    ]


def dismiss(node: Node, actor: Actor, notice: int) -> None:
    """Let one of the person's own notices go; raise `NoticeUnknown`."""
    with transaction():
        if not rows.dismiss(actor.username, notice, at=node.now()):
            raise NoticeUnknown("expected an own notice")
