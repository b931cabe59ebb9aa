"""Operations of migrations that do not hold up a node that works: docs/howto/upgrade.md."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddConstraint, AddIndex, RunPython
from django.db.migrations.state import ProjectState


class AddIndexQuietly(AddIndex):
    """Build an index of a table in use while others write; its migration has `atomic = False`."""

    atomic = False

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Build it: concurrently on PostgreSQL; SQLite has one writer anyway."""
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        editor: Any = schema_editor
        editor.add_index(
            to_state.apps.get_model(app_label, self.model_name), self.index, concurrently=True
        )


class AddUniqueQuietly(AddConstraint):
    """Add a unique constraint to a table in use; its migration has `atomic = False`.

    The index is built beside the writers, the constraint then only takes it over. Safe to repeat
    after a crash: what was half built is dropped first.
    """

    atomic = False

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Add it: by an index of the same name on PostgreSQL; SQLite has one writer anyway."""
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        constraint: Any = self.constraint
        editor: Any = schema_editor
        model = to_state.apps.get_model(app_label, self.model_name)
        quote = editor.quote_name
        table, name = quote(model._meta.db_table), quote(constraint.name)
        columns = ", ".join(quote(model._meta.get_field(one).column) for one in constraint.fields)
        editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        editor.execute(f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({columns})")
        editor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}")


def store_loosely(*tables: str, percent: int) -> RunPython:
    """Leave room in the pages of tables whose rows change often (PostgreSQL only).

    New versions of a row then stay in its page and no index is touched. Takes no lock that a
    reader or writer waits for, and changes only pages that are written from now on.
    """

    def alter(_apps: object, editor: BaseDatabaseSchemaEditor) -> None:
        if editor.connection.vendor == "postgresql":
            for table in tables:
                editor.execute(
                    f"ALTER TABLE {table} SET (fillfactor = {percent:d},"
                    " autovacuum_vacuum_scale_factor = 0.02,"
                    " autovacuum_analyze_scale_factor = 0.02)"
                )

    return RunPython(alter, RunPython.noop)
