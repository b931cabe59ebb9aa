"""Reminders at 50, 80 and 100 % of the time: a notice to those who have to act and their leaders.

A due instant that moves takes its reminders along; what was said once is not said again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from dossier.calendar import Calendar
from dossier.canonical import Json
from dossier.clock import add_working, working_between
from dossier.model import Dossier, Role, Task, TaskState
from dossier.silence import reminders
from dossier.trail import Step, StepKind, dump_trail, parse_trail
from exchange import chronicle
from exchange.chronicle import Event
from exchange.drained import Drained
from exchange.node import Node
from storage import dossiers, people, silences, tasks
from storage import reminders as rows
from storage.reminders import DueReminder, Notice
from storage.transactions import transaction

_BATCH: Final = 100


def first_reminder(
    opened: datetime, *, due: datetime | None, calendar: Calendar
) -> datetime | None:
    """Return when to remind first of something that is due."""
    if due is None or due <= opened:
        return due
    return reminders(opened, deadline=due, calendar=calendar)[0].at


def remind_due(node: Node) -> Drained:
    """Give the reminders that are due, each once."""
    at = node.now()
    if not rows.is_due(at=at):
        return Drained(done=0, more=False)
    with transaction():
        found = rows.take_due(at=at, limit=_BATCH)
        for due in found:
            _remind(node, due, at=at)
    return Drained(done=len(found), more=len(found) == _BATCH)


def _remind(node: Node, due: DueReminder, *, at: datetime) -> None:
    dossier = dossiers.get(due.dossier)
    task = tasks.get(due.task) if due.task else None
    opened, until, element = _span(due, dossier, task)
    if until is None:
        rows.mark(due, percent=due.reminded, next_at=None)
        return
    steps = reminders(opened, deadline=until, calendar=node.calendar(dossier.rule_pack))
    passed = [one.percent for one in steps if one.at <= at and one.percent > due.reminded]
    coming = [one.at for one in steps if one.at > at and one.percent > due.reminded]
    for percent in passed:
        parameters: dict[str, Json] = {"percent": percent, "due": until.isoformat()}
        _tell(due, dossier, task, element, parameters, at=at)
    rows.mark(
        due,
        percent=max([due.reminded, *passed]),
        next_at=min(coming, default=None),
    )


def _span(
    due: DueReminder, dossier: Dossier, task: Task | None
) -> tuple[datetime, datetime | None, str]:
    if task is not None:
        return task.opened, task.due, task.element_id
    rule = silences.of_refs([due.silence]).get(due.silence) if due.silence else None
    if rule is not None:
        return rule.opened, rule.due, rule.element_id
    return dossier.opened, dossier.due, ""


def _tell(
    due: DueReminder,
    dossier: Dossier,
    task: Task | None,
    element: str,
    parameters: dict[str, Json],
    *,
    at: datetime,
) -> None:
    kind = "task_reminder" if task else "wait_reminder" if due.silence else "case_reminder"
    about = str(due.task or due.silence or due.dossier)
    told = people_of(dossier, task, at=at)
    tell(
        told,
        dossier=dossier,
        kind=kind,
        once=f"{about}:{parameters['percent']}",
        task=due.task,
        element=element,
        parameters=parameters,
        at=at,
    )
    chronicle.write(
        [
            Event(
                dossier=dossier.id,
                at=at,
                kind="reminder_given",
                element_id=element,
                parameters={**parameters, "about": kind},
            )
        ]
    )


def people_of(dossier: Dossier, task: Task | None, *, at: datetime) -> set[str]:
    """Return who is told about a task, or about a whole dossier: who acts, and their leaders."""
    work = [task] if task else [one for one in tasks.of_dossier(dossier.id) if _is_open(one)]
    told = leaders_of(dossier, unit=task.unit if task else "", at=at)
    for one in work:
        told |= doers_of(one, procedure=dossier.procedure, at=at)
    return told


def doers_of(task: Task, *, procedure: str, at: datetime) -> set[str]:
    """Return who has to do a task: its holder, else everybody who may take it."""
    if task.claimed_by:
        return {task.claimed_by}
    if task.candidates:
        return set(task.candidates)
    found = people.people_with(task.agency, task.role, at=at, unit=task.unit, procedure=procedure)
    return {one.username for one in found}


def leaders_of(dossier: Dossier, *, unit: str, at: datetime) -> set[str]:
    """Return the leaders of the unit, or of the agency where no unit is named."""
    found = people.people_with(
        dossier.agency, Role.LEADER, at=at, unit=unit, procedure=dossier.procedure
    )
    return {one.username for one in found}


def tell(
    usernames: Iterable[str],
    *,
    dossier: Dossier,
    kind: str,
    once: str,
    at: datetime,
    task: UUID | None = None,
    element: str = "",
    parameters: dict[str, Json] | None = None,
) -> None:
    """Give a notice to people, in this transaction."""
    rows.tell(
        [
            Notice(
                once=f"{kind}:{once}",
                username=username,
                kind=kind,
                dossier=dossier.id,
                task=task,
                element_id=element,
                parameters=parameters or {},
                created=at,
            )
            for username in sorted(usernames)
        ]
    )


# --- When the clock stands still ----------------------------------------------------------------


def hold(dossier: UUID, *, token: str) -> None:
    """Let the reminders of a dossier and its tasks rest; the pausing step keeps its own."""
    rows.set_dossier(dossier, remind_at=None)
    rows.pause_tasks(dossier, but=token)


def go_on(node: Node, dossier: UUID, *, token: str, at: datetime) -> None:
    """Move the due instants of a dossier's tasks by the pause that ends, and remind again."""
    pauses = dossiers.pauses(dossier)
    if any(one.ended is None for one in pauses):
        return  # another pause lasts
    held = dossiers.get(dossier)
    calendar = node.calendar(held.rule_pack)
    ended = [one for one in pauses if one.token == token]
    basis = ended[-1].basis if ended else ""
    start = _stood_since(pauses, at=at)
    for task in tasks.of_dossier(dossier):
        if not _is_open(task) or task.due is None or task.token == token:
            continue
        stood = working_between(max(start, task.opened), end=at, calendar=calendar)
        moved = add_working(task.due, amount=stood, calendar=calendar)
        trail = [
            *(parse_trail(task.due_trail) if task.due_trail else ()),
            _paused(max(start, task.opened), at, basis, old=task.due, new=moved),
        ]
        tasks.move_due(
            task.id,
            due=moved,
            trail=dump_trail(tuple(trail)),
            remind_at=_next(task, moved, calendar, percent=rows.reminded(dossier, task.id)),
        )
    resume_dossier(node, dossier)


