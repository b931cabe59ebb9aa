"""The version of the schema: bring it up to date, and refuse a database of another version."""

from __future__ import annotations

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from storage import sql
from storage.errors import SchemaNewer, SchemaOlder


def migrate() -> list[str]:
    """Apply the missing migrations and return their names; raise `SchemaNewer`.

    A lock that others hold for long is given up after `lock_timeout`: trying later is better than
    all the others waiting behind us. Building may take as long as it takes.
    """
    with sql.translated():
        missing = _missing(_executor())
        if missing and sql.is_postgresql():
            sql.execute("SET statement_timeout = 0")
        try:
            call_command("migrate", verbosity=0, interactive=False)
        finally:
            connection.close()  # and with it what was set for this session
    return missing


def check() -> None:
    """Raise `SchemaOlder` or `SchemaNewer` unless the schema is the one this program knows."""
    with sql.translated():
        missing = _missing(_executor())
    if missing:
        raise SchemaOlder("expected an up-to-date schema", migration=missing[0])


def _executor() -> MigrationExecutor:
    executor = MigrationExecutor(connection)
    known = {name for app, name in executor.loader.disk_migrations if app == "storage"}
    applied = MigrationRecorder(connection).applied_migrations()
    newer = sorted(name for app, name in applied if app == "storage" and name not in known)
    if newer:
        raise SchemaNewer("expected a schema this program knows", migration=newer[0])
    return executor


def _missing(executor: MigrationExecutor) -> list[str]:
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
