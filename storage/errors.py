"""What can go wrong between us and the database, the blobs and the spool."""

from __future__ import annotations

from dossier.errors import Conflict, Misconfigured, Rejected, Unavailable


class StorageUnavailable(Unavailable):
    """The database does not answer now: locked, restarting, out of connections, timed out."""

    code = "storage_unavailable"


class StorageFull(Unavailable):
    """The disk under the database, the blobs or the spool is full."""

    code = "storage_full"


class RowConflict(Conflict):
    """A row with the same key is there already."""

    code = "row_conflict"


class VersionConflict(Conflict):
    """Somebody else changed what was read; `names` says what."""

    code = "version_conflict"


class RowMissing(Rejected):
    """There is no such row."""

    code = "row_missing"


class BlobMissing(Unavailable):
    """The bytes of a digest are not in the store."""

    code = "blob_missing"


class BlobCorrupt(Misconfigured):
    """The stored bytes do not have their digest any more: the disk or a hand changed them."""

    code = "blob_corrupt"


class BlobBusy(Unavailable):
    """The same bytes are being removed as orphans at this moment."""

    code = "blob_busy"


class BlobStoreRefused(Misconfigured):
    """The object store refuses us: its bucket, its keys or their rights are wrong."""

    code = "blob_store_refused"


class SpoolFull(Unavailable):
    """Too many unverified bytes are waiting, of one peer or of all."""

    code = "spool_full"


class SpoolTooLarge(Rejected):
    """More bytes came than the sender announced or the limit allows."""

    code = "spool_too_large"


class SchemaNewer(Misconfigured):
    """The database was made by a newer version of this program."""

    code = "schema_newer"


class SchemaOlder(Misconfigured):
    """The database lacks migrations that this program needs."""

    code = "schema_older"


class BackupRefused(Rejected):
    """The file is not a whole backup of this program, or not of a version it knows."""

    code = "backup_refused"


class BackupTargetRefused(Rejected):
    """A backup is written to a new file, or in place of one: never over a device or a folder."""

    code = "backup_target_refused"


class RestoreNotEmpty(Conflict):
    """A backup is restored into an empty database only: nothing is ever overwritten."""

    code = "restore_not_empty"
