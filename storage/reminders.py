"""Reminders that are due, and notices that people see until they dismiss them.

When to remind is a column of the task or dossier itself: opening one costs no row more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from dossier.canonical import Json
from storage import sql

_NOTICE: Final = "once username kind dossier task element_id parameters created dismissed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """What one person is told."""

    once: str  # what it is about: the same again is not told again
    username: str
    kind: str
    dossier: UUID
    created: datetime
    task: UUID | None = None
    element_id: str = ""
    parameters: Mapping[str, Json] | None = None
    id: int = 0  # 0 until it is stored


@dataclass(frozen=True, kw_only=True, slots=True)
class DueReminder:
    """A task, a consultation or a dossier of which people are to be reminded."""

    dossier: UUID
    task: UUID | None
    silence: str  # ref of the rule of a consultation; empty: none
    reminded: int  # percent of the last reminder, 0 before the first


def is_due(*, at: datetime) -> bool:
    """Tell whether somebody is to be reminded; a read, so an idle node locks nothing."""
    instant = sql.from_instant(at)
    row = sql.the_row(
        "SELECT EXISTS (SELECT 1 FROM task WHERE state = 'open' AND remind_at <= %s)"
        " OR EXISTS (SELECT 1 FROM dossier WHERE is_open AND remind_at <= %s)"
        " OR EXISTS (SELECT 1 FROM silence WHERE decided IS NULL AND remind_at <= %s"
        " AND EXISTS (SELECT 1 FROM timer WHERE timer.ref = silence.ref))",
        (instant, instant, instant),
    )
    return bool(row[0])


def take_due(*, at: datetime, limit: int) -> list[DueReminder]:
    """Lock the tasks and dossiers that are due for a reminder, in this transaction."""
    values = (sql.from_instant(at), limit)
    tasks = sql.all_rows(
        "SELECT dossier, id, '', reminded FROM task WHERE state = 'open' AND remind_at <= %s"  # noqa: S608 - constants
        f" ORDER BY remind_at LIMIT %s {sql.for_update(skip=True)}",
        values,
    )
    cases = sql.all_rows(
        "SELECT id, NULL, '', reminded FROM dossier WHERE is_open AND remind_at <= %s"  # noqa: S608 - constants
        f" ORDER BY remind_at LIMIT %s {sql.for_update(skip=True)}",
        values,
    )
    waits = sql.all_rows(
        "SELECT dossier, NULL, ref, reminded FROM silence WHERE decided IS NULL"  # noqa: S608 - constants
        " AND remind_at <= %s AND EXISTS (SELECT 1 FROM timer WHERE timer.ref = silence.ref)"
        f" ORDER BY remind_at LIMIT %s {sql.for_update(skip=True)}",
        values,
    )
    return [
        DueReminder(
            dossier=UUID(row[0]), task=sql.to_uuid(row[1]), silence=row[2], reminded=int(row[3])
        )
        for row in (*tasks, *cases, *waits)
    ]


def mark(due: DueReminder, *, percent: int, next_at: datetime | None) -> None:
    """Record a reminder and when the next one comes."""
    table, column, key = "dossier", "id", str(due.dossier)
    if due.task:
        table, key = "task", str(due.task)
    elif due.silence:
        table, column, key = "silence", "ref", due.silence
    sql.execute(
        f"UPDATE {table} SET reminded = %s, remind_at = %s WHERE {column} = %s",  # noqa: S608 - names
        (percent, sql.from_maybe(next_at), key),
    )


def set_dossier(dossier: UUID, *, remind_at: datetime | None) -> None:
    """Say when a dossier is due for a reminder; None while its clock stands still."""
    sql.execute(
        "UPDATE dossier SET remind_at = %s WHERE id = %s",
        (sql.from_maybe(remind_at), str(dossier)),
    )


def pause_tasks(dossier: UUID, *, but: str) -> None:
    """Let the tasks of a dossier be silent while its clock stands still."""
    sql.execute(
        "UPDATE task SET remind_at = NULL WHERE dossier = %s AND state = 'open' AND token <> %s",
        (str(dossier), but),
    )


def reminded(dossier: UUID, task: UUID | None = None) -> int:
    """Return the percent of the last reminder of a dossier, or of one of its tasks."""
    table, key = ("task", task) if task else ("dossier", dossier)
    row = sql.one_row(
        f"SELECT reminded FROM {table} WHERE id = %s",  # noqa: S608 - two names
        (str(key),),
    )
    return int(row[0]) if row else 0


# --- Notices ------------------------------------------------------------------------------------


def tell(notices: Sequence[Notice]) -> None:
    """Store notices; what somebody was told already is not told again."""
    sql.execute_many(
        sql.insert_into("notice", _NOTICE, otherwise="ON CONFLICT (username, once) DO NOTHING"),
        [
            (
                one.once,
                one.username,
                one.kind,
                str(one.dossier),
                sql.from_uuid(one.task),
                one.element_id,
                sql.from_json(dict(one.parameters or {})),
                sql.from_instant(one.created),
                None,
            )
            for one in notices
        ],
    )


def told(username: str, *, limit: int = 50) -> list[Notice]:
    """Return what a person has not dismissed, newest first; a task that is done says no more."""
    rows = sql.all_rows(
        "SELECT n.id, n.once, n.username, n.kind, n.dossier, n.task, n.element_id, n.parameters,"
        " n.created FROM notice n LEFT JOIN task t ON t.id = n.task"
        " WHERE n.username = %s AND n.dismissed IS NULL AND (n.task IS NULL OR t.state = 'open')"
        " ORDER BY n.created DESC, n.id DESC LIMIT %s",
        (username, limit),
    )
    return [
        Notice(
            id=int(row[0]),
            once=row[1],
            username=row[2],
            kind=row[3],
            dossier=UUID(row[4]),
            task=sql.to_uuid(row[5]),
            element_id=row[6],
            parameters=_mapping(sql.to_json(row[7])),
            created=sql.to_instant(row[8]),
        )
        for row in rows
    ]


def dismiss(username: str, notice: int, *, at: datetime) -> bool:
    """Let a person's notice go; False when it is not theirs or is gone."""
    touched = sql.execute(
        "UPDATE notice SET dismissed = %s WHERE id = %s AND username = %s AND dismissed IS NULL",
        (sql.from_instant(at), notice, username),
    )
    return touched == 1


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}
