"""Bring the node's database up to this version; a newer database is refused, never touched."""

from __future__ import annotations

from storage import schema


def demand_schema() -> None:
    """Refuse to start on tables of another version; raise `SchemaOlder` or `SchemaNewer`."""
    schema.check()


def migrate() -> int:
    """Apply what is missing and return how many migrations that were; raise `SchemaNewer`."""
    return len(schema.migrate())
