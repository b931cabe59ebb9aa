"""Migrations hold nothing up: what would lock a table in use for long is refused here."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from django.db import migrations, models

import storage.migrations
from storage.quietly import AddIndexQuietly, AddUniqueQuietly

# Before the first release no table had rows.
FIRST = 10
FOLDER = Path(storage.migrations.__file__ or "").parent
LATER = [
    path.stem
    for path in sorted(FOLDER.glob("[0-9]*.py"))
    if int(path.stem.partition("_")[0]) >= FIRST
]


def _complaint(migration: type[migrations.Migration]) -> str:
    made = {
        one.name.lower() for one in migration.operations if isinstance(one, migrations.CreateModel)
    }
    for one in migration.operations:
        if getattr(one, "model_name", "").lower() not in made:
            found = _of(one, migration)
            if found:
                return found
    return ""


def _of(one: object, migration: type[migrations.Migration]) -> str:
    if isinstance(one, AddIndexQuietly | AddUniqueQuietly):
        return "" if not migration.atomic else "an index is built quietly outside of a transaction"
    if isinstance(one, migrations.AddField):
        field = one.field
        is_cheap = field.null or field.has_default() or field.has_db_default()
        return "" if is_cheap else f"{one.name} has neither null nor a default"
    if isinstance(one, migrations.RunSQL | migrations.RunPython):
        return "" if getattr(migration, "why_quiet", "") else "a free step says why it is quiet"
    allowed = (
        migrations.CreateModel,
        migrations.DeleteModel,
        migrations.RemoveField,
        migrations.RemoveIndex,
        migrations.RemoveConstraint,
        migrations.SeparateDatabaseAndState,
    )
    return "" if isinstance(one, allowed) else f"{type(one).__name__} locks a table in use"


@pytest.mark.parametrize("name", LATER)
def test_no_migration_locks_a_table_in_use_for_long(name: str) -> None:
    module = importlib.import_module(f"storage.migrations.{name}")
    assert _complaint(module.Migration) == ""


INDEX = models.Index(fields=["due"], name="x")
LOUD = [
    migrations.AddIndex("instancerow", INDEX),
    AddIndexQuietly("instancerow", INDEX),
    migrations.AddField("instancerow", "x", models.TextField()),
    migrations.AlterField("instancerow", "x", models.TextField()),
    migrations.RenameField("instancerow", "x", "y"),
    migrations.RunSQL("UPDATE instance SET version = 1"),
    AddUniqueQuietly("instancerow", models.UniqueConstraint(fields=["x"], name="x")),
    migrations.AddConstraint("instancerow", models.UniqueConstraint(fields=["x"], name="x")),
]


@pytest.mark.parametrize("operation", LOUD, ids=lambda one: type(one).__name__)
def test_what_would_lock_is_complained_of(operation: object) -> None:
    loud = type("Migration", (migrations.Migration,), {"operations": [operation]})
    assert _complaint(loud)


QUIET = [
    migrations.AddField("instancerow", "x", models.TextField(null=True)),
    migrations.RemoveField("instancerow", "x"),
    migrations.CreateModel("NewRow", [("id", models.BigAutoField(primary_key=True))]),
]


@pytest.mark.parametrize("operation", QUIET, ids=lambda one: type(one).__name__)
def test_what_is_cheap_is_not(operation: object) -> None:
    quiet = type("Migration", (migrations.Migration,), {"operations": [operation]})
    assert _complaint(quiet) == ""
