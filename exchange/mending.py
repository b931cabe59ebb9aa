"""Read every stored file that a row names, and put bad ones back from a backup."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dossier.ids import Sha256
from exchange.settings import Settings
from exchange.stores import blob_store
from storage import documents
from storage.blobs import Blobs
from storage.errors import BackupRefused, BlobCorrupt, BlobMissing

_READ_BYTES: Final = 1024**2


@dataclass(frozen=True, kw_only=True, slots=True)
class Examined:
    """What the reading of one stored file came to."""

    sha256: Sha256
    error: str  # the code of what is wrong with it, empty when it is whole
    is_mended: bool = False  # it was bad and is whole now


def examine(settings: Settings, *, backup: Path | None = None) -> Iterator[Examined]:
    """Yield what each named file came to; what is bad is put back if the backup has it whole."""
    blobs = blob_store(settings)
    for digest in sorted(documents.stored_files()):
        error = _error_of(blobs, digest)
        is_mended = bool(error) and backup is not None and _put_back(blobs, digest, backup)
        yield Examined(sha256=digest, error=error, is_mended=is_mended)


def count() -> int:
    """Return how many files rows name."""
    return len(documents.stored_files())


def _error_of(blobs: Blobs, digest: Sha256) -> str:
    try:
        with blobs.open(digest) as content:
            while content.read(_READ_BYTES):
                pass
    except (BlobMissing, BlobCorrupt) as exc:
        return exc.code
    return ""


def _put_back(blobs: Blobs, digest: Sha256, backup: Path) -> bool:
    with tempfile.NamedTemporaryFile() as copy:
        if not _copied(digest, backup, Path(copy.name)):
            return False
        blobs.remove(digest)  # the store keeps what it has, also when that is damaged
        return blobs.put_file(Path(copy.name)) == digest


def _copied(digest: Sha256, backup: Path, target: Path) -> bool:
    """Write the file of the backup, and tell whether it is whole there."""
    try:
        with tarfile.open(backup, "r:") as archive, target.open("wb") as out:
            found = archive.extractfile(f"blobs/{digest}")
            if found is None:
                return False
            shutil.copyfileobj(found, out)
    except KeyError:
        return False
    except tarfile.TarError as exc:
        raise BackupRefused("expected a whole tar file", part=backup.name) from exc
    with target.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == digest
