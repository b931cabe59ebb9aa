"""One use case, one transaction: opening it, and what happens right after its commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import close_old_connections, connection
from django.db import transaction as django_transaction

from storage import sql


@contextmanager
def transaction() -> Iterator[None]:
    """Commit what happens inside as one change, or nothing of it.

    A transaction inside another one joins it. Raises `StorageUnavailable`, `StorageFull` or
    `RowConflict`, also at the commit itself.
    """
    with sql.translated(), django_transaction.atomic(savepoint=False):
        yield


def after_commit(call: Callable[[], None]) -> None:
    """Run `call` when the outermost transaction has committed, at once outside of one."""
    django_transaction.on_commit(call)


def waiting_for_commit() -> list[Callable[[], object]]:
    """Return what the open transaction will call when it commits."""
    return [entry[1] for entry in connection.run_on_commit]


def is_in_transaction() -> bool:
    """Tell whether a transaction is open on this thread's connection."""
    return bool(connection.in_atomic_block)


def close() -> None:
    """Drop this thread's connection: before a fork, at a thread's end, after the driver failed."""
    connection.close()


def drop_worn_out() -> None:
    """Drop this thread's connection if it broke or is past its age: around each request."""
    close_old_connections()


def is_read_only() -> bool:
    """Tell whether the database takes no changes: a standby, or one that was told so."""
    if not sql.is_postgresql():
        return False
    return bool(sql.the_row("SELECT current_setting('transaction_read_only') = 'on'")[0])


def database_instant() -> datetime:
    """Return the instant of the database's own clock."""
    return sql.to_instant(sql.the_row(f"SELECT {sql.now()}")[0])
