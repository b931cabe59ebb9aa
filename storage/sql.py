"""Runs one SQL statement and says what its values look like: the only reader of Django's cursor.

Statements use `%s` and fit SQLite ≥ 3.35 and PostgreSQL ≥ 15; the few places where the two differ
ask `is_postgresql`. Foreign exceptions end here.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import attrgetter, methodcaller
from typing import Any, Final, TypeAlias, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, InterfaceError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import DatabaseError, IntegrityError

from dossier import canonical
from dossier.canonical import Json
from storage.errors import RowConflict, StorageFull, StorageUnavailable

Row: TypeAlias = tuple[Any, ...]
_T = TypeVar("_T")
_CHUNK_ROWS: Final = 500
_TOUCHED: Final = attrgetter("rowcount")
_ALL: Final = methodcaller("fetchall")
_FIRST: Final = methodcaller("fetchone")
_MARK: Final = re.compile("(?<!%)%s")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_NOW: Final = {
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)",
    "postgresql": "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)",
}


def is_postgresql() -> bool:
    """Tell which of the two databases this is."""
    return connection.vendor == "postgresql"


def now() -> str:
    """Return the SQL expression of the database's own clock: leases compare nothing else."""
    return _NOW[connection.vendor]


def for_update(*, skip: bool = False) -> str:
    """Return the row-lock clause, empty where the one writer holds the whole database.

    `NO KEY` lets rows that refer to the locked one be inserted meanwhile.
    """
    if not is_postgresql():
        return ""
    return "FOR NO KEY UPDATE SKIP LOCKED" if skip else "FOR NO KEY UPDATE"


def one_of(query: str) -> str:
    """Return the condition that a column is one of what the query finds and locks.

    PostgreSQL may run a subquery behind `IN` once for each row, and so lock more than its limit.
    """
    locking = f"{query} {for_update(skip=True)}"
    return f"= ANY(ARRAY({locking}))" if is_postgresql() else f"IN ({locking})"


def execute(statement: str, values: Sequence[Any] = ()) -> int:
    """Run a statement and return the number of rows it touched."""
    return int(_run("execute", statement, values, _TOUCHED))


def execute_many(statement: str, rows: Sequence[Sequence[Any]]) -> int:
    """Run a statement once per row and return the number of rows touched in all."""
    return int(_run("executemany", statement, rows, _TOUCHED)) if rows else 0


def all_rows(statement: str, values: Sequence[Any] = ()) -> list[Row]:
    """Run a query, or a change with RETURNING, and return all its rows."""
    return list(_run("execute", statement, values, _ALL))


def stream(statement: str, values: Sequence[Any] = ()) -> Iterator[Row]:
    """Run a query and yield its rows without holding them all in memory."""
    with translated(), connection.chunked_cursor() as cursor:
        cursor.execute(statement, values)
        while rows := cursor.fetchmany(_CHUNK_ROWS):
            yield from rows


@contextmanager
def reading() -> Iterator[None]:
    """Let everything read inside be of one instant, while others go on writing."""
    with translated():
        if is_postgresql():
            with transaction.atomic():
                execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                # Reading all of a large node takes as long as it takes.
                execute("SET LOCAL statement_timeout = 0")
                execute("SET LOCAL idle_in_transaction_session_timeout = 0")
                yield
            return
        # Django begins every transaction of SQLite as a writer; this one must not become one.
        execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            execute("ROLLBACK")


def one_row(statement: str, values: Sequence[Any] = ()) -> Row | None:
    """Run a query and return its first row."""
    row: Row | None = _run("execute", statement, values, _FIRST)
    return row


def _run(how: str, statement: str, values: Sequence[Any], take: Callable[[Any], _T]) -> _T:
    """Run a statement and take what is wanted from its cursor.

    What Django does around a statement costs five times a look-up in SQLite; where it would only
    pass it on, SQLite gets it directly.
    """
    database = connections[DEFAULT_DB_ALIAS]
    if not _passes_on(database):
        with translated(), database.cursor() as cursor:
            getattr(cursor, how)(statement, values)
            return take(cursor)
    try:
        return take(getattr(database.connection, how)(_with_question_marks(statement), values))
    except sqlite3.Error:
        with translated(), database.wrap_database_errors:
            raise


