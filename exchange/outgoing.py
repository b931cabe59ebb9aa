"""Queue an outgoing message: what it says is fixed here, sealing and sending come later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_OID, UUID, uuid5

from dossier.canonical import Json
from dossier.ids import AgencyCode, MessageOrigin, message_id
from dossier.model import Dossier
from exchange.chronicle import Event
from exchange.deadlines import expiry
from exchange.errors import PartnerUnknown
from exchange.node import Node
from exchange.stepping import Stepped
from exchange.values import to_json
from storage import documents
from storage.outbox import NewOutgoing
from workflows.commands import SendMessage


@dataclass(frozen=True, kw_only=True, slots=True)
class Queued:
    """A message to be written down, and what it adds to the history."""

    message: NewOutgoing
    event: Event


def queue_message(
    node: Node, stepped: Stepped, dossier: Dossier, command: SendMessage, *, at: datetime
) -> Queued:
    """Return the outbox row of one send step; the same step again makes the same row.

    A document that is still missing is looked for once more when the message is sealed.
    """
    procedure = stepped.procedure
    declared = procedure.messages[command.message_type]
    partner = _partner(dossier, command.to_role or declared.to)
    identity = message_id(
        MessageOrigin(
            epoch=node.epoch,
            instance=stepped.instance.id,
            sequence=int(command.send_id.rpartition(":")[2]),
            to=partner,
        )
    )
    kinds = command.documents or declared.documents
    found = {kind: documents.latest(dossier.id, kind) for kind in kinds}
    values = stepped.values
    request: dict[str, Json] = {
        "documents": [str(document.id) for document in found.values() if document],
        "missing": [kind for kind, document in found.items() if document is None],
        "values": _travelling(command, declared.values, values),
        "subject": dossier.subject,
        "urgency": str(values.get("urgency") or declared.urgency),
        "document_number": str(values.get(f"{kinds[0]}_number" if kinds else "", "")),
        "contract": [procedure.code, procedure.version, procedure.digest],
    }
    message = NewOutgoing(
        id=token_uuid(command.send_id),
        agency=stepped.instance.agency,
        partner=partner,
        dossier=dossier.id,
        dossier_code=dossier.code,
        instance=stepped.instance.id,
        ref=command.send_id,
        message_id=identity,
        message_type=command.message_type,
        conversation_id=dossier.conversation_id,
        request=request,
        created=at,
        expires=expiry(declared.expires, at=at),
        supersedes=None,
    )
    event = Event(
        dossier=dossier.id,
        at=at,
        kind="message_queued",
        instance=stepped.instance.id,
        element_id=command.element_id,
        parameters={"message_id": identity, "to": partner, "type": command.message_type},
    )
    return Queued(message=message, event=event)


def _partner(dossier: Dossier, role: str) -> AgencyCode:
    if role not in dossier.bindings:
        raise PartnerUnknown("expected an agency bound to the role", agency=role)
    return AgencyCode(dossier.bindings[role])


def token_uuid(token: str) -> UUID:
    """Return the row id of an engine token: the same token, the same row."""
    return uuid5(NAMESPACE_OID, f"urn:lienthong:token:{token}")


def _travelling(
    command: SendMessage, declared: tuple[str, ...], values: Mapping[str, Json]
) -> Json:
    if command.values is not None:
        return {name: to_json(value) for name, value in command.values.items()}
    seen = {**values, **{name: to_json(value) for name, value in command.locals.items()}}
    return {name: seen[name] for name in declared if name in seen}
