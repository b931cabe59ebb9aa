"""Record: turn what the engine asked for into rows, inside the caller's transaction.

Every command has one small function here; nothing is sent and nobody is called, only written down.
What every transition needs is collected and written for a whole batch (`exchange.recorded`).
"""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from dossier.ids import AgencyCode
from dossier.model import Business, Dossier, Role, Task, TaskState
from exchange import reminders
from exchange.chronicle import Event
from exchange.deadlines import case_due, task_due, timer_due
from exchange.drained import ring_after_commit
from exchange.node import Node
from exchange.outgoing import queue_message, token_uuid
from exchange.recorded import Recorded
from exchange.silences import rule_of, under_pack
from exchange.starts import open_by_signal
from exchange.stepping import MARK, Stepped, Taken, message_of
from exchange.values import to_json
from signing.log.leaf import LeafKind
from storage import dossiers, facts, inbox, incidents, subscriptions
from storage.calls import ServiceCall
from storage.cases import CaseChange
from storage.facts import FactKind
from storage.subscriptions import Subscription, WaitKind
from storage.tasks import NewTask
from storage.timers import NewTimer
from workflows import commands
from workflows.commands import Command, HistoryEvent, SubscriptionKind

_KEPT = {
    HistoryEvent.LEFT: "step_done",
    HistoryEvent.CANCELLED: "step_cancelled",
    HistoryEvent.FAILED: "step_failed",
    HistoryEvent.RETRIED: "step_retried",
    HistoryEvent.MOVED: "step_moved",
}


def record(node: Node, stepped: Stepped, recorded: Recorded, *, at: datetime) -> None:
    """Add everything one instance's facts led to, its own row excepted."""
    dossier = recorded.dossiers[stepped.instance.dossier]
    if stepped.writes:
        recorded.values.append(CaseChange(dossier=dossier.id, values=stepped.writes))
    for taken in stepped.taken:
        if not taken.transitions:
            _left_over(taken)
            continue
        _note_history(recorded, stepped, taken, at=at)
        for transition in taken.transitions:
            for command in transition.commands:
                _obey(node, recorded, stepped, dossier, command, at=at)


def _left_over(taken: Taken) -> None:
    # The subscription closed before the message was taken: it waits in the buffer, visible.
    message = message_of(taken.fact)
    if message is not None:
        inbox.buffer(message, dossier=None)


def _note_history(recorded: Recorded, stepped: Stepped, taken: Taken, *, at: datetime) -> None:
    fact = taken.fact
    for decided in taken.decisions:
        recorded.events.append(
            Event(
                dossier=stepped.instance.dossier,
                at=at,
                kind="decision_taken",
                instance=stepped.instance.id,
                element_id=decided.element_id,
                parameters={"record": decided.record},
            )
        )
    for entry in (line for one in taken.transitions for line in one.history):
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
            recorded.tasks.append(_task(node, stepped, dossier, command, at=at))
        case commands.CloseTask():
            recorded.closed_tasks.append(command.task_id)
        case commands.OpenSubscription():
            _subscribe(node, recorded, stepped, dossier, command, at=at)
        case commands.CloseSubscription():
            recorded.close(command.subscription_id)
        case commands.SendMessage():
            queued = queue_message(node, stepped, dossier, command, at=at)
            recorded.messages.append(queued.message)
            recorded.events.append(queued.event)
        case commands.CallService():
            recorded.calls.append(_call(stepped, command, at=at))
        case commands.RaiseIncident():
            _incident(stepped, dossier, command, at=at)
        case commands.ResolveIncident():
            incidents.resolve_ref(stepped.instance.id, command.token_id, by="system", at=at)
        case commands.SetStatus():
            _set_status(node, recorded, stepped, dossier, command.value, at=at)
        case commands.PauseClock():
            _pause(node, stepped, dossier, command, at=at)
        case commands.ResumeClock():
            _go_on(node, stepped, dossier, command, at=at)
        case commands.Finish():
            _finish(recorded, stepped, dossier, command, at=at)
        case commands.BroadcastSignal():
            _broadcast(node, stepped, command, at=at)
        case commands.CancelCall():
            recorded.cancelled_calls.append(command.call_id)
        case commands.CallDecision():
            pass  # answered while stepping
        case _:
            assert_never(command)


