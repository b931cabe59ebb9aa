"""Tables of the node's Merkle log: leaves waiting for a number, entries, tiles, checkpoints."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from storage.models.columns import counted, digest, instant, integer, maybe_uuid, octets, words


class PendingLeafRow(models.Model):
    """A leaf committed with its event, not yet numbered."""

    id = counted()
    leaf = octets()
    opening = octets()
    dossier = maybe_uuid()
    dossier_sequence = integer()
    added = instant()  # by the database's clock, for the lag

    class Meta:
        db_table = "log_pending"


class LogEntryRow(models.Model):
    """A numbered leaf; its opening stays here, only the leaf is public."""

    number = integer(key=True)
    leaf = octets()
    leaf_hash = digest()
    opening = octets()
    dossier = maybe_uuid()
    dossier_sequence = integer()

    class Meta:
        db_table = "log_entry"
        indexes: ClassVar = [
            models.Index(fields=["dossier"], name="log_entry_dossier"),
            models.Index(fields=["leaf_hash"], name="log_entry_hash"),
        ]


class LogTileRow(models.Model):
    """Up to 256 hashes of one level of the tree."""

    level = integer()
    number = integer()
    hashes = octets()

    class Meta:
        db_table = "log_tile"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["level", "number"], name="log_tile_place")
        ]


class LogStateRow(models.Model):
    """The growing edge of the log: one row."""

    id = integer(key=True)
    size = integer()
    root = octets()
    open_tiles = words()  # hexadecimal, one line per level

    class Meta:
        db_table = "log_state"


class CheckpointRow(models.Model):
    """A signed statement of the log's size and root."""

    id = counted()
    size = integer()
    root = octets()
    note = octets()
    at = instant()

    class Meta:
        db_table = "checkpoint"
        indexes: ClassVar = [models.Index(fields=["size"], name="checkpoint_size")]
