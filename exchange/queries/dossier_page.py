"""The dossier page: documents, tasks, messages, timeline, the process with its live position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from dossier.model import (
    Actor,
    Dossier,
    DossierPage,
    HistoryEntry,
    Incident,
    Task,
    TaskState,
)
from dossier.shown import shown
from dossier.status import Awaited
from exchange import access
from exchange.errors import DossierUnknown
from exchange.node import Node
from exchange.queries.consultations import consultations
from exchange.queries.decisions import DECISION, decision_of
from storage import (
    cases,
    documents,
    dossiers,
    history,
    incidents,
    instances,
    messages,
    subscriptions,
    tasks,
)
from workflows.definition import Definition
from workflows.diagram import draw_svg, outline


def dossier_page(node: Node, actor: Actor, dossier: UUID) -> DossierPage:
    """Return everything the page shows; raise `DossierUnknown` to who may not see it."""
    held = dossiers.get(dossier)
    now = node.now()
    if not access.may_read(actor, held, at=now):
        raise DossierUnknown("expected a dossier that you may see", code=str(dossier))
    procedure = node.contracts().version(held.procedure, held.procedure_version)
    timeline = history.of_dossier(dossier)
    work = tasks.of_dossier(dossier)
    open_incidents = incidents.of_dossier(dossier)
    definition = procedure.definition(held.role)
    states = _with_calls(element_states(held, timeline, work, open_incidents), definition)
    exchanged = messages.messages_of(dossier)
    values = cases.values(dossier)
    return DossierPage(
        dossier=held,
        procedure_name=procedure.name,
        agency_names=agency_names(node, held),
        values=values,
        shown=shown(values, procedure.forms),
        documents=documents.of_dossier(dossier),
        document_names={kind: one.name for kind, one in procedure.documents.items()},
        element_names={
            element: procedure.element_name(element)
            for element in {entry.element_id for entry in timeline if entry.element_id}
        },
        tasks=work,
        messages=exchanged,
        consultations=consultations(held, procedure, exchanged, values),
        message_names={kind: one.name for kind, one in procedure.messages.items()},
        timeline=timeline,
        decisions=[decision_of(one) for one in timeline if one.kind == DECISION],
        incidents=open_incidents,
        diagram_svg=draw_svg(
            procedure.source,
            title=procedure.name[actor.language],
            description=held.code,
            states=states,
            labels={
                element: procedure.element_name(element)[actor.language]
                for element in procedure.labels
            },
        ),
        outline=outline(definition, states=states, name=procedure.element_name),
        substatus=node.rules()
        .get(held.rule_pack)
        .statuses.substatus(held.business, _awaited(held, work, states)),
        due_trail=dossiers.due_trail(dossier),
        can_export=access.may_export(actor, held, at=now),
        can_resolve=access.may_resolve(actor, held, at=now),
    )


def find_by_code(node: Node, actor: Actor, code: str) -> list[Dossier]:
    """Return the dossiers of that code that the person may see."""
    now = node.now()
    found = [dossiers.find(agency, code.strip()) for agency in node.hosted_agencies()]
    return [one for one in found if one and access.may_read(actor, one, at=now)]


def element_states(
    dossier: Dossier,
    timeline: Sequence[HistoryEntry],
    work: Sequence[Task],
    open_incidents: Sequence[Incident],
) -> dict[str, str]:
    """Return `done`, `active` or `incident` of each element that was reached."""
    states = {
        entry.element_id: "done"
        for entry in timeline
        if entry.kind == "step_done" and entry.element_id
    }
    if dossier.is_open:
        for task in work:
            if task.state is TaskState.OPEN:
                states[task.element_id] = "active"
        for instance in instances.of_dossier(dossier.id):
            for waiting in subscriptions.of_instance(instance.id):
                states[waiting.element_id] = "active"
    for incident in open_incidents:
        if incident.element_id and incident.resolved is None:
            states[incident.element_id] = "incident"
    return states


def _awaited(held: Dossier, work: Sequence[Task], states: Mapping[str, str]) -> Awaited | None:
    """Return what an open dossier waits for: a signature, another agency, or neither alone."""
    if not held.is_open:
        return None
    open_tasks = [one for one in work if one.state is TaskState.OPEN]
    if open_tasks:
        return Awaited.SIGNATURE if all(one.signs for one in open_tasks) else None
    return Awaited.PARTNER if "active" in states.values() else None


def _with_calls(states: Mapping[str, str], definition: Definition) -> dict[str, str]:
    """Return the states with those of the call activities in whose process something stands."""
    found = dict(states)
    calls = [node for node in definition.elements.values() if node.called]
    for _depth in calls:  # a part may call a part
        for node in calls:
            inside = definition.elements.values()
            standing = {found.get(one.id) for one in inside if one.scope == node.called}
            for state in ("incident", "active"):
                if state in standing:
                    found[node.id] = state
                    break
    return found


def agency_names(node: Node, dossier: Dossier) -> Mapping[str, Mapping[str, str]]:
    """Return the names of the agencies that take part, by code."""
    directory = node.directory()
    names: dict[str, Mapping[str, str]] = {}
    for code in {dossier.agency, *dossier.bindings.values()}:
        agency = directory.find(code)
        if agency:
            names[code] = {"vi": agency.name_vi, "en": agency.name_en}
    return names