def _pause(
    node: Node, stepped: Stepped, dossier: Dossier, command: commands.PauseClock, *, at: datetime
) -> None:
    """Stop the clock, unless it runs in that status by the rule pack that the dossier pins."""
    bases = {one.basis: one.status for one in stepped.procedure.pause_bases}
    status = bases.get(command.basis)
    rules = node.rules().get(dossier.rule_pack).statuses
    if status is not None and rules.clock_runs(Business(status), basis_allows=True):
        return
    dossiers.start_pause(
        dossiers.Pause(
            dossier=dossier.id,
            token=command.token_id,
            basis=command.basis,
            started=at,
            ended=None,
        )
    )
    reminders.hold(dossier.id, token=command.token_id)


def _go_on(
    node: Node, stepped: Stepped, dossier: Dossier, command: commands.ResumeClock, *, at: datetime
) -> None:
    if all(one.token != command.token_id for one in dossiers.pauses(dossier.id)):
        return  # the clock has run all the time
    dossiers.end_pause(dossier.id, command.token_id, at)
    case_due(node, stepped.procedure, dossier.id, at=at)
    reminders.go_on(node, dossier.id, token=command.token_id, at=at)


def _task(
    node: Node, stepped: Stepped, dossier: Dossier, command: commands.OpenTask, *, at: datetime
) -> NewTask:
    role = Role(command.assign.role) if command.assign.role else Role.SPECIALIST
    due, trail = task_due(node, command.due, pack=dossier.rule_pack, at=at)
    task = Task(
        id=token_uuid(command.task_id),
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
        candidates=command.assign.users,
    )
    local = {name: to_json(value) for name, value in command.locals.items()}
    calendar = node.calendar(dossier.rule_pack)
    remind_at = reminders.first_reminder(at, due=due, calendar=calendar)
    return NewTask(task=task, locals=local, remind_at=remind_at)


def _subscribe(
    node: Node,
    recorded: Recorded,
    stepped: Stepped,
    dossier: Dossier,
    command: commands.OpenSubscription,
    *,
    at: datetime,
) -> None:
    instance, ref = stepped.instance, command.subscription_id
    command = under_pack(node, command, dossier)
    if command.due_at or command.due_text:
        due = command.due_at or timer_due(
            node, command.due_text or "", pack=dossier.rule_pack, at=at
        )
        recorded.timers[ref] = NewTimer(instance=instance.id, ref=ref, due=due)
        recorded.silences += rule_of(
            command,
            dossier,
            calendar=node.calendar(dossier.rule_pack),
            due=due,
            instance=instance.id,
            at=at,
        )
    if command.kind is SubscriptionKind.TIMER:
        return
    partner = dossier.bindings.get(command.from_role or "", "")
    recorded.waits[ref] = Subscription(
        instance=instance.id,
        ref=ref,
        kind=WaitKind(command.kind.value),
        name=command.message_type or command.name,
        from_agency=AgencyCode(partner),
        agency=instance.agency,
        dossier_code=dossier.code,
        conversation_id=dossier.conversation_id,
        element_id=command.element_id,
        opened=at,
    )


def _call(stepped: Stepped, command: commands.CallService, *, at: datetime) -> ServiceCall:
    inputs = command.inputs
    return ServiceCall(
        id=token_uuid(command.call_id),
        ref=command.call_id,
        instance=stepped.instance.id,
        dossier=stepped.instance.dossier,
        agency=stepped.instance.agency,
        element_id=command.element_id,
        operation=command.operation,
        inputs=None if inputs is None else {name: to_json(value) for name, value in inputs.items()},
        created=at,
    )


def _broadcast(
    node: Node, stepped: Stepped, command: commands.BroadcastSignal, *, at: datetime
) -> None:
    for waiting in subscriptions.signal_waiters(command.name):
        facts.add(
            facts.NewFact(
                instance=waiting.instance,
                kind=FactKind.SIGNAL,
                ref=f"{command.name}{MARK}{command.signal_id}",
                payload={},
                actor="system",
                on_behalf_of="",
                at=at,
            )
        )
        ring_after_commit("advance", str(waiting.instance))
    open_by_signal(node, command.name, thrown_by=stepped.instance.id, at=at)


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
        if dossier.due is None:  # accepted again after a supplement, the clock goes on
            case_due(node, stepped.procedure, dossier.id, at=at)
        reminders.resume_dossier(node, dossier.id)


def _finish(
    recorded: Recorded,
    stepped: Stepped,
    dossier: Dossier,
    command: commands.Finish,
    *,
    at: datetime,
) -> None:
    recorded.finished.append(dossier.id)
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
