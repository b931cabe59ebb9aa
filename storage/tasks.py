"""Human work that instances wait for: they open and withdraw it, people claim and complete it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dossier.canonical import Json
from dossier.ids import AgencyCode
from dossier.model import Role, Task, TaskState
from storage import bulk, sql
from storage.errors import RowMissing

_COLUMNS = (
    "id dossier instance token agency element_id name role unit form signs register documents_in"
    " documents_out state opened due due_trail claimed_by completed_by completed candidates"
    " escalated"
)
_SELECT = f"SELECT {sql.columns(_COLUMNS)} FROM task"  # noqa: S608 - our own constants


@dataclass(frozen=True, kw_only=True, slots=True)
class NewTask:
    """A task with the values that its model element hands to the form."""

    task: Task
    locals: Json
    remind_at: datetime | None = None  # of the first reminder


def open_tasks(new: Sequence[NewTask]) -> None:
    """Store new tasks; a token that has its task already keeps it."""
    bulk.insert(
        "task",
        f"{_COLUMNS} locals remind_at",
        [
            (*_values(one.task), sql.from_json(one.locals), sql.from_maybe(one.remind_at))
            for one in new
        ],
        fixed={"reminded": "0"},
        otherwise="ON CONFLICT (token) DO NOTHING",
    )


def close_tasks(tokens: Sequence[str], *, state: TaskState, at: datetime) -> None:
    """Close the tasks of these tokens that are still open; a completed one stays completed."""
    if not tokens:
        return
    condition, values = bulk.is_one_of("token", sorted(tokens))
    sql.execute(
        # So written that no index of open tasks serves: there may be any number of them.
        f"UPDATE task SET state = %s, completed = %s WHERE {condition} AND state || '' = 'open'",  # noqa: S608 - our own constants
        (state.value, sql.from_instant(at), *values),
    )


def get(task: UUID) -> Task:
    """Return the task; raise `RowMissing`."""
    row = sql.one_row(f"{_SELECT} WHERE id = %s", (str(task),))
    if row is None:
        raise RowMissing("expected a known task", kind="task", id=str(task))
    return _task(row)


def locals_of(task: UUID) -> Json:
    """Return the values that the model handed to the task's form."""
    row = sql.one_row("SELECT locals FROM task WHERE id = %s", (str(task),))
    return sql.to_json(row[0]) if row else None


def of_dossier(dossier: UUID) -> list[Task]:
    """Return the tasks of a dossier, oldest first."""
    rows = sql.all_rows(f"{_SELECT} WHERE dossier = %s ORDER BY opened, token", (str(dossier),))
    return [_task(row) for row in rows]


def open_of_instance(instance: UUID) -> list[Task]:
    """Return the tasks that an instance waits for."""
    rows = sql.all_rows(
        f"{_SELECT} WHERE instance = %s AND state = 'open' ORDER BY opened, token",
        (str(instance),),
    )
    return [_task(row) for row in rows]


def open_of_node(*, agency: str, due_before: datetime | None, limit: int) -> list[Task]:
    """Return open tasks, those due first; of one agency or due before an instant if given."""
    parts, values = ["state = 'open'"], list[object]()
    if agency:
        parts.append("agency = %s")
        values.append(agency)
    if due_before is not None:
        parts.append("due < %s")
        values.append(sql.from_instant(due_before))
    rows = sql.all_rows(
        f"{_SELECT} WHERE {' AND '.join(parts)}"
        " ORDER BY CASE WHEN due IS NULL THEN 1 ELSE 0 END, due, opened, token LIMIT %s",
        (*values, limit),
    )
    return [_task(row) for row in rows]


# --- What people do ----------------------------------------------------------------------------


def claim(task: UUID, *, username: str) -> bool:
    """Take a task; False when it is closed or somebody else has it. One's own again is fine."""
    touched = sql.execute(
        "UPDATE task SET claimed_by = %s WHERE id = %s AND state = 'open'"
        " AND claimed_by IN ('', %s)",
        (username, str(task), username),
    )
    return touched == 1


