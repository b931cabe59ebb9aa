"""Substitutes: who may act for an absent person, at one agency, during the absence.

The act is the substitute's own; history and facts name the absent person beside (`thay`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from dossier.ids import same_agency
from dossier.model import Actor, RoleBinding, Task
from exchange import access
from storage import people


def acts_for(actor: Actor, task: Task, *, procedure: str, at: datetime) -> str | None:
    """Return for whom the person may do the task: empty in their own right, None not at all."""
    if access.may_do(actor, task, procedure=procedure, at=at):
        return ""
    for absence in people.absences_covered_by(actor.username, at=at):
        absent = people.find_actor(absence.user, at=at)
        if absent is None or not same_agency(absence.agency, task.agency):
            continue
        if access.may_do(absent, task, procedure=procedure, at=at):
            return absence.user
    return None


def covered_bindings(actor: Actor, *, at: datetime) -> tuple[RoleBinding, ...]:
    """Return the roles that the person holds for absent people, during their absence only."""
    covered: list[RoleBinding] = []
    for absence in people.absences_covered_by(actor.username, at=at):
        absent = people.find_actor(absence.user, at=at)
        covered += [
            replace(binding, valid_until=absence.valid_until)
            for binding in (absent.bindings if absent else ())
            if same_agency(binding.agency, absence.agency)
        ]
    return tuple(covered)
