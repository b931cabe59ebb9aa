"""Record: turn what the engine asked for into rows, inside the caller's transaction.

Every command has one small function here; nothing is sent and nobody is called, only written down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never
from uuid import NAMESPACE_OID, UUID, uuid5

from dossier.canonical import Json
from dossier.ids import AgencyCode, MessageOrigin, message_id
from dossier.model import Business, Dossier, Role, Task, TaskState
from exchange import chronicle
from exchange.chronicle import Event
from exchange.deadlines import case_due, expiry, task_due, timer_due
from exchange.node import Node
from exchange.stepping import Stepped, Taken, message_of
from exchange.values import to_json
from signing.log.leaf import LeafKind
from storage import (
    cases,
    documents,
    dossiers,
    inbox,
    incidents,
    outbox,
    subscriptions,
    tasks,
    timers,
)
from storage.facts import FactKind
from storage.subscriptions import Subscription, WaitKind
from workflows import commands
from workflows.commands import Command, HistoryEvent, SubscriptionKind

_KEPT = {
    HistoryEvent.LEFT: "step_done",
    HistoryEvent.CANCELLED: "step_cancelled",
    HistoryEvent.FAILED: "step_failed",
    HistoryEvent.RETRIED: "step_retried",
    HistoryEvent.MOVED: "step_moved",
}


@dataclass(kw_only=True, slots=True)
class Recorded:
    """Mutable: what recording one instance leaves for after the commit."""

    events: list[Event] = field(default_factory=list)
    messages_out: list[UUID] = field(default_factory=list)
    opened: list[Subscription] = field(default_factory=list)  # a buffered message may fit one


def record(node: Node, stepped: Stepped, *, at: datetime) -> Recorded:
    """Write everything one instance's facts led to, its own row and its history excepted."""
    recorded = Recorded()
    dossier = dossiers.get(stepped.instance.dossier)
    if stepped.writes:
        cases.write(dossier.id, stepped.writes)
    for taken in stepped.taken:
        if taken.transition is None:
            _left_over(taken)
            continue
        _note_history(recorded, stepped, taken, at=at)
        for command in taken.transition.commands:
            _obey(node, recorded, stepped, dossier, command, at=at)
    return recorded


def _left_over(taken: Taken) -> None:
    # The subscription closed before the message was taken: it waits in the buffer, visible.
    message = message_of(taken.fact)
    if message is not None:
        inbox.buffer(message, dossier=None)


def _note_history(recorded: Recorded, stepped: Stepped, taken: Taken, *, at: datetime) -> None:
    if taken.transition is None:
        return
    fact = taken.fact
    for entry in taken.transition.history:
        kind = _KEPT.get(entry.event)
        if kind is None:
            continue
        by_person = fact.kind is FactKind.TASK_COMPLETED and entry.token_id == fact.ref
        recorded.events.append(
            Event(
                dossier=stepped.instance.dossier,
                at=at,
                kind=kind,
                instance=stepped.instance.id,
                element_id=entry.element_id,
                actor=fact.actor if by_person else "system",
                on_behalf_of=fact.on_behalf_of if by_person else "",
                parameters={"element": entry.kind},
            )
        )