def resume_dossier(node: Node, dossier: UUID) -> None:
    """Say when the dossier itself is due for its next reminder."""
    held = dossiers.get(dossier)
    if held.due is None:
        return
    steps = reminders(held.opened, deadline=held.due, calendar=node.calendar(held.rule_pack))
    done = rows.reminded(dossier)
    coming = [one.at for one in steps if one.percent > done]
    rows.set_dossier(dossier, remind_at=min(coming, default=None))


def _next(task: Task, due: datetime, calendar: Calendar, *, percent: int) -> datetime | None:
    steps = reminders(task.opened, deadline=due, calendar=calendar)
    return min((one.at for one in steps if one.percent > percent), default=None)


def _stood_since(pauses: list[dossiers.Pause], *, at: datetime) -> datetime:
    """Return since when the clock stood still without a break until `at`."""
    start = at
    for one in sorted(pauses, key=lambda pause: pause.started, reverse=True):
        if one.ended is not None and one.ended >= start - timedelta():
            start = min(start, one.started)
    return start


def _paused(start: datetime, end: datetime, basis: str, *, old: datetime, new: datetime) -> Step:
    return Step(
        kind=StepKind.PAUSED,
        facts={
            "at": start.isoformat(),
            "until": end.isoformat(),
            "basis": basis,
            "citation": "",
            "old": old.isoformat(),
        },
    )


def _is_open(task: Task) -> bool:
    return task.state is TaskState.OPEN
