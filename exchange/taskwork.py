"""What people do with tasks: claim, give back, complete.

Completing commits the person's decision as a fact of the instance; the worker lets the engine
take it. So a click never waits for the engine, and of two clicks one wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from dossier.calendar import local_day
from dossier.canonical import Json
from dossier.form import FieldKind
from dossier.model import Actor, Document, Dossier, Task, TaskState
from exchange import access, attach, chronicle, personal, standin
from exchange.chronicle import Event
from exchange.drained import ring_after_commit
from exchange.errors import DocumentMissing, DocumentUnknown, TaskClosed, TaskTaken
from exchange.node import Node
from storage import cases, documents, dossiers, facts, registers, tasks
from storage.transactions import transaction
from workflows.procedure import Procedure


def claim(node: Node, actor: Actor, task: UUID) -> None:
    """Take a task for oneself; raise `TaskTaken` when somebody else holds it."""
    found, dossier, absent = _mine(node, actor, task)
    with transaction():
        if not tasks.claim(found.id, username=actor.username):
            _raise_lost(found.id)
        if found.claimed_by != actor.username:
            event = _event(found, dossier, actor, "task_claimed", at=node.now())
            chronicle.write([replace(event, on_behalf_of=absent)])


def release(node: Node, actor: Actor, task: UUID) -> None:
    """Give a task back to the unit."""
    found, dossier, absent = _mine(node, actor, task)
    with transaction():
        if tasks.release(found.id, username=actor.username):
            event = _event(found, dossier, actor, "task_released", at=node.now())
            chronicle.write([replace(event, on_behalf_of=absent)])


def complete(
    node: Node,
    actor: Actor,
    task: UUID,
    *,
    submitted: Mapping[str, str],
    pin: str = "",
) -> None:
    """Complete a task with what its form says.

    Raises `FormRefused` with every fault, `DocumentMissing`, `PinRefused`, `TaskTaken`,
    `TaskClosed`, `NotAllowed`. On any of them nothing has changed.
    """
    found, dossier, absent = _mine(node, actor, task)
    if found.state is not TaskState.OPEN:
        raise TaskClosed("expected an open task")
    if found.claimed_by not in ("", actor.username):
        raise TaskTaken("expected a task that nobody else holds", holder=found.claimed_by)
    now = node.now()
    procedure = node.contracts().version(dossier.procedure, dossier.procedure_version)
    values = _read_form(procedure, found, submitted)
    _demand_own_documents(procedure, found, dossier, values)
    known = {**cases.values(dossier.id), **values}
    printed = _print(node, procedure, found, dossier, known, actor=actor, at=now)
    _demand_documents(found, dossier, printed)
    signed = personal.sign(node, actor, found, pin=pin, at=now) if found.signs else None
    with transaction():
        if not tasks.complete(found.id, username=actor.username, at=now):
            _raise_lost(found.id)
        events = [_event(found, dossier, actor, "task_completed", at=now)]
        for document in printed:
            documents.add(document, task=found.id)
            events.append(_document_event(found, dossier, actor, document, at=now))
        if signed:
            events += personal.record(signed, task=found, dossier=dossier, actor=actor, at=now)
        if found.register:
            taken = _take_number(procedure, found, at=now)
            values |= taken
            events.append(_event(found, dossier, actor, "number_taken", at=now, parameters=taken))
        facts.add(
            facts.NewFact(
                instance=found.instance,
                kind=facts.FactKind.TASK_COMPLETED,
                ref=found.token,
                payload={"values": values},
                actor=actor.username,
                on_behalf_of=absent,
                at=now,
            )
        )
        chronicle.write([replace(event, on_behalf_of=absent) for event in events])
        ring_after_commit("advance", str(found.instance))


def _mine(node: Node, actor: Actor, task: UUID) -> tuple[Task, Dossier, str]:
    """Return task and dossier, and for whom the person stands in (empty: for nobody)."""
    found = tasks.get(task)
    dossier = dossiers.get(found.dossier)
    absent = standin.acts_for(actor, found, procedure=dossier.procedure, at=node.now())
    access.demand(allowed=absent is not None, what="do this task")
    return found, dossier, absent or ""


def _raise_lost(task: UUID) -> None:
    now = tasks.get(task)
    if now.state is not TaskState.OPEN:
        raise TaskClosed("expected an open task")
    raise TaskTaken("expected a task that nobody else holds", holder=now.claimed_by)


def _read_form(procedure: Procedure, task: Task, submitted: Mapping[str, str]) -> dict[str, Json]:
    if not task.form:
        return {}
    return dict(procedure.forms[task.form].read(submitted))


def _demand_own_documents(
    procedure: Procedure, task: Task, dossier: Dossier, values: Mapping[str, Json]
) -> None:
    """Refuse a document field that names no document of this dossier."""
    fields = procedure.forms[task.form].fields if task.form else ()
    named = {
        str(values[field.name])
        for field in fields
        if field.kind is FieldKind.DOCUMENT and field.name in values
    }
    known = {str(one.id) for one in documents.of_dossier(dossier.id)} if named else set()
    if not named <= known:
        raise DocumentUnknown("expected documents of this dossier")


def _print(
    node: Node,
    procedure: Procedure,
    task: Task,
    dossier: Dossier,
    values: Mapping[str, Json],
    *,
    actor: Actor,
    at: datetime,
) -> list[Document]:
    printed = []
    for kind in task.documents_out:
        declared = procedure.documents.get(kind)
        if declared is None or declared.print != "letter":
            continue
        document = attach.print_letter(
            node,
            dossier,
            kind=kind,
            values=values,
            title=declared.name["vi"],
            symbol=_symbol(procedure),
            actor=actor.username,
            at=at,
        )
        printed.append(document)
    return printed


def _symbol(procedure: Procedure) -> str:
    outgoing = procedure.registers.get("outgoing")
    return outgoing.pattern.partition("/")[2] if outgoing else ""


def _demand_documents(task: Task, dossier: Dossier, printed: list[Document]) -> None:
    made = {one.kind for one in printed}
    for kind in (*task.documents_out, *(task.documents_in if task.signs else ())):
        if kind not in made and documents.latest(dossier.id, kind) is None:
            raise DocumentMissing("expected the document in the dossier", kind=kind)


def _take_number(procedure: Procedure, task: Task, *, at: datetime) -> dict[str, Json]:
    year = local_day(at).year
    number = registers.take_number(task.agency, task.register, year)
    pattern = procedure.registers[task.register].pattern
    return {f"{task.register}_number": pattern.format(number=number, year=year)}


def _event(
    task: Task,
    dossier: Dossier,
    actor: Actor,
    kind: str,
    *,
    at: datetime,
    parameters: Mapping[str, Json] | None = None,
) -> Event:
    return Event(
        dossier=dossier.id,
        at=at,
        kind=kind,
        instance=task.instance,
        element_id=task.element_id,
        actor=actor.username,
        parameters=parameters,
    )


def _document_event(
    task: Task, dossier: Dossier, actor: Actor, document: Document, *, at: datetime
) -> Event:
    return _event(
        task,
        dossier,
        actor,
        "document_added",
        at=at,
        parameters={"document": str(document.id), "sha256": document.sha256, "kind": document.kind},
    )
