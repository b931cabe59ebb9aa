"""Open tasks of this node, for the command."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from storage import dossiers, tasks


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskLine:
    """One open task as a line."""

    id: UUID
    dossier_code: str
    element_id: str
    role: str
    unit: str
    holder: str  # empty: nobody
    due: datetime | None
    is_escalated: bool


def open_tasks(
    *, agency: str = "", overdue_at: datetime | None = None, limit: int = 100
) -> list[TaskLine]:
    """Return the open tasks that are due next; of one agency, overdue at an instant if given."""
    found = tasks.open_of_node(agency=agency, due_before=overdue_at, limit=limit)
    held = dossiers.load([one.dossier for one in found])
    return [
        TaskLine(
            id=one.id,
            dossier_code=held[one.dossier].code,
            element_id=one.element_id,
            role=one.role.value,
            unit=one.unit,
            holder=one.claimed_by,
            due=one.due,
            is_escalated=one.escalated,
        )
        for one in found
    ]
