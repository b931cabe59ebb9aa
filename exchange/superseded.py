"""Receive a message that supersedes an earlier one of its sender: take back, replace, add.

No order is promised, so a recall may come before what it recalls. What an instance has taken is
never undone by a machine: the files are added to the dossier and a person is told.
"""

from __future__ import annotations

from datetime import datetime

from dossier.envelope import Action
from dossier.ids import same_agency
from dossier.model import Dossier, MessageState
from exchange import chronicle
from exchange.chronicle import Event
from exchange.filing import keep_documents
from exchange.node import Node
from signing.log.leaf import LeafKind
from storage import inbox, incidents
from storage.inbox import InboxMessage


def settle(node: Node, message: InboxMessage, dossier: Dossier, *, at: datetime) -> bool:
    """Deal with a message that needs no taker, and tell whether it was one."""
    if _is_overtaken(message, dossier):
        inbox.withdraw(message.id)
        _note(message, dossier, "message_withdrawn", at=at)
        return True
    envelope = message.envelope
    if envelope.supersedes is None:
        return False
    earlier = inbox.find(envelope.from_agency, envelope.supersedes)
    if earlier is None or not _is_about(message, earlier):
        if envelope.action is Action.RECALL:
            # Kept under its dossier until what it recalls arrives.
            inbox.buffer(message.id, dossier=dossier.id)
        return envelope.action is Action.RECALL
    if inbox.withdraw(earlier.id):
        _note(earlier, dossier, "message_withdrawn", at=at)
        if envelope.action is Action.RECALL:
            inbox.withdraw(message.id)
        return envelope.action is Action.RECALL
    if earlier.consumed_by is None:
        return False
    _tell(node, message, earlier, dossier, at=at)
    return True


def settle_unopened(message: InboxMessage, *, agency: str) -> bool:
    """Deal with a message of a conversation that has no dossier here yet."""
    envelope = message.envelope
    if envelope.action is Action.RECALL:
        # Its message is still on its way, or was itself kept without a dossier.
        earlier = inbox.find(envelope.from_agency, envelope.supersedes or "")
        if earlier is not None and _is_about(message, earlier) and inbox.withdraw(earlier.id):
            inbox.withdraw(message.id)
        else:
            inbox.buffer(message.id, dossier=None)
        return True
    kept = inbox.buffered_for(agency, envelope.conversation_id, envelope.message_type)
    recalls = [
        one
        for one in kept
        if one.envelope.action is Action.RECALL
        and one.envelope.supersedes == envelope.message_id
        and same_agency(one.envelope.from_agency, envelope.from_agency)
    ]
    for one in recalls:
        inbox.withdraw(one.id)
        inbox.withdraw(message.id)
    return bool(recalls)


def _tell(
    node: Node, message: InboxMessage, earlier: InboxMessage, dossier: Dossier, *, at: datetime
) -> None:
    """File what came and let a person decide: an instance has acted on the earlier message."""
    envelope = message.envelope
    if envelope.action is not Action.RECALL:
        keep_documents(node, message, dossier, at=at)
    if earlier.consumed_by is not None:
        inbox.correlate(message.id, instance=earlier.consumed_by, dossier=dossier.id)
    kind = {
        Action.NEW: "message_repeated",
        Action.RECALL: "message_recalled",
        Action.REPLACE: "message_replaced",
        Action.UPDATE: "message_updated",
    }[envelope.action]
    _note(message, dossier, kind, at=at)
    if envelope.action is Action.NEW:
        return
    incidents.open_incident(
        incidents.NewIncident(
            code=kind,
            parameters={"from": envelope.from_agency, "type": envelope.message_type},
            opened=at,
            dossier=dossier.id,
            instance=earlier.consumed_by,
        )
    )


def _is_overtaken(message: InboxMessage, dossier: Dossier) -> bool:
    """Tell whether a message that takes this one back, or stands for it, came before it."""
    mine = message.envelope
    return any(
        other.envelope.supersedes == mine.message_id
        and same_agency(other.envelope.from_agency, mine.from_agency)
        and (other.consumed_by is not None or other.envelope.action is Action.RECALL)
        for other in inbox.of_dossier(dossier.id)
        if other.id != message.id and other.state is not MessageState.RECEIVED
    )


def _is_about(message: InboxMessage, earlier: InboxMessage) -> bool:
    mine, theirs = message.envelope, earlier.envelope
    return (mine.conversation_id, mine.message_type) == (
        theirs.conversation_id,
        theirs.message_type,
    ) and same_agency(mine.to_agency, theirs.to_agency)


def _note(message: InboxMessage, dossier: Dossier, kind: str, *, at: datetime) -> None:
    envelope = message.envelope
    chronicle.write(
        [
            Event(
                dossier=dossier.id,
                at=at,
                kind=kind,
                leaf=LeafKind.MESSAGE,
                actor=envelope.from_agency,
                parameters={
                    "message_id": envelope.message_id,
                    "container": message.container_sha256,
                    "receipt": message.receipt_sha256,
                    "type": envelope.message_type,
                },
            )
        ]
    )
