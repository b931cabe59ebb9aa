"""Which blobs no row names: found by reading every row that could, removed when they are old.

Any text that looks like a digest protects the blob of that digest, in whatever column it stands:
an envelope, a list in JSON, a column of its own. So a new table needs no word here. Left out are
only the tables that repeat what others say or hold no bytes of documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.apps import apps
from django.db.models import BinaryField, CharField, TextField

from dossier.ids import Sha256
from storage import dump, sql
from storage.blobs import Blobs
from storage.errors import BlobMissing

LEAST_GRACE: Final = timedelta(hours=1)
_DIGEST: Final = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_SHORTEST: Final = 64
# The log and the history tell of documents that have rows of their own, an arrival holds what its
# message names; these never name a blob.
_SILENT: Final = frozenset(
    {
        "arrival",
        "attempt",
        "checkpoint",
        "definition_file",
        "history",
        "log_entry",
        "log_pending",
        "log_tile",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Orphan:
    """A blob that no row names."""

    sha256: Sha256
    size_bytes: int


def named() -> set[bytes]:
    """Return everything in the rows that looks like a digest; to be called in a snapshot."""
    found: set[bytes] = set()
    for table, columns in _columns():
        statement = f"SELECT {', '.join(columns)} FROM {table}"  # noqa: S608 - our own tables
        for row in sql.stream(statement):
            for value in row:
                found.update(_DIGEST.findall(_octets(value)))
    return found


def find(blobs: Blobs, *, at: datetime, grace: timedelta) -> Iterator[Orphan]:
    """Yield the blobs that no row names and that are older than the grace."""
    # The blobs first: what is stored after this is younger than any grace.
    old = {one for one in blobs.digests() if _is_old(blobs, one, at - grace)}
    if not old:
        return
    with dump.snapshot():
        kept = named()
    for digest in sorted(old):
        if digest.encode() not in kept:
            yield Orphan(sha256=digest, size_bytes=blobs.size(digest))


def remove(
    blobs: Blobs, orphans: Iterable[Orphan], *, at: datetime, grace: timedelta
) -> Iterator[Orphan]:
    """Remove orphans one by one and yield each that is gone.

    One that was stored again meanwhile stays: it is announced first, and its age looked at then.
    """
    for one in orphans:
        if not blobs.condemn(one.sha256):
            continue
        try:
            if _is_old(blobs, one.sha256, at - grace):
                blobs.remove(one.sha256)
                yield one
        finally:
            blobs.acquit(one.sha256)


def forget_abandoned(blobs: Blobs, *, at: datetime) -> int:
    """Take back what a process announced that died before it removed; return how many."""
    abandoned = [digest for digest, since in blobs.condemned() if since < at - LEAST_GRACE]
    for digest in abandoned:
        blobs.acquit(digest)
    return len(abandoned)


def _is_old(blobs: Blobs, sha256: Sha256, before: datetime) -> bool:
    try:
        return blobs.stored_at(sha256) < before
    except BlobMissing:  # removed meanwhile by somebody else
        return False


def _columns() -> Iterator[tuple[str, list[str]]]:
    for model in apps.get_app_config("storage").get_models():
        table = model._meta.db_table
        columns = [
            field.column
            for field in model._meta.concrete_fields
            if isinstance(field, BinaryField | CharField | TextField)
            and field.column
            and (field.max_length is None or field.max_length >= _SHORTEST)
        ]
        if columns and table not in _SILENT:
            yield table, columns


def _octets(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode()
    return bytes(value) if isinstance(value, bytes | memoryview) else b""
