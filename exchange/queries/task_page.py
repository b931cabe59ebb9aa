"""The page of one task: what to decide, the documents beside the form, what it will take."""

from __future__ import annotations

from uuid import UUID

from dossier.calendar import local_day
from dossier.form import Form
from dossier.model import Actor, Task, TaskPage, TaskState
from dossier.shown import shown
from exchange import access, standin, taskhand
from exchange.errors import NotAllowed
from exchange.node import Node
from storage import cases, documents, dossiers, registers, tasks
from workflows.procedure import Procedure


def task_page(node: Node, actor: Actor, task: UUID) -> TaskPage:
    """Return what the page shows; raise `NotAllowed` to who may not see the dossier."""
    found = tasks.get(task)
    dossier = dossiers.get(found.dossier)
    now = node.now()
    if not access.may_read(actor, dossier, at=now):
        raise NotAllowed("expected a role that may see the dossier", action="see the dossier")
    procedure = node.contracts().version(dossier.procedure, dossier.procedure_version)
    form = form_of(procedure, found)
    asked = {field.name for field in form.fields} if form else set()
    values = cases.values(dossier.id)
    acts_for = standin.acts_for(actor, found, procedure=dossier.procedure, at=now)
    mine = acts_for is not None
    is_open = found.state is TaskState.OPEN
    may_hand = is_open and taskhand.may_hand(actor, found, dossier, at=now)
    others = taskhand.colleagues(node, found, dossier) if may_hand else []
    return TaskPage(
        task=found,
        dossier=dossier,
        procedure_name=procedure.name,
        fields=form.fields if form else (),
        values=values,
        shown=shown({name: values[name] for name in values if name not in asked}, procedure.forms),
        documents=documents.of_dossier(dossier.id),
        document_names={kind: one.name for kind, one in procedure.documents.items()},
        asks_pin=bool(found.signs),
        next_number=_next_number(procedure, found, year=local_day(now).year),
        may_complete=mine and is_open and found.claimed_by in ("", actor.username),
        may_claim=mine and is_open and not found.claimed_by,
        may_hand=may_hand,
        colleagues=[
            (one.username, one.display_name) for one in others if one.username != actor.username
        ],
    )


def form_of(procedure: Procedure, task: Task) -> Form | None:
    """Return the form of a task, if it has one."""
    return procedure.forms[task.form] if task.form else None


def _next_number(procedure: Procedure, task: Task, *, year: int) -> str:
    if not task.register:
        return ""
    number = registers.last_number(task.agency, task.register, year) + 1
    return procedure.registers[task.register].pattern.format(number=number, year=year)
