"""A task changes hands: delegated to a colleague, escalated to the leaders; with a reason always.

Both are entries of the history, and those who get the task are told.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from dossier.canonical import Json
from dossier.model import Actor, Dossier, Task, TaskState
from exchange import access, chronicle, reminders, standin
from exchange.chronicle import Event
from exchange.errors import NotAllowed, TaskClosed, TaskTaken
from exchange.node import Node
from exchange.people_errors import ColleagueRefused, ReasonNeeded
from storage import dossiers, people, tasks
from storage.transactions import transaction

_LONGEST_REASON = 500


def delegate(node: Node, actor: Actor, task: UUID, *, to: str, reason: str) -> None:
    """Give a task to a colleague who may do it too; its holder may, and a leader of the unit.

    Raises `NotAllowed`, `ColleagueRefused`, `ReasonNeeded`, `TaskTaken`, `TaskClosed`.
    """
    at = node.now()
    found, dossier = _open(task)
    absent = _demand_hand(actor, found, dossier, at=at)
    _give(found, dossier, by=actor.username, to=to, reason=_reason(reason), absent=absent, at=at)


def hand_over(node: Node, task: UUID, *, to: str, reason: str) -> None:
    """Give a task to somebody as the operator of the node, as `delegate` otherwise."""
    at = node.now()
    found, dossier = _open(task)
    _give(found, dossier, by="operator", to=to, reason=_reason(reason), absent="", at=at)


def escalate(node: Node, actor: Actor, task: UUID, *, reason: str) -> None:
    """Put a task before the leaders: they may take it from now on, and they are told.

    Raises `NotAllowed`, `ReasonNeeded`, `TaskClosed`.
    """
    at = node.now()
    found, dossier = _open(task)
    absent = _demand_hand(actor, found, dossier, at=at)
    said = _reason(reason)
    with transaction():
        if not tasks.escalate(found.id):
            raise TaskClosed("expected an open task")
        _note(
            found, dossier, actor.username, "task_escalated", {"reason": said}, absent=absent, at=at
        )
        reminders.tell(
            reminders.leaders_of(dossier, unit=found.unit, at=at),
            dossier=dossier,
            kind="task_escalated",
            once=f"{found.id}:{at.isoformat()}",
            task=found.id,
            element=found.element_id,
            parameters={"by": actor.username, "reason": said},
            at=at,
        )


def colleagues(node: Node, task: Task, dossier: Dossier) -> list[people.UserRecord]:
    """Return who else may do a task, by name."""
    at = node.now()
    found = people.people_with(
        task.agency, task.role, at=at, unit=task.unit, procedure=dossier.procedure
    )
    chosen = [one for one in found if not task.candidates or one.username in task.candidates]
    return [one for one in chosen if one.username != task.claimed_by]


def may_hand(actor: Actor, task: Task, dossier: Dossier, *, at: datetime) -> bool:
    """Tell whether the person may delegate or escalate the task."""
    return _hand(actor, task, dossier, at=at) is not None


def _give(
    task: Task,
    dossier: Dossier,
    *,
    by: str,
    to: str,
    reason: str,
    absent: str,
    at: datetime,
) -> None:
    colleague = people.find_actor(to.strip(), at=at)
    if colleague is None or not access.may_do(colleague, task, procedure=dossier.procedure, at=at):
        raise ColleagueRefused("expected somebody who may do the task", username=to)
    with transaction():
        if not tasks.hand_over(task.id, to=colleague.username, held_by=task.claimed_by):
            holder = tasks.get(task.id).claimed_by
            raise TaskTaken("expected the holder that was seen", holder=holder)
        parameters: dict[str, Json] = {"to": colleague.username, "reason": reason}
        _note(task, dossier, by, "task_delegated", parameters, absent=absent, at=at)
        reminders.tell(
            {colleague.username} - {by},
            dossier=dossier,
            kind="task_delegated",
            once=f"{task.id}:{at.isoformat()}",
            task=task.id,
            element=task.element_id,
            parameters={"by": by, "reason": reason},
            at=at,
        )


def _hand(actor: Actor, task: Task, dossier: Dossier, *, at: datetime) -> str | None:
    if access.may_lead(actor, task, procedure=dossier.procedure, at=at):
        return ""
    if task.claimed_by not in ("", actor.username):
        return None
    return standin.acts_for(actor, task, procedure=dossier.procedure, at=at)


def _demand_hand(actor: Actor, task: Task, dossier: Dossier, *, at: datetime) -> str:
    """Return for whom the person stands in; raise `NotAllowed`."""
    absent = _hand(actor, task, dossier, at=at)
    if absent is None:
        raise NotAllowed("expected the holder of the task or a leader", action="hand on this task")
    return absent


def _open(task: UUID) -> tuple[Task, Dossier]:
    found = tasks.get(task)
    if found.state is not TaskState.OPEN:
        raise TaskClosed("expected an open task")
    return found, dossiers.get(found.dossier)


def _reason(text: str) -> str:
    said = " ".join(text.split())[:_LONGEST_REASON]
    if not said:
        raise ReasonNeeded("expected a reason")
    return said


def _note(
    task: Task,
    dossier: Dossier,
    by: str,
    kind: str,
    parameters: dict[str, Json],
    *,
    absent: str,
    at: datetime,
) -> None:
    chronicle.write(
        [
            Event(
                dossier=dossier.id,
                at=at,
                kind=kind,
                instance=task.instance,
                element_id=task.element_id,
                actor=by,
                on_behalf_of=absent,
                parameters=parameters,
            )
        ]
    )
