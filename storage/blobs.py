"""Bytes found by their SHA-256: written once, whole and durably, checked each time they are read.

`Blobs` is what every store can do; `storage.blobfiles` keeps files, `storage.s3` objects. What is
stored begins with a format byte, so that encryption can come without migration; 0 means plain, and
P a ZIP file as it came, whose first byte that is. Nobody but the stores opens it.

A blob is stored before the row that names it is committed, so an orphan cannot be told from a blob
whose row is still to come but by its age. Therefore a store that is given bytes which it has makes
them young again, and looks afterwards whether somebody is removing them (`condemn`): whoever
removes condemns first and looks at the age then, so one of the two always sees the other.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, Protocol, TypeAlias

from dossier.ids import Sha256
from storage.errors import BlobBusy, BlobCorrupt, BlobMissing

PLAIN: Final = b"\x00"
ZIPPED: Final = b"P"
CHUNK_BYTES: Final = 1024 * 1024
IN_MEMORY_BYTES: Final = 16 * CHUNK_BYTES  # larger ones pass through a temporary file
_PATIENCE_SECONDS: Final = 3.0
_LOOK_SECONDS: Final = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """A file that nobody writes to any more, digested as it was written; the store may keep it."""

    path: Path
    sha256: Sha256


Content: TypeAlias = bytes | Path | Callable[[], BinaryIO] | Given
"""What is stored: bytes, a file, or what opens a stream of them, again each time it is called."""


class Writable(Protocol):
    """What takes bytes."""

    def write(self, content: bytes, /) -> object:
        """Append bytes."""
        ...


class Blobs(Protocol):
    """A content-addressed store; `tests/contract` says what each one must do."""

    def put(self, content: bytes) -> Sha256:
        """Store bytes durably and return their digest."""
        ...

    def put_file(self, source: Path) -> Sha256:
        """Store a file's bytes durably and return their digest."""
        ...

    def put_all(self, contents: Iterable[Content]) -> tuple[Sha256, ...]:
        """Store several durably, for less than one by one, and return their digests in order."""
        ...

    def open(self, sha256: str) -> BinaryIO:
        """Return a stream of the verified bytes."""
        ...

    def read(self, sha256: str) -> bytes:
        """Return all bytes of a digest, verified."""
        ...

    def export(self, sha256: str, target: Path) -> None:
        """Write the verified bytes of a digest to a new file."""
        ...

    def has(self, sha256: str) -> bool:
        """Tell whether the digest is stored."""
        ...

    def size(self, sha256: str) -> int:
        """Return the number of bytes of a digest."""
        ...

    def stored_at(self, sha256: str) -> datetime:
        """Return when the bytes were stored last."""
        ...

    def digests(self) -> Iterator[Sha256]:
        """Yield every stored digest, in order."""
        ...

    def condemned(self) -> Iterator[tuple[Sha256, datetime]]:
        """Yield what is being removed, and since when."""
        ...

    def condemn(self, sha256: str) -> bool:
        """Announce that a digest will be removed; False when somebody else has done so."""
        ...

    def acquit(self, sha256: str) -> None:
        """Take the announcement back: the digest is removed or stays."""
        ...

    def remove(self, sha256: str) -> None:
        """Forget a condemned digest."""
        ...


def settle(
    store: Blobs, digest: Sha256, put: Callable[[], object], *, is_condemned: Callable[[str], bool]
) -> None:
    """Put again until the bytes are there and nobody removes them; raise `BlobBusy` after a while.

    The caller has put them once. The order counts: put, then look for a mark, then look for the
    bytes (see the module's text).
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        if not is_condemned(digest):
            if store.has(digest):
                return
            put()
        elif time.monotonic() > deadline:
            raise BlobBusy("expected bytes that nobody is removing", sha256=digest)
        else:
            time.sleep(_LOOK_SECONDS)


def copy_checked(source: BinaryIO, target: Writable, sha256: str) -> None:
    """Copy a stream in chunks; raise `BlobCorrupt` at its end unless it had the digest."""
    hasher = hashlib.sha256()
    while chunk := source.read(CHUNK_BYTES):
        hasher.update(chunk)
        target.write(chunk)
    if hasher.hexdigest() != sha256:
        raise corrupt(sha256)


def free_bytes(folder: Path) -> int:
    """Return how many bytes the disk under a folder still takes."""
    return shutil.disk_usage(folder).free


def opened(content: Path | Callable[[], BinaryIO] | Given) -> BinaryIO:
    """Return a stream of what is not bytes yet."""
    if isinstance(content, Given):
        content = content.path
    return content.open("rb") if isinstance(content, Path) else content()


def missing(sha256: str) -> BlobMissing:
    """Return the error that names a digest without bytes."""
    return BlobMissing("expected stored bytes for the digest, got none", sha256=sha256)


def corrupt(sha256: str) -> BlobCorrupt:
    """Return the error that names a digest whose bytes are others."""
    return BlobCorrupt("expected stored bytes to have their digest", sha256=sha256)
