from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_TABLES = ("dossier", "instance", "outbox", "task")


def _drop(_apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    """Drop what Django adds to a key of text, for searches by its first letters.

    Nobody searches for the beginning of a UUID, and every transition wrote four of its entries.
    """
    if editor.connection.vendor != "postgresql":
        return
    with editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()"
            " AND tablename = ANY(%s) AND indexname LIKE tablename || '_id_%%_like'",
            [list(_TABLES)],
        )
        names = [row[0] for row in cursor.fetchall()]
    for name in names:
        editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{name}"')


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("storage", "0014_edxml_file_of_agency"),
    ]

    why_quiet = "drops indexes while others read and write"

    operations = [
        migrations.RunPython(_drop, migrations.RunPython.noop),
    ]