def _obey(  # noqa: C901 - one arm for each command of a closed set
    node: Node,
    recorded: Recorded,
    stepped: Stepped,
    dossier: Dossier,
    command: Command,
    *,
    at: datetime,
) -> None:
    match command:
        case commands.OpenTask():
            _open_task(node, stepped, dossier, command, at=at)
        case commands.CloseTask():
            tasks.close_tasks([command.task_id], state=TaskState.WITHDRAWN, at=at)
        case commands.OpenSubscription():
            _subscribe(node, recorded, stepped, dossier, command, at=at)
        case commands.CloseSubscription():
            subscriptions.close_subscriptions([command.subscription_id])
            timers.close_timers([command.subscription_id])
        case commands.SendMessage():
            _send(node, recorded, stepped, dossier, command, at=at)
        case commands.CallService() | commands.CallDecision():
            _unanswerable(stepped, dossier, command, at=at)
        case commands.RaiseIncident():
            _incident(stepped, dossier, command, at=at)
        case commands.ResolveIncident():
            incidents.resolve_ref(stepped.instance.id, command.token_id, by="system", at=at)
        case commands.SetStatus():
            _set_status(node, recorded, stepped, dossier, command.value, at=at)
        case commands.PauseClock():
            dossiers.start_pause(
                dossiers.Pause(
                    dossier=dossier.id,
                    token=command.token_id,
                    basis=command.basis,
                    started=at,
                    ended=None,
                )
            )
        case commands.ResumeClock():
            dossiers.end_pause(dossier.id, command.token_id, at)
            case_due(node, stepped.procedure, dossier.id, at=at)
        case commands.Finish():
            _finish(recorded, stepped, dossier, command, at=at)
        case commands.BroadcastSignal() | commands.CancelCall():
            pass  # other instances hear signals through `signal_waiters`; calls end by themselves
        case _:
            assert_never(command)


def _open_task(
    node: Node, stepped: Stepped, dossier: Dossier, command: commands.OpenTask, *, at: datetime
) -> None:
    role = Role(command.assign.role) if command.assign.role else Role.SPECIALIST
    due, trail = task_due(node, command.due, at=at)
    task = Task(
        id=task_uuid(command.task_id),
        dossier=dossier.id,
        instance=stepped.instance.id,
        token=command.task_id,
        agency=stepped.instance.agency,
        element_id=command.element_id,
        name=stepped.procedure.element_name(command.element_id),
        role=role,
        unit=command.assign.unit or "",
        form=command.form or "",
        signs=command.sign or "",
        register=command.register or "",
        documents_in=command.sign_documents or command.documents_in,
        documents_out=command.documents_out,
        state=TaskState.OPEN,
        opened=at,
        due=due,
        due_trail=trail,
        claimed_by="",
        completed_by="",
        completed=None,
    )
    local = {name: to_json(value) for name, value in command.locals.items()}
    tasks.open_tasks([tasks.NewTask(task=task, locals=local)])


def _subscribe(
    node: Node,
    recorded: Recorded,
    stepped: Stepped,
    dossier: Dossier,
    command: commands.OpenSubscription,
    *,
    at: datetime,
) -> None:
    instance = stepped.instance
    if command.kind is SubscriptionKind.TIMER:
        due = command.due_at or timer_due(node, command.due_text or "", at=at)
        timers.open_timers(
            [timers.NewTimer(instance=instance.id, ref=command.subscription_id, due=due)]
        )
        return
    partner = dossier.bindings.get(command.from_role or "", "")
    opened = Subscription(
        instance=instance.id,
        ref=command.subscription_id,
        kind=WaitKind(command.kind.value),
        name=command.message_type or command.name,
        from_agency=AgencyCode(partner),
        agency=instance.agency,
        dossier_code=dossier.code,
        conversation_id=dossier.conversation_id,
        element_id=command.element_id,
        opened=at,
        silence=None,
    )
    subscriptions.open_subscriptions([opened])
    recorded.opened.append(opened)


