"""Kinds of columns that hold the same values in SQLite and PostgreSQL: one statement fits both.

Instants are microseconds since 1970 in UTC, ids are UUIDs in canonical text, JSON is canonical
text. `storage.sql` has the functions that write and read them.
"""

from __future__ import annotations

from django.db import models


def instant() -> models.BigIntegerField[int, int]:
    """Return a column for an instant."""
    return models.BigIntegerField()


def maybe_instant() -> models.BigIntegerField[int | None, int | None]:
    """Return a column for an instant that may be missing."""
    return models.BigIntegerField(null=True)


def uuid_key() -> models.CharField[str, str]:
    """Return a primary key that is a UUID."""
    return models.CharField(primary_key=True, max_length=36)


def maybe_uuid() -> models.CharField[str | None, str | None]:
    """Return a column for the UUID of a row that may be missing."""
    return models.CharField(max_length=36, null=True)


def digest() -> models.CharField[str, str]:
    """Return a column for a SHA-256 in hexadecimal, empty while there is none."""
    return models.CharField(max_length=64)


def fixed(length: int, *, key: bool = False, unique: bool = False) -> models.CharField[str, str]:
    """Return a column for a code from a closed set or of a known shape."""
    return models.CharField(max_length=length, primary_key=key, unique=unique)


def words() -> models.TextField[str, str]:
    """Return a column for text, codes, URLs and names; empty where there is none."""
    return models.TextField()


def json() -> models.TextField[str, str]:
    """Return a column for canonical JSON."""
    return models.TextField()


def octets() -> models.BinaryField[bytes, bytes]:
    """Return a column for bytes."""
    return models.BinaryField()


def integer(*, key: bool = False) -> models.BigIntegerField[int, int]:
    """Return a column for a whole number of 64 bits."""
    return models.BigIntegerField(primary_key=key)


def maybe_integer() -> models.BigIntegerField[int | None, int | None]:
    """Return a column for a whole number that may be missing."""
    return models.BigIntegerField(null=True)


def counted() -> models.BigAutoField[int, int]:
    """Return a primary key that the database counts."""
    return models.BigAutoField(primary_key=True)


def flag() -> models.BooleanField[bool, bool]:
    """Return a column for yes or no."""
    return models.BooleanField()


def owner(to: str, *, column: str) -> models.ForeignKey[models.Model, models.Model]:
    """Return a reference, checked at the commit; nothing is ever deleted in cascade."""
    return models.ForeignKey(
        to, on_delete=models.PROTECT, db_column=column, related_name="+", db_index=False
    )
