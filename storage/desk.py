"""The desk: what one person should see first, by two statements however many dossiers there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from dossier.ids import AgencyCode
from dossier.model import Business, DeskGroup, DeskRow, Role, RoleBinding
from storage import sql

# Each statement numbers the rows of a group and counts them before it cuts the page out.
_TASKS: Final = """
WITH found AS (
  SELECT d.id AS dossier, t.id AS task, d.code, d.subject, d.procedure, t.agency, t.name,
         t.element_id, t.claimed_by, t.unit, t.due, d.business, t.opened,
         CASE WHEN t.due < %s THEN 'overdue' WHEN t.due <= %s THEN 'due_today' ELSE 'mine' END
           AS grouped
    FROM task t JOIN dossier d ON d.id = t.dossier
   WHERE t.state = 'open' AND t.claimed_by IN ('', %s) AND t.id IN ({allowed})
), numbered AS (
  SELECT found.*, COUNT(*) OVER (PARTITION BY grouped) AS total,
         ROW_NUMBER() OVER (PARTITION BY grouped
           ORDER BY CASE WHEN due IS NULL THEN 1 ELSE 0 END, due, opened, task) AS place
    FROM found
)
SELECT grouped, total, dossier, task, code, subject, procedure, agency, name, element_id,
       claimed_by, unit, due, business, 1
  FROM numbered WHERE place > %s AND place <= %s ORDER BY grouped, place
"""
_OPEN: Final = "SELECT c.id FROM task c WHERE c.state = 'open'"
_WAITING: Final = """
WITH found AS (
  SELECT d.id AS dossier, d.code, d.subject, d.procedure, d.agency, d.due, d.business, d.opened,
         MIN(s.from_agency) AS holder, COUNT(DISTINCT s.from_agency) AS awaited,
         MIN(s.element_id) AS element_id
    FROM dossier d JOIN instance i ON i.dossier = d.id
    JOIN subscription s ON s.instance = i.id AND s.kind = 'message'
   WHERE d.is_open = %s AND ({allowed}) AND NOT EXISTS
     (SELECT 1 FROM task t WHERE t.dossier = d.id AND t.state = 'open')
   GROUP BY d.id, d.code, d.subject, d.procedure, d.agency, d.due, d.business, d.opened
), numbered AS (
  SELECT found.*, COUNT(*) OVER () AS total,
         ROW_NUMBER() OVER (
           ORDER BY CASE WHEN due IS NULL THEN 1 ELSE 0 END, due, opened, dossier) AS place
    FROM found
)
SELECT 'waiting', total, dossier, NULL, code, subject, procedure, agency, '{{}}', element_id,
       holder, '', due, business, awaited
  FROM numbered WHERE place > %s AND place <= %s ORDER BY place
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeskQuery:
    """Whose desk, when, and which page of each group."""

    username: str
    bindings: tuple[RoleBinding, ...]
    now: datetime
    day_end: datetime
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class DeskResult:
    """The four groups; names that only the procedure knows are missing.

    `procedure` holds the code as its Vietnamese name, and a waiting row's `step` is empty.
    """

    counts: Mapping[DeskGroup, int]
    rows: Mapping[DeskGroup, Sequence[DeskRow]]


def desk(query: DeskQuery) -> DeskResult:
    """Return the open tasks that the person may do, and the dossiers that wait for others."""
    counts = dict.fromkeys(DeskGroup, 0)
    rows: dict[DeskGroup, list[DeskRow]] = {group: [] for group in DeskGroup}
    for row in (*_task_rows(query), *_waiting_rows(query)):
        group = DeskGroup(row[0])
        counts[group] = int(row[1])
        rows[group].append(_row(row, query))
    return DeskResult(counts=counts, rows=rows)


def _task_rows(query: DeskQuery) -> list[sql.Row]:
    arms = [arm for one in query.bindings for arm in _task_allowed(one, query.username)]
    allowed = " UNION ALL ".join(arm for arm, _ in arms) or f"{_OPEN} AND 1 = 0"
    values = [value for _, some in arms for value in some]
    return sql.all_rows(
        _TASKS.format(allowed=allowed),
        (
            sql.from_instant(query.now),
            sql.from_instant(query.day_end),
            query.username,
            *values,
            query.offset,
            query.offset + query.limit,
        ),
    )


def _waiting_rows(query: DeskQuery) -> list[sql.Row]:
    allowed, values = _any_of([_dossier_allowed(one) for one in query.bindings])
    return sql.all_rows(
        _WAITING.format(allowed=allowed),
        (True, *values, query.offset, query.offset + query.limit),
    )


def _task_allowed(binding: RoleBinding, username: str) -> list[tuple[str, list[Any]]]:
    """A task is for the candidates it names, else for its role; escalated, for leaders too.

    One query for each, so that each finds its rows by an index of its own.
    """
    place, values = "", list[Any]()
    if binding.unit:
        place += " AND c.unit IN ('', %s)"
        values.append(binding.unit)
    if binding.procedure:
        place += " AND EXISTS (SELECT 1 FROM dossier e WHERE e.id = c.dossier AND e.procedure = %s)"
        values.append(binding.procedure)
    own = f"{_OPEN} AND c.agency = %s AND c.role = %s AND c.candidates = '[]'"
    named = (
        f"{_OPEN} AND NOT (c.candidates = '[]') AND c.agency = %s"
        " AND c.candidates LIKE %s ESCAPE '!'"
    )
    arms = [
        (own + place, [binding.agency, binding.role.value, *values]),
        (named + place, [binding.agency, f'%"{_escaped(username)}"%', *values]),
    ]
    if binding.role is Role.LEADER:
        raised = f"{_OPEN} AND c.escalated AND c.agency = %s"
        arms.append((raised + place, [binding.agency, *values]))
    return arms


def _escaped(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _dossier_allowed(binding: RoleBinding) -> tuple[str, list[Any]]:
    if binding.procedure:
        return "d.agency = %s AND d.procedure = %s", [binding.agency, binding.procedure]
    return "d.agency = %s", [binding.agency]


def _any_of(parts: Sequence[tuple[str, list[Any]]]) -> tuple[str, list[Any]]:
    if not parts:
        return "1 = 0", []
    together = " OR ".join(f"({condition})" for condition, _ in parts)
    return together, [value for _, values in parts for value in values]


def _row(row: sql.Row, query: DeskQuery) -> DeskRow:
    due = sql.to_maybe(row[12])
    return DeskRow(
        dossier=UUID(row[2]),
        task=sql.to_uuid(row[3]),
        code=row[4],
        subject=row[5],
        procedure={"vi": row[6]},
        agency=AgencyCode(row[7]),
        step=sql.to_mapping(row[8]),
        element_id=row[9],
        holder=row[10] or row[11],
        due=due,
        light=_light(due, query),
        business=Business(int(row[13])),
        others=int(row[14]) - 1,
    )


def _light(due: datetime | None, query: DeskQuery) -> str:
    if due is None:
        return "none"
    if due < query.now:
        return "red"
    return "amber" if due <= query.day_end else "green"