def _send(
    node: Node,
    recorded: Recorded,
    stepped: Stepped,
    dossier: Dossier,
    command: commands.SendMessage,
    *,
    at: datetime,
) -> None:
    declared = stepped.procedure.messages[command.message_type]
    partner = AgencyCode(dossier.bindings[command.to_role or declared.to])
    sequence = int(command.send_id.rpartition(":")[2])
    identity = message_id(
        MessageOrigin(epoch=node.epoch, instance=stepped.instance.id, sequence=sequence, to=partner)
    )
    kinds = command.documents or tuple(declared.documents)
    attached = [documents.latest(dossier.id, kind) for kind in kinds]
    missing = [kind for kind, found in zip(kinds, attached, strict=True) if found is None]
    if missing:
        incidents.open_incident(
            incidents.NewIncident(
                code="document_missing",
                parameters={"kind": missing[0]},
                opened=at,
                dossier=dossier.id,
                instance=stepped.instance.id,
                element_id=command.element_id,
                ref=command.send_id,
            )
        )
    values = cases.values(dossier.id)
    request: dict[str, Json] = {
        "documents": [str(found.id) for found in attached if found is not None],
        "values": _travelling(command, declared.values, values),
        "subject": dossier.subject,
        "urgency": str(values.get("urgency") or declared.urgency),
        "document_number": str(values.get(f"{kinds[0]}_number" if kinds else "", "")),
        "contract": [
            stepped.procedure.code,
            stepped.procedure.version,
            stepped.procedure.digest,
        ],
    }
    identifier = task_uuid(command.send_id)
    outbox.add(
        outbox.NewOutgoing(
            id=identifier,
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
    )
    recorded.messages_out.append(identifier)
    recorded.events.append(
        Event(
            dossier=dossier.id,
            at=at,
            kind="message_queued",
            instance=stepped.instance.id,
            element_id=command.element_id,
            parameters={
                "message_id": identity,
                "to": partner,
                "type": command.message_type,
            },
        )
    )


def _travelling(
    command: commands.SendMessage, declared: tuple[str, ...], values: Mapping[str, Json]
) -> Json:
    if command.values is not None:
        return {name: to_json(value) for name, value in command.values.items()}
    return {name: values[name] for name in declared if name in values}


def _unanswerable(
    stepped: Stepped,
    dossier: Dossier,
    command: commands.CallService | commands.CallDecision,
    *,
    at: datetime,
) -> None:
    name = command.operation if isinstance(command, commands.CallService) else command.decision
    incidents.open_incident(
        incidents.NewIncident(
            code="service_not_configured",
            parameters={"operation": name},
            opened=at,
            dossier=dossier.id,
            instance=stepped.instance.id,
            element_id=command.element_id,
            ref=command.call_id,
        )
    )
    stepped.has_incident = True


def _incident(
    stepped: Stepped, dossier: Dossier, command: commands.RaiseIncident, *, at: datetime
) -> None:
    incidents.open_incident(
        incidents.NewIncident(
            code=command.code,
            parameters={key: str(value) for key, value in command.parameters.items()},
            opened=at,
            dossier=dossier.id,
            instance=stepped.instance.id,
            element_id=command.element_id,
            ref=command.token_id,
        )
    )


def _set_status(
    node: Node,
    recorded: Recorded,
    stepped: Stepped,
    dossier: Dossier,
    value: int,
    *,
    at: datetime,
) -> None:
    status = Business(value)
    dossiers.update(dossier.id, business=status)
    recorded.events.append(
        Event(
            dossier=dossier.id,
            at=at,
            kind="status_changed",
            instance=stepped.instance.id,
            parameters={"status": value},
        )
    )
    if status is Business.ACCEPTED:
        case_due(node, stepped.procedure, dossier.id, at=at)


def _finish(
    recorded: Recorded,
    stepped: Stepped,
    dossier: Dossier,
    command: commands.Finish,
    *,
    at: datetime,
) -> None:
    dossiers.update(dossier.id, is_open=False, closed=at)
    recorded.events.append(
        Event(
            dossier=dossier.id,
            at=at,
            kind="dossier_closed",
            leaf=LeafKind.TRANSITION,
            instance=stepped.instance.id,
            parameters={"outcome": command.outcome.value},
        )
    )


def task_uuid(token: str) -> UUID:
    """Return the row id of an engine token: the same token, the same row."""
    return uuid5(NAMESPACE_OID, f"urn:lienthong:token:{token}")


def write_history(recorded: list[Recorded]) -> None:
    """Append all events of a batch, their dossiers locked in sorted order."""
    chronicle.write([event for one in recorded for event in one.events])
