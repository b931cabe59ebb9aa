"""Where unverified bytes wait: hashed while they are written, bounded per peer and in all.

A few bytes wait in memory, which the number of threads bounds; more go to files. Their quotas are
read from the files themselves, so they hold across processes and restarts; two writers at once may
pass them by one chunk each.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import tempfile
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from dossier.ids import Sha256
from storage.errors import SpoolFull, SpoolTooLarge, StorageFull, StorageUnavailable

_CHECK_BYTES: Final = 4 * 1024 * 1024
_PEER: Final = re.compile("[0-9a-f]{16}")  # names of the peers' folders


class Spooled:
    """A received attachment; implements `dossier.wire.Spooled`."""

    def __init__(self, content: bytes | Path, *, sha256: Sha256, size_bytes: int) -> None:
        self._content = content
        self._sha256 = sha256
        self._size_bytes = size_bytes

    @property
    def content(self) -> bytes | Path:
        """Its bytes, or where they lie until they are kept or dropped."""
        return self._content

    @property
    def sha256(self) -> Sha256:
        """Of the bytes written."""
        return self._sha256

    @property
    def size_bytes(self) -> int:
        """Number of bytes written."""
        return self._size_bytes

    def drop(self) -> None:
        """Delete the file; calling twice is harmless."""
        if isinstance(self._content, Path):
            self._content.unlink(missing_ok=True)


class FileSpool:
    """The node's spool; implements `dossier.wire.Spool`."""

    def __init__(
        self, folder: Path, *, total_bytes: int, per_peer_bytes: int, memory_bytes: int = 0
    ) -> None:
        """Take `memory_bytes`: attachments of at most so many never touch the disk."""
        self._memory_bytes = memory_bytes
        self._folder = folder
        self._total_bytes = total_bytes
        self._per_peer_bytes = per_peer_bytes

    def open(self, *, peer: str, limit_bytes: int) -> SpoolFile | SpoolMemory:
        """Start an attachment of at most `limit_bytes`; raise `SpoolFull`."""
        if limit_bytes <= self._memory_bytes:
            return SpoolMemory(limit_bytes)
        folder = self._folder / hashlib.sha256(peer.encode()).hexdigest()[:16]
        with _Translated():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.check(folder)
            descriptor, name = tempfile.mkstemp(dir=folder)
        return SpoolFile(self, os.fdopen(descriptor, "wb"), Path(name), limit_bytes)

    def check(self, peer_folder: Path) -> None:
        """Raise `SpoolFull` when the peer or all peers together have used up their room."""
        # What is going out lies beside them; it is ours, and takes nobody's room.
        peers = (one for one in self._folders() if _PEER.fullmatch(one.name))
        of_peer, in_all = _used(peer_folder), sum(map(_used, peers))
        if of_peer >= self._per_peer_bytes or in_all >= self._total_bytes:
            raise SpoolFull("expected room for unverified bytes, got none")

    def sweep(self, *, older_than: datetime) -> int:
        """Delete what a dead process left behind, and return how many files it was."""
        left = [
            path
            for folder in self._folders()
            for path in folder.iterdir()
            if path.stat().st_mtime < older_than.timestamp()
        ]
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def _folders(self) -> list[Path]:
        with os.scandir(self._folder) as entries:
            return [Path(entry.path) for entry in entries if entry.is_dir()]


class SpoolMemory:
    """A small attachment that is being received; implements `dossier.wire.SpoolWriter`."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._content = bytearray()

    def write(self, chunk: bytes) -> None:
        """Append; raise `SpoolTooLarge` past the limit."""
        if len(self._content) + len(chunk) > self._limit_bytes:
            raise _too_large(self._limit_bytes)
        self._content += chunk

    def close(self) -> Spooled:
        """Return it."""
        content = bytes(self._content)
        digest = Sha256(hashlib.sha256(content).hexdigest())
        return Spooled(content, sha256=digest, size_bytes=len(content))

    def abort(self) -> None:
        """Forget what was written."""
        self._content.clear()


class SpoolFile:
    """An attachment that is being received; implements `dossier.wire.SpoolWriter`."""

    def __init__(self, spool: FileSpool, file: BinaryIO, path: Path, limit_bytes: int) -> None:
        self._spool = spool
        self._file = file
        self._path = path
        self._limit_bytes = limit_bytes
        self._hasher = hashlib.sha256()
        self._written = 0
        self._checked = 0

    def write(self, chunk: bytes) -> None:
        """Append; raise `SpoolTooLarge` past the limit and `SpoolFull` past a quota."""
        self._written += len(chunk)
        if self._written > self._limit_bytes:
            raise _too_large(self._limit_bytes)
        with _Translated():
            self._hasher.update(chunk)
            self._file.write(chunk)
            if self._written - self._checked >= _CHECK_BYTES:
                self._checked = self._written
                self._file.flush()
                self._spool.check(self._path.parent)

    def close(self) -> Spooled:
        """Flush and return it."""
        with _Translated():
            self._file.close()
        return Spooled(
            self._path,
            sha256=Sha256(self._hasher.hexdigest()),
            size_bytes=self._written,
        )

    def abort(self) -> None:
        """Delete what was written; calling twice is harmless."""
        with contextlib.suppress(OSError):
            self._file.close()
        self._path.unlink(missing_ok=True)


class _Translated(contextlib.AbstractContextManager[None]):
    """Turn the file system's exceptions into ours."""

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, OSError):
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StorageFull("expected room on the disk, got none") from error
            raise StorageUnavailable(
                "expected a disk that writes", detail=error.strerror or "?"
            ) from error


def _too_large(limit: int) -> SpoolTooLarge:
    return SpoolTooLarge(f"expected at most {limit} bytes, got more", limit=limit)


def _used(folder: Path) -> int:
    total = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):  # dropped meanwhile by its reader
                total += entry.stat().st_size
    return total
