"""Writes many rows by one statement: what a batch of transitions costs must not grow row by row.

PostgreSQL takes each column as one array; SQLite, which has no arrays and no round trips, runs the
same statement once per row. The rows of one call must not touch one row of the table twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Final

from django.apps import apps
from django.db import connection

from storage import sql

_NOTHING: Final[Mapping[str, str]] = {}


def insert(
    table: str,
    names: str,
    rows: Sequence[Sequence[Any]],
    *,
    fixed: Mapping[str, str] = _NOTHING,
    beside: str = "",
    where: str = "true",
    otherwise: str = "",
) -> int:
    """Insert rows of those blank-separated columns in their order; return how many it were.

    `fixed` names columns that are the same SQL expression in every row. It may take from the table
    `beside`, whose row `where` finds for each given row, called `new`; a name with a point is a
    column of that other table, given for `where` alone.
    """
    if not rows:
        return 0
    from_others = f"{beside and f', {beside}'} WHERE {where} {otherwise}"
    return _run(_insertion(table, names, tuple(fixed.items()), from_others), rows)


@lru_cache(maxsize=256)
def _insertion(table: str, names: str, fixed: tuple[tuple[str, str], ...], rest: str) -> str:
    own = [name for name in names.split() if "." not in name]
    filled = ", ".join([*own, *(name for name, _ in fixed)])
    chosen = ", ".join([*(f"new.{name}" for name in own), *(value for _, value in fixed)])
    # SQLite would take ON CONFLICT for a part of a join without the WHERE.
    return f"INSERT INTO {table} ({filled}) SELECT {chosen} FROM {_source(table, names)}{rest}"  # noqa: S608 - our own constants


def update(
    table: str, names: str, rows: Sequence[Sequence[Any]], *, changes: str, where: str
) -> int:
    """Update one row of the table for each given row; return how many were found.

    The given row is called `new` in `changes` and `where`, its values by the table's columns.
    """
    if not rows:
        return 0
    return _run(
        f"UPDATE {table} SET {changes} FROM {_source(table, names)} WHERE {where}",  # noqa: S608 - our own constants
        rows,
    )


def delete(table: str, name: str, values: Sequence[Any]) -> int:
    """Delete the rows with one of these values in that column; return how many it were."""
    if not values:
        return 0
    condition, given = is_one_of(name, values)
    return sql.execute(f"DELETE FROM {table} WHERE {condition}", given)  # noqa: S608 - our own constants


def is_one_of(name: str, values: Sequence[Any]) -> tuple[str, list[Any]]:
    """Return the condition that a column has one of these values, and its parameters.

    On PostgreSQL it is the same text for any number of values, so it is planned once.
    """
    if sql.is_postgresql():
        return f"{name} = ANY(%b)", [list(values)]
    return f"{name} IN ({sql.marks(len(values))})", list(values)


def _run(statement: str, rows: Sequence[Sequence[Any]]) -> int:
    if not sql.is_postgresql():
        return sql.execute_many(statement, rows)
    return sql.execute(statement, [list(column) for column in zip(*rows, strict=True)])


def _source(table: str, names: str) -> str:
    """Return where the given rows come from."""
    pairs = [
        (owner or table, name) for owner, _, name in (n.rpartition(".") for n in names.split())
    ]
    if not sql.is_postgresql():
        return f"(SELECT {', '.join(f'%s AS {name}' for _, name in pairs)}) AS new"
    # Binary, because an array of bytes as text is written and read digit by digit.
    arrays = ", ".join(f"%b::{_array_types(owner)[name]}" for owner, name in pairs)
    return f"unnest({arrays}) AS new ({', '.join(name for _, name in pairs)})"


@cache
def _array_types(table: str) -> Mapping[str, str]:
    """Return the array type of each column of a table on PostgreSQL."""
    (model,) = (one for one in apps.get_models() if one._meta.db_table == table)
    types = {str(field.column): field.db_type(connection) or "" for field in model._meta.fields}
    # Without the length: a cast to it would cut silently what the column itself refuses.
    return {name: f"{kind.partition('(')[0]}[]" for name, kind in types.items()}
