"""Send a message in the place of another one: reissue, redirect, recall, replace, update.

The new message has an id and a seal of its own and names the one it supersedes; the old bytes are
never changed. What it does to the receiver, `exchange.superseded` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import NAMESPACE_OID, UUID, uuid5

from dossier.canonical import Json
from dossier.envelope import Action
from dossier.ids import AgencyCode, MessageOrigin, message_id, same_agency
from dossier.model import Dossier, MessageState
from exchange import chronicle
from exchange.chronicle import Event
from exchange.drained import ring_after_commit
from exchange.errors import NothingToResend, PartnerUnknown
from exchange.node import Node
from storage import cases, documents, dossiers, incidents, outbox, subscriptions
from storage.outbox import Outgoing
from storage.transactions import transaction

_FOLLOWING: Final = 1_000_000  # sequences from here on are never those of transitions
_MOST: Final = 1_000  # messages in the place of one
_ENDED: Final = frozenset({MessageState.REFUSED, MessageState.PARKED})


def reissue(node: Node, message: UUID, *, by: str) -> UUID:
    """Send a refused or parked message anew, and return the new one."""
    outgoing = _open(message)
    if outgoing.message.state not in _ENDED:
        raise NothingToResend("expected a refused or parked message")
    return _follow(node, outgoing, outgoing.message.partner, {}, kind="message_reissued", by=by)


def redirect(node: Node, message: UUID, *, to: str, by: str) -> UUID:
    """Send a refused or parked message to another agency, which the dossier is bound to then."""
    outgoing = _open(message)
    if outgoing.message.state not in _ENDED:
        raise NothingToResend("expected a refused or parked message")
    found = node.directory().successor_of(to, at=node.now())
    if found is None or not found.is_reachable or same_agency(found.code, outgoing.message.agency):
        raise PartnerUnknown("expected a partner with an address", agency=to)
    old, held = outgoing.message.partner, _dossier(outgoing)
    with transaction():
        bindings = {
            role: found.code if same_agency(agency, old) else agency
            for role, agency in held.bindings.items()
        }
        dossiers.update(held.id, bindings=bindings)
        subscriptions.redirect(held.id, old=old, new=found.code)
        return _follow(node, outgoing, found.code, {}, kind="message_redirected", by=by)


def recall(node: Node, message: UUID, *, reason: str, by: str) -> UUID | None:
    """Take a message back; return the recall that is sent, None where nothing had left."""
    outgoing = _open(message)
    if outgoing.message.state not in (MessageState.NEW, MessageState.PARKED, MessageState.SENT):
        raise NothingToResend("expected a message that is sent or waits")
    with transaction():
        if outgoing.message.state is not MessageState.SENT and not outbox.withdraw(message):
            raise NothingToResend("expected a message that is not being sent at this moment")
        incidents.resolve_message(message, by=by, at=node.now())
        if outgoing.message.container_sha256 is None:
            _note(outgoing, "message_withdrawn", outgoing.message.message_id, node.now(), by=by)
            return None
        # Its bytes may have arrived, though no receipt came back.
        changes: dict[str, Json] = {
            "action": Action.RECALL.value,
            "documents": [],
            "missing": [],
            "values": {},
            "subject": reason,
        }
        return _follow(
            node, outgoing, outgoing.message.partner, changes, kind="message_recalled", by=by
        )


def amend(node: Node, message: UUID, *, action: Action, by: str) -> UUID:
    """Send the documents and values of now in the place of, or in addition to, an earlier message.

    `action` is REPLACE or UPDATE.
    """
    outgoing = _open(message)
    if outgoing.message.state is not MessageState.SENT:
        raise NothingToResend("expected a message that was sent")
    dossier, request = _dossier(outgoing), _request(outgoing)
    old = [documents.get(UUID(str(one))) for one in _listed(request, "documents")]
    newest = [documents.latest(dossier.id, one.kind) or one for one in old]
    values, sent = cases.values(dossier.id), request.get("values")
    changes: dict[str, Json] = {
        "action": action.value,
        "documents": [str(one.id) for one in newest],
        "values": {
            name: values.get(name, value)
            for name, value in (sent.items() if isinstance(sent, Mapping) else ())
        },
    }
    kind = "message_replaced" if action is Action.REPLACE else "message_updated"
    return _follow(node, outgoing, outgoing.message.partner, changes, kind=kind, by=by)


def _follow(
    node: Node,
    outgoing: Outgoing,
    partner: AgencyCode,
    changes: Mapping[str, Json],
    *,
    kind: str,
    by: str,
) -> UUID:
    """Queue a message in the place of another one; only once for each."""
    now, old = node.now(), outgoing.message
    held, base = _dossier(outgoing), outgoing.ref.split("+")[0]
    earlier = [one for one in outbox.of_dossier(held.id) if one.ref.startswith(f"{base}+")]
    number = len(earlier) + 1
    sequence = _FOLLOWING + int(base.rpartition(":")[2]) * _MOST + number
    origin = MessageOrigin(
        epoch=node.epoch, instance=_instance(outgoing), sequence=sequence, to=partner
    )
    identity = message_id(origin)
    following = uuid5(NAMESPACE_OID, identity)
    with transaction():
        if not outbox.supersede(old.id, by=identity):
            raise NothingToResend("expected a message that nothing stands for yet")
        outbox.add(
            outbox.NewOutgoing(
                id=following,
                agency=old.agency,
                partner=partner,
                dossier=held.id,
                dossier_code=old.dossier_code,
                instance=_instance(outgoing),
                ref=f"{base}+{number}",
                message_id=identity,
                message_type=old.message_type,
                conversation_id=outgoing.conversation_id,
                request={**_request(outgoing), **changes},
                created=now,
                expires=max(outgoing.expires, now + (outgoing.expires - old.created)),
                supersedes=old.message_id,
            )
        )
        incidents.resolve_message(old.id, by=by, at=now)
        _note(outgoing, kind, identity, now, by=by)
        ring_after_commit("deliver", str(following))
    return following


def _open(message: UUID) -> Outgoing:
    outgoing = outbox.get(message)
    if outgoing.instance is None or outgoing.message.dossier is None:
        raise NothingToResend("expected a message of an instance")
    return outgoing


def _instance(outgoing: Outgoing) -> UUID:
    if outgoing.instance is None:
        raise NothingToResend("expected a message of an instance")
    return outgoing.instance


def _dossier(outgoing: Outgoing) -> Dossier:
    if outgoing.message.dossier is None:
        raise NothingToResend("expected a message of a dossier")
    return dossiers.get(outgoing.message.dossier)


def _request(outgoing: Outgoing) -> dict[str, Json]:
    return dict(outgoing.request) if isinstance(outgoing.request, Mapping) else {}


def _listed(request: Mapping[str, Json], name: str) -> list[Json]:
    found = request.get(name)
    return list(found) if isinstance(found, list | tuple) else []


def _note(outgoing: Outgoing, kind: str, about: str, at: datetime, *, by: str) -> None:
    chronicle.write(
        [
            Event(
                dossier=_dossier(outgoing).id,
                at=at,
                kind=kind,
                actor=by,
                parameters={"about": about, "message_id": outgoing.message.message_id},
            )
        ]
    )