def release(task: UUID, *, username: str) -> bool:
    """Put one's own open task back; False when it is not one's own."""
    touched = sql.execute(
        "UPDATE task SET claimed_by = '' WHERE id = %s AND state = 'open' AND claimed_by = %s",
        (str(task), username),
    )
    return touched == 1


def hand_over(task: UUID, *, to: str, held_by: str) -> bool:
    """Give an open task to somebody; False when its holder is not the one who was seen."""
    touched = sql.execute(
        "UPDATE task SET claimed_by = %s WHERE id = %s AND state = 'open' AND claimed_by = %s",
        (to, str(task), held_by),
    )
    return touched == 1


def escalate(task: UUID) -> bool:
    """Open a task to the leaders and take it from its holder; False when it is closed."""
    touched = sql.execute(
        "UPDATE task SET escalated = %s, claimed_by = '' WHERE id = %s AND state = 'open'",
        (True, str(task)),
    )
    return touched == 1


def move_due(task: UUID, *, due: datetime, trail: Json, remind_at: datetime | None) -> None:
    """Put the due instant of an open task elsewhere, with its explanation and next reminder."""
    sql.execute(
        "UPDATE task SET due = %s, due_trail = %s, remind_at = %s WHERE id = %s AND state = 'open'",
        (sql.from_instant(due), sql.from_json(trail), sql.from_maybe(remind_at), str(task)),
    )


def complete(task: UUID, *, username: str, at: datetime) -> bool:
    """Complete an open task that nobody else has claimed; False otherwise."""
    touched = sql.execute(
        "UPDATE task SET state = 'completed', claimed_by = %s, completed_by = %s, completed = %s"
        " WHERE id = %s AND state = 'open' AND claimed_by IN ('', %s)",
        (username, username, sql.from_instant(at), str(task), username),
    )
    return touched == 1


def _values(task: Task) -> tuple[object, ...]:
    return (
        str(task.id),
        str(task.dossier),
        str(task.instance),
        task.token,
        task.agency,
        task.element_id,
        sql.from_json(task.name),
        task.role.value,
        task.unit,
        task.form,
        task.signs,
        task.register,
        sql.from_json(task.documents_in),
        sql.from_json(task.documents_out),
        task.state.value,
        sql.from_instant(task.opened),
        sql.from_maybe(task.due),
        sql.from_json(task.due_trail),
        task.claimed_by,
        task.completed_by,
        sql.from_maybe(task.completed),
        sql.from_json(task.candidates),
        task.escalated,
    )


def _task(row: sql.Row) -> Task:
    return Task(
        id=UUID(row[0]),
        dossier=UUID(row[1]),
        instance=UUID(row[2]),
        token=row[3],
        agency=AgencyCode(row[4]),
        element_id=row[5],
        name=sql.to_mapping(row[6]),
        role=Role(row[7]),
        unit=row[8],
        form=row[9],
        signs=row[10],
        register=row[11],
        documents_in=sql.to_texts(row[12]),
        documents_out=sql.to_texts(row[13]),
        state=TaskState(row[14]),
        opened=sql.to_instant(row[15]),
        due=sql.to_maybe(row[16]),
        due_trail=sql.to_json(row[17]),
        claimed_by=row[18],
        completed_by=row[19],
        completed=sql.to_maybe(row[20]),
        candidates=sql.to_texts(row[21]),
        escalated=bool(row[22]),
    )


def hands_of(dossier: UUID) -> frozenset[str]:
    """Return who completed a task of the dossier, or holds one."""
    rows = sql.all_rows(
        "SELECT DISTINCT completed_by FROM task WHERE dossier = %s"
        " UNION SELECT DISTINCT claimed_by FROM task WHERE dossier = %s AND state = 'open'",
        (str(dossier), str(dossier)),
    )
    return frozenset(str(row[0]) for row in rows if row[0])
