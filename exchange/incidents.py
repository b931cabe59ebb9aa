"""What a person does about incidents: send a message again, reissue it, retry a step."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from dossier.errors import Conflict, Denied
from dossier.model import Actor, Dossier, Incident, IncidentRow, MessageState
from exchange import access, chronicle
from exchange.chronicle import Event
from exchange.drained import ring_after_commit
from exchange.errors import DossierUnknown, NothingToResend, NothingToRetry
from exchange.node import Node
from exchange.stepping import MARK
from storage import calls, dossiers, facts, incidents, instances, outbox
from storage.transactions import transaction
from workflows.naming import names_read

_MOST_RETRIED = 10_000  # by one order


def resend(node: Node, actor: Actor, message: UUID) -> None:
    """Send a parked message again: the same id, the same bytes."""
    outgoing = outbox.get(message)
    demand(node, actor, outgoing.message.dossier)
    now = node.now()
    with transaction():
        if not outbox.resend(message, at=now):
            raise NothingToResend("expected a parked message")
        incidents.resolve_message(message, by=actor.username, at=now)
        _note(outgoing.message.dossier, actor, "message_resent", node, str(message))
        ring_after_commit("deliver", str(message))


def retry(node: Node, actor: Actor, incident: UUID) -> None:
    """Let the engine try again the step that an incident stopped."""
    found = incidents.get(incident)
    demand(node, actor, found.dossier)
    now = node.now()
    if found.resolved is not None or found.instance is None:
        raise NothingToRetry("expected an open incident of a step")
    with transaction():
        ref = incidents.ref_of(incident)
        call = calls.reopen(ref, at=now) if ref else None
        if call is not None:
            ring_after_commit("call", str(call))
        elif ref:
            facts.add(
                facts.NewFact(
                    instance=found.instance,
                    kind=facts.FactKind.RETRY,
                    ref=f"{ref}{MARK}{incident}",
                    payload={},
                    actor=actor.username,
                    on_behalf_of="",
                    at=now,
                )
            )
        incidents.resolve(incident, by=actor.username, at=now)
        instances.reopen(found.instance, at=now)
        _note(found.dossier, actor, "incident_retried", node, found.code)
        ring_after_commit("advance", str(found.instance))


def retry_all(
    node: Node, actor: Actor, *, code: str = "", procedure: str = ""
) -> tuple[list[IncidentRow], list[IncidentRow]]:
    """Retry every step that an incident stopped and that the person may retry.

    `code` and `procedure` choose among them; return those that are tried again, and those that
    somebody else took meanwhile.
    """
    tried, left = [], []
    for row in listed(node, actor, limit=_MOST_RETRIED):
        if not row.can_retry or code not in ("", row.incident.code):
            continue
        if procedure and row.procedure != procedure:
            continue
        try:
            retry(node, actor, row.incident.id)
        except (Conflict, Denied):
            left.append(row)
        else:
            tried.append(row)
    return tried, left


def listed(node: Node, actor: Actor, *, limit: int = 100) -> list[IncidentRow]:
    """Return the open incidents of the dossiers that the person may see, newest first."""
    now = node.now()
    rows = []
    for found in incidents.open_incidents(limit=limit):
        dossier = dossiers.get(found.dossier) if found.dossier else None
        if dossier is None:
            continue
        can_repair = access.may_repair(actor, dossier, at=now)
        if not can_repair and not access.may_read(actor, dossier, at=now):
            continue
        can = access.may_resolve(actor, dossier, at=now)
        state = outbox.state_of(found.message) if found.message else None
        name, read = step_of(node, dossier, found)
        rows.append(
            IncidentRow(
                incident=found,
                dossier_code=dossier.code,
                procedure=dossier.procedure,
                can_resend=can and state is MessageState.PARKED,
                can_reissue=can and state in (MessageState.PARKED, MessageState.REFUSED),
                can_retry=can and found.message is None and found.instance is not None,
                can_repair=can_repair and found.instance is not None,
                element_name=name,
                names_read=read,
            )
        )
    return rows


def step_of(
    node: Node, dossier: Dossier, incident: Incident
) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """Return the name of the step that stopped, and which values it reads: names, no contents."""
    if not incident.element_id:
        return {}, ()
    procedure = node.contracts().version(dossier.procedure, dossier.procedure_version)
    definition = procedure.definition(dossier.role)
    return procedure.element_name(incident.element_id), names_read(definition, incident.element_id)


def demand_message(node: Node, actor: Actor, message: UUID) -> None:
    """Raise `NotAllowed` unless the person may deal with this outgoing message."""
    demand(node, actor, outbox.get(message).message.dossier)


def demand(node: Node, actor: Actor, dossier: UUID | None) -> Dossier:
    """Return the dossier if the person may deal with its messages; raise `NotAllowed`."""
    if dossier is None:
        raise DossierUnknown("expected an incident of a dossier", code="")
    held = dossiers.get(dossier)
    access.demand(allowed=access.may_resolve(actor, held, at=node.now()), what="resolve incidents")
    return held


def _note(dossier: UUID | None, actor: Actor, kind: str, node: Node, about: str) -> None:
    if dossier is None:
        return
    chronicle.write(
        [
            Event(
                dossier=dossier,
                at=node.now(),
                kind=kind,
                actor=actor.username,
                parameters={"about": about},
            )
        ]
    )
