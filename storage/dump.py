"""All rows of ours as lines of JSON, the same for both databases: what backups are made of."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final

from django.apps import apps
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import BigAutoField, BooleanField, Model

from storage import sql
from storage.errors import BackupRefused

_BYTES: Final = "$bytes"
_BATCH: Final = 500
# Django's own kind of column, and of no use after a restore.
_LEFT_OUT: Final = frozenset({"last_login"})


@contextmanager
def snapshot() -> Iterator[None]:
    """Let everything read inside be of one instant; nothing may be written, others go on."""
    with sql.reading():
        yield


def tables() -> list[str]:
    """Return the names of all tables of ours."""
    return sorted(_models())


def migrations() -> list[str]:
    """Return the names of the migrations that made the tables."""
    applied = MigrationRecorder.Migration.objects.filter(app="storage")
    with sql.translated():
        return sorted(applied.values_list("name", flat=True))


def lines(table: str) -> Iterator[bytes]:
    """Yield each row of a table as one line."""
    names, flags = _columns(table), _flags(table)
    for row in sql.stream(f"SELECT {', '.join(names)} FROM {table} ORDER BY 1"):  # noqa: S608 - ours
        fields = dict(zip(names, map(_out, row), strict=True))
        # SQLite keeps 0 and 1, which PostgreSQL would not take.
        fields |= {name: bool(fields[name]) for name in flags}
        yield json.dumps(fields, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def write(table: str, content: Iterable[bytes]) -> None:
    """Insert rows that `lines` gave; raise `BackupRefused` for anything else."""
    if table not in _models():
        raise BackupRefused("expected a table of ours", part=table)
    names = _columns(table)
    statement = sql.insert_into(table, " ".join(names))
    rows = (_row(table, names, line) for line in content)
    while batch := list(islice(rows, _BATCH)):
        sql.execute_many(statement, batch)


def continue_counting() -> None:
    """Let the database count on after the highest restored number (PostgreSQL only)."""
    if not sql.is_postgresql():
        return
    for table, model in _models().items():
        if isinstance(model._meta.pk, BigAutoField):
            sql.all_rows(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'),"  # noqa: S608 - our tables
                f" (SELECT COALESCE(MAX(id), 0) + 1 FROM {table}), false)"
            )


def is_empty() -> bool:
    """Tell whether the node has neither people nor dossiers nor a log yet."""
    row = sql.the_row(
        "SELECT (SELECT COUNT(*) FROM account) + (SELECT COUNT(*) FROM dossier)"
        " + (SELECT COUNT(*) FROM log_entry)"
    )
    return int(row[0]) == 0


def forget_start() -> None:
    """Delete what a first start wrote by itself: the epoch and its leaf."""
    sql.execute("DELETE FROM node_value")
    sql.execute("DELETE FROM log_pending")


def forget_leases() -> None:
    """Free everything: whoever held it ran before the restore."""
    sql.execute("UPDATE instance SET lease_owner = '', lease_token = '', lease_until = 0")
    sql.execute("UPDATE outbox SET lease_owner = '', token = ''")


def _models() -> dict[str, type[Model]]:
    found = apps.get_app_config("storage").get_models()
    return {model._meta.db_table: model for model in found}


def _columns(table: str) -> list[str]:
    fields = _models()[table]._meta.concrete_fields
    return [field.column for field in fields if field.column and field.column not in _LEFT_OUT]


def _flags(table: str) -> list[str]:
    fields = _models()[table]._meta.concrete_fields
    return [field.column for field in fields if field.column and isinstance(field, BooleanField)]


def _out(value: object) -> object:
    if isinstance(value, bytes | memoryview):
        return {_BYTES: base64.b64encode(bytes(value)).decode()}
    return value


def _row(table: str, names: Sequence[str], line: bytes) -> list[Any]:
    try:
        fields = json.loads(line)
        return [_in(fields[name]) for name in names]
    except (ValueError, KeyError, TypeError, binascii.Error) as exc:
        raise BackupRefused("expected a row as the backup writes it", part=table) from exc


def _in(value: Any) -> Any:  # noqa: ANN401 - a column of any kind
    if isinstance(value, dict):
        return base64.b64decode(value[_BYTES], validate=True)
    return value
