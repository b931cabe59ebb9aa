"""Who may do what: roles are bound to agency, unit, procedure and period (domain.md §3).

Every use case asks here; pages may ask too, to show only what is possible.
"""

from __future__ import annotations

from datetime import datetime

from dossier.ids import same_agency
from dossier.model import Actor, Dossier, Role, RoleBinding, Task
from exchange.errors import NotAllowed

_READERS = frozenset(Role) - {Role.TECHNICAL_ADMIN, Role.BUSINESS_ADMIN}
_LEADERS = frozenset({Role.LEADER})
_OPENERS = frozenset({Role.INTAKE, Role.SPECIALIST, Role.ASSISTANT})
_OPERATORS = frozenset({Role.TECHNICAL_ADMIN, Role.LEADER, Role.CLERK})
_REPAIRERS = frozenset({Role.BUSINESS_ADMIN})
_EXPORTERS = frozenset({Role.INSPECTOR, Role.LEADER, Role.CLERK, Role.SPECIALIST, Role.INTAKE})


def _holds(
    binding: RoleBinding, *, agency: str, procedure: str, roles: frozenset[Role], at: datetime
) -> bool:
    return (
        same_agency(binding.agency, agency)
        and binding.role in roles
        and binding.procedure in ("", procedure)
        and (binding.valid_from is None or binding.valid_from <= at)
        and (binding.valid_until is None or at < binding.valid_until)
    )


def may_open(actor: Actor, *, agency: str, procedure: str, at: datetime) -> bool:
    """Tell whether the person may open a dossier of this procedure for this agency."""
    return any(
        _holds(one, agency=agency, procedure=procedure, roles=_OPENERS, at=at)
        for one in actor.bindings
    )


def may_read(actor: Actor, dossier: Dossier, *, at: datetime) -> bool:
    """Tell whether the person may see the dossier: visibility follows competence."""
    return any(
        _holds(one, agency=dossier.agency, procedure=dossier.procedure, roles=_READERS, at=at)
        for one in actor.bindings
    )


def may_export(actor: Actor, dossier: Dossier, *, at: datetime) -> bool:
    """Tell whether the person may export the dossier's evidence."""
    return any(
        _holds(one, agency=dossier.agency, procedure=dossier.procedure, roles=_EXPORTERS, at=at)
        for one in actor.bindings
    )


def may_resolve(actor: Actor, dossier: Dossier, *, at: datetime) -> bool:
    """Tell whether the person may resend messages and retry incidents of the dossier."""
    return any(
        _holds(one, agency=dossier.agency, procedure=dossier.procedure, roles=_OPERATORS, at=at)
        for one in actor.bindings
    )


def may_repair(actor: Actor, dossier: Dossier, *, at: datetime) -> bool:
    """Tell whether the person may move tokens of the dossier's process by hand."""
    return any(
        _holds(one, agency=dossier.agency, procedure=dossier.procedure, roles=_REPAIRERS, at=at)
        for one in actor.bindings
    )


def may_migrate(actor: Actor, *, agency: str, procedure: str, at: datetime) -> bool:
    """Tell whether the person may move an agency's dossiers to another version."""
    return any(
        _holds(one, agency=agency, procedure=procedure, roles=_REPAIRERS, at=at)
        for one in actor.bindings
    )


def may_do(actor: Actor, task: Task, *, procedure: str, at: datetime) -> bool:
    """Tell whether the task is for this person.

    Named candidates are the only ones; else role, and unit where the task names one. A task that
    was escalated is for the leaders too.
    """
    if task.escalated and may_lead(actor, task, procedure=procedure, at=at):
        return True
    roles = frozenset(Role) if task.candidates else frozenset({task.role})
    if task.candidates and actor.username not in task.candidates:
        return False
    return any(
        _holds(one, agency=task.agency, procedure=procedure, roles=roles, at=at)
        and (not task.unit or one.unit in ("", task.unit))
        for one in actor.bindings
    )


def may_lead(actor: Actor, task: Task, *, procedure: str, at: datetime) -> bool:
    """Tell whether the person leads the unit, or the agency, that has the task."""
    return any(
        _holds(one, agency=task.agency, procedure=procedure, roles=_LEADERS, at=at)
        and one.unit in ("", task.unit)
        for one in actor.bindings
    )


def is_publisher(actor: Actor, *, at: datetime) -> bool:
    """Tell whether the person may publish anything at all."""
    return any(
        may_publish(actor, procedure=one.procedure, at=at)
        for one in actor.bindings
        if one.role is Role.BUSINESS_ADMIN
    )


def may_publish(actor: Actor, *, procedure: str, at: datetime) -> bool:
    """Tell whether the person may propose and confirm versions of a procedure, or of the rules.

    `procedure` is empty for the rules: a role for one procedure does not reach them.
    """
    return any(
        _holds(
            one,
            agency=one.agency,
            procedure=procedure,
            roles=frozenset({Role.BUSINESS_ADMIN}),
            at=at,
        )
        for one in actor.bindings
    )


def demand(*, allowed: bool, what: str) -> None:
    """Raise `NotAllowed` unless allowed."""
    if not allowed:
        raise NotAllowed(f"expected a role that may {what}", action=what)
