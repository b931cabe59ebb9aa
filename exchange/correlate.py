"""Hand received messages to the instance that waits for them, start one, or keep them buffered.

A message correlates only when name, dossier code and conversation fit *and* its verified sender
is the one agency the waiting pool is bound to (protocol §7).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from dossier import canonical
from dossier.canonical import Json
from dossier.envelope import Action, Envelope, FileKind
from dossier.errors import LienThongError, Unavailable
from dossier.ids import AgencyCode
from dossier.model import Dossier, MessageState
from exchange import chronicle, superseded, tracing
from exchange.arrivals import move_arrivals
from exchange.chronicle import Event
from exchange.drained import Drained, ring_after_commit
from exchange.filing import keep_documents
from exchange.node import Node
from exchange.opening import Opening, bind_received, open_dossier
from exchange.silences import fallen_for, keep_late
from signing.log.leaf import LeafKind
from storage import dossiers, facts, history, inbox, incidents, subscriptions
from storage.inbox import InboxMessage
from storage.silences import Silence
from storage.subscriptions import Subscription, WaitKind
from storage.transactions import transaction
from workflows.procedure import Procedure

_BATCH: Final = 20


def drain_inbox(node: Node, *, budget: timedelta) -> Drained:
    """Work off received messages until none is left or the budget is spent."""
    limit = time.monotonic() + budget.total_seconds()
    done = 0
    while time.monotonic() < limit:
        moved = move_arrivals(node)
        taken = _take_batch(node)
        done += taken
        if max(moved, taken) < _BATCH:
            return Drained(done=done, more=False)
    return Drained(done=done, more=True)


def _take_batch(node: Node) -> int:
    """Place one batch in one commit; when one of them cannot be placed, each goes alone."""
    try:
        with transaction():
            received = inbox.take_received(limit=_BATCH)
            for message in received:
                envelope = message.envelope
                with tracing.continued(
                    "correlate", envelope.message_id, otherwise=envelope.traceparent
                ):
                    offer(node, message, at=node.now())
            return len(received)
    except Unavailable:
        raise
    except LienThongError:
        return sum(1 for _ in range(_BATCH) if _take_one(node))


def _take_one(node: Node) -> bool:
    """Place one message; what cannot be placed is kept, visible, with an incident."""
    message = None
    try:
        with transaction():
            for message in inbox.take_received(limit=1):
                envelope = message.envelope
                with tracing.continued(
                    "correlate", envelope.message_id, otherwise=envelope.traceparent
                ):
                    offer(node, message, at=node.now())
    except Unavailable:
        raise
    except LienThongError as exc:
        if message is None:
            raise
        with transaction():
            inbox.buffer(message.id, dossier=None)
            incidents.open_incident(
                incidents.NewIncident(
                    code=exc.code,
                    parameters={
                        "from": message.envelope.from_agency,
                        "type": message.envelope.message_type,
                    },
                    opened=node.now(),
                    message=message.id,
                )
            )
    return message is not None


def offer(node: Node, message: InboxMessage, *, at: datetime) -> None:
    """Find a taker for one message, in this transaction."""
    envelope = message.envelope
    agency = node.hosted(envelope.to_agency) or envelope.to_agency
    dossier = dossiers.find_conversation(agency, envelope.conversation_id)
    if dossier is None:
        if not superseded.settle_unopened(message, agency=agency):
            _start(node, message, agency=agency, at=at)
        return
    # A transition that opens a wait locks the dossier before it looks for kept messages. Under the
    # same lock one of the two sees the other; without it both commit and neither is ever found.
    history.lock([dossier.id])
    if superseded.settle(node, message, dossier, at=at):
        return
    waiting = subscriptions.waiting(agency, envelope.conversation_id, envelope.message_type)
    fitting = [one for one in waiting if _fits(node, one, envelope)]
    if fitting:
        _hand_over(node, message, dossier, fitting[0], at=at)
        return
    rule = None if waiting else fallen_for(message, dossier)
    if rule is not None:
        _file_late(node, message, dossier, rule, at=at)
        return
    if waiting:
        _refuse_stranger(message, dossier, at=at)
    _buffer(message, dossier, at=at)


def wake(node: Node, opened: Sequence[Subscription], *, at: datetime) -> None:
    """Offer buffered messages to subscriptions that were just opened, in this transaction."""
    waiting = [one for one in opened if one.kind is WaitKind.MESSAGE]
    kept = inbox.conversations_kept([one.conversation_id for one in waiting])
    for subscription in waiting:
        if subscription.conversation_id not in kept:
            continue
        buffered = inbox.buffered_for(
            subscription.agency, subscription.conversation_id, subscription.name
        )
        for message in buffered:
            is_recall = message.envelope.action is Action.RECALL
            if not is_recall and _fits(node, subscription, message.envelope):
                dossier = dossiers.find_conversation(
                    subscription.agency, subscription.conversation_id
                )
                if dossier is not None:
                    _hand_over(node, message, dossier, subscription, at=at)
                break


def _fits(node: Node, waiting: Subscription, envelope: Envelope) -> bool:
    directory = node.directory()
    sender = directory.find(envelope.from_agency)
    return (
        waiting.dossier_code == envelope.dossier_code
        and sender is not None
        and directory.speaks_for(sender, waiting.from_agency, at=node.now())
    )


def _hand_over(
    node: Node, message: InboxMessage, dossier: Dossier, waiting: Subscription, *, at: datetime
) -> None:
    keep_documents(node, message, dossier, at=at)
    facts.add(
        facts.NewFact(
            instance=waiting.instance,
            kind=facts.FactKind.MESSAGE,
            ref=waiting.ref,
            payload={"message": str(message.id), "values": travelled(node, message.envelope)},
            actor=message.envelope.from_agency,
            on_behalf_of="",
            at=at,
        )
    )
    # The subscription is used up here: a second message of the same type must not meet it.
    subscriptions.close_subscriptions([waiting.ref])
    inbox.correlate(message.id, instance=waiting.instance, dossier=dossier.id)
    chronicle.write([_received(message, dossier.id, instance=waiting.instance, at=at)])
    ring_after_commit("advance", str(waiting.instance))


def _file_late(
    node: Node, message: InboxMessage, dossier: Dossier, rule: Silence, *, at: datetime
) -> None:
    """Keep an opinion that came after its agency's silence had its effect: filed, shown, no more.

    It is taken from the buffer, so that it never answers a later question by accident.
    """
    keep_documents(node, message, dossier, at=at)
    inbox.correlate(message.id, instance=rule.instance, dossier=dossier.id)
    values = travelled(node, message.envelope)
    chronicle.write([keep_late(rule, message, values=values, at=at)])


def _start(node: Node, message: InboxMessage, *, agency: AgencyCode | str, at: datetime) -> None:
    envelope = message.envelope
    procedure = node.contracts().find(envelope.contract)
    role = starting_role(procedure, envelope) if procedure else ""
    if procedure is None or not role:
        _buffer(message, None, at=at)
        return
    declared = procedure.messages[envelope.message_type]
    instance = uuid.uuid4()
    dossier = open_dossier(
        node,
        Opening(
            procedure=procedure,
            agency=AgencyCode(agency),
            role=role,
            subject=envelope.subject,
            bindings=bind_received(
                procedure,
                directory=node.directory(),
                known={declared.source: envelope.from_agency, role: agency},
                own=node.directory().find(agency),
                at=at,
            ),
            actor=envelope.from_agency,
            conversation_id=envelope.conversation_id,
            code=envelope.dossier_code,
            trigger=envelope.message_type,
            payload={"message": str(message.id), "values": travelled(node, envelope)},
            values={"incoming_reference": envelope.document_number},
            instance=instance,
        ),
        at=at,
    )
    keep_documents(node, message, dossier, at=at)
    inbox.correlate(message.id, instance=instance, dossier=dossier.id)
    chronicle.write([_received(message, dossier.id, instance=instance, at=at)])


def starting_role(procedure: Procedure, envelope: Envelope) -> str:
    """Return the pool that this message type starts, or nothing."""
    for role in procedure.roles:
        for start in procedure.message_starts(role):
            if start.message_type == envelope.message_type:
                return role
    return ""


def travelled(node: Node, envelope: Envelope) -> dict[str, Json]:
    """Return the case values that came with the message: those its type declares."""
    for entry in envelope.manifest:
        if entry.kind is FileKind.PAYLOAD:
            values = canonical.parse(node.blobs.read(entry.sha256))
            return dict(values) if isinstance(values, Mapping) else {}
    return {}


def _buffer(message: InboxMessage, dossier: Dossier | None, *, at: datetime) -> None:
    if message.state is MessageState.BUFFERED:
        return
    inbox.buffer(message.id, dossier=dossier.id if dossier else None)
    if dossier is not None:
        chronicle.write([_received(message, dossier.id, instance=None, at=at)])


def _refuse_stranger(message: InboxMessage, dossier: Dossier, *, at: datetime) -> None:
    incidents.open_incident(
        incidents.NewIncident(
            code="message_wrong_agency",
            parameters={
                "from": message.envelope.from_agency,
                "type": message.envelope.message_type,
            },
            opened=at,
            dossier=dossier.id,
            message=message.id,
        )
    )


def _received(
    message: InboxMessage, dossier: UUID, *, instance: UUID | None, at: datetime
) -> Event:
    envelope = message.envelope
    return Event(
        dossier=dossier,
        at=at,
        kind="message_received" if instance else "message_buffered",
        leaf=LeafKind.MESSAGE,
        instance=instance,
        actor=envelope.from_agency,
        parameters={
            "message_id": envelope.message_id,
            "container": message.container_sha256,
            "receipt": message.receipt_sha256,
            "type": envelope.message_type,
        },
    )
