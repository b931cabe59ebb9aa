"""The schema's version: a newer database is refused untouched, an older one is named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lienthong.main import run
from storage import schema, sql
from storage.errors import SchemaNewer, SchemaOlder

pytestmark = pytest.mark.usefixtures("database")
ROW = ("storage", "9999_of_a_later_version", "2030-01-01 00:00:00+00")


@pytest.fixture
def newer() -> Iterator[None]:
    """Make the database one that a later version has migrated."""
    sql.execute(sql.insert_into("django_migrations", "app name applied"), ROW)
    yield
    sql.execute("DELETE FROM django_migrations WHERE name = %s", ROW[1:2])


@pytest.mark.usefixtures("newer")
def test_a_newer_database_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for call in (schema.migrate, schema.check):
        with pytest.raises(SchemaNewer) as caught:
            call()
        assert caught.value.parameters["migration"] == ROW[1]
    assert run(["migrate"]) == 2
    assert "made by a newer version" in capsys.readouterr().err
    assert run(["check"]) == 1


def test_an_older_database_is_named() -> None:
    newest = sql.the_row("SELECT MAX(name) FROM django_migrations WHERE app = 'storage'")[0]
    sql.execute("UPDATE django_migrations SET name = 'x' WHERE name = %s", (newest,))
    try:
        with pytest.raises(SchemaNewer):  # what it has instead is none of ours
            schema.check()
        sql.execute("DELETE FROM django_migrations WHERE name = 'x'")
        with pytest.raises(SchemaOlder) as caught:
            schema.check()
        assert caught.value.parameters["migration"] == f"storage.{newest}"
    finally:
        sql.execute(
            sql.insert_into("django_migrations", "app name applied"), ("storage", newest, ROW[2])
        )


def test_hot_tables_leave_room_in_their_pages() -> None:
    if sql.is_postgresql():
        options = sql.all_rows("SELECT reloptions FROM pg_class WHERE relname = 'instance'")
        assert "fillfactor=70" in options[0][0]
    assert schema.migrate() == []