def _passes_on(database: BaseDatabaseWrapper) -> bool:
    """Tell whether Django would add nothing: an open SQLite that nobody watches, in good order."""
    return (
        database.vendor == "sqlite"
        and database.connection is not None
        and not database.needs_rollback
        and not database.execute_wrappers
        and not database.queries_logged
    )


@lru_cache(maxsize=1024)
def _with_question_marks(statement: str) -> str:
    return _MARK.sub("?", statement).replace("%%", "%")


def the_row(statement: str, values: Sequence[Any] = ()) -> Row:
    """Run a query that always has a row, such as a count, and return it."""
    return all_rows(statement, values)[0]


def marks(count: int) -> str:
    """Return `%s, %s, …` for a list of that length, which must not be empty."""
    return ", ".join(["%s"] * count)


def columns(text: str, *, of: str = "") -> str:
    """Return a blank-separated list of columns with commas, each one of table `of`."""
    prefix = f"{of}." if of else ""
    return ", ".join(prefix + name for name in text.split())


@lru_cache(maxsize=256)
def insert_into(table: str, names: str, *, otherwise: str = "") -> str:
    """Return the INSERT of those blank-separated columns; both arguments are our own constants."""
    count = len(names.split())
    return f"INSERT INTO {table} ({columns(names)}) VALUES ({marks(count)}) {otherwise}"  # noqa: S608 - no value is in the text


@contextmanager
def translated() -> Iterator[None]:
    """Turn the database's exceptions into ours."""
    try:
        yield
    except IntegrityError as exc:
        raise RowConflict(
            "expected a new key, got one that is there or a row that is not",
            detail=_first_line(exc),
        ) from exc
    except (DatabaseError, InterfaceError) as exc:
        detail = _first_line(exc)
        if "disk is full" in detail or "No space left" in detail:
            raise StorageFull("expected room on the disk, got none") from exc
        raise StorageUnavailable(
            "expected an answer of the database, got none", detail=detail
        ) from exc


def _first_line(exc: BaseException) -> str:
    # PostgreSQL puts row contents into the lines after the first.
    return str(exc).partition("\n")[0][:200]


# --- Values ------------------------------------------------------------------------------------


def from_instant(at: datetime) -> int:
    """Return the column value of an instant."""
    return (at - _EPOCH) // _MICROSECOND


def from_maybe(at: datetime | None) -> int | None:
    """Return the column value of an instant that may be missing."""
    return None if at is None else from_instant(at)


def to_instant(value: int) -> datetime:
    """Return the instant of a column value."""
    return _EPOCH + timedelta(microseconds=int(value))


def from_django(at: datetime) -> object:
    """Return the value of one of Django's own date columns."""
    return connection.ops.adapt_datetimefield_value(at)


def to_maybe(value: int | None) -> datetime | None:
    """Return the instant of a column value that may be missing."""
    return None if value is None else to_instant(value)


def micros(span: timedelta) -> int:
    """Return a duration in the unit of instants."""
    return span // _MICROSECOND


def from_json(value: Json) -> str:
    """Return the canonical text of a value."""
    return canonical.dump(value).decode()


def to_json(text: str) -> Json:
    """Return the value of stored JSON."""
    return canonical.load(text)


def to_mapping(text: str) -> Mapping[str, Any]:
    """Return stored JSON that is an object."""
    value = to_json(text)
    return value if isinstance(value, Mapping) else {}


def to_texts(text: str) -> tuple[str, ...]:
    """Return stored JSON that is a list of texts."""
    value = to_json(text)
    return tuple(str(one) for one in value) if isinstance(value, list) else ()


def from_uuid(value: UUID | None) -> str | None:
    """Return the column value of an id that may be missing."""
    return None if value is None else str(value)


def to_uuid(value: str | None) -> UUID | None:
    """Return the id of a column that may be empty."""
    return UUID(value) if value else None
